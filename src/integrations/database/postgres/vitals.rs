//! What a server says of its health. Values only.

use super::activity::Room;
use std::time::Duration;

/// Everything that one look at a server tells.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Vitals {
    /// The role that looks, quoted.
    pub(super) role: String,
    /// Whether the role sees what other roles do.
    pub(super) reads_all: bool,
    /// The server, and the fullest of the roles and databases that have a limit.
    pub(super) rooms: Vec<Room>,
    /// The oldest transaction of each kind.
    pub(super) waits: Vec<Wait>,
    /// Who holds up whom, if anybody.
    pub(super) blocker: Option<Blocker>,
    /// Deadlocks since the last look, and how long ago that was.
    pub(super) deadlocks: Option<(u64, Duration)>,
    /// Settings, clocks and states.
    pub(super) state: State,
    /// The replica that is furthest behind.
    pub(super) replica: Option<Replica>,
    /// The slot that keeps most, and how many nobody reads.
    pub(super) slot: Option<Slot>,
    /// The database nearest to a wraparound.
    pub(super) horizon: Horizon,
    /// The sequence nearest to its end.
    pub(super) sequences: Sequences,
    /// What is used of the disk.
    pub(super) disk: Disk,
    /// Timeouts, and the roles that go without.
    pub(super) timeouts: Vec<Timeout>,
    /// The table that needs a vacuum most, and those that never get one.
    pub(super) tables: Tables,
    /// Indexes that no query can use: how many, and one of them.
    pub(super) invalid: (u64, String),
}

/// The oldest transaction of its kind.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wait {
    /// `idle`, `open` or `prepared`.
    pub(super) kind: String,
    /// The server process; zero for a prepared one.
    pub(super) pid: i32,
    /// Role and application.
    pub(super) who: String,
    /// How long it has been so.
    pub(super) age: Duration,
    /// Transactions begun since the oldest one that it may still see.
    pub(super) xmin: u64,
}

/// A session that others wait for and that waits for nobody.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Blocker {
    /// The server process; zero for a prepared transaction.
    pub(super) pid: i32,
    /// Role, application and state.
    pub(super) who: String,
    /// How many wait for it, directly or not.
    pub(super) victims: u64,
    /// How long the first of them has been waiting.
    pub(super) waited: Duration,
}

/// Settings, clocks and states that are read together.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct State {
    /// Whether `track_counts` is on.
    pub(super) counting: bool,
    /// What a standby says of its primary; none where it is none.
    pub(super) standby: Option<Standby>,
    /// Whether this role's transactions are read-only by default.
    pub(super) read_only: bool,
    /// Since the server was started.
    pub(super) up: Duration,
    /// How far its clock is from ours.
    pub(super) skew: Duration,
    /// `archive_mode`.
    pub(super) archive: String,
    /// Whether the last attempt to archive failed, and how many did.
    pub(super) archive_fails: Option<u64>,
    /// Sessions from other machines without encryption.
    pub(super) plain: u64,
}

/// What a standby says of its primary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Standby {
    /// Whether it hears from it.
    pub(super) receiving: bool,
    /// How far it is behind; zero where it has replayed all that it has.
    pub(super) behind: Duration,
}

/// A replica as its primary sees it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Replica {
    /// Its application name.
    pub(super) name: String,
    /// `streaming`, if all is well.
    pub(super) state: String,
    /// How far behind in time.
    pub(super) lag: Duration,
    /// And in bytes of the log.
    pub(super) bytes: u64,
}

/// The replication slot that keeps most of the log.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Slot {
    /// Its name.
    pub(super) name: String,
    /// `reserved`, if all is well.
    pub(super) status: String,
    /// Bytes of the log that it keeps.
    pub(super) kept: u64,
    /// How many slots nobody reads.
    pub(super) inactive: u64,
}

/// The database nearest to a wraparound.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Horizon {
    /// Its name.
    pub(super) database: String,
    /// Age of its oldest transaction number, or of its oldest multixact.
    pub(super) age: u64,
}

/// The sequence nearest to its end.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Sequences {
    /// Its name; empty if there is none to be seen.
    pub(super) name: String,
    /// Share of its numbers that is used, in percent.
    pub(super) used: u64,
    /// Sequences that the role may not look at.
    pub(super) hidden: u64,
}

/// What is used of the disk.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Disk {
    /// Bytes free and in all; none where the server is not on this machine.
    pub(super) room: Option<(u64, u64)>,
    /// Bytes of the write-ahead log; none where the role may not look.
    pub(super) log: Option<u64>,
}

/// A timeout, and the roles that go without.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Timeout {
    /// The setting.
    pub(super) name: String,
    /// Roles that may log in and are no superusers.
    pub(super) roles: u64,
    /// Those of them without it.
    pub(super) without: u64,
    /// One of those.
    pub(super) one: String,
}

/// What the vacuum has to do.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Tables {
    /// The table with most dead rows, if they are many: name, dead and live rows.
    pub(super) dead: Option<(String, u64, u64)>,
    /// Tables whose autovacuum is switched off.
    pub(super) off: u64,
    /// Whether it is switched off for all of them.
    pub(super) all_off: bool,
}
