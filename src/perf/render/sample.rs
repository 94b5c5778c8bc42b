//! A record for tests: an open plan with a freeze in it.

use crate::{
    domain::{
        Evidence, Quantity, Receipt, Timestamp,
        perf::{
            Arrivals, Ended, Generator, Kept, Latency, Load, Operation, PATIENCE, Record, Second,
            VERSION,
        },
    },
    perf::quantile::{histogram, latency},
};
use std::{collections::BTreeMap, time::Duration};

/// Times of which one in ten waited for up to a second.
fn frozen(count: u64) -> Latency {
    let waited = |n: u64| (n * 1_000_000 / count).max(1);
    spread((0..count).map(|n| if n % 10 == 0 { waited(n) } else { 250 + n % 97 }))
}

fn spread(micros: impl Iterator<Item = u64>) -> Latency {
    let mut times = histogram();
    micros.for_each(|micros| times.saturating_record(micros));
    latency(&times)
}

/// One second of it, the fifth of which stood still.
fn second(at: u32) -> Second {
    let late = if at == 4 { 400 } else { 1 };
    let [p50, p95, p99, max] = [303, 346, 1_900, 2_490].map(|n| Duration::from_micros(n * late));
    Second { at, succeeded: 1000, failed: 0, p50, p95, p99, max }
}

/// A record.
pub(crate) fn record() -> Record {
    let operation = |name: &str, count: u64| Operation {
        name: name.into(),
        succeeded: count,
        failed: 0,
        per_second: f64::from(u32::try_from(count).unwrap()) / 10.0,
        latency: frozen(count),
        service: None,
    };
    let quick = spread((0..10_000).map(|n| 250 + n % 97));
    Record {
        version: VERSION,
        test: "redis".into(),
        target: "127.0.0.1:6379/0".into(),
        began: Timestamp(1_795_400_000_123),
        load: Load {
            arrivals: Arrivals::Constant { rate: 1000.0 },
            clients: 50,
            depth: 1,
            threads: 1,
            warm_up: Duration::from_secs(2),
            duration: Some(Duration::from_secs(10)),
            requests: None,
            timeout: PATIENCE,
        },
        ended: Ended::Complete,
        measured: Duration::from_secs(10),
        total: Operation {
            failed: 3,
            service: Some(quick.clone()),
            ..operation("GET+SET", 10_000)
        },
        operations: vec![operation("GET", 9_000), operation("SET", 1_000)],
        errors: BTreeMap::from([("LOADING".into(), 3)]),
        kept: Some(Kept { planned: 10_003, late: 951, missed: 0, lag: quick.clone() }),
        generator: Generator {
            cpu: Duration::from_millis(412),
            busiest: 0.041,
            lag: Duration::from_micros(80),
            in_flight: 5.2,
            failed: 0,
            limits: vec!["the plan was kept with up to 2.0ms delay of ours, limit 1.0ms".into()],
        },
        seconds: (0..10).map(second).collect(),
        goals: Vec::new(),
        notes: Vec::new(),
        facts: Evidence::default()
            .fact("commands sent", Quantity::Count(22_000))
            .fact("counts agree", "yes")
            .facts,
        receipt: Some(Receipt { sent: 22_040, written: 10_000, removed: 10_000, left: 0 }),
    }
}
