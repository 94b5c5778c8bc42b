use super::Mark;
use serde::{Deserialize, Serialize};

/// How many runs ended in which way since the engine started. Only ever grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Passed.
    pub pass: u64,
    /// Crossed a soft limit.
    pub warn: u64,
    /// Found the target wrong.
    pub fail: u64,
    /// Ended without an answer, or were blocked by something else.
    pub unknown: u64,
    /// Were skipped on purpose.
    pub skipped: u64,
}

impl Tally {
    /// Counts one more run.
    pub fn add(&mut self, mark: Mark) {
        let count = match mark {
            Mark::Pass => &mut self.pass,
            Mark::Warn => &mut self.warn,
            Mark::Fail => &mut self.fail,
            Mark::Unknown => &mut self.unknown,
            Mark::Skipped => &mut self.skipped,
        };
        *count = count.saturating_add(1);
    }

    /// How many ended in `mark`.
    pub fn of(self, mark: Mark) -> u64 {
        match mark {
            Mark::Pass => self.pass,
            Mark::Warn => self.warn,
            Mark::Fail => self.fail,
            Mark::Unknown => self.unknown,
            Mark::Skipped => self.skipped,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_run_is_counted_where_it_ended_and_nowhere_else() {
        let mut tally = Tally::default();
        for (times, mark) in (1_u64..).zip(Mark::ALL) {
            (0..times).for_each(|_| tally.add(mark));
        }
        assert_eq!(Mark::ALL.map(|mark| tally.of(mark)), [1, 2, 3, 4, 5]);
    }
}
