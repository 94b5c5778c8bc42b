//! One connection to a history, whichever store it is in, and what is asked over it.
//!
//! Every statement is written once, in what both understand: `$1` for what is bound, and
//! `ON CONFLICT` for what is there already. Where the two differ, [`Link`] says how.

use super::trouble::Trouble;
use sqlx::{
    AssertSqlSafe, Connection as _, PgConnection, Postgres, Row as _, Sqlite, SqliteConnection,
    Transaction, postgres::PgRow, sqlite::SqliteRow,
};
use std::borrow::Cow;

/// What writers of one database take turns by: `tminus`, as a number.
const TURN: i64 = 0x0000_746d_696e_7573;

/// The only connection of a session.
pub(super) enum Link {
    /// To a file.
    File(SqliteConnection),
    /// To a database that several consoles share.
    Shared(PgConnection),
}

/// All of it or nothing, and nobody else writes meanwhile.
pub(super) enum Whole<'a> {
    File(Transaction<'a, Sqlite>),
    Shared(Transaction<'a, Postgres>),
}

/// Where something is asked: on a connection, or within its transaction.
pub(super) enum At<'a> {
    File(&'a mut SqliteConnection),
    Shared(&'a mut PgConnection),
}

impl Link {
    pub(super) fn at(&mut self) -> At<'_> {
        match self {
            Self::File(link) => At::File(link),
            Self::Shared(link) => At::Shared(link),
        }
    }

    /// Begins to write, once nobody else does.
    pub(super) async fn begin(&mut self) -> Result<Whole<'_>, Trouble> {
        Ok(match self {
            Self::File(link) => Whole::File(link.begin_with("BEGIN IMMEDIATE").await?),
            Self::Shared(link) => Whole::Shared(in_turn(link).await?),
        })
    }

    /// Bytes in use. A server is asked for those of its rows only where its files hold more
    /// than `most`: room of rows that went stays in them, for those that come.
    pub(super) async fn size(&mut self, most: u64) -> Result<u64, Trouble> {
        let used = match self {
            Self::File(_) => PAGES,
            Self::Shared(_) => FILES,
        };
        let mut bytes: i64 = ask(used).scalar(self.at()).await?.unwrap_or_default();
        if let Self::Shared(_) = self
            && bytes.unsigned_abs() > most
        {
            bytes = ask(ROWS).scalar(self.at()).await?.unwrap_or_default();
        }
        Ok(u64::try_from(bytes).unwrap_or(0))
    }

    /// Gives room back that is not needed any more. A server does that by itself.
    pub(super) async fn give_back(&mut self) -> Result<(), Trouble> {
        if let Self::File(link) = self {
            sqlx::raw_sql(GIVE_BACK).execute(&mut *link).await?;
        }
        Ok(())
    }

    /// The first thing that is wrong with the store itself, if anything is. A server looks
    /// after its own.
    pub(super) async fn damage(&mut self) -> Result<Option<String>, Trouble> {
        match self {
            Self::File(_) => {
                let said: Option<String> = ask("PRAGMA quick_check(1)").scalar(self.at()).await?;
                Ok(said.filter(|said| said != "ok"))
            }
            Self::Shared(_) => Ok(None),
        }
    }

    /// Whether those tables are all there.
    pub(super) async fn has(&mut self, tables: &[&str]) -> Result<bool, Trouble> {
        let sql = match self {
            Self::File(_) => "SELECT count(*) FROM sqlite_schema WHERE name = $1",
            Self::Shared(_) => {
                "SELECT count(*) FROM pg_tables WHERE schemaname = 'tminus' AND tablename = $1"
            }
        };
        for table in tables {
            let count: Option<i64> = ask(sql).bind(*table).scalar(self.at()).await?;
            if count != Some(1) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

const PAGES: &str = "SELECT (page_count - freelist_count) * page_size
    FROM pragma_page_count, pragma_freelist_count, pragma_page_size";
const GIVE_BACK: &str = "PRAGMA incremental_vacuum(20000); PRAGMA wal_checkpoint(TRUNCATE)";
const FILES: &str = "SELECT CAST(coalesce(sum(pg_total_relation_size(oid)), 0) AS BIGINT)
    FROM pg_class WHERE relnamespace = 'tminus'::regnamespace AND relkind = 'r'";
/// With 28 bytes for the head of each.
const ROWS: &str = "SELECT CAST(coalesce(sum(bytes), 0) AS BIGINT) FROM (
    SELECT sum(28 + pg_column_size(point.*)) AS bytes FROM point
    UNION ALL SELECT sum(28 + pg_column_size(rollup.*)) FROM rollup
    UNION ALL SELECT sum(28 + pg_column_size(transition.*)) FROM transition
    UNION ALL SELECT sum(28 + pg_column_size(event.*)) FROM event
    UNION ALL SELECT sum(28 + pg_column_size(test.*)) FROM test
    UNION ALL SELECT sum(28 + pg_column_size(run.*)) FROM run
    UNION ALL SELECT sum(28 + pg_column_size(evidence.*)) FROM evidence
    UNION ALL SELECT sum(28 + pg_column_size(baseline.*)) FROM baseline) AS rows_of_all";

/// A transaction in which its connection is the only one that writes.
pub(super) async fn in_turn(link: &mut PgConnection) -> Result<Transaction<'_, Postgres>, Trouble> {
    let mut whole = link.begin().await?;
    let take = "SELECT pg_advisory_xact_lock($1)";
    sqlx::query(take).bind(TURN).execute(&mut *whole).await?;
    Ok(whole)
}

impl Whole<'_> {
    pub(super) fn at(&mut self) -> At<'_> {
        match self {
            Self::File(whole) => At::File(whole),
            Self::Shared(whole) => At::Shared(whole),
        }
    }

    pub(super) async fn commit(self) -> Result<(), Trouble> {
        match self {
            Self::File(whole) => whole.commit().await?,
            Self::Shared(whole) => whole.commit().await?,
        }
        Ok(())
    }
}

