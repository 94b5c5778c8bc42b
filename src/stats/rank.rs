use super::as_f64;
use std::f64::consts::PI;

/// Values on each side up to which every way to part them is counted.
const EXACT: usize = 20;

/// The chance that two sets which do not differ lie at least as far apart in order as
/// these do, either way (Mann and Whitney 1947). 1 where one of them is empty.
///
/// Exact up to 20 values on each side, ties included: every way to part the ranks that
/// there are is counted. Beyond, the normal distribution, corrected for ties and for
/// continuity.
///
/// ```
/// use tminus::stats::mann_whitney;
/// let p = mann_whitney(&[1.0, 2.0, 3.0, 4.0, 5.0], &[6.0, 7.0, 8.0, 9.0, 10.0]);
/// assert!((p - 2.0 / 252.0).abs() < 1e-12);
/// ```
pub fn mann_whitney(one: &[f64], other: &[f64]) -> f64 {
    if one.is_empty() || other.is_empty() {
        return 1.0;
    }
    let ranks = ranks(one, other);
    if one.len() <= EXACT && other.len() <= EXACT {
        exact(&ranks, one.len())
    } else {
        normal(&ranks, one.len())
    }
}

/// Twice the rank of each value among all, those of `one` first. Equal values share the
/// mean of their ranks, which twice is whole.
fn ranks(one: &[f64], other: &[f64]) -> Vec<usize> {
    let all: Vec<f64> = one.iter().chain(other).copied().collect();
    let rank = |value: &f64| {
        let below = all.iter().filter(|it| it.total_cmp(value).is_lt()).count();
        let equal = all.iter().filter(|it| it.total_cmp(value).is_eq()).count();
        2 * below + equal + 1
    };
    all.iter().map(rank).collect()
}

/// Counts the ways to choose `count` of the ranks by what these add up to.
fn exact(ranks: &[usize], count: usize) -> f64 {
    let all: usize = ranks.iter().sum();
    let mut ways = vec![vec![0.0; all + 1]; count + 1];
    ways[0][0] = 1.0;
    for (seen, rank) in ranks.iter().enumerate() {
        for chosen in (1..=count.min(seen + 1)).rev() {
            let (fewer, more) = ways.split_at_mut(chosen);
            let (from, to) = (&fewer[chosen - 1], &mut more[0]);
            for sum in *rank..=all {
                to[sum] += from[sum - rank];
            }
        }
    }
    // Scaled by the number of ranks, so that the mean of the sum is whole as well.
    let mean = all * count;
    let apart = |sum: usize| (sum * ranks.len()).abs_diff(mean);
    let found = apart(ranks[..count].iter().sum());
    let total: f64 = ways[count].iter().sum();
    let beyond = ways[count].iter().enumerate().filter(|(sum, _)| apart(*sum) >= found);
    beyond.map(|(_, ways)| ways).sum::<f64>() / total
}

fn normal(ranks: &[usize], count: usize) -> f64 {
    let (one, other, all) = (as_f64(count), as_f64(ranks.len() - count), as_f64(ranks.len()));
    let sum = as_f64(ranks[..count].iter().sum()) / 2.0;
    let mut sorted = ranks.to_vec();
    sorted.sort_unstable();
    let shared = sorted.chunk_by(|one, other| one == other).map(|tied| {
        let tied = as_f64(tied.len());
        tied * (tied * tied - 1.0)
    });
    let ties = shared.sum::<f64>() / (all * (all - 1.0));
    let variance = one * other / 12.0 * (all + 1.0 - ties);
    let apart = (sum - one * (all + 1.0) / 2.0).abs() - 0.5;
    if variance <= 0.0 || apart <= 0.0 {
        return 1.0;
    }
    (2.0 * tail(apart / variance.sqrt())).min(1.0)
}

