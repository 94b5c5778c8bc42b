//! What is measured on a MySQL or MariaDB server. Values only.

use crate::integrations::database::{measured::Pair, pooling::Accounts, tally::Tally};
use std::time::Duration;

/// How the server counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Setup {
    /// The account, quoted for use in a statement.
    pub(super) account: String,
    /// Whether it counts statements at all.
    pub(super) counting: Counting,
    /// `performance_schema_digests_size`.
    pub(super) size: i64,
    /// Statements for which there was no room.
    pub(super) lost: u64,
    /// `slow_query_log`.
    pub(super) slow_log: bool,
    /// `long_query_time`.
    pub(super) slow_from: Duration,
    /// `log_output`.
    pub(super) slow_into: String,
    /// What limits a statement there, by name.
    pub(super) limit: &'static str,
    /// Whether the session is ours alone; a proxy's is not.
    pub(super) own_session: bool,
}

/// Whether statements are counted, and if not, for want of what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Counting {
    /// `performance_schema` is off.
    #[default]
    Off,
    /// The consumer `statements_digest` is off.
    NoDigests,
    /// `statement/sql/select` is off, or not timed.
    NoInstruments,
    /// Nothing is missing.
    On,
}

/// What the statistics say of one statement.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Counters {
    /// Executions.
    pub(super) calls: u64,
    /// Rows returned.
    pub(super) rows: u64,
    /// Time spent executing.
    pub(super) time: Duration,
    /// Executions that failed.
    pub(super) errors: u64,
}

/// What came of sending statements to be counted.
pub(super) struct Tracking {
    /// Statements sent.
    pub(super) sent: u64,
    /// What our side counted.
    pub(super) tally: Tally,
    /// What the server counted before and after; none where it counts nothing.
    pub(super) books: Option<(Counters, Counters)>,
    /// Statements lost at the last look, some time ago.
    pub(super) lost_before: Option<u64>,
    /// How the server counts.
    pub(super) setup: Setup,
}

/// What came of a slow and a quick statement.
pub(super) enum Slowness {
    /// The server ended the slow one, as it is told to.
    Cancelled {
        /// How long it was meant to take.
        wanted: Duration,
        /// How the server counts.
        setup: Setup,
    },
    /// Both came to their end; what our side saw, and what the server noticed.
    Ran(Box<(Pair, Plane)>),
}

/// What the server noticed of the canaries.
pub(super) struct Plane {
    /// How it counts.
    pub(super) setup: Setup,
    /// What the session list said of the slow one; none where it was gone already.
    pub(super) seen: Option<String>,
    /// What the statistics added for the slow one, and for the quick one.
    pub(super) booked: Option<[(u64, Duration); 2]>,
    /// How many of both the session's own `long_query_time` found slow.
    pub(super) logged: u64,
}

/// What came of a transaction rolled back and another committed.
#[derive(Clone, Debug)]
pub(super) struct Transactions {
    /// What was done in them.
    pub(super) mode: Mode,
    /// The first one's age as the server showed it while it was open.
    pub(super) open: Open,
    /// How long it had been open then, on our side.
    pub(super) held: Duration,
    /// Rows after the rollback and after the commit; none where nothing was written.
    pub(super) rows: Option<(u64, u64)>,
    /// Commits and rollbacks counted for the session itself.
    pub(super) here: (u64, u64),
    /// And for everybody, read from another session.
    pub(super) all: (u64, u64),
    /// Whether nobody but an administrator may write.
    pub(super) read_only: bool,
    /// The account, quoted.
    pub(super) account: String,
    /// Whether the session is ours alone; a proxy's is not.
    pub(super) own_session: bool,
}

/// What the server showed of an open transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Open {
    /// It was there, for this long.
    Seen(Duration),
    /// It was not there.
    Unseen,
    /// The account may not look.
    Hidden,
}

/// What is done within the transactions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// A temporary table is made and written to.
    Writes,
    /// Only reads: the settings do not allow writing there.
    NotAllowed,
    /// Only reads: the URL names no database to make a table in.
    NoDatabase,
    /// Only reads: the account may not make temporary tables in this database.
    NoTemporary(String),
}

/// What came of an error made on purpose, and how many others there were.
pub(super) struct Errors {
    /// Number of the error that came back; empty if the statement went through.
    pub(super) code: String,
    /// What our side counted.
    pub(super) tally: Tally,
    /// Errors that the server counted for it; none where it counts nothing.
    pub(super) counted: Option<u64>,
    /// Statements of everybody since the look before, and errors among them.
    pub(super) window: Window,
    /// How the server counts.
    pub(super) setup: Setup,
}

/// How the counters moved, without what we did ourselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Window {
    /// Over which time; zero at the first look.
    pub(super) span: Duration,
    /// Statements that ended.
    pub(super) ended: u64,
    /// Those of them that failed.
    pub(super) failed: u64,
}

/// What came of trying out a pool.
pub(super) struct Pooled {
    /// Sessions of everybody, and how many there can be.
    pub(super) server: (u64, u64),
    /// Sessions of this account, where it has a limit of its own.
    pub(super) account: Option<(u64, u64)>,
    /// The pool's own numbers and the server's; none where it would have taken the last room.
    pub(super) trial: Option<(Accounts, Seen)>,
    /// Sessions that idle for over an hour, of those that the account may see.
    pub(super) stale: u64,
    /// Whether the session is ours alone; a proxy's is not.
    pub(super) own_session: bool,
}

/// What the server showed of the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// Sessions of the pool while both were held.
    pub(super) held: u64,
    /// Those still there after it was closed.
    pub(super) left: u64,
}
