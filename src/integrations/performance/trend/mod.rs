//! Whether a series of readings rises: how fast, and whether by more than chance.
//!
//! Memory comes in saw teeth and steps, so neither the difference of two
//! readings nor a straight line through all of them says much. The floors of
//! short blocks are compared instead: each with each, which gives the median
//! slope (Theil–Sen) and a test of order (Mann–Kendall) that a few wild values
//! cannot sway. What rises is told from what rises faster than a limit by the
//! lower bound of the slope, which a single step or a slow tooth does not move.

use crate::{
    domain::{Sample, Series},
    stats::{Order, Slope},
};
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
        let points: Vec<_> = floors.iter().map(|it| (it.at.as_secs_f64(), it.value)).collect();
        let slope = Slope::of(&points, SURE * order.variance.sqrt())?;
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

#[cfg(test)]
mod tests;
