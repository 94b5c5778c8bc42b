//! The statements to an SQLite file. To the user's own, none of them writes.

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

/// How many pages the file has.
pub(super) const PAGES: &str = "PRAGMA page_count";

/// How many of them hold nothing.
pub(super) const FREE: &str = "PRAGMA freelist_count";

/// Bytes of a page.
pub(super) const PAGE: &str = "PRAGMA page_size";

/// Whether its pages are in order.
pub(super) const CHECK: &str = "PRAGMA quick_check(1)";

/// How many rows point to one that is not there.
pub(super) const ORPHANS: &str = "SELECT count(*) FROM pragma_foreign_key_check";

/// A table that no file has.
pub(super) const MISTAKE: &str = "SELECT * FROM tminus_missing_table";

/// Statements one after the other.
pub(super) type Writing = [&'static str; 2];

/// Makes the table of our own file, which has to be no bigger than it needs to be.
pub(super) const MAKE: Writing =
    ["PRAGMA page_size = 1024", "CREATE TABLE tminus_probe (n INTEGER PRIMARY KEY)"];

/// Begins a transaction that writes.
pub(super) const WRITE: Writing = [BEGIN, "INSERT INTO tminus_probe DEFAULT VALUES"];

/// Takes the one place that there is for a writer.
pub(super) const BEGIN: &str = "BEGIN IMMEDIATE";

/// Keeps what was written.
pub(super) const COMMIT: &str = "COMMIT";

/// Undoes what was written.
pub(super) const ROLLBACK: &str = "ROLLBACK";

/// What is in the table of our own.
pub(super) const COUNT: &str = "SELECT count(*) AS rows FROM tminus_probe";

/// Changes for a connection whenever another one has committed.
pub(super) const VERSION: &str = "PRAGMA data_version";
