use super::{
    connection::{Gate, LONGEST},
    metrics::{CONTENT_TYPE, metrics},
};
use crate::domain::Snapshot;
use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::watch};
use tokio_util::sync::CancellationToken;

type Snapshots = watch::Receiver<Arc<Snapshot>>;

/// A listener for `/metrics` and `/healthz`, not yet answering.
#[derive(Debug)]
pub struct Exporter {
    listener: TcpListener,
    /// Where it listens, with the port that it was given.
    pub address: SocketAddr,
    longest: Duration,
}

impl Exporter {
    /// Starts listening, so that a port in use is known before anything else starts.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address, longest: LONGEST })
    }

    /// Answers until cancelled, from whatever the newest snapshot is.
    pub async fn serve(self, snapshots: Snapshots, cancel: CancellationToken) {
        let routes = Router::new()
            .route("/metrics", get(scrape))
            .route("/healthz", get(health))
            .with_state(snapshots);
        let served = axum::serve(Gate::new(self.listener, self.longest), routes);
        if let Err(error) = served.with_graceful_shutdown(cancel.cancelled_owned()).await {
            tracing::error!(%error, "the exporter ended");
        }
    }
}

/// What to say about an address that others can reach.
pub fn exposure(address: SocketAddr) -> Option<String> {
    let says = format!(
        "metrics are served on {address} to everybody who can reach it; 127.0.0.1 keeps them here"
    );
    (!address.ip().is_loopback()).then_some(says)
}

async fn scrape(State(snapshots): State<Snapshots>) -> impl IntoResponse {
    let snapshot = Arc::clone(&snapshots.borrow());
    let headers = [(header::CONTENT_TYPE, CONTENT_TYPE), (header::CONNECTION, "close")];
    (headers, metrics(&snapshot))
}

/// Whether the console itself works; whether its targets do is in `/metrics`.
async fn health(State(snapshots): State<Snapshots>) -> impl IntoResponse {
    let (status, says) = match snapshots.has_changed() {
        Ok(_) => (StatusCode::OK, "ok\n"),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the engine has stopped\n"),
    };
    (status, [(header::CONNECTION, "close")], says)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surface::sample;
    use std::net::Ipv4Addr;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpStream,
        time::{Instant, timeout},
    };

    struct Served {
        address: SocketAddr,
        publish: watch::Sender<Arc<Snapshot>>,
        cancel: CancellationToken,
        task: tokio::task::JoinHandle<()>,
    }

    async fn served() -> Served {
        let (publish, snapshots) = watch::channel(Arc::new(sample::seed()));
        let mut exporter = Exporter::bind((Ipv4Addr::LOCALHOST, 0).into()).await.unwrap();
        exporter.longest = Duration::from_millis(500);
        let (address, cancel) = (exporter.address, CancellationToken::new());
        let task = tokio::spawn(exporter.serve(snapshots, cancel.clone()));
        Served { address, publish, cancel, task }
    }

    async fn ask(address: SocketAddr, request: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        // A connection that is cut answers with what came before.
        let _cut = stream.read_to_string(&mut answer).await;
        answer
    }

    async fn get(address: SocketAddr, path: &str) -> String {
        ask(address, &format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n")).await
    }

    #[tokio::test]
    async fn each_path_has_its_answer() {
        let served = served().await;
        let metrics = get(served.address, "/metrics").await;
        assert!(metrics.starts_with("HTTP/1.1 200"), "{metrics}");
        assert!(metrics.contains("content-type: text/plain; version=0.0.4"), "{metrics}");
        assert!(metrics.contains("tminus_health_ratio 0.75\n"), "{metrics}");
        assert!(get(served.address, "/healthz").await.ends_with("\r\n\r\nok\n"));
        assert!(get(served.address, "/").await.starts_with("HTTP/1.1 404"));
        let posted = ask(served.address, "POST /metrics HTTP/1.1\r\nhost: x\r\n\r\n");
        assert!(timeout(Duration::from_secs(9), posted).await.unwrap().starts_with("HTTP/1.1 405"));
    }

    #[tokio::test]
    async fn a_scrape_shows_the_newest_snapshot_and_health_says_when_there_will_be_none() {
        let served = served().await;
        served.publish.send_replace(Arc::default());
        let metrics = get(served.address, "/metrics").await;
        assert!(metrics.contains("word=\"hold\"} 1"), "{metrics}");
        drop(served.publish);
        assert!(get(served.address, "/healthz").await.starts_with("HTTP/1.1 503"));
        served.cancel.cancel();
        timeout(Duration::from_secs(9), served.task).await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn who_sends_too_much_or_nothing_is_let_go() {
        let served = served().await;
        let endless = format!("GET /metrics HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(100_000));
        let answer = ask(served.address, &endless).await;
        assert!(!answer.contains("tminus_"), "{answer}");
        let began = Instant::now();
        ask(served.address, "GET /metrics HTTP/1.1\r\n").await;
        assert!(began.elapsed() < Duration::from_secs(8));
        assert!(get(served.address, "/healthz").await.contains("ok"), "others are still served");
    }

    #[test]
    fn an_address_that_others_can_reach_is_said() {
        assert_eq!(exposure(([127, 0, 0, 1], 9464).into()), None);
        let says = exposure(([0, 0, 0, 0], 9464).into()).unwrap();
        assert!(says.contains("0.0.0.0:9464"), "{says}");
    }
}
