//! A record for tests: an open plan with a freeze in it.

use crate::{
    domain::{
        Evidence, Quantity, Receipt, Timestamp,
        perf::{
            Arrivals, Curve, Decline, Drift, Ended, Estimate, Fit, Floor, Generator, Goal, Judged,
            Kept, Latency, Leak, Load, Memory, Operation, PATIENCE, Record, Room, Scale, Second,
            Slo, Step, Trend, VERSION,
        },
    },
    perf::{quantile::latency, times::Times},
};
use std::{collections::BTreeMap, time::Duration};

/// Times of which one in ten waited for up to a second.
fn frozen(count: u64) -> Latency {
    let waited = |n: u64| (n * 1_000_000 / count).max(1);
    spread((0..count).map(|n| if n % 10 == 0 { waited(n) } else { 250 + n % 97 }))
}

fn spread(micros: impl Iterator<Item = u64>) -> Latency {
    let mut times = Times::default();
    micros.for_each(|micros| times.record(micros));
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
        profile: String::new(),
        target: "127.0.0.1:6379/0".into(),
        host: String::new(),
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
        blocks: Vec::new(),
        goals: Vec::new(),
        notes: Vec::new(),
        facts: Evidence::default()
            .fact("commands sent", Quantity::Count(22_000))
            .fact("counts agree", "yes")
            .facts,
        receipt: Some(Receipt { sent: 22_040, written: 10_000, removed: 10_000, left: 0 }),
        scale: None,
        memory: None,
        drift: None,
        against: None,
    }
}

/// A record of steps up to a pool of fifty.
pub(crate) fn scaled() -> Record {
    let step = |(clients, rate): (u32, f64)| Step {
        clients,
        per_second: rate,
        low: Some(rate * 0.99),
        high: Some(rate * 1.01),
        mean: Duration::from_secs_f64(f64::from(clients) / rate),
        p95: Some(Duration::from_secs_f64(f64::from(clients) / rate * 1.2)),
        p95_high: Some(Duration::from_secs_f64(f64::from(clients) / rate * 1.25)),
        failed: 0,
        blocks: vec![rate; 10],
    };
    let rates = [40.1, 79.6, 160.3, 319.0, 641.0, 1275.0, 1998.0, 2003.0, 1995.0, 2001.0];
    let clients = [1, 2, 4, 8, 16, 32, 64, 100, 200, 400];
    let estimate = |at: f64| Estimate { at, low: Some(at * 0.98), high: Some(at * 1.02) };
    let scale = Scale {
        steps: clients.into_iter().zip(rates).map(step).collect(),
        planned: 10,
        drift: vec![Drift { clients: 1, first: 40.1, again: 40.3 }],
        fit: Some(Fit {
            curve: Curve::Plateau { gamma: 39.9, ceiling: 1999.3 },
            optimum: Some(estimate(50.1)),
            efficiency: Some(1.0),
            efficiency_at_most: 0.125,
            nearly: 48.0,
            miss: 0.004,
            parameters: vec![estimate(39.9), estimate(1999.3)],
            standard_errors: None,
        }),
        decline: Decline::NotSeen { up_to: 400, peak: None },
        slo: Some(Slo { limit: Duration::from_millis(50), clients: 103.7, at_least: false }),
        doubts: Vec::new(),
    };
    let load = Load { arrivals: Arrivals::Closed, clients: 400, ..record().load };
    let total = Operation { name: "GET".into(), ..record().operations[0].clone() };
    Record {
        test: "scale".into(),
        target: "http://127.0.0.1:8080/".into(),
        load,
        total,
        operations: Vec::new(),
        errors: BTreeMap::new(),
        kept: None,
        generator: Generator { limits: Vec::new(), ..record().generator },
        receipt: None,
        facts: Vec::new(),
        notes: vec!["a closed loop: the times are those of so many patient clients".into()],
        scale: Some(Box::new(scale)),
        ..record()
    }
}

/// A record of twelve KiB an operation, after a warm-up.
pub(crate) fn leaking() -> Record {
    let kib = |at: u64| 94_208 + 12 * at + 9_000 * at.min(100) / 100 + at * 7_919 % 300;
    let readings: Vec<u64> = (1..=1000).map(|at| kib(at) * 1024).collect();
    let floor = |after: u32| Floor { after, bytes: readings[after as usize - 50] };
    let trend = Trend {
        per_operation: 12_295.0,
        low: 12_050.0,
        high: 12_540.0,
        start: 105_300_000.0,
        chance: 0.000_04,
        inflation: 1.0,
        r_squared: 0.997,
    };
    let growth =
        |bytes: f64| Some(Quantity::Bytes(Duration::from_secs_f64(bytes * 500.0).as_secs()));
    let goal = Goal {
        name: "growth".into(),
        limit: Quantity::Bytes(5 << 20),
        found: growth(trend.per_operation),
        low: growth(trend.low),
        high: growth(trend.high),
        judged: Judged::Fail,
        why: "without end".into(),
    };
    let memory = Memory {
        measure: "private memory of pid 4711, api".into(),
        floors: (1..=20).map(|block| floor(block * 50)).collect(),
        readings,
        warm_up: 10,
        trend: Some(trend),
        jump: None,
        found: Leak::Leaks,
        limit: 5 << 20,
        process: None,
        collections: None,
        room: Some(Room {
            limit: 512 << 20,
            of: "memory.max of its cgroup".into(),
            used: 118 << 20,
            operations: Some(33_600),
            left: Some(Duration::from_secs(137)),
        }),
        per_second: 245.3,
        doubts: Vec::new(),
    };
    Record {
        test: "memory".into(),
        load: Load { clients: 1, requests: Some(1000), duration: None, ..scaled().load },
        measured: Duration::from_millis(4_077),
        total: Operation { name: "GET".into(), per_second: 245.3, ..operation_of(1000) },
        goals: vec![goal],
        notes: Vec::new(),
        seconds: Vec::new(),
        scale: None,
        memory: Some(Box::new(memory)),
        ..scaled()
    }
}

fn operation_of(count: u64) -> Operation {
    let latency = spread((0..count).map(|n| 250 + n % 97));
    Operation { succeeded: count, failed: 0, latency, ..record().operations[0].clone() }
}
