//! Notes into the file, all of a batch or none.

use super::{
    link::{Ask, Link, Whole, ask},
    note::{Note, degree, number},
    trouble::Trouble,
};
use crate::domain::{Acceptance, Baseline, Deploy, Timestamp, Verdict};
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
    /// Enters the run that begins, or goes on with it after a connection was lost.
    pub(super) async fn begin(
        link: &mut Link,
        writer: &Writer,
        now: Timestamp,
    ) -> Result<Self, Trouble> {
        let mut whole = link.begin().await?;
        let known = ask("SELECT max(id) FROM run WHERE name = $1").bind(&*writer.run);
        let run = match known.scalar(whole.at()).await? {
            Some(run) => run,
            None => enter(&mut whole, writer, now).await?,
        };
        whole.commit().await?;
        Ok(Self { run, series: HashMap::new() })
    }

    /// Writes all of these, or none.
    pub(super) async fn write(
        &mut self,
        link: &mut Link,
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
        link: &mut Link,
        notes: &[Note],
        now: Timestamp,
    ) -> Result<(), Trouble> {
        let mut batch = link.begin().await?;
        for note in notes {
            self.note(&mut batch, note).await?;
        }
        let seen = ask("UPDATE run SET seen = $1 WHERE id = $2").bind(now.0).bind(self.run);
        if seen.execute(batch.at()).await? == 0 {
            return Err(Trouble::Damaged); // somebody has removed it
        }
        batch.commit().await
    }

    /// What is written again, after a commit of which nobody knows whether it was done,
    /// is there once.
    async fn note(&mut self, batch: &mut Whole<'_>, note: &Note) -> Result<(), Trouble> {
        let ask = match note {
            Note::Point { series, at, mark, value } => ask(POINT)
                .bind(self.series(batch, series).await?)
                .bind(at.0)
                .bind(mark.map(number))
                .bind(*value),
            Note::Transition { check, at, outcome, summary } => ask(TRANSITION)
                .bind(self.run)
                .bind(at.0)
                .bind(self.series(batch, check).await?)
                .bind(*outcome)
                .bind(&**summary),
            Note::Standing { check, severity, since, blocked } => ask(STANDING)
                .bind(self.series(batch, check).await?)
                .bind(degree(*severity))
                .bind(since.0)
                .bind(blocked.map(|blocked| blocked.0)),
            Note::Event { at, check, mark, text } => {
                let series = match check {
                    Some(check) => Some(self.series(batch, check).await?),
                    None => None,
                };
                let ask = ask(EVENT).bind(self.run).bind(at.0).bind(series);
                ask.bind(mark.map(number)).bind(&**text)
            }
            Note::Verdict { verdict, score, coverage } => {
                self.verdict(verdict, [*score, *coverage])
            }
            Note::Evidence { at, snapshot } => return self.evidence(batch, *at, snapshot).await,
            Note::Baseline { baseline, snapshot } => taken(baseline, snapshot),
            Note::Accepted { at, acceptance } => answered(*at, acceptance),
            Note::Served { at, app, version } => {
                ask(SERVED).bind(&**app).bind(&**version).bind(at.0)
            }
            Note::Deploy { app, deploy } => self.deploy(app.as_deref(), deploy),
            Note::Test { at, test, record } => {
                ask(TEST).bind(self.run).bind(at.0).bind(&**test).bind(&**record)
            }
        };
        ask.execute(batch.at()).await?;
        Ok(())
    }

    fn deploy(&self, app: Option<&str>, deploy: &Deploy) -> Ask {
        let ask = ask(DEPLOY).bind(deploy.wall.0).bind(self.run).bind(app);
        ask.bind(deploy.version.as_deref()).bind(deploy.was.as_deref())
    }

    fn verdict(&self, verdict: &Verdict, [score, coverage]: [Option<u8>; 2]) -> Ask {
        ask(VERDICT)
            .bind(verdict.word.as_str())
            .bind(i64::from(verdict.rule.number()))
            .bind(&*verdict.reason)
            .bind(score.map(i64::from))
            .bind(coverage.map(i64::from))
            .bind(self.run)
    }

    /// Keeps what this run knows, and forgets what the oldest knew.
    async fn evidence(
        &self,
        batch: &mut Whole<'_>,
        at: Timestamp,
        snapshot: &str,
    ) -> Result<(), Trouble> {
        let keep = ask(EVIDENT).bind(self.run).bind(at.0).bind(snapshot);
        keep.execute(batch.at()).await?;
        ask(OUTDATED).bind(EVIDENCE).execute(batch.at()).await?;
        Ok(())
    }

    /// The number of a series, given to it if it is new.
    async fn series(&mut self, batch: &mut Whole<'_>, name: &str) -> Result<i64, Trouble> {
        if let Some(id) = self.series.get(name) {
            return Ok(*id);
        }
        let add = ask("INSERT INTO series (name) VALUES ($1) ON CONFLICT DO NOTHING").bind(name);
        add.execute(batch.at()).await?;
        let known = ask("SELECT id FROM series WHERE name = $1").bind(name);
        let id = known.scalar(batch.at()).await?.ok_or(Trouble::Damaged)?;
        self.series.insert(name.to_owned(), id);
        Ok(id)
    }
}

