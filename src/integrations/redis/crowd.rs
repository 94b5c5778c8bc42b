//! What becomes of the connections to one server: how many are open, and which
//! of them the server took away.

use super::{trouble::Trouble, wire::Stream};
use std::{
    collections::{HashMap, VecDeque},
    io,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::Notify,
    time::Instant,
};

/// Losses that are remembered.
const REMEMBERED: usize = 32;
/// Codes of errors that are counted; there are some twenty.
const CODES: usize = 64;

/// The connections to one server. Clones count together.
#[derive(Clone, Debug, Default)]
pub(super) struct Crowd(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    open: AtomicU64,
    most: AtomicU64,
    ended: AtomicU64,
    losses: Mutex<VecDeque<Instant>>,
    lost: Notify,
    /// Error replies, by code.
    errors: Mutex<HashMap<String, u64>>,
}

impl Crowd {
    /// How many are open.
    #[cfg(test)]
    pub(super) fn open(&self) -> u64 {
        self.0.open.load(Relaxed)
    }

    /// How many were open at once at most, since the start of this process.
    pub(super) fn most(&self) -> u64 {
        self.0.most.load(Relaxed)
    }

    /// A connection that is counted until it is dropped.
    pub(super) fn admit(&self, stream: Box<dyn Stream>) -> Counted {
        let open = self.0.open.fetch_add(1, Relaxed) + 1;
        self.0.most.fetch_max(open, Relaxed);
        Counted { stream, crowd: self.clone() }
    }

    /// Counts an error reply as one of ours, so that it is not taken for somebody else's.
    pub(super) fn note(&self, trouble: &Trouble) {
        let Trouble::Reply { code, .. } = trouble else { return };
        let mut errors = self.0.errors.lock().unwrap_or_else(PoisonError::into_inner);
        if errors.len() < CODES || errors.contains_key(code) {
            *errors.entry(code.clone()).or_default() += 1;
        }
    }

    /// The error replies that were ours, by code.
    pub(super) fn errors(&self) -> HashMap<String, u64> {
        self.0.errors.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many connections that were in use had to be given up: because the server
    /// closed them, or because it said that it is the wrong one.
    pub(super) fn ended(&self) -> u64 {
        self.0.ended.load(Relaxed)
    }

    /// Notes that a connection leads to the wrong server, or that one which was not
    /// going to be kept was closed.
    pub(super) fn turn_away(&self) {
        self.0.ended.fetch_add(1, Relaxed);
    }

    /// Notes that the other side closed a connection that was in use.
    pub(super) fn lose(&self) {
        let mut losses = self.0.losses.lock().unwrap_or_else(PoisonError::into_inner);
        if losses.len() == REMEMBERED {
            losses.pop_front();
        }
        losses.push_back(Instant::now());
        self.0.ended.fetch_add(1, Relaxed);
        self.0.lost.notify_one();
    }

    /// How many were lost that way within the last `span`; at most 32 are remembered.
    pub(super) fn lost_within(&self, span: Duration) -> usize {
        let losses = self.0.losses.lock().unwrap_or_else(PoisonError::into_inner);
        losses.iter().filter(|lost| lost.elapsed() <= span).count()
    }

    /// Waits for the next loss; one that nobody waited for is not missed.
    pub(super) async fn lost(&self) {
        self.0.lost.notified().await;
    }
}

/// A connection that is counted.
pub(super) struct Counted {
    stream: Box<dyn Stream>,
    crowd: Crowd,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.crowd.0.open.fetch_sub(1, Relaxed);
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
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _, duplex},
        time::timeout,
    };

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

    #[tokio::test(start_paused = true)]
    async fn a_loss_is_told_once_and_forgotten_in_time() {
        let crowd = Crowd::default();
        crowd.lose();
        timeout(Duration::from_secs(1), crowd.lost()).await.unwrap();
        assert!(timeout(Duration::from_secs(1), crowd.lost()).await.is_err());
        crowd.turn_away();
        crowd.lose();
        assert_eq!(crowd.ended(), 3);
        let within = |seconds| crowd.lost_within(Duration::from_secs(seconds));
        assert_eq!((within(0), within(1)), (1, 2));
        (0..100).for_each(|_| crowd.lose());
        assert_eq!(within(1), REMEMBERED);
    }

    #[test]
    fn error_replies_are_counted_by_code_and_nothing_else_is() {
        let crowd = Crowd::default();
        for line in ["OOM full", "OOM full", "NOPERM no"] {
            crowd.clone().note(&Trouble::of_line(line));
        }
        crowd.note(&Trouble::Cut);
        assert_eq!(crowd.errors(), [("OOM".into(), 2), ("NOPERM".into(), 1)].into());
        (0..2 * CODES).for_each(|code| crowd.note(&Trouble::of_line(&format!("E{code}"))));
        assert_eq!(crowd.errors().len(), CODES, "a server that makes codes up fills nothing");
    }
}
