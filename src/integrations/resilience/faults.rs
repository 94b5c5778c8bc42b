//! What did not hold of our machinery, and whose fault that is.
//!
//! What a busy host can delay is told apart from what it cannot cause. A delay
//! may be as long as this host was late by itself, and some; where the host was
//! starved, a longer one is unknown and not a failure.

use crate::{
    domain::{Cause, Evidence, Finding, Outcome, Quantity},
    units::span,
};
use std::time::Duration;

/// How late anything may be on a host with nothing else to do.
const SLACK: Duration = Duration::from_millis(25);
/// A host later than this is starved: what is late is not to blame.
const STARVED: Duration = Duration::from_millis(100);

/// What did not hold, in the order in which it was looked at.
pub(super) struct Faults {
    lag: Duration,
    /// No busy host explains it.
    broken: Vec<String>,
    /// A busy host could.
    late: Vec<String>,
}

impl Faults {
    pub(super) fn within(lag: Duration) -> Self {
        Self { lag, broken: Vec::new(), late: Vec::new() }
    }

    pub(super) fn expect(&mut self, holds: bool, otherwise: impl FnOnce() -> String) {
        if !holds {
            self.broken.push(otherwise());
        }
    }

    /// Something is wrong that no busy host explains.
    pub(super) fn broken(&mut self, what: String) {
        self.broken.push(what);
    }

    /// Something did not come in time, which a busy host could explain.
    pub(super) fn late(&mut self, what: String) {
        self.late.push(what);
    }

    /// Expects `took` to be at least `least` and hardly more than `most`.
    pub(super) fn expect_between(
        &mut self,
        what: &str,
        took: Duration,
        least: Duration,
        most: Duration,
    ) {
        if took < least {
            self.broken.push(format!("{what} after {}, not {}", span(took), span(least)));
        } else if took > most + SLACK + 2 * self.lag {
            self.late.push(format!("{what} after {}, limit {}", span(took), span(most)));
        }
    }

    pub(super) fn conclude(self, holds: &str, evidence: Evidence) -> Finding {
        let evidence =
            evidence.fact("level", "proven").fact("host late by", Quantity::Time(self.lag));
        let found = self.broken.first().or(self.late.first());
        let (outcome, summary) = match found {
            None => (Outcome::Pass, holds),
            Some(late) if self.broken.is_empty() && self.lag > STARVED => {
                (Outcome::Unknown(Cause::Starved), late.as_str())
            }
            Some(fault) => (Outcome::Fail, fault.as_str()),
        };
        let finding = Finding::new(outcome, summary).evidence(evidence);
        if finding.outcome == Outcome::Unknown(Cause::Starved) {
            return finding.remedy("give this host processor time, then re-check");
        }
        finding
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(least: u64, took: u64, most: u64, lag: u64) -> Outcome {
        let ms = Duration::from_millis;
        let mut faults = Faults::within(ms(lag));
        faults.expect_between("done", ms(took), ms(least), ms(most));
        faults.conclude("in time", Evidence::default()).outcome
    }

    #[test]
    fn a_delay_is_judged_by_how_late_the_host_was() {
        let starved = Outcome::Unknown(Cause::Starved);
        let cases = [
            (50, 50, 0, Outcome::Pass),
            (50, 49, 0, Outcome::Fail),
            (50, 75, 0, Outcome::Pass),
            (50, 76, 0, Outcome::Fail),
            (50, 275, 100, Outcome::Pass),
            (50, 276, 100, Outcome::Fail),
            (50, 277, 101, Outcome::Pass),
            (50, 278, 101, starved),
            (50, 49, 500, Outcome::Fail), // no host is so busy that time passes sooner
        ];
        for (wanted, took, lag, expected) in cases {
            assert_eq!(outcome(wanted, took, wanted, lag), expected, "{took} ms at {lag} ms lag");
        }
    }

    #[test]
    fn what_is_broken_outweighs_what_is_late() {
        let mut faults = Faults::within(Duration::from_secs(1));
        faults.late("late".into());
        faults.expect(false, || "broken".into());
        let finding = faults.conclude("holds", Evidence::default());
        assert_eq!((finding.outcome, finding.summary.as_str()), (Outcome::Fail, "broken"));
    }
}
