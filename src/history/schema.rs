//! What the file holds. All times are milliseconds since 1970 UTC.

/// Marks a file as ours, in its header: `TMNS`.
pub(super) const APPLICATION: i32 = 0x544d_4e53;
/// Grows when a table changes. A file with a larger number is left to who can read it.
pub(super) const VERSION: i32 = 1;

/// Makes an empty file ours. One statement after the other.
///
/// A `series` is a check (its outcomes, and what it measures) or an integration
/// (how long its target took). A `point` is one of its runs; a `rollup` is all
/// points of one series in one step of time.
pub(super) const CREATE: &str = "
CREATE TABLE run (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, kind TEXT NOT NULL, version TEXT NOT NULL,
    host TEXT NOT NULL, began INTEGER NOT NULL, seen INTEGER NOT NULL,
    word TEXT, rule INTEGER, reason TEXT, score INTEGER, coverage INTEGER
) STRICT;
CREATE TABLE series (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE point (
    series INTEGER NOT NULL, at INTEGER NOT NULL, mark INTEGER, value REAL,
    PRIMARY KEY (series, at)
) STRICT, WITHOUT ROWID;
CREATE TABLE rollup (
    step INTEGER NOT NULL, series INTEGER NOT NULL, at INTEGER NOT NULL,
    passed INTEGER NOT NULL, warned INTEGER NOT NULL, failed INTEGER NOT NULL,
    unknown INTEGER NOT NULL, skipped INTEGER NOT NULL,
    n INTEGER NOT NULL, mean REAL, low REAL, high REAL,
    PRIMARY KEY (step, series, at)
) STRICT, WITHOUT ROWID;
CREATE TABLE transition (
    id INTEGER PRIMARY KEY, run INTEGER NOT NULL, at INTEGER NOT NULL,
    series INTEGER NOT NULL, outcome TEXT NOT NULL, summary TEXT NOT NULL
) STRICT;
CREATE INDEX transition_at ON transition (at);
CREATE TABLE standing (
    series INTEGER PRIMARY KEY, severity INTEGER NOT NULL, since INTEGER NOT NULL,
    blocked INTEGER
) STRICT;
CREATE TABLE event (
    id INTEGER PRIMARY KEY, run INTEGER NOT NULL, at INTEGER NOT NULL,
    series INTEGER, mark INTEGER, text TEXT NOT NULL
) STRICT;
CREATE INDEX event_at ON event (at);
CREATE TABLE test (
    id INTEGER PRIMARY KEY, run INTEGER NOT NULL, at INTEGER NOT NULL, test TEXT NOT NULL,
    record TEXT NOT NULL
) STRICT;
CREATE INDEX test_at ON test (at);
CREATE TABLE baseline (
    name TEXT PRIMARY KEY, at INTEGER NOT NULL, host TEXT NOT NULL, version TEXT,
    snapshot TEXT NOT NULL
) STRICT;
";

/// What came later and changes nothing that was there: what a run knew at its end,
/// what each app has `served` last, from when on evidence counted, and what somebody
/// has answered for in a console.
pub(super) const ADDED: &str = "
CREATE TABLE IF NOT EXISTS evidence (
    run INTEGER PRIMARY KEY, at INTEGER NOT NULL, snapshot TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS served (
    app TEXT PRIMARY KEY, version TEXT NOT NULL, at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS deploy (
    at INTEGER PRIMARY KEY, run INTEGER NOT NULL, app TEXT, version TEXT, was TEXT
) STRICT;
CREATE TABLE IF NOT EXISTS accepted (
    name TEXT PRIMARY KEY, reason TEXT NOT NULL, owner TEXT, until INTEGER NOT NULL,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
";
