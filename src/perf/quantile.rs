//! What samples say about the true quantile. Pure; no distribution is assumed.

use super::times::Times;
use crate::domain::perf::{Bar, Brief, Latency, Quantile};
use std::time::Duration;

/// The quantiles of every result.
pub const SHARES: [f64; 6] = [0.5, 0.9, 0.95, 0.99, 0.999, 0.9999];
/// What both tails of a 95 % interval have together.
const ALPHA: f64 = 0.05;
/// Samples that must lie beyond a quantile before it says much.
const BEYOND: f64 = 10.0;
/// Standard deviations from the mean under which a binomial has no weight worth counting.
const REACH: f64 = 9.0;
/// Bars of a drawn histogram.
const BARS: usize = 24;

/// The distribution in `times`, with bounds.
#[expect(clippy::cast_precision_loss, reason = "counts stay far under 2^53")]
pub fn latency(times: &Times) -> Latency {
    let count = times.len();
    if count == 0 {
        return Latency::default();
    }
    let quantile = |share: f64| {
        let (low, high) = ranks(count, share);
        Quantile {
            share,
            time: Duration::from_micros(times.value_at_quantile(share)),
            low: at_rank(times, low),
            high: (high <= count).then(|| at_rank(times, high)),
            few: count as f64 * (1.0 - share) < BEYOND,
        }
    };
    Latency {
        count,
        mean: Duration::from_secs_f64(times.mean() / 1e6),
        min: Duration::from_micros(times.min()),
        max: Duration::from_micros(times.max()),
        quantiles: SHARES.map(quantile).into(),
    }
}

/// The usual quantiles, for what is shown while it runs.
pub fn brief(times: &Times) -> Brief {
    let at = |share| Duration::from_micros(times.value_at_quantile(share));
    Brief { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: Duration::from_micros(times.max()) }
}

/// How the times are spread, in bars that each end half an octave after the last.
///
/// 24 of them span three and a half decades; what is longer is in the 24th,
/// which then ends with the longest.
pub fn bars(times: &Times) -> Vec<Bar> {
    let (min, max) = (times.min(), times.max());
    let mut bars: Vec<Bar> = Vec::new();
    for (base, octave) in HALF_OCTAVES.into_iter().cycle().zip(0_u32..) {
        let doubled = 1_u64.checked_shl(octave / 2).unwrap_or(u64::MAX);
        let under = base.saturating_mul(doubled) / 100;
        if under <= min || bars.last().is_some_and(|bar| bar.under.as_micros() == under.into()) {
            continue;
        }
        let last = under > max || bars.len() + 1 == BARS;
        let under = if under <= max && last { max + 1 } else { under };
        bars.push(Bar { under: Duration::from_micros(under), count: 0 });
        if last {
            break;
        }
    }
    for step in times.iter_recorded() {
        let at = Duration::from_micros(step.value_iterated_to());
        let fits = bars.iter().position(|bar| at < bar.under).unwrap_or(bars.len() - 1);
        bars[fits].count += step.count_at_value();
    }
    if times.is_empty() { Vec::new() } else { bars }
}

/// One and the root of two, in hundredths.
const HALF_OCTAVES: [u64; 2] = [100, 141];

/// Within which time a share of all ends well, where `lost` never did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Within {
    /// The true one is hardly under this; none where it is beyond every one that ended well.
    pub low: Option<Duration>,
    /// The one of the samples; none where it is beyond.
    pub time: Option<Duration>,
    /// The true one is hardly above this; none where it may be beyond.
    pub high: Option<Duration>,
    /// Whether there are enough samples for an upper bound at all.
    pub enough: bool,
}

/// Within which time `share` of all ends well, of which the times of those that did are
/// known, and of the others that there are `lost`.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts stay far under 2^53, and no share is negative"
)]
pub fn within(well: &Times, lost: u64, share: f64) -> Within {
    let all = well.len() + lost;
    let (low, high) = ranks(all, share);
    let at = |rank: u64| (rank <= well.len() && !well.is_empty()).then(|| at_rank(well, rank));
    Within {
        low: at(low),
        time: at((all as f64 * share).ceil() as u64),
        high: at(high),
        enough: high <= all,
    }
}

fn at_rank(times: &Times, rank: u64) -> Duration {
    #[expect(clippy::cast_precision_loss, reason = "counts stay far under 2^53")]
    let share = (rank.max(1) as f64 - 0.5) / times.len() as f64;
    Duration::from_micros(times.value_at_quantile(share))
}

/// The ranks, from 1, of the samples between which the true quantile lies with 95 %
/// confidence. A rank of `count` + 1 says that no sample bounds it from above.
pub(super) fn ranks(count: u64, share: f64) -> (u64, u64) {
    (inverse(count, share, ALPHA / 2.0), inverse(count, share, 1.0 - ALPHA / 2.0) + 1)
}

