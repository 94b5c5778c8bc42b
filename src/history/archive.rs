//! Reads what is kept, for people who ask about the past. Writes nothing.

use super::{file, note::severity, trim::size, trouble::Trouble};
use crate::domain::{
    Annals, CheckId, KnownRun, Snapshot, Stood, Tally, Timestamp, Turn, perf::Record,
};
use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};
use std::{path::Path, time::Duration};
use tokio::time::timeout;

/// Turns that are told of one check.
const TURNS: i64 = 8;
/// Runs that are listed.
const RUNS: i64 = 200;
/// Results of tests that are looked through for the last of each.
const TESTS: i64 = 500;
/// The longest that a question may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A history that is read.
pub struct Archive {
    link: SqliteConnection,
    /// Whether it has a place for evidence: a file from before there was one has not.
    has_evidence: bool,
}

/// How a history is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Condition {
    /// Bytes in use.
    pub bytes: u64,
    /// Runs that it knows.
    pub runs: u64,
    /// When the oldest of them began.
    pub oldest: Option<Timestamp>,
    /// The first thing that is wrong with it, if anything is.
    pub damage: Option<String>,
}

impl Archive {
    /// Opens the history at `path` as it is. An error is a clause.
    pub async fn open(path: &Path) -> Result<Self, String> {
        timely(async {
            let mut link = file::open_as_it_is(path).await?;
            let sql = "SELECT count(*) FROM sqlite_schema WHERE name = 'evidence'";
            let tables: i64 = sqlx::query_scalar(sql).fetch_one(&mut link).await?;
            Ok(Self { link, has_evidence: tables > 0 })
        })
        .await
    }

    /// What is known of `check`.
    pub async fn annals(&mut self, check: &CheckId) -> Result<Annals, String> {
        let link = &mut self.link;
        timely(async {
            let (first, tally) = counted(link, check).await?;
            Ok(Annals {
                first,
                tally,
                stood: stood(link, check).await?,
                turns: turns(link, check).await?,
            })
        })
        .await
    }

    /// The runs that are known, the newest first.
    pub async fn runs(&mut self) -> Result<Vec<KnownRun>, String> {
        let kept = if self.has_evidence {
            "EXISTS (SELECT 1 FROM evidence WHERE run = run.id)"
        } else {
            "0"
        };
        let sql = format!(
            "SELECT name, kind, version, host, began, seen, word, score, {kept} FROM run
             ORDER BY began DESC, id DESC LIMIT {RUNS}"
        );
        timely(async {
            let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(&mut self.link).await?;
            rows.iter().map(known).collect()
        })
        .await
    }

    /// What the run of that name knew at its end, if that is kept and can be read.
    pub async fn evidence(&mut self, run: &str) -> Result<Option<Snapshot>, String> {
        if !self.has_evidence {
            return Ok(None);
        }
        timely(async {
            let sql = "SELECT snapshot FROM evidence JOIN run ON run = run.id WHERE name = ?
                ORDER BY at DESC LIMIT 1";
            let text: Option<String> =
                sqlx::query_scalar(sql).bind(run).fetch_optional(&mut self.link).await?;
            let read = |text: String| serde_json::from_str(&text);
            text.map(read).transpose().map_err(|error| {
                tracing::warn!(%error, "the evidence of a run");
                Trouble::Other("another version wrote the evidence of that run".into())
            })
        })
        .await
    }

    /// The last result of each performance test on each target, the newest first, of
    /// those that had begun at `until`.
    pub async fn tests(&mut self, until: Timestamp) -> Result<Vec<Record>, String> {
        timely(async {
            let sql = "SELECT record FROM test WHERE at <= ? ORDER BY at DESC LIMIT ?";
            let texts: Vec<String> =
                sqlx::query_scalar(sql).bind(until.0).bind(TESTS).fetch_all(&mut self.link).await?;
            let mut last: Vec<Record> = Vec::new();
            for record in texts.iter().filter_map(|text| serde_json::from_str::<Record>(text).ok())
            {
                let same = |it: &Record| it.test == record.test && it.target == record.target;
                if !last.iter().any(same) {
                    last.push(record);
                }
            }
            Ok(last)
        })
        .await
    }

