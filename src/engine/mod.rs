//! Runs the checks and publishes what they found.
//!
//! ```text
//! Command ──▶ engine ──▶ supervisor (one per integration) ──▶ run (one per check)
//!                ▲                    │
//!                └──── Update ◀───────┘
//!                │
//!                └──▶ watch<Arc<Snapshot>> ──▶ any number of readers
//! ```
//!
//! One task owns the state, so no lock guards it. Readers see whole snapshots
//! and can be as slow as they like: a watch channel keeps only the newest.

mod command;

pub use command::{Command, Refused, Selection};

use crate::domain::Snapshot;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};

/// The two ends a reader holds. A local engine and a remote one both come as this.
#[derive(Clone, Debug)]
pub struct Handle {
    /// The newest snapshot.
    pub snapshots: watch::Receiver<Arc<Snapshot>>,
    commands: mpsc::Sender<Command>,
}

impl Handle {
    /// Joins the two ends. The engine makes one; a test or a remote reader can too.
    pub fn new(snapshots: watch::Receiver<Arc<Snapshot>>, commands: mpsc::Sender<Command>) -> Self {
        Self { snapshots, commands }
    }

    /// Hands over a command without waiting.
    pub fn send(&self, command: Command) -> Result<(), Refused> {
        self.commands.try_send(command).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Refused::Busy,
            mpsc::error::TrySendError::Closed(_) => Refused::Stopped,
        })
    }
}
