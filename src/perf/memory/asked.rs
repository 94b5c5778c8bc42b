use super::judge::{PER, Rules};
use crate::{
    domain::perf::{Arrivals, Load},
    perf::load::{self, Profile},
    secret::Secret,
    units,
};
use std::time::Duration;

/// Operations, at least: twenty blocks of ten,
const LEAST: u32 = 200;
/// and at most.
const MOST: u32 = 100_000;
/// Growth that may be allowed, at most, in bytes for 500 operations.
const LIMIT: u64 = 1 << 40;
/// How long an operation and its reading take, about.
const EACH: Duration = Duration::from_millis(10);

/// What is to be measured of an HTTP server's memory.
#[derive(Clone, Debug)]
pub struct Asked {
    /// What an operation asks. One client asks, and no plan.
    pub load: load::Asked,
    /// Operations, after each of which memory is read; twice as many if these do not tell.
    pub operations: u32,
    /// Growth for 500 operations is to stay under so many bytes.
    pub max_growth: u64,
    /// Whether any growth is too much that is more than chance.
    pub strict: bool,
    /// The process to read; none for the configured one, or the one that listens there.
    pub pid: Option<u32>,
    /// Where the metrics are that hold its heap; none for the configured place.
    pub metrics: Option<Secret>,
    /// Which of them is the heap; none for a known one.
    pub heap: Option<String>,
}

impl Default for Asked {
    fn default() -> Self {
        Self {
            load: load::Asked { clients: 1, ..load::Asked::of(Profile::Closed) },
            operations: 500,
            max_growth: 5 * 1024 * 1024,
            strict: false,
            pid: None,
            metrics: None,
            heap: None,
        }
    }
}

impl Asked {
    /// What is wrong with it, if anything is: what it is and what is accepted.
    pub(super) fn complaint(&self) -> Option<String> {
        let Self { operations, max_growth, .. } = self;
        let count = !(LEAST..=MOST).contains(operations);
        let count = count.then(|| {
            format!("--operations is {operations}; it must be between {LEAST} and {MOST}")
        });
        let growth = !(1..=LIMIT).contains(max_growth);
        let growth = growth.then(|| "--max-growth must be between 1B and 1TiB".to_owned());
        let threads = self.load.threads != 1;
        let threads =
            threads.then(|| "--threads is for load and scale: one client asks here".into());
        let pid =
            (self.pid == Some(0)).then(|| "--pid is 0; the id of a process is accepted".into());
        let web = |url: &Secret| {
            ["http://", "https://"].iter().any(|scheme| url.expose().starts_with(scheme))
        };
        let metrics = self.metrics.as_ref().is_some_and(|url| !web(url));
        // Not quoted: it may hold a password.
        let metrics = metrics.then(|| "--metrics is not http:// or https:// with a host".into());
        count.or(growth).or(threads).or(pid).or(metrics)
    }

    /// What growth is held against.
    pub(super) fn rules(&self) -> Rules {
        Rules { limit: self.max_growth, strict: self.strict }
    }

    /// The load that it is, with so many operations.
    pub(super) fn load(&self, operations: u32) -> Load {
        Load {
            arrivals: Arrivals::Closed,
            clients: 1,
            depth: 1,
            threads: 1,
            warm_up: Duration::ZERO,
            duration: None,
            requests: Some(operations.into()),
            timeout: self.load.timeout,
        }
    }

    /// How long it takes, about.
    pub(super) fn takes(&self) -> Duration {
        EACH.saturating_mul(self.operations)
    }

    /// The load in a clause.
    pub(super) fn says(&self) -> String {
        let (method, count, twice) =
            (&self.load.request.method, self.operations, u64::from(self.operations) * 2);
        format!("{count} {method} one after the other, {twice} if these do not tell")
    }

    /// What is wanted, in a clause.
    pub(super) fn wants(&self) -> String {
        let limit = units::bytes(self.max_growth);
        if self.strict {
            return "passes where growth is no more than chance".into();
        }
        format!("passes where growth is surely under {limit} for {PER} operations")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_holds_at_both_sides() {
        let fine = |asked: Asked| asked.complaint().is_none();
        let with = |operations| Asked { operations, ..Asked::default() };
        assert!(fine(Asked::default()) && fine(with(200)) && fine(with(100_000)));
        assert!(!fine(with(199)) && !fine(with(100_001)));
        let growth = |max_growth| Asked { max_growth, ..Asked::default() };
        assert!(fine(growth(1)) && fine(growth(1 << 40)));
        assert!(!fine(growth(0)) && !fine(growth((1 << 40) + 1)));
        assert!(!fine(Asked { pid: Some(0), ..Asked::default() }));
        let metrics = |url: &str| Asked { metrics: Some(Secret::new(url)), ..Asked::default() };
        assert!(fine(metrics("http://127.0.0.1/metrics")) && !fine(metrics("127.0.0.1/metrics")));
        let two = load::Asked { threads: 2, ..Asked::default().load };
        assert!(!fine(Asked { load: two, ..Asked::default() }));
    }

    #[test]
    fn it_says_what_it_does() {
        let says = "500 GET one after the other, 1000 if these do not tell";
        assert_eq!(Asked::default().says(), says);
        assert!(Asked::default().wants().contains("5.0 MiB for 500"));
        assert!(Asked { strict: true, ..Asked::default() }.wants().contains("chance"));
        assert_eq!(Asked::default().takes(), Duration::from_secs(5));
    }
}
