//! Whether a test measured one state or a way from one to another. Pure.

use super::{block::Block, number::float};
use crate::units;
use std::{cmp::Ordering, time::Duration};

/// Blocks from which on a trend can be told from chance.
const LEAST: usize = 8;
/// Standard deviations beyond which chance makes one in a hundred trends.
const SIGNIFICANT: f64 = 2.576;
/// The share by which the last third must differ from the first one.
const APART: f64 = 0.1;

/// Why the figures are of no steady state, if they are not: the median time or the rate
/// goes one way for the whole of the test, and goes far.
pub(super) fn unsteady(blocks: &[Block]) -> Option<String> {
    let times = blocks.iter().map(|block| block.within[0].map(|time| time.as_secs_f64()));
    let times: Vec<f64> = times.map(|time| time.unwrap_or(f64::INFINITY)).collect();
    let rates: Vec<f64> = blocks.iter().map(|block| block.per_second).collect();
    let time = |seconds: f64| {
        let time = Duration::try_from_secs_f64(seconds);
        time.map_or_else(|_| "never".into(), units::latency)
    };
    drift("p50", &times, time).or_else(|| drift("rate", &rates, |rate| format!("{rate:.0}/s")))
}

fn drift(name: &str, values: &[f64], says: impl Fn(f64) -> String) -> Option<String> {
    let third = values.len() / 3;
    let significant = values.len() >= LEAST && mann_kendall(values).abs() > SIGNIFICANT;
    let (from, to) = (middle(values.get(..third)?), middle(values.get(values.len() - third..)?));
    let far = (to - from).abs() > APART * from.min(to);
    (significant && far)
        .then(|| format!("no steady state: {name} went from {} to {}", says(from), says(to)))
}

fn middle(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

/// The trend of `values` in standard deviations, after Mann and Kendall, ties corrected.
fn mann_kendall(values: &[f64]) -> f64 {
    let pairs = values.iter().enumerate();
    let pairs =
        pairs.flat_map(|(at, early)| values[at + 1..].iter().map(move |late| (early, late)));
    let score: f64 = pairs
        .map(|(early, late)| match late.total_cmp(early) {
            Ordering::Greater => 1.0,
            Ordering::Equal => 0.0,
            Ordering::Less => -1.0,
        })
        .sum();
    let spread = |n: f64| n * (n - 1.0) * (2.0 * n + 5.0);
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let count = |len: usize| float(super::number::count(len));
    let ties = sorted.chunk_by(|a, b| a.total_cmp(b) == Ordering::Equal);
    let ties: f64 = ties.map(|tie| spread(count(tie.len()))).sum();
    let variance = (spread(count(values.len())) - ties) / 18.0;
    if score == 0.0 || variance <= 0.0 {
        return 0.0;
    }
    (score - score.signum()) / variance.sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand: S = 45, var = 10·9·25/18 = 125; with two ties of two, 125 - 2 = 123.
    #[test]
    fn the_trend_is_that_of_mann_and_kendall() {
        let z = |values: &[f64]| mann_kendall(values);
        let rising: Vec<f64> = (0..10).map(f64::from).collect();
        assert!((z(&rising) - 44.0 / 125.0_f64.sqrt()).abs() < 1e-12);
        let falling: Vec<f64> = rising.iter().rev().copied().collect();
        assert!((z(&falling) + 44.0 / 125.0_f64.sqrt()).abs() < 1e-12);
        let tied = [0.0, 0.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 8.0];
        assert!((z(&tied) - 42.0 / 123.0_f64.sqrt()).abs() < 1e-12);
        assert!(z(&[3.0; 10]).abs() < 1e-12 && z(&[]).abs() < 1e-12 && z(&[1.0]).abs() < 1e-12);
        // Five up and five down: S = 0.
        assert!(z(&[1.0, 2.0, 3.0, 3.0, 2.0, 1.0]).abs() < 1e-12);
    }

    fn blocks(millis: impl IntoIterator<Item = u64>) -> Vec<Block> {
        let block = |millis| {
            let time = Duration::from_millis(millis);
            Block { mean: time, per_second: 500.0, within: [Some(time); 3] }
        };
        millis.into_iter().map(block).collect()
    }

    #[test]
    fn what_goes_one_way_and_far_is_no_steady_state() {
        let says = unsteady(&blocks((0..10).map(|n| 10 + n))).unwrap();
        assert_eq!(says, "no steady state: p50 went from 11.0ms to 18.0ms");
        assert_eq!(unsteady(&blocks((0..10).map(|n| 100 + n))), None, "not far");
        assert_eq!(unsteady(&blocks((0..7).map(|n| 10 + n))), None, "too few");
        assert_eq!(unsteady(&blocks([10, 15, 10, 15, 10, 15, 10, 15, 10, 15])), None, "no way");
        assert_eq!(unsteady(&blocks([10, 10, 10, 10, 90, 10, 10, 10, 10, 10])), None, "a stop");
        assert_eq!(unsteady(&[]), None);
        let mut slower = blocks([10; 10]);
        for (block, rate) in slower.iter_mut().zip(0_u32..) {
            block.per_second = 500.0 - 20.0 * f64::from(rate);
        }
        let says = unsteady(&slower).unwrap();
        assert_eq!(says, "no steady state: rate went from 480/s to 340/s");
        let mut broken = blocks((0..10).map(|n| 10 + n));
        broken.iter_mut().skip(7).for_each(|block| block.within = [None; 3]);
        assert!(unsteady(&broken).unwrap().ends_with("to never"));
    }
}
