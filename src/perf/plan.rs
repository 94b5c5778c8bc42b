//! When operations begin. Pure: a plan is fixed before the first one does.

use super::number::float;
use crate::domain::perf::{Arrivals, Load};
use std::time::Duration;

/// How long a test may take that a number ends, and no plan.
const UNKNOWN: Duration = Duration::from_mins(10);

/// The moments at which one worker's operations are to begin, in rising order.
///
/// The rate rises evenly during the warm-up and holds from then on. The workers'
/// plans together are the plan of the test: a constant one is dealt out in turn,
/// a Poisson one is the sum of independent ones.
#[derive(Clone, Debug)]
pub(super) struct Moments {
    rate: f64,
    ramp: f64,
    /// How many operations, rate times time, the last one was after the begin.
    place: f64,
    step: Step,
}

#[derive(Clone, Debug)]
enum Step {
    Even { by: f64 },
    Exponential { mean: f64, dice: Box<fastrand::Rng> },
}

impl Moments {
    /// The plan of worker `number` of `of`; none for a closed loop.
    pub(super) fn of(load: &Load, number: u32, of: u32, seed: u64) -> Option<Self> {
        let (rate, share) = (load.arrivals.rate()?, f64::from(of.max(1)));
        let ramp = load.warm_up.as_secs_f64();
        let dice = || Box::new(fastrand::Rng::with_seed(seed.wrapping_add(u64::from(number))));
        let (place, step) = match load.arrivals {
            Arrivals::Poisson { .. } => (0.0, Step::Exponential { mean: share, dice: dice() }),
            Arrivals::Constant { .. } | Arrivals::Closed => {
                (f64::from(number) - share, Step::Even { by: share })
            }
        };
        Some(Self { rate, ramp, place, step })
    }

    /// When the operation at `place` is due: the rate grows evenly to the end of the ramp.
    fn moment(&self, place: f64) -> Duration {
        let ramped = self.rate * self.ramp / 2.0;
        let at = if place < ramped {
            (2.0 * self.ramp * place / self.rate).sqrt()
        } else {
            self.ramp + (place - ramped) / self.rate
        };
        // Beyond what a span can hold nobody waits.
        Duration::try_from_secs_f64(at).unwrap_or(Duration::MAX)
    }
}

impl Iterator for Moments {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        self.place += match &mut self.step {
            Step::Even { by } => *by,
            // One minus a draw from [0, 1) is never zero.
            Step::Exponential { mean, dice } => -(1.0 - dice.f64()).ln() * *mean,
        };
        Some(self.moment(self.place))
    }
}

/// How long a test measures, about; no longer where nothing but a number ends it.
pub(super) fn measures(load: &Load) -> Duration {
    match (load.duration, load.requests, load.arrivals.rate()) {
        (Some(duration), ..) => duration,
        (None, Some(requests), Some(rate)) => {
            // What no span can hold is too long.
            Duration::try_from_secs_f64(float(requests) / rate).unwrap_or(Duration::MAX)
        }
        (None, ..) => UNKNOWN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::perf::PATIENCE;

    fn load(arrivals: Arrivals, warm_up: u64) -> Load {
        Load {
            arrivals,
            clients: 1,
            depth: 1,
            threads: 1,
            warm_up: Duration::from_secs(warm_up),
            duration: None,
            requests: None,
            timeout: PATIENCE,
        }
    }

    #[test]
    fn a_closed_loop_has_no_plan() {
        assert!(Moments::of(&load(Arrivals::Closed, 0), 0, 1, 1).is_none());
    }

    #[test]
    fn a_constant_plan_is_even_and_workers_take_turns() {
        let load = load(Arrivals::Constant { rate: 1000.0 }, 0);
        let of = |number| Moments::of(&load, number, 2, 1).unwrap().take(3).collect::<Vec<_>>();
        assert_eq!(of(0), [0, 2, 4].map(Duration::from_millis));
        assert_eq!(of(1), [1, 3, 5].map(Duration::from_millis));
    }

    #[test]
    fn the_rate_rises_evenly_while_it_warms_up() {
        let load = load(Arrivals::Constant { rate: 100.0 }, 2);
        let moments: Vec<_> = Moments::of(&load, 0, 1, 1).unwrap().take(201).collect();
        let within = |from: f64, to: f64| {
            moments.iter().filter(|at| (from..to).contains(&at.as_secs_f64())).count()
        };
        assert_eq!((within(0.0, 1.0), within(0.0, 2.0), within(2.0, 3.0)), (25, 100, 100));
        assert!(moments.is_sorted());
    }

    #[test]
    fn a_poisson_plan_has_the_rate_and_the_spread_of_one() {
        let load = load(Arrivals::Poisson { rate: 500.0 }, 0);
        let moments: Vec<_> = Moments::of(&load, 0, 1, 7).unwrap().take(50_000).collect();
        let last = moments.last().unwrap().as_secs_f64();
        assert!((last / 100.0 - 1.0).abs() < 0.02, "{last}");
        let gaps =
            moments.windows(2).map(|pair| (pair[1].as_secs_f64() - pair[0].as_secs_f64()) * 500.0);
        let squares: f64 = gaps.map(|gap| (gap - 1.0).powi(2)).sum();
        assert!((squares / 49_999.0 - 1.0).abs() < 0.05, "the variance of an exponential is one");
    }
}
