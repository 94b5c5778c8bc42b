use std::{cmp, time::Duration};
use thiserror::Error;

/// Delays between attempts: each twice the one before, up to a cap.
///
/// Endless; the caller decides when to give up. It does not sleep, so a test
/// needs no clock:
///
/// ```
/// # use tminus::probe::Backoff;
/// # use std::time::Duration;
/// let mut delays = Backoff::new(Duration::from_millis(100), Duration::from_millis(350))?;
/// let first_three: Vec<u128> = delays.by_ref().take(3).map(|d| d.as_millis()).collect();
/// assert_eq!(first_three, [100, 200, 350]);
/// # Ok::<(), tminus::probe::BadBackoff>(())
/// ```
#[derive(Clone, Debug)]
pub struct Backoff {
    next: Duration,
    cap: Duration,
}

/// Why a [`Backoff`] would not work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BadBackoff {
    /// The first delay is zero, which would retry without a pause.
    #[error("the first delay must be longer than zero")]
    Zero,
    /// The cap is shorter than the first delay.
    #[error("the cap must not be shorter than the first delay")]
    CapBelowFirst,
}

impl Backoff {
    /// Starts at `first` and never exceeds `cap`.
    ///
    /// # Errors
    ///
    /// [`BadBackoff::Zero`] and [`BadBackoff::CapBelowFirst`], as named.
    pub fn new(first: Duration, cap: Duration) -> Result<Self, BadBackoff> {
        if first.is_zero() {
            Err(BadBackoff::Zero)
        } else if cap < first {
            Err(BadBackoff::CapBelowFirst)
        } else {
            Ok(Self { next: first, cap })
        }
    }
}

impl Iterator for Backoff {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let delay = self.next;
        self.next = cmp::min(delay.saturating_mul(2), self.cap);
        Some(delay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn delays_never_shrink_and_never_exceed_the_cap(first in 1_u64..10_000, extra in 0_u64..1_000_000) {
            let (first, cap) = (Duration::from_millis(first), Duration::from_millis(first + extra));
            let delays: Vec<Duration> = Backoff::new(first, cap).unwrap().take(40).collect();
            prop_assert_eq!(delays[0], first);
            prop_assert!(delays.is_sorted());
            prop_assert_eq!(delays[39], cap);
        }
    }
}
