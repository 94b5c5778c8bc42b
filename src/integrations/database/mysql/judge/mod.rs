//! The part that decides. Pure: measurements in, a finding out.

mod errors;
mod pool;
mod query;
mod server;
mod slow;
mod transactions;

pub(super) use errors::errors;
pub(super) use pool::pool;
pub(super) use query::query;
pub(super) use server::server;
pub(super) use slow::slow;
pub(super) use transactions::transactions;

use super::measured::{Counting, Setup};
use crate::domain::Evidence;

/// What it takes to count, which only a restart changes.
const COUNTING: &str = "set performance_schema = ON under [mysqld] in the server's option file, \
                        restart it; until then slow_query_log = ON with long_query_time = 0.1 \
                        keeps the slow ones";

/// How the server counts, as facts.
fn facts(setup: &Setup, evidence: Evidence) -> Evidence {
    let (schema, digests, instruments) = match setup.counting {
        Counting::Off => return evidence.fact("performance_schema", "off"),
        Counting::NoDigests => ("on", "off", "not looked at"),
        Counting::NoInstruments => ("on", "on", "off"),
        Counting::On => ("on", "on", "on"),
    };
    evidence
        .fact("performance_schema", schema)
        .fact("statements_digest", digests)
        .fact("statement/sql/select", instruments)
        .fact("digests at most", setup.size.to_string().as_str())
}
