//! How a server is doing, by what it tells of itself.

mod safety;
mod sessions;
mod storage;

use crate::{
    domain::Finding,
    integrations::database::{
        postgres::vitals::Vitals,
        vitals::{Aspect, Subject, conclude},
    },
};
use std::time::Duration;

/// In the order in which they are worth reading.
const SUBJECTS: [Subject; 18] = [
    sessions::ROOM,
    sessions::LOCKS,
    sessions::IDLE,
    sessions::OPEN,
    sessions::PREPARED,
    sessions::DEADLOCKS,
    storage::DISK,
    storage::WRAPAROUND,
    storage::SEQUENCES,
    storage::ARCHIVER,
    storage::REPLICATION,
    storage::SLOTS,
    storage::TABLES,
    storage::INDEXES,
    safety::WRITABLE,
    safety::TIMEOUTS,
    safety::LINK,
    safety::CLOCK,
];

/// Judges every aspect; the worst decides.
pub(in super::super) fn server(vitals: &Vitals) -> Finding {
    conclude(&SUBJECTS, &aspects(vitals), "pg_stat_activity, pg_locks and 12 other catalogues")
}

fn aspects(vitals: &Vitals) -> Vec<Aspect> {
    vec![
        sessions::room(vitals),
        sessions::locks(vitals),
        sessions::waiting(vitals, &sessions::IDLE),
        sessions::waiting(vitals, &sessions::OPEN),
        sessions::waiting(vitals, &sessions::PREPARED),
        sessions::deadlocks(vitals),
        storage::disk(vitals),
        storage::wraparound(vitals),
        storage::sequences(vitals),
        storage::archiver(vitals),
        storage::replication(vitals),
        storage::slots(vitals),
        storage::tables(vitals),
        storage::indexes(vitals),
        safety::writable(vitals),
        safety::timeouts(vitals),
        safety::link(vitals),
        safety::clock(vitals),
    ]
}

/// What a role needs in order to see what others do.
fn grant(vitals: &Vitals) -> String {
    format!("GRANT pg_monitor TO {}", vitals.role)
}

const fn seconds(soft: u64, hard: u64) -> (Duration, Duration) {
    (Duration::from_secs(soft), Duration::from_secs(hard))
}

#[cfg(test)]
mod tests;
