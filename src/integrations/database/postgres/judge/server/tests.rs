use super::*;
use crate::{
    domain::Mark,
    integrations::database::postgres::{
        activity::Room,
        vitals::{Blocker, Horizon, Replica, Sequences, Slot, Standby, State, Timeout, Wait},
    },
};

/// A server with nothing wrong.
fn healthy() -> Vitals {
    Vitals {
        role: "tminus".into(),
        reads_all: true,
        rooms: vec![room(5, 97)],
        deadlocks: Some((0, Duration::from_mins(1))),
        state: State {
            counting: true,
            up: Duration::from_hours(30),
            archive: "off".into(),
            ..State::default()
        },
        horizon: horizon(700),
        ..Vitals::default()
    }
}

fn room(used: u64, most: u64) -> Room {
    Room { what: "server".into(), used, most, ours: true }
}

fn horizon(age: u64) -> Horizon {
    Horizon { database: "shop".into(), age }
}

fn wait(kind: &str, seconds: u64, xmin: u64) -> Vec<Wait> {
    let (kind, who, age) = (kind.into(), "app, worker".into(), Duration::from_secs(seconds));
    vec![Wait { kind, pid: 42, who, age, xmin }]
}

fn blocker(millis: u64) -> Blocker {
    let waited = Duration::from_millis(millis);
    Blocker { pid: 42, who: "app, worker".into(), victims: 2, waited }
}

fn slot(kept: u64, inactive: u64, status: &str) -> Slot {
    Slot { name: "reader".into(), status: status.into(), kept, inactive }
}

fn replica(seconds: u64, state: &str) -> Replica {
    let lag = Duration::from_secs(seconds);
    Replica { name: "second".into(), state: state.into(), lag, bytes: 0 }
}

fn standby(receiving: bool, seconds: u64) -> Standby {
    Standby { receiving, behind: Duration::from_secs(seconds) }
}

fn state(change: impl FnOnce(&mut State)) -> State {
    let mut state = healthy().state;
    change(&mut state);
    state
}

/// How one aspect of a server is judged, and that only this one is judged so.
fn marked(vitals: &Vitals, what: &str) -> &'static str {
    let all = aspects(vitals);
    let aspect = all.iter().find(|aspect| aspect.what == what).unwrap();
    let others = all.iter().filter(|other| other.mark != Mark::Pass && other.what != what);
    assert_eq!(others.count(), 0, "only {what} is looked at");
    let finding = server(vitals);
    assert!(finding.summary.chars().count() <= 45, "{}", finding.summary);
    let explained = finding.remedy.is_some() && !finding.evidence.reply.is_empty();
    assert!(aspect.mark == Mark::Pass || explained, "{finding:?}");
    aspect.mark.word()
}

#[test]
fn every_aspect_has_its_subject_and_a_healthy_server_passes() {
    let judged: Vec<&str> = aspects(&healthy()).iter().map(|aspect| aspect.what).collect();
    let subjects: Vec<&str> = SUBJECTS.iter().map(|subject| subject.what).collect();
    assert_eq!(judged, subjects);
    let finding = server(&healthy());
    assert_eq!(
        (finding.outcome.word(), finding.summary.as_str()),
        ("pass", "18 aspects, all within their limits")
    );
}

#[test]
fn sessions_are_judged_at_both_sides_of_each_limit() {
    let rooms = |used| Vitals { rooms: vec![room(used, 100)], ..healthy() };
    let marks = [79, 80, 94, 95].map(|used| marked(&rooms(used), "connections"));
    assert_eq!(marks, ["pass", "warn", "warn", "fail"]);
    let locks = |millis| Vitals { blocker: Some(blocker(millis)), ..healthy() };
    let marks = [1000, 1001, 60_000, 60_001].map(|ms| marked(&locks(ms), "lock waits"));
    assert_eq!(marks, ["pass", "warn", "warn", "fail"]);
    let waits =
        |kind: &str, seconds, xmin| Vitals { waits: wait(kind, seconds, xmin), ..healthy() };
    let idle = [30, 31, 300, 301].map(|s| marked(&waits("idle", s, 0), "idle in transaction"));
    assert_eq!(idle, ["pass", "warn", "warn", "fail"]);
    let open = [300, 301, 1800, 1801].map(|s| marked(&waits("open", s, 0), "open transaction"));
    assert_eq!(open, ["pass", "warn", "warn", "fail"]);
    let held = [1, 2, 300, 301].map(|s| marked(&waits("prepared", s, 0), "prepared transaction"));
    assert_eq!(held, ["pass", "warn", "warn", "fail"]);
    let xmin = [1_000_000, 1_000_001, 50_000_001];
    let xmin = xmin.map(|xmin| marked(&waits("open", 1, xmin), "open transaction"));
    assert_eq!(xmin, ["pass", "warn", "fail"]);
    let dead = |n, seconds| {
        let deadlocks = Some((n, Duration::from_secs(seconds)));
        marked(&Vitals { deadlocks, ..healthy() }, "deadlocks")
    };
    assert_eq!(
        [dead(0, 60), dead(1, 60), dead(5, 60), dead(6, 60)],
        ["pass", "warn", "warn", "fail"]
    );
    assert_eq!(dead(6, 120), "warn", "three a minute");
}