/// A statement and what is bound in it.
pub(super) struct Ask {
    sql: Cow<'static, str>,
    bound: Vec<Value>,
}

/// What can be bound.
pub(super) enum Value {
    Int(Option<i64>),
    Real(Option<f64>),
    Text(Option<String>),
}

pub(super) fn ask(sql: impl Into<Cow<'static, str>>) -> Ask {
    Ask { sql: sql.into(), bound: Vec::new() }
}

/// A statement with all that it holds, for either driver.
macro_rules! query {
    ($ask:expr) => {
        $ask.bound.into_iter().fold(
            sqlx::query(AssertSqlSafe($ask.sql.into_owned())),
            |query, value| match value {
                Value::Int(int) => query.bind(int),
                Value::Real(real) => query.bind(real),
                Value::Text(text) => query.bind(text),
            },
        )
    };
}

impl Ask {
    pub(super) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.bound.push(value.into());
        self
    }

    /// Does it; tells how many rows it changed.
    pub(super) async fn execute(self, at: At<'_>) -> Result<u64, Trouble> {
        Ok(match at {
            At::File(link) => query!(self).execute(link).await?.rows_affected(),
            At::Shared(link) => query!(self).execute(link).await?.rows_affected(),
        })
    }

    pub(super) async fn rows(self, at: At<'_>) -> Result<Vec<Row>, Trouble> {
        Ok(match at {
            At::File(link) => {
                query!(self).fetch_all(link).await?.into_iter().map(Row::File).collect()
            }
            At::Shared(link) => {
                query!(self).fetch_all(link).await?.into_iter().map(Row::Shared).collect()
            }
        })
    }

    /// The first value of the first row, if there is one and it is not null.
    pub(super) async fn scalar<T: Readable>(self, at: At<'_>) -> Result<Option<T>, Trouble> {
        match self.rows(at).await?.first() {
            Some(row) => row.get(0),
            None => Ok(None),
        }
    }
}

/// What comes back.
pub(super) enum Row {
    File(SqliteRow),
    Shared(PgRow),
}

impl Row {
    /// What a column holds; `None` where that is null.
    pub(super) fn get<T: Readable>(&self, column: usize) -> Result<Option<T>, Trouble> {
        T::read(self, column)
    }

    /// What a column holds that is never null.
    pub(super) fn must<T: Readable>(&self, column: usize) -> Result<T, Trouble> {
        self.get(column)?.ok_or(Trouble::Damaged)
    }
}

/// What both stores can hold.
pub(super) trait Readable: Sized {
    fn read(row: &Row, column: usize) -> Result<Option<Self>, Trouble>;
}

macro_rules! readable {
    ($($kind:ty),+) => {
        $(impl Readable for $kind {
            fn read(row: &Row, column: usize) -> Result<Option<Self>, Trouble> {
                Ok(match row {
                    Row::File(row) => row.try_get(column)?,
                    Row::Shared(row) => row.try_get(column)?,
                })
            }
        }

        impl From<$kind> for Value {
            fn from(value: $kind) -> Self {
                Some(value).into()
            }
        })+
    };
}

readable!(i64, f64, String);

impl From<Option<i64>> for Value {
    fn from(value: Option<i64>) -> Self {
        Self::Int(value)
    }
}

impl From<Option<f64>> for Value {
    fn from(value: Option<f64>) -> Self {
        Self::Real(value)
    }
}

/// A server takes no zero in a text, and a batch must not fail for good for one.
impl From<Option<String>> for Value {
    fn from(value: Option<String>) -> Self {
        Self::Text(value.map(|text| text.replace('\0', "")))
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<Option<&str>> for Value {
    fn from(text: Option<&str>) -> Self {
        text.map(ToOwned::to_owned).into()
    }
}
