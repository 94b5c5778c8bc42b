//! A database under load: what is counted, what is refused, and that nothing is left behind.

use crate::{
    database::{PASSWORD, database},
    mariadb::server as mariadb,
    postgres::cluster,
    support::{Process, certificate},
};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
use std::{fs, path::Path, process::Stdio, time::Duration};
use tempfile::TempDir;
use tminus::{
    domain::{
        FactValue, IntegrationId, Sweep, Swept,
        perf::{Arrivals, Ended, Phase, Record},
    },
    integrations::database::{
        Database, Settings,
        load::{Dial, LoadTable, Operation, Session},
    },
    perf::{
        Hindrance, Reins, Test as _, Untested,
        db::{Asked, DbTest, Steps},
    },
    probe::{Integration as _, Safety, Whose},
    secret::Secret,
};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// Tests of one process share the name of their table, so they follow each other.
static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

const MAY_LOAD: &str = "GRANT CREATE, DROP, INSERT, UPDATE, DELETE ON shop.* TO {}";
/// For something that a busy machine does late.
const PATIENCE: Duration = Duration::from_mins(1);

/// A database of each kind that there is here, and how to look for what is ours in it.
enum Place {
    Postgres(std::sync::Arc<cluster::Cluster>, String),
    MariaDb(std::sync::Arc<mariadb::Server>, String),
    Sqlite(TempDir),
}

/// The places, each with a role or account of this name that may make a table.
async fn places(name: &str) -> Vec<Place> {
    let mut places = Vec::new();
    if let Some(cluster) = cluster::Edition::Installed.shared() {
        let grant = format!("GRANT CREATE ON SCHEMA public TO {name}");
        let url = cluster.role(name, &grant).await;
        places.push(Place::Postgres(cluster, url));
    }
    if let Some(server) = mariadb::Server::shared() {
        let url = server.account(name, MAY_LOAD).await;
        places.push(Place::MariaDb(server, url));
    }
    let directory = tempfile::Builder::new().prefix("tminus-load-").tempdir().unwrap();
    let options = sqlx::sqlite::SqliteConnectOptions::new().create_if_missing(true);
    let options = options.filename(directory.path().join("app.db"));
    let options = options.journal_mode(sqlx::sqlite::SqliteJournalMode::Wal);
    let mut link = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
    link.execute("CREATE TABLE users (id INTEGER)").await.unwrap();
    link.close().await.unwrap();
    places.push(Place::Sqlite(directory));
    places
}

impl Place {
    fn url(&self) -> String {
        match self {
            Self::Postgres(_, url) | Self::MariaDb(_, url) => url.clone(),
            Self::Sqlite(directory) => format!("sqlite://{}/app.db", directory.path().display()),
        }
    }

    /// Tables and directories of load tests.
    async fn tables(&self) -> i64 {
        let of_mariadb =
            "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_NAME LIKE 'tminus_perf_%'";
        let of_postgres = "SELECT count(*) FROM pg_class WHERE relname LIKE 'tminus_perf_%' \
                           AND relkind = 'r'";
        match self {
            Self::Postgres(cluster, _) => cluster.number(of_postgres).await,
            Self::MariaDb(server, _) => server.number(of_mariadb).await,
            Self::Sqlite(directory) => {
                let names = fs::read_dir(directory.path()).unwrap();
                names.map(|entry| i64::from(entry.unwrap().file_name() != "app.db")).sum()
            }
        }
    }

    /// Nothing of ours is there, and nobody of ours is either.
    async fn is_clean(&self, name: &str) {
        assert_eq!(self.tables().await, 0, "{}", self.url());
        let of_postgres = "SELECT count(*) FROM pg_stat_activity \
                           WHERE application_name = 'tminus-perf'";
        let of_mariadb =
            format!("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = '{name}'");
        match self {
            Self::Postgres(cluster, _) => cluster.until_zero(of_postgres).await,
            Self::MariaDb(server, _) => server.until_zero(&of_mariadb).await,
            Self::Sqlite(_) => {}
        }
    }
}

