use super::{Offer, Progress, Record};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Every performance test that can be started, and how each stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Board {
    /// In the order to show them.
    pub tests: Vec<Entry>,
    /// The one that runs; never more than one does.
    pub running: Option<Running>,
}

/// One test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// What it is.
    pub offer: Offer,
    /// Its last result.
    pub last: Option<Arc<Record>>,
    /// The one before that, to compare with.
    pub before: Option<Arc<Record>>,
    /// Why the last attempt gave no result, if it did not.
    pub failed: Option<String>,
}

/// A test that runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Running {
    /// Which.
    pub test: String,
    /// How far it is.
    pub progress: Progress,
    /// Whether somebody has told it to stop.
    pub aborting: bool,
}

/// What somebody may ask of whoever runs the tests. Plain data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Start this test, unless one runs or it is refused.
    Start(String),
    /// Stop the one that runs.
    Abort,
}

impl Board {
    /// The test that is called so.
    pub fn entry(&self, test: &str) -> Option<&Entry> {
        self.tests.iter().find(|entry| entry.offer.test == test)
    }

    /// How far `test` is, if it runs.
    pub fn running(&self, test: &str) -> Option<&Running> {
        self.running.as_ref().filter(|running| running.test == test)
    }
}
