use super::tape::Mix;
use crate::{
    domain::perf::{Arrivals, Load, PATIENCE},
    perf::{plan::measures, wanted},
};
use std::time::Duration;

/// Bytes of a value, at most: the longest that a server takes is 512 MiB.
const SIZE: u64 = 1024 * 1024;
/// Keys, at most.
const KEYS: u64 = 1_000_000;
/// Clients, at most.
const CLIENTS: u32 = 10_000;
/// Commands that leave together, at most.
const PIPELINE: u32 = 1000;
/// Bytes that all values may have together.
const STORED: u64 = 1024 * 1024 * 1024;
/// Bytes of requests that all clients together may hold ready.
const READY: u64 = 256 * 1024 * 1024;
/// How long keys outlive the test, should this process be killed.
const AFTERWARDS: Duration = Duration::from_mins(1);

/// What load a Redis is to be put under.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// Clients, each with a connection of its own.
    pub clients: u32,
    /// Commands that a client sends together.
    pub pipeline: u32,
    /// Which commands.
    pub mix: Mix,
    /// Bytes of a value.
    pub size: u64,
    /// Keys that are read and written.
    pub keys: u64,
    /// When commands are sent.
    pub arrivals: Arrivals,
    /// Threads that the clients run on.
    pub threads: u32,
    /// Before anything is measured.
    pub warm_up: Duration,
    /// How long to measure, unless a number ends it.
    pub duration: Duration,
    /// How many commands to measure.
    pub requests: Option<u64>,
}

impl Default for Asked {
    fn default() -> Self {
        Self {
            clients: 50,
            pipeline: 1,
            mix: Mix::Mixed,
            size: 3,
            keys: 10_000,
            arrivals: Arrivals::Closed,
            threads: 1,
            warm_up: Duration::from_secs(2),
            duration: Duration::from_secs(10),
            requests: None,
        }
    }
}

impl Asked {
    /// What is wrong with it, if anything is: what it is and what is accepted.
    pub fn complaint(&self) -> Option<String> {
        let ready = u64::from(self.clients) * self.mix.held(u64::from(self.pipeline)) * self.size;
        let took = self.warm_up.max(measures(&self.load()));
        None.or_else(|| wanted::outside("clients", self.clients.into(), CLIENTS.into()))
            .or_else(|| wanted::outside("pipeline", self.pipeline.into(), PIPELINE.into()))
            .or_else(|| wanted::outside("size", self.size, SIZE))
            .or_else(|| wanted::outside("keys", self.keys, KEYS))
            .or_else(|| wanted::threads(self.threads))
            .or_else(|| wanted::outside("requests", self.requests.unwrap_or(1), u64::MAX / 2))
            .or_else(|| wanted::rate(self.arrivals))
            .or_else(|| wanted::length(took))
            .or_else(|| {
                let says = "--clients times --pipeline times --size is over 256 MiB";
                (ready > READY).then(|| says.into())
            })
            .or_else(|| {
                let says = "--keys times --size is over 1 GiB";
                (self.keys * self.size > STORED).then(|| says.into())
            })
    }

    /// The load that it is.
    pub fn load(&self) -> Load {
        Load {
            arrivals: self.arrivals,
            clients: self.clients,
            depth: self.pipeline,
            threads: self.threads.min(self.clients),
            warm_up: self.warm_up,
            duration: self.requests.is_none().then_some(self.duration),
            requests: self.requests,
            timeout: PATIENCE,
        }
    }

    /// How long the keys live.
    pub(super) fn lives(&self) -> Duration {
        self.warm_up.saturating_add(measures(&self.load())).saturating_add(AFTERWARDS)
    }

    /// The load in a clause.
    pub(super) fn says(&self) -> String {
        let (clients, pipeline) = (self.clients, self.pipeline);
        let arrivals = wanted::arrivals(self.arrivals);
        format!("{} with {clients} clients, pipeline {pipeline}, {arrivals}", self.mix.commands())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Set = fn(&mut Asked, u64);

    #[test]
    fn each_limit_holds_at_both_sides() {
        let fine = |asked: Asked| asked.complaint().is_none();
        let usual = || Asked { keys: 100, ..Asked::default() };
        assert!(fine(usual()));
        let cases: [(Set, u64); 5] = [
            (|asked, n| asked.clients = u32::try_from(n).unwrap(), 10_000),
            (|asked, n| asked.pipeline = u32::try_from(n).unwrap(), 1000),
            (|asked, n| asked.size = n, 1024 * 1024),
            (|asked, n| asked.keys = n, 1_000_000),
            (|asked, n| asked.threads = u32::try_from(n).unwrap(), 64),
        ];
        for (set, most) in cases {
            for (value, expected) in [(0, false), (1, true), (most, true), (most + 1, false)] {
                let mut asked = usual();
                set(&mut asked, value);
                assert_eq!(fine(asked), expected, "{value} of {most}");
            }
        }
        for (rate, expected) in [(0.0, false), (f64::NAN, false), (500.0, true), (2e7, false)] {
            assert_eq!(fine(Asked { arrivals: Arrivals::Constant { rate }, ..usual() }), expected);
        }
        let held = |size| Asked { mix: Mix::Set, pipeline: 16, size, ..usual() };
        assert!(fine(held(335_544)) && !fine(held(335_545)));
    }

    #[test]
    fn what_the_keys_hold_together_is_bounded() {
        let stored = |keys| Asked { keys, size: 1024 * 1024, ..Asked::default() };
        assert_eq!(stored(1024).complaint(), None);
        assert!(stored(1025).complaint().unwrap().contains("over 1 GiB"));
    }

    #[test]
    fn keys_outlive_the_test_by_a_minute() {
        let number =
            |requests, arrivals| Asked { requests: Some(requests), arrivals, ..Asked::default() };
        let by_plan = |requests| number(requests, Arrivals::Constant { rate: 10.0 });
        let lives = |asked: &Asked| asked.lives().as_secs();
        assert_eq!(lives(&Asked::default()), 72);
        assert_eq!(lives(&number(1, Arrivals::Closed)), 662, "nobody knows how long it takes");
        assert_eq!(lives(&by_plan(50)), 67);
        assert_eq!(by_plan(36_000).complaint(), None);
        assert!(by_plan(36_001).complaint().unwrap().contains("60m"));
    }
}
