//! The statements, as the server's administrator will see them.
//!
//! None writes but into a temporary table of its own. None holds a value that
//! would be a digest of its own: a poll must not fill the user's statistics.

use std::time::Duration;

/// The smallest question.
pub(super) const PING: &str = "SELECT 1";

/// Who and where we are. A session's own number is not in the server's list
/// where a proxy has given it.
pub(super) const IDENTIFY: &str = "\
SELECT VERSION() AS version, CURRENT_USER() AS account, DATABASE() AS name, \
CONNECTION_ID() AS id, \
(SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID = CONNECTION_ID()) AS own";

/// The cipher of the link, empty without TLS.
pub(super) const CIPHER: &str = "SHOW SESSION STATUS LIKE 'Ssl_cipher'";

/// What keeps a session of ours from harm. An account's shorter limit stays.
pub(super) fn guards(maria: bool) -> &'static str {
    if maria {
        "SET SESSION max_statement_time = IF(@@max_statement_time BETWEEN 0.000001 AND 2, \
         @@max_statement_time, 2), lock_wait_timeout = 2, innodb_lock_wait_timeout = 1; \
         SET SESSION TRANSACTION READ ONLY"
    } else {
        "SET SESSION max_execution_time = IF(@@max_execution_time BETWEEN 1 AND 2000, \
         @@max_execution_time, 2000), lock_wait_timeout = 2, innodb_lock_wait_timeout = 1; \
         SET SESSION TRANSACTION READ ONLY"
    }
}

/// What the account's own limit for a statement is called there.
pub(super) fn statement_limit(maria: bool) -> &'static str {
    if maria { "max_statement_time" } else { "max_execution_time" }
}

/// How much room there is, for all and for this account, and who may write.
pub(super) const ROOM: &str = "\
SELECT @@max_connections AS most, @@SESSION.max_user_connections AS own_most, \
@@GLOBAL.read_only AS read_only";

/// Sessions of everybody, of whatever the account may see.
pub(super) const THREADS: &str = "SHOW GLOBAL STATUS LIKE 'Threads_connected'";

/// Sessions of this account, and those of all that idle for over an hour.
pub(super) const SESSIONS: &str = "\
SELECT COALESCE(SUM(USER = SUBSTRING_INDEX(USER(), '@', 1)), 0) AS own, \
COALESCE(SUM(COMMAND = 'Sleep' AND TIME > 3600), 0) AS stale FROM information_schema.PROCESSLIST";

/// How many of the sessions with these numbers are there.
pub(super) fn alive(ids: &[u64]) -> String {
    let ids: Vec<String> = ids.iter().map(u64::to_string).collect();
    let ids = ids.join(", ");
    format!("SELECT COUNT(*) AS n FROM information_schema.PROCESSLIST WHERE ID IN ({ids})")
}

/// How the server counts.
pub(super) const SETUP: &str = "\
SELECT @@performance_schema AS counting, @@performance_schema_digests_size AS size, \
@@GLOBAL.slow_query_log AS slow_log, @@GLOBAL.long_query_time AS slow_from, \
@@GLOBAL.log_output AS slow_into";

/// What it is told to count.
pub(super) const CONSUMERS: &str = "\
SELECT (SELECT COUNT(*) FROM performance_schema.setup_consumers \
WHERE NAME = 'statements_digest' AND ENABLED = 'YES') AS digests, \
(SELECT COUNT(*) FROM performance_schema.setup_instruments \
WHERE NAME = 'statement/sql/select' AND ENABLED = 'YES' AND TIMED = 'YES') AS instruments";

/// Statements for which there was no room in the statistics.
pub(super) const LOST: &str = "SHOW GLOBAL STATUS LIKE 'Performance_schema_digest_lost'";

/// The statement that has to be counted. Its alias is part of its digest.
pub(super) const CANARY: &str = "SELECT 1 AS tminus_probe";
/// What its digest begins with.
pub(super) const CANARY_DIGEST: &str = "SELECT ? AS `tminus_probe`%";

/// A statement that takes `pause`, under a name of its own.
pub(super) fn pause(pause: Duration, name: &str) -> String {
    format!("SELECT SLEEP({}) AS {name}", pause.as_secs_f64())
}

/// What the digest of such a statement looks like.
pub(super) fn pause_digest(name: &str) -> String {
    format!("SELECT `SLEEP` (?) AS `{name}`%")
}

/// A statement that fails on every server, and for every account alike.
pub(super) const MISTAKE: &str = "SELECT * FROM information_schema.tminus_missing_table";
/// What its digest begins with.
pub(super) const MISTAKE_DIGEST: &str =
    "SELECT * FROM `information_schema` . `tminus_missing_table`%";

/// What is counted of statements whose digest is like `digest`.
pub(super) fn counters(digest: &str) -> String {
    format!(
        "SELECT COALESCE(SUM(COUNT_STAR), 0) AS calls, COALESCE(SUM(SUM_ROWS_SENT), 0) AS sent, \
         COALESCE(SUM(SUM_TIMER_WAIT), 0) AS picos, COALESCE(SUM(SUM_ERRORS), 0) AS errors \
         FROM performance_schema.events_statements_summary_by_digest \
         WHERE SCHEMA_NAME <=> DATABASE() AND DIGEST_TEXT LIKE '{digest}'"
    )
}

/// What is counted of all statements.
pub(super) const ALL: &str = "\
SELECT COALESCE(SUM(COUNT_STAR), 0) AS calls, COALESCE(SUM(SUM_ERRORS), 0) AS errors \
FROM performance_schema.events_statements_summary_global_by_event_name";

/// What the server shows of the session `id` of ours.
pub(super) fn sight(id: u64) -> String {
    format!(
        "SELECT COMMAND AS command, STATE AS state FROM information_schema.PROCESSLIST \
             WHERE ID = {id}"
    )
}

/// Statements of this session that its `long_query_time` found slow.
pub(super) const SLOW: &str = "SHOW SESSION STATUS LIKE 'Slow_queries'";

/// Begins a transaction that shows from its first moment on.
pub(super) const BEGIN: &str = "START TRANSACTION WITH CONSISTENT SNAPSHOT";
/// The table to write to, which only its own session can see.
pub(super) const MAKE: &str = "\
SET SESSION TRANSACTION READ WRITE; \
CREATE TEMPORARY TABLE tminus_probe (id INT PRIMARY KEY) ENGINE = InnoDB";
/// A row of it.
pub(super) const WRITE: &str = "INSERT INTO tminus_probe VALUES (1)";
/// Its rows.
pub(super) const ROWS: &str = "SELECT COUNT(*) AS n FROM tminus_probe";
/// Takes it away; nobody else's, even if it has the same name.
pub(super) const REMOVE: &str = "DROP TEMPORARY TABLE IF EXISTS tminus_probe";

/// The transaction of the session `id`, and for how long it has been open.
pub(super) fn open(id: u64) -> String {
    format!(
        "SELECT TIMESTAMPDIFF(MICROSECOND, trx_started, NOW(6)) AS micros \
         FROM information_schema.INNODB_TRX WHERE trx_mysql_thread_id = {id}"
    )
}

/// How transactions ended: of everybody.
pub(super) const ENDED: &str =
    "SHOW GLOBAL STATUS WHERE Variable_name IN ('Com_commit', 'Com_rollback')";
/// How transactions ended: of this session.
pub(super) const ENDED_HERE: &str =
    "SHOW SESSION STATUS WHERE Variable_name IN ('Com_commit', 'Com_rollback')";
