use crate::{
    domain::perf::{Arrivals, Load, PATIENCE},
    integrations::database::load::Operation,
    perf::wanted,
};
use std::time::Duration;

/// Clients, at most: a server has a process or a thread for each.
const CLIENTS: u32 = 1000;
/// Rows that are read and written, at most.
const ROWS: u64 = 1_000_000;

/// How long each step of the climb warms up, and how long it is measured.
const STEP: (Duration, Duration) = (Duration::from_millis(300), Duration::from_secs(1));

/// What load a database is to be put under.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// Clients, each with a connection of its own that it holds.
    pub clients: u32,
    /// How often each of [`Operation::ALL`] is done, as shares of their sum.
    pub weights: [u32; 4],
    /// Rows of the table at first.
    pub rows: u64,
    /// When operations begin.
    pub arrivals: Arrivals,
    /// Threads that the clients run on.
    pub threads: u32,
    /// Before anything is measured.
    pub warm_up: Duration,
    /// How long to measure.
    pub duration: Duration,
    /// Whether smaller numbers of clients are measured first, for the knee.
    pub steps: Steps,
}

/// Whether smaller numbers of clients are measured too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Steps {
    /// One, two, four and so on, a moment each.
    Climb,
    /// Only as many as were asked for.
    Leap,
}

impl Default for Asked {
    fn default() -> Self {
        Self {
            clients: 50,
            weights: [70, 15, 10, 5],
            rows: 100_000,
            arrivals: Arrivals::Closed,
            threads: 1,
            warm_up: Duration::from_secs(2),
            duration: Duration::from_secs(10),
            steps: Steps::Climb,
        }
    }
}

impl Asked {
    /// What is wrong with it, if anything is: what it is and what is accepted.
    pub fn complaint(&self) -> Option<String> {
        None.or_else(|| wanted::outside("clients", self.clients.into(), CLIENTS.into()))
            .or_else(|| wanted::outside("rows", self.rows, ROWS))
            .or_else(|| wanted::threads(self.threads))
            .or_else(|| {
                let sum: u64 = self.weights.iter().copied().map(u64::from).sum();
                wanted::outside("mix", sum, 1_000_000)
            })
            .or_else(|| wanted::rate(self.arrivals))
            .or_else(|| wanted::length(self.warm_up.max(self.duration)))
    }

    /// The load that it is.
    pub fn load(&self) -> Load {
        Load {
            arrivals: self.arrivals,
            clients: self.clients,
            depth: 1,
            threads: self.threads.min(self.clients),
            warm_up: self.warm_up,
            duration: Some(self.duration),
            requests: None,
            timeout: PATIENCE,
        }
    }

    /// The numbers of clients to measure first, in rising order. A plan of arrivals has
    /// no steps: more clients do not ask for more.
    pub(super) fn climb(&self) -> Vec<u32> {
        let doubled = std::iter::successors(Some(1_u32), |n| n.checked_mul(2));
        match (self.steps, self.arrivals) {
            (Steps::Climb, Arrivals::Closed) => doubled.take_while(|n| *n < self.clients).collect(),
            (Steps::Leap | Steps::Climb, _) => Vec::new(),
        }
    }

    /// The load of one step.
    pub(super) fn step(&self, clients: u32) -> Load {
        let (warm_up, duration) = STEP;
        let whole = self.load();
        let threads = whole.threads.min(clients);
        Load { clients, threads, warm_up, duration: Some(duration), ..whole }
    }

    /// How long it takes, about.
    pub(super) fn takes(&self) -> Duration {
        let steps = u32::try_from(self.climb().len()).unwrap_or(0);
        self.warm_up + self.duration + (STEP.0 + STEP.1) * steps
    }

    /// The load in a clause.
    pub(super) fn says(&self) -> String {
        let shares = Operation::ALL.iter().zip(self.weights).filter(|(_, weight)| *weight > 0);
        let shares: Vec<String> =
            shares.map(|(what, weight)| format!("{weight} {}", what.word())).collect();
        let clients = match self.climb().first() {
            Some(first) => format!("{first} to {} clients", self.clients),
            None => format!("{} clients", self.clients),
        };
        let arrivals = wanted::arrivals(self.arrivals);
        format!("{} with {clients}, {arrivals}", shares.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_holds_at_both_sides() {
        let fine = |asked: Asked| asked.complaint().is_none();
        let usual = Asked::default;
        assert!(fine(usual()));
        for (clients, expected) in [(0, false), (1, true), (1000, true), (1001, false)] {
            assert_eq!(fine(Asked { clients, ..usual() }), expected, "{clients} clients");
        }
        for (rows, expected) in [(0, false), (1, true), (1_000_000, true), (1_000_001, false)] {
            assert_eq!(fine(Asked { rows, ..usual() }), expected, "{rows} rows");
        }
        assert!(!fine(Asked { weights: [0; 4], ..usual() }));
        assert!(fine(Asked { weights: [0, 0, 0, 1], ..usual() }));
        assert!(!fine(Asked { arrivals: Arrivals::Constant { rate: 0.0 }, ..usual() }));
        assert!(!fine(Asked { duration: Duration::from_secs(3601), ..usual() }));
    }

    #[test]
    fn the_climb_ends_under_what_was_asked_for() {
        let climb = |clients| Asked { clients, ..Asked::default() }.climb();
        assert_eq!(climb(50), [1, 2, 4, 8, 16, 32]);
        assert_eq!(climb(4), [1, 2]);
        assert!(climb(1).is_empty());
        assert!(Asked { steps: Steps::Leap, ..Asked::default() }.climb().is_empty());
        let planned = Arrivals::Constant { rate: 100.0 };
        assert!(Asked { arrivals: planned, ..Asked::default() }.climb().is_empty());
    }

    #[test]
    fn it_says_what_it_does_and_how_long_that_takes() {
        let usual = Asked::default();
        let says = "70 SELECT, 15 INSERT, 10 UPDATE, 5 DELETE with 1 to 50 clients, closed loop";
        assert_eq!(usual.says(), says);
        assert_eq!(usual.takes(), Duration::from_millis(19_800));
        let planned = Asked {
            weights: [0, 1, 0, 0],
            arrivals: Arrivals::Poisson { rate: 9.5 },
            ..Asked::default()
        };
        assert_eq!(planned.says(), "1 INSERT with 50 clients, 9.5/s in random gaps");
        let step = usual.step(8);
        assert_eq!((step.clients, step.duration), (8, Some(Duration::from_secs(1))));
    }
}
