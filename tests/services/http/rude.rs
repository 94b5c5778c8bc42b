//! A web server that behaves as it is told, well or not.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
    time::sleep,
};
use tokio_rustls::TlsAcceptor;

pub(super) const GOOD: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// What it does with a request.
#[derive(Clone)]
pub(super) enum Manner {
    /// Sends this, and keeps the connection.
    Says(String),
    /// Sends this and closes.
    Leaves(String),
    /// Resets the connection.
    Resets,
    /// Says nothing ever.
    Hangs,
    /// Sends this a byte at a time, with a pause after each.
    Drips(String, Duration),
    /// Answers well so many times on each connection, and then closes it without a word.
    Tires(u64),
}

/// Ends when dropped.
pub(super) struct Rude {
    pub(super) address: SocketAddr,
    /// Requests that came.
    pub(super) asked: Arc<AtomicU64>,
    /// While this is true nothing is answered.
    pub(super) frozen: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

impl Rude {
    pub(super) async fn start(manner: Manner) -> Self {
        Self::start_as(manner, None).await
    }

    pub(super) async fn start_as(manner: Manner, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (asked, frozen) = (Arc::new(AtomicU64::new(0)), watch::Sender::new(false));
        let (counted, thaw) = (Arc::clone(&asked), frozen.subscribe());
        let serving = tokio::spawn(async move {
            let mut kept = tokio::task::JoinSet::new();
            while let Ok((peer, _)) = listener.accept().await {
                let one = (manner.clone(), Arc::clone(&counted), thaw.clone());
                let tls = tls.clone();
                kept.spawn(async move {
                    match tls {
                        Some(tls) => {
                            if let Ok(peer) = tls.accept(peer).await {
                                serve(peer, one).await;
                            }
                        }
                        None if matches!(one.0, Manner::Resets) => reset(peer).await,
                        None => serve(peer, one).await,
                    }
                });
            }
        });
        Self { address, asked, frozen, serving }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    pub(super) fn asked(&self) -> u64 {
        self.asked.load(Relaxed)
    }
}

impl Drop for Rude {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn reset(mut peer: TcpStream) {
    let _read = peer.read(&mut [0; 1024]).await;
    peer.set_zero_linger().unwrap();
}

type One = (Manner, Arc<AtomicU64>, watch::Receiver<bool>);

async fn serve(mut peer: impl AsyncRead + AsyncWrite + Unpin, (manner, asked, mut thaw): One) {
    let mut served = 0;
    while hear(&mut peer).await {
        asked.fetch_add(1, Relaxed);
        served += 1;
        if thaw.wait_for(|frozen| !frozen).await.is_err() {
            return;
        }
        let sent = match &manner {
            Manner::Says(says) => peer.write_all(says.as_bytes()).await,
            Manner::Leaves(says) => {
                let _sent = peer.write_all(says.as_bytes()).await;
                let _shut = peer.shutdown().await;
                return;
            }
            Manner::Hangs => std::future::pending().await,
            Manner::Drips(says, pause) => {
                for byte in says.bytes() {
                    if peer.write_all(&[byte]).await.is_err() {
                        return;
                    }
                    sleep(*pause).await;
                }
                Ok(())
            }
            Manner::Tires(after) if served > *after => return,
            Manner::Tires(_) => peer.write_all(GOOD.as_bytes()).await,
            Manner::Resets => return,
        };
        if sent.is_err() {
            return;
        }
    }
}

/// Reads one request without a body to its end.
async fn hear(peer: &mut (impl AsyncRead + Unpin)) -> bool {
    let (mut heard, mut byte) = (Vec::new(), [0; 1024]);
    while !heard.ends_with(b"\r\n\r\n") {
        match peer.read(&mut byte).await {
            Ok(read @ 1..) => heard.extend_from_slice(&byte[..read]),
            Ok(0) | Err(_) => return false,
        }
    }
    true
}
