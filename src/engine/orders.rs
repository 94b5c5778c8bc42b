//! What the engine wants of a supervisor.
//!
//! Requests are marks, not a queue: asking again before the first request is
//! seen changes nothing, none is ever lost, and the size is fixed. Each mark is
//! the number of the request that made it, so that a cancel before a re-check
//! and one after it are told apart.

use crate::domain::{Cadence, CheckSpec};

/// What one supervisor is asked to do.
#[derive(Clone, Debug)]
pub(super) struct Orders {
    /// The number of the newest request.
    seq: u64,
    /// Whether nothing is to run by itself.
    paused: bool,
    checks: Vec<Marks>,
}

/// The newest requests about one check; zero is none.
#[derive(Clone, Copy, Debug, Default)]
struct Marks {
    recheck: u64,
    sample: u64,
    cancel: u64,
    on_demand: bool,
}

/// What is asked of one check since a supervisor last looked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    /// Stop the run under way.
    pub(super) cancel: bool,
    /// Run it, after whatever was cancelled.
    pub(super) recheck: bool,
    /// Run it once more, if nobody asks for more than that.
    pub(super) sample: bool,
}

impl Orders {
    pub(super) fn none(specs: &[CheckSpec]) -> Self {
        let marks = |spec: &CheckSpec| Marks {
            on_demand: spec.cadence == Cadence::OnDemand,
            ..Marks::default()
        };
        Self { seq: 0, paused: false, checks: specs.iter().map(marks).collect() }
    }

    /// Asks for `check`, or for all that run by themselves.
    pub(super) fn recheck(&mut self, check: Option<usize>) {
        self.seq += 1;
        for (index, marks) in self.checks.iter_mut().enumerate() {
            if check.map_or(!marks.on_demand, |only| only == index) {
                marks.recheck = self.seq;
            }
        }
    }

    /// Wants `check`, or all that run by themselves, to measure once more.
    pub(super) fn sample(&mut self, check: Option<usize>) {
        self.seq += 1;
        for (index, marks) in self.checks.iter_mut().enumerate() {
            if check.map_or(!marks.on_demand, |only| only == index) {
                marks.sample = self.seq;
            }
        }
    }

    /// Stops `check`, or all.
    pub(super) fn cancel(&mut self, check: Option<usize>) {
        self.seq += 1;
        for (index, marks) in self.checks.iter_mut().enumerate() {
            if check.is_none_or(|only| only == index) {
                marks.cancel = self.seq;
            }
        }
    }

    /// Stops or resumes polling.
    pub(super) fn pause(&mut self, paused: bool) {
        self.seq += 1;
        self.paused = paused;
    }

    /// Whether nothing is to run by itself.
    pub(super) fn is_paused(&self) -> bool {
        self.paused
    }

    /// The number of the newest request.
    pub(super) fn seq(&self) -> u64 {
        self.seq
    }

    /// What is asked of each check after the request number `seen`.
    pub(super) fn since(&self, seen: u64) -> impl Iterator<Item = (usize, Asked)> {
        let asked = move |marks: &Marks| Asked {
            cancel: marks.cancel > seen,
            recheck: marks.recheck > seen && marks.recheck > marks.cancel,
            sample: marks.sample > seen && marks.sample > marks.cancel,
        };
        self.checks.iter().map(asked).enumerate().filter(|(_, asked)| *asked != Asked::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Finding, sample};

    fn orders() -> Orders {
        let polled = sample::check("a", 1, Finding::pass("")).spec;
        let asked = CheckSpec { cadence: Cadence::OnDemand, ..polled.clone() };
        Orders::none(&[polled, asked])
    }

    fn asked(orders: &Orders, seen: u64) -> Vec<(usize, bool, bool)> {
        orders.since(seen).map(|(index, asked)| (index, asked.cancel, asked.recheck)).collect()
    }

    #[test]
    fn asking_for_all_leaves_out_what_runs_on_demand_only() {
        let mut orders = orders();
        orders.recheck(None);
        assert_eq!(asked(&orders, 0), [(0, false, true)]);
        orders.recheck(Some(1));
        assert_eq!(asked(&orders, 1), [(1, false, true)]);
    }

    #[test]
    fn the_order_of_cancel_and_re_check_is_kept() {
        let mut orders = orders();
        orders.cancel(Some(0));
        orders.recheck(Some(0));
        assert_eq!(asked(&orders, 0), [(0, true, true)], "stopped, then run");
        orders.recheck(Some(0));
        orders.cancel(Some(0));
        assert_eq!(asked(&orders, 2), [(0, true, false)], "asked, then called off");
    }

    #[test]
    fn a_sample_is_asked_for_apart() {
        let mut orders = orders();
        orders.sample(None);
        let asked: Vec<_> = orders.since(0).collect();
        let sample = Asked { sample: true, ..Asked::default() };
        assert_eq!(asked, [(0, sample)], "what is on demand only is left alone");
        orders.cancel(Some(0));
        assert!(orders.since(0).all(|(_, asked)| asked.cancel && !asked.sample));
    }

    #[test]
    fn a_thousand_requests_are_one() {
        let mut orders = orders();
        for _ in 0..1000 {
            orders.recheck(Some(0));
        }
        assert_eq!(asked(&orders, 0).len(), 1);
        assert_eq!(asked(&orders, orders.seq()), []);
    }
}
