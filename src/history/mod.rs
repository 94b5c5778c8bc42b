//! What was seen, in a file that outlives the process, or in a database that a team shares.
//!
//! ```text
//! snapshots ──▶ gather (what is new, as notes) ──▶ waiting (bounded) ──▶ write, a batch at a time
//!                                                                          │
//! engine ◀── Command::Recall ◀── past (what a console shows) ◀────────── store ──▶ trim
//! ```
//!
//! One task holds the only connection, so there is one writer, and those of other processes
//! take turns with it. Nothing waits for it: a console starts without the past and gets it
//! when it is read, and a disk or a server that is slow, full or gone costs what would have
//! been kept and nothing else. Which store it is only `file`, `shared` and `link` know.

mod archive;
mod baselines;
mod file;
mod gather;
mod keep;
mod link;
mod note;
mod past;
mod schema;
mod shared;
mod store;
mod trim;
mod trouble;
mod write;

pub use archive::{Archive, Condition};
pub use baselines::Baselines;
pub use store::Place;
pub use trim::Bounds;
pub use write::{Kind, Writer};

use crate::domain::perf::{Board, Record};
use crate::{domain::Timestamp, engine::Handle};
use keep::Keeper;
use std::{sync::Arc, time::Duration};
use tokio::{sync::watch, task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;
use trouble::Trouble;
use write::Pen;

/// The longest that a question may take, and keeping one result.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is kept, and where.
#[derive(Clone, Debug)]
pub struct Keeping {
    /// In a file, or in a database that is shared.
    pub place: Place,
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
        let mut opened = keeping.place.open(now).await?;
        let mut pen = Pen::begin(&mut opened.link, &keeping.writer, now).await?;
        pen.write(&mut opened.link, keep::of_test(record).as_slice(), now).await
    };
    timely(kept).await
}

/// Nobody waits longer for a disk or a server than our patience. An error is a clause.
async fn timely<T>(work: impl Future<Output = Result<T, Trouble>>) -> Result<T, String> {
    let done = timeout(PATIENCE, work).await.unwrap_or(Err(Trouble::Slow));
    done.map_err(|trouble| trouble.to_string())
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
