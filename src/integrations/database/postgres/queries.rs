//! The statements, as the server's administrator will see them.
//!
//! None writes. None holds a value that changes the fingerprint: a poll must
//! not mint new rows in the user's own statistics.

use crate::integrations::database::backend::APPLICATION;
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
/// through a pooler would stay on the connection of somebody else.
pub(super) const IDENTIFY: &str = "\
SELECT current_setting('server_version') AS version, \
current_setting('server_version_num')::int4 AS number, \
quote_ident(current_user) AS role, quote_ident(current_database()) AS database, \
pg_backend_pid() AS pid, \
coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false) AS tls, \
coalesce(current_setting('tminus.session', true), '') = 'own' AS own, \
timeout, read_only, \
CASE WHEN current_setting('tminus.session', true) = 'own' \
THEN set_config('default_transaction_read_only', 'on', false) END AS guard, \
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
