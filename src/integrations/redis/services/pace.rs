use std::{cmp, time::Duration};

/// What to allow for besides round trips: timers, schedulers, garbage.
const ALLOWANCE: Duration = Duration::from_millis(25);
/// Bounds of the slack.
const LEAST: Duration = Duration::from_millis(50);
const MOST: Duration = Duration::from_secs(1);
/// With more slack than this, waiting for expiry would take too long.
const QUICK: Duration = Duration::from_millis(200);

/// How fast a link is, and so how exact times on it can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pace {
    /// The slowest round trip seen.
    slowest: Duration,
}

impl Pace {
    /// The pace of a link on which round trips took this long.
    pub(crate) fn of(round_trips: &[Duration]) -> Self {
        Self { slowest: round_trips.iter().max().copied().unwrap_or_default() }
    }

    /// The slowest round trip seen.
    pub(crate) fn slowest(self) -> Duration {
        self.slowest
    }

    /// How far off a time on this link may be: four round trips and a bit,
    /// between 50 ms and 1 s.
    pub(crate) fn slack(self) -> Duration {
        (self.slowest * 4 + ALLOWANCE).clamp(LEAST, MOST)
    }

    /// A time to live of `base`, or longer where the slack would swallow it.
    pub(crate) fn ttl(self, base: Duration) -> Duration {
        cmp::max(base, self.slack() * 6)
    }

    /// Whether it can be told within seconds when a key expires.
    pub(crate) fn is_quick(self) -> bool {
        self.slack() <= QUICK
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(slowest: u64) -> Pace {
        Pace::of(&[Duration::ZERO, Duration::from_micros(slowest)])
    }

    #[test]
    fn slack_grows_with_the_slowest_round_trip_within_bounds() {
        let slack = |slowest| pace(slowest).slack().as_micros();
        assert_eq!([slack(0), slack(6_250), slack(10_000)], [50_000, 50_000, 65_000]);
        assert_eq!([slack(243_750), slack(5_000_000)], [1_000_000, 1_000_000]);
    }

    #[test]
    fn a_slow_link_gets_longer_lives_and_no_timing() {
        let base = Duration::from_millis(450);
        assert_eq!(pace(0).ttl(base), base);
        assert_eq!(pace(43_750).ttl(base), Duration::from_millis(1200));
        assert!(pace(43_750).is_quick());
        assert!(!pace(43_751).is_quick());
    }
}
