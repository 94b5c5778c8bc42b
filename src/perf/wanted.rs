//! What every test may be asked for: the limits of it, and its words. Pure.

use super::THREADS;
use crate::domain::perf::Arrivals;
use std::time::Duration;

/// How long a test may take.
const LONGEST: Duration = Duration::from_hours(1);

/// What is wrong with a `value` that has to be between one and `most`.
pub(super) fn outside(name: &str, value: u64, most: u64) -> Option<String> {
    let outside = value == 0 || value > most;
    outside.then(|| format!("--{name} is {value}; it must be between 1 and {most}"))
}

/// What is wrong with so many threads.
pub(super) fn threads(threads: u32) -> Option<String> {
    outside("threads", threads.into(), THREADS.into())
}

/// What is wrong with the rate of a plan.
pub(super) fn rate(arrivals: Arrivals) -> Option<String> {
    let rate = arrivals.rate().filter(|rate| !(0.01..=1e7).contains(rate))?;
    Some(format!("--rate is {rate}; it must be between 0.01 and 1e7"))
}

/// What is wrong with a test that takes so long.
pub(super) fn length(took: Duration) -> Option<String> {
    (took > LONGEST).then(|| "no test takes longer than 60m".into())
}

/// When operations begin, in a clause.
pub(super) fn arrivals(arrivals: Arrivals) -> String {
    match arrivals {
        Arrivals::Closed => "closed loop".into(),
        Arrivals::Constant { rate } => format!("{rate}/s"),
        Arrivals::Poisson { rate } => format!("{rate}/s in random gaps"),
    }
}
