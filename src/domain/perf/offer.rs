use super::seconds;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A performance test that can be started, as it is put to whoever decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// Which: `redis`, `db`, `redis/cache`. Stays the same.
    pub test: String,
    /// What it is, at most 20 columns.
    pub title: String,
    /// What it puts under load, without any secret.
    pub target: String,
    /// What load, in a clause: `50 clients, pipeline 1, closed loop`.
    pub load: String,
    /// What it will do to the target, a clause each.
    pub does: Vec<String>,
    /// Whether it writes something of its own there, which has to be removed again.
    #[serde(default)]
    pub writes: bool,
    /// How long it takes, about.
    #[serde(rename = "takes_seconds", with = "seconds")]
    pub takes: Duration,
    /// Why it may not be started, and what to do about it.
    pub refused: Option<Refusal>,
}

/// Why a test may not be started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Why, in a clause.
    pub why: String,
    /// What to do about it.
    pub hint: String,
}
