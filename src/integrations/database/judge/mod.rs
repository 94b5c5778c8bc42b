//! What is judged alike on every database. Pure: measurements and limits in, a finding out.

mod connect;
mod pool;
mod slow;

pub(super) use connect::connect;
pub(super) use pool::{accounted, accounting};
pub(super) use slow::{controls, noticed, sampled, worth_another_try};

use crate::domain::{Evidence, Quantity};
use std::time::Duration;

/// A time as a fact.
pub(super) fn time(evidence: Evidence, name: &str, time: Duration) -> Evidence {
    evidence.fact(name, Quantity::Time(time))
}

/// A count as a fact.
pub(super) fn count(evidence: Evidence, name: &str, count: u64) -> Evidence {
    evidence.fact(name, Quantity::Count(count))
}
