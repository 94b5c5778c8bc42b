//! Sessions: those under load, and the one that keeps the table.

use super::{super::sqlite::Stand, LoadTable, Operation, Plain, Unable};
use sqlx::{
    Connection as _, MySqlConnection, PgConnection, SqliteConnection, mysql::MySqlDatabaseError,
    sqlite::SqliteError,
};
use std::time::Duration;
use tokio::time::timeout;

/// What a session says when it ends; the server would notice without it too.
const FAREWELL: Duration = Duration::from_millis(500);

/// One session under load.
#[derive(Debug)]
pub enum Session {
    /// Of PostgreSQL without TLS: what the client takes of the processor is little.
    Plain(Box<Plain>),
    /// Of a driver.
    Driven(Link),
}

/// One session of a driver.
#[derive(Debug)]
pub enum Link {
    /// Of PostgreSQL.
    Postgres(PgConnection),
    /// Of MySQL or MariaDB.
    MySql(MySqlConnection),
    /// Of SQLite, with a thread of its own.
    Sqlite(SqliteConnection),
}

/// The session that a table belongs to, and the lock that goes with it.
#[derive(Debug)]
pub struct Keeper {
    pub(super) link: Link,
    /// Where an SQLite has its files.
    pub(super) stand: Option<Stand>,
}

impl Keeper {
    /// Lets go of it. What is in a directory of ours is gone then.
    pub async fn close(self) {
        self.link.close().await;
    }
}

impl Session {
    /// Does one operation as a prepared statement, to its last row; says how many rows
    /// it touched.
    ///
    /// # Errors
    ///
    /// The code under which to count it, and whether the session is of no more use.
    pub async fn run(
        &mut self,
        table: &LoadTable,
        what: Operation,
        value: i64,
    ) -> Result<u64, Unable> {
        match self {
            Self::Plain(plain) => plain.run(table, what, value).await,
            Self::Driven(link) => link.run(table, what, value).await,
        }
    }

    /// Says goodbye.
    pub async fn close(self) {
        match self {
            // The server would notice without it too.
            Self::Plain(plain) => drop(timeout(FAREWELL, plain.close()).await),
            Self::Driven(link) => link.close().await,
        }
    }
}

impl Link {
    async fn run(&mut self, table: &LoadTable, what: Operation, value: i64) -> Result<u64, Unable> {
        let query = table.statement(what).clone();
        let ended = match self {
            Self::Postgres(link) => {
                let done = sqlx::query(query).bind(value).execute(link).await;
                done.map(|done| done.rows_affected())
            }
            Self::MySql(link) => {
                let done = sqlx::query(query).bind(value).execute(link).await;
                done.map(|done| done.rows_affected())
            }
            Self::Sqlite(link) => {
                let done = sqlx::query(query).bind(value).execute(link).await;
                done.map(|done| done.rows_affected())
            }
        };
        ended.map_err(|error| failed(&error))
    }

    /// Says goodbye.
    pub async fn close(self) {
        // The server would notice without it too.
        match self {
            Self::Postgres(link) => drop(timeout(FAREWELL, link.close()).await),
            Self::MySql(link) => drop(timeout(FAREWELL, link.close()).await),
            Self::Sqlite(link) => drop(timeout(FAREWELL, link.close()).await),
        }
    }
}

/// What it means that an operation failed.
fn failed(error: &sqlx::Error) -> Unable {
    let (class, broken) = match error.as_database_error() {
        Some(refusal) => {
            let code = refusal.code().unwrap_or_default();
            if let Some(mysql) = refusal.try_downcast_ref::<MySqlDatabaseError>() {
                // 1053: the server shuts down; 1927: the connection was killed.
                (mysql.number().to_string(), matches!(mysql.number(), 1053 | 1927))
            } else if refusal.try_downcast_ref::<SqliteError>().is_some() {
                (format!("SQLite {code}"), false)
            } else {
                (code.to_string(), code.starts_with("57P"))
            }
        }
        None => ("closed".into(), true),
    };
    Unable { says: format!("the server answered {class}"), hint: String::new(), class, broken }
}
