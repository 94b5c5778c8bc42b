use serde::{Deserialize, Serialize};
use std::{collections::VecDeque, time::Duration};

/// Samples kept: twenty minutes of a five-second poll.
const KEPT: usize = 240;

/// One measured value.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// When, since the engine started.
    pub at: Duration,
    /// How much, in the base unit of what is measured.
    pub value: f64,
}

/// Recent values, oldest first. Holds at most 240 and forgets the oldest.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Series(VecDeque<Sample>);

impl Series {
    /// Adds a sample. What is not a finite number is not a sample.
    pub fn push(&mut self, at: Duration, value: f64) {
        if !value.is_finite() {
            return;
        }
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back(Sample { at, value });
    }

    /// Puts earlier samples before all others, as far as there is room.
    pub fn precede(&mut self, earlier: impl IntoIterator<Item = Sample>) {
        let first = self.0.front().map(|sample| sample.at);
        let mut all: VecDeque<Sample> = earlier
            .into_iter()
            .filter(|it| it.value.is_finite() && first.is_none_or(|first| it.at < first))
            .collect();
        all.extend(&self.0);
        all.drain(..all.len().saturating_sub(KEPT));
        self.0 = all;
    }

    /// Forgets all but the newest `most`.
    pub fn keep(&mut self, most: usize) {
        self.0.drain(..self.0.len().saturating_sub(most));
    }

    /// Oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Sample> + ExactSizeIterator {
        self.0.iter().copied()
    }

    /// The newest.
    pub fn last(&self) -> Option<Sample> {
        self.0.back().copied()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value below which `percent` of the kept samples lie (nearest rank).
    ///
    /// `None` without samples. `percent` is 1 to 100.
    pub fn percentile(&self, percent: usize) -> Option<f64> {
        let mut values: Vec<f64> = self.iter().map(|sample| sample.value).collect();
        let rank = (values.len() * percent).div_ceil(100).saturating_sub(1);
        if rank >= values.len() {
            return None;
        }
        // A screen asks for a dozen of these a frame; a whole sort is not needed.
        Some(*values.select_nth_unstable_by(rank, f64::total_cmp).1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(values: &[f64]) -> Series {
        let mut series = Series::default();
        for (second, value) in (0_u64..).zip(values) {
            series.push(Duration::from_secs(second), *value);
        }
        series
    }

    #[test]
    fn percentiles_are_values_that_occurred() {
        let series = series(&[5.0, 1.0, 4.0, 2.0, 3.0]);
        assert_eq!(series.percentile(50), Some(3.0));
        assert_eq!(series.percentile(95), Some(5.0));
        assert_eq!(series.percentile(1), Some(1.0));
        assert_eq!(Series::default().percentile(50), None);
    }

    #[test]
    fn earlier_samples_come_first_and_the_newest_stay() {
        let mut series = series(&[1.0, 2.0]);
        let sample = |second, value| Sample { at: Duration::from_secs(second), value };
        series.precede([sample(0, 9.0), sample(5, 8.0)]);
        assert_eq!(series.len(), 2, "what is not earlier does not come first");
        let mut late = Series::default();
        late.push(Duration::from_secs(999), 1.0);
        late.precede((0..500).map(|n| sample(n, 0.5)));
        assert_eq!((late.len(), late.last().map(|sample| sample.value)), (KEPT, Some(1.0)));
        assert_eq!(late.iter().next().map(|sample| sample.at.as_secs()), Some(261));
    }

    #[test]
    fn it_never_grows_and_never_holds_a_non_number() {
        let mut series = series(&[1.0; 500]);
        assert_eq!(series.len(), KEPT);
        series.push(Duration::from_secs(501), f64::NAN);
        assert_eq!(series.last().map(|sample| sample.value), Some(1.0));
    }
}
