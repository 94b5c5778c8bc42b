//! How many calls an exact log would have let through. Pure.

use super::{super::expiry::Window, Rate};
use std::ops::RangeInclusive;

/// Calls made at one moment, and how many of them got through.
#[derive(Clone, Copy, Debug)]
pub(super) struct Burst {
    /// Between which moments they were ruled upon.
    pub(super) seen: Window,
    pub(super) admitted: usize,
}

/// How many of `calls` made in `seen` may get through after all `before`.
///
/// We know only between which moments each was ruled upon: so what may or may
/// not have left the window by then makes a range of one number.
pub(super) fn admissible(
    before: &[Burst],
    seen: Window,
    calls: usize,
    rate: Rate,
) -> RangeInclusive<usize> {
    let counted = |counts: &dyn Fn(&Burst) -> bool| {
        let in_window: usize =
            before.iter().filter(|burst| counts(burst)).map(|burst| burst.admitted).sum();
        rate.calls.saturating_sub(in_window).min(calls)
    };
    let surely = |burst: &Burst| seen.to.saturating_duration_since(burst.seen.from) < rate.window;
    let perhaps = |burst: &Burst| seen.from.saturating_duration_since(burst.seen.to) < rate.window;
    counted(&perhaps)..=counted(&surely)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::time::Instant;

    const RATE: Rate = Rate { calls: 5, window: Duration::from_millis(500) };

    #[tokio::test(start_paused = true)]
    async fn what_is_sure_to_count_is_told_from_what_may() {
        let start = Instant::now();
        let at = |from, to| {
            let [from, to] = [from, to].map(|ms| start + Duration::from_millis(ms));
            Window { from, to }
        };
        let before =
            [Burst { seen: at(0, 10), admitted: 1 }, Burst { seen: at(150, 160), admitted: 3 }];
        let cases = [
            (at(300, 310), 3, 1..=1),
            (at(490, 499), 3, 1..=1),
            (at(490, 500), 3, 1..=2), // the first may just have left
            (at(509, 520), 3, 1..=2),
            (at(510, 520), 3, 2..=2),
            (at(600, 660), 9, 2..=5), // we took long
            (at(660, 670), 9, 5..=5),
            (at(660, 670), 3, 3..=3),
        ];
        for (seen, calls, expected) in cases {
            assert_eq!(admissible(&before, seen, calls, RATE), expected, "{seen:?} {calls}");
        }
        let too_many = [Burst { seen: at(0, 10), admitted: 6 }];
        assert_eq!(admissible(&too_many, at(20, 30), 3, RATE), 0..=0);
    }
}
