//! The last results of the performance tests.

use super::sections::seconds;
use crate::domain::perf::{Ended, Operation, Record};
use crate::{
    domain::{FactValue, Timestamp},
    units,
};
use serde::Serialize;
use std::time::Duration;

/// What a performance test found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TestRun {
    /// Which test.
    pub test: String,
    /// What was put under load.
    pub target: String,
    /// When it began, in UTC.
    pub began: String,
    /// How long before this report that was.
    pub age_seconds: u64,
    /// `complete`, `aborted`, or why a guard stopped it.
    pub ended: String,
    /// Clients at once.
    pub clients: u32,
    /// Operations a second by plan; none where each client sends once it has its answer.
    pub planned_per_second: Option<f64>,
    /// How long was measured.
    pub measured_seconds: f64,
    /// Operations that ended well.
    pub succeeded: u64,
    /// Operations that failed.
    pub failed: u64,
    /// Those that ended well, a second.
    pub per_second: f64,
    /// Half of them took no longer.
    pub p50_seconds: Option<f64>,
    /// 95 of 100 took no longer.
    pub p95_seconds: Option<f64>,
    /// 99 of 100 took no longer.
    pub p99_seconds: Option<f64>,
    /// Operations that ended well, second by second.
    pub series: Vec<f64>,
    /// What else was measured.
    pub facts: Vec<[String; 2]>,
    /// GO, HOLD or NO-GO, where anything was wanted of the target.
    pub verdict: Option<&'static str>,
    /// Why, in a clause; empty without a verdict.
    pub because: String,
    /// Each thing that was wanted, and whether it is so.
    pub goals: Vec<String>,
    /// What has to be said about such a test.
    pub notes: Vec<String>,
    /// Why the figures may be about the generator of the load.
    pub doubts: Vec<String>,
}

#[expect(clippy::cast_precision_loss, reason = "to be drawn")]
pub(super) fn of(record: &Record, now: Timestamp) -> TestRun {
    let Record { total, load, .. } = record;
    let facts = record.facts.iter().map(|fact| {
        let value = match &fact.value {
            FactValue::Quantity(quantity) => units::quantity(*quantity),
            FactValue::Words(words) => words.clone(),
        };
        [fact.name.clone(), value]
    });
    let wanted = (!record.goals.is_empty()).then(|| record.verdict());
    let age = u64::try_from(now.0.saturating_sub(record.began.0)).unwrap_or(0);
    TestRun {
        test: record.test.clone(),
        target: record.target.clone(),
        began: units::rfc3339(record.began),
        age_seconds: age / 1000,
        ended: match &record.ended {
            Ended::Complete => "complete".into(),
            Ended::Aborted => "aborted".into(),
            Ended::Stopped(why) => why.clone(),
        },
        clients: load.clients,
        planned_per_second: load.arrivals.rate(),
        measured_seconds: record.measured.as_secs_f64(),
        succeeded: total.succeeded,
        failed: total.failed,
        per_second: total.per_second,
        p50_seconds: quantile(total, 0.5),
        p95_seconds: quantile(total, 0.95),
        p99_seconds: quantile(total, 0.99),
        series: record.seconds.iter().map(|second| second.succeeded as f64).collect(),
        facts: facts.collect(),
        verdict: wanted.as_ref().map(|(word, _)| word.as_str()),
        because: wanted.map(|(_, why)| why).unwrap_or_default(),
        goals: record.goals.iter().map(units::goal).collect(),
        notes: record.notes.clone(),
        doubts: record.generator.limits.clone(),
    }
}

fn quantile(operation: &Operation, share: f64) -> Option<f64> {
    operation.latency.quantile(share).map(|it| it.time.as_secs_f64())
}

impl TestRun {
    /// Each figure with its name, as people read it.
    pub fn rows(&self) -> Vec<[String; 2]> {
        let time = |it: Option<f64>| it.map_or_else(|| "–".to_owned(), seconds);
        let plan = self.planned_per_second;
        let arrivals =
            plan.map_or("as fast as answered".into(), |rate| format!("{rate:.0}/s by plan"));
        let mut rows = vec![
            ["load".to_owned(), format!("{} clients, {arrivals}", self.clients)],
            ["ended".to_owned(), self.ended.clone()],
            [
                "measured".to_owned(),
                units::span(Duration::try_from_secs_f64(self.measured_seconds).unwrap_or_default()),
            ],
            ["operations".to_owned(), format!("{} well, {} failed", self.succeeded, self.failed)],
            ["rate".to_owned(), format!("{:.0}/s", self.per_second)],
            [
                "latency p50, p95, p99".to_owned(),
                format!(
                    "{}, {}, {}",
                    time(self.p50_seconds),
                    time(self.p95_seconds),
                    time(self.p99_seconds)
                ),
            ],
        ];
        if let Some(verdict) = self.verdict {
            rows.insert(0, ["verdict".to_owned(), format!("{verdict}: {}", self.because)]);
        }
        rows.extend(self.goals.iter().map(|goal| ["goal".to_owned(), goal.clone()]));
        rows.extend(self.facts.iter().cloned());
        rows.extend(self.notes.iter().map(|note| ["mind".to_owned(), note.clone()]));
        rows.extend(self.doubts.iter().map(|doubt| ["doubt".to_owned(), doubt.clone()]));
        rows
    }

    /// How long before the report it began, as people read it.
    pub fn age(&self) -> String {
        units::age(Duration::from_secs(self.age_seconds))
    }
}
