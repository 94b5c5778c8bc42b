use std::{
    io::{self, Write},
    sync::mpsc::{self, SyncSender},
    thread,
    time::Duration,
};
use tokio::{sync::watch, time::Instant};

/// A frame that takes longer than this says that the terminal stopped reading.
const STALL: Duration = Duration::from_secs(1);
/// One frame under way, one that waits, and the words of farewell.
const JOBS: usize = 3;

/// Hands frames to a thread of their own, one at a time.
///
/// A terminal that stops reading blocks whoever writes to it; that is never the
/// thread that draws. While a frame is under way there is no place for another
/// one: what would have been on it is on a later one.
#[derive(Debug)]
pub(crate) struct Outbox {
    jobs: SyncSender<Job>,
    progress: watch::Receiver<Progress>,
    sent: u64,
    told: u64,
}

#[derive(Debug)]
enum Job {
    Frame(Vec<u8>),
    Last { bytes: &'static [u8], done: SyncSender<()> },
}

#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    written: u64,
    /// How long the last frame took.
    took: Duration,
    failed: Option<io::ErrorKind>,
}

/// Writes something that must not be lost, also while a panic is reported.
#[derive(Clone, Debug)]
pub(super) struct Urgent(SyncSender<Job>);

impl Outbox {
    /// Starts the thread that writes to `out`.
    pub(crate) fn start(mut out: impl Write + Send + 'static) -> io::Result<Self> {
        let (jobs, waiting) = mpsc::sync_channel::<Job>(JOBS);
        let (report, progress) = watch::channel(Progress::default());
        let work = move || {
            for job in waiting {
                let began = Instant::now();
                let failed = job.write_to(&mut out).err().map(|error| error.kind());
                report.send_modify(|progress| {
                    progress.written += u64::from(matches!(job, Job::Frame(_)));
                    (progress.took, progress.failed) = (began.elapsed(), failed);
                });
                job.finish();
                if failed.is_some() {
                    return;
                }
            }
        };
        thread::Builder::new().name("writer".into()).spawn(work)?;
        Ok(Self { jobs, progress, sent: 0, told: 0 })
    }

    /// Waits until no frame is under way. Returns how long that one took if the
    /// terminal did not read meanwhile. Can be dropped and called again.
    ///
    /// # Errors
    ///
    /// The terminal cannot be written to any more.
    pub(crate) async fn idle(&mut self) -> io::Result<Option<Duration>> {
        let sent = self.sent;
        let over = |progress: &Progress| progress.written >= sent || progress.failed.is_some();
        let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
        let progress = *self.progress.wait_for(over).await.map_err(|_| gone())?;
        if let Some(kind) = progress.failed {
            return Err(kind.into());
        }
        let news = self.told < sent;
        self.told = sent;
        Ok(Some(progress.took).filter(|took| news && *took > STALL))
    }

    /// Hands over a frame. Call it only after [`idle`](Self::idle).
    pub(crate) fn send(&mut self, frame: Vec<u8>) -> io::Result<()> {
        let gone = |_| io::Error::from(io::ErrorKind::BrokenPipe);
        self.jobs.try_send(Job::Frame(frame)).map_err(gone)?;
        self.sent += 1;
        Ok(())
    }

    pub(super) fn urgent(&self) -> Urgent {
        Urgent(self.jobs.clone())
    }
}

impl Urgent {
    /// Writes `bytes` after what is under way, and waits for that at most
    /// `patience`: a terminal that does not read must not hold the exit.
    pub(super) fn write(&self, bytes: &'static [u8], patience: Duration) {
        let (done, over) = mpsc::sync_channel(1);
        if self.0.try_send(Job::Last { bytes, done }).is_ok() {
            // Written, given up or too late: there is nothing more to be done about it.
            let _written = over.recv_timeout(patience);
        }
    }
}

impl Job {
    fn write_to(&self, out: &mut impl Write) -> io::Result<()> {
        let bytes = match self {
            Self::Frame(bytes) => bytes.as_slice(),
            Self::Last { bytes, .. } => bytes,
        };
        out.write_all(bytes)?;
        out.flush()
    }

    fn finish(self) {
        if let Self::Last { done, .. } = self {
            // Nobody waits any more if the patience was over.
            let _heard = done.try_send(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex, mpsc::Receiver};

    type Writes = Arc<Mutex<Vec<Vec<u8>>>>;

    /// A terminal that reads one write for each permit that it gets.
    struct Slow {
        permits: Receiver<()>,
        read: Writes,
    }

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.permits.recv().map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
            self.read.lock().unwrap().push(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn slow() -> (Outbox, SyncSender<()>, Writes) {
        let (permit, permits) = mpsc::sync_channel(9);
        let read = Writes::default();
        let outbox = Outbox::start(Slow { permits, read: Arc::clone(&read) }).unwrap();
        (outbox, permit, read)
    }

    #[tokio::test]
    async fn it_is_idle_only_when_the_last_frame_is_out() {
        let (mut outbox, permit, read) = slow();
        assert!(outbox.idle().await.unwrap().is_none());
        outbox.send(b"one".to_vec()).unwrap();
        let waiting = tokio::time::timeout(Duration::from_millis(30), outbox.idle()).await;
        assert!(waiting.is_err(), "a frame is under way");
        permit.send(()).unwrap();
        tokio::time::sleep(STALL + Duration::from_millis(50)).await;
        assert!(outbox.idle().await.unwrap().is_none(), "that nobody asked is no stall");
        assert_eq!(*read.lock().unwrap(), [b"one"]);
    }

    #[tokio::test]
    async fn a_terminal_that_is_gone_is_an_error_and_no_wait() {
        let (mut outbox, permit, _read) = slow();
        outbox.send(b"one".to_vec()).unwrap();
        drop(permit);
        assert_eq!(outbox.idle().await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        outbox.urgent().write(b"bye", Duration::from_mins(1));
    }

    #[test]
    fn the_farewell_comes_last_and_gives_up_on_a_terminal_that_does_not_read() {
        let (mut outbox, permit, read) = slow();
        outbox.send(b"one".to_vec()).unwrap();
        outbox.urgent().write(b"bye", Duration::from_millis(20));
        assert!(read.lock().unwrap().is_empty());
        permit.send(()).unwrap();
        permit.send(()).unwrap();
        outbox.urgent().write(b"", Duration::from_secs(5));
        assert_eq!(*read.lock().unwrap(), [b"one", b"bye"]);
    }
}
