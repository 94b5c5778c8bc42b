//! One session under load.

use super::{super::sqlite::Stand, LoadTable, Operation, Unable};
use futures_util::{TryStreamExt as _, stream::BoxStream};
use sqlx::{
    Connection as _, Either, Executor as _, MySqlConnection, PgConnection, SqliteConnection,
    mysql::MySqlDatabaseError,
    postgres::{PgQueryResult, PgRow},
    sqlite::SqliteError,
};
use std::time::Duration;
use tokio::time::timeout;

/// What a session says when it ends; the server would notice without it too.
const FAREWELL: Duration = Duration::from_millis(500);

/// What a PostgreSQL answers: rows, and how many it touched.
type Answers<'a> = BoxStream<'a, Result<Either<PgQueryResult, PgRow>, sqlx::Error>>;

/// One session.
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

impl Link {
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
        let sql = table.statement(what);
        let ended = match self {
            Self::Postgres(link) => touched(link.fetch_many(sqlx::query(sql).bind(value))).await,
            Self::MySql(link) => {
                sqlx::query(sql).bind(value).execute(link).await.map(|done| done.rows_affected())
            }
            Self::Sqlite(link) => {
                sqlx::query(sql).bind(value).execute(link).await.map(|done| done.rows_affected())
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

/// Goes through the answers to a statement: `execute` wraps them twice more, and that is
/// time of ours in each measurement.
async fn touched(mut answers: Answers<'_>) -> Result<u64, sqlx::Error> {
    let mut rows = 0;
    while let Some(answer) = answers.try_next().await? {
        rows += answer.left().map_or(0, |done| done.rows_affected());
    }
    Ok(rows)
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
