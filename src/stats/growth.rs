//! Whether the floor of a series rises for good: the figures that a leak is told by.

use super::{Order, Slope, as_f64, rank::tail};

/// Standard score of a 90 % interval: five in a hundred lie beyond each bound.
const NINETY: f64 = 1.644_854;
/// The same score for an autocorrelation that is more than chance, times the root of the count.
const CORRELATED: f64 = 1.644_854;
/// The strongest autocorrelation that is reckoned with; beyond, nothing would be left.
const STRONGEST: f64 = 0.95;
/// By how much of what a line leaves a step has to leave less, to explain a series better.
const BETTER: f64 = 0.5;

/// The least of each of `count` blocks of values that follow each other, as equal in length
/// as can be: what a saw tooth falls back to. Fewer blocks where there are fewer values.
///
/// ```
/// use tminus::stats::floors;
/// assert_eq!(floors(&[5.0, 4.0, 9.0, 7.0], 2), [4.0, 7.0]);
/// ```
pub fn floors(values: &[f64], count: usize) -> Vec<f64> {
    let count = count.min(values.len());
    let cut = |block: usize| block * values.len() / count;
    let block = |block: usize| &values[cut(block)..cut(block + 1)];
    (0..count).filter_map(|at| block(at).iter().copied().min_by(f64::total_cmp)).collect()
}

/// How many values at the begin are warm-up: as many as leave the mean of the others with
/// the least standard error (MSER, White 1997). Between a fifth and a half of them.
pub fn warm_up(values: &[f64]) -> usize {
    let error = |cut: usize| {
        let rest = &values[cut..];
        let count = as_f64(rest.len());
        let mean = rest.iter().sum::<f64>() / count;
        rest.iter().map(|it| (it - mean).powi(2)).sum::<f64>() / (count * count)
    };
    let (least, most) = (values.len() / 5, values.len() / 2);
    let best = (least..=most).filter(|cut| *cut < values.len());
    best.min_by(|one, other| error(*one).total_cmp(&error(*other))).unwrap_or_default()
}

/// How far each value is like the one before it, from -1 to 1; 0 where all are the same.
pub fn lag_one(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / as_f64(values.len().max(1));
    let spread: f64 = values.iter().map(|it| (it - mean).powi(2)).sum();
    let pairs = values.windows(2).map(|pair| (pair[0] - mean) * (pair[1] - mean));
    if spread > 0.0 { pairs.sum::<f64>() / spread } else { 0.0 }
}

/// How a series moves: how fast, between which bounds, and whether by more than chance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Growth {
    /// The median slope, with bounds that hold it nine times in ten.
    pub slope: Slope,
    /// How often a series without a trend rises at least as steadily.
    pub chance: f64,
    /// By how much the variance was raised because values depend on those before them.
    pub inflation: f64,
    /// The share of the variance that the straight line of least squares takes away.
    pub r_squared: f64,
}

impl Growth {
    /// The growth of `points`, abscissa first; `None` where no two of them lie apart.
    ///
    /// Values that depend on those before them look like a trend, so the variance of the
    /// order is raised by `(1 + r) / (1 - r)` where the ranks of what the slope leaves have
    /// a significant autocorrelation `r`.
    pub fn of(points: &[(f64, f64)]) -> Option<Self> {
        let values: Vec<f64> = points.iter().map(|point| point.1).collect();
        let order = Order::of(&values);
        let plain = Slope::of(points, 0.0)?;
        let left: Vec<f64> = points.iter().map(|(x, y)| y - plain.median * x).collect();
        let r = lag_one(&ranks(&left)).min(STRONGEST);
        let sure = r * as_f64(points.len()).sqrt() > CORRELATED;
        let inflation = if sure { (1.0 + r) / (1.0 - r) } else { 1.0 };
        let order = Order { variance: order.variance * inflation, ..order };
        let score = order.score();
        Some(Self {
            slope: Slope::of(points, NINETY * order.variance.sqrt())?,
            chance: if score > 0.0 { tail(score) } else { 1.0 - tail(-score) },
            inflation,
            r_squared: r_squared(points),
        })
    }
}

/// The place of each value in rising order; equal ones share the mean of theirs.
fn ranks(values: &[f64]) -> Vec<f64> {
    let rank = |value: &f64| {
        let below = values.iter().filter(|it| it.total_cmp(value).is_lt()).count();
        let equal = values.iter().filter(|it| it.total_cmp(value).is_eq()).count();
        as_f64(below) + as_f64(equal + 1) / 2.0
    };
    values.iter().map(rank).collect()
}

fn r_squared(points: &[(f64, f64)]) -> f64 {
    let (left, whole) = line_leaves(points);
    if whole > 0.0 { 1.0 - left / whole } else { 0.0 }
}

