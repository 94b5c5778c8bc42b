//! The command vector: fifteen commands, which of them fail, and with which code.
//!
//! `PING` answers under most of the faults that break the services. The pattern
//! of what fails tells these faults from each other: [`prints`] knows the
//! patterns, [`mod@send`] asks, [`judge`] decides.

mod judge;
mod prints;
mod probes;
mod send;

use super::{Back, Redis, Site, topology::Turn, trouble::Trouble};
use crate::{domain::Finding, probe::ProbeError};
use probes::{COUNT, PROBES, Probe};
use send::{Asked, send};
use std::{sync::PoisonError, time::Duration};
use tokio::time::Instant;

/// How long a full vector stands while the light one finds nothing.
const FULL: Duration = Duration::from_mins(1);

/// What became of one command.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Answer {
    /// It was carried out.
    Done,
    /// It was not.
    Failed(Trouble),
    /// It was not asked, for this reason.
    NotSent(&'static str),
}

/// What became of one command, how long that took, and when it was.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    answer: Answer,
    took: Duration,
    at: Instant,
}

/// What became of every command, in the order of [`PROBES`].
type Row = [Seen; COUNT];

/// The last time that all commands were sent.
#[derive(Clone, Debug)]
pub(super) struct Full {
    row: Row,
    at: Instant,
}

impl Redis {
    /// Sends the commands and names the fault that their answers tell of.
    pub(super) async fn commands(&self) -> Result<Finding, ProbeError> {
        match &self.back {
            Back::Misconfigured(says) => Err(ProbeError::Misconfigured(says.clone())),
            Back::StandIn => Ok(super::trials::no_instance()),
            Back::Server(site) => {
                let finding = look(site).await;
                site.note_holding_back(&finding);
                Ok(finding)
            }
        }
    }
}

/// The light vector where the last full one is young and found nothing, else the full one.
async fn look(site: &Site) -> Finding {
    let known = site.vector.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let mut turn = None;
    let known = known.filter(|full| full.at.elapsed() < FULL && full.row.iter().all(is_fine));
    if let Some(full) = known {
        let asked = send(site, turn, |probe| probe.light).await;
        if asked.row.iter().all(is_fine) {
            let finding = judge::judge(&over(full.row, asked.row), asked.receipt);
            return in_its_turn(site, asked.turn.as_ref(), finding);
        }
        if !asked.connected {
            // All of them fail alike: asking for the rest would tell nothing more.
            return concluded(site, &asked);
        }
        turn = asked.turn;
    }
    let asked = send(site, turn, |_| true).await;
    concluded(site, &asked)
}

fn concluded(site: &Site, asked: &Asked) -> Finding {
    let full = Full { row: asked.row.clone(), at: Instant::now() };
    site.vector.lock().unwrap_or_else(PoisonError::into_inner).replace(full);
    in_its_turn(site, asked.turn.as_ref(), judge::judge(&asked.row, asked.receipt))
}

/// Says which master of a cluster it was.
fn in_its_turn(site: &Site, turn: Option<&Turn>, finding: Finding) -> Finding {
    match turn {
        Some(turn) => site.turns.ended(turn, finding),
        None => finding,
    }
}

fn is_fine(seen: &Seen) -> bool {
    matches!(seen.answer, Answer::Done | Answer::NotSent(_))
}

/// What was asked again in place of what was known of it.
fn over(known: Row, newer: Row) -> Row {
    let mut newer = newer.into_iter();
    known.map(|known| match newer.next() {
        Some(seen) if seen.answer == Answer::Done => seen,
        Some(_) | None => known,
    })
}
