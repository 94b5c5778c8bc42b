//! A console in the middle of a release, for tests.

use super::{Look, model::Model};
use crate::domain::{
    CheckId, CheckView, Class, Event, Evidence, Finding, IntegrationView, Ledger, Mark, Outcome,
    Policy, Provenance, Quantity, Receipt, Shifts, Snapshot, Target, Timestamp, Trigger, Verdict,
    perf::{Bar, Board, Brief, Entry, Offer, Phase, Progress, Refusal, Running, Second},
    sample,
};
use jiff::tz::TimeZone;
use std::{sync::Arc, time::Duration};

/// 14:07:32 UTC.
const WALL: Timestamp = Timestamp(1_795_442_852_000);
/// The engine is up for ten minutes and two seconds.
const AT: Duration = Duration::from_secs(602);

/// The look of the tests: Unicode, colours, and UTC wherever they run.
pub(crate) fn look() -> Look {
    Look { clock: utc, ..Look::default() }
}

fn utc(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_millisecond(at.0).unwrap();
    at.to_zoned(TimeZone::UTC).strftime("%H:%M:%S").to_string()
}

/// The home screen of the six integrations of the seed.
pub(crate) fn model() -> Model {
    Model::new(Arc::new(snapshot()))
}

/// The six integrations of the seed, ten minutes in.
pub(crate) fn snapshot() -> Snapshot {
    let mut views = sample::seed();
    for (number, view) in (0_u32..).zip(&mut views) {
        live(view, number);
    }
    detail(&mut views);
    let views = views.map(Arc::new);
    snapshot_of(views.to_vec())
}

/// A snapshot of these, judged, with a few events.
pub(crate) fn snapshot_of(integrations: Vec<Arc<IntegrationView>>) -> Snapshot {
    let policy = Policy::default();
    let mut ledger = Ledger::default();
    let early: Vec<_> = integrations.iter().map(|view| Arc::new(cleared_later(view))).collect();
    ledger.fold(&early, &policy, Duration::from_secs(5), WALL);
    ledger.fold(&integrations, &policy, Duration::from_secs(237), WALL);
    let blockers = ledger.list();
    let mut snapshot = Snapshot {
        seq: 1200,
        at: AT,
        began: Duration::ZERO,
        wall: WALL,
        host: "web-3".into(),
        app: None,
        deploy: None,
        settled: None,
        baseline: None,
        shifts: Shifts::default(),
        answered: Vec::new(),
        paused: false,
        score: crate::domain::HealthScore::overall(integrations.iter().map(AsRef::as_ref)),
        verdict: Verdict::of(&integrations, &blockers, &policy, AT),
        integrations,
        blockers,
        journal: crate::domain::Journal::default(),
        notices: Vec::new(),
    };
    happened(&mut snapshot);
    snapshot
}

/// As the integration was before its memory check passed.
fn cleared_later(view: &IntegrationView) -> IntegrationView {
    let mut view = view.clone();
    for check in view.checks.iter_mut().filter(|check| check.spec.name == "memory") {
        check.finding = Arc::new(Finding::fail("growth 5.6 MiB per minute, limit 5"));
    }
    view
}

fn happened(snapshot: &mut Snapshot) {
    let events = [
        (5, "performance.memory", Mark::Fail, "growth 5.6 MiB per minute, limit 5"),
        (9, "database.connect", Mark::Fail, "refused by 127.0.0.1:5432"),
        (12, "apis.google", Mark::Fail, "Google AI key missing"),
        (237, "performance.memory", Mark::Pass, "rss 90 MiB, +0.4 MiB a minute"),
        (340, "database.slow", Mark::Warn, "3 statements over 100 ms (1 of 2)"),
        (560, "apis.google", Mark::Fail, "re-check: fail: Google AI key missing"),
        (592, "database.connect", Mark::Fail, "re-check: fail: refused by 127.0.0.1:5432"),
    ];
    let said = |at: u64, check: Option<&str>, mark, text: &str| Event {
        at: Duration::from_secs(at),
        wall: Timestamp(WALL.0 - i64::try_from((AT.as_secs() - at) * 1000).unwrap()),
        check: check.map(|check| CheckId::try_from(check.to_owned()).unwrap()),
        mark,
        text: text.into(),
    };
    snapshot.journal.push(said(1, None, None, "NO-GO: 4 blockers"));
    for (at, check, mark, text) in events {
        snapshot.journal.push(said(at, Some(check), Some(mark), text));
    }
}

