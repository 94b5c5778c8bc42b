//! From raw results to a confirmed one. Pure.

use crate::domain::{Cause, Finding, Flags, Outcome, Pending, Severity};
use std::{cmp::Ordering, collections::VecDeque, sync::Arc};

/// Results in a row that it takes to change a confirmed one.
const CONFIRM: u8 = 2;
/// Raw results that flapping is judged by.
const WINDOW: usize = 21;
/// Weighted share of changes, in percent, from which a check flaps.
const STARTS: f64 = 30.0;
/// Weighted share of changes, in percent, under which it no longer does.
const STOPS: f64 = 15.0;

/// What one check is known to be, and what it may be about to become.
#[derive(Clone, Debug, Default)]
pub(super) struct Hysteresis {
    confirmed: Option<Arc<Finding>>,
    pending: Option<Pending>,
    raw: VecDeque<Severity>,
    flapping: bool,
}

impl Hysteresis {
    /// Folds in the result of a run.
    ///
    /// The first ever counts at once, and so does one that leaves no doubt; as good
    /// or bad as the confirmed one, it replaces it; better or worse, it takes two
    /// in a row. What was in the way of a good result has gone by two already.
    pub(super) fn observe(&mut self, finding: Arc<Finding>) {
        if finding.outcome == Outcome::Unknown(Cause::Cancelled) {
            return; // a run that was stopped says nothing about the target
        }
        self.remember(finding.outcome.severity());
        let Some(confirmed) = &self.confirmed else { return self.settle(finding) };
        let change = compare(&finding, confirmed);
        let freed = change == Ordering::Less && matches!(confirmed.outcome, Outcome::Blocked(_));
        if change == Ordering::Equal || freed || finding.certain {
            return self.settle(finding);
        }
        let before = self.pending.as_ref();
        let before = before.filter(|pending| compare(&pending.finding, confirmed) == change);
        let seen = before.map_or(0, |pending| pending.seen) + 1;
        if seen >= CONFIRM {
            self.settle(finding);
        } else {
            self.pending = Some(Pending { finding, seen, of: CONFIRM });
        }
    }

    /// Takes a result that needs no confirmation, because it follows from another.
    pub(super) fn settle(&mut self, finding: Arc<Finding>) {
        self.confirmed = Some(finding);
        self.pending = None;
    }

    /// Whether the newest result and the confirmed one agree.
    pub(super) fn is_settled(&self) -> bool {
        self.pending.is_none()
    }

    /// The newest confirmed result.
    pub(super) fn confirmed(&self) -> Option<&Arc<Finding>> {
        self.confirmed.as_ref()
    }

    /// A result that waits for confirmation.
    pub(super) fn pending(&self) -> Option<&Pending> {
        self.pending.as_ref()
    }

    /// What else is to be said; `flaky` is known to whoever counts attempts.
    pub(super) fn flags(&self, flaky: bool) -> Flags {
        Flags { flaky, flapping: self.flapping }
    }

    fn remember(&mut self, severity: Severity) {
        if self.raw.len() == WINDOW {
            self.raw.pop_front();
        }
        self.raw.push_back(severity);
        let changing = self.changing();
        self.flapping = changing >= if self.flapping { STOPS } else { STARTS };
    }

    /// The share of changes among the last results, in percent; the newest
    /// change weighs half as much again as the oldest.
    fn changing(&self) -> f64 {
        let missing = WINDOW - self.raw.len();
        let changed = self.raw.iter().zip(self.raw.iter().skip(1)).map(|(a, b)| a != b);
        let places = (missing..).zip(changed).filter(|(_, changed)| *changed);
        #[expect(clippy::cast_precision_loss, reason = "at most 20")]
        let weigh = |(place, _): (usize, bool)| 0.8 + 0.4 * place as f64 / (WINDOW - 2) as f64;
        places.map(weigh).sum::<f64>() * 5.0
    }
}

fn compare(a: &Finding, b: &Finding) -> Ordering {
    a.outcome.severity().cmp(&b.outcome.severity())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn after(results: &str) -> Hysteresis {
        let mut hysteresis = Hysteresis::default();
        for result in results.chars() {
            hysteresis.observe(Arc::new(finding(result)));
        }
        hysteresis
    }

    fn finding(result: char) -> Finding {
        match result {
            'p' => Finding::pass("ok"),
            'w' => Finding::warn("slow"),
            'c' => Finding::unknown(Cause::Cancelled, "stopped"),
            'u' => Finding::unknown(Cause::NoSamples, "nothing"),
            'b' => Finding::new(Outcome::Blocked("connect".into()), "waits"),
            'F' => Finding::fail("refused").for_certain(),
            _ => Finding::fail("wrong"),
        }
    }

    fn confirmed(hysteresis: &Hysteresis) -> &'static str {
        hysteresis.confirmed().map_or("nothing", |finding| finding.outcome.word())
    }

    #[test]
    fn it_takes_two_in_a_row_to_worsen_and_two_to_recover() {
        let cases = [
            ("p", "pass"),    // the first counts at once
            ("f", "fail"),    // whichever it is
            ("pf", "pass"),   // once is not enough
            ("pff", "fail"),  // twice is
            ("pfpf", "pass"), // in a row, that is
            ("pwf", "fail"),  // worse and worse still: the newest holds
            ("ffp", "fail"),  // recovering takes two as well
            ("ffpp", "pass"),
            ("ffpf", "fail"),
            ("ffwp", "pass"), // better and better still
            ("pcf", "pass"),  // a stopped run is no result
            ("puu", "unknown"),
            ("c", "nothing"),
            ("pF", "fail"), // a refusal leaves no doubt
            ("bp", "pass"), // its need came back, confirmed by then
            ("bf", "blocked"),
            ("bff", "fail"),
        ];
        for (results, expected) in cases {
            assert_eq!(confirmed(&after(results)), expected, "{results}");
        }
    }

    #[test]
    fn a_change_is_pending_until_it_is_confirmed() {
        let pending = after("pf").pending().cloned().unwrap();
        assert_eq!((pending.seen, pending.of, pending.finding.outcome.word()), (1, 2, "fail"));
        assert!(after("pff").is_settled());
    }

    #[test]
    fn flapping_starts_at_six_changes_and_ends_below_three() {
        assert!(!after("pppppppppppppppppfpfp").flags(false).flapping, "four changes");
        assert!(after("ppppppppppppppfpfpfpf").flags(false).flapping, "seven changes");
        let mut calm = after("ppppppppppppppfpfpfpf");
        for _ in 0..12 {
            calm.observe(Arc::new(finding('f')));
        }
        assert!(calm.flags(false).flapping, "they are still within the window");
        for _ in 0..6 {
            calm.observe(Arc::new(finding('f')));
        }
        assert!(!calm.flags(false).flapping);
    }

    proptest! {
        #[test]
        fn whatever_comes_three_alike_in_a_row_are_confirmed(results in "[pwfu]{0,40}", last in "[pwfu]") {
            let hysteresis = after(&format!("{results}{last}{last}{last}"));
            let wanted = finding(last.chars().next().unwrap());
            prop_assert_eq!(confirmed(&hysteresis), wanted.outcome.word());
            prop_assert!(hysteresis.is_settled());
        }
    }
}