/// The squares that the line of least squares leaves, and those about the mean.
fn line_leaves(points: &[(f64, f64)]) -> (f64, f64) {
    let count = as_f64(points.len().max(1));
    let mean_of = |pick: fn(&(f64, f64)) -> f64| points.iter().map(pick).sum::<f64>() / count;
    let (x_mean, y_mean) = (mean_of(|point| point.0), mean_of(|point| point.1));
    let sum = |of: &dyn Fn(f64, f64) -> f64| -> f64 {
        points.iter().map(|(x, y)| of(x - x_mean, y - y_mean)).sum()
    };
    let (xx, xy, yy) = (sum(&|x, _| x * x), sum(&|x, y| x * y), sum(&|_, y| y * y));
    let taken = if xx > 0.0 { xy * xy / xx } else { 0.0 };
    ((yy - taken).max(0.0), yy)
}

/// A step in a series that is flat before and after it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Jump {
    /// The place of the first value after it.
    pub at: usize,
    /// By how much the values after it lie higher.
    pub by: f64,
}

impl Jump {
    /// The upward step that explains `values` far better than a line does, if one does.
    ///
    /// ```
    /// use tminus::stats::Jump;
    /// let jump = Jump::of(&[1.0, 1.2, 1.1, 7.0, 7.1, 6.9]).unwrap();
    /// assert!(jump.at == 3 && (jump.by - 5.9).abs() < 1e-9);
    /// ```
    pub fn of(values: &[f64]) -> Option<Self> {
        let mean = |part: &[f64]| part.iter().sum::<f64>() / as_f64(part.len());
        let squares = |part: &[f64]| {
            let mean = mean(part);
            part.iter().map(|it| (it - mean).powi(2)).sum::<f64>()
        };
        let left = |at: usize| squares(&values[..at]) + squares(&values[at..]);
        let at = (1..values.len()).min_by(|one, other| left(*one).total_cmp(&left(*other)))?;
        let points: Vec<(f64, f64)> =
            values.iter().enumerate().map(|(place, it)| (as_f64(place), *it)).collect();
        let by = mean(&values[at..]) - mean(&values[..at]);
        let better = left(at) < BETTER * line_leaves(&points).0;
        (better && by > 0.0).then_some(Self { at, by })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn numbered(values: &[f64]) -> Vec<(f64, f64)> {
        values.iter().enumerate().map(|(at, value)| (as_f64(at), *value)).collect()
    }

    #[test]
    fn the_autocorrelation_is_that_of_nist() {
        // NIST Statistical Reference Datasets, univariate: NumAcc1 to NumAcc4, certified lag-1
        // autocorrelation coefficients.
        let alternating = |base: f64| {
            let pairs = [base + 0.1, base + 0.3].repeat(500);
            [vec![base + 0.2], pairs].concat()
        };
        let sets = [
            (vec![10_000_001.0, 10_000_003.0, 10_000_002.0], -0.5, 1e-12),
            (alternating(1.0), -0.999, 1e-9),
            (alternating(1_000_000.0), -0.999, 1e-6),
            (alternating(10_000_000.0), -0.999, 1e-6),
        ];
        for (values, certified, within) in sets {
            assert!((lag_one(&values) - certified).abs() < within, "{}", lag_one(&values));
        }
        assert!(lag_one(&[7.0; 9]).abs() < f64::EPSILON && lag_one(&[]).abs() < f64::EPSILON);
    }

    /// NIST Statistical Reference Datasets, linear regression, Norris: y, x.
    const NORRIS: [(f64, f64); 36] = [
        (0.1, 0.2),
        (338.8, 337.4),
        (118.1, 118.2),
        (888.0, 884.6),
        (9.2, 10.1),
        (228.1, 226.5),
        (668.5, 666.3),
        (998.5, 996.3),
        (449.1, 448.6),
        (778.9, 777.0),
        (559.2, 558.2),
        (0.3, 0.4),
        (0.1, 0.6),
        (778.1, 775.5),
        (668.8, 666.9),
        (339.3, 338.0),
        (448.9, 447.5),
        (10.8, 11.6),
        (557.7, 556.0),
        (228.3, 228.1),
        (998.0, 995.8),
        (888.8, 887.6),
        (119.6, 120.2),
        (0.3, 0.3),
        (0.6, 0.3),
        (557.6, 556.8),
        (339.3, 339.1),
        (888.0, 887.2),
        (998.5, 999.0),
        (778.9, 779.0),
        (10.2, 11.1),
        (117.6, 118.3),
        (228.9, 229.2),
        (668.4, 669.1),
        (449.2, 448.9),
        (0.2, 0.5),
    ];

    #[test]
    fn the_share_of_a_line_is_that_of_nist() {
        let points: Vec<(f64, f64)> = NORRIS.iter().map(|(y, x)| (*x, *y)).collect();
        assert!((r_squared(&points) - 0.999_993_745_883_712).abs() < 1e-14);
        let growth = Growth::of(&points).unwrap();
        // Certified slope of least squares: 1.00211681802045; the median of slopes is near it.
        assert!((growth.slope.median - 1.002_116_8).abs() < 2e-3, "{growth:?}");
    }

    #[test]
    fn the_chance_of_an_order_is_as_in_the_worked_example() {
        // J. Little, "A Mann-Kendall Example (By Hand)": z = 2.9058, so one-sided 0.00183.
        let values =
            [12.9, 14.8, 13.2, 15.7, 13.8, 15.6, 12.9, 11.0, 17.3, 15.9, 19.0, 18.3, 20.1, 21.7];
        let growth = Growth::of(&numbered(&values)).unwrap();
        assert!((growth.inflation - 1.0).abs() < f64::EPSILON, "{growth:?}");
        assert!((growth.chance - 0.001_831).abs() < 5e-6, "{growth:?}");
        let falling: Vec<f64> = values.iter().map(|it| -it).collect();
        let falling = Growth::of(&numbered(&falling)).unwrap();
        assert!((falling.chance - (1.0 - 0.001_831)).abs() < 5e-6, "{falling:?}");
    }

    #[test]
    fn values_that_cling_to_each_other_widen_the_bounds() {
        let wave: Vec<f64> = (0..20).map(|at| (f64::from(at) * 0.5).sin()).collect();
        let growth = Growth::of(&numbered(&wave)).unwrap();
        assert!(growth.inflation > 2.0, "{growth:?}");
        let plain = Slope::of(&numbered(&wave), NINETY * Order::of(&wave).variance.sqrt()).unwrap();
        assert!(growth.slope.low < plain.low && growth.slope.high > plain.high);
        assert_eq!(Growth::of(&[(1.0, 1.0)]), None);
        let same = Growth::of(&numbered(&[4.0; 10])).unwrap();
        assert!(same.slope.high.abs() < f64::EPSILON && same.chance > 0.4, "{same:?}");
    }

    #[test]
    fn what_rises_at_first_is_warm_up_and_no_more_than_half() {
        let warm = |rising: usize, count: usize| {
            let value = |at: usize| if at < rising { as_f64(at) } else { as_f64(rising) };
            let values: Vec<f64> = (0..count).map(value).collect();
            warm_up(&values)
        };
        assert_eq!((warm(0, 20), warm(7, 20), warm(20, 20)), (4, 7, 10));
        assert_eq!((warm_up(&[]), warm_up(&[1.0]), warm_up(&[2.0, 1.0])), (0, 0, 1));
    }

    #[test]
    fn a_step_is_told_from_a_slope_and_from_a_fall() {
        let step: Vec<f64> = (0..20).map(|at| if at < 13 { 1.0 } else { 7.0 }).collect();
        assert_eq!(Jump::of(&step), Some(Jump { at: 13, by: 6.0 }));
        let slope: Vec<f64> = (0..20).map(f64::from).collect();
        assert_eq!(Jump::of(&slope), None);
        let fall: Vec<f64> = step.iter().map(|it| -it).collect();
        assert_eq!((Jump::of(&fall), Jump::of(&[3.0; 9]), Jump::of(&[])), (None, None, None));
    }

    proptest! {
        #[test]
        fn floors_are_the_least_of_their_blocks(
            values in prop::collection::vec(0.0..1e9, 0..300), count in 1_usize..40,
        ) {
            let found = floors(&values, count);
            prop_assert_eq!(found.len(), values.len().min(count));
            prop_assert!(found.iter().all(|it| values.contains(it)));
            let least = values.iter().copied().min_by(f64::total_cmp);
            prop_assert_eq!(found.iter().copied().min_by(f64::total_cmp), least);
        }

        #[test]
        fn a_line_grows_as_it_does_whatever_unit_it_has(
            slope in -1e3_f64..1e3, count in 4_u32..40, scale in 0.1_f64..100.0,
        ) {
            let line = |by: f64| -> Vec<(f64, f64)> {
                (0..count).map(|at| (f64::from(at), by * slope * f64::from(at))).collect()
            };
            let (one, other) = (Growth::of(&line(1.0)).unwrap(), Growth::of(&line(scale)).unwrap());
            prop_assert!((one.slope.median - slope).abs() < 1e-6);
            prop_assert!((other.slope.median - scale * slope).abs() < 1e-3);
            prop_assert!(one.chance < 0.5 || slope <= 0.0);
        }
    }
}
