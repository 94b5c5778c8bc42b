//! Whether a test measured one state or a way from one to another. Pure.

use crate::{
    domain::perf::Block,
    stats::{Order, median},
    units,
};
use std::time::Duration;

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
    let significant = values.len() >= LEAST && Order::of(values).score().abs() > SIGNIFICANT;
    let from = median(values.get(..third)?)?;
    let to = median(values.get(values.len() - third..)?)?;
    let far = (to - from).abs() > APART * from.min(to);
    (significant && far)
        .then(|| format!("no steady state: {name} went from {} to {}", says(from), says(to)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(millis: impl IntoIterator<Item = u64>) -> Vec<Block> {
        let block = |millis| {
            let time = Duration::from_millis(millis);
            Block { mean: time, per_second: 500.0, within: [Some(time); 3], failed: 0.0 }
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