/// Ten minutes of polling: a latency every ten seconds, sixty runs.
fn live(view: &mut IntegrationView, number: u32) {
    let typical = [0.0004, 0.088, 0.018, 0.102, 0.038, 0.002][number as usize % 6];
    let noise_of = [0.3, 0.5, 0.3, 0.9, 0.4, 0.2][number as usize % 6];
    for n in 0..60_u32 {
        let noise = f64::from((n * 7 + number * 13) % 11) / 11.0;
        let slower = if number == 1 && n > 45 { 2.4 } else { 1.0 };
        let at = Duration::from_secs(u64::from(n * 10 + number));
        view.latency.push(at, typical * slower * (0.8 + noise_of * noise));
    }
    for (n, check) in (0_u64..).zip(&mut view.checks) {
        ran(check, n);
    }
}

fn ran(check: &mut CheckView, n: u64) {
    check.runs = 60;
    check.ended = Some(AT.saturating_sub(Duration::from_secs(n % 5 + 1)));
    check.ended_wall = Some(Timestamp(WALL.0 - i64::try_from((n % 5 + 1) * 1000).unwrap()));
    check.took = Duration::from_micros(400 + n * 300);
    check.attempts = 1;
    check.streak = 60;
    for run in 0..60 {
        let early = run < 20 && check.spec.name == "connect";
        check.note(if early { Mark::Pass } else { check.finding.outcome.mark() });
    }
}

fn detail(views: &mut [IntegrationView; 6]) {
    let target = |name: &str, provenance| Target { name: name.into(), provenance };
    views[0].target = target("in-process stand-in", Provenance::Embedded);
    views[1].target = target("postgres://app@127.0.0.1:5432/app", Provenance::Configured);
    refused(&mut views[1].checks[0]);
    for check in &mut views[1].checks[1..] {
        if check.finding.outcome == Outcome::Blocked("connect".into()) {
            let waits = Finding::new(Outcome::Blocked("connect".into()), "waits for connect");
            check.finding = Arc::new(waits);
        }
    }
    let rules = &mut views[2].checks[4];
    rules.spec.class = Class::Major;
    rules.finding = Arc::new(Finding::warn("7 of 8 rules can fire"));
    let advice: [(usize, usize, &str); 4] = [
        (0, 0, "set REDIS_URL"),
        (2, 4, "give rule 8 a metric that exists"),
        (2, 6, "set PROMETHEUS_URL"),
        (3, 1, "set GOOGLE_AI_API_KEY"),
    ];
    for (view, check, hint) in advice {
        views[view].checks[check].spec.hint = hint.into();
    }
    memory(&mut views[4].checks[0]);
    views[5].checks[0].finding = Arc::new(Finding::pass("a crash stays with its check"));
    for view in views {
        view.weigh();
    }
}

/// A server that does not listen, asked again by hand.
fn refused(connect: &mut CheckView) {
    let evidence = Evidence::default()
        .asked("connect to 127.0.0.1:5432, TLS preferred, user app")
        .wanted("a session within 2 s")
        .reply("Connection refused (os error 111)")
        .phase("resolve", Duration::from_micros(120))
        .phase("connect", Duration::from_micros(340))
        .fact("addresses", Quantity::Count(1))
        .fact("server", "none reached");
    let finding = Finding::fail("refused by 127.0.0.1:5432")
        .remedy("start PostgreSQL on 127.0.0.1:5432, or set DATABASE_URL; then press r")
        .evidence(evidence)
        .receipt(Receipt { sent: 1, ..Receipt::default() });
    connect.finding = Arc::new(finding);
    connect.spec.title = "a session can be opened".into();
    (connect.since, connect.streak, connect.attempts) = (Duration::from_secs(200), 40, 2);
    (connect.trigger, connect.took) = (Trigger::Asked, Duration::from_micros(460));
}

