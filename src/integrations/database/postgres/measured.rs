//! What is measured on a PostgreSQL server. Values only.

use crate::{
    domain::Evidence,
    integrations::database::{measured::Pair, tally::Tally},
};
use std::time::Duration;

/// What came of sending statements to be counted.
pub(super) struct Tracking {
    /// Statements sent.
    pub(super) sent: u64,
    /// What our side counted.
    pub(super) tally: Tally,
    /// What the database counted.
    pub(super) books: Books,
}

/// The database's own count.
pub(super) enum Books {
    /// It would not show them.
    Closed(Refusal, Setup),
    /// Read before and after.
    Open {
        /// Before the statements.
        before: Counters,
        /// After them.
        after: Counters,
        /// Evictions at the last look, some time ago.
        evicted_before: Option<i64>,
        /// The canary's own fingerprint, if the server gave it one.
        fingerprint: Option<i64>,
        /// How the server is set up.
        setup: Setup,
    },
}

/// One row of `pg_stat_statements`, and how often rows were evicted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Counters {
    /// Executions.
    pub(super) calls: i64,
    /// Rows returned.
    pub(super) rows: i64,
    /// Time spent executing.
    pub(super) time: Duration,
    /// Evictions since the statistics began.
    pub(super) evicted: i64,
}

/// Why the server does not show its count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The module is created here but not loaded into the server.
    NotPreloaded,
    /// The module is loaded but not created in this database.
    NotCreated,
    /// Neither.
    Absent,
    /// The module's objects here are older than 1.9.
    Outdated,
    /// The server is older than 14 and names no fingerprints.
    TooOld,
}

/// How the server and the role are set up for tracking.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Setup {
    /// `server_version_num`.
    pub(super) number: i32,
    /// The role, quoted for use in a statement.
    pub(super) role: String,
    /// The database, quoted likewise.
    pub(super) database: String,
    /// `pg_stat_statements.track`; none where the module is not loaded.
    pub(super) track: Option<String>,
    /// `compute_query_id`.
    pub(super) compute: String,
    /// Whether `track_activities` is on.
    pub(super) activities: bool,
    /// `pg_stat_statements.max`.
    pub(super) most: Option<String>,
    /// `track_io_timing`.
    pub(super) io_timing: String,
    /// `log_min_duration_statement`; `-1` is never.
    pub(super) log_from: String,
    /// Whether the role sees the statements of other roles.
    pub(super) reads_all: bool,
    /// The schema of the module, quoted; none where it is not created.
    pub(super) schema: Option<String>,
    /// The version of the module's objects.
    pub(super) version: Option<String>,
    /// Whether the session is ours alone; a pooler's is not.
    pub(super) own_session: bool,
}

/// What came of a slow and a quick statement.
pub(super) enum Slowness {
    /// The server cancelled the slow one, as it is told to.
    Cancelled {
        /// How long it was meant to take.
        wanted: Duration,
        /// `statement_timeout` of the role.
        timeout: Duration,
        /// The role, quoted.
        role: String,
    },
    /// Both came to their end; what our side saw, and what the server noticed.
    Ran(Box<(Pair, Plane)>),
}

/// What the server noticed of the canaries.
pub(super) struct Plane {
    /// How it is set up.
    pub(super) setup: Setup,
    /// The slow one in `pg_stat_activity`.
    pub(super) long: Option<Sight>,
    /// The quick one in `pg_stat_activity`.
    pub(super) short: Option<Sight>,
    /// What `pg_stat_statements` added for the slow one.
    pub(super) booked: Option<(i64, Duration)>,
}

/// A session in `pg_stat_activity`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Sight {
    /// Whether it was at work at that moment.
    pub(super) in_flight: bool,
    /// What it waited for.
    pub(super) wait: String,
    /// How long its statement had taken by then, or took.
    pub(super) took: Duration,
    /// The statement's fingerprint.
    pub(super) fingerprint: Option<i64>,
}

impl Setup {
    /// `version` as numbers, for comparing: `1.10` is later than `1.9`.
    pub(super) fn module_version(&self) -> Option<(u32, u32)> {
        let (major, minor) = self.version.as_deref()?.split_once('.')?;
        Some((major.parse().ok()?, minor.parse().ok()?))
    }

    /// The tracking as facts.
    pub(super) fn facts(&self, evidence: Evidence) -> Evidence {
        let on = |yes| if yes { "on" } else { "off" };
        let module = match &self.version {
            Some(version) => version.as_str(),
            None => "not created",
        };
        evidence
            .fact("pg_stat_statements", module)
            .fact("pg_stat_statements.track", self.track.as_deref().unwrap_or("not loaded"))
            .fact("compute_query_id", self.compute.as_str())
            .fact("track_activities", on(self.activities))
            .fact("track_io_timing", self.io_timing.as_str())
            .fact("reads other roles", if self.reads_all { "yes" } else { "no" })
    }
}
