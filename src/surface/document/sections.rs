//! Each integration with its sub-checks, and what each of them rests on.

use crate::{
    domain::{
        CheckView, FactValue, IntegrationView, Mark, Outcome, Phase, Provenance, Series, Snapshot,
    },
    surface::report::{flags, needs_remedy},
    units,
};
use serde::Serialize;
use std::time::Duration;

/// Values that are drawn of a series.
const DRAWN: usize = 60;
/// Answers of which a twentieth can be told.
pub(super) const ENOUGH: usize = 20;

/// One integration.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Section {
    /// Stable name.
    pub id: String,
    /// Name to show.
    pub title: String,
    /// What was looked at.
    pub target: String,
    /// Whether that is a stand-in of ours, because nothing was configured.
    pub stand_in: bool,
    /// The score in one word.
    pub status: &'static str,
    /// The score.
    pub score: Option<u8>,
    /// How much of it rests on fresh evidence, in percent.
    pub coverage: Option<u8>,
    /// How long the target took.
    pub latency: Option<Timing>,
    /// Its sub-checks.
    pub checks: Vec<Evidenced>,
}

/// How long something took, over time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Timing {
    /// How many were timed.
    pub samples: usize,
    /// Half of them took no longer.
    pub p50_seconds: f64,
    /// 95 of 100 took no longer; none of fewer than 20.
    pub p95_seconds: Option<f64>,
    /// The slowest took that long.
    pub max_seconds: f64,
    /// The newest, the oldest first.
    pub series: Vec<f64>,
}

/// One sub-check and what it rests on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Evidenced {
    /// Stable name.
    pub id: String,
    /// What it is.
    pub title: String,
    /// Its weight in the verdict.
    pub class: &'static str,
    /// Its weight in the score.
    pub weight: u8,
    /// What it came to.
    pub outcome: &'static str,
    /// What else is to be said: `fallback`, `stale`, `accepted`, …
    pub flags: Vec<&'static str>,
    /// What it found, in a clause.
    pub summary: String,
    /// What to do about it, where something is to be done.
    pub remedy: Option<String>,
    /// What was asked.
    pub asked: String,
    /// The answer that would have passed.
    pub wanted: String,
    /// The answer that came.
    pub reply: String,
    /// The steps and what else was measured, each with its value.
    pub facts: Vec<[String; 2]>,
    /// What was asked one by one.
    pub grounds: Option<Grounds>,
    /// How long the target took.
    pub latency_seconds: Option<f64>,
    /// When the last run ended, in UTC.
    pub ended: Option<String>,
    /// Runs that have ended.
    pub runs: u64,
    /// What was measured over time, the oldest first, in its base unit.
    pub series: Vec<f64>,
}

/// What was asked one by one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Grounds {
    /// What the columns mean.
    pub heads: Vec<String>,
    /// What was seen.
    pub rows: Vec<Row>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// How it went.
    pub outcome: &'static str,
    /// Under the heads.
    pub cells: Vec<String>,
}

pub(super) fn of(view: &IntegrationView, snapshot: &Snapshot) -> Section {
    Section {
        id: view.id.to_string(),
        title: view.title.clone(),
        target: view.target.name.clone(),
        stand_in: view.target.provenance == Provenance::Embedded,
        status: view.status.word(),
        score: view.score.map(|it| it.percent),
        coverage: view.score.map(|it| it.coverage),
        latency: timing(&view.latency),
        checks: view.checks.iter().map(|it| evidenced(it, snapshot)).collect(),
    }
}

fn timing(series: &Series) -> Option<Timing> {
    Some(Timing {
        samples: series.len(),
        p50_seconds: series.percentile(50)?,
        p95_seconds: series.percentile(95).filter(|_| series.len() >= ENOUGH),
        max_seconds: series.percentile(100)?,
        series: newest(series),
    })
}

fn newest(series: &Series) -> Vec<f64> {
    series.iter().skip(series.len().saturating_sub(DRAWN)).map(|it| it.value).collect()
}

