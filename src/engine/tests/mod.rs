//! The engine's promises, under paused time and with an integration that does as told.

mod accepted;
mod cadence;
mod deployed;
mod recalled;

use super::*;
use crate::{
    domain::{
        Cadence, Cause, CheckSpec, CheckView, Finding, Freshness, IntegrationId, Outcome,
        Provenance, Status, Target, Word, sample, text,
    },
    probe::{Cx, Run},
    secret::Secret,
};
use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};
use tokio::time::sleep;

/// What a check of the fake does.
#[derive(Clone, Copy, Debug)]
enum Does {
    Pass,
    Fail,
    Panic,
    Hang,
    Take(Duration),
}

/// An integration `fake` whose checks do as told, and that counts.
struct Fake {
    id: IntegrationId,
    names: Vec<(&'static str, Option<&'static str>)>,
    does: Mutex<Vec<Does>>,
    runs: Vec<AtomicUsize>,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
    specs_asked: AtomicUsize,
    specs_panic_at: usize,
}

impl Fake {
    fn new(checks: &[(&'static str, Option<&'static str>, Does)]) -> Arc<Self> {
        Self::fragile(checks, usize::MAX)
    }

    /// One that panics when asked for its checks for the `n`th time.
    fn fragile(checks: &[(&'static str, Option<&'static str>, Does)], n: usize) -> Arc<Self> {
        Arc::new(Self {
            id: IntegrationId::new("fake").unwrap(),
            names: checks.iter().map(|(name, need, _)| (*name, *need)).collect(),
            does: Mutex::new(checks.iter().map(|(.., does)| *does).collect()),
            runs: checks.iter().map(|_| AtomicUsize::new(0)).collect(),
            at_once: AtomicUsize::new(0),
            most_at_once: AtomicUsize::new(0),
            specs_asked: AtomicUsize::new(0),
            specs_panic_at: n,
        })
    }

    fn tell(&self, check: usize, does: Does) {
        self.does.lock().unwrap()[check] = does;
    }

    fn runs(&self, check: usize) -> usize {
        self.runs[check].load(Ordering::SeqCst)
    }

    async fn act(&self, index: usize) -> Finding {
        self.runs[index].fetch_add(1, Ordering::SeqCst);
        let now = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_at_once.fetch_max(now, Ordering::SeqCst);
        let _guard = Leave(&self.at_once);
        let does = self.does.lock().unwrap()[index];
        match does {
            Does::Pass => Finding::pass("works"),
            Does::Fail => Finding::fail("broken: token hunter22"),
            Does::Panic => panic!("bug in a probe"),
            Does::Hang => pending().await,
            Does::Take(span) => {
                sleep(span).await;
                Finding::pass("took its time")
            }
        }
    }
}

struct Leave<'a>(&'a AtomicUsize);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Integration for Fake {
    fn id(&self) -> &IntegrationId {
        &self.id
    }

    fn title(&self) -> &'static str {
        "Fake"
    }

    fn target(&self) -> Target {
        Target { name: "nowhere".into(), provenance: Provenance::Embedded }
    }

    fn checks(&self) -> Vec<CheckSpec> {
        let asked = self.specs_asked.fetch_add(1, Ordering::SeqCst) + 1;
        assert!(asked != self.specs_panic_at, "bug in a supervisor");
        let spec = |(name, need): &(&'static str, Option<&'static str>)| {
            let spec = sample::check(name, 1, Finding::pass("")).spec; // every 10 s, 2 s allowed
            CheckSpec { needs: need.map(text), ..spec }
        };
        self.names.iter().map(spec).collect()
    }

    fn run<'a>(&'a self, index: usize, _: &'a Cx) -> Run<'a> {
        Box::pin(async move { Ok(self.act(index).await) })
    }
}

fn plan(fake: &Arc<Fake>) -> Plan {
    Plan {
        integrations: vec![Arc::<Fake>::clone(fake)],
        policy: Policy::default(),
        app: None,
        overrides: Vec::new(),
        redactor: Redactor::new([&Secret::new("hunter22")]),
        notices: Vec::new(),
        began: Duration::ZERO,
        host: "here".into(),
        now: || Timestamp(1_795_400_000_000),
        begin: Begin::Polling,
    }
}

