//! The statements to an SQLite file. None of them writes.

/// The smallest question to an SQLite file: it reads the first page and the schema.
pub(super) const SCHEMA: &str =
    "SELECT sqlite_version() AS version, count(*) AS objects FROM sqlite_schema";

/// How an SQLite file is written to.
pub(super) const JOURNAL: &str = "PRAGMA journal_mode";

/// The statement that our own side has to count.
pub(super) const CANARY_FILE: &str = "SELECT count(*) AS tminus_probe FROM sqlite_schema";

/// Enough steps for a progress handler to hold it up; a millisecond of work by itself.
pub(super) const SPIN: &str = "\
WITH RECURSIVE step(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM step WHERE i < 4000) \
SELECT count(*) AS tminus_slow FROM step";
