//! Weighted least squares for the universal scalability law, parameters not negative.
//!
//! In the parameters `a = 1/γ`, `b = α/γ`, `c = β/γ` the law is `N / (a + b(N−1) +
//! cN(N−1))`, of which the reciprocal is linear: that gives the start, and
//! Levenberg–Marquardt the end. Where a bound would be crossed the best lies on it, so
//! each set of parameters that may be zero is tried, and the best allowed one taken.

use super::{Step, Usl, missed, solve::solve};
use std::cmp;

/// Steps of the search, at most; it takes a few.
const STEPS: usize = 100;
/// Standard deviations from which on Huber's loss grows evenly.
const HUBER: f64 = 1.345;
/// Rounds in which the weights of far steps settle.
const ROUNDS: usize = 8;
/// The mean absolute deviation of a normal distribution.
const NORMAL_MAD: f64 = 0.6745;

/// What α may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contention {
    /// Zero or more.
    NotNegative,
    /// Anything: each of several may bring more than one does alone.
    Any,
}

/// How much a step counts that lies far off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// With the square of how far, as in textbooks.
    Squares,
    /// Evenly beyond some standard deviations (Huber), so that one wild step sways little.
    Huber,
}

/// The law that fits `steps` best; `None` with fewer than three, or where none fits.
pub fn usl(steps: &[Step], contention: Contention, loss: Loss) -> Option<Usl> {
    if steps.len() < 3 || steps.iter().any(|it| !(it.rate > 0.0 && it.error > 0.0)) {
        return None;
    }
    let mut found = best(steps, contention)?;
    if loss == Loss::Huber {
        for _ in 0..ROUNDS {
            found = best(&discounted(steps, &found), contention)?;
        }
    }
    Some(found)
}

/// The steps with larger errors where `curve` misses them by much.
fn discounted(steps: &[Step], curve: &Usl) -> Vec<Step> {
    let far = |step: &Step| (step.rate - curve.rate(step.clients)).abs() / step.error;
    let distances: Vec<f64> = steps.iter().map(far).collect();
    let middle = crate::stats::median(&distances).unwrap_or_default();
    let limit = HUBER * (middle / NORMAL_MAD).max(f64::MIN_POSITIVE);
    let discount = |step: &Step| (far(step) / limit).max(1.0).sqrt();
    steps.iter().map(|step| Step { error: step.error * discount(step), ..*step }).collect()
}

/// The best of those that keep the bounds.
fn best(steps: &[Step], contention: Contention) -> Option<Usl> {
    const FACES: [[bool; 3]; 4] =
        [[true; 3], [true, true, false], [true, false, true], [true, false, false]];
    let scale = Scale::of(steps)?;
    let found = FACES.iter().filter_map(|free| {
        let [a, b, c] = search(&scale.points(steps), *free)?;
        let kept = c >= 0.0 && (b >= 0.0 || contention == Contention::Any);
        (a > 0.0 && kept).then(|| scale.back([a, b, c]))
    });
    let miss = |it: &Usl| missed(steps, |clients| it.rate(clients));
    found.min_by(|one, other| miss(one).total_cmp(&miss(other)))
}

/// What makes all parameters about as large.
struct Scale {
    clients: f64,
    rate: f64,
}

/// A step as the search sees it.
struct Point {
    clients: f64,
    rate: f64,
    weight: f64,
    /// What the parameters are multiplied with.
    terms: [f64; 3],
}

impl Scale {
    fn of(steps: &[Step]) -> Option<Self> {
        let largest = |of: fn(&Step) -> f64| steps.iter().map(of).max_by(f64::total_cmp);
        Some(Self { clients: largest(|it| it.clients)?, rate: largest(|it| it.rate)? })
    }

