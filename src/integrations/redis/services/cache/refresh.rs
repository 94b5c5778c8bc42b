//! When to load a value anew although it is still good. Pure.
//!
//! Readers near the end of a value's time draw lots, and the dearer the load the
//! earlier one of them wins: so popular values are renewed before they are missed.

use std::{cmp, time::Duration};

/// No load counts as cheaper than this.
const CHEAPEST: Duration = Duration::from_millis(1);
/// How much of the average the last load is.
const LAST: f64 = 0.3;

/// How early a value is to be loaded anew.
#[derive(Clone, Copy, Debug)]
pub(super) struct Haste {
    /// How long loading takes.
    pub(super) cost: Duration,
    /// 1 is right for most; more is earlier.
    pub(super) beta: f64,
    /// At most so long before the end.
    pub(super) most: Duration,
}

impl Haste {
    /// Whether who draws `share`, evenly from above 0 to 1, is to load a value
    /// that has this long `left`.
    ///
    /// The chance is `exp(-left / (beta * cost))`.
    pub(super) fn is_due(self, left: Duration, share: f64) -> bool {
        let ahead = -share.ln() * self.beta * self.cost.as_secs_f64();
        left.as_secs_f64() <= f64::min(ahead, self.most.as_secs_f64())
    }
}

/// What loading takes, after it `took` this long and took `before` on average.
pub(super) fn average(before: Option<Duration>, took: Duration) -> Duration {
    let mean = before.map_or(took, |before| before.mul_f64(1.0 - LAST) + took.mul_f64(LAST));
    cmp::max(mean, CHEAPEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn the_draw_decides_at_its_limit() {
        let haste = Haste { cost: ms(100), beta: 1.0, most: ms(500) };
        // -ln(1/e) = 1: just the cost of a load.
        let share = 1.0 / std::f64::consts::E;
        assert!(haste.is_due(ms(99), share) && !haste.is_due(ms(101), share));
        let eager = Haste { beta: 2.0, ..haste };
        assert!(eager.is_due(ms(199), share) && !eager.is_due(ms(201), share));
        assert!(!haste.is_due(ms(1), 1.0), "the luckiest draw never loads early");
        assert!(haste.is_due(ms(500), 0.0) && !haste.is_due(ms(501), 0.0), "never before `most`");
    }

    #[test]
    fn the_average_follows_slowly_and_is_never_nothing() {
        assert_eq!(average(None, ms(40)), ms(40));
        assert_eq!(average(Some(ms(100)), ms(200)), ms(130));
        assert_eq!(average(None, Duration::ZERO), ms(1));
        assert_eq!(average(Some(ms(1)), Duration::ZERO), ms(1));
    }
}