/// A process that grows slowly, over ten minutes.
fn memory(check: &mut CheckView) {
    check.spec.graph = true;
    let finding = Finding::pass("rss 92 MiB, +0.3 MiB a minute, limit 5");
    check.finding = Arc::new(finding.measure(Quantity::Bytes(92 << 20)));
    for n in 0..120_u32 {
        let mib = 89.0 + 3.0 * (f64::from(n) / 120.0).sqrt() + 0.1 * f64::from(n % 7) / 7.0;
        check.measures.push(Duration::from_secs(u64::from(n * 5)), mib * 1_048_576.0);
    }
}

/// The home screen, with two tests: one that ran twice, and one that is refused.
pub(crate) fn model_with_tests() -> Model {
    let mut model = model();
    model.board = Arc::new(board());
    model
}

fn board() -> Board {
    let record = crate::perf::render::sample::record;
    let mut before = record();
    (before.began, before.total.per_second) = (Timestamp(WALL.0 - 600_000), 998.0);
    let mut last = record();
    last.began = Timestamp(WALL.0 - 60_000);
    let offer = |test: &str, target: &str| Offer {
        test: test.into(),
        title: "Redis commands".into(),
        target: target.into(),
        load: "GET, one SET in ten, with 50 clients, pipeline 1, closed loop".into(),
        does: vec![
            "opens 50 connections".into(),
            "writes 10000 keys of 3 B that begin with tminus:".into(),
            "removes them at the end; they expire after 1m12s anyway".into(),
            "stops at 5 % errors and at 80 % of the memory limit".into(),
        ],
        writes: true,
        takes: Duration::from_secs(12),
        refused: None,
    };
    let refused = Refusal {
        why: "db.example:6379/0 is not on this machine and no load is allowed there".into(),
        hint: "set `load = true` in [redis] or give --allow-load, if its owner agrees".into(),
    };
    let remote = Offer { refused: Some(refused), ..offer("redis/remote", "db.example:6379/0") };
    let (last, before) = (Some(Arc::new(last)), Some(Arc::new(before)));
    let ran = Entry { offer: offer("redis", "127.0.0.1:6379/0"), last, before, failed: None };
    let never = Entry { offer: remote, last: None, before: None, failed: None };
    Board { tests: vec![ran, never], running: None }
}

/// The same while the first one runs, six seconds in, after a freeze.
pub(crate) fn running(board: &Board) -> Board {
    let micros = Duration::from_micros;
    let bar = |(under, count): (u64, u64)| Bar { under: micros(under), count };
    let second = |at: u32| Second {
        at,
        succeeded: if at == 4 { 12 } else { 1000 + u64::from(at) * 7 % 5 },
        failed: 0,
        p50: micros(290),
        p95: micros(410),
        p99: if at == 5 { micros(988_000) } else { micros(1_070) },
        max: if at == 5 { micros(1_001_000) } else { micros(3_300) },
    };
    let brief = |p99| Brief { p50: micros(291), p95: micros(498_000), p99, max: micros(1_001_000) };
    let progress = Progress {
        phase: Phase::Measuring,
        elapsed: Duration::from_millis(6_250),
        of: Some(Duration::from_secs(10)),
        succeeded: 6_240,
        failed: 3,
        requests: None,
        rate: 1003.0,
        clients: 50,
        in_flight: 2,
        recent: brief(micros(1_100)),
        whole: brief(micros(899_000)),
        bars: [(256, 800), (362, 4_400), (512, 340), (724, 100), (1_024, 0), (1_001_001, 600)]
            .map(bar)
            .into(),
        errors: [("LOADING".into(), 3)].into(),
        seconds: (0..6).map(second).collect(),
        steps: Vec::new(),
        memory: Vec::new(),
    };
    let running = Running { test: "redis".into(), progress, aborting: false };
    Board { running: Some(running), ..board.clone() }
}
