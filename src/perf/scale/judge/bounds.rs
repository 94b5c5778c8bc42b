//! Between what the figures of a step and of a fit truly lie.

use crate::{
    domain::perf::{Curve, Estimate, Step},
    stats::usl,
};

/// Parts of a step without which nothing is said of how far its rate may be off.
pub(super) const PARTS: usize = 5;
/// What a step may be off at least, as a share: the parts of one step are alike.
const FLOOR: f64 = 0.01;
/// How often the parts of all steps are drawn anew,
const DRAWS: usize = 1000;
/// always in the same way.
const SEED: u64 = 0x5ca1_ab1e;

/// The steps as a fit wants them.
pub(super) fn points(steps: &[Step]) -> Vec<usl::Step> {
    let point = |step: &Step| usl::Step {
        clients: step.clients.into(),
        rate: step.per_second,
        error: standard_error(&step.blocks).max(FLOOR * step.per_second),
    };
    steps.iter().filter(|step| step.per_second > 0.0).map(point).collect()
}

/// The mean rate of a step and half the width of its 95 % interval; none of few parts.
pub(super) fn around(blocks: &[f64]) -> Option<(f64, f64)> {
    let enough = blocks.len() >= PARTS;
    enough.then(|| (mean(blocks), student(float(blocks.len() - 1)) * standard_error(blocks)))
}

fn float(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / float(values.len()).max(1.0)
}

fn standard_error(values: &[f64]) -> f64 {
    if values.len() < 2 {
        return 0.0;
    }
    let (mean, count) = (mean(values), float(values.len()));
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (squares / (count - 1.0) / count).sqrt()
}

/// What 97.5 % of Student's distribution stay under, by the series of Cornish and Fisher.
fn student(free: f64) -> f64 {
    1.959_964 + 2.372_3 / free + 2.822_5 / free.powi(2) + 2.555_9 / free.powi(3)
}

/// The curves of steps of which the parts are drawn anew; none where a step has too few.
pub(super) fn drawn(
    steps: &[Step],
    fit: impl Fn(&[usl::Step]) -> Option<Curve>,
) -> Option<Vec<Curve>> {
    if steps.iter().any(|step| step.blocks.len() < PARTS) {
        return None;
    }
    let (mut dice, mut points) = (fastrand::Rng::with_seed(SEED), points(steps));
    let measured: Vec<&Step> = steps.iter().filter(|step| step.per_second > 0.0).collect();
    let mut curves = Vec::with_capacity(DRAWS);
    for _ in 0..DRAWS {
        for (point, step) in points.iter_mut().zip(&measured) {
            let drawn: Vec<f64> =
                step.blocks.iter().filter_map(|_| dice.choice(&step.blocks)).copied().collect();
            point.rate = mean(&drawn).max(f64::MIN_POSITIVE);
        }
        curves.extend(fit(&points));
    }
    Some(curves)
}

/// The estimate `at` with the bounds that the drawn curves give; infinite where a curve
/// has none.
pub(super) fn estimate(
    at: f64,
    curves: Option<&[Curve]>,
    of: impl Fn(&Curve) -> Option<f64>,
) -> Estimate {
    let mut values: Vec<f64> =
        curves.unwrap_or_default().iter().map(|curve| of(curve).unwrap_or(f64::INFINITY)).collect();
    values.sort_by(f64::total_cmp);
    // 2.5 and 97.5 of a hundred.
    let last = values.len().saturating_sub(1);
    let end = |place: usize| values.get(place).copied().filter(|end| end.is_finite());
    Estimate { at, low: end(last / 40), high: end(last - last / 40) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_those_of_student() {
        // Any table of the distribution: 97.5 % with 4, 9 and 29 degrees of freedom.
        for (free, expected) in [(4.0, 2.776), (9.0, 2.262), (29.0, 2.045)] {
            assert!((student(free) - expected).abs() < 0.01, "{free}: {}", student(free));
        }
        assert_eq!(around(&[1.0; 4]), None);
        let (mean, half) = around(&[9.0, 10.0, 11.0, 10.0, 10.0]).unwrap();
        // sd 0.7071, over the root of five.
        assert!((mean - 10.0).abs() < 1e-12 && (half - 2.776 * 0.316_2).abs() < 0.01, "{half}");
    }

    #[test]
    fn bounds_are_where_so_many_of_the_draws_are() {
        let line = |gamma: u32| Curve::Plateau { gamma: gamma.into(), ceiling: 1e9 };
        let curves: Vec<Curve> = (0..=1000).map(line).collect();
        let found = estimate(500.0, Some(&curves), |curve| Some(curve.gamma()));
        assert_eq!((found.low, found.high), (Some(25.0), Some(975.0)));
        let none = estimate(1.0, Some(&curves), |_| None);
        assert_eq!((none.low, none.high), (None, None));
        assert_eq!(estimate(1.0, None, |_| Some(1.0)).low, None);
    }
}
