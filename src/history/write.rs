//! Notes into the file, all of a batch or none.

use super::{
    note::{Note, degree, number},
    trouble::Trouble,
};
use crate::domain::{Acceptance, Baseline, Deploy, Timestamp, Verdict};
use sqlx::{Connection as _, Sqlite, SqliteConnection, Transaction};
use std::collections::HashMap;

/// Runs whose evidence is kept, some 100 KiB each; of older ones the rest is.
pub(super) const EVIDENCE: i64 = 100;

/// What kind of session it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Somebody looks at it, and is told when nothing can be kept.
    Console,
    /// One look. Its output is its result, and the log is told.
    Check,
    /// One performance test.
    Test,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Console => "console",
            Self::Check => "check",
            Self::Test => "test",
        }
    }
}

/// Who writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Writer {
    /// This start of the program.
    pub run: String,
    /// What it is.
    pub kind: Kind,
    /// On which host.
    pub host: String,
}

/// Writes batches on one connection.
#[derive(Debug)]
pub(super) struct Pen {
    run: i64,
    series: HashMap<String, i64>,
}

impl Pen {
    /// Enters the run that begins.
    pub(super) async fn begin(
        link: &mut SqliteConnection,
        writer: &Writer,
        now: Timestamp,
    ) -> Result<Self, Trouble> {
        let run = sqlx::query(
            "INSERT INTO run (name, kind, version, host, began, seen) VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind(&writer.run)
        .bind(writer.kind.word())
        .bind(env!("CARGO_PKG_VERSION"))
        .bind(&writer.host)
        .bind(now.0)
        .bind(now.0)
        .execute(link)
        .await?
        .last_insert_rowid();
        Ok(Self { run, series: HashMap::new() })
    }

    /// Writes all of these, or none.
    pub(super) async fn write(
        &mut self,
        link: &mut SqliteConnection,
        notes: &[Note],
        now: Timestamp,
    ) -> Result<(), Trouble> {
        let written = self.batch(link, notes, now).await;
        if written.is_err() {
            self.series.clear(); // those that were new are not there
        }
        written
    }

    async fn batch(
        &mut self,
        link: &mut SqliteConnection,
        notes: &[Note],
        now: Timestamp,
    ) -> Result<(), Trouble> {
        let mut batch = link.begin_with("BEGIN IMMEDIATE").await?;
        for note in notes {
            self.note(&mut batch, note).await?;
        }
        sqlx::query("UPDATE run SET seen = ? WHERE id = ?")
            .bind(now.0)
            .bind(self.run)
            .execute(&mut *batch)
            .await?;
        Ok(batch.commit().await?)
    }

    async fn note(&mut self, batch: &mut Batch<'_>, note: &Note) -> Result<(), Trouble> {
        let query = match note {
            Note::Point { series, at, mark, value } => {
                sqlx::query("INSERT OR IGNORE INTO point (series, at, mark, value) VALUES (?, ?, ?, ?)")
                    .bind(self.series(batch, series).await?)
                    .bind(at.0)
                    .bind(mark.map(number))
                    .bind(*value)
            }
            Note::Transition { check, at, outcome, summary } => {
                sqlx::query("INSERT INTO transition (run, at, series, outcome, summary) VALUES (?, ?, ?, ?, ?)")
                    .bind(self.run)
                    .bind(at.0)
                    .bind(self.series(batch, check).await?)
                    .bind(*outcome)
                    .bind(summary)
            }
            Note::Standing { check, severity, since, blocked } => {
                sqlx::query("INSERT OR REPLACE INTO standing (series, severity, since, blocked) VALUES (?, ?, ?, ?)")
                    .bind(self.series(batch, check).await?)
                    .bind(degree(*severity))
                    .bind(since.0)
                    .bind(blocked.map(|blocked| blocked.0))
            }
            Note::Event { at, check, mark, text } => {
                let series = match check {
                    Some(check) => Some(self.series(batch, check).await?),
                    None => None,
                };
                sqlx::query("INSERT INTO event (run, at, series, mark, text) VALUES (?, ?, ?, ?, ?)")
                    .bind(self.run)
                    .bind(at.0)
                    .bind(series)
                    .bind(mark.map(number))
                    .bind(text)
            }
            Note::Verdict { verdict, score, coverage } => {
                return self.verdict(batch, verdict, [*score, *coverage]).await;
            }
            Note::Evidence { at, snapshot } => return self.evidence(batch, *at, snapshot).await,
            Note::Baseline { baseline, snapshot } => return taken(batch, baseline, snapshot).await,
            Note::Accepted { at, acceptance } => return answered(batch, *at, acceptance).await,
            Note::Served { at, app, version } => return served(batch, *at, [app, version]).await,
            Note::Deploy { app, deploy } => {
                return self.deploy(batch, app.as_deref(), deploy).await;
            }
            Note::Test { at, test, record } => {
                sqlx::query("INSERT INTO test (run, at, test, record) VALUES (?, ?, ?, ?)")
                    .bind(self.run)
                    .bind(at.0)
                    .bind(test)
                    .bind(record)
            }
        };
        query.execute(&mut **batch).await?;
        Ok(())
    }

    async fn deploy(
        &self,
        batch: &mut Batch<'_>,
        app: Option<&str>,
        deploy: &Deploy,
    ) -> Result<(), Trouble> {
        sqlx::query(
            "INSERT OR REPLACE INTO deploy (at, run, app, version, was) VALUES (?, ?, ?, ?, ?)",
        )
        .bind(deploy.wall.0)
        .bind(self.run)
        .bind(app)
        .bind(deploy.version.as_deref())
        .bind(deploy.was.as_deref())
        .execute(&mut **batch)
        .await?;
        Ok(())
    }

    async fn verdict(
        &self,
        batch: &mut Batch<'_>,
        verdict: &Verdict,
        [score, coverage]: [Option<u8>; 2],
    ) -> Result<(), Trouble> {
        sqlx::query(
            "UPDATE run SET word = ?, rule = ?, reason = ?, score = ?, coverage = ? WHERE id = ?",
        )
        .bind(verdict.word.as_str())
        .bind(verdict.rule.number())
        .bind(&verdict.reason)
        .bind(score)
        .bind(coverage)
        .bind(self.run)
        .execute(&mut **batch)
        .await?;
        Ok(())
    }

    /// Keeps what this run knows, and forgets what the oldest knew.
    async fn evidence(
        &self,
        batch: &mut Batch<'_>,
        at: Timestamp,
        snapshot: &str,
    ) -> Result<(), Trouble> {
        sqlx::query("INSERT OR REPLACE INTO evidence (run, at, snapshot) VALUES (?, ?, ?)")
            .bind(self.run)
            .bind(at.0)
            .bind(snapshot)
            .execute(&mut **batch)
            .await?;
        sqlx::query(
            "DELETE FROM evidence WHERE run NOT IN
                (SELECT run FROM evidence ORDER BY at DESC, run DESC LIMIT ?)",
        )
        .bind(EVIDENCE)
        .execute(&mut **batch)
        .await?;
        Ok(())
    }

    /// The number of a series, given to it if it is new.
    async fn series(&mut self, batch: &mut Batch<'_>, name: &str) -> Result<i64, Trouble> {
        if let Some(id) = self.series.get(name) {
            return Ok(*id);
        }
        sqlx::query("INSERT OR IGNORE INTO series (name) VALUES (?)")
            .bind(name)
            .execute(&mut **batch)
            .await?;
        let id = sqlx::query_scalar("SELECT id FROM series WHERE name = ?")
            .bind(name)
            .fetch_one(&mut **batch)
            .await?;
        self.series.insert(name.to_owned(), id);
        Ok(id)
    }
}

async fn taken(batch: &mut Batch<'_>, baseline: &Baseline, snapshot: &str) -> Result<(), Trouble> {
    sqlx::query("INSERT OR REPLACE INTO baseline (name, at, host, snapshot) VALUES (?, ?, ?, ?)")
        .bind(&baseline.name)
        .bind(baseline.at.0)
        .bind(&baseline.host)
        .bind(snapshot)
        .execute(&mut **batch)
        .await?;
    Ok(())
}

async fn answered(
    batch: &mut Batch<'_>,
    at: Timestamp,
    acceptance: &Acceptance,
) -> Result<(), Trouble> {
    let Acceptance { check, reason, owner, until, .. } = acceptance;
    let query = if *until <= at {
        sqlx::query("DELETE FROM accepted WHERE name = ?").bind(check.as_str())
    } else {
        let sql = "INSERT OR REPLACE INTO accepted (name, reason, owner, until, at)
            VALUES (?, ?, ?, ?, ?)";
        let query = sqlx::query(sql).bind(check.as_str()).bind(reason).bind(owner.as_deref());
        query.bind(until.0).bind(at.0)
    };
    query.execute(&mut **batch).await?;
    Ok(())
}

async fn served(
    batch: &mut Batch<'_>,
    at: Timestamp,
    [app, version]: [&str; 2],
) -> Result<(), Trouble> {
    sqlx::query("INSERT OR REPLACE INTO served (app, version, at) VALUES (?, ?, ?)")
        .bind(app)
        .bind(version)
        .bind(at.0)
        .execute(&mut **batch)
        .await?;
    Ok(())
}

type Batch<'a> = Transaction<'a, Sqlite>;
