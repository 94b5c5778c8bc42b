//! What the report rests on, counted.

use crate::domain::{Cause, CheckView, Outcome, Receipt, Snapshot};
use serde::Serialize;

/// What the report rests on, counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Checks that there are.
    pub checks: usize,
    /// Those that ran to an end of their own: passed, warned or failed.
    pub executed: usize,
    /// Passed against the real target.
    pub passed: usize,
    /// Passed against a stand-in.
    pub on_stand_in: usize,
    /// Crossed a soft limit.
    pub warned: usize,
    /// Found the target wrong.
    pub failed: usize,
    /// Could not be determined.
    pub unknown: usize,
    /// Could not be looked at because of another one.
    pub blocked: usize,
    /// Not run on purpose.
    pub skipped: usize,
    /// Have not run.
    pub not_run: usize,
    /// Runs of all of them together.
    pub runs: u64,
    /// Commands and statements that the last runs sent.
    pub sent: u64,
    /// What they wrote.
    pub written: u64,
    /// What of it they removed.
    pub removed: u64,
    /// What of it is still there.
    pub left: u64,
}

pub(super) fn of(snapshot: &Snapshot) -> Totals {
    let mut totals = Totals::default();
    for check in snapshot.integrations.iter().flat_map(|view| &view.checks) {
        totals.add(check);
    }
    totals
}

impl Totals {
    fn add(&mut self, check: &CheckView) {
        let count = match check.outcome() {
            Outcome::Pass if check.finding.fallback => &mut self.on_stand_in,
            Outcome::Pass => &mut self.passed,
            Outcome::Warn => &mut self.warned,
            Outcome::Fail => &mut self.failed,
            Outcome::Unknown(Cause::NotRun) => &mut self.not_run,
            Outcome::Unknown(_) => &mut self.unknown,
            Outcome::Blocked(_) => &mut self.blocked,
            Outcome::Skipped(_) => &mut self.skipped,
        };
        *count += 1;
        self.checks += 1;
        self.executed += usize::from(check.outcome().is_executed());
        self.runs += check.runs;
        let Receipt { sent, written, removed, left } = check.finding.receipt;
        self.sent += sent;
        self.written += written;
        self.removed += removed;
        self.left += left;
    }

    /// Each with its name, in the order to show them.
    pub fn rows(&self) -> [(&'static str, u64); 15] {
        let number = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        [
            ("checks", number(self.checks)),
            ("executed", number(self.executed)),
            ("passed", number(self.passed)),
            ("passed on a stand-in", number(self.on_stand_in)),
            ("warned", number(self.warned)),
            ("failed", number(self.failed)),
            ("unknown", number(self.unknown)),
            ("blocked", number(self.blocked)),
            ("skipped", number(self.skipped)),
            ("not run", number(self.not_run)),
            ("runs", self.runs),
            ("commands sent", self.sent),
            ("written on targets", self.written),
            ("removed again", self.removed),
            ("left on targets", self.left),
        ]
    }
}
