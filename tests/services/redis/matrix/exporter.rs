//! An exporter that watches another server, or none.

use super::*;
use std::sync::Mutex;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use tokio_util::task::AbortOnDropHandle;

/// What `redis_exporter` tells of a server.
fn export(server: &Server) -> String {
    let info: String = server.ask(&["INFO", "server"]);
    let run = info.lines().find_map(|line| line.trim().strip_prefix("run_id:")).unwrap();
    format!(
        "# HELP redis_up Information about the Redis instance\n# TYPE redis_up gauge\nredis_up 1\n\
         redis_exporter_last_scrape_error{{err=\"\"}} 0\n\
         redis_instance_info{{role=\"master\",run_id=\"{run}\",tcp_port=\"{}\"}} 1\n",
        server.port
    )
}

/// A port that says this to whoever asks.
async fn exporter(says: Arc<Mutex<String>>) -> (String, AbortOnDropHandle<()>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}/metrics", listener.local_addr().unwrap());
    let answering = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let body = says.lock().unwrap().clone();
            let _asked = stream.read(&mut [0; 2048]).await;
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
            drop(stream.write_all(format!("{head}{body}").as_bytes()).await);
        }
    });
    (url, AbortOnDropHandle::new(answering))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_42_the_exporter_watches_another_server() {
    let (Some(server), Some(other)) = (Server::start(ROOM), Server::start(ROOM)) else { return };
    let says = Arc::new(Mutex::new(export(&server)));
    let (url, _exporter) = exporter(Arc::clone(&says)).await;
    let settings = Settings { exporter: Some(Secret::new(url)), ..server.settings() };
    let mut watch = Watch::healthy(settings).await;
    let seen = fact(standing(&watch.seen(), "metrics"), "M8").unwrap();
    assert_eq!(seen, "the exporter watches this server");
    let to = |text: String| *says.lock().unwrap() = text;
    let faults = [
        ("exporter scrapes another server", export(&other), "the exporter watches another server"),
        ("exporter cannot scrape", "redis_up 0\n".into(), "the exporter does not reach its server"),
        ("exporter exports nothing", String::new(), "the exporter exports no redis_up"),
    ];
    for (fault, told, summary) in faults {
        let row = Row::new("42", fault, (63, 63)).wants(
            &["metrics"],
            ("fail", summary),
            "correct the address of its server",
        );
        watch.goes_through(row, async || to(told), async || to(export(&server))).await;
    }
    watch.end(&server).await;
}
