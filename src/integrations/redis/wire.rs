use std::{
    io,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes a server may send between two of our requests. `INFO`, the longest
/// answer that we ask for, is some 10 KiB; and the driver looks at an unfinished
/// line anew with each piece of it, which costs the square of its length.
pub(super) const REPLY_LIMIT: usize = 256 * 1024;
/// Bytes kept of what a server said first.
const FIRST: usize = 256;

/// Anything bytes go through.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// What passed on a connection that its driver does not tell.
#[derive(Debug, Default)]
pub(super) struct Tap {
    first: Mutex<Vec<u8>>,
    overrun: AtomicBool,
}

impl Tap {
    /// The first bytes that came, at most 256 of them.
    pub(super) fn first(&self) -> Vec<u8> {
        self.first.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether more came than [`REPLY_LIMIT`] allows.
    pub(super) fn overran(&self) -> bool {
        self.overrun.load(Relaxed)
    }

    fn note(&self, bytes: &[u8]) {
        let mut first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        let room = FIRST.saturating_sub(first.len());
        first.extend(bytes.iter().take(room));
    }
}

/// A stream that ends with an error once a server says far too much, so that a
/// hostile one cannot fill this process's memory.
pub(super) struct Limited<S> {
    inner: S,
    left: usize,
    tap: Arc<Tap>,
}

impl<S> Limited<S> {
    pub(super) fn new(inner: S) -> (Self, Arc<Tap>) {
        let tap = Arc::new(Tap::default());
        (Self { inner, left: REPLY_LIMIT, tap: Arc::clone(&tap) }, tap)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Limited<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
        let came = &buf.filled()[before..];
        self.tap.note(came);
        let Some(left) = self.left.checked_sub(came.len()) else {
            self.tap.overrun.store(true, Relaxed);
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        };
        self.left = left;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Limited<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.left = REPLY_LIMIT;
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    #[tokio::test]
    async fn what_came_first_is_kept_and_no_more() {
        let (ours, mut theirs) = duplex(1024);
        let (mut stream, tap) = Limited::new(ours);
        theirs.write_all(&[b'-'; 600]).await.unwrap();
        stream.read_exact(&mut [0; 600]).await.unwrap();
        assert_eq!(tap.first(), [b'-'; FIRST]);
        assert!(!tap.overran());
    }

    #[tokio::test]
    async fn a_flood_is_cut_off_and_a_request_gives_new_credit() {
        let (ours, mut theirs) = duplex(2 * REPLY_LIMIT);
        let (mut stream, tap) = Limited::new(ours);
        let mut taken = vec![0; REPLY_LIMIT];
        theirs.write_all(&vec![b'x'; REPLY_LIMIT]).await.unwrap();
        stream.read_exact(&mut taken).await.unwrap();
        stream.write_all(b"next").await.unwrap();
        theirs.write_all(&vec![b'x'; REPLY_LIMIT + 1]).await.unwrap();
        assert!(stream.read_exact(&mut vec![0; REPLY_LIMIT + 1]).await.is_err());
        assert!(tap.overran());
    }
}
