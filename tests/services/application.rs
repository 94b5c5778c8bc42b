//! `database.application` on pages of metrics that are as they should be, and on others.

use crate::database::PASSWORD;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tminus::{
    domain::{Class, Finding, IntegrationId, Outcome, Skip},
    integrations::database::{Database, Settings},
    probe::{
        Cx, Integration, Safety,
        pool::{PoolMeter, WatchedPool},
    },
    secret::Secret,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Mutex,
    task::JoinHandle,
    time::timeout,
};

/// How often a host that is busy may be late.
const TRIES: usize = 30;

/// How an application behaves.
#[derive(Clone)]
enum Page {
    /// This text, whole.
    Says(String),
    /// This status, and nothing else.
    Refuses(&'static str),
    /// So many bytes of samples.
    Long(usize),
    /// Samples for as long as somebody reads.
    Endless,
    /// Takes the request and never answers.
    Hangs,
    /// Begins to answer.
    Stops,
}

/// An application on this machine; what it says can be changed.
struct Application {
    address: SocketAddr,
    page: Arc<Mutex<Page>>,
    task: JoinHandle<()>,
}

impl Application {
    async fn start(page: Page) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let page = Arc::new(Mutex::new(page));
        let shown = Arc::clone(&page);
        let task = tokio::spawn(async move {
            let mut kept = Vec::new();
            while let Ok((mut peer, _)) = listener.accept().await {
                let page = shown.lock().await.clone();
                // Whoever has read enough leaves.
                let _gone = answer(&mut peer, page).await;
                kept.push(peer);
            }
        });
        Self { address, page, task }
    }

    async fn says(&self, text: &str) {
        *self.page.lock().await = Page::Says(text.into());
    }

    fn watched(&self) -> Database {
        watched(Some(&format!("http://me:{PASSWORD}@{}/metrics?key={PASSWORD}", self.address)))
    }
}

