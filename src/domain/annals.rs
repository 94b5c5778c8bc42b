use super::{Stood, Tally, Timestamp};
use serde::{Deserialize, Serialize};

/// What the history knows of one check.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Annals {
    /// When it was first seen, as far as anything is kept.
    pub first: Option<Timestamp>,
    /// All runs that are kept, counted.
    pub tally: Tally,
    /// How it stood when it was last looked at.
    pub stood: Option<Stood>,
    /// When it came to another outcome, the newest first.
    pub turns: Vec<Turn>,
}

/// A check came to another confirmed outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// When.
    pub at: Timestamp,
    /// To which, in a word.
    pub outcome: String,
    /// What it said.
    pub summary: String,
}

/// A run that the history knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownRun {
    /// What it is called.
    pub name: String,
    /// What it was: `console`, `check`.
    pub kind: String,
    /// The version of the program.
    pub version: String,
    /// On which host.
    pub host: String,
    /// When it began.
    pub began: Timestamp,
    /// When it was last heard of.
    pub seen: Timestamp,
    /// The verdict that it came to, as it is written everywhere.
    pub word: Option<String>,
    /// The score that it came to.
    pub score: Option<u8>,
    /// Whether its evidence is kept.
    pub evidence: bool,
}
