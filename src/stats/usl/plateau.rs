use super::{Step, missed};

/// The hard plateau, `min(γN, S)`: a pool, a semaphore, so many workers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plateau {
    /// What one brings alone.
    pub gamma: f64,
    /// The rate that more do not exceed.
    pub ceiling: f64,
}

impl Plateau {
    /// The rate of so many.
    pub fn rate(&self, clients: f64) -> f64 {
        (self.gamma * clients).min(self.ceiling)
    }

    /// From how many on more bring no more.
    pub fn knee(&self) -> f64 {
        self.ceiling / self.gamma
    }
}

/// The plateau that fits `steps` best: for each way to part them into slope and plateau
/// the weighted best is known at once. `None` unless two steps at least are on the
/// plateau, without which there is none to be seen.
pub fn plateau(steps: &[Step]) -> Option<Plateau> {
    let mut sorted = steps.to_vec();
    sorted.sort_by(|one, other| one.clients.total_cmp(&other.clients));
    let parted = (1..sorted.len().saturating_sub(1)).filter_map(|at| {
        let (slope, flat) = sorted.split_at(at);
        let weight = |step: &Step| step.error.powi(-2);
        let over = |of: fn(&Step) -> f64, steps: &[Step]| -> f64 {
            steps.iter().map(|step| weight(step) * of(step)).sum()
        };
        let gamma = over(|it| it.clients * it.rate, slope) / over(|it| it.clients.powi(2), slope);
        let ceiling = over(|it| it.rate, flat) / over(|_| 1.0, flat);
        let found = Plateau { gamma, ceiling };
        // A part is one only if its own steps lie on it.
        let flat_enough = flat.iter().all(|step| step.clients >= found.knee());
        (gamma > 0.0 && ceiling > 0.0 && flat_enough).then_some(found)
    });
    let miss = |it: &Plateau| missed(steps, |clients| it.rate(clients));
    parted.min_by(|one, other| miss(one).total_cmp(&miss(other)))
}
