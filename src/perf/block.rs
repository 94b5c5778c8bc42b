//! Parts of a test that are judged against each other: requests of one moment are alike,
//! so that only what holds from block to block can be relied on.

use super::{number::float, quantile::within, times::Times};
use crate::domain::perf::{Block, Load};
use std::time::Duration;

/// Blocks that a test is cut into, about,
const MANY: u64 = 10;
/// and how long one is at most.
const LONGEST: u64 = 6;
/// Blocks that are kept.
const KEPT: usize = 600;

/// The shares of [`Block::within`].
pub(super) const SHARES: [f64; 3] = [0.5, 0.95, 0.99];

/// Collects seconds into blocks.
pub(super) struct Blocks {
    seconds: u64,
    whole: u64,
    well: Times,
    lost: u64,
    ended: Vec<Block>,
}

impl Blocks {
    pub(super) fn new(load: &Load) -> Self {
        let planned = load.duration.map_or(0, |duration| duration.as_secs());
        let seconds = (planned / MANY).clamp(1, LONGEST);
        // What comes after the last whole one is of no block.
        let whole = if planned == 0 { u64::MAX } else { planned / seconds };
        Self { seconds, whole, well: Times::default(), lost: 0, ended: Vec::new() }
    }

    /// Adds a part of second `at`.
    pub(super) fn add(&mut self, at: u32, well: &Times, lost: u64) {
        let of = u64::from(at) / self.seconds;
        while usize::try_from(of).is_ok_and(|of| of > self.ended.len()) && !self.is_full() {
            self.end();
        }
        if !self.is_full() {
            self.well.merge(well);
            self.lost += lost;
        }
    }

    fn is_full(&self) -> bool {
        let ended = self.ended.len();
        ended == KEPT || u64::try_from(ended).is_ok_and(|ended| ended >= self.whole)
    }

    fn end(&mut self) {
        let (well, lost) = (std::mem::take(&mut self.well), self.lost);
        self.lost = 0;
        self.ended.push(Block {
            mean: Duration::from_secs_f64(well.mean() / 1e6),
            per_second: float(well.len()) / float(self.seconds),
            within: SHARES.map(|share| within(&well, lost, share).time),
            failed: float(lost) / float((well.len() + lost).max(1)),
        });
    }

    /// The whole blocks; `complete` where the test ran to its planned end.
    pub(super) fn finish(mut self, complete: bool) -> Vec<Block> {
        let last = u64::try_from(self.ended.len()).is_ok_and(|ended| ended + 1 == self.whole);
        if complete && last {
            self.end();
        }
        self.ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::perf::render::sample;

    fn of(seconds: Option<u64>) -> Blocks {
        let duration = seconds.map(Duration::from_secs);
        Blocks::new(&Load { duration, ..sample::record().load })
    }

    fn times(count: u64) -> Times {
        let mut times = Times::default();
        times.record_n(1000, count);
        times
    }

    #[test]
    fn a_test_is_cut_into_whole_blocks() {
        for (planned, seconds, blocks) in
            [(Some(10), 1, 10), (Some(30), 3, 10), (Some(65), 6, 10), (Some(600), 6, 100)]
        {
            let mut cut = of(planned);
            assert_eq!(cut.seconds, seconds);
            for at in 0..u32::try_from(planned.unwrap()).unwrap() + 3 {
                cut.add(at, &times(100), 0);
            }
            let found = cut.finish(true);
            assert_eq!(found.len(), blocks, "{planned:?}");
            assert!(found.iter().all(|block| (block.per_second - 100.0).abs() < 1e-9));
        }
    }

    #[test]
    fn a_silent_second_is_a_block_too_and_an_unfinished_one_is_none() {
        let mut cut = of(None);
        cut.add(0, &times(50), 1);
        cut.add(3, &times(10), 0);
        let found = cut.finish(true);
        assert_eq!(found.len(), 3);
        assert_eq!(
            (found[0].within[0], found[0].within[2]),
            (Some(Duration::from_millis(1)), None)
        );
        assert_eq!((found[1].within, found[1].mean), ([None; 3], Duration::ZERO));
        let mut early = of(Some(2));
        early.add(0, &times(50), 0);
        assert_eq!(early.finish(false), []);
    }
}
