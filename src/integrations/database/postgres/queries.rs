//! The statements, as the server's administrator will see them.
//!
//! None writes, but for a temporary table of our own. None holds a value that changes the fingerprint: a poll must
//! not mint new rows in the user's own statistics.

use crate::integrations::database::backend::{APPLICATION, POOL};
use std::time::Duration;

/// The smallest question.
pub(super) const PING: &str = "SELECT 1";

/// The statement that has to be counted.
///
/// A fingerprint ignores aliases and comments but not the name of a CTE. A bare
/// `SELECT 1` would share its row with every pool that asks the same.
pub(super) const CANARY: &str =
    "WITH tminus_probe AS (SELECT 1::int4 AS one) SELECT one FROM tminus_probe";

/// Who and where we are. Also lowers what the role's defaults leave too high,
/// but only in a session of our own, which the marker proves: what is set
/// through a pooler would stay on the connection of somebody else. What compiles a
/// statement costs the server ten times what ours take without.
pub(super) const IDENTIFY: &str = "\
SELECT current_setting('server_version') AS version, \
current_setting('server_version_num')::int4 AS number, \
quote_ident(current_user) AS role, quote_ident(current_database()) AS database, \
pg_backend_pid() AS pid, \
coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false) AS tls, \
coalesce(current_setting('tminus.session', true), '') = 'own' AS own, \
timeout, read_only, \
CASE WHEN current_setting('tminus.session', true) = 'own' \
THEN set_config('default_transaction_read_only', 'on', false) \
|| set_config('lock_timeout', '500', false) \
|| set_config('idle_in_transaction_session_timeout', '5000', false) END AS guard, \
CASE WHEN current_setting('tminus.session', true) = 'own' \
AND current_setting('jit', true) = 'on' THEN set_config('jit', 'off', false) END AS jit, \
CASE WHEN current_setting('tminus.session', true) = 'own' AND (timeout = 0 OR timeout > 2000) \
THEN set_config('statement_timeout', '2000', false) END AS cap \
FROM (SELECT max(setting) FILTER (WHERE name = 'statement_timeout')::int8 AS timeout, \
max(setting) FILTER (WHERE name = 'default_transaction_read_only') = 'on' AS read_only \
FROM pg_settings WHERE name IN ('statement_timeout', 'default_transaction_read_only')) AS own";

/// How many connections are taken, and how many there are.
pub(super) const SLOTS: &str = "\
SELECT (SELECT coalesce(sum(numbackends), 0) FROM pg_stat_database)::int8 AS used, \
current_setting('max_connections')::int8 \
- current_setting('superuser_reserved_connections')::int8 \
- coalesce(current_setting('reserved_connections', true), '0')::int8 AS most, \
pg_is_in_recovery() AS standby";

/// How tracking is set up for this role in this database.
pub(super) const SETUP: &str = "\
SELECT current_setting('pg_stat_statements.track', true) AS track, \
coalesce(current_setting('compute_query_id', true), '') AS compute, \
current_setting('track_activities') = 'on' AS activities, \
current_setting('pg_stat_statements.max', true) AS most, \
current_setting('track_io_timing') AS io_timing, \
current_setting('log_min_duration_statement') AS log_from, \
pg_has_role('pg_read_all_stats', 'USAGE') AS reads_all, \
(SELECT quote_ident(nspname) FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace \
WHERE extname = 'pg_stat_statements') AS schema, \
(SELECT extversion FROM pg_extension WHERE extname = 'pg_stat_statements') AS version";

/// What the module says where it is not created: 42P01, unless a path leads to it.
pub(super) const UNCREATED: &str = "SELECT count(*) FROM pg_stat_statements";

