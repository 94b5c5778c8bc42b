//! The part that decides. Pure: measurements and limits in, a finding out.

mod errors;
mod pool;
mod query;
mod server;
mod slow;
mod transactions;

pub(super) use errors::errors;
pub(super) use pool::pool;
pub(super) use query::{query, readable, refusal};
pub(super) use server::server;
pub(super) use slow::{seen_in_time, slow};
pub(super) use transactions::transactions;

use super::measured::Setup;

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
