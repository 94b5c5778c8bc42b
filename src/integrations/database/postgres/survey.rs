//! The statements that look at a server's health. They read catalogues and
//! statistics, never a table of the user's, and each takes a few milliseconds.

/// The oldest transaction of each kind, without our own canaries.
pub(super) const WAITS: &str = "\
WITH client AS (SELECT pid, coalesce(quote_ident(usename), '') || \
CASE WHEN application_name = '' THEN '' ELSE ', ' || application_name END AS who, state, \
extract(epoch FROM clock_timestamp() - state_change)::float8 AS still, \
extract(epoch FROM clock_timestamp() - xact_start)::float8 AS open, \
coalesce(age(backend_xmin), 0)::int8 AS xmin FROM pg_stat_activity \
WHERE xact_start IS NOT NULL AND backend_type = 'client backend' \
AND application_name NOT LIKE 'tminus-%' AND pid <> pg_backend_pid()) \
(SELECT 'idle' AS kind, pid, who, still AS seconds, xmin FROM client \
WHERE state LIKE 'idle in transaction%' ORDER BY still DESC LIMIT 1) \
UNION ALL (SELECT 'open', pid, who, open, xmin FROM client \
WHERE state NOT LIKE 'idle in transaction%' ORDER BY open DESC LIMIT 1) \
UNION ALL (SELECT 'prepared', 0, quote_ident(owner) || ', ' || gid, \
extract(epoch FROM clock_timestamp() - prepared)::float8, age(transaction)::int8 \
FROM pg_prepared_xacts ORDER BY prepared LIMIT 1)";

/// The root of the longest wait for a lock: the session that others wait for
/// and that waits for nobody.
pub(super) const BLOCKER: &str = "\
WITH RECURSIVE waiting AS MATERIALIZED (SELECT pid, min(waitstart) AS since FROM pg_locks \
WHERE NOT granted AND pid IS NOT NULL GROUP BY pid), \
edge AS MATERIALIZED (SELECT DISTINCT pid, since, unnest(pg_blocking_pids(pid)) AS blocker \
FROM waiting), \
chain AS (SELECT blocker AS root, pid, since FROM edge \
WHERE blocker NOT IN (SELECT pid FROM waiting) \
UNION SELECT chain.root, edge.pid, edge.since FROM chain JOIN edge ON edge.blocker = chain.pid) \
SELECT root AS pid, count(DISTINCT chain.pid)::int8 AS victims, \
coalesce(extract(epoch FROM clock_timestamp() - min(since)), 0)::float8 AS seconds, \
CASE WHEN root = 0 THEN 'a prepared transaction' ELSE concat_ws(', ', max(quote_ident(usename)), \
nullif(max(application_name), ''), max(state)) END AS who \
FROM chain LEFT JOIN pg_stat_activity ON pg_stat_activity.pid = root \
GROUP BY root ORDER BY seconds DESC, victims DESC LIMIT 1";

/// Settings, clocks and states.
pub(super) const STATE: &str = "\
SELECT current_setting('track_counts') = 'on' AS counting, pg_is_in_recovery() AS standby, \
pg_has_role('pg_read_all_stats', 'USAGE') AS reads_all, \
has_function_privilege('pg_ls_waldir()', 'EXECUTE') AS sees_log, \
extract(epoch FROM clock_timestamp() - pg_postmaster_start_time())::float8 AS up, \
(extract(epoch FROM clock_timestamp()) * 1000)::int8 AS clock, \
current_setting('archive_mode') AS archive, \
CASE WHEN last_failed_time > coalesce(last_archived_time, '-infinity') THEN failed_count END \
AS archive_fails, \
EXISTS (SELECT FROM pg_stat_wal_receiver WHERE coalesce(status, 'streaming') = 'streaming') \
AS receiving, \
CASE WHEN pg_is_in_recovery() AND pg_last_wal_receive_lsn() IS DISTINCT FROM \
pg_last_wal_replay_lsn() THEN \
coalesce(extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()), 0) \
ELSE 0 END::float8 AS behind, \
(SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE NOT ssl \
AND client_addr IS NOT NULL AND NOT client_addr <<= '127.0.0.0/8' AND client_addr <> '::1')::int8 \
AS plain, \
current_setting('autovacuum') = 'off' AS all_off FROM pg_stat_archiver";

/// The replica that is furthest behind.
pub(super) const REPLICA: &str = "\
SELECT application_name AS name, coalesce(state, 'hidden') AS state, \
coalesce(extract(epoch FROM replay_lag), 0)::float8 AS seconds, \
greatest(coalesce(pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() \
ELSE pg_current_wal_lsn() END, replay_lsn), 0), 0)::int8 AS bytes \
FROM pg_stat_replication ORDER BY seconds DESC, bytes DESC LIMIT 1";

