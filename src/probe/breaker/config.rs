use crate::probe::{Backoff, BadBackoff};
use std::time::Duration;
use thiserror::Error;

/// When a [`Breaker`](super::Breaker) opens, and what it wants to see before it closes again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerConfig {
    /// How many of the newest results are looked at.
    pub window: usize,
    /// Results before any share counts. More than `window` are never waited for.
    pub min_calls: usize,
    /// Share of failures, 1 to 100 percent, at which it opens.
    pub failed_percent: usize,
    /// Share of slow calls, 1 to 100 percent, at which it opens.
    pub slow_percent: usize,
    /// A call that takes longer than this is slow.
    pub slow: Duration,
    /// How long it stays open the first time. Doubles whenever a trial fails.
    pub open: Duration,
    /// The longest that it stays open before it tries again.
    pub open_cap: Duration,
    /// Calls let through once the first one after a wait went well.
    pub trials: u32,
    /// How many of the trials must go well for it to close.
    pub needed: u32,
    /// How long the trials may take together before it opens again.
    pub trial_time: Duration,
}

impl Default for BreakerConfig {
    /// For a probe, which calls rarely: few results decide.
    fn default() -> Self {
        Self {
            window: 10,
            min_calls: 5,
            failed_percent: 50,
            slow_percent: 50,
            slow: Duration::from_millis(200),
            open: Duration::from_secs(15),
            open_cap: Duration::from_mins(5),
            trials: 3,
            needed: 2,
            trial_time: Duration::from_secs(10),
        }
    }
}

/// Why a [`Breaker`](super::Breaker) would not work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BadBreaker {
    /// Without a window or a minimum nothing can be counted.
    #[error("the window and the minimum of calls must be at least 1")]
    NoWindow,
    /// A share that is never, or always, reached.
    #[error("the shares must be 1 to 100 percent")]
    BadShare,
    /// It could never close.
    #[error("between 1 and all of the trials must be needed to close")]
    BadTrials,
    /// The waits are unusable.
    #[error("the time open: {0}")]
    BadWait(#[from] BadBackoff),
}

impl BreakerConfig {
    /// Whether it could open and close at all; the waits that it describes.
    pub(super) fn waits(&self) -> Result<Backoff, BadBreaker> {
        let share = |percent: usize| (1..=100).contains(&percent);
        if self.window == 0 || self.min_calls == 0 {
            Err(BadBreaker::NoWindow)
        } else if !share(self.failed_percent) || !share(self.slow_percent) {
            Err(BadBreaker::BadShare)
        } else if self.needed == 0 || self.needed > self.trials {
            Err(BadBreaker::BadTrials)
        } else {
            Ok(Backoff::new(self.open, self.open_cap)?)
        }
    }
}
