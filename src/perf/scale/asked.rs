use crate::{
    domain::perf::Load,
    perf::{
        load::{self, Profile},
        wanted,
    },
    units,
};
use std::time::Duration;

/// The steps, where nobody says otherwise, as far as they are within the most.
const STEPS: [u32; 12] = [1, 2, 4, 8, 16, 32, 64, 100, 150, 200, 300, 400];
/// Steps from which on there is a curve: it has three parameters.
pub(super) const ENOUGH: usize = 6;
/// Steps, at most.
const MOST: usize = 40;
/// A step has parts of a second, and some of them.
const SHORTEST: Duration = Duration::from_secs(2);

/// What is to be measured of an HTTP server.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// What each step asks, and for how long; the most clients of all steps.
    pub load: load::Asked,
    /// The numbers of clients; none for the usual ones.
    pub steps: Vec<u32>,
    /// 95 of 100 are to end well within this.
    pub max_p95: Option<Duration>,
}

impl Default for Asked {
    fn default() -> Self {
        let load = load::Asked { clients: 400, ..load::Asked::of(Profile::Closed) };
        Self { load, steps: Vec::new(), max_p95: None }
    }
}

impl Asked {
    /// The numbers of clients in rising order.
    pub(super) fn steps(&self) -> Vec<u32> {
        let mut steps = self.steps.clone();
        if steps.is_empty() {
            steps.extend(STEPS.iter().filter(|clients| **clients < self.load.clients));
            steps.push(self.load.clients);
        }
        steps.sort_unstable();
        steps.dedup();
        steps
    }

    /// What is wrong with it, if anything is: what it is and what is accepted.
    pub(super) fn complaint(&self) -> Option<String> {
        let (steps, load) = (self.steps(), &self.load);
        let most = steps.last().copied().unwrap_or_default();
        let over = most > load.clients;
        let over =
            over.then(|| format!("--steps has {most}, more than --clients {}", load.clients));
        let short = load.requests.is_none() && load.duration < SHORTEST;
        let short = short.then(|| "--duration is of each step, and 2s at least".to_owned());
        let late = self.max_p95.filter(|limit| *limit > load.timeout);
        let late = late.map(|limit| {
            let (limit, timeout) = (units::span(limit), units::span(load.timeout));
            format!("a goal of {limit} needs a --timeout of as much, which is {timeout}")
        });
        None.or_else(|| wanted::outside("steps", u64::from(*steps.first()?), 20_000))
            .or_else(|| (steps.len() > MOST).then(|| format!("--steps are {MOST} at most")))
            .or(over)
            .or(short)
            .or(late)
            .or_else(|| wanted::length(self.takes()))
    }

    /// The load of one step.
    pub(super) fn step(&self, clients: u32) -> Load {
        let whole = self.load.load();
        Load { clients, threads: whole.threads.min(clients), ..whole }
    }

    /// How long it takes, about: the first step and the last are done again at the end.
    pub(super) fn takes(&self) -> Duration {
        let steps = u32::try_from(self.steps().len() + 2).unwrap_or(u32::MAX);
        self.load.warm_up.saturating_add(self.load.duration).saturating_mul(steps)
    }

    /// The load in a clause.
    pub(super) fn says(&self) -> String {
        let steps = self.steps();
        let (first, last) = (steps.first().unwrap_or(&0), steps.last().unwrap_or(&0));
        let (method, count) = (&self.load.request.method, steps.len());
        let each = units::span(self.load.duration);
        format!("{method} with {first} to {last} clients in {count} steps of {each}, closed loop")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(steps: &[u32], seconds: u64) -> Asked {
        let usual = Asked::default();
        let load = load::Asked { duration: Duration::from_secs(seconds), ..usual.load.clone() };
        Asked { load, steps: steps.to_vec(), ..usual }
    }

    #[test]
    fn the_usual_steps_end_with_the_most() {
        assert_eq!(Asked::default().steps(), STEPS);
        assert_eq!(Asked::default().complaint(), None);
        let few = |clients| {
            let load = load::Asked { clients, ..Asked::default().load };
            Asked { load, ..Asked::default() }.steps()
        };
        assert_eq!(few(50), [1, 2, 4, 8, 16, 32, 50]);
        assert_eq!(few(1), [1]);
        assert_eq!(with(&[8, 1, 8, 2], 5).steps(), [1, 2, 8]);
        assert_eq!(Asked::default().takes(), Duration::from_secs(14 * 12));
        let says = "GET with 1 to 400 clients in 12 steps of 10s, closed loop";
        assert_eq!(Asked::default().says(), says);
    }

    #[test]
    fn each_limit_holds_at_both_sides() {
        let fine = |asked: &Asked| asked.complaint().is_none();
        assert!(fine(&with(&[1, 400], 2)) && !fine(&with(&[1, 401], 2)));
        assert!(!fine(&with(&[0, 4], 2)) && !fine(&with(&[1, 2], 1)));
        let many: Vec<u32> = (1..=41).collect();
        assert!(fine(&with(&many[..40], 2)) && !fine(&with(&many, 2)));
        assert!(fine(&with(&many[..40], 80)) && !fine(&with(&many[..40], 90)), "an hour");
        let limit = |seconds| Some(Duration::from_secs(seconds));
        assert!(fine(&Asked { max_p95: limit(5), ..Asked::default() }));
        assert!(!fine(&Asked { max_p95: limit(6), ..Asked::default() }));
    }
}