    fn points(&self, steps: &[Step]) -> Vec<Point> {
        let errors: Vec<f64> = steps.iter().map(|it| it.error).collect();
        let usual = crate::stats::median(&errors).unwrap_or(1.0);
        let point = |step: &Step| {
            let n = step.clients;
            Point {
                clients: n,
                rate: step.rate / self.rate,
                weight: (usual / step.error).powi(2),
                terms: [1.0, (n - 1.0) / self.clients, n * (n - 1.0) / self.clients.powi(2)],
            }
        };
        steps.iter().map(point).collect()
    }

    fn back(&self, [a, b, c]: [f64; 3]) -> Usl {
        Usl {
            gamma: self.rate / a,
            alpha: b / a / self.clients,
            beta: c / a / self.clients.powi(2),
        }
    }
}

impl Point {
    fn under(&self, parameters: &[f64; 3]) -> f64 {
        self.terms.iter().zip(parameters).map(|(term, parameter)| term * parameter).sum()
    }

    fn miss(&self, parameters: &[f64; 3]) -> f64 {
        self.rate - self.clients / self.under(parameters)
    }
}

/// What the points are missed by; infinite where a rate would be negative.
fn loss(points: &[Point], parameters: &[f64; 3]) -> f64 {
    let of = |point: &Point| {
        let possible = point.under(parameters) > 0.0;
        if possible { point.weight * point.miss(parameters).powi(2) } else { f64::INFINITY }
    };
    points.iter().map(of).sum()
}

/// Sums up the normal equations, those that are not free left out.
fn equations(
    points: &[Point],
    free: [bool; 3],
    row: impl Fn(&Point) -> (f64, f64, f64),
) -> ([[f64; 3]; 3], [f64; 3]) {
    let (mut matrix, mut right) = ([[0.0; 3]; 3], [0.0; 3]);
    for point in points {
        let (weight, slope, wanted) = row(point);
        let terms: [f64; 3] =
            std::array::from_fn(|at| if free[at] { slope * point.terms[at] } else { 0.0 });
        for at in 0..3 {
            right[at] += weight * terms[at] * wanted;
            for other in 0..3 {
                matrix[at][other] += weight * terms[at] * terms[other];
            }
        }
    }
    for at in (0..3).filter(|at| !free[*at]) {
        matrix[at][at] = 1.0;
    }
    (matrix, right)
}

/// Where the reciprocals fit best: near the end of the search.
fn start(points: &[Point], free: [bool; 3]) -> Option<[f64; 3]> {
    let (matrix, right) = equations(points, free, |point| {
        let weight = point.weight * (point.rate.powi(2) / point.clients).powi(2);
        (weight, 1.0, point.clients / point.rate)
    });
    let linear = solve(matrix, right).filter(|it| loss(points, it).is_finite());
    let first = points.iter().min_by(|one, other| one.clients.total_cmp(&other.clients))?;
    let even = [first.clients / first.rate, 0.0, 0.0];
    Some(linear.unwrap_or(even))
}

/// Levenberg–Marquardt over the parameters that are free, the others zero.
fn search(points: &[Point], free: [bool; 3]) -> Option<[f64; 3]> {
    let mut at = start(points, free)?;
    let (mut now, mut damping) = (loss(points, &at), 1e-4);
    for _ in 0..STEPS {
        let (mut matrix, right) = equations(points, free, |point| {
            let slope = -point.clients / point.under(&at).powi(2);
            (point.weight, slope, point.miss(&at))
        });
        for (place, row) in matrix.iter_mut().enumerate() {
            row[place] *= 1.0 + damping;
        }
        let step = solve(matrix, right)?;
        let next: [f64; 3] = std::array::from_fn(|place| at[place] + step[place]);
        let then = loss(points, &next);
        if then > now {
            damping *= 10.0;
            if damping > 1e12 {
                break;
            }
            continue;
        }
        let little =
            step.iter().zip(&next).all(|(step, it)| step.abs() <= 1e-12 * (1.0 + it.abs()));
        (at, now, damping) = (next, then, f64::max(damping / 10.0, 1e-12));
        if little {
            break;
        }
    }
    (cmp::Ordering::Less == now.total_cmp(&f64::INFINITY)).then_some(at)
}