impl Drop for Application {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(peer: &mut TcpStream, page: Page) -> std::io::Result<()> {
    let mut request = [0; 4096];
    let length = peer.read(&mut request).await?;
    let request = String::from_utf8_lossy(&request[..length]).to_lowercase();
    assert!(request.starts_with("get /metrics?key="), "{request}");
    assert!(request.contains("accept: text/plain;version=0.0.4"), "{request}");
    assert!(request.contains("authorization: basic "), "{request}");
    let head = "HTTP/1.1 200 OK\r\nConnection: close\r\n";
    let sample = "other_total{path=\"/a/long/path/to/fill/the/page\"} 1\n".repeat(1000);
    match page {
        Page::Says(text) => {
            let length = text.len();
            peer.write_all(format!("{head}Content-Length: {length}\r\n\r\n{text}").as_bytes()).await
        }
        Page::Refuses(status) => {
            let text = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
            peer.write_all(text.as_bytes()).await
        }
        Page::Long(bytes) => {
            peer.write_all(format!("{head}Content-Length: {bytes}\r\n\r\n").as_bytes()).await?;
            for _ in 0..bytes / sample.len() {
                peer.write_all(sample.as_bytes()).await?;
            }
            Ok(())
        }
        Page::Endless => {
            peer.write_all(format!("{head}\r\n").as_bytes()).await?;
            loop {
                peer.write_all(sample.as_bytes()).await?;
            }
        }
        Page::Hangs => Ok(()),
        Page::Stops => {
            peer.write_all(format!("{head}Content-Length: 99\r\n\r\nother 1\n").as_bytes()).await
        }
    }
}

/// The embedded database, used by the application at `app_metrics`.
fn watched(app_metrics: Option<&str>) -> Database {
    let settings = Settings { app_metrics: app_metrics.map(Secret::new), ..Settings::default() };
    assert_eq!(settings.complaints(), []);
    Database::new(IntegrationId::new("database").unwrap(), settings, Safety::default())
}

/// One look, which ends by itself and tells no secret.
async fn look(database: &Database) -> Finding {
    let specs = database.checks();
    let index = specs.iter().position(|spec| spec.name == "application").unwrap();
    assert_eq!((specs[index].class, specs[index].weight), (Class::Minor, 1));
    let cx = Cx::default();
    let run = timeout(Duration::from_mins(1), database.run(index, &cx));
    let finding = run.await.unwrap().unwrap();
    assert!(!format!("{finding:?}").contains(PASSWORD), "{finding:?}");
    finding
}

/// Looks until this host was quick enough to read the page; a page that hangs is to be
/// looked at once.
async fn says(database: &Database) -> (&'static str, String) {
    for _ in 0..TRIES {
        let finding = look(database).await;
        let late = ["did not answer within", "did not finish its answer within"];
        if late.iter().any(|late| finding.summary.contains(late)) {
            continue;
        }
        let evidence = &finding.evidence;
        assert!(evidence.asked.starts_with("GET 127.0.0.1:"), "{finding:?}");
        assert!(!evidence.wanted.is_empty() && !evidence.reply.is_empty(), "{finding:?}");
        assert_eq!(finding.remedy.is_some(), finding.outcome != Outcome::Pass, "{finding:?}");
        return (finding.outcome.word(), finding.summary);
    }
    panic!("this host never gave the page its time")
}

fn otel(queries: u32, used: u32, pending: u32, timeouts: u32) -> String {
    let duration = "db_client_operation_duration_seconds";
    let labels = "db_operation_name=\"SELECT\",db_system_name=\"postgresql\"";
    let pool = "db_client_connection_pool_name=\"orders\"";
    let state = "db_client_connection_state";
    format!(
        "# HELP {duration} Duration of database client operations.\n# TYPE {duration} histogram\n\
         {duration}_bucket{{{labels},le=\"0.001\"}} 1\n{duration}_bucket{{{labels},le=\"+Inf\"}} {queries}\n\
         {duration}_count{{{labels}}} {queries}\n{duration}_sum{{{labels}}} 0.5\n\
         db_client_connection_count{{{pool},{state}=\"used\"}} {used}\n\
         db_client_connection_count{{{pool},{state}=\"idle\"}} 1\n\
         db_client_connection_max{{{pool}}} 10\n\
         db_client_connection_pending_requests{{{pool}}} {pending}\n\
         db_client_connection_timeouts_total{{{pool}}} {timeouts}\n\
         target_info{{service_name=\"orders\"}} 1\n"
    )
}

/// What an application of Spring writes: no query times.
const HIKARI: &str = "# HELP hikaricp_connections_active Active connections\n\
    # TYPE hikaricp_connections_active gauge\n\
    hikaricp_connections_active{pool=\"HikariPool-1\",} 10.0\n\
    hikaricp_connections_idle{pool=\"HikariPool-1\",} 0.0\n\
    hikaricp_connections_max{pool=\"HikariPool-1\",} 10.0\n\
    hikaricp_connections_pending{pool=\"HikariPool-1\",} 7.0\n\
    hikaricp_connections_acquire_seconds_count{pool=\"HikariPool-1\",} 4.0\n\
    hikaricp_connections_acquire_seconds_sum{pool=\"HikariPool-1\",} 0.25\n";

#[tokio::test(flavor = "multi_thread")]
async fn without_a_page_it_is_skipped_and_counts_for_nothing() {
    let finding = look(&watched(None)).await;
    assert_eq!(finding.outcome, Outcome::Skipped(Skip::NotApplicable));
    assert!(finding.remedy.unwrap().contains("app_metrics") && !finding.fallback);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_judged_by_what_it_says() {
    let old = "db_client_operation_duration_seconds_bucket{le=\"+Inf\"} 5\n\
        db_client_operation_duration_seconds_count 5\n\
        db_client_connections_usage{pool_name=\"orders\",state=\"used\"} 3\n\
        db_client_connections_max{pool_name=\"orders\"} 10\n";
    let leak = otel(5, 3, 0, 0).replace(
        "db_operation_name=\"SELECT\"",
        &format!("db_query_text=\"SELECT * FROM users WHERE password = '{PASSWORD}'\""),
    );
    let pages: [(&str, &str, &str); 7] = [
        (&otel(5, 3, 0, 0), "pass", "5 queries, pool orders: 3 of 10 used"),
        (old, "warn", "old name db_client_connections_usage"),
        (&otel(5, 10, 4, 0), "fail", "pool orders: 10 of 10 used, 4 waiting"),
        (HIKARI, "fail", "pool HikariPool-1: 10 of 10 used, 7 waiting; 1 more"),
        (&leak, "warn", "literals in 1 of 1 query texts"),
        ("up 1\n", "fail", "exports neither query times nor a pool"),
        ("<!DOCTYPE html>\n", "fail", "no page of metrics, line 1: an illegal name"),
    ];
    let application = Application::start(Page::Hangs).await;
    for (page, word, summary) in pages {
        application.says(page).await;
        assert_eq!(says(&application.watched()).await, (word, summary.to_owned()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn timeouts_between_two_looks_are_told_and_a_restart_is_none() {
    let application = Application::start(Page::Says(otel(5, 3, 0, 2))).await;
    let watched = application.watched();
    let fine = |queries| ("pass", format!("{queries}, pool orders: 3 of 10 used"));
    assert_eq!(says(&watched).await, fine("5 queries"));
    application.says(&otel(6, 3, 0, 5)).await;
    let (word, summary) = says(&watched).await;
    assert_eq!(word, "warn");
    assert!(summary.starts_with("pool orders: 3 timed out in "), "{summary}");
    application.says(&otel(1, 3, 0, 0)).await;
    assert_eq!(says(&watched).await, fine("1 query"));
}

/// Connections of a real pool, as its application exports them.
fn exported(pool: &WatchedPool<sqlx::Sqlite>, queries: u32) -> String {
    let figures = pool.figures();
    otel(queries, figures.used, figures.waiters, 0)
        .replace("\"} 10\n", &format!("\"}} {}\n", figures.most))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_pool_is_judged_while_it_is_exhausted_and_after() {
    let link = sqlx::sqlite::SqliteConnectOptions::new().in_memory(true);
    let options = sqlx::pool::PoolOptions::new().max_connections(2);
    let pool = Arc::new(WatchedPool::new(options, link, PoolMeter::default()));
    let application = Application::start(Page::Says(exported(&pool, 1))).await;
    let watched = application.watched();
    let idle = ("pass", "1 query, pool orders: 0 of 2 used".to_owned());
    assert_eq!(says(&watched).await, idle);
    let held = [pool.acquire().await.unwrap(), pool.acquire().await.unwrap()];
    let third = tokio::spawn({
        let pool = Arc::clone(&pool);
        async move { drop(pool.acquire().await.unwrap()) }
    });
    timeout(Duration::from_mins(1), async {
        while pool.figures().waiters == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("the third asks");
    application.says(&exported(&pool, 3)).await;
    let exhausted = ("fail", "pool orders: 2 of 2 used, 1 waiting".to_owned());
    assert_eq!(says(&watched).await, exhausted);
    drop(held);
    third.await.unwrap();
    application.says(&exported(&pool, 4)).await;
    let given_back = ("pass", "4 queries, pool orders: 0 of 2 used".to_owned());
    assert_eq!(says(&watched).await, given_back);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_answer_is_told_as_what_it_is() {
    let longer = "page of metrics is longer than 4.0 MiB";
    for (page, summary) in [
        (Page::Long(50_000_000), longer),
        (Page::Endless, longer),
        (Page::Refuses("503 Down"), "page of metrics answers with status 503"),
        (Page::Refuses("401 Who"), "page of metrics answers with status 401"),
        (Page::Refuses("302 Found"), "page of metrics answers with status 302"),
    ] {
        let application = Application::start(page).await;
        assert_eq!(says(&application.watched()).await, ("fail", summary.to_owned()));
    }
    for page in [Page::Hangs, Page::Stops] {
        let application = Application::start(page).await;
        let finding = look(&application.watched()).await;
        assert_eq!(finding.outcome, Outcome::Fail);
        assert!(finding.summary.contains("within 2s"), "{}", finding.summary);
        assert!(finding.remedy.unwrap().starts_with("start the application"));
    }
    let address = Application::start(Page::Hangs).await.address;
    // It is gone: nobody listens there any more.
    for _ in 0..TRIES {
        let finding = look(&watched(Some(&format!("http://{address}/metrics")))).await;
        assert_eq!(finding.outcome, Outcome::Fail);
        if finding.summary.contains("connection refused") {
            return;
        }
    }
    panic!("its port was never given up")
}
