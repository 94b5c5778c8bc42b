//! What the console itself takes, measured while somebody looks.

use crate::{
    domain::Snapshot,
    tui::{model::Cost, outlet::Usage},
};
use std::time::Duration;
use tokio::time::Instant;

/// Measured more often, a figure says nothing.
const SOONEST: Duration = Duration::from_millis(900);

/// What was read at one moment.
#[derive(Clone, Copy, Debug)]
struct Reading {
    at: Instant,
    cpu: Option<Duration>,
    written: u64,
    runs: u64,
}

/// Turns counters into rates: since the last reading, or since the start.
#[derive(Debug)]
pub(super) struct Meter {
    began: Reading,
    last: Reading,
}

impl Meter {
    pub(super) fn new(snapshot: &Snapshot) -> Self {
        let began = Reading {
            at: Instant::now(),
            cpu: Some(Duration::ZERO),
            written: 0,
            runs: runs(snapshot),
        };
        Self { began, last: began }
    }

    /// What it takes now; `None` so soon after the last one that it would say nothing.
    pub(super) fn read(
        &mut self,
        usage: Option<Usage>,
        written: u64,
        snapshot: &Snapshot,
    ) -> Option<Cost> {
        let at = Instant::now();
        if at - self.last.at < SOONEST && self.last.at != self.began.at {
            return None;
        }
        let cpu = usage.map(|usage| usage.cpu);
        let now = Reading { at, cpu, written, runs: runs(snapshot) };
        let last = std::mem::replace(&mut self.last, now);
        let seconds = (at - last.at).as_secs_f64().max(0.001);
        let share = |(now, last): (Duration, Duration)| {
            now.saturating_sub(last).as_secs_f64() / seconds * 100.0
        };
        Some(Cost {
            cpu: cpu.zip(last.cpu).map(share),
            memory: usage.map(|usage| usage.memory),
            sockets: usage.map(|usage| usage.sockets),
            runs: per_second(now.runs, last.runs, seconds) * 60.0,
            written: per_second(now.written, last.written, seconds),
            up: at - self.began.at,
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "for people to read")]
fn per_second(now: u64, last: u64, seconds: f64) -> f64 {
    now.saturating_sub(last) as f64 / seconds
}

fn runs(snapshot: &Snapshot) -> u64 {
    let checks = snapshot.integrations.iter().flat_map(|view| &view.checks);
    checks.map(|check| check.runs).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::sample;
    use std::sync::Arc;

    #[tokio::test(start_paused = true)]
    async fn rates_are_those_since_the_last_reading() {
        let mut snapshot = sample::snapshot();
        let mut meter = Meter::new(&snapshot);
        let usage = |cpu| Usage { cpu: Duration::from_millis(cpu), memory: 11 << 20, sockets: 2 };
        tokio::time::advance(Duration::from_secs(10)).await;
        let first = meter.read(Some(usage(50)), 1000, &snapshot).unwrap();
        assert_eq!((first.cpu, first.written, first.runs), (Some(0.5), 100.0, 0.0));
        assert!(meter.read(Some(usage(50)), 1000, &snapshot).is_none(), "too soon");
        tokio::time::advance(Duration::from_secs(2)).await;
        Arc::make_mut(&mut snapshot.integrations[0]).checks[0].runs += 4;
        let second = meter.read(Some(usage(70)), 1300, &snapshot).unwrap();
        assert_eq!((second.cpu, second.written, second.runs), (Some(1.0), 150.0, 120.0));
        assert_eq!((second.up, second.sockets), (Duration::from_secs(12), Some(2)));
        tokio::time::advance(Duration::from_secs(2)).await;
        let third = meter.read(None, 1300, &snapshot).unwrap();
        assert_eq!((third.cpu, third.memory, third.written), (None, None, 0.0));
    }
}