fn evidenced(check: &CheckView, snapshot: &Snapshot) -> Evidenced {
    let evidence = &check.finding.evidence;
    let phase = |phase: &Phase| [phase.name.clone(), units::latency(phase.took)];
    let facts = evidence.facts.iter().map(|fact| {
        let value = match &fact.value {
            FactValue::Quantity(quantity) => units::quantity(*quantity),
            FactValue::Words(words) => words.clone(),
        };
        [fact.name.clone(), value]
    });
    Evidenced {
        id: check.id.to_string(),
        title: check.spec.title.to_string(),
        class: check.spec.class.word(),
        weight: check.spec.weight,
        outcome: check.outcome().word(),
        flags: flags(check, snapshot),
        summary: check.finding.summary.clone(),
        remedy: needs_remedy(check).then(|| check.remedy().to_owned()),
        asked: evidence.asked.clone(),
        wanted: evidence.wanted.clone(),
        reply: evidence.reply.clone(),
        facts: evidence.phases.iter().map(phase).chain(facts).collect(),
        grounds: grounds(check),
        latency_seconds: check.finding.latency.map(|it| it.as_secs_f64()),
        ended: check.ended_wall.map(units::rfc3339),
        runs: check.runs,
        series: newest(&check.measures),
    }
}

fn grounds(check: &CheckView) -> Option<Grounds> {
    let grid = check.finding.evidence.grid.as_ref()?;
    let row =
        |row: &crate::domain::GridRow| Row { outcome: row.mark.word(), cells: row.cells.clone() };
    Some(Grounds { heads: grid.heads.clone(), rows: grid.rows.iter().map(row).collect() })
}

impl Evidenced {
    /// The outcome in a word; a stand-in that works is not a pass.
    pub fn word(&self) -> &'static str {
        let stands_in = self.outcome == Outcome::Pass.word() && self.flags.contains(&"fallback");
        if stands_in { "fallback" } else { self.outcome }
    }

    /// What else is to be said.
    pub fn further(&self) -> String {
        let said: Vec<&str> = self.flags.iter().copied().filter(|it| *it != "fallback").collect();
        said.join(", ")
    }
}

impl Timing {
    /// In a sentence.
    pub fn says(&self) -> String {
        let (half, most) = (seconds(self.p50_seconds), seconds(self.max_seconds));
        match (self.samples, self.p95_seconds.map(seconds)) {
            (1, _) => format!("One answer took {most}."),
            (n, Some(slow)) => {
                format!(
                    "Of {n} answers half took at most {half}, 95 % at most {slow}, all at most {most}."
                )
            }
            (n, None) => format!("Of {n} answers half took at most {half}, all at most {most}."),
        }
    }
}

/// A span of seconds, as people read it.
pub(super) fn seconds(seconds: f64) -> String {
    Duration::try_from_secs_f64(seconds).map_or_else(|_| "–".into(), units::latency)
}

impl Evidenced {
    /// Whether there is anything to say about what it rests on.
    pub fn has_evidence(&self) -> bool {
        let Self { asked, wanted, reply, facts, grounds, .. } = self;
        !(asked.is_empty() && wanted.is_empty() && reply.is_empty() && facts.is_empty())
            || grounds.is_some()
    }

    /// What of the things asked one by one is beyond its limit.
    pub fn beyond(&self) -> impl Iterator<Item = &Row> {
        let beyond = [Mark::Warn.word(), Mark::Fail.word()];
        self.rows().filter(move |row| beyond.contains(&row.outcome))
    }

    /// The others by how they went, each with what was seen.
    pub fn others(&self) -> impl Iterator<Item = (&'static str, String)> {
        [Mark::Unknown, Mark::Pass, Mark::Skipped].into_iter().filter_map(|mark| {
            let own = self.rows().filter(|row| row.outcome == mark.word());
            let says: Vec<String> = own.map(Row::short).collect();
            (!says.is_empty()).then(|| (mark.word(), says.join("; ")))
        })
    }

    fn rows(&self) -> impl Iterator<Item = &Row> {
        self.grounds.iter().flat_map(|it| &it.rows)
    }
}

impl Row {
    /// What it is about, and what was seen.
    fn short(&self) -> String {
        self.cells.iter().take(2).map(String::as_str).collect::<Vec<_>>().join(" ")
    }
}
