//! Measures this host's clocks: what they can tell apart, and whether they keep time.

use crate::domain::Timestamp;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Readings in a row: well under a millisecond, and thousands of steps of a good clock.
const READINGS: usize = 2_000;
/// What is slept, and how often.
const NAP: Duration = Duration::from_millis(5);
const NAPS: usize = 5;
/// A wall clock that is moved gently gains or loses less than this in a second.
const SLEW: i64 = 1_000;
/// More than this, and the wall clock was set. It is told in milliseconds.
const STEP: i64 = 250;
/// How long a step is shown: long enough to be seen by whoever asks what happened.
const SHOWN: Duration = Duration::from_mins(5);

/// What many readings of the monotonic clock in a row showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Readings {
    pub(super) count: usize,
    /// The smallest step forward; `None` if it stood still.
    pub(super) step: Option<Duration>,
    /// How often a later reading was earlier.
    pub(super) backwards: usize,
}

/// Reads the monotonic clock many times in a row. Blocks well under a millisecond.
pub(super) fn readings() -> Readings {
    let mut seen = Readings { count: READINGS, step: None, backwards: 0 };
    let mut last = Instant::now();
    for _ in 0..READINGS {
        let next = Instant::now();
        seen.note(last, next);
        last = next;
    }
    seen
}

impl Readings {
    fn note(&mut self, last: Instant, next: Instant) {
        match next.checked_duration_since(last) {
            None => self.backwards += 1,
            Some(Duration::ZERO) => {}
            Some(step) => self.step = Some(self.step.map_or(step, |least| least.min(step))),
        }
    }
}

/// How late short sleeps end, in the median.
pub(super) async fn lateness() -> Duration {
    let mut late = [Duration::ZERO; NAPS];
    for late in &mut late {
        let began = Instant::now();
        sleep(NAP).await;
        *late = began.elapsed().saturating_sub(NAP);
    }
    late.sort_unstable();
    late[NAPS / 2]
}

/// Holds the wall clock against the monotonic one, from run to run.
#[derive(Debug, Default)]
pub(super) struct Pace {
    last: Option<(Instant, Timestamp)>,
    step: Option<(i64, Instant)>,
}

impl Pace {
    /// Takes both clocks of one moment, and gives the last step, in milliseconds,
    /// and how long ago it was noticed, while it is worth telling.
    pub(super) fn note(&mut self, now: Instant, wall: Timestamp) -> Option<(i64, Duration)> {
        if let Some((before, wall_before)) = self.last.replace((now, wall)) {
            let passed = millis(now.saturating_duration_since(before));
            let moved = wall.0.saturating_sub(wall_before.0).saturating_sub(passed);
            if moved.abs() > STEP + passed / SLEW {
                self.step = Some((moved, now));
            }
        }
        let (step, at) = self.step?;
        let ago = now.saturating_duration_since(at);
        (ago < SHOWN).then_some((step, ago))
    }
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_hosts_clock_moves_on_and_never_back() {
        let seen = readings();
        assert_eq!(seen.backwards, 0);
        assert!(seen.step.is_some_and(|step| step < Duration::from_millis(1)), "{seen:?}");
    }

    #[test]
    fn a_clock_that_goes_back_or_stands_is_seen() {
        let (now, mut seen) = (Instant::now(), Readings { count: 3, step: None, backwards: 0 });
        seen.note(now, now);
        assert_eq!((seen.step, seen.backwards), (None, 0));
        seen.note(now, now + Duration::from_nanos(90));
        seen.note(now, now + Duration::from_nanos(40));
        seen.note(now + Duration::from_nanos(1), now);
        assert_eq!((seen.step, seen.backwards), (Some(Duration::from_nanos(40)), 1));
    }

    #[tokio::test(start_paused = true)]
    async fn sleeps_on_a_clock_without_delay_are_not_late() {
        assert_eq!(lateness().await, Duration::ZERO);
    }

    #[test]
    fn a_step_is_told_from_a_gentle_move_and_shown_for_a_while() {
        let start = Instant::now();
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        let cases = [(0, None), (280, None), (281, Some(281)), (-280, None), (-281, Some(-281))];
        for (off, expected) in cases {
            let mut pace = Pace::default();
            assert_eq!(pace.note(at(0), Timestamp(1_000)), None, "nothing to compare with");
            let step = pace.note(at(30), Timestamp(31_000 + off));
            assert_eq!(step.map(|(step, _)| step), expected, "off by {off} ms in 30 s");
        }
        let mut pace = Pace::default();
        pace.note(at(0), Timestamp(0));
        assert_eq!(pace.note(at(30), Timestamp(90_000)), Some((60_000, Duration::ZERO)));
        let later = pace.note(at(329), Timestamp(389_000));
        assert_eq!(later, Some((60_000, Duration::from_secs(299))));
        assert_eq!(pace.note(at(330), Timestamp(390_000)), None);
    }
}
