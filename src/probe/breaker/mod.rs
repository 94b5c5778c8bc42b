//! A circuit breaker: stops calling what keeps failing, and carefully tries again.

mod config;
#[cfg(test)]
mod tests;

pub use config::{BadBreaker, BreakerConfig};

use super::Backoff;
use std::{cmp, collections::VecDeque};
use thiserror::Error;
use tokio::time::Instant;

/// What a breaker does with calls now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerState {
    /// They go through.
    Closed,
    /// They are rejected until this moment.
    Open {
        /// When the next one goes through, as a trial.
        retry_at: Instant,
    },
    /// A few go through as trials.
    HalfOpen,
}

/// Why a call may not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Rejected {
    /// Too many calls went wrong.
    #[error("the circuit is open")]
    Open {
        /// When the next one goes through.
        retry_at: Instant,
    },
    /// As many trials as allowed are under way.
    #[error("the circuit is half open and its trials are under way")]
    Trying,
}

/// How a call ended, as far as a breaker cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallEnd {
    /// The other side did its part.
    Good,
    /// The other side did not.
    Failed,
    /// It says nothing about the other side: cancelled, or our own mistake.
    Ignored,
}

/// The right to make one call. Give it back with [`Breaker::record`].
///
/// One that is lost (its call was dropped) holds its place among the trials
/// until `trial_time` is over.
#[derive(Debug)]
#[must_use = "a call that is made must be recorded"]
pub struct Permit {
    generation: u64,
    began: Instant,
}

/// A circuit breaker: stops calling what keeps failing, and carefully tries again.
///
/// A pure state machine that is told the time, so tests need no clock. A result
/// counts only in the phase that its call began in: what comes in late, after
/// the breaker has changed its mind, changes nothing.
#[derive(Debug)]
pub struct Breaker {
    config: BreakerConfig,
    first_waits: Backoff,
    waits: Backoff,
    phase: Phase,
    generation: u64,
    rejected: u64,
    opened: u64,
}

#[derive(Debug)]
enum Phase {
    Closed(VecDeque<Graded>),
    Open { retry_at: Instant },
    HalfOpen(Trials),
}

#[derive(Clone, Copy, Debug)]
struct Graded {
    failed: bool,
    slow: bool,
}

#[derive(Debug)]
struct Trials {
    since: Instant,
    /// Whether the one call that goes first went well.
    first_done: bool,
    under_way: u32,
    good: u32,
    bad: u32,
}

impl Trials {
    fn begin(since: Instant) -> Self {
        Self { since, first_done: false, under_way: 0, good: 0, bad: 0 }
    }

    fn has_room(&self, config: &BreakerConfig) -> bool {
        let (taken, places) = if self.first_done {
            (self.under_way + self.good + self.bad, config.trials)
        } else {
            (self.under_way, 1)
        };
        taken < places
    }

    /// `Some(whether it closes)` once that is decided.
    fn count(&mut self, well: bool, config: &BreakerConfig) -> Option<bool> {
        if !self.first_done {
            self.first_done = well;
            return (!well).then_some(false);
        }
        if well {
            self.good += 1;
        } else {
            self.bad += 1;
        }
        if self.good >= config.needed {
            Some(true)
        } else if self.bad > config.trials - config.needed {
            Some(false)
        } else {
            None
        }
    }
}

impl Breaker {
    /// A closed breaker that has seen nothing.
    ///
    /// # Errors
    ///
    /// [`BadBreaker`], where it could never open or never close.
    pub fn new(config: BreakerConfig) -> Result<Self, BadBreaker> {
        let waits = config.waits()?;
        let first_waits = waits.clone();
        let phase = Phase::Closed(VecDeque::new());
        Ok(Self { config, first_waits, waits, phase, generation: 0, rejected: 0, opened: 0 })
    }

    /// Asks whether a call may be made now. A rejected one is counted.
    pub fn admit(&mut self, now: Instant) -> Result<Permit, Rejected> {
        if let Phase::HalfOpen(trials) = &self.phase
            && now.saturating_duration_since(trials.since) > self.config.trial_time
        {
            self.open(now);
        }
        if let Phase::Open { retry_at } = self.phase {
            if now < retry_at {
                self.rejected += 1;
                return Err(Rejected::Open { retry_at });
            }
            self.enter(Phase::HalfOpen(Trials::begin(now)));
        }
        if let Phase::HalfOpen(trials) = &mut self.phase {
            if !trials.has_room(&self.config) {
                self.rejected += 1;
                return Err(Rejected::Trying);
            }
            trials.under_way += 1;
        }
        Ok(Permit { generation: self.generation, began: now })
    }

    /// Takes note of how a call ended.
    #[expect(clippy::needless_pass_by_value, reason = "a permit is good for one call")]
    pub fn record(&mut self, permit: Permit, end: CallEnd, now: Instant) {
        if permit.generation != self.generation {
            return;
        }
        let slow = now.saturating_duration_since(permit.began) > self.config.slow;
        let graded = match end {
            CallEnd::Good => Some(Graded { failed: false, slow }),
            CallEnd::Failed => Some(Graded { failed: true, slow }),
            CallEnd::Ignored => None,
        };
        match &mut self.phase {
            Phase::Closed(results) => {
                let Some(graded) = graded else { return };
                results.push_back(graded);
                if results.len() > self.config.window {
                    results.pop_front();
                }
                if too_many(results, &self.config) {
                    self.open(now);
                }
            }
            Phase::HalfOpen(trials) => {
                trials.under_way -= 1;
                let Some(Graded { failed, slow }) = graded else { return };
                match trials.count(!failed && !slow, &self.config) {
                    Some(true) => self.close(),
                    Some(false) => self.open(now),
                    None => {}
                }
            }
            // Nothing is admitted while open, so nothing of this generation ends.
            Phase::Open { .. } => {}
        }
    }

    /// What it does with calls. An open breaker says when it tries again, so
    /// that whoever shows it can say "not asked until …" rather than an old answer.
    pub fn state(&self) -> BreakerState {
        match &self.phase {
            Phase::Closed(_) => BreakerState::Closed,
            Phase::Open { retry_at } => BreakerState::Open { retry_at: *retry_at },
            Phase::HalfOpen(_) => BreakerState::HalfOpen,
        }
    }

    /// Calls turned away so far.
    pub fn rejected(&self) -> u64 {
        self.rejected
    }

    /// How often it opened so far.
    pub fn opened(&self) -> u64 {
        self.opened
    }

    fn open(&mut self, now: Instant) {
        // Endless, so the cap is never used in its place.
        let wait = self.waits.next().unwrap_or(self.config.open_cap);
        self.opened += 1;
        self.enter(Phase::Open { retry_at: now + wait });
    }

    fn close(&mut self) {
        self.waits = self.first_waits.clone();
        self.enter(Phase::Closed(VecDeque::new()));
    }

    /// Every change of phase is a new generation, which makes old permits void.
    fn enter(&mut self, phase: Phase) {
        self.generation += 1;
        self.phase = phase;
    }
}

/// Whether a share is reached. Below the minimum of calls there is no share.
fn too_many(results: &VecDeque<Graded>, config: &BreakerConfig) -> bool {
    let reaches = |wanted: usize, percent: usize| wanted * 100 >= percent * results.len();
    let failed = results.iter().filter(|result| result.failed).count();
    let slow = results.iter().filter(|result| result.slow).count();
    results.len() >= cmp::min(config.min_calls, config.window)
        && (reaches(failed, config.failed_percent) || reaches(slow, config.slow_percent))
}
