//! Times in microseconds at three digits, in no more room than they take.

use hdrhistogram::Histogram;
use std::ops::Deref;

/// What is longer than a minute counts as a minute.
const LONGEST: u64 = 60_000_000;

/// A distribution of times in microseconds.
///
/// It grows with the longest of them. That of short times is an eighth of that of a
/// minute to make, to add and to throw away, which a test does some twenty times a second
/// beside the clients: on the same core they would be late by that.
#[derive(Clone, Debug, PartialEq)]
pub struct Times(Histogram<u64>);

impl Default for Times {
    #[expect(clippy::unwrap_used, reason = "three digits are allowed, see the tests")]
    fn default() -> Self {
        Self(Histogram::new(3).unwrap())
    }
}

/// To read from. Whatever writes has its own function here, as the bounds of what is
/// below grow only with some of its own.
impl Deref for Times {
    type Target = Histogram<u64>;

    fn deref(&self) -> &Histogram<u64> {
        &self.0
    }
}

impl Times {
    /// Counts one of so many microseconds.
    pub fn record(&mut self, micros: u64) {
        self.record_n(micros, 1);
    }

    /// Counts `count` of so many microseconds.
    pub fn record_n(&mut self, micros: u64, count: u64) {
        // It has no bound but that of the memory, which a minute keeps far under.
        let _recorded = self.0.record_n(micros.min(LONGEST), count);
    }

    /// Adds those of `others`.
    pub fn merge(&mut self, others: &Self) {
        if !others.is_empty() {
            // The same: there is nothing that does not fit.
            let _added = self.0.add(&others.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn any_time_is_counted_and_none_is_longer_than_a_minute() {
        let mut times = Times::default();
        assert!(times.is_empty() && times.distinct_values() < 4096, "short ones take little");
        for micros in [0, 1, 3000, LONGEST, LONGEST + 1, u64::MAX] {
            times.record(micros);
        }
        assert_eq!((times.len(), times.count_at(LONGEST)), (6, 3));
        assert!(times.max() < LONGEST + LONGEST / 1000);
        times.merge(&Times::default());
        times.record_n(7, 0);
        assert_eq!(times.len(), 6);
    }

    proptest! {
        #[test]
        fn the_order_and_size_of_what_is_added_do_not_matter(
            one in prop::collection::vec(0_u64..100_000_000, 0..50),
            other in prop::collection::vec(0_u64..3000, 0..50),
        ) {
            let of = |values: &[u64]| {
                let mut times = Times::default();
                for micros in values {
                    times.record(*micros);
                }
                times
            };
            let all = of(&[one.clone(), other.clone()].concat());
            for (first, second) in [(&one, &other), (&other, &one)] {
                let mut sum = of(first);
                sum.merge(&of(second));
                prop_assert_eq!(sum.len(), all.len());
                for share in [0.0, 0.5, 0.9, 0.99, 1.0] {
                    prop_assert_eq!(sum.value_at_quantile(share), all.value_at_quantile(share));
                }
            }
        }
    }
}
