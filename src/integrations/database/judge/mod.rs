//! The part that decides. Pure: measurements and limits in, a finding out.

mod connect;
mod query;
mod slow;

pub(super) use connect::connect;
pub(super) use query::{query, readable, refusal};
pub(super) use slow::{slow, worth_another_try};

use super::measured::Setup;
use crate::domain::{Evidence, Quantity};
use std::time::Duration;

/// The first server that names a session's fingerprint.
const FINGERPRINTS: i32 = 140_000;

/// Whether the server says which statement a session runs.
pub(super) fn fingerprints(setup: &Setup) -> bool {
    setup.number >= FINGERPRINTS
}

/// What a role needs in order to see the statements of others.
fn grant(setup: &Setup) -> String {
    format!("GRANT pg_read_all_stats TO {}", setup.role)
}

fn time(evidence: Evidence, name: &str, time: Duration) -> Evidence {
    evidence.fact(name, Quantity::Time(time))
}

fn count(evidence: Evidence, name: &str, count: u64) -> Evidence {
    evidence.fact(name, Quantity::Count(count))
}
