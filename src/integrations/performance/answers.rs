//! The last answers of the watched app.

use std::{collections::VecDeque, time::Duration};

/// Answers that are remembered: three minutes of polls.
pub(super) const REMEMBERED: usize = 20;

/// How long the last answers took, oldest first; `None` for a failed one.
#[derive(Debug, Default)]
pub(super) struct Answers(VecDeque<Option<Duration>>);

/// What the last answers have in common.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Summary {
    /// Attempts that are remembered.
    pub(super) asked: usize,
    /// How many of them failed.
    pub(super) failed: usize,
    /// The mean of those that did not.
    pub(super) average: Option<Duration>,
    /// The time within which 19 of 20 came, once there are 20.
    pub(super) p95: Option<Duration>,
}

impl Answers {
    /// Adds an answer and forgets the oldest beyond the last 20.
    pub(super) fn note(&mut self, took: Option<Duration>) {
        if self.0.len() == REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back(took);
    }

    /// Sums up what is remembered.
    pub(super) fn summary(&self) -> Summary {
        let mut took: Vec<Duration> = self.0.iter().copied().flatten().collect();
        took.sort_unstable();
        let count = u32::try_from(took.len()).unwrap_or(u32::MAX);
        let total: Duration = took.iter().sum();
        // The nearest rank. With fewer it would be the slowest of all, under a finer name.
        let rank = (took.len() * 95).div_ceil(100).saturating_sub(1);
        Summary {
            asked: self.0.len(),
            failed: self.0.len() - took.len(),
            average: total.checked_div(count),
            p95: if took.len() == REMEMBERED { took.get(rank).copied() } else { None },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn the_last_twenty_are_summed_up_and_failures_counted_apart() {
        let mut answers = Answers::default();
        assert_eq!(answers.summary(), Summary::default());
        answers.note(None);
        answers.note(Some(ms(10)));
        answers.note(Some(ms(20)));
        let few = Summary { asked: 3, failed: 1, average: Some(ms(15)), p95: None };
        assert_eq!(answers.summary(), few);
        (1..=20).for_each(|n| answers.note(Some(ms(n * 10))));
        let full = Summary { asked: 20, failed: 0, average: Some(ms(105)), p95: Some(ms(190)) };
        assert_eq!(answers.summary(), full);
    }
}
