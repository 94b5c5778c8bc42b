//! What was seen beside the figures: connections, bytes, statuses.

use super::frame::Head;
use crate::{
    domain::{Evidence, Fact, Quantity, perf::Latency},
    perf::{number::count, quantile::latency, times::Times},
};
use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

/// The status of a server that wants fewer requests.
const TOO_MANY: u16 = 429;

/// Counts of all clients together, the warm-up included.
pub(super) struct Seen {
    /// How long each connection took to open.
    opened: Mutex<Times>,
    /// Requests sent again on a new connection.
    again: AtomicU64,
    received: AtomicU64,
    /// Responses by the first digit of their status.
    statuses: [AtomicU64; 6],
    /// Responses that say that there were too many requests,
    slowed: AtomicU64,
    /// and for how many seconds to stay away, plus one; zero where none said.
    stay_away: AtomicU64,
}

impl Seen {
    pub(super) fn new() -> Self {
        Self {
            opened: Mutex::new(Times::default()),
            again: AtomicU64::default(),
            received: AtomicU64::default(),
            statuses: Default::default(),
            slowed: AtomicU64::default(),
            stay_away: AtomicU64::default(),
        }
    }

    pub(super) fn opened(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        opened.record(micros.max(1));
    }

    pub(super) fn again(&self) {
        self.again.fetch_add(1, Relaxed);
    }

    pub(super) fn received(&self, bytes: usize) {
        self.received.fetch_add(count(bytes), Relaxed);
    }

    pub(super) fn answered(&self, head: Head, expected: bool) {
        if let Some(counted) = self.statuses.get(usize::from(head.status / 100)) {
            counted.fetch_add(1, Relaxed);
        }
        if head.status == TOO_MANY && !expected {
            self.slowed.fetch_add(1, Relaxed);
            let seconds = head.retry_after.map_or(0, |seconds| u64::from(seconds) + 1);
            self.stay_away.fetch_max(seconds, Relaxed);
        }
    }

    /// Requests that were answered.
    pub(super) fn answers(&self) -> u64 {
        self.statuses.iter().map(|counted| counted.load(Relaxed)).sum()
    }

    /// Why the server must be left alone, if it said so.
    pub(super) fn slowed(&self) -> Option<String> {
        let slowed = self.slowed.load(Relaxed);
        let answers = self.answers();
        let after = match self.stay_away.load(Relaxed) {
            0 => "without Retry-After".into(),
            seconds => format!("Retry-After: {} s", seconds - 1),
        };
        (slowed > 0).then(|| {
            format!("the server limits the rate: {slowed} of {answers} answers are 429, {after}")
        })
    }

    /// For the record.
    pub(super) fn facts(&self, fresh: bool) -> Vec<Fact> {
        let opened: Latency = latency(&self.opened.lock().unwrap_or_else(PoisonError::into_inner));
        let time = |share| Quantity::Time(opened.at(share));
        let mut facts = Evidence::default()
            .fact("protocol", "HTTP/1.1")
            .fact("connection", if fresh { "a new one for each request" } else { "kept" })
            .fact("connections opened", Quantity::Count(opened.count))
            .fact("to open, p50", time(0.5))
            .fact("to open, p95", time(0.95))
            .fact("to open, max", Quantity::Time(opened.max))
            .fact("received", Quantity::Bytes(self.received.load(Relaxed)));
        for (class, counted) in self.statuses.iter().enumerate() {
            let counted = counted.load(Relaxed);
            if counted > 0 {
                facts = facts.fact(&format!("status {class}xx"), Quantity::Count(counted));
            }
        }
        let again = self.again.load(Relaxed);
        if again > 0 {
            let name = "sent again on a new connection";
            facts = facts.fact(name, Quantity::Count(again));
        }
        facts.facts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_asks_for_less_is_heard() {
        let seen = Seen::new();
        let head = |status, retry_after| Head { status, keeps: true, retry_after };
        seen.answered(head(200, None), true);
        seen.answered(head(503, Some(9)), false);
        seen.answered(head(429, None), true);
        assert_eq!(seen.slowed(), None, "who expects 429 wants to see it");
        seen.answered(head(429, None), false);
        assert!(seen.slowed().unwrap().ends_with("1 of 4 answers are 429, without Retry-After"));
        seen.answered(head(429, Some(0)), false);
        assert!(seen.slowed().unwrap().ends_with("2 of 5 answers are 429, Retry-After: 0 s"));
        seen.answered(head(429, Some(30)), false);
        seen.answered(head(429, Some(2)), false);
        assert!(seen.slowed().unwrap().ends_with("Retry-After: 30 s"));
    }

    #[test]
    fn facts_name_only_what_there_was() {
        let seen = Seen::new();
        seen.opened(Duration::from_millis(2));
        seen.received(512);
        seen.answered(Head { status: 204, ..Head::default() }, true);
        let names = |seen: &Seen| {
            let facts = seen.facts(false);
            facts.into_iter().map(|fact| fact.name).collect::<Vec<_>>().join(", ")
        };
        assert!(names(&seen).ends_with("to open, max, received, status 2xx"), "{}", names(&seen));
        seen.again();
        assert!(names(&seen).ends_with("sent again on a new connection"));
    }
}
