//! The one task that writes.

use super::{
    Keeping, Kind,
    file::{self, Opened},
    gather::{self, Gatherer},
    note::Note,
    past,
    trim::trim,
    trouble::Trouble,
    write::Pen,
};
use crate::domain::perf::{Board, Record};
use crate::{
    domain::{Notice, Past, Topic, plain},
    engine::{Command, Handle},
};
use std::{future::pending, path::Path, sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

/// How long a note waits for others before they are written together: what a kill costs.
const GATHER: Duration = Duration::from_millis(700);
/// How long after a failure it is tried again.
const AGAIN: Duration = Duration::from_secs(30);
/// How often old points are rolled up, and how soon after the start.
const TRIM: (Duration, Duration) = (Duration::from_mins(10), Duration::from_mins(1));
/// The longest that the disk may take for anything.
const PATIENCE: Duration = Duration::from_secs(20);
/// Notes that wait; the oldest go first. Some minutes of a disk that fails.
const WAITING: usize = 5_000;
/// Characters shown of a path.
const PATH: usize = 120;

/// What the task knows.
pub(super) struct Keeper {
    keeping: Keeping,
    engine: Handle,
    boards: Option<watch::Receiver<Arc<Board>>>,
    gatherer: Gatherer,
    /// Results of tests that are noted already.
    tested: Vec<Arc<Record>>,
    waiting: Vec<Note>,
    open: Option<(Opened, Pen)>,
    /// What the engine was told last.
    told: Option<String>,
    /// Whether the last attempt failed.
    failing: bool,
    /// When the waiting notes are written.
    due: Option<Instant>,
}

/// What woke it.
enum Wake {
    Stop,
    Snapshot,
    Board,
    Due,
    Trim,
}

impl Keeper {
    pub(super) fn new(
        keeping: Keeping,
        engine: Handle,
        boards: Option<watch::Receiver<Arc<Board>>>,
    ) -> Self {
        Self {
            keeping,
            engine,
            boards,
            gatherer: Gatherer::default(),
            tested: Vec::new(),
            waiting: Vec::new(),
            open: None,
            told: None,
            failing: false,
            due: None,
        }
    }

    /// Keeps until it is told to stop, or nothing can be kept here at all.
    pub(super) async fn run(mut self, cancel: CancellationToken, recalled: CancellationToken) {
        let begun = self.begin().await;
        recalled.cancel();
        if begun.is_err() {
            return;
        }
        let mut trim_at = Instant::now() + TRIM.1;
        self.gather();
        loop {
            match self.wake(&cancel, trim_at).await {
                Wake::Stop => break,
                Wake::Snapshot => self.gather(),
                Wake::Board => self.tests(),
                Wake::Due => self.write().await,
                Wake::Trim => {
                    self.trim().await;
                    self.evidence();
                    trim_at = Instant::now() + TRIM.0;
                }
            }
        }
        self.gather();
        self.evidence();
        self.write().await;
    }

    async fn wake(&mut self, cancel: &CancellationToken, trim_at: Instant) -> Wake {
        let due = self.due;
        let boards = &mut self.boards;
        let board = async {
            let heard = match boards {
                Some(boards) => boards.changed().await.is_ok(),
                None => false,
            };
            if !heard {
                pending::<()>().await;
            }
        };
        tokio::select! {
            biased;
            () = cancel.cancelled() => Wake::Stop,
            () = until(due) => Wake::Due,
            () = sleep_until(trim_at) => Wake::Trim,
            () = board => Wake::Board,
            changed = self.engine.snapshots.changed() => {
                if changed.is_ok() { Wake::Snapshot } else { Wake::Stop }
            }
        }
    }

    /// Opens the file and gives the engine the past. Where nobody may write, there
    /// may still be something to read.
    async fn begin(&mut self) -> Result<(), Trouble> {
        let path = self.keeping.path.clone();
        let now = (self.keeping.now)();
        let recalled = match timely(self.opened()).await {
            Ok(()) => match &mut self.open {
                Some((opened, _)) => timely(past::read(&mut opened.link, now)).await,
                None => Ok(Past::default()),
            },
            Err(trouble) => {
                let past =
                    timely(async { past::read(&mut file::open_to_read(&path).await?, now).await });
                self.recall(past.await.unwrap_or_default());
                self.fails(&trouble);
                let hopeless = matches!(trouble, Trouble::ReadOnly | Trouble::Denied);
                return if hopeless { Err(trouble) } else { Ok(()) };
            }
        };
        match recalled {
            Ok(past) => self.recall(past),
            Err(trouble) => self.fails(&trouble),
        }
        Ok(())
    }

    fn recall(&self, mut past: Past) {
        if self.keeping.writer.kind == Kind::Check {
            past.baseline = None; // a pipeline names the one that it means
        }
        // A new engine has room for a command; without one there is nobody to tell.
        let _refused = self.engine.send(Command::Recall(Box::new(past)));
    }

    /// Opens the file, unless it is, and enters this run.
    async fn opened(&mut self) -> Result<(), Trouble> {
        if self.open.is_some() {
            return Ok(());
        }
        let now = (self.keeping.now)();
        let mut opened = file::open(&self.keeping.path, now).await?;
        let pen = Pen::begin(&mut opened.link, &self.keeping.writer, now).await?;
        if let Some((why, aside)) = &opened.aside {
            let (path, aside) = (shown(&self.keeping.path), shown(aside));
            self.tell(format!("{why}, so the history begins anew: {path} is now {aside}"));
        }
        self.open = Some((opened, pen));
        Ok(())
    }

    /// Notes what is new.
    fn gather(&mut self) {
        let snapshot = Arc::clone(&self.engine.snapshots.borrow_and_update());
        let notes = self.gatherer.gather(&snapshot);
        self.wait(notes);
    }

    /// Notes everything that is known, once anything is.
    fn evidence(&mut self) {
        let snapshot = Arc::clone(&self.engine.snapshots.borrow());
        self.waiting.retain(|note| !matches!(note, Note::Evidence { .. }));
        self.wait(gather::evidence(&snapshot).into_iter().collect());
    }

    /// Notes the tests that have ended since.
    fn tests(&mut self) {
        let Some(boards) = &mut self.boards else { return };
        let board = Arc::clone(&boards.borrow_and_update());
        let results: Vec<Arc<Record>> =
            board.tests.iter().filter_map(|entry| entry.last.clone()).collect();
        let known = |record: &Arc<Record>| self.tested.iter().any(|it| Arc::ptr_eq(it, record));
        let notes = results.iter().filter(|it| !known(it)).filter_map(|it| of_test(it)).collect();
        self.tested = results;
        self.wait(notes);
    }

    fn wait(&mut self, notes: Vec<Note>) {
        if notes.is_empty() {
            return;
        }
        self.waiting.extend(notes);
        let many = self.waiting.len().saturating_sub(WAITING);
        self.waiting.drain(..many);
        self.due = self.due.or(Some(Instant::now() + GATHER));
    }

    /// Writes what waits. What cannot be written waits on.
    async fn write(&mut self) {
        self.due = None;
        if self.waiting.is_empty() {
            return;
        }
        match timely(self.written()).await {
            Ok(()) => {
                self.waiting.clear();
                self.waiting.shrink_to(WAITING / 10);
                if std::mem::take(&mut self.failing) {
                    self.told = None;
                    let _refused = self.engine.send(Command::Untell(Topic::History));
                }
            }
            Err(trouble) => {
                if trouble != Trouble::Busy {
                    // The next attempt begins with opening it, and puts it aside if it must: a
                    // full disk has ended the transaction from under us.
                    self.open = None;
                }
                self.fails(&trouble);
                self.due = Some(Instant::now() + AGAIN);
            }
        }
    }

    async fn written(&mut self) -> Result<(), Trouble> {
        self.opened().await?;
        let Some((opened, pen)) = &mut self.open else { return Ok(()) };
        pen.write(&mut opened.link, &self.waiting, (self.keeping.now)()).await
    }

    async fn trim(&mut self) {
        let (bounds, now) = (self.keeping.bounds, (self.keeping.now)());
        let Some((opened, _)) = &mut self.open else { return };
        if let Err(trouble) = timely(trim(&mut opened.link, bounds, now)).await {
            tracing::warn!(%trouble, "the history cannot be trimmed");
        }
    }

    fn fails(&mut self, trouble: &Trouble) {
        self.failing = true;
        let path = shown(&self.keeping.path);
        self.tell(format!("the history is not kept: {trouble} ({path})"));
    }

    fn tell(&mut self, says: String) {
        if self.told.as_ref() != Some(&says) {
            tracing::warn!("{says}");
            self.told = Some(says.clone());
            if self.keeping.writer.kind == Kind::Console {
                let notice = Notice { topic: Topic::History, says };
                let _refused = self.engine.send(Command::Tell(notice));
            }
        }
    }
}

/// The note of a test's result.
pub(super) fn of_test(record: &Record) -> Option<Note> {
    let text = serde_json::to_string(record).ok()?;
    Some(Note::Test { at: record.began, test: record.test.clone(), record: text })
}

/// Nothing on a disk may take longer than our patience.
async fn timely<T>(work: impl Future<Output = Result<T, Trouble>>) -> Result<T, Trouble> {
    timeout(PATIENCE, work).await.unwrap_or(Err(Trouble::Slow))
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => pending().await,
    }
}

fn shown(path: &Path) -> String {
    plain(&path.display().to_string(), PATH)
}
