//! Opens a history in a PostgreSQL database that several consoles share.
//!
//! Everything is in a schema of its own, and nothing outside of it is read or written.
//! Whoever writes takes turns with the others by an advisory lock of the transaction,
//! as `BEGIN IMMEDIATE` does in a file, so that no two of them can lock each other out,
//! and what is rolled up is rolled up once.

use super::{
    link::in_turn,
    schema::{ADDED, CREATE, VERSION},
    trouble::Trouble,
};
use crate::secret::Secret;
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection, Postgres, Transaction,
    postgres::PgConnectOptions,
};
use std::{str::FromStr as _, time::Duration};
use tokio::time::timeout;

/// The longest that it may take to be let in.
const CONNECT: Duration = Duration::from_secs(5);
/// What the server ends by itself: a statement, a wait for our turn, and the turn of
/// somebody who was stopped in the middle of it.
const LIMITS: [(&str, &str); 4] = [
    ("search_path", "tminus"),
    ("statement_timeout", "10s"),
    ("lock_timeout", "2s"),
    ("idle_in_transaction_session_timeout", "10s"),
];
/// How a column of a file is written here.
const WORDS: [(&str, &str); 5] = [
    ("id INTEGER PRIMARY KEY", "id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"),
    ("INTEGER", "BIGINT"),
    ("REAL", "DOUBLE PRECISION"),
    (") STRICT, WITHOUT ROWID", ")"),
    (") STRICT", ")"),
];

/// Opens the history, and makes it where there is none.
pub(super) async fn open(url: &Secret) -> Result<PgConnection, Trouble> {
    let mut link = connect(url).await?;
    if !stands(&mut link).await? {
        let mut whole = in_turn(&mut link).await?;
        // Another console may have made it in the meantime.
        if !stands(&mut whole).await? {
            create(&mut whole).await?;
        }
        whole.commit().await?;
    }
    readable(&mut link).await?;
    Ok(link)
}

/// Opens the history that is there.
pub(super) async fn open_as_it_is(url: &Secret) -> Result<PgConnection, Trouble> {
    let mut link = connect(url).await?;
    if !stands(&mut link).await? {
        return Err(Trouble::Other("no history is there yet".into()));
    }
    readable(&mut link).await?;
    Ok(link)
}

async fn connect(url: &Secret) -> Result<PgConnection, Trouble> {
    let options = PgConnectOptions::from_str(url.expose())
        .map_err(|_| Trouble::Other("its url cannot be used".into()))?
        .application_name("tminus history")
        .options(LIMITS)
        .disable_statement_logging();
    let connected = timeout(CONNECT, PgConnection::connect_with(&options)).await;
    Ok(connected.map_err(|_| Trouble::Slow)??)
}

/// Whether our tables are there.
async fn stands(link: &mut PgConnection) -> Result<bool, Trouble> {
    let sql = "SELECT count(*) FROM pg_tables
        WHERE schemaname = 'tminus' AND tablename IN ('layout', 'run')";
    let tables: i64 = sqlx::query_scalar(sql).fetch_one(link).await?;
    Ok(tables == 2)
}

/// Whether they are such that this version understands them.
async fn readable(link: &mut PgConnection) -> Result<(), Trouble> {
    let sql = "SELECT max(version) FROM layout";
    let version: Option<i64> = sqlx::query_scalar(sql).fetch_one(link).await?;
    match version {
        Some(version) if version > i64::from(VERSION) => Err(Trouble::Newer),
        Some(_) => Ok(()),
        None => Err(Trouble::Foreign),
    }
}

/// Makes the schema ours; leaves alone one that has tables.
async fn create(whole: &mut Transaction<'_, Postgres>) -> Result<(), Trouble> {
    let sql = "SELECT (SELECT count(*) FROM pg_namespace WHERE nspname = 'tminus'),
        (SELECT count(*) FROM pg_tables WHERE schemaname = 'tminus')";
    let (schemas, tables): (i64, i64) = sqlx::query_as(sql).fetch_one(&mut **whole).await?;
    if tables > 0 {
        return Err(Trouble::Foreign);
    }
    if schemas == 0 {
        let made = sqlx::raw_sql("CREATE SCHEMA tminus").execute(&mut **whole).await;
        made.map_err(|error| {
            let trouble = Trouble::from(error);
            if trouble == Trouble::Denied { Trouble::NoSchema } else { trouble }
        })?;
    }
    let layout = format!(
        "CREATE TABLE layout (version BIGINT NOT NULL); INSERT INTO layout VALUES ({VERSION});"
    );
    let tables = WORDS
        .into_iter()
        .fold([CREATE, ADDED].concat(), |sql, (theirs, ours)| sql.replace(theirs, ours));
    sqlx::raw_sql(AssertSqlSafe(tables + &layout)).execute(&mut **whole).await?;
    Ok(())
}
