use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Why nobody got a connection out of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PoolTrouble {
    /// All of its own connections were in use.
    Pool,
    /// The server has no connection left.
    ServerFull,
    /// The server is starting up or shutting down.
    Starting,
    /// The server was not reached, or did not answer.
    Network,
    /// The server does not let this user in.
    Auth,
    /// Anything else.
    Other,
}

impl PoolTrouble {
    /// All of them, in the order to show them.
    pub const ALL: [Self; 6] =
        [Self::Pool, Self::ServerFull, Self::Starting, Self::Network, Self::Auth, Self::Other];

    /// One word, the same in metrics and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pool => "pool",
            Self::ServerFull => "server_full",
            Self::Starting => "starting",
            Self::Network => "network",
            Self::Auth => "auth",
            Self::Other => "other",
        }
    }
}

/// How long it took to get connections, in buckets that only ever grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waits {
    /// How many were within each of [`Waits::BOUNDS`] and beyond the one before; the last
    /// counts what was beyond them all.
    counts: [u64; Waits::BOUNDS.len() + 1],
    /// All of them together.
    total: Duration,
}

impl Waits {
    /// The upper ends of the buckets.
    pub const BOUNDS: [Duration; 13] = [
        Duration::from_millis(1),
        Duration::from_micros(2500),
        Duration::from_millis(5),
        Duration::from_millis(10),
        Duration::from_millis(25),
        Duration::from_millis(50),
        Duration::from_millis(100),
        Duration::from_millis(250),
        Duration::from_millis(500),
        Duration::from_secs(1),
        Duration::from_millis(2500),
        Duration::from_secs(5),
        Duration::from_secs(10),
    ];

    /// Counts one more.
    pub fn note(&mut self, waited: Duration) {
        let at = Self::BOUNDS.partition_point(|bound| *bound < waited);
        self.counts[at] = self.counts[at].saturating_add(1);
        self.total = self.total.saturating_add(waited);
    }

    /// How many there were.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// All of them together.
    pub fn total(&self) -> Duration {
        self.total
    }

    /// Each upper end, and how many were not beyond it.
    pub fn cumulative(&self) -> impl Iterator<Item = (Duration, u64)> {
        let sums = self.counts.iter().scan(0, |sum, count| {
            *sum += count;
            Some(*sum)
        });
        Self::BOUNDS.into_iter().zip(sums)
    }
}

/// A pool of connections at one moment, and what came of asking it since it is watched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolFigures {
    /// Connections that it may open.
    pub most: u32,
    /// Connections that it has, in use or not.
    pub size: u32,
    /// Of these, those that wait to be used.
    pub idle: u32,
    /// Connections that somebody holds.
    pub used: u32,
    /// Who waits for one.
    pub waiters: u32,
    /// How long those waited who got one.
    pub waits: Waits,
    /// How often nobody got one, in the order of [`PoolTrouble::ALL`].
    pub refused: [u64; PoolTrouble::ALL.len()],
}

impl PoolFigures {
    /// Counts one who got none.
    pub fn refuse(&mut self, why: PoolTrouble) {
        for (count, _) in self.refused.iter_mut().zip(PoolTrouble::ALL).filter(|(_, it)| *it == why)
        {
            *count = count.saturating_add(1);
        }
    }

    /// How often nobody got a connection for that reason.
    pub fn refused_for(&self, why: PoolTrouble) -> u64 {
        let counts = PoolTrouble::ALL.into_iter().zip(self.refused);
        counts.filter(|(it, _)| *it == why).map(|(_, count)| count).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_at_a_bound_is_within_it() {
        let mut waits = Waits::default();
        for micros in [0, 1000, 1001, 10_000_000, 10_000_001] {
            waits.note(Duration::from_micros(micros));
        }
        let sums: Vec<u64> = waits.cumulative().map(|(_, sum)| sum).collect();
        assert_eq!(sums, [2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 4]);
        assert_eq!((waits.count(), waits.total()), (5, Duration::from_micros(20_002_002)));
        assert!(Waits::BOUNDS.is_sorted());
    }

    #[test]
    fn each_refusal_is_counted_under_its_own_word() {
        let mut figures = PoolFigures::default();
        for (times, why) in (1_u64..).zip(PoolTrouble::ALL) {
            (0..times).for_each(|_| figures.refuse(why));
        }
        assert_eq!(PoolTrouble::ALL.map(|why| figures.refused_for(why)), [1, 2, 3, 4, 5, 6]);
        let words = PoolTrouble::ALL.map(PoolTrouble::word);
        let json = serde_json::to_value(PoolTrouble::ALL).unwrap();
        assert_eq!(json, serde_json::json!(words));
    }
}
