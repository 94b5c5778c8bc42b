//! Snapshots for tests.

use crate::domain::{
    Acceptance, Baseline, Evidence, Finding, Gauge, HealthScore, IntegrationView, Ledger, Policy,
    Quantity, Receipt, Shift, Shifts, Snapshot, Timestamp, Verdict, sample,
};
use std::{sync::Arc, time::Duration};

/// When every snapshot of the tests was taken.
pub(super) const WALL: Timestamp = Timestamp(1_795_400_000_000);

/// A snapshot of `views`, judged by `policy`.
pub(super) fn of(views: impl IntoIterator<Item = IntegrationView>, policy: &Policy) -> Snapshot {
    let integrations: Vec<Arc<IntegrationView>> = views.into_iter().map(Arc::new).collect();
    let now = Duration::from_secs(12);
    let mut ledger = Ledger::default();
    ledger.fold(&integrations, policy, now, WALL);
    let blockers = ledger.list();
    let notices = policy.idle(&integrations, &blockers, WALL);
    Snapshot {
        seq: 7,
        at: now,
        wall: WALL,
        host: "web-3".into(),
        score: HealthScore::overall(integrations.iter().map(AsRef::as_ref)),
        verdict: Verdict::of(&integrations, &blockers, policy, now),
        integrations,
        blockers,
        notices,
        ..Snapshot::default()
    }
}

/// The report that this product grew from.
pub(super) fn seed() -> Snapshot {
    of(sample::seed(), &Policy::default())
}

/// The same, a while after a baseline: one thing is larger, one slower and one quicker.
pub(super) fn compared() -> Snapshot {
    let mut snapshot = seed();
    let mut baseline = Baseline::of("before 4f2c1d9", &snapshot);
    baseline.at = Timestamp(WALL.0 - 600_000);
    snapshot.baseline = Some(Arc::new(baseline));
    let mib = |count: f64| count * 1024.0 * 1024.0;
    let shift = |at: [usize; 2], gauge, [before, after]: [f64; 2]| Shift {
        check: snapshot.integrations[at[0]].checks[at[1]].id.clone(),
        gauge,
        worse: after > before,
        before,
        after,
        by: after - before,
        bounds: [0.04, 0.06],
        p: 0.001,
        floor: 0.03,
    };
    let told = vec![
        shift([4, 0], Gauge::Memory, [mib(12.0), mib(84.0)]),
        shift([4, 1], Gauge::Latency, [0.012, 0.061]),
        shift([5, 0], Gauge::Latency, [0.01, 0.006]),
    ];
    snapshot.shifts = Shifts { told, steady: 14, few: 3, elsewhere: None };
    snapshot
}

/// The same, with somebody answering for the missing key, and a database with evidence.
pub(super) fn accepted() -> Snapshot {
    let mut views = sample::seed();
    let evidence = Evidence::default()
        .asked("CONNECT 127.0.0.1:5432")
        .wanted("a connection within 2 s")
        .reply("connection refused <&> \u{1b}[31m")
        .phase("resolve", Duration::from_micros(400))
        .fact("attempts", Quantity::Count(3))
        .fact("server", "PostgreSQL 15");
    let finding = Finding::fail("connection refused by 127.0.0.1:5432")
        .remedy("start the server, or correct host and port")
        .evidence(evidence)
        .latency(Duration::from_millis(18))
        .receipt(Receipt { sent: 1, written: 2, removed: 2, left: 0 });
    let connect = &mut views[1].checks[0];
    connect.finding = Arc::new(finding);
    connect.took = Duration::from_millis(18);
    connect.ended_wall = Some(WALL);
    views[4].checks[1].flags.flaky = true;
    let google = views[3].checks[1].id.clone();
    let acceptance = Acceptance {
        check: google,
        pattern: None,
        reason: "contract starts in December".into(),
        owner: Some("ops".into()),
        until: WALL.after(Duration::from_hours(24)),
    };
    of(views, &Policy { accepted: vec![acceptance], ..Policy::default() })
}