/// A small load: a busy machine must bear it.
fn small() -> Asked {
    Asked {
        clients: 4,
        rows: 1000,
        warm_up: Duration::from_millis(50),
        duration: Duration::from_millis(500),
        steps: Steps::Leap,
        ..Asked::default()
    }
}

fn test_of(url: &str, asked: Asked) -> DbTest {
    let settings = Settings { url: Some(Secret::new(url)), ..Settings::default() };
    DbTest::new(IntegrationId::new("database").unwrap(), &settings, Safety::default(), asked)
}

async fn measured(url: &str, asked: Asked) -> Result<Record, Untested> {
    test_of(url, asked).run(&Reins::new(CancellationToken::new()).0).await
}

fn word<'a>(record: &'a Record, name: &str) -> &'a str {
    let fact = record.facts.iter().find(|fact| fact.name == name);
    let fact = fact.unwrap_or_else(|| panic!("no {name} in {:?}", record.facts));
    let FactValue::Words(words) = &fact.value else { panic!("{name} is no word") };
    words
}

async fn sweep(watched: &Database) -> Swept {
    let Sweep::Done(swept) = watched.sweep(&Whose::default()).await else { panic!("not swept") };
    swept
}

#[tokio::test(flavor = "multi_thread")]
async fn each_operation_is_measured_every_row_counted_and_nothing_left() {
    let places = places("loaded").await;
    let _turn = TURN.lock().await;
    for place in places {
        let record = measured(&place.url(), small()).await.unwrap();
        assert_eq!(record.ended, Ended::Complete);
        assert_eq!(record.total.failed, 0, "{:?}", record.errors);
        let names: Vec<&str> = record.operations.iter().map(|one| &*one.name).collect();
        assert_eq!(names, Operation::ALL.map(Operation::word));
        assert!(record.operations.iter().all(|one| one.succeeded > 0), "{record:?}");
        assert_eq!(word(&record, "counts agree"), "yes", "{:?}", record.facts);
        assert!(word(&record, "table").starts_with("tminus_perf_"));
        let receipt = record.receipt.unwrap();
        assert_eq!((receipt.written, receipt.removed, receipt.left), (1, 1, 0));
        assert!(receipt.sent > record.total.succeeded, "the warm-up is sent too");
        place.is_clean("loaded").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ever_more_clients_show_where_more_add_little() {
    let Some(cluster) = cluster::Edition::Installed.shared() else { return };
    let _turn = TURN.lock().await;
    let url = cluster.role("climber", "GRANT CREATE ON SCHEMA public TO climber").await;
    let (reins, progress) = Reins::new(CancellationToken::new());
    let asked = Asked { steps: Steps::Climb, ..small() };
    let test = test_of(&url, asked);
    assert_eq!(test.offer().takes, Duration::from_millis(550 + 2 * 1300));
    let record = test.run(&reins).await.unwrap();
    let names: Vec<&str> = record.facts.iter().map(|fact| &*fact.name).collect();
    for step in ["with 1 client", "with 2 clients", "with 4 clients", "connection, p95"] {
        assert!(names.contains(&step), "{names:?}");
    }
    assert!(names.contains(&"clients for 95 % of the best"));
    assert_eq!(word(&record, "counts agree"), "yes", "those of the steps too");
    assert_eq!(progress.borrow().clients, 4);
    assert_eq!(
        cluster.number("SELECT count(*) FROM pg_class WHERE relname LIKE 'tminus_p%'").await,
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_that_is_stopped_ends_soon_and_removes_its_table() {
    let places = places("stopped").await;
    let _turn = TURN.lock().await;
    for place in places {
        let (reins, mut progress) = Reins::new(CancellationToken::new());
        let arrivals = Arrivals::Constant { rate: 200.0 };
        let asked = Asked { duration: Duration::from_mins(10), arrivals, ..small() };
        let test = test_of(&place.url(), asked);
        let stop = async {
            let busy = progress.wait_for(|now| now.phase == Phase::Measuring && now.succeeded > 0);
            assert!(busy.await.is_ok());
            assert!(place.tables().await > 0);
            reins.cancel.cancel();
            Instant::now()
        };
        let (record, stopped) = tokio::join!(test.run(&reins), stop);
        assert!(stopped.elapsed() < PATIENCE, "{:?}", stopped.elapsed());
        let record = record.unwrap();
        assert_eq!((record.ended.clone(), record.receipt.unwrap().left), (Ended::Aborted, 0));
        assert_eq!(word(&record, "counts agree"), "yes", "{:?}", record.facts);
        place.is_clean("stopped").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_make_a_table_is_told_and_nothing_is_there() {
    let Some(cluster) = cluster::Edition::Installed.shared() else { return };
    let _turn = TURN.lock().await;
    let tables = "SELECT count(*) FROM pg_class WHERE relname LIKE 'tminus_perf_%'";
    let url = cluster.role("bystander", "").await;
    let why = measured(&url, small()).await.unwrap_err();
    assert_eq!(why.why, Hindrance::Target);
    assert!(why.says.contains("42501"), "{why:?}");
    assert!(why.hint.unwrap().contains("GRANT"), "the remedy");
    let crowd = measured(&url, Asked { clients: 1000, ..small() }).await.unwrap_err();
    assert!(crowd.why == Hindrance::Refused && crowd.says.contains("free"), "{crowd:?}");
    let few = cluster
        .role(
            "few",
            "ALTER ROLE few CONNECTION LIMIT 3; \
                                   GRANT CREATE ON SCHEMA public TO few",
        )
        .await;
    let limited = measured(&few, small()).await.unwrap_err();
    assert!(limited.says.contains("53300"), "{limited:?}");
    assert_eq!(cluster.number(tables).await, 0);
    let settings = |load, url: &str| {
        let url = Some(Secret::new(url));
        Settings { url, load, ..Settings::default() }
    };
    let id = IntegrationId::new("database").unwrap();
    let remote = "postgres://app@192.0.2.1/app";
    for (load, url) in [(None, remote), (Some(false), url.as_str())] {
        let test = DbTest::new(id.clone(), &settings(load, url), Safety::default(), small());
        assert!(test.offer().refused.is_some());
        let refused = test.run(&Reins::new(CancellationToken::new()).0).await.unwrap_err();
        assert_eq!(refused.why, Hindrance::Refused);
    }
}

/// The program itself, killed in the middle, and `tminus clean` afterwards.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_kill_leaves_is_removed_by_clean_and_what_lives_is_not() {
    let places = places("killed").await;
    let _turn = TURN.lock().await;
    for place in places {
        let home = tempfile::tempdir().unwrap();
        let watched = database(Some(&place.url()));
        let mut test = program(
            home.path(),
            &place.url(),
            "perf db --no-steps --rows 1000 \
                                                           --rate 100 --duration 10m",
        );
        let mut test = Process(test.spawn().unwrap());
        let deadline = Instant::now() + PATIENCE;
        while place.tables().await == 0 {
            assert!(test.0.try_wait().unwrap().is_none() && Instant::now() < deadline);
            sleep(Duration::from_millis(20)).await;
        }
        let swept = sweep(&watched).await;
        assert_eq!((swept.looked, swept.living, swept.removed), (1, 1, 0), "{}", place.url());
        test.0.kill().unwrap();
        test.0.wait().unwrap();
        assert_eq!(place.tables().await, 1, "a kill leaves it");
        loop {
            let done = program(home.path(), &place.url(), "clean --format json").output().unwrap();
            let said = String::from_utf8(done.stdout).unwrap();
            if place.tables().await == 0 {
                assert!(done.status.success(), "{said}");
                break;
            }
            // A server lets go of a session some moments after its client has.
            assert!(Instant::now() < deadline, "the lock outlives its session: {said}");
            sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(sweep(&watched).await.looked, 0);
        place.is_clean("killed").await;
    }
}

/// How each operation ends on a session, and whether the driver has it.
async fn seated(url: &str) -> Result<bool, String> {
    let settings = Settings { url: Some(Secret::new(url)), ..Settings::default() };
    let (dial, by) = (Dial::of(&settings).unwrap(), Instant::now() + PATIENCE);
    let mut session = dial.seat(by).await.map_err(|why| why.class)?;
    let mut keeper = dial.keep(by).await.map_err(|why| why.class)?;
    let table = LoadTable::make(&dial, &mut keeper, 10).await.map_err(|why| why.class)?;
    for turn in 0..2 {
        for what in Operation::ALL {
            assert_eq!(session.run(&table, what, 1 + turn).await, Ok(1), "{what:?}");
        }
    }
    assert_eq!(session.run(&table, Operation::Delete, 1).await, Ok(0), "it is gone");
    assert_eq!(table.rows(&dial, &mut keeper).await, Ok(10));
    let driven = matches!(session, Session::Driven(_));
    session.close().await;
    assert!(table.remove(&dial, keeper).await);
    Ok(driven)
}

/// Every way to log in to a server.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_without_tls_needs_no_driver_and_any_other_has_one() {
    let Some(mut cluster) = cluster::Edition::Installed.start(cluster::PLAIN) else { return };
    let Some(keys) = certificate() else { return };
    let _turn = TURN.lock().await;
    cluster.sql("GRANT CREATE ON SCHEMA public TO public").await;
    let mut urls = Vec::new();
    for name in ["scrambled", "hashed", "clear", "trusted"] {
        let hash = if name == "hashed" { "md5" } else { "scram-sha-256" };
        let set = format!("SET password_encryption = '{hash}'");
        urls.push(cluster.role_after(name, &set).await);
    }
    cluster.write(
        "pg_hba.conf",
        "local all all trust\nhost all hashed all md5\nhost all clear all password\n\
         host all trusted all trust\nhost all all all scram-sha-256\n",
    );
    cluster.restart_with(&[]);
    let directory = cluster.directory().display().to_string();
    urls.push(format!("postgres://trusted@/postgres?host={directory}&port={}", cluster.port));
    for url in &urls {
        assert_eq!(seated(url).await, Ok(false), "{url}");
    }
    let wrong = urls[0].replace(PASSWORD, "wrong");
    assert_eq!(seated(&wrong).await, Err("28P01".into()), "the driver names it");
    for (name, file) in [("server.crt", "cert.pem"), ("server.key", "key.pem")] {
        cluster.write(name, &fs::read_to_string(keys.path().join(file)).unwrap());
    }
    cluster.restart_with(&["ssl=on"]);
    for (mode, driven) in [("", true), ("?sslmode=require", true), ("?sslmode=disable", false)] {
        assert_eq!(seated(&format!("{}{mode}", urls[0])).await, Ok(driven), "{mode}");
    }
}

fn program(home: &Path, url: &str, line: &str) -> std::process::Command {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_tminus"));
    command.env_clear().env("HOME", home).env("DATABASE_URL", url);
    command.args(line.split_whitespace()).current_dir(home);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

#[tokio::test]
async fn a_table_that_only_looks_like_ours_is_left_alone() {
    let Some(cluster) = cluster::Edition::Installed.shared() else { return };
    let _turn = TURN.lock().await;
    let url = cluster.role("namesake", "GRANT CREATE ON SCHEMA public TO namesake").await;
    let mut theirs = cluster.connect(&url).await;
    let names = ["tminus_perf_", "tminus_perf_0123456789AB", "my_tminus_perf_0123456789ab"];
    for name in names {
        theirs.execute(AssertSqlSafe(format!("CREATE TABLE \"{name}\" (id int)"))).await.unwrap();
    }
    assert_eq!(sweep(&database(Some(&url))).await.looked, 0);
    for name in names {
        theirs.execute(AssertSqlSafe(format!("DROP TABLE \"{name}\""))).await.unwrap();
    }
    theirs.close().await.unwrap();
}
