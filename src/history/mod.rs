//! What was seen, in a file that outlives the process.
//!
//! ```text
//! snapshots ──▶ gather (what is new, as notes) ──▶ waiting (bounded) ──▶ write, a batch at a time
//!                                                                          │
//! engine ◀── Command::Recall ◀── past (what a console shows) ◀─────────── file ──▶ trim
//! ```
//!
//! One task holds the only connection, so there is one writer. Nothing waits for
//! it: a console starts without the past and gets it when it is read, and a disk
//! that is slow, full or gone costs what would have been kept and nothing else.

mod archive;
mod baselines;
mod file;
mod gather;
mod keep;
mod note;
mod past;
mod schema;
mod trim;
mod trouble;
mod write;

pub use archive::{Archive, Condition};
pub use baselines::Baselines;
pub use trim::Bounds;
pub use write::{Kind, Writer};

use crate::domain::perf::{Board, Record};
use crate::{domain::Timestamp, engine::Handle};
use keep::Keeper;
use std::{path::PathBuf, sync::Arc, time::Duration};
use tokio::{sync::watch, task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;
use trouble::Trouble;
use write::Pen;

/// The longest that keeping one result may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is kept, and where.
#[derive(Clone, Debug)]
pub struct Keeping {
    /// The file. Its folder is made if it is not there.
    pub path: PathBuf,
    /// How much of it.
    pub bounds: Bounds,
    /// Who writes.
    pub writer: Writer,
    /// Reads the wall clock.
    pub now: fn() -> Timestamp,
}

/// Keeps the result of one performance test, beside whatever else is kept. An error is a clause.
pub async fn keep_test(keeping: &Keeping, record: &Record) -> Result<(), String> {
    let kept = async {
        let now = (keeping.now)();
        let mut opened = file::open(&keeping.path, now).await?;
        let mut pen = Pen::begin(&mut opened.link, &keeping.writer, now).await?;
        pen.write(&mut opened.link, keep::of_test(record).as_slice(), now).await
    };
    timeout(PATIENCE, kept).await.unwrap_or(Err(Trouble::Slow)).map_err(|it| it.to_string())
}

/// A history that is being kept.
#[derive(Debug)]
pub struct History {
    cancel: CancellationToken,
    recalled: CancellationToken,
    task: JoinHandle<()>,
}

impl History {
    /// Begins to keep what the engine publishes and what the tests find, and gives the
    /// engine what earlier sessions knew. Must be called within a runtime.
    pub fn start(
        keeping: Keeping,
        engine: Handle,
        boards: Option<watch::Receiver<Arc<Board>>>,
    ) -> Self {
        let cancel = CancellationToken::new();
        let recalled = CancellationToken::new();
        let keeper = Keeper::new(keeping, engine, boards);
        let task = tokio::spawn(keeper.run(cancel.clone(), recalled.clone()));
        Self { cancel, recalled, task }
    }

    /// Waits until the engine has been given the past, but no longer than `patience`.
    pub async fn recalled(&self, patience: Duration) {
        // Without the past everything begins now.
        let _late = timeout(patience, self.recalled.cancelled()).await;
    }

    /// Writes what is still waiting, but takes no longer than `grace`.
    ///
    /// Returns whether everything was written that could be.
    pub async fn stop(mut self, grace: Duration) -> bool {
        self.cancel.cancel();
        let in_time = timeout(grace, &mut self.task).await.is_ok();
        self.task.abort();
        in_time
    }
}

#[cfg(test)]
mod tests;