/// Our row of the statistics. Without the texts, which the server keeps in a
/// file that it would have to read as a whole.
pub(super) fn counters(schema: &str, fingerprint: i64) -> String {
    format!(
        "SELECT coalesce(sum(calls), 0)::int8 AS calls, coalesce(sum(rows), 0)::int8 AS rows, \
         coalesce(sum(total_exec_time), 0)::float8 AS millis, \
         (SELECT dealloc FROM {schema}.pg_stat_statements_info)::int8 AS evicted \
         FROM {schema}.pg_stat_statements(false) \
         WHERE queryid = '{fingerprint}'::int8 AND toplevel \
         AND userid = (SELECT oid FROM pg_roles WHERE rolname = current_user) \
         AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
}

/// What the server shows of the session `pid` of ours.
pub(super) fn sight(pid: i32) -> String {
    format!(
        "SELECT coalesce(state, '') = 'active' AS active, coalesce(wait_event, '') AS wait, \
         query_id AS fingerprint, \
         coalesce(extract(epoch FROM CASE WHEN state = 'active' THEN clock_timestamp() \
         ELSE state_change END - query_start), 0)::float8 AS seconds \
         FROM pg_stat_activity WHERE pid = {pid} AND application_name = '{APPLICATION}'"
    )
}

/// A statement that takes `pause`.
pub(super) fn pause(pause: Duration) -> String {
    format!("SELECT pg_sleep({})", pause.as_secs_f64())
}

/// How full the server is; of the roles and databases that have a limit of their own,
/// ours and the fullest of the others. A role that may not see what a session is counts
/// the few workers of a database along.
pub(super) const ROOMS: &str = "\
WITH client AS (SELECT usesysid, datid FROM pg_stat_activity WHERE datid IS NOT NULL \
AND coalesce(backend_type, 'client backend') = 'client backend'), \
room AS (SELECT 'role ' || quote_ident(rolname) AS what, count(*)::int8 AS used, \
rolconnlimit::int8 AS most, rolname = current_user AS ours \
FROM client JOIN pg_roles ON oid = usesysid WHERE rolconnlimit > 0 AND NOT rolsuper \
GROUP BY rolname, rolconnlimit \
UNION ALL SELECT 'database ' || quote_ident(datname), count(*)::int8, datconnlimit::int8, \
datname = current_database() FROM client JOIN pg_database ON oid = datid \
WHERE datconnlimit > 0 GROUP BY datname, datconnlimit) \
SELECT 'server' AS what, (SELECT count(*) FROM client)::int8 AS used, \
current_setting('max_connections')::int8 \
- current_setting('superuser_reserved_connections')::int8 \
- coalesce(current_setting('reserved_connections', true), '0')::int8 AS most, true AS ours \
UNION ALL SELECT * FROM room WHERE ours \
UNION ALL (SELECT * FROM room WHERE NOT ours ORDER BY used::float8 / most DESC LIMIT 1)";

/// How the applications use their sessions.
pub(super) const HABITS: &str = "\
SELECT count(*) FILTER (WHERE application_name = '')::int8 AS nameless, \
CASE WHEN pg_has_role('pg_read_all_stats', 'USAGE') THEN count(*) FILTER \
(WHERE state = 'idle' AND state_change < now() - interval '1 hour') END::int8 AS stale \
FROM pg_stat_activity WHERE datid IS NOT NULL \
AND coalesce(backend_type, 'client backend') = 'client backend'";

/// The role with most sessions.
pub(super) const HOLDER: &str = "\
SELECT quote_ident(usename) AS who, count(*)::int8 AS sessions FROM pg_stat_activity \
WHERE datid IS NOT NULL AND usename IS NOT NULL GROUP BY usename ORDER BY sessions DESC LIMIT 1";

/// Which session it is.
pub(super) const PID: &str = "SELECT pg_backend_pid() AS pid";

/// The sessions `pids` of a pool of ours.
pub(super) fn pooled(pids: &[i32]) -> String {
    let pids: Vec<String> = pids.iter().map(ToString::to_string).collect();
    format!(
        "SELECT count(*)::int8 AS seen FROM pg_stat_activity \
         WHERE pid IN ({}) AND application_name = '{POOL}'",
        pids.join(", ")
    )
}

/// What the server has counted of this database.
pub(super) const STATS: &str = "\
SELECT xact_commit AS commits, xact_rollback AS rollbacks, deadlocks, conflicts, \
coalesce(checksum_failures, 0) AS checksums, sessions, sessions_abandoned AS abandoned, \
sessions_fatal AS fatal, sessions_killed AS killed, coalesce(stats_reset::text, '') AS reset, \
current_setting('track_counts') = 'on' AS counting \
FROM pg_stat_database WHERE datname = current_database()";

/// Whether nothing can be written here at all.
pub(super) const STANDBY: &str = "SELECT pg_is_in_recovery() AS standby";

/// A transaction that writes, left open.
///
/// An `INSERT` would mint a fingerprint each time: it names the table by its number.
pub(super) const BEGIN_WRITING: &str = "\
BEGIN READ WRITE; CREATE TEMP TABLE pg_temp.tminus_probe ON COMMIT DROP AS SELECT 1 AS n; \
SELECT pg_current_xact_id()::text AS xid";

/// A transaction that only takes a number, committed.
pub(super) const COMMIT_WRITING: &str =
    "BEGIN READ WRITE; SELECT pg_current_xact_id()::text AS xid; COMMIT";

/// A transaction that only reads, left open.
pub(super) const BEGIN_READING: &str = "BEGIN READ ONLY; SELECT 1";

/// A transaction that only reads, committed.
pub(super) const COMMIT_READING: &str = "BEGIN READ ONLY; SELECT 1; COMMIT";

/// Ends a transaction without a trace.
pub(super) const ROLLBACK: &str = "ROLLBACK";

/// Whether the table is gone.
pub(super) const GONE: &str = "SELECT to_regclass('pg_temp.tminus_probe') IS NULL AS gone";

/// The open transaction of the session `pid` of ours.
pub(super) fn opened(pid: i32) -> String {
    format!(
        "SELECT coalesce(state, 'hidden') AS state, \
         coalesce(extract(epoch FROM clock_timestamp() - xact_start), 0)::float8 AS seconds \
         FROM pg_stat_activity WHERE pid = {pid} AND application_name = '{APPLICATION}'"
    )
}

/// What became of two transactions.
pub(super) fn ended(one: &str, other: &str) -> String {
    format!(
        "SELECT coalesce(pg_xact_status('{one}'::xid8), 'unknown') AS one, \
         coalesce(pg_xact_status('{other}'::xid8), 'unknown') AS other"
    )
}

/// Fails with 22012, and leaves a line in the server's log.
pub(super) const MISTAKE: &str = "SELECT 1/0";

/// How errors get into the server's log.
pub(super) const LOG: &str = "\
SELECT current_setting('logging_collector') = 'on' AS collector, \
current_setting('log_destination') AS destination, \
current_setting('log_min_error_statement') AS statements";
