use super::block::middle;

/// A value, and the bounds between which it lies unless chance plays a rare trick.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The estimate.
    pub at: f64,
    /// The lower bound.
    pub low: f64,
    /// The upper bound.
    pub high: f64,
}

/// How far `after` lies from `before`: the median of the differences of each value from
/// each (Hodges and Lehmann 1963), with the bounds that go with the order of the values
/// (Moses), which holds at least in `1 - alpha` of all cases.
///
/// `None` without values. Bounds that so few values cannot give are infinite.
///
/// ```
/// use tminus::stats::hodges_lehmann;
/// let by = hodges_lehmann(&[1.0, 2.0, 3.0, 4.0, 5.0], &[11.0, 12.0, 13.0, 14.0, 15.0], 0.01);
/// assert_eq!(by.map(|by| (by.at, by.low, by.high)), Some((10.0, 6.0, 14.0)));
/// ```
pub fn hodges_lehmann(before: &[f64], after: &[f64], alpha: f64) -> Option<Interval> {
    let mut differences: Vec<f64> =
        after.iter().flat_map(|after| before.iter().map(move |before| after - before)).collect();
    differences.sort_unstable_by(f64::total_cmp);
    let at = middle(&differences)?;
    let outside = outside([before.len(), after.len()], alpha / 2.0);
    let (low, high) = match outside.checked_sub(1) {
        Some(rank) => (differences[rank], differences[differences.len() - 1 - rank]),
        None => (f64::NEG_INFINITY, f64::INFINITY),
    };
    Some(Interval { at, low, high })
}

/// How many differences may lie beyond each bound: the number of ranks that the
/// Mann–Whitney statistic of two sets without ties stays below in `share` of all cases.
fn outside([one, other]: [usize; 2], share: f64) -> usize {
    let pairs = one * other;
    // The share of ways to part `one + other` values in which that many pairs are inverted.
    let mut ways = vec![0.0; pairs + 1];
    ways[0] = 1.0;
    for step in 1..=one {
        // Multiplies by (1 - x^(other + step)) / (1 - x^step), and by what keeps the sum 1.
        for place in (other + step..=pairs).rev() {
            ways[place] -= ways[place - other - step];
        }
        for place in step..=pairs {
            ways[place] += ways[place - step];
        }
        let all: f64 = ways.iter().sum();
        for way in &mut ways {
            *way /= all;
        }
    }
    let mut below = 0.0;
    ways.iter()
        .take_while(|way| {
            below += **way;
            below <= share
        })
        .count()
        .min(pairs.div_ceil(2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::mann_whitney;
    use proptest::prelude::*;

    const TERM: [f64; 10] = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46];
    const EARLIER: [f64; 5] = [1.15, 0.88, 0.90, 0.74, 1.21];

    #[test]
    fn the_shift_and_its_bounds_are_those_of_hollander_and_wolfe() {
        // Hollander and Wolfe (1973), the permeability of the human chorioamnion:
        // 0.305, from -0.15 to 0.76 at 95 %.
        let by = hodges_lehmann(&EARLIER, &TERM, 0.05).unwrap();
        for (found, expected) in [(by.at, 0.305), (by.low, -0.15), (by.high, 0.76)] {
            assert!((found - expected).abs() < 1e-9, "{by:?}");
        }
        // Hollander, Wolfe and Chicken, the Hamilton depression scale factor, taken as two
        // sets: 0.56, in the CAMIS comparison of R and SAS.
        let first = [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30];
        let second = [878, 647, 598, 2050, 1060, 1290, 1060, 3140, 1290];
        let second = second.map(|thousandths| f64::from(thousandths) / 1000.0);
        let by = hodges_lehmann(&second, &first, 0.05).unwrap();
        assert!((by.at - 0.56).abs() < 1e-9, "{by:?}");
        // Blood pressure, StatXact 5, in the tests of the R package exactRankTests: 9.5.
        let treated = [94.0, 108.0, 110.0, 90.0];
        let control = [80.0, 94.0, 85.0, 90.0, 90.0, 90.0, 108.0, 94.0, 78.0, 105.0, 88.0];
        let by = hodges_lehmann(&control, &treated, 0.05).unwrap();
        assert!((by.at - 9.5).abs() < 1e-9, "{by:?}");
    }

    #[test]
    fn how_many_lie_outside_is_what_the_tables_say() {
        // One more than the critical values of U: Siegel and Castellan, table J.
        let cases = [([5, 5], 0.05, 3), ([10, 10], 0.05, 24), ([10, 10], 0.01, 17)];
        let few = [([5, 5], 0.01, 1), ([4, 4], 0.01, 0), ([20, 20], 0.01, 106)];
        for (sizes, alpha, expected) in cases.into_iter().chain(few) {
            assert_eq!(outside(sizes, alpha / 2.0), expected, "{sizes:?} {alpha}");
        }
    }

    #[test]
    fn too_few_values_have_no_bounds() {
        let by = hodges_lehmann(&[1.0; 4], &[2.0; 4], 0.01).unwrap();
        assert_eq!((by.at, by.low, by.high), (1.0, f64::NEG_INFINITY, f64::INFINITY));
        assert_eq!(hodges_lehmann(&[], &[1.0], 0.01), None);
    }

    proptest! {
        #[test]
        fn what_is_moved_is_found_to_have_moved(
            values in prop::collection::vec(-1e3_f64..1e3, 5..20), by in -1e3_f64..1e3,
        ) {
            let moved: Vec<f64> = values.iter().map(|it| it + by).collect();
            let found = hodges_lehmann(&values, &moved, 0.01).unwrap();
            prop_assert!((found.at - by).abs() < 1e-6);
            prop_assert!(found.low <= by + 1e-6 && found.high >= by - 1e-6);
        }

        #[test]
        fn bounds_leave_zero_out_where_chance_is_ruled_out(
            one in prop::collection::vec(0.0_f64..1.0, 10), other in prop::collection::vec(0.3_f64..1.9, 10),
        ) {
            let found = hodges_lehmann(&one, &other, 0.01).unwrap();
            let sure = found.low > 0.0 || found.high < 0.0;
            prop_assert_eq!(sure, mann_whitney(&one, &other) <= 0.01);
        }
    }
}