/// The share of a normal distribution beyond `z` standard deviations, `z` positive.
///
/// A series near the middle (Marsaglia 2004) and a continued fraction (Laplace) beyond.
pub(super) fn tail(z: f64) -> f64 {
    let density = (-z * z / 2.0).exp() / (2.0 * PI).sqrt();
    if z < 3.0 {
        let (mut term, mut sum, mut step) = (z, z, 1.0);
        while term > sum * f64::EPSILON {
            step += 2.0;
            term *= z * z / step;
            sum += term;
        }
        return 0.5 - sum * density;
    }
    let fraction = (1..=60).rev().fold(z, |below, step| z + as_f64(step) / below);
    density / fraction
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn close(found: f64, expected: f64, within: f64) {
        assert!((found - expected).abs() <= within, "{found}, expected {expected}");
    }

    #[test]
    fn chance_is_as_in_worked_examples() {
        // Permeability of the human chorioamnion, Hollander and Wolfe (1973) p. 69, as in the
        // manual of R's wilcox.test: W = 35, one-sided p = 0.1272; there are no ties.
        let term = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46];
        let earlier = [1.15, 0.88, 0.90, 0.74, 1.21];
        close(mann_whitney(&term, &earlier), 2.0 * 0.1272, 1e-4);
        // Blood pressure, StatXact 5, as in the tests of the R package exactRankTests: 0.0989
        // with ties and sets of different size.
        let treated = [94.0, 108.0, 110.0, 90.0];
        let control = [80.0, 94.0, 85.0, 90.0, 90.0, 90.0, 108.0, 94.0, 78.0, 105.0, 88.0];
        close(mann_whitney(&treated, &control), 0.0989, 5e-5);
    }

    /// The lowest of `n` and `n` values, but for pairs that are the wrong way round.
    fn inverted(n: usize, pairs: usize) -> f64 {
        let (mut left, mut one, mut other) = (pairs, Vec::new(), Vec::new());
        for place in 0..n {
            let over = left.min(n);
            left -= over;
            // Above so many of the others, the highest first.
            one.push(as_f64(over) + as_f64(n - place) / 100.0);
            other.push(as_f64(place) + 0.5 + 1.0 / 100.0);
        }
        let other: Vec<f64> = other.iter().map(|it| it + 0.3).collect();
        mann_whitney(&one, &other)
    }

    #[test]
    fn critical_values_are_those_of_the_tables() {
        // Critical values of U, two-sided, for sets of equal size: Siegel and Castellan,
        // Nonparametric Statistics, table J; the same as in Zar, table B.11.
        let tables = [(5, 2, 0.05), (8, 13, 0.05), (10, 23, 0.05), (15, 64, 0.05)];
        let tables = tables.into_iter().chain([(20, 127, 0.05), (5, 0, 0.01), (8, 7, 0.01)]);
        for (n, u, alpha) in tables.chain([(10, 16, 0.01), (15, 51, 0.01), (20, 105, 0.01)]) {
            assert!(inverted(n, u) <= alpha, "{n} {u}: {}", inverted(n, u));
            assert!(inverted(n, u + 1) > alpha, "{n} {u} + 1: {}", inverted(n, u + 1));
        }
    }

    #[test]
    fn the_least_chance_that_so_few_can_show_is_known() {
        // Go's benchstat needs 4 and 4 at 0.05, 5 and 5 at 0.01: benchmath, anone.go.
        for (n, least) in [(3, 0.1), (4, 0.02857), (5, 0.00794), (6, 0.00216)] {
            close(inverted(n, 0), least, 1e-5);
        }
        close(mann_whitney(&[], &[1.0]), 1.0, 0.0);
        close(mann_whitney(&[2.0; 20], &[2.0; 20]), 1.0, 1e-12);
        close(mann_whitney(&[2.0; 30], &[2.0; 30]), 1.0, 0.0);
    }

    #[test]
    fn the_tail_is_that_of_the_tables() {
        // Abramowitz and Stegun, table 26.1 and 26.2.
        let table = [(0.0, 0.5), (1.0, 0.158_655_253_9), (1.96, 0.024_997_895_15)];
        let far = [(2.5, 0.006_209_665_3), (3.0, 0.001_349_898_0), (5.0, 2.866_515_7e-7)];
        for (z, expected) in table.into_iter().chain(far) {
            close(tail(z) / expected, 1.0, 1e-6);
        }
        close(tail(3.0 - 1e-9) / tail(3.0), 1.0, 1e-7);
    }

    #[test]
    fn many_values_are_judged_about_as_few_are() {
        let values =
            |offset: f64| (0..20).map(|n| f64::from(n * 7 % 20) + offset).collect::<Vec<_>>();
        for offset in [0.5, 3.25, 6.5, 9.0] {
            let ranks = ranks(&values(0.0), &values(offset));
            close(normal(&ranks, 20), exact(&ranks, 20), 5e-3);
        }
    }

    proptest! {
        #[test]
        fn sides_scale_and_origin_do_not_matter(
            one in prop::collection::vec(0_i32..30, 1..12),
            other in prop::collection::vec(0_i32..30, 1..12),
        ) {
            let of = |values: &[i32], by: f64, add: f64| {
                values.iter().map(|it| f64::from(*it) * by + add).collect::<Vec<_>>()
            };
            let p = mann_whitney(&of(&one, 1.0, 0.0), &of(&other, 1.0, 0.0));
            prop_assert!(p > 0.0 && p <= 1.0 + 1e-12);
            prop_assert!((p - mann_whitney(&of(&other, 1.0, 0.0), &of(&one, 1.0, 0.0))).abs() < 1e-12);
            prop_assert!((p - mann_whitney(&of(&one, 4.0, 9.0), &of(&other, 4.0, 9.0))).abs() < 1e-12);
            prop_assert!((p - mann_whitney(&of(&one, -1.0, 0.0), &of(&other, -1.0, 0.0))).abs() < 1e-12);
        }
    }
}