#[test]
fn the_root_blocker_is_named_and_not_its_victims() {
    let vitals = Vitals { blocker: Some(blocker(3100)), ..healthy() };
    let finding = server(&vitals);
    assert_eq!(finding.summary, "pid 42 blocks 2 for 3.1s");
    let remedy = finding.remedy.unwrap();
    assert!(remedy.contains("pg_terminate_backend(42): app, worker"), "{remedy}");
}

#[test]
fn storage_is_judged_at_both_sides_of_each_limit() {
    let disk = |free| {
        let disk = crate::integrations::database::postgres::vitals::Disk {
            room: Some((free, 100)),
            log: Some(1),
        };
        marked(&Vitals { disk, ..healthy() }, "disk")
    };
    assert_eq!([disk(20), disk(19), disk(10), disk(9)], ["pass", "warn", "warn", "fail"]);
    let age = |age| marked(&Vitals { horizon: horizon(age), ..healthy() }, "wraparound");
    assert_eq!([age(1_073_741_800), age(1_073_741_801)], ["pass", "warn"]);
    assert_eq!([age(1_717_986_880), age(1_717_986_960)], ["warn", "fail"]);
    let sequence = |used| {
        let sequences = Sequences { name: "public.s".into(), used, hidden: 0 };
        marked(&Vitals { sequences, ..healthy() }, "sequences")
    };
    assert_eq!(
        [sequence(84), sequence(85), sequence(94), sequence(95)],
        ["pass", "warn", "warn", "fail"]
    );
    let slots = |kept, inactive, status| {
        marked(
            &Vitals { slot: Some(slot(kept, inactive, status)), ..healthy() },
            "replication slots",
        )
    };
    assert_eq!(
        [slots(1 << 30, 0, "reserved"), slots((1 << 30) + 1, 0, "reserved")],
        ["pass", "warn"]
    );
    assert_eq!(
        [slots(10 << 30, 0, "extended"), slots((10 << 30) + 1, 0, "extended")],
        ["warn", "fail"]
    );
    assert_eq!([slots(0, 1, "reserved"), slots(0, 1, "lost")], ["warn", "fail"]);
    let replica =
        |s, state| marked(&Vitals { replica: Some(replica(s, state)), ..healthy() }, "replication");
    assert_eq!([replica(10, "streaming"), replica(11, "streaming")], ["pass", "warn"]);
    assert_eq!([replica(60, "streaming"), replica(61, "streaming")], ["warn", "fail"]);
    assert_eq!(replica(0, "catchup"), "warn");
}

#[test]
fn what_is_switched_off_or_failing_is_told() {
    let with = |state| Vitals { state, ..healthy() };
    let off = with(state(|state| state.counting = false));
    assert_eq!(marked(&off, "vacuum"), "fail");
    let failing = state(|state| (state.archive, state.archive_fails) = ("on".into(), Some(3)));
    assert_eq!(marked(&with(failing), "archiver"), "fail");
    let once = state(|state| (state.archive, state.archive_fails) = ("off".into(), Some(3)));
    assert_eq!(marked(&with(once), "archiver"), "pass", "it is not archived any more");
    let alone = state(|state| state.standby = Some(standby(false, 0)));
    assert_eq!(marked(&with(alone), "replication"), "warn");
    let follows = |seconds| {
        let state = state(|state| {
            state.standby = Some(standby(true, seconds));
        });
        marked(&with(state), "replication")
    };
    assert_eq!([follows(10), follows(11), follows(61)], ["pass", "warn", "fail"]);
    assert_eq!(marked(&with(state(|state| state.read_only = true)), "writable"), "warn");
    assert_eq!(marked(&with(state(|state| state.plain = 1)), "encryption"), "warn");
    let skew =
        |ms| marked(&with(state(|state| state.skew = Duration::from_millis(ms))), "clock, uptime");
    assert_eq!([skew(2000), skew(2001), skew(5000), skew(5001)], ["pass", "warn", "warn", "fail"]);
    let up = |s| marked(&with(state(|state| state.up = Duration::from_secs(s))), "clock, uptime");
    assert_eq!([up(599), up(600)], ["warn", "pass"]);
    assert_eq!(
        marked(&Vitals { invalid: (1, "i".into()), ..healthy() }, "invalid indexes"),
        "warn"
    );
}

#[test]
fn a_missing_timeout_names_the_role_and_the_statement() {
    let timeout =
        |name: &str, without| Timeout { name: name.into(), roles: 3, without, one: "app".into() };
    let timeouts = vec![timeout("statement_timeout", 2), timeout("lock_timeout", 0)];
    let vitals = Vitals { timeouts, ..healthy() };
    assert_eq!(marked(&vitals, "timeouts"), "warn");
    let finding = server(&vitals);
    assert_eq!(finding.summary, "statement_timeout=0 for 2 of 3 roles");
    assert_eq!(finding.remedy.as_deref(), Some("ALTER ROLE app SET statement_timeout = '30s'"));
}

#[test]
fn what_may_not_be_seen_is_unknown_and_never_none() {
    let blind = Vitals { reads_all: false, ..healthy() };
    let finding = server(&blind);
    assert_eq!(finding.outcome.word(), "unknown");
    assert_eq!(finding.remedy.as_deref(), Some("GRANT pg_monitor TO tminus"));
}
