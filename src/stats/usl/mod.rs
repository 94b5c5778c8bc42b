//! How throughput grows with concurrency: the universal scalability law (Gunther 1993)
//! and the hard plateau, each fitted to measured steps.

mod fit;
mod plateau;
mod solve;

pub use fit::{Contention, Loss, usl};
pub use plateau::{Plateau, plateau};

/// One step: so many at once bring such a rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// How many at once.
    pub clients: f64,
    /// What they bring together.
    pub rate: f64,
    /// The standard error of the rate; it weighs the step.
    pub error: f64,
}

/// The universal scalability law, `γN / (1 + α(N−1) + βN(N−1))`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Usl {
    /// What one brings alone.
    pub gamma: f64,
    /// The share of the work for which all queue.
    pub alpha: f64,
    /// What each has to agree on with each other.
    pub beta: f64,
}

impl Usl {
    /// The rate of so many.
    pub fn rate(&self, clients: f64) -> f64 {
        self.gamma * clients * self.each(clients)
    }

    /// What each of so many brings, as a share of what one alone does.
    pub fn each(&self, clients: f64) -> f64 {
        1.0 / (1.0 + self.alpha * (clients - 1.0) + self.beta * clients * (clients - 1.0))
    }

    /// Where rate over response time, `X²/N`, is largest (Kleinrock's power): more bring
    /// less than what the wait grows by. `None` where that is nowhere.
    pub fn optimum(&self) -> Option<f64> {
        let Self { alpha, beta, .. } = *self;
        if alpha >= 1.0 {
            return Some(1.0);
        }
        let found = if beta > 1e-15 {
            let apart = alpha - beta;
            (-apart + (apart * apart + 12.0 * beta * (1.0 - alpha)).sqrt()) / (6.0 * beta)
        } else if alpha > 0.0 {
            (1.0 - alpha) / alpha
        } else {
            return None;
        };
        Some(found.max(1.0)).filter(|found| found.is_finite())
    }

    /// Beyond which the rate declines; `None` where it never does.
    pub fn peak(&self) -> Option<f64> {
        let found = ((1.0 - self.alpha).max(0.0) / self.beta).sqrt();
        (self.beta > 0.0 && found.is_finite()).then_some(found.max(1.0))
    }

    /// The standard errors of γ, α and β after least squares over `steps` without weights,
    /// as R reports them. `None` with fewer than four steps.
    pub fn standard_errors(&self, steps: &[Step]) -> Option<[f64; 3]> {
        let free = steps.len().checked_sub(3).filter(|free| *free > 0)?;
        let (mut curved, mut squares) = ([[0.0; 3]; 3], 0.0);
        for Step { clients, rate, .. } in steps {
            let (each, n) = (self.each(*clients), *clients);
            let bent = -self.gamma * n * (n - 1.0) * each * each;
            let slopes = [n * each, bent, bent * n];
            for (row, slope) in curved.iter_mut().zip(slopes) {
                for (cell, other) in row.iter_mut().zip(slopes) {
                    *cell += slope * other;
                }
            }
            squares += (rate - self.rate(n)).powi(2);
        }
        let variance = squares / super::as_f64(free);
        let unit = |at: usize| std::array::from_fn(|row| if row == at { 1.0 } else { 0.0 });
        let error = |at: usize| Some((solve::solve(curved, unit(at))?[at] * variance).sqrt());
        Some([error(0)?, error(1)?, error(2)?])
    }
}

/// The squares of what `curve` misses `steps` by, in standard errors.
fn missed(steps: &[Step], curve: impl Fn(f64) -> f64) -> f64 {
    steps.iter().map(|step| ((step.rate - curve(step.clients)) / step.error).powi(2)).sum()
}

/// The squares of what each step is missed by when it is predicted from all others.
///
/// `fit` makes a curve of steps. `None` where some of the steps cannot do without one.
pub fn left_out<F: Fn(f64) -> f64>(
    steps: &[Step],
    fit: impl Fn(&[Step]) -> Option<F>,
) -> Option<f64> {
    let predicted = (0..steps.len()).map(|at| {
        let others: Vec<Step> =
            steps.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, it)| *it).collect();
        Some(missed(&steps[at..=at], fit(&others)?))
    });
    predicted.sum()
}

#[cfg(test)]
mod tests;
