//! How many connections to one server are open, and were at most.

use super::wire::Stream;
use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Counts the connections to one server. Clones count together.
#[derive(Clone, Debug, Default)]
pub(super) struct Crowd {
    open: Arc<AtomicU64>,
    most: Arc<AtomicU64>,
}

impl Crowd {
    /// How many are open.
    #[cfg(test)]
    pub(super) fn open(&self) -> u64 {
        self.open.load(Relaxed)
    }

    /// How many were open at once at most, since the start of this process.
    pub(super) fn most(&self) -> u64 {
        self.most.load(Relaxed)
    }

    /// A connection that is counted until it is dropped.
    pub(super) fn admit(&self, stream: Box<dyn Stream>) -> Counted {
        let open = self.open.fetch_add(1, Relaxed) + 1;
        self.most.fetch_max(open, Relaxed);
        Counted { stream, crowd: self.clone() }
    }
}

/// A connection that is counted.
pub(super) struct Counted {
    stream: Box<dyn Stream>,
    crowd: Crowd,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.crowd.open.fetch_sub(1, Relaxed);
    }
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    #[tokio::test]
    async fn a_connection_counts_until_it_is_dropped_and_the_most_is_kept() {
        let crowd = Crowd::default();
        let (ours, mut theirs) = duplex(64);
        let mut one = crowd.admit(Box::new(ours));
        one.write_all(b"PING").await.unwrap();
        let mut heard = [0; 4];
        theirs.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"PING");
        let other = crowd.admit(Box::new(duplex(64).0));
        assert_eq!((crowd.open(), crowd.most()), (2, 2));
        drop((one, other));
        assert_eq!((crowd.open(), crowd.most()), (0, 2));
    }
}
