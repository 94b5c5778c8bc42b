//! Looks again at what is cheap to look at, until there is enough to tell a difference
//! from chance.

use super::check::Ended;
use crate::{
    domain::{BLOCKS, Cadence, CheckId, CheckView, Impact, Measured, Quantity, Snapshot},
    engine::{Command, Handle, Selection},
};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};
use tokio_util::sync::CancellationToken;

/// Between two looks at the same: what is measured closer together depends on each other.
const APART: Duration = Duration::from_millis(250);
/// The longest that it may take: what is not looked at meanwhile must not grow stale.
/// What is not known by then is too little to compare.
const LONGEST: Duration = Duration::from_secs(6);
/// What a console looks at this often may be looked at ten times in a row.
const CHEAP: Duration = Duration::from_secs(15);
/// Commands sent at a time, so that others have room.
const AT_ONCE: usize = 16;

/// Measures what only reads and is looked at often anyway, until there are ten samples
/// of each, for 6 s at most.
pub async fn sample(mut handle: Handle, cancel: &CancellationToken) -> Ended {
    let end = Instant::now() + LONGEST;
    let mut turn = interval(APART);
    turn.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let snapshot = Arc::clone(&handle.snapshots.borrow_and_update());
        let Some(idle) = idle(&snapshot) else { return Ended::Looked(snapshot) };
        for check in idle.into_iter().take(AT_ONCE) {
            // When the engine is busy, the rest have their turn at the next look.
            if handle.send(Command::Sample(Selection::Check(check))).is_err() {
                break;
            }
        }
        tokio::select! {
            biased;
            () = cancel.cancelled() => return Ended::Interrupted,
            () = sleep_until(end) => {
                return Ended::Looked(Arc::clone(&handle.snapshots.borrow_and_update()));
            }
            _ = turn.tick() => {}
        }
    }
}

/// Those of the checks that are wanted which do not run just now; `None` where none are.
fn idle(snapshot: &Snapshot) -> Option<Vec<CheckId>> {
    let wanted: Vec<&CheckView> = wanted(snapshot).collect();
    let idle = wanted.iter().filter(|check| check.running.is_none() && !check.queued);
    (!wanted.is_empty()).then(|| idle.map(|check| check.id.clone()).collect())
}

/// The checks that have measured something, but not often enough.
fn wanted(snapshot: &Snapshot) -> impl Iterator<Item = &CheckView> {
    let from = snapshot.relevant_from();
    let cheap = |check: &&CheckView| {
        check.spec.impact == Impact::ReadOnly
            && matches!(check.spec.cadence, Cadence::Every(period) if period <= CHEAP)
    };
    let lacks = move |check: &&CheckView| {
        let measured = Measured::of(check, from);
        // Only what is drawn over time is kept.
        let bytes = matches!(check.finding.measure, Some(Quantity::Bytes(_)));
        let memory = check.spec.graph && bytes;
        (check.finding.latency.is_some() && measured.latency.len() < BLOCKS)
            || (memory && measured.memory.len() < BLOCKS)
    };
    let all = snapshot.integrations.iter().flat_map(|view| &view.checks);
    all.filter(cheap).filter(lacks)
}
