//! Whether a series of readings rises: how fast, and whether by more than chance.
//!
//! Memory comes in saw teeth and steps, so neither the difference of two
//! readings nor a straight line through all of them says much. The floors of
//! short blocks are compared instead: each with each, which gives the median
//! slope (Theil–Sen) and a test of order (Mann–Kendall) that a few wild values
//! cannot sway. What rises is told from what rises faster than a limit by the
//! lower bound of the slope, which a single step or a slow tooth does not move.

use crate::domain::{Sample, Series};
use std::time::Duration;

/// Readings of which the least is taken: 25 seconds of a five-second poll.
const BLOCK: usize = 5;
/// Readings that are looked at, the newest: ten minutes of a five-second poll.
/// With more, what begins later would be found later; with fewer, a slow tooth
/// would look like growth.
const WINDOW: usize = 120;
/// Blocks without which nothing is said.
const BLOCKS: usize = 8;
/// Readings without which nothing is said.
pub(super) const NEEDED: usize = BLOCK * BLOCKS;
/// The standard score that chance exceeds once in a hundred times.
const SURE: f64 = 2.326;

/// How a series has moved.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Trend {
    /// The median slope, per minute.
    pub(super) per_minute: f64,
    /// Below and above which the slope lies once in a hundred times each, per minute.
    pub(super) bounds: (f64, f64),
    /// The standard score of the order of the values; positive when they rise.
    pub(super) score: f64,
    /// What was looked at.
    pub(super) span: Duration,
}

impl Trend {
    /// The trend of what is kept; `None` where that is too little to say.
    pub(super) fn of(samples: &Series) -> Option<Self> {
        let skipped = samples.len().saturating_sub(WINDOW);
        let samples: Vec<Sample> = samples.iter().skip(skipped).collect();
        let floors = floors(&samples);
        if floors.len() < BLOCKS {
            return None;
        }
        let values: Vec<f64> = floors.iter().map(|floor| floor.value).collect();
        let order = Order::of(&values);
        let slope = Slope::of(&floors, SURE * order.variance.sqrt())?;
        Some(Self {
            per_minute: slope.median * 60.0,
            bounds: (slope.low * 60.0, slope.high * 60.0),
            score: order.score(),
            span: samples.last()?.at.saturating_sub(samples.first()?.at),
        })
    }

    /// Whether it moved by more than chance.
    pub(super) fn is_sure(&self) -> bool {
        self.score.abs() >= SURE
    }

    /// Whether it rises faster than that, by more than chance.
    pub(super) fn exceeds(&self, per_minute: f64) -> bool {
        self.is_sure() && self.bounds.0 > per_minute
    }
}

/// The least of each block, counted back from the newest reading.
fn floors(samples: &[Sample]) -> Vec<Sample> {
    let least = |block: &[Sample]| {
        block.iter().copied().min_by(|one, other| one.value.total_cmp(&other.value))
    };
    let mut floors: Vec<Sample> = samples.rchunks_exact(BLOCK).filter_map(least).collect();
    floors.reverse();
    floors
}

/// The slope of the line through each pair of points: the median, and bounds.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Slope {
    median: f64,
    low: f64,
    high: f64,
}

impl Slope {
    /// `margin` is how far the count of rising over falling pairs strays by
    /// chance, so it says how many slopes lie between the bounds (Sen 1968).
    fn of(points: &[Sample], margin: f64) -> Option<Self> {
        let mut slopes = Vec::with_capacity(points.len() * points.len() / 2);
        for (index, from) in points.iter().enumerate() {
            for to in &points[index + 1..] {
                let seconds = to.at.as_secs_f64() - from.at.as_secs_f64();
                if seconds != 0.0 {
                    slopes.push((to.value - from.value) / seconds);
                }
            }
        }
        slopes.sort_unstable_by(f64::total_cmp);
        let last = slopes.len().checked_sub(1)?;
        let outside = (as_f64(slopes.len()) - margin) / 2.0;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "cut to 0..=last"
        )]
        let rank = |position: f64| position.round().clamp(0.0, as_f64(last)) as usize;
        Some(Self {
            median: f64::midpoint(slopes[last / 2], slopes[slopes.len() / 2]),
            low: slopes[rank(outside - 1.0)],
            high: slopes[rank(as_f64(slopes.len()) - outside)],
        })
    }
}

/// How far values are in rising order (Mann 1945, Kendall 1975).
#[derive(Clone, Copy, Debug, PartialEq)]
struct Order {
    /// Rising pairs less falling pairs.
    balance: f64,
    /// The variance of the balance where there is no trend, ties considered.
    variance: f64,
}

impl Order {
    fn of(values: &[f64]) -> Self {
        let mut balance = 0.0;
        for (index, earlier) in values.iter().enumerate() {
            for later in &values[index + 1..] {
                balance += f64::from(later.total_cmp(earlier) as i8);
            }
        }
        let spread = |count: f64| count * (count - 1.0) * (2.0 * count + 5.0);
        let mut sorted = values.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let equal = sorted
            .chunk_by(|one, other| one.total_cmp(other).is_eq())
            .map(|tied| as_f64(tied.len()));
        let variance = (spread(as_f64(values.len())) - equal.map(spread).sum::<f64>()) / 18.0;
        Self { balance, variance }
    }

    /// The balance as a standard score, moved by one towards zero for continuity.
    fn score(self) -> f64 {
        if self.variance <= 0.0 || self.balance == 0.0 {
            return 0.0;
        }
        (self.balance - self.balance.signum()) / self.variance.sqrt()
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of a few thousand at most")]
fn as_f64(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests;
