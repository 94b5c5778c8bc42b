//! What could be better, by what was measured. Nothing is advised without a figure.

use super::sections::{ENOUGH, seconds};
use crate::domain::perf::{Ended, Record};
use crate::{
    domain::{
        CheckView, Class, FactValue, Grid, GridRow, IntegrationView, Mark, Outcome, Quantity,
        Series, Snapshot,
    },
    units,
};
use serde::Serialize;

/// How many times the median the slowest may take.
const TAIL: f64 = 5.0;
/// What is quicker than this is quick enough, in seconds.
const QUICK: f64 = 0.01;
/// The fact of a performance test that says how many clients bring nearly the best rate.
const KNEE: &str = "clients for 95 % of the best";
/// Of what a check may name its columns, those that are read.
const FIGURE: [&str; 2] = ["value", "seen"];
const ADVICE: [&str; 2] = ["do", "look"];

/// What an opportunity is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Area {
    /// What is kept in Redis or Valkey.
    Caching,
    /// The databases.
    Database,
    /// Limits of APIs, theirs and ours.
    RateLimiting,
    /// The app, its host and how fast both are.
    Performance,
    /// Dashboards, alerts and metrics.
    Monitoring,
}

impl Area {
    /// In the order to show them.
    pub const ALL: [Self; 5] =
        [Self::Caching, Self::Database, Self::RateLimiting, Self::Performance, Self::Monitoring];

    /// As a heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::Caching => "Caching",
            Self::Database => "Database",
            Self::RateLimiting => "API rate limiting",
            Self::Performance => "Performance",
            Self::Monitoring => "Monitoring",
        }
    }

    /// That of a performance test, which is called as what it puts under load.
    fn of_test(test: &str) -> Self {
        Self::of(test.split('/').next().unwrap_or(test), "")
    }

    /// That of a check, by its integration and its name.
    fn of(kind: &str, check: &str) -> Self {
        match (kind, check) {
            ("redis", "ratelimit") | ("apis", _) => Self::RateLimiting,
            ("redis", "metrics") | ("monitoring", _) => Self::Monitoring,
            ("redis", _) => Self::Caching,
            ("database", _) => Self::Database,
            _ => Self::Performance,
        }
    }
}

/// Everything about one area.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Prospect {
    /// Which.
    pub area: Area,
    /// How many of its checks measured the real target, and did not find it wrong.
    pub measured: usize,
    /// What could be better.
    pub found: Vec<Opportunity>,
}

/// Something that could be better.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Opportunity {
    /// What.
    pub about: String,
    /// What was measured, with its unit.
    pub figure: String,
    /// What is wanted.
    pub limit: Option<String>,
    /// Why it matters.
    pub why: Option<String>,
    /// What to do.
    pub advice: String,
    /// The check, the integration or the test that measured it.
    pub source: String,
}

pub(super) fn of(snapshot: &Snapshot, tests: &[Record]) -> Vec<Prospect> {
    Area::ALL.into_iter().map(|area| prospect(area, snapshot, tests)).collect()
}

fn prospect(area: Area, snapshot: &Snapshot, tests: &[Record]) -> Prospect {
    let mut prospect = Prospect { area, measured: 0, found: Vec::new() };
    for view in &snapshot.integrations {
        let own = |check: &&CheckView| Area::of(view.id.kind(), check.id.name()) == area;
        for check in view.checks.iter().filter(own) {
            let told = matches!(check.outcome(), Outcome::Pass | Outcome::Warn);
            prospect.measured += usize::from(told && !check.finding.fallback);
            of_check(check, &mut prospect.found);
        }
        if Area::of(view.id.kind(), "connect") == area {
            prospect.found.extend(of_latency(view));
        }
    }
    for test in tests.iter().filter(|test| Area::of_test(&test.test) == area) {
        of_test(test, &mut prospect.found);
    }
    prospect
}

/// What a check found to be beyond a limit, row by row where it tells rows apart. What
/// stands in the way of a release is no opportunity.
fn of_check(check: &CheckView, into: &mut Vec<Opportunity>) {
    let beyond = matches!(check.outcome(), Outcome::Warn | Outcome::Fail);
    if check.spec.class == Class::Blocker && *check.outcome() == Outcome::Fail || !beyond {
        return;
    }
    let before = into.len();
    if let Some(grid) = &check.finding.evidence.grid {
        let beyond = |row: &&GridRow| matches!(row.mark, Mark::Warn | Mark::Fail);
        into.extend(grid.rows.iter().filter(beyond).filter_map(|row| of_row(check, grid, row)));
    }
    if into.len() == before {
        into.push(Opportunity {
            about: check.spec.title.to_string(),
            figure: check.finding.summary.clone(),
            limit: Some(check.finding.evidence.wanted.clone()).filter(|it| !it.is_empty()),
            why: Some(check.spec.risk.to_string()),
            advice: check.remedy().to_owned(),
            source: check.id.to_string(),
        });
    }
}