/// The slot that keeps most of the log.
pub(super) const SLOT: &str = "\
SELECT slot_name::text AS name, coalesce(wal_status, '') AS status, \
greatest(coalesce(pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() \
ELSE pg_current_wal_lsn() END, restart_lsn), 0), 0)::int8 AS kept, \
count(*) FILTER (WHERE NOT active) OVER ()::int8 AS inactive \
FROM pg_replication_slots WHERE NOT temporary ORDER BY kept DESC LIMIT 1";

/// The database nearest to a wraparound.
pub(super) const HORIZON: &str = "\
SELECT quote_ident(datname) AS name, greatest(age(datfrozenxid), mxid_age(datminmxid))::int8 AS age \
FROM pg_database ORDER BY age DESC LIMIT 1";

/// The sequence nearest to its end, which may be that of the column that it feeds.
pub(super) const SEQUENCES: &str = "\
WITH one AS (SELECT quote_ident(nspname) || '.' || quote_ident(c.relname) AS name, \
has_sequence_privilege(c.oid, 'SELECT, USAGE') AS seen, \
CASE WHEN has_sequence_privilege(c.oid, 'SELECT, USAGE') THEN pg_sequence_last_value(c.oid) END \
AS last, least(seqmax, CASE atttypid WHEN 'int2'::regtype THEN 32767 \
WHEN 'int4'::regtype THEN 2147483647 ELSE seqmax END) AS most \
FROM pg_sequence JOIN pg_class c ON c.oid = seqrelid \
JOIN pg_namespace n ON n.oid = c.relnamespace \
LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid \
AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i') \
LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid \
WHERE c.relpersistence = 'p' AND seqincrement > 0 AND NOT seqcycle LIMIT 1000) \
SELECT CASE WHEN last IS NULL THEN '' ELSE name END AS name, \
coalesce(trunc(last::numeric * 100 / most), 0)::int8 AS used, \
count(*) FILTER (WHERE NOT seen) OVER ()::int8 AS hidden \
FROM one ORDER BY last::numeric / most DESC NULLS LAST LIMIT 1";

/// Bytes of the write-ahead log.
pub(super) const LOG_SIZE: &str =
    "SELECT coalesce(sum(size), 0)::int8 AS bytes FROM pg_ls_waldir()";

/// Where the server's files are; only some roles may know.
pub(super) const DIRECTORY: &str = "SELECT setting AS path, pg_backend_pid() AS pid FROM pg_settings WHERE name = 'data_directory'";

/// Timeouts as the roles of the applications have them: their own in this
/// database, their own, the database's, the server's.
pub(super) const TIMEOUTS: &str = "\
WITH own AS (SELECT setrole, setdatabase, split_part(one, '=', 1) AS name, \
split_part(one, '=', 2) AS value FROM pg_db_role_setting, unnest(setconfig) AS one \
WHERE setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))), \
effective AS (SELECT rolname, s.name, coalesce((SELECT value FROM own WHERE own.name = s.name \
AND setrole IN (0, r.oid) ORDER BY (setrole <> 0)::int4 * 2 + (setdatabase <> 0)::int4 DESC \
LIMIT 1), s.reset_val) AS value FROM pg_roles r CROSS JOIN pg_settings s \
WHERE rolcanlogin AND NOT rolsuper AND NOT rolreplication AND rolname <> current_user \
AND has_database_privilege(r.oid, current_database(), 'CONNECT') \
AND s.name IN ('statement_timeout', 'idle_in_transaction_session_timeout')) \
SELECT name, count(*)::int8 AS roles, count(*) FILTER (WHERE value ~ '^0')::int8 AS without, \
coalesce(min(quote_ident(rolname)) FILTER (WHERE value ~ '^0'), '') AS one \
FROM effective GROUP BY name ORDER BY name DESC";

/// The table with most dead rows beyond what the autovacuum waits for, and those without one.
pub(super) const TABLES: &str = "\
SELECT (SELECT count(*) FROM pg_class WHERE relkind = 'r' \
AND reloptions && ARRAY['autovacuum_enabled=false', 'autovacuum_enabled=off'])::int8 AS off, \
coalesce(quote_ident(schemaname) || '.' || quote_ident(relname), '') AS name, \
coalesce(n_dead_tup, 0)::int8 AS dead, coalesce(n_live_tup, 0)::int8 AS live \
FROM (SELECT 1) AS always LEFT JOIN (SELECT schemaname, relname, n_dead_tup, n_live_tup \
FROM pg_stat_user_tables WHERE n_dead_tup > 10000 AND n_dead_tup > n_live_tup * 0.4 \
ORDER BY n_dead_tup DESC LIMIT 1) AS worst ON true";

/// Indexes that no query can use and nobody is building.
pub(super) const INVALID: &str = "\
SELECT count(*)::int8 AS many, coalesce(min(indexrelid::regclass::text), '') AS one \
FROM pg_index WHERE NOT indisvalid \
AND indexrelid NOT IN (SELECT index_relid FROM pg_stat_progress_create_index)";
