use std::{cmp, time::Duration};
use thiserror::Error;
use tokio::time::sleep;

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

impl Backoff {
    /// The same delays as ceilings, each drawn evenly between zero and its
    /// ceiling, so that those who failed together do not come back together.
    ///
    /// `random` gives a share from 0.0 to 1.0; anything else is taken for the nearer end.
    pub fn full_jitter<R: FnMut() -> f64>(self, random: R) -> FullJitter<R> {
        FullJitter { ceilings: self, random }
    }
}

/// Delays with full jitter, see [`Backoff::full_jitter`]. Endless.
#[derive(Clone, Debug)]
pub struct FullJitter<R> {
    ceilings: Backoff,
    random: R,
}

impl<R: FnMut() -> f64> Iterator for FullJitter<R> {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let ceiling = self.ceilings.next()?;
        // Not a number counts as zero: of it and a number, `max` returns the number.
        let share = f64::max((self.random)(), 0.0);
        Some(ceiling.mul_f64(f64::min(share, 1.0)))
    }
}

/// Attempts until one succeeds, with these delays between attempts.
///
/// After the last delay comes the last attempt, whose error is returned: `n`
/// delays are at most `n + 1` attempts. The caller sets the deadline.
pub async fn retry<T, E, F: Future<Output = Result<T, E>>>(
    mut delays: impl Iterator<Item = Duration>,
    mut attempt: impl FnMut() -> F,
) -> Result<T, E> {
    loop {
        match attempt().await {
            Ok(answer) => return Ok(answer),
            Err(error) => match delays.next() {
                Some(delay) => sleep(delay).await,
                None => return Err(error),
            },
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
    use tokio::time::Instant;

    #[tokio::test(start_paused = true)]
    async fn attempts_stop_at_the_last_delay_or_at_success() {
        let waits =
            |n| Backoff::new(Duration::from_secs(1), Duration::from_secs(4)).unwrap().take(n);
        for (good_at, delays, tries, waited) in
            [(9, 3, 4, 7), (2, 3, 2, 1), (1, 3, 1, 0), (9, 0, 1, 0)]
        {
            let (began, mut tried) = (Instant::now(), 0);
            let answer = retry(waits(delays), || {
                tried += 1;
                let answer = if tried == good_at { Ok(tried) } else { Err(tried) };
                async move { answer }
            });
            assert_eq!(answer.await.is_ok(), tries == good_at);
            assert_eq!((tried, began.elapsed()), (tries, Duration::from_secs(waited)));
        }
    }

    #[test]
    fn a_bad_source_of_randomness_does_no_harm() {
        let delays = Backoff::new(Duration::from_secs(1), Duration::from_secs(1)).unwrap();
        for (share, millis) in [(f64::NAN, 0), (-3.0, 0), (f64::INFINITY, 1000), (0.25, 250)] {
            let drawn = delays.clone().full_jitter(|| share).next();
            assert_eq!(drawn, Some(Duration::from_millis(millis)), "{share}");
        }
    }

    proptest! {
        #[test]
        fn a_drawn_delay_never_exceeds_its_ceiling(shares in prop::collection::vec(0.0..=1.0_f64, 12)) {
            let ceilings = Backoff::new(Duration::from_millis(200), Duration::from_secs(30)).unwrap();
            let mut source = shares.iter().copied();
            let drawn = ceilings.clone().full_jitter(|| source.next().unwrap());
            for (delay, ceiling) in drawn.zip(ceilings).take(12) {
                prop_assert!(delay <= ceiling);
            }
        }

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
