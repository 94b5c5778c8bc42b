//! The one task that writes.

use super::{
    Keeping, Kind,
    gather::{self, Gatherer},
    note::Note,
    past,
    store::{Opened, Place},
    trim::trim,
    trouble::Trouble,
    write::Pen,
};
use crate::domain::perf::{Board, Record};
use crate::{
    domain::{Notice, Past, Topic},
    engine::{Command, Handle},
};
use std::{future::pending, sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

/// How long a note waits for others before they are written together: what a kill costs.
const GATHER: Duration = Duration::from_millis(700);
/// How long after a failure it is tried again.
const AGAIN: Duration = Duration::from_secs(30);
/// The same for a server, which comes back sooner than a disk gets room.
const SERVER_AGAIN: Duration = Duration::from_secs(5);
/// Notes that are written at once: others have their turn in between.
const BATCH: usize = 200;
/// How often old points are rolled up, and how soon after the start.
const TRIM: (Duration, Duration) = (Duration::from_mins(10), Duration::from_mins(1));
/// The longest that a disk or a server may take for anything.
const PATIENCE: Duration = Duration::from_secs(20);
/// Notes that wait; the oldest go first. Some minutes of a disk that fails.
const WAITING: usize = 5_000;

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
    /// Whether the engine has been given what is kept.
    recalled: bool,
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
            recalled: false,
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
        while !self.waiting.is_empty() {
            self.write().await;
            if self.failing {
                break;
            }
        }
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

    /// Opens the store and gives the engine the past. Where nobody may write, there
    /// may still be something to read.
    async fn begin(&mut self) -> Result<(), Trouble> {
        let (place, now) = (self.keeping.place.clone(), (self.keeping.now)());
        let Err(trouble) = timely(self.opened()).await else { return Ok(()) };
        let denied = matches!(trouble, Trouble::ReadOnly | Trouble::Denied);
        let is_file = place.file().is_some();
        let past = async { past::read(&mut place.open_to_read().await?, now).await };
        // A server that does not let us in is not asked twice.
        let past = if is_file || denied { timely(past).await.ok() } else { None };
        self.recalled = past.is_some();
        self.recall(past.unwrap_or_default());
        self.fails(&trouble);
        if denied && is_file { Err(trouble) } else { Ok(()) }
    }

    fn recall(&self, mut past: Past) {
        if self.keeping.writer.kind == Kind::Check {
            past.baseline = None; // a pipeline names the one that it means
        }
        // A new engine has room for a command; without one there is nobody to tell.
        let _refused = self.engine.send(Command::Recall(Box::new(past)));
    }

    /// Opens the store, unless it is, enters this run, and recalls what is kept there.
    async fn opened(&mut self) -> Result<(), Trouble> {
        if self.open.is_some() {
            return Ok(());
        }
        let now = (self.keeping.now)();
        let mut opened = self.keeping.place.open(now).await?;
        let pen = Pen::begin(&mut opened.link, &self.keeping.writer, now).await?;
        if let Some((why, aside)) = &opened.aside {
            let (place, aside) = (&self.keeping.place, Place::File(aside.clone()));
            self.tell(format!("{why}, so the history begins anew: {place} is now {aside}"));
        }
        if !self.recalled {
            // A server that was away at the start still knows how old everything is. What
            // cannot be read in a file may still be written there.
            let past = past::read(&mut opened.link, now).await;
            self.recalled = past.is_ok() || self.keeping.place.file().is_some();
            match past {
                Ok(past) => self.recall(past),
                Err(trouble) if self.recalled => self.fails(&trouble),
                Err(trouble) => return Err(trouble),
            }
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

    /// Writes the first of what waits. What cannot be written waits on.
    async fn write(&mut self) {
        self.due = None;
        if self.waiting.is_empty() {
            return;
        }
        match timely(self.written()).await {
            Ok(()) => {
                if self.waiting.is_empty() {
                    self.waiting.shrink_to(WAITING / 10);
                } else {
                    self.due = Some(Instant::now());
                }
                if std::mem::take(&mut self.failing) {
                    self.told = None;
                    let _refused = self.engine.send(Command::Untell(Topic::History));
                }
            }
            Err(trouble) => {
                self.abandon(&trouble);
                self.fails(&trouble);
                let again = if self.keeping.place.file().is_some() { AGAIN } else { SERVER_AGAIN };
                self.due = Some(Instant::now() + again);
            }
        }
    }

    async fn written(&mut self) -> Result<(), Trouble> {
        self.opened().await?;
        let Some((opened, pen)) = &mut self.open else { return Ok(()) };
        let batch = self.waiting.len().min(BATCH);
        let notes = self.waiting.get(..batch).unwrap_or_default();
        pen.write(&mut opened.link, notes, (self.keeping.now)()).await?;
        self.waiting.drain(..batch);
        Ok(())
    }

    /// The next attempt begins with opening it, and puts a file aside if it must: a full
    /// disk has ended the transaction from under us, and so has a server that was lost.
    fn abandon(&mut self, trouble: &Trouble) {
        if *trouble != Trouble::Busy {
            self.open = None;
        }
    }

    async fn trim(&mut self) {
        let (bounds, now) = (self.keeping.bounds, (self.keeping.now)());
        let Some((opened, _)) = &mut self.open else { return };
        if let Err(trouble) = timely(trim(&mut opened.link, bounds, now)).await {
            tracing::warn!(%trouble, "the history cannot be trimmed");
            self.abandon(&trouble);
        }
    }

    fn fails(&mut self, trouble: &Trouble) {
        self.failing = true;
        self.tell(format!("the history is not kept: {trouble} ({})", self.keeping.place));
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

/// Nothing on a disk or a server may take longer than our patience.
async fn timely<T>(work: impl Future<Output = Result<T, Trouble>>) -> Result<T, Trouble> {
    timeout(PATIENCE, work).await.unwrap_or(Err(Trouble::Slow))
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => pending().await,
    }
}
