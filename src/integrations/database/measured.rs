//! What the checks measure on every database. Values only.

use crate::domain::FactValue;
use std::time::Duration;

/// What came of reaching the database.
pub(super) struct Contact {
    /// `PostgreSQL 15.18`, `SQLite 3.50.4`.
    pub(super) product: String,
    /// The question.
    pub(super) asked: &'static str,
    /// From the question to its answer.
    pub(super) round_trip: Duration,
    /// What else was learnt.
    pub(super) facts: Vec<(&'static str, FactValue)>,
    /// What works today and may not tomorrow.
    pub(super) concern: Option<Concern>,
}

/// Something about a reachable database that deserves a warning.
#[derive(Debug, PartialEq)]
pub(super) enum Concern {
    /// Only the reserved connections are left.
    OnlyReserved {
        /// Connections taken.
        used: i64,
        /// Connections that an ordinary role can get at.
        limit: i64,
    },
    /// Nobody can write to the file.
    NobodyWrites,
}

/// A slow and a quick statement, as our side saw them.
pub(super) struct Pair {
    /// What takes longer is slow.
    pub(super) limit: Duration,
    /// The one that has to be noticed.
    pub(super) long: Sample,
    /// The one that must not be.
    pub(super) short: Sample,
    /// The smallest statement's way there and back.
    pub(super) round_trip: Duration,
    /// How long the server itself took for the short one, where it says so.
    pub(super) short_there: Option<Duration>,
}

/// One canary.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sample {
    /// How long it was meant to take.
    pub(super) wanted: Duration,
    /// How long it took on our side.
    pub(super) took: Duration,
    /// Whether our side found it slow.
    pub(super) flagged: bool,
}
