//! What leaves the screen for good: texts and files, free of secrets.

use super::{
    model::Model,
    picture::Picture,
    screen::{Aside, Sent},
};
use crate::domain::{Snapshot, perf::Record};
use std::{fmt, path::PathBuf, sync::Arc, time::Duration};
use tokio::task::{JoinHandle, spawn_blocking};

/// Writes what leaves the screen. It knows the secrets, and where files may be.
///
/// Each of its functions may wait for a disk.
pub trait Outlet: fmt::Debug + Send + Sync {
    /// Takes the secrets out of `text` and keeps it in a file; returns which.
    fn keep(&self, text: &mut String) -> Result<PathBuf, String>;

    /// Writes all of `incident`, without secrets, into a directory; returns which.
    fn export(&self, incident: Incident) -> Result<PathBuf, String>;

    /// What this process has used so far, where the system says. Does not wait.
    fn usage(&self) -> Option<Usage>;
}

/// What this process uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Time on processors since its start.
    pub cpu: Duration,
    /// Resident bytes.
    pub memory: u64,
    /// Open sockets.
    pub sockets: usize,
}

/// What is known about an incident.
#[derive(Clone, Debug)]
pub struct Incident {
    /// What was shown.
    pub snapshot: Arc<Snapshot>,
    /// The last result of each performance test.
    pub tests: Vec<Arc<Record>>,
    /// The screen.
    pub picture: Picture,
}

impl Incident {
    pub(super) fn of(model: &Model, picture: Picture) -> Self {
        let tests = model.board.tests.iter().filter_map(|entry| entry.last.clone()).collect();
        Self { snapshot: Arc::clone(model.snapshot()), tests, picture }
    }
}

/// Something for the outlet.
#[derive(Debug)]
pub(super) enum Errand {
    /// Keep a text, and hand it to the terminal.
    Copy(String),
    /// Write files.
    Export(Box<Incident>),
}

/// What came of it.
#[derive(Debug)]
pub(super) enum Done {
    Copied(String, Result<PathBuf, String>),
    Exported(Result<PathBuf, String>),
}

/// One errand at a time, on a thread that may wait for a disk.
#[derive(Debug)]
pub(super) struct Errands {
    outlet: Arc<dyn Outlet>,
    under_way: Option<JoinHandle<Done>>,
}

impl Errands {
    pub(super) fn new(outlet: Arc<dyn Outlet>) -> Self {
        Self { outlet, under_way: None }
    }

    /// Begins one; false while another is under way.
    pub(super) fn begin(&mut self, errand: Errand) -> bool {
        if self.under_way.is_some() {
            return false;
        }
        let outlet = Arc::clone(&self.outlet);
        let work = move || match errand {
            Errand::Copy(mut text) => {
                let kept = outlet.keep(&mut text);
                Done::Copied(text, kept)
            }
            Errand::Export(incident) => Done::Exported(outlet.export(*incident)),
        };
        self.under_way = Some(spawn_blocking(work));
        true
    }

    pub(super) fn usage(&self) -> Option<Usage> {
        self.outlet.usage()
    }

    /// Waits for the end of the one that is under way, if any is. Can be dropped and
    /// called again.
    pub(super) async fn done(&mut self) -> Option<Done> {
        let Some(task) = &mut self.under_way else { return std::future::pending().await };
        let done = task.await;
        self.under_way = None;
        done.inspect_err(|error| tracing::error!("an errand was cut off: {error}")).ok()
    }
}

impl Done {
    /// What the user is told. `tell` hands the copied text to the terminal.
    pub(super) fn say(self, tell: impl FnOnce(Aside<'_>) -> Sent) -> String {
        match self {
            Self::Copied(text, kept) => {
                let sent = match tell(Aside::Copy(&text)) {
                    Sent::Whole => Some("sent to the terminal"),
                    Sent::Cut => Some("the first 54 KiB sent to the terminal"),
                    Sent::Nothing => None,
                };
                copied(sent, kept)
            }
            Self::Exported(Ok(path)) => {
                format!("report, JSON and picture are in {}", path.display())
            }
            Self::Exported(Err(why)) => format!("nothing is exported: {why}"),
        }
    }
}

/// Nothing ever confirms that a clipboard took a text: only what is known is said.
fn copied(sent: Option<&str>, kept: Result<PathBuf, String>) -> String {
    match (sent, kept) {
        (Some(sent), Ok(path)) => format!("{sent}, and in {}", path.display()),
        (Some(sent), Err(why)) => format!("{sent}; not in a file: {why}"),
        (None, Ok(path)) => format!("in {}; this terminal has no clipboard", path.display()),
        (None, Err(why)) => format!("copied nowhere: this terminal has no clipboard, and {why}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_known_to_have_happened_is_said() {
        let kept = || Ok(PathBuf::from("/state/copied.txt"));
        let full = || Err("the disk is full".to_owned());
        let cases = [
            (Sent::Whole, kept(), "sent to the terminal, and in /state/copied.txt"),
            (Sent::Cut, kept(), "the first 54 KiB sent to the terminal, and in /state/copied.txt"),
            (Sent::Whole, full(), "sent to the terminal; not in a file: the disk is full"),
            (Sent::Nothing, kept(), "in /state/copied.txt; this terminal has no clipboard"),
            (
                Sent::Nothing,
                full(),
                "copied nowhere: this terminal has no clipboard, and the disk is full",
            ),
        ];
        for (sent, kept, expected) in cases {
            let said = Done::Copied("text".into(), kept).say(|aside| {
                assert_eq!(aside, Aside::Copy("text"));
                sent
            });
            assert_eq!(said, expected);
        }
    }
}
