use super::as_f64;

/// The slope of the line through each pair of points: the median (Theil 1950), and bounds
/// by the order of the values (Sen 1968), which a few wild values cannot sway.
///
/// ```
/// use tminus::stats::Slope;
/// let points = [(0.0, 1.0), (1.0, 3.0), (2.0, 5.0), (3.0, 99.0), (4.0, 9.0)];
/// assert_eq!(Slope::of(&points, 0.0).map(|it| it.median), Some(2.0));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slope {
    /// The middle of all slopes.
    pub median: f64,
    /// The lower bound.
    pub low: f64,
    /// The upper bound.
    pub high: f64,
}

impl Slope {
    /// The slope of `points`, abscissa first; `None` where no two of them lie apart.
    ///
    /// `margin` is how far the count of rising over falling pairs strays by chance, so it
    /// says how many slopes lie between the bounds: a standard score times the root of
    /// [`Order::variance`].
    pub fn of(points: &[(f64, f64)], margin: f64) -> Option<Self> {
        let mut slopes = Vec::with_capacity(points.len() * points.len() / 2);
        for (index, from) in points.iter().enumerate() {
            for to in &points[index + 1..] {
                let apart = to.0 - from.0;
                if apart != 0.0 {
                    slopes.push((to.1 - from.1) / apart);
                }
            }
        }
        slopes.sort_unstable_by(f64::total_cmp);
        let last = slopes.len().checked_sub(1)?;
        let outside = (as_f64(slopes.len()) - margin) / 2.0;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "cut to 0..=last"
        )]
        let rank = |position: f64| position.round().clamp(0.0, as_f64(last)) as usize;
        Some(Self {
            median: f64::midpoint(slopes[last / 2], slopes[slopes.len() / 2]),
            low: slopes[rank(outside - 1.0)],
            high: slopes[rank(as_f64(slopes.len()) - outside)],
        })
    }
}

/// How far values are in rising order (Mann 1945, Kendall 1975).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Order {
    /// Rising pairs less falling pairs.
    pub balance: f64,
    /// The variance of the balance where there is no trend, ties considered.
    pub variance: f64,
}

impl Order {
    /// The order of `values` as they come.
    pub fn of(values: &[f64]) -> Self {
        let mut balance = 0.0;
        for (index, earlier) in values.iter().enumerate() {
            for later in &values[index + 1..] {
                balance += f64::from(later.total_cmp(earlier) as i8);
            }
        }
        let spread = |count: f64| count * (count - 1.0) * (2.0 * count + 5.0);
        let mut sorted = values.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let equal = sorted
            .chunk_by(|one, other| one.total_cmp(other).is_eq())
            .map(|tied| as_f64(tied.len()));
        let variance = (spread(as_f64(values.len())) - equal.map(spread).sum::<f64>()) / 18.0;
        Self { balance, variance }
    }

    /// The balance as a standard score, moved by one towards zero for continuity.
    pub fn score(self) -> f64 {
        if self.variance <= 0.0 || self.balance == 0.0 {
            return 0.0;
        }
        (self.balance - self.balance.signum()) / self.variance.sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn points(at: &[f64], values: &[f64]) -> Vec<(f64, f64)> {
        at.iter().copied().zip(values.iter().copied()).collect()
    }

    #[test]
    fn order_is_as_in_the_worked_example() {
        // J. Little, College of the Holy Cross, "A Mann-Kendall Example (By Hand)".
        let values =
            [12.9, 14.8, 13.2, 15.7, 13.8, 15.6, 12.9, 11.0, 17.3, 15.9, 19.0, 18.3, 20.1, 21.7];
        let order = Order::of(&values);
        assert!((order.balance - 54.0).abs() < f64::EPSILON);
        assert!((order.variance - (14.0 * 13.0 * 33.0 - 2.0 * 1.0 * 9.0) / 18.0).abs() < 1e-9);
        assert!((order.score() - 2.9058).abs() < 5e-5, "{}", order.score());
    }

    #[test]
    fn the_slope_and_its_bounds_are_those_of_sen() {
        // P. K. Sen, J. Am. Stat. Assoc. 63 (1968) 1379: slope 4, between 26/7 and 35/8 at 93 %.
        let at = [1.0, 2.0, 3.0, 4.0, 10.0, 12.0, 18.0];
        let values = [9.0, 15.0, 19.0, 20.0, 45.0, 55.0, 78.0];
        let margin = 1.812 * Order::of(&values).variance.sqrt();
        let slope = Slope::of(&points(&at, &values), margin).unwrap();
        let expected = [4.0, 26.0 / 7.0, 35.0 / 8.0];
        for (found, expected) in [slope.median, slope.low, slope.high].into_iter().zip(expected) {
            assert!((found - expected).abs() < 1e-9, "{slope:?}");
        }
    }

    #[test]
    fn the_slope_and_its_bounds_are_those_of_statpsych() {
        // The example of `ci.theil` in the R package statpsych: 0.5, from 0.3243243 to 0.75 at 95 %.
        let values =
            [21.0, 4.0, 9.0, 12.0, 35.0, 18.0, 10.0, 22.0, 24.0, 1.0, 6.0, 8.0, 13.0, 16.0, 19.0];
        let at = [
            67.0, 28.0, 30.0, 28.0, 52.0, 40.0, 25.0, 37.0, 44.0, 10.0, 14.0, 20.0, 28.0, 40.0,
            51.0,
        ];
        let slope =
            Slope::of(&points(&at, &values), 1.96 * Order::of(&values).variance.sqrt()).unwrap();
        for (found, expected) in
            [slope.median, slope.low, slope.high].into_iter().zip([0.5, 0.324_324_3, 0.75])
        {
            assert!((found - expected).abs() < 1e-6, "{slope:?}");
        }
    }

    #[test]
    fn the_slope_is_that_of_cloud_seeding() {
        // Hollander and Wolfe, Nonparametric Statistical Methods, example 9.1.
        let at = [1.0, 2.0, 3.0, 4.0, 5.0];
        let slope = Slope::of(&points(&at, &[1.26, 1.27, 1.12, 1.16, 1.03]), 0.0).unwrap();
        assert!((slope.median + 0.05625).abs() < 1e-9, "{slope:?}");
    }

    /// By hand: S = 45, var = 10·9·25/18 = 125; with two ties of two, 125 - 2 = 123.
    #[test]
    fn the_trend_is_that_of_mann_and_kendall() {
        let z = |values: &[f64]| Order::of(values).score();
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

    proptest! {
        #[test]
        fn a_line_has_its_slope_and_the_bounds_hold_it(
            slope in -1e3_f64..1e3, start in -1e3_f64..1e3, count in 3_u32..40, margin in 0.0_f64..50.0,
        ) {
            let line: Vec<_> =
                (0..count).map(|at| (f64::from(at), start + slope * f64::from(at))).collect();
            let found = Slope::of(&line, margin).unwrap();
            prop_assert!((found.median - slope).abs() < 1e-6);
            prop_assert!(found.low <= found.median + 1e-9 && found.median <= found.high + 1e-9);
        }
    }
}