/// `None` where a check does not say both what it saw and what to do.
fn of_row(check: &CheckView, grid: &Grid, row: &GridRow) -> Option<Opportunity> {
    let under = |heads: &[&str]| {
        let at = grid.heads.iter().position(|head| heads.contains(&head.as_str()))?;
        row.cells.get(at).filter(|cell| !cell.is_empty()).cloned()
    };
    Some(Opportunity {
        about: row.cells.first()?.clone(),
        figure: under(&FIGURE)?,
        limit: under(&["limit"]),
        why: under(&["why"]),
        advice: under(&ADVICE)?,
        source: check.id.to_string(),
    })
}

/// A target that mostly answers at once, and sometimes not.
fn of_latency(view: &IntegrationView) -> Option<Opportunity> {
    let series: &Series = &view.latency;
    let (half, slow) = (series.percentile(50)?, series.percentile(95)?);
    let tail = series.len() >= ENOUGH && slow >= QUICK && slow > half * TAIL;
    tail.then(|| Opportunity {
        about: "slowest answers".into(),
        figure: format!(
            "p95 {}, p50 {}, of {} answers",
            seconds(slow),
            seconds(half),
            series.len()
        ),
        limit: Some(format!("p95 at most {TAIL} times p50")),
        why: Some("one in twenty waits far longer than the others".into()),
        advice: "look for what runs at those moments: saves, backups, slow commands, neighbours"
            .into(),
        source: view.id.to_string(),
    })
}

/// What load has shown, unless the figures are about the generator of it.
fn of_test(record: &Record, into: &mut Vec<Opportunity>) {
    if !record.generator.limits.is_empty() {
        return;
    }
    let source =
        format!("perf {} on {}, {}", record.test, record.target, units::rfc3339(record.began));
    let mut add = |about: &str, figure: String, limit: Option<String>, advice: &str| {
        let (about, advice, source) = (about.into(), advice.into(), source.clone());
        into.push(Opportunity { about, figure, limit, why: None, advice, source });
    };
    if let Some(knee) = knee(record).filter(|knee| *knee < u64::from(record.load.clients)) {
        let figure = format!(
            "{knee} clients bring 95 % of the best rate, {} were used",
            record.load.clients
        );
        add(
            "clients at once",
            figure,
            None,
            "size the pool to that: more clients wait and add nothing",
        );
    }
    if record.total.failed > 0 {
        let asked = record.total.failed + record.total.succeeded;
        let figure = format!("{} of {asked} operations failed", record.total.failed);
        add(
            "failures under load",
            figure,
            Some("none".into()),
            "look at their classes in the result, and mend the first",
        );
    }
    if let Ended::Stopped(why) = &record.ended {
        add(
            "load that it bears",
            why.clone(),
            None,
            "run it with less load to find out what it bears",
        );
    }
    let [half, slow] = [0.5, 0.99].map(|share| record.total.latency.at(share).as_secs_f64());
    if slow >= QUICK && slow > half * 2.0 * TAIL && half > 0.0 {
        let figure = format!("p99 {}, p50 {}", seconds(slow), seconds(half));
        add(
            "slowest operations",
            figure,
            None,
            "look for what stalls the target under load: saves, locks, pauses",
        );
    }
}

fn knee(record: &Record) -> Option<u64> {
    record.facts.iter().filter(|fact| fact.name == KNEE).find_map(|fact| match &fact.value {
        FactValue::Quantity(Quantity::Count(count)) => Some(*count),
        FactValue::Quantity(_) | FactValue::Words(_) => None,
    })
}

impl Prospect {
    /// What to say where nothing was found.
    pub fn nothing(&self) -> String {
        match self.measured {
            0 => "Nothing was measured against a real target, so nothing is advised.".into(),
            1 => "The one check that measured something found nothing to better.".into(),
            n => format!("The {n} checks that measured something found nothing to better."),
        }
    }
}
