//! What a server is asked about its health.

/// Settings and the clock.
pub(super) const STATE: &str = "\
SELECT @@GLOBAL.read_only AS read_only, @@max_connections AS most, \
CAST(UNIX_TIMESTAMP(NOW(6)) * 1000 AS SIGNED) AS clock";

/// For how long a statement of anybody may run: seconds, and milliseconds.
pub(super) const LIMITS: [&str; 2] = [
    "SELECT @@GLOBAL.max_statement_time AS longest",
    "SELECT @@GLOBAL.max_execution_time / 1000 AS longest",
];

/// Since the server was started.
pub(super) const UPTIME: &str = "SHOW GLOBAL STATUS LIKE 'Uptime'";

/// Open transactions, the oldest first.
pub(super) const OPEN: &str = "\
SELECT trx.trx_mysql_thread_id AS id, session.USER AS user, session.COMMAND AS command, \
GREATEST(TIMESTAMPDIFF(SECOND, trx.trx_started, NOW()), 0) AS age, session.TIME AS since \
FROM information_schema.INNODB_TRX AS trx JOIN information_schema.PROCESSLIST AS session \
ON session.ID = trx.trx_mysql_thread_id WHERE session.ID <> CONNECTION_ID() \
ORDER BY trx.trx_started LIMIT 100";

/// Who waits for whom: of MariaDB, and of MySQL.
pub(super) const WAITS: [&str; 2] = [
    "SELECT waiter.trx_mysql_thread_id AS waiter, blocker.trx_mysql_thread_id AS blocker, \
     session.USER AS user, session.COMMAND AS command, \
     GREATEST(TIMESTAMPDIFF(SECOND, waiter.trx_wait_started, NOW()), 0) AS waited \
     FROM information_schema.INNODB_LOCK_WAITS AS wait \
     JOIN information_schema.INNODB_TRX AS waiter ON waiter.trx_id = wait.requesting_trx_id \
     JOIN information_schema.INNODB_TRX AS blocker ON blocker.trx_id = wait.blocking_trx_id \
     JOIN information_schema.PROCESSLIST AS session \
     ON session.ID = blocker.trx_mysql_thread_id LIMIT 1000",
    "SELECT waiter.trx_mysql_thread_id AS waiter, blocker.trx_mysql_thread_id AS blocker, \
     session.USER AS user, session.COMMAND AS command, \
     GREATEST(TIMESTAMPDIFF(SECOND, waiter.trx_wait_started, NOW()), 0) AS waited \
     FROM performance_schema.data_lock_waits AS wait \
     JOIN information_schema.INNODB_TRX AS waiter \
     ON waiter.trx_id = wait.REQUESTING_ENGINE_TRANSACTION_ID \
     JOIN information_schema.INNODB_TRX AS blocker \
     ON blocker.trx_id = wait.BLOCKING_ENGINE_TRANSACTION_ID \
     JOIN information_schema.PROCESSLIST AS session \
     ON session.ID = blocker.trx_mysql_thread_id LIMIT 1000",
];

/// Deadlocks ever: of MariaDB, and of MySQL.
pub(super) const DEADLOCKS: [&str; 2] = [
    "SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'",
    "SELECT COUNT AS Value FROM information_schema.INNODB_METRICS WHERE NAME = 'lock_deadlocks'",
];

/// Undo records that are still kept: of MariaDB, and of MySQL.
pub(super) const HISTORY: [&str; 2] = [
    "SHOW GLOBAL STATUS LIKE 'Innodb_history_list_length'",
    "SELECT COUNT AS Value FROM information_schema.INNODB_METRICS \
     WHERE NAME = 'trx_rseg_history_len'",
];

/// How a replica is doing; no row where it is none.
pub(super) const REPLICA: &str = "SHOW REPLICA STATUS";

/// Columns of the selected database that count by themselves. Only of this one:
/// to list all, the server would open every table that it has.
pub(super) const KEYS: &str = "\
SELECT one.TABLE_NAME AS name, one.COLUMN_NAME AS field, one.COLUMN_TYPE AS type, \
whole.AUTO_INCREMENT AS next FROM information_schema.COLUMNS AS one \
JOIN information_schema.TABLES AS whole \
ON whole.TABLE_SCHEMA = one.TABLE_SCHEMA AND whole.TABLE_NAME = one.TABLE_NAME \
WHERE one.TABLE_SCHEMA = DATABASE() AND whole.TABLE_SCHEMA = DATABASE() \
AND one.EXTRA LIKE '%auto_increment%' AND whole.AUTO_INCREMENT IS NOT NULL LIMIT 10000";
