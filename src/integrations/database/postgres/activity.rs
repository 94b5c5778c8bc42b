//! What a server says of its sessions and of what it has counted. Values only.

use crate::integrations::database::pooling::Accounts;
use std::time::Duration;

/// Something that takes sessions up to a limit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Room {
    /// `server`, `role app`, `database shop`.
    pub(super) what: String,
    /// Sessions in it.
    pub(super) used: u64,
    /// Sessions that an ordinary role can have.
    pub(super) most: u64,
    /// Whether our own sessions are among them.
    pub(super) ours: bool,
}

/// What came of trying out a pool.
pub(super) struct Pooled {
    /// The server; of the roles and databases that have a limit, ours and the fullest other.
    pub(super) rooms: Vec<Room>,
    /// The pool's own numbers and the server's; none where it would have taken the last room.
    pub(super) trial: Option<(Accounts, Seen)>,
    /// Sessions of everybody.
    pub(super) habits: Habits,
    /// Whether the session is ours alone; a pooler's is not.
    pub(super) own_session: bool,
}

/// What the server showed of the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// Sessions under the pool's name while both were held.
    pub(super) held: u64,
    /// Those still there after it was closed.
    pub(super) left: u64,
    /// Until none was there.
    pub(super) gone_after: Duration,
}

/// How the applications use their sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Habits {
    /// Sessions whose application does not say who it is.
    pub(super) nameless: u64,
    /// Idle for over an hour; none where the role may not see it.
    pub(super) stale: Option<u64>,
    /// Sessions begun since the last look.
    pub(super) begun: Option<u64>,
    /// Of those that ended since, the ones whose client went away without a word.
    pub(super) abandoned: Option<u64>,
}

/// What the server has counted of our database, ever since its statistics were reset.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Stats {
    /// Transactions committed.
    pub(super) commits: i64,
    /// Transactions rolled back.
    pub(super) rollbacks: i64,
    /// Deadlocks found.
    pub(super) deadlocks: i64,
    /// Statements of a standby cancelled by the recovery.
    pub(super) conflicts: i64,
    /// Pages whose checksum is wrong.
    pub(super) checksums: i64,
    /// Sessions begun.
    pub(super) sessions: i64,
    /// Sessions whose client went away without a word.
    pub(super) abandoned: i64,
    /// Sessions ended by an error.
    pub(super) fatal: i64,
    /// Sessions ended by an administrator.
    pub(super) killed: i64,
    /// When the statistics were reset, as the server writes it.
    pub(super) reset: String,
    /// Whether `track_counts` is on.
    pub(super) counting: bool,
}

/// What came of a transaction rolled back and another committed.
pub(super) struct Transactions {
    /// What was done in them.
    pub(super) mode: Mode,
    /// The first one as the server showed it while it was open.
    pub(super) open: Option<Open>,
    /// How long it had been open then, on our side: at least and at most.
    pub(super) held: (Duration, Duration),
    /// What became of both, as the server says: the one rolled back first.
    pub(super) ended: Option<[String; 2]>,
    /// Whether the table written to is gone; none where none was written.
    pub(super) gone: Option<bool>,
    /// What the server had counted before.
    pub(super) before: Stats,
    /// And after, read from another session.
    pub(super) after: Stats,
    /// Whether `track_activities` is on.
    pub(super) activities: bool,
    /// Whether the session is ours alone; a pooler's is not.
    pub(super) own_session: bool,
    /// The role, quoted.
    pub(super) role: String,
    /// The database, quoted.
    pub(super) database: String,
}

/// What is done within the transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// A temporary table is made and written to.
    Writes,
    /// Only reads: the settings do not allow writing there.
    NotAllowed,
    /// Only reads: the role may not make temporary tables.
    NoTemp,
    /// Only reads: the server is a standby.
    Standby,
    /// Only reads: the role's or the database's default is read-only.
    ReadOnly,
}

/// A transaction of ours in `pg_stat_activity`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Open {
    /// `idle in transaction`, if all is well.
    pub(super) state: String,
    /// How long it had been open.
    pub(super) age: Duration,
}

/// What came of an error made on purpose, and what else went wrong there.
pub(super) struct Errors {
    /// The error; none where it was made not long ago.
    pub(super) canary: Option<Mistake>,
    /// The counters now.
    pub(super) now: Stats,
    /// How they moved within the window.
    pub(super) window: Window,
    /// How errors get into the server's log.
    pub(super) log: Log,
}

/// An error made on purpose.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Mistake {
    /// SQLSTATE that came back; empty if the statement went through.
    pub(super) code: String,
    /// Errors that our side counted, by class.
    pub(super) counted: Vec<(String, u64)>,
    /// Statements that our side counted as fine, of one.
    pub(super) fine: u64,
    /// Rollbacks that the server counted.
    pub(super) rollbacks: i64,
}

/// How the counters moved.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Window {
    /// Over which time; zero at the first look.
    pub(super) span: Duration,
    /// Transactions of others that ended.
    pub(super) ended: u64,
    /// Those of them rolled back.
    pub(super) rolled_back: u64,
    /// Sessions ended by an error.
    pub(super) fatal: u64,
    /// Statements cancelled by the recovery.
    pub(super) conflicts: u64,
}

/// How errors get into the server's log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Log {
    /// Whether the server keeps log files itself.
    pub(super) collector: bool,
    /// `log_destination`.
    pub(super) destination: String,
    /// `log_min_error_statement`.
    pub(super) statements: String,
}

impl Stats {
    /// Whether the statistics go on where those of `before` ended.
    pub(super) fn continues(&self, before: &Self) -> bool {
        self.reset == before.reset
            && self.commits >= before.commits
            && self.rollbacks >= before.rollbacks
    }
}
