//! Reads what is kept, for people who ask about the past. Writes nothing.

use super::{
    link::{Link, Row, ask},
    note::severity,
    store::Place,
    timely,
    trouble::Trouble,
};
use crate::domain::{
    Annals, CheckId, KnownRun, Snapshot, Stood, Tally, Timestamp, Turn, perf::Record,
};

/// Turns that are told of one check.
const TURNS: i64 = 8;
/// Runs that are listed.
const RUNS: i64 = 200;
/// Results of tests that are looked through for the last of each.
const TESTS: i64 = 500;

/// A history that is read.
pub struct Archive {
    link: Link,
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
    /// Opens the history at `place` as it is. An error is a clause.
    pub async fn open(place: &Place) -> Result<Self, String> {
        timely(async {
            let mut link = place.open_as_it_is().await?;
            let has_evidence = link.has(&["evidence"]).await?;
            Ok(Self { link, has_evidence })
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
            "(SELECT count(*) FROM evidence WHERE run = run.id)"
        } else {
            "CAST(0 AS BIGINT)"
        };
        let sql = format!(
            "SELECT name, kind, version, host, began, seen, word, score, {kept} FROM run
             ORDER BY began DESC, id DESC LIMIT {RUNS}"
        );
        timely(async { ask(sql).rows(self.link.at()).await?.iter().map(known).collect() }).await
    }

    /// What the run of that name knew at its end, if that is kept and can be read.
    pub async fn evidence(&mut self, run: &str) -> Result<Option<Snapshot>, String> {
        if !self.has_evidence {
            return Ok(None);
        }
        timely(async {
            let sql = "SELECT snapshot FROM evidence JOIN run ON run = run.id WHERE name = $1
                ORDER BY at DESC LIMIT 1";
            let text: Option<String> = ask(sql).bind(run).scalar(self.link.at()).await?;
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
            let mut last: Vec<Record> = Vec::new();
            for record in self.tested(until).await? {
                let same = |it: &Record| it.test == record.test && it.target == record.target;
                if !last.iter().any(same) {
                    last.push(record);
                }
            }
            Ok(last)
        })
        .await
    }

    /// The results of performance tests, the newest first, 500 at most.
    pub async fn results(&mut self) -> Result<Vec<Record>, String> {
        timely(self.tested(Timestamp(i64::MAX))).await
    }

    async fn tested(&mut self, until: Timestamp) -> Result<Vec<Record>, Trouble> {
        let sql = "SELECT record FROM test WHERE at <= $1 ORDER BY at DESC LIMIT $2";
        let rows = ask(sql).bind(until.0).bind(TESTS).rows(self.link.at()).await?;
        let texts = rows.iter().filter_map(|row| row.must::<String>(0).ok());
        Ok(texts.filter_map(|text| serde_json::from_str(&text).ok()).collect())
    }

    /// How the file is.
    pub async fn condition(&mut self) -> Result<Condition, String> {
        let link = &mut self.link;
        timely(async {
            let bytes = link.size(0).await?;
            let rows = ask("SELECT count(*), min(began) FROM run").rows(link.at()).await?;
            let row = rows.first().ok_or(Trouble::Damaged)?;
            Ok(Condition {
                bytes,
                runs: row.must::<i64>(0)?.unsigned_abs(),
                oldest: row.get(1)?.map(Timestamp),
                damage: link.damage().await?,
            })
        })
        .await
    }
}

/// When a check was first seen, and how its runs ended.
async fn counted(link: &mut Link, check: &CheckId) -> Result<(Option<Timestamp>, Tally), Trouble> {
    let row = ask(COUNTED).bind(check.as_str()).rows(link.at()).await?;
    let row = row.first().ok_or(Trouble::Damaged)?;
    let sum = |column: usize| -> Result<u64, Trouble> {
        Ok(row.get::<i64>(column)?.unwrap_or(0).unsigned_abs())
    };
    let tally =
        Tally { pass: sum(1)?, warn: sum(2)?, fail: sum(3)?, unknown: sum(4)?, skipped: sum(5)? };
    Ok((row.get(0)?.map(Timestamp), tally))
}

const COUNTED: &str = "SELECT min(at), CAST(sum(pass) AS BIGINT), CAST(sum(warn) AS BIGINT),
    CAST(sum(fail) AS BIGINT), CAST(sum(unknown) AS BIGINT), CAST(sum(skipped) AS BIGINT) FROM (
        SELECT min(at) AS at, count(*) FILTER (WHERE mark = 0) AS pass,
            count(*) FILTER (WHERE mark = 1) AS warn, count(*) FILTER (WHERE mark = 2) AS fail,
            count(*) FILTER (WHERE mark = 3) AS unknown,
            count(*) FILTER (WHERE mark = 4) AS skipped
        FROM point JOIN series ON series = id WHERE name = $1 AND mark IS NOT NULL
        UNION ALL SELECT at, passed, warned, failed, unknown, skipped
        FROM rollup JOIN series ON series = id WHERE name = $1) AS each";

async fn stood(link: &mut Link, check: &CheckId) -> Result<Option<Stood>, Trouble> {
    let sql =
        "SELECT severity, since, blocked FROM standing JOIN series ON series = id WHERE name = $1";
    let rows = ask(sql).bind(check.as_str()).rows(link.at()).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let (since, blocked) = (Timestamp(row.must(1)?), row.get(2)?.map(Timestamp));
    Ok(severity(row.must(0)?).map(|severity| Stood { severity, since, blocked }))
}

async fn turns(link: &mut Link, check: &CheckId) -> Result<Vec<Turn>, Trouble> {
    let sql = "SELECT at, outcome, summary FROM transition JOIN series ON series = series.id
        WHERE name = $1 ORDER BY at DESC, transition.id DESC LIMIT $2";
    let rows = ask(sql).bind(check.as_str()).bind(TURNS).rows(link.at()).await?;
    let turn = |row: &Row| -> Result<Turn, Trouble> {
        Ok(Turn { at: Timestamp(row.must(0)?), outcome: row.must(1)?, summary: row.must(2)? })
    };
    rows.iter().map(turn).collect()
}

fn known(row: &Row) -> Result<KnownRun, Trouble> {
    let score: Option<i64> = row.get(7)?;
    Ok(KnownRun {
        name: row.must(0)?,
        kind: row.must(1)?,
        version: row.must(2)?,
        host: row.must(3)?,
        began: Timestamp(row.must(4)?),
        seen: Timestamp(row.must(5)?),
        word: row.get(6)?,
        score: score.and_then(|score| u8::try_from(score).ok()),
        evidence: row.must::<i64>(8)? > 0,
    })
}