async fn enter(whole: &mut Whole<'_>, writer: &Writer, now: Timestamp) -> Result<i64, Trouble> {
    let entered = ask(RUN)
        .bind(&*writer.run)
        .bind(writer.kind.word())
        .bind(env!("CARGO_PKG_VERSION"))
        .bind(&*writer.host)
        .bind(now.0);
    entered.scalar(whole.at()).await?.ok_or(Trouble::Damaged)
}

/// One baseline, in place of one of the same name.
pub(super) fn taken(baseline: &Baseline, snapshot: &str) -> Ask {
    let ask = ask(BASELINE).bind(&*baseline.name).bind(baseline.at.0);
    ask.bind(&*baseline.host).bind(snapshot)
}

fn answered(at: Timestamp, acceptance: &Acceptance) -> Ask {
    let Acceptance { check, reason, owner, until, .. } = acceptance;
    if *until <= at {
        return ask("DELETE FROM accepted WHERE name = $1").bind(check.as_str());
    }
    let ask = ask(ACCEPTED).bind(check.as_str()).bind(&**reason).bind(owner.as_deref());
    ask.bind(until.0).bind(at.0)
}

const RUN: &str = "INSERT INTO run (name, kind, version, host, began, seen)
    VALUES ($1, $2, $3, $4, $5, $5) RETURNING id";
const POINT: &str = "INSERT INTO point (series, at, mark, value) VALUES ($1, $2, $3, $4)
    ON CONFLICT DO NOTHING";
const TRANSITION: &str = "INSERT INTO transition (run, at, series, outcome, summary)
    SELECT $1, $2, $3, $4, $5 WHERE NOT EXISTS (SELECT 1 FROM transition
        WHERE at = $2 AND run = $1 AND series = $3 AND outcome = $4)";
/// A session that had to begin without the past does not make young what is old.
const STANDING: &str = "INSERT INTO standing (series, severity, since, blocked)
    VALUES ($1, $2, $3, $4) ON CONFLICT (series) DO UPDATE SET
    severity = excluded.severity,
    since = CASE WHEN standing.severity = excluded.severity AND standing.since < excluded.since
        THEN standing.since ELSE excluded.since END,
    blocked = CASE WHEN standing.severity = excluded.severity
        AND standing.blocked < excluded.blocked
        THEN standing.blocked ELSE excluded.blocked END";
const EVENT: &str = "INSERT INTO event (run, at, series, mark, text)
    SELECT $1, $2, $3, $4, $5 WHERE NOT EXISTS (SELECT 1 FROM event
        WHERE at = $2 AND run = $1 AND text = $5)";
const TEST: &str = "INSERT INTO test (run, at, test, record)
    SELECT $1, $2, $3, $4 WHERE NOT EXISTS (SELECT 1 FROM test
        WHERE at = $2 AND run = $1 AND record = $4)";
const VERDICT: &str = "UPDATE run SET word = $1, rule = $2, reason = $3, score = $4, coverage = $5
    WHERE id = $6";
const EVIDENT: &str = "INSERT INTO evidence (run, at, snapshot) VALUES ($1, $2, $3)
    ON CONFLICT (run) DO UPDATE SET at = excluded.at, snapshot = excluded.snapshot";
const OUTDATED: &str = "DELETE FROM evidence WHERE run NOT IN
    (SELECT run FROM evidence ORDER BY at DESC, run DESC LIMIT $1)";
const BASELINE: &str = "INSERT INTO baseline (name, at, host, snapshot) VALUES ($1, $2, $3, $4)
    ON CONFLICT (name) DO UPDATE SET at = excluded.at, host = excluded.host,
    version = NULL, snapshot = excluded.snapshot";
const SERVED: &str = "INSERT INTO served (app, version, at) VALUES ($1, $2, $3)
    ON CONFLICT (app) DO UPDATE SET version = excluded.version, at = excluded.at";
const DEPLOY: &str = "INSERT INTO deploy (at, run, app, version, was)
    VALUES ($1, $2, $3, $4, $5) ON CONFLICT (at) DO UPDATE SET run = excluded.run,
    app = excluded.app, version = excluded.version, was = excluded.was";
const ACCEPTED: &str = "INSERT INTO accepted (name, reason, owner, until, at)
    VALUES ($1, $2, $3, $4, $5) ON CONFLICT (name) DO UPDATE SET reason = excluded.reason,
    owner = excluded.owner, until = excluded.until, at = excluded.at";