fn start(fake: &Arc<Fake>) -> (Engine, Handle) {
    Engine::start(plan(fake))
}

fn check(handle: &Handle, name: &str) -> CheckView {
    let id = IntegrationId::new("fake").unwrap().check(name);
    handle.snapshots.borrow().check(&id).unwrap().clone()
}

fn only(name: &str) -> Selection {
    Selection::Check(IntegrationId::new("fake").unwrap().check(name))
}

async fn seconds(seconds: u64) {
    sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn a_panic_and_a_hang_stay_with_their_own_check() {
    let fake = Fake::new(&[
        ("healthy", None, Does::Pass),
        ("crashing", None, Does::Panic),
        ("hung", None, Does::Hang),
    ]);
    let (engine, handle) = start(&fake);
    seconds(62).await;
    assert_eq!(check(&handle, "healthy").finding.outcome, Outcome::Pass);
    assert!(check(&handle, "healthy").runs >= 6, "the healthy check kept its cadence");
    let crashing = check(&handle, "crashing");
    assert_eq!(crashing.finding.outcome, Outcome::Unknown(Cause::Panicked));
    assert!(crashing.finding.summary.contains("bug in a probe"), "{}", crashing.finding.summary);
    assert!(crashing.runs >= 6, "the crashing check is tried again");
    assert_eq!(check(&handle, "hung").finding.summary, "no answer within 2s");
    assert!(engine.stop(Duration::from_secs(1)).await, "a hung probe does not use up the grace");
}

#[tokio::test(start_paused = true)]
async fn polling_takes_two_results_and_a_re_check_confirms_at_once() {
    let fake = Fake::new(&[("a", None, Does::Pass)]);
    let (engine, handle) = start(&fake);
    seconds(3).await;
    fake.tell(0, Does::Fail);
    while check(&handle, "a").pending.is_none() {
        seconds(1).await;
    }
    assert_eq!(*check(&handle, "a").outcome(), Outcome::Pass, "one failure is not enough");
    fake.tell(0, Does::Pass);
    seconds(11).await;
    fake.tell(0, Does::Fail);
    let before = fake.runs(0);
    handle.send(Command::Recheck(only("a"))).unwrap();
    seconds(1).await;
    let failed = check(&handle, "a");
    assert_eq!((failed.outcome(), fake.runs(0) - before), (&Outcome::Fail, 2));
    assert_eq!((failed.trigger, failed.attempts), (Trigger::Asked, 2));
    handle.send(Command::Recheck(only("a"))).unwrap();
    seconds(1).await;
    assert_eq!(fake.runs(0) - before, 3, "the same answer needs no second attempt");
    assert!(engine.stop(Duration::from_secs(1)).await);
}

#[tokio::test(start_paused = true)]
async fn a_cancel_followed_at_once_by_a_re_check_runs_the_re_check() {
    let fake = Fake::new(&[("a", None, Does::Hang)]);
    let (engine, handle) = start(&fake);
    sleep(Duration::from_millis(500)).await;
    assert!(check(&handle, "a").running.is_some(), "the age of a stuck run is visible");
    fake.tell(0, Does::Pass);
    handle.send(Command::Pause).unwrap();
    handle.send(Command::Cancel(only("a"))).unwrap();
    handle.send(Command::Recheck(only("a"))).unwrap();
    sleep(Duration::from_millis(500)).await;
    assert_eq!(fake.runs(0), 2);
    assert_eq!(*check(&handle, "a").outcome(), Outcome::Pass);
    handle.send(Command::Recheck(only("a"))).unwrap();
    handle.send(Command::Cancel(only("a"))).unwrap();
    sleep(Duration::from_millis(500)).await;
    assert_eq!(fake.runs(0), 2, "and one asked for and then called off does not run");
    assert!(engine.stop(Duration::from_secs(1)).await);
}

#[tokio::test(start_paused = true)]
async fn asking_during_a_run_is_shown_as_queued_and_runs_once_more() {
    let fake = Fake::new(&[("a", None, Does::Take(Duration::from_secs(1)))]);
    let (engine, handle) = start(&fake);
    sleep(Duration::from_millis(500)).await;
    for _ in 0..10 {
        handle.send(Command::Recheck(only("a"))).unwrap();
    }
    sleep(Duration::from_millis(100)).await;
    assert!(check(&handle, "a").queued);
    seconds(4).await;
    assert_eq!(fake.runs(0), 2);
    assert!(!check(&handle, "a").queued);
    assert!(engine.stop(Duration::from_secs(1)).await);
}

#[tokio::test(start_paused = true)]
async fn what_needs_a_failed_check_is_blocked_and_comes_back_with_it() {
    let fake = Fake::new(&[("connect", None, Does::Pass), ("lock", Some("connect"), Does::Pass)]);
    let (engine, handle) = start(&fake);
    seconds(1).await;
    fake.tell(0, Does::Fail);
    handle.send(Command::Recheck(only("connect"))).unwrap();
    seconds(1).await;
    let lock = check(&handle, "lock");
    assert_eq!(*lock.outcome(), Outcome::Blocked("connect".into()));
    assert_eq!(lock.finding.summary, "waits for connect: broken: token [secret]");
    let blockers = handle.snapshots.borrow().blockers.clone();
    assert_eq!(blockers.len(), 1, "one root cause, one blocker");
    assert_eq!(blockers[0].also, std::slice::from_ref(&lock.id));
    assert_eq!(handle.snapshots.borrow().integrations[0].status, Status::Down);
    fake.tell(0, Does::Pass);
    handle.send(Command::Recheck(only("lock"))).unwrap();
    seconds(2).await;
    assert_eq!(*check(&handle, "connect").outcome(), Outcome::Pass, "its need was re-checked too");
    assert_eq!(*check(&handle, "lock").outcome(), Outcome::Pass);
    assert_eq!(handle.snapshots.borrow().verdict.word, Word::Go);
    assert!(engine.stop(Duration::from_secs(1)).await);
}

#[tokio::test(start_paused = true)]
async fn what_is_blocked_names_the_root_cause_and_not_the_link_before_it() {
    let checks = [
        ("key", None, Does::Fail),
        ("accepted", Some("key"), Does::Pass),
        ("quota", Some("accepted"), Does::Pass),
    ];
    let (engine, handle) = start(&Fake::new(&checks));
    seconds(1).await;
    let quota = check(&handle, "quota");
    assert_eq!(*quota.outcome(), Outcome::Blocked("key".into()));
    assert_eq!(quota.finding.summary, "waits for key: broken: token [secret]");
    assert_eq!(handle.snapshots.borrow().blockers.len(), 1);
    assert!(engine.stop(Duration::from_secs(1)).await);
}

#[tokio::test(start_paused = true)]
async fn while_paused_answers_grow_old_and_are_called_so() {
    let fake = Fake::new(&[("a", None, Does::Pass)]);
    let (engine, handle) = start(&fake);
    seconds(2).await;
    handle.send(Command::Pause).unwrap();
    let runs = fake.runs(0);
    seconds(30).await;
    assert_eq!(check(&handle, "a").freshness, Freshness::Stale);
    assert_eq!(handle.snapshots.borrow().verdict.word, Word::Hold);
    seconds(30).await;
    assert_eq!(*check(&handle, "a").outcome(), Outcome::Unknown(Cause::Expired));
    assert_eq!(handle.snapshots.borrow().integrations[0].status, Status::Unknown);
    assert_eq!(fake.runs(0), runs, "nothing ran by itself");
    handle.send(Command::Resume).unwrap();
    seconds(2).await;
    assert_eq!(check(&handle, "a").freshness, Freshness::Fresh);
    assert_eq!(handle.snapshots.borrow().verdict.word, Word::Go);
    assert!(engine.stop(Duration::from_secs(1)).await);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_commands_are_refused_or_obeyed_and_never_lost() {
    let fake = Fake::new(&[("a", None, Does::Pass)]);
    let (engine, handle) = start(&fake);
    seconds(2).await;
    let asked = (0..1000).map(|_| handle.send(Command::Recheck(only("a"))));
    let refused = asked.filter(Result::is_err).count();
    assert_eq!(refused, 1000 - COMMANDS);
    let before = fake.runs(0);
    seconds(2).await;
    assert!((1..=2).contains(&(fake.runs(0) - before)));
    assert!(engine.stop(Duration::from_secs(1)).await);
}

#[tokio::test(start_paused = true)]
async fn a_supervisor_that_dies_is_said_to_and_started_again() {
    // The state and the pool ask first and second, the supervisor third.
    let fake = Fake::fragile(&[("a", None, Does::Pass)], 3);
    let (engine, handle) = start(&fake);
    sleep(Duration::from_millis(100)).await;
    let lost = check(&handle, "a");
    assert_eq!(*lost.outcome(), Outcome::Unknown(Cause::Lost));
    assert!(lost.finding.summary.contains("bug in a supervisor"), "{}", lost.finding.summary);
    handle.send(Command::Pause).unwrap();
    handle.send(Command::Recheck(only("a"))).unwrap();
    seconds(1).await;
    assert_eq!(*check(&handle, "a").outcome(), Outcome::Pass);
    assert_eq!(check(&handle, "a").trigger, Trigger::Asked, "what was asked meanwhile was kept");
    assert!(engine.stop(Duration::from_secs(1)).await);
}

#[tokio::test(start_paused = true)]
async fn secrets_never_reach_a_snapshot() {
    let fake = Fake::new(&[("a", None, Does::Fail)]);
    let (engine, handle) = start(&fake);
    seconds(1).await;
    let snapshot = serde_json::to_string(&**handle.snapshots.borrow()).unwrap();
    assert!(snapshot.contains("broken: token [secret]"), "{snapshot}");
    assert!(!snapshot.contains("hunter22"), "{snapshot}");
    let back: Snapshot = serde_json::from_str(&snapshot).unwrap();
    assert_eq!(back, **handle.snapshots.borrow(), "a snapshot crosses a wire whole");
    assert!(engine.stop(Duration::from_secs(1)).await);
}

#[tokio::test(start_paused = true)]
async fn the_users_class_and_weight_hold() {
    let fake = Fake::new(&[("a", None, Does::Fail), ("b", None, Does::Pass)]);
    let id = fake.id.check("a");
    let minor = Override { check: id, class: Some(Class::Minor), weight: Some(0) };
    let (engine, handle) = Engine::start(Plan { overrides: vec![minor], ..plan(&fake) });
    seconds(1).await;
    let snapshot = handle.snapshots.borrow().clone();
    assert_eq!((snapshot.verdict.word, snapshot.verdict.warnings), (Word::Go, 1));
    assert_eq!(snapshot.score.map(|score| score.percent), Some(100));
    assert!(engine.stop(Duration::from_secs(1)).await);
}

#[tokio::test(start_paused = true)]
async fn when_asked_only_nothing_runs_by_itself() {
    let fake = Fake::new(&[("connect", None, Does::Pass), ("b", Some("connect"), Does::Pass)]);
    let (engine, handle) = Engine::start(Plan { begin: Begin::WhenAsked, ..plan(&fake) });
    seconds(600).await;
    assert_eq!((fake.runs(0), fake.runs(1)), (0, 0));
    handle.send(Command::Recheck(only("b"))).unwrap();
    seconds(1).await;
    assert_eq!((fake.runs(0), fake.runs(1)), (1, 1), "with what it needs");
    assert!(engine.stop(Duration::from_secs(1)).await);
}

#[tokio::test(start_paused = true)]
async fn the_journal_tells_what_changed_and_nothing_else() {
    let fake = Fake::new(&[("a", None, Does::Pass)]);
    let (engine, handle) = start(&fake);
    seconds(30).await;
    fake.tell(0, Does::Fail);
    seconds(30).await;
    let events = handle.snapshots.borrow().journal.clone();
    let texts: Vec<&str> = events.iter().map(|event| event.text.as_str()).collect();
    let [broken, once] = ["broken: token [secret]", "broken: token [secret] (1 of 2)"];
    assert_eq!(texts, ["GO: nothing stands in the way", once, broken, "NO-GO: 1 blocker"]);
    assert_eq!(check(&handle, "a").spec.cadence, Cadence::Every(Duration::from_secs(10)));
    assert!(engine.stop(Duration::from_secs(1)).await);
}
