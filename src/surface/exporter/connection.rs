//! Connections that cannot hold the console up: few at a time, each for a short
//! time and a little data.

use axum::serve::Listener;
use std::{
    cmp, io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Sleep, sleep},
};

/// Connections at once. Prometheus uses one.
const AT_ONCE: usize = 16;
/// From accepting a connection to its end; both halves of a scrape fit easily.
pub(super) const LONGEST: Duration = Duration::from_secs(5);
/// Bytes read of one connection. The request of a scrape has a few hundred.
const LARGEST: usize = 8 * 1024;
/// Bytes read at once.
const PIECE: usize = 1024;
/// After a failed accept, which is most often a lack of descriptors.
const PAUSE: Duration = Duration::from_millis(500);

/// A listener that lets a few connections in at a time.
pub(super) struct Gate {
    listener: TcpListener,
    room: Arc<Semaphore>,
    longest: Duration,
}

impl Gate {
    /// Ends each connection after `longest`.
    pub(super) fn new(listener: TcpListener, longest: Duration) -> Self {
        Self { listener, room: Arc::new(Semaphore::new(AT_ONCE)), longest }
    }
}

impl Listener for Gate {
    type Io = Limited;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Limited, SocketAddr) {
        loop {
            // It is never closed, so a permit comes in the end.
            let permit = Arc::clone(&self.room).acquire_owned().await;
            match (permit, self.listener.accept().await) {
                (Ok(permit), Ok((stream, address))) => {
                    let ends = Box::pin(sleep(self.longest));
                    return (Limited { stream, ends, left: LARGEST, _permit: permit }, address);
                }
                (Err(_), _) | (_, Err(_)) => sleep(PAUSE).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection that ends by itself.
pub(super) struct Limited {
    stream: TcpStream,
    ends: Pin<Box<Sleep>>,
    left: usize,
    _permit: OwnedSemaphorePermit,
}

impl Limited {
    fn in_time(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        match self.ends.as_mut().poll(cx) {
            Poll::Ready(()) => Err(io::ErrorKind::TimedOut.into()),
            Poll::Pending => Ok(()),
        }
    }
}

impl AsyncRead for Limited {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.in_time(cx)?;
        let mut piece = [0; PIECE];
        let most = cmp::min(cmp::min(self.left, PIECE), buffer.remaining());
        let mut read = ReadBuf::new(&mut piece[..most]);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut read))?;
        buffer.put_slice(read.filled());
        self.left -= read.filled().len();
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Limited {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.in_time(cx)?;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.in_time(cx)?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