/// The least k at which a binomial of `count` draws with chance `share` has `weight` up to k.
#[expect(clippy::cast_precision_loss, reason = "counts stay far under 2^53")]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "cut to 0..=count")]
fn inverse(count: u64, share: f64, weight: f64) -> u64 {
    let n = count as f64;
    let spread = (n * share * (1.0 - share)).sqrt().max(1.0);
    let start = (n * share - REACH * spread).floor().clamp(0.0, n);
    let odds = share / (1.0 - share);
    let mut k = start;
    let mut chance = (ln_choose(n, k) + k * share.ln() + (n - k) * (1.0 - share).ln()).exp();
    let mut sum = chance;
    while sum < weight && k < n {
        chance *= odds * (n - k) / (k + 1.0);
        k += 1.0;
        sum += chance;
    }
    k as u64
}

fn ln_choose(n: f64, k: f64) -> f64 {
    ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k)
}

/// Stirling's series, good to 1e-10 from 10 on; under that the product.
fn ln_factorial(n: f64) -> f64 {
    if n < 10.0 {
        let mut product = 1.0;
        let mut factor = 2.0;
        while factor <= n {
            product *= factor;
            factor += 1.0;
        }
        return product.ln();
    }
    let inverse = 1.0 / n;
    let tail = inverse / 12.0 - inverse.powi(3) / 360.0 + inverse.powi(5) / 1260.0;
    n * n.ln() - n + 0.5 * (std::f64::consts::TAU * n).ln() + tail
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: impl IntoIterator<Item = u64>) -> Times {
        let mut times = Times::default();
        values.into_iter().for_each(|value| times.record(value));
        times
    }

    /// `qbinom` of R, and the ranks in methods.md.
    #[test]
    fn ranks_are_those_of_the_binomial() {
        assert_eq!(ranks(1000, 0.99), (983, 997));
        assert_eq!(inverse(10, 0.5, 0.025), 2);
        assert_eq!(inverse(10, 0.5, 0.975), 8);
        assert_eq!(inverse(100, 0.95, 0.5), 95);
        assert_eq!(inverse(1_000_000, 0.5, 0.025), 499_020);
        assert_eq!(inverse(1_000_000, 0.5, 0.975), 500_980);
    }

    #[test]
    fn an_upper_bound_needs_enough_samples() {
        for (count, share, bounded) in
            [(367, 0.99, false), (368, 0.99, true), (3687, 0.999, false), (3688, 0.999, true)]
        {
            let found = latency(&of(1..=count));
            let quantile = found.quantile(share).unwrap();
            assert_eq!(quantile.high.is_some(), bounded, "{count} {share}");
        }
        let few = |count| latency(&of(1..=count)).quantile(0.99).unwrap().few;
        assert!(few(999) && !few(1001));
    }

    #[test]
    fn bounds_enclose_and_values_keep_three_digits() {
        let found = latency(&of((1..=10_000).map(|n| n * 10)));
        assert_eq!((found.count, found.min.as_micros()), (10_000, 10));
        for quantile in &found.quantiles {
            let exact = quantile.share * 0.1;
            assert!((quantile.time.as_secs_f64() / exact - 1.0).abs() < 0.002, "{quantile:?}");
            assert!(quantile.low <= quantile.time);
            assert!(quantile.high.is_none_or(|high| high >= quantile.time));
        }
        assert_eq!(latency(&Times::default()), Latency::default());
    }

    #[test]
    fn what_never_came_is_later_than_everything() {
        let well = of(1..=95);
        let at = |lost, share| within(&well, lost, share);
        let sure = at(0, 0.5);
        assert_eq!((sure.time, sure.enough), (Some(Duration::from_micros(48)), true));
        assert!(sure.low < sure.time && sure.time < sure.high);
        assert_eq!(at(5, 0.95).time, Some(Duration::from_micros(95)));
        assert_eq!((at(5, 0.95).high, at(5, 0.96).time), (None, None));
        assert_eq!(at(10_000, 0.5).low, None, "beyond every answer");
        assert!(!at(0, 0.99).enough);
        let nothing = within(&Times::default(), 0, 0.5);
        assert_eq!((nothing.low, nothing.time, nothing.enough), (None, None, false));
    }

    #[test]
    fn bars_count_everything_once() {
        for times in [of([1]), of([3, 4, 5, 900, 60_000_000]), of(1..5000), of([250; 9])] {
            let bars = bars(&times);
            assert_eq!(bars.iter().map(|bar| bar.count).sum::<u64>(), times.len(), "{bars:?}");
            assert!(bars.len() <= BARS && bars.is_sorted_by(|a, b| a.under < b.under), "{bars:?}");
        }
        assert!(bars(&Times::default()).is_empty());
    }
}
