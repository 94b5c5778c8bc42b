//! What became of everything since a baseline.

use crate::{
    domain::{Baseline, Change, Gauge, Shift, Snapshot, Was},
    units,
};
use serde::Serialize;

/// What is compared with, and what came of that.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The name of the baseline.
    pub baseline: String,
    /// When it was taken, in UTC.
    pub at: String,
    /// The overall score then.
    pub score: Option<u8>,
    /// What stood in the way then, or does now.
    pub changes: Vec<Changed>,
    /// What was measured and has moved by more than noise.
    pub moved: Vec<Moved>,
    /// Measurements that moved by no more than noise.
    pub within_noise: usize,
    /// Measurements that were too few to say.
    pub too_few_samples: usize,
    /// The measurements in a clause.
    pub says: String,
}

/// What became of a check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// `new`, `known` or `fixed`.
    pub change: &'static str,
    /// Which.
    pub check: String,
    /// What is wrong, or what was.
    pub summary: String,
}

/// Something that has moved.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Moved {
    /// Where it was measured.
    pub check: String,
    /// `latency` or `memory`.
    pub gauge: Gauge,
    /// Slower or larger than before.
    pub worse: bool,
    /// The median then, in seconds or bytes.
    pub before: f64,
    /// The median now.
    pub after: f64,
    /// The least and the most that it has moved, 99 times in 100.
    pub bounds: [f64; 2],
    /// The chance that it has not.
    pub p: f64,
    /// All of it, as people read it.
    pub says: String,
}

impl Comparison {
    /// Each line of it: the word that says what became of it, the check, and what is wrong
    /// or how far it moved.
    pub fn rows(&self) -> Vec<[&str; 3]> {
        let changes = self.changes.iter().map(|it| [it.change, &*it.check, &*it.summary]);
        let word = |worse: bool| if worse { "worse" } else { "better" };
        let moved = self.moved.iter().map(|it| [word(it.worse), &*it.check, &*it.says]);
        changes.chain(moved).collect()
    }

    /// What it is compared with, in a sentence.
    pub fn against(&self) -> String {
        let score = self.score.map(|score| format!(", score {score}")).unwrap_or_default();
        let (name, at, says) = (&self.baseline, &self.at, &self.says);
        format!("Compared with {name}, taken at {at}{score}. Measured since: {says}.")
    }
}

pub(super) fn of(snapshot: &Snapshot) -> Option<Comparison> {
    let baseline: &Baseline = snapshot.baseline.as_deref()?;
    let shifts = &snapshot.shifts;
    let mut changes = baseline.changes_to(snapshot);
    changes.sort_by_key(|(change, _)| *change);
    let told = |(change, was): (Change, &Was)| Changed {
        change: change.word(),
        check: was.check.to_string(),
        summary: match (change, snapshot.check(&was.check)) {
            (Change::New | Change::Known, Some(now)) => now.finding.summary.clone(),
            (Change::Fixed, _) | (_, None) => was.summary.clone(),
        },
    };
    Some(Comparison {
        baseline: baseline.name.clone(),
        at: units::rfc3339(baseline.at),
        score: baseline.score,
        changes: changes.into_iter().map(told).collect(),
        moved: shifts.told.iter().map(moved).collect(),
        within_noise: shifts.steady,
        too_few_samples: shifts.few,
        says: shifts.says(),
    })
}

fn moved(shift: &Shift) -> Moved {
    Moved {
        check: shift.check.to_string(),
        gauge: shift.gauge,
        worse: shift.worse,
        before: shift.before,
        after: shift.after,
        bounds: shift.bounds,
        p: shift.p,
        says: units::shift(shift),
    }
}