    /// How the file is.
    pub async fn condition(&mut self) -> Result<Condition, String> {
        let link = &mut self.link;
        timely(async {
            let bytes = size(link).await?;
            let row =
                sqlx::query("SELECT count(*), min(began) FROM run").fetch_one(&mut *link).await?;
            let runs: i64 = row.try_get(0)?;
            let said: String =
                sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(&mut *link).await?;
            Ok(Condition {
                bytes,
                runs: runs.unsigned_abs(),
                oldest: row.try_get::<Option<i64>, _>(1)?.map(Timestamp),
                damage: (said != "ok").then_some(said),
            })
        })
        .await
    }
}

/// When a check was first seen, and how its runs ended.
async fn counted(
    link: &mut SqliteConnection,
    check: &CheckId,
) -> Result<(Option<Timestamp>, Tally), Trouble> {
    let sql = "SELECT min(at), sum(pass), sum(warn), sum(fail), sum(unknown), sum(skipped) FROM (
        SELECT at, mark = 0 AS pass, mark = 1 AS warn, mark = 2 AS fail, mark = 3 AS unknown,
            mark = 4 AS skipped
        FROM point JOIN series ON series = id WHERE name = ?1 AND mark IS NOT NULL
        UNION ALL SELECT at, passed, warned, failed, unknown, skipped
        FROM rollup JOIN series ON series = id WHERE name = ?1)";
    let row = sqlx::query(sql).bind(check.as_str()).fetch_one(link).await?;
    let sum = |column: usize| -> Result<u64, Trouble> {
        Ok(row.try_get::<Option<i64>, _>(column)?.unwrap_or(0).unsigned_abs())
    };
    let tally =
        Tally { pass: sum(1)?, warn: sum(2)?, fail: sum(3)?, unknown: sum(4)?, skipped: sum(5)? };
    Ok((row.try_get::<Option<i64>, _>(0)?.map(Timestamp), tally))
}

async fn stood(link: &mut SqliteConnection, check: &CheckId) -> Result<Option<Stood>, Trouble> {
    let sql =
        "SELECT severity, since, blocked FROM standing JOIN series ON series = id WHERE name = ?";
    let Some(row) = sqlx::query(sql).bind(check.as_str()).fetch_optional(link).await? else {
        return Ok(None);
    };
    let since = Timestamp(row.try_get(1)?);
    let blocked = row.try_get::<Option<i64>, _>(2)?.map(Timestamp);
    Ok(severity(row.try_get(0)?).map(|severity| Stood { severity, since, blocked }))
}

async fn turns(link: &mut SqliteConnection, check: &CheckId) -> Result<Vec<Turn>, Trouble> {
    let sql = "SELECT at, outcome, summary FROM transition JOIN series ON series = series.id
        WHERE name = ? ORDER BY at DESC, transition.id DESC LIMIT ?";
    let rows = sqlx::query(sql).bind(check.as_str()).bind(TURNS).fetch_all(link).await?;
    let turn = |row: &SqliteRow| -> Result<Turn, Trouble> {
        Ok(Turn {
            at: Timestamp(row.try_get(0)?),
            outcome: row.try_get(1)?,
            summary: row.try_get(2)?,
        })
    };
    rows.iter().map(turn).collect()
}

fn known(row: &SqliteRow) -> Result<KnownRun, Trouble> {
    let score: Option<i64> = row.try_get(7)?;
    Ok(KnownRun {
        name: row.try_get(0)?,
        kind: row.try_get(1)?,
        version: row.try_get(2)?,
        host: row.try_get(3)?,
        began: Timestamp(row.try_get(4)?),
        seen: Timestamp(row.try_get(5)?),
        word: row.try_get(6)?,
        score: score.and_then(|score| u8::try_from(score).ok()),
        evidence: row.try_get(8)?,
    })
}

/// Nobody waits longer for a disk than our patience. An error is a clause.
async fn timely<T>(work: impl Future<Output = Result<T, Trouble>>) -> Result<T, String> {
    let done = timeout(PATIENCE, work).await.unwrap_or(Err(Trouble::Slow));
    done.map_err(|trouble| trouble.to_string())
}
