//! One look at everything that was selected, or, with a wait, looks until it is GO.

use super::sampling::sample;
use crate::{
    domain::{CheckId, CheckView, Outcome, Snapshot, Word},
    engine::{Begin, Command, Handle, Selection},
};
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};
use tokio_util::sync::CancellationToken;

/// Time for one look at everything. Every check has a shorter timeout of its own.
const FIRST_LOOK: Duration = Duration::from_mins(1);
/// Between two looks at what does not pass, while waiting.
const AGAIN: Duration = Duration::from_secs(5);

/// How a run of `check` ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ended {
    /// With everything that is known; what has not answered by then is unknown.
    Looked(Arc<Snapshot>),
    /// A signal came first.
    Interrupted,
}

/// How the engine is to begin for it: a longer wait needs results that stay fresh.
pub fn begin(wait: Option<Duration>) -> Begin {
    if wait.is_some() { Begin::Polling } else { Begin::WhenAsked }
}

/// Asks for everything once and waits for the answers, for a minute at most.
///
/// With `wait`, goes on until it is GO or that long has passed, whichever is
/// first, and looks at what does not pass every few seconds. `on_change` is told
/// of every snapshot from the first full look on.
pub async fn run(
    mut handle: Handle,
    wait: Option<Duration>,
    cancel: &CancellationToken,
    mut on_change: impl FnMut(&Snapshot),
) -> Ended {
    let began = Instant::now();
    let before = runs(&handle.snapshots.borrow_and_update());
    // A new engine has room for a command, and without any answer all is unknown.
    let _refused = handle.send(Command::Recheck(Selection::All));
    let answered = |snapshot: &Snapshot| checks(snapshot).all(|check| has_answered(check, &before));
    let first_end = began + FIRST_LOOK;
    let looked = tokio::select! {
        biased;
        () = cancel.cancelled() => return Ended::Interrupted,
        found = handle.snapshots.wait_for(|snapshot| answered(snapshot)) => {
            found.map(|found| Arc::clone(&found)).ok()
        }
        () = sleep_until(first_end) => None,
    };
    let mut newest = looked.unwrap_or_else(|| Arc::clone(&handle.snapshots.borrow_and_update()));
    // What is compared with has been looked at often enough; so is this.
    let comparable = newest.baseline.is_some() && newest.shifts.elsewhere.is_none();
    if comparable {
        newest = match sample(handle.clone(), cancel).await {
            Ended::Looked(newest) => newest,
            Ended::Interrupted => return Ended::Interrupted,
        };
    }
    match wait {
        None => Ended::Looked(newest),
        Some(wait) => until_go(handle, newest, began + wait, cancel, &mut on_change).await,
    }
}

async fn until_go(
    mut handle: Handle,
    mut newest: Arc<Snapshot>,
    end: Instant,
    cancel: &CancellationToken,
    on_change: &mut impl FnMut(&Snapshot),
) -> Ended {
    let mut again = interval_at(Instant::now() + AGAIN, AGAIN);
    again.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        on_change(&newest);
        if newest.verdict.word == Word::Go {
            return Ended::Looked(newest);
        }
        tokio::select! {
            biased;
            () = cancel.cancelled() => return Ended::Interrupted,
            () = sleep_until(end) => return Ended::Looked(newest),
            changed = handle.snapshots.changed() => match changed {
                Ok(()) => newest = Arc::clone(&handle.snapshots.borrow_and_update()),
                Err(_) => return Ended::Looked(newest), // the engine has stopped
            },
            _ = again.tick() => look_again(&handle, &newest),
        }
    }
}

/// Asks for what stands in the way and is not being looked at already.
fn look_again(handle: &Handle, snapshot: &Snapshot) {
    let idle = |check: &&CheckView| check.running.is_none() && !check.queued;
    for check in checks(snapshot).filter(idle).filter(|check| !is_fine(check)) {
        // When the engine is busy, the rest have their turn at the next look.
        if handle.send(Command::Recheck(Selection::Check(check.id.clone()))).is_err() {
            break;
        }
    }
}

fn is_fine(check: &CheckView) -> bool {
    match check.outcome() {
        Outcome::Pass => !check.finding.fallback,
        Outcome::Skipped(_) => true,
        Outcome::Warn | Outcome::Fail | Outcome::Unknown(_) | Outcome::Blocked(_) => false,
    }
}

fn has_answered(check: &CheckView, before: &HashMap<CheckId, u64>) -> bool {
    let before = before.get(&check.id).copied().unwrap_or(0);
    check.runs > before && check.running.is_none() && !check.queued
}

fn runs(snapshot: &Snapshot) -> HashMap<CheckId, u64> {
    checks(snapshot).map(|check| (check.id.clone(), check.runs)).collect()
}

/// Those that run by themselves; one on demand is only run where it is named.
fn checks(snapshot: &Snapshot) -> impl Iterator<Item = &CheckView> {
    let all = snapshot.integrations.iter().flat_map(|view| &view.checks);
    all.filter(|check| matches!(check.spec.cadence, crate::domain::Cadence::Every(_)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{
            Baseline, CheckSpec, Finding, IntegrationId, Policy, Provenance, Target, Timestamp,
            sample,
        },
        engine::{Engine, Plan},
        probe::{Cx, Integration, Run},
        secret::Redactor,
    };
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tokio::time::sleep;

    /// One check that takes its time, and passes from a given run on.
    struct Slow {
        id: IntegrationId,
        takes: Duration,
        passes_from: usize,
        runs: AtomicUsize,
    }

    impl Integration for Slow {
        fn id(&self) -> &IntegrationId {
            &self.id
        }

        fn title(&self) -> &'static str {
            "Slow"
        }

        fn target(&self) -> Target {
            Target { name: "nowhere".into(), provenance: Provenance::Configured }
        }

        fn checks(&self) -> Vec<CheckSpec> {
            let spec = sample::check("connect", 1, Finding::pass("")).spec; // every 10 s
            vec![CheckSpec { timeout: Duration::from_mins(10), ..spec }]
        }

        fn run<'a>(&'a self, _: usize, _: &'a Cx) -> Run<'a> {
            Box::pin(async {
                sleep(self.takes).await;
                let run = self.runs.fetch_add(1, Ordering::SeqCst) + 1;
                let latency = Duration::from_millis(5);
                let passed = Finding::pass("ok").latency(latency);
                Ok(if run >= self.passes_from { passed } else { Finding::fail("no") })
            })
        }
    }

    /// Runs `check` against such a one: how it ended, how long it took, what changed.
    async fn look(
        slow: (u64, usize),
        wait: Option<u64>,
        interrupt_after: Option<u64>,
    ) -> (Ended, u64, Vec<Word>) {
        against(None, slow, wait, interrupt_after).await
    }

    /// The same, compared with a baseline.
    async fn against(
        baseline: Option<Arc<Baseline>>,
        (takes, passes_from): (u64, usize),
        wait: Option<u64>,
        interrupt_after: Option<u64>,
    ) -> (Ended, u64, Vec<Word>) {
        let slow = Slow {
            id: IntegrationId::new("slow").unwrap(),
            takes: Duration::from_secs(takes),
            passes_from,
            runs: AtomicUsize::new(0),
        };
        let wait = wait.map(Duration::from_secs);
        let plan = Plan {
            integrations: vec![Arc::new(slow)],
            policy: Policy { against: baseline, ..Policy::default() },
            app: None,
            overrides: Vec::new(),
            redactor: Redactor::default(),
            notices: Vec::new(),
            began: Duration::ZERO,
            host: "here".into(),
            now: || Timestamp(0),
            begin: begin(wait),
        };
        let (engine, handle) = Engine::start(plan);
        let cancel = CancellationToken::new();
        if let Some(after) = interrupt_after {
            let cancel = cancel.clone();
            tokio::spawn(async move {
                sleep(Duration::from_secs(after)).await;
                cancel.cancel();
            });
        }
        let (began, mut words) = (Instant::now(), Vec::new());
        let ended = run(handle, wait, &cancel, |snapshot| words.push(snapshot.verdict.word)).await;
        let took = began.elapsed().as_secs();
        assert!(engine.stop(Duration::from_secs(1)).await);
        words.dedup();
        (ended, took, words)
    }

    fn word(ended: &Ended) -> Word {
        match ended {
            Ended::Looked(snapshot) => snapshot.verdict.word,
            Ended::Interrupted => panic!("it was interrupted"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_ends_as_soon_as_everything_has_answered() {
        let (ended, took, changes) = look((3, 1), None, None).await;
        assert_eq!((word(&ended), took, changes), (Word::Go, 3, vec![]));
        let (ended, took, _) = look((0, usize::MAX), None, None).await;
        assert_eq!((word(&ended), took), (Word::NoGo, 0));
    }

    /// One that was taken on `host`, when a run took a millisecond.
    fn baseline(host: &str) -> Arc<Baseline> {
        let mut check = sample::check("connect", 1, Finding::pass("ok"));
        (0..10).for_each(|n| check.latency.push(Duration::from_millis(n), 0.001));
        let views = vec![Arc::new(sample::integration("slow", "Slow", vec![check]))];
        let then = Snapshot { integrations: views, host: host.into(), ..Snapshot::default() };
        // Long before the time that the wall of these tests always shows.
        let at = Timestamp(-3_600_000);
        Arc::new(Baseline { at, ..Baseline::of("before", &then) })
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_compared_is_looked_at_often_enough_for_that() {
        let (ended, took, _) = against(Some(baseline("here")), (0, 1), None, None).await;
        let Ended::Looked(snapshot) = ended else { panic!("{ended:?}") };
        let (check, shifts) = (&snapshot.integrations[0].checks[0], &snapshot.shifts);
        assert_eq!((check.runs, check.latency.len(), took), (10, 10, 2));
        assert!(shifts.told[0].worse && (shifts.told[0].ratio() - 4.0).abs() < 1e-9, "{shifts:?}");
        assert_eq!(snapshot.journal.iter().filter(|it| it.check.is_some()).count(), 1, "no news");
    }

    #[tokio::test(start_paused = true)]
    async fn what_cannot_be_compared_is_looked_at_once() {
        let (ended, ..) = against(Some(baseline("elsewhere")), (0, 1), None, None).await;
        let Ended::Looked(snapshot) = ended else { panic!("{ended:?}") };
        assert_eq!(snapshot.integrations[0].checks[0].runs, 1);
        assert_eq!(snapshot.shifts.elsewhere.as_deref(), Some("elsewhere"));
        let (ended, took, _) = against(Some(baseline("here")), (0, 1), None, Some(1)).await;
        assert_eq!((ended, took), (Ended::Interrupted, 1));
        let (ended, took, _) = against(Some(baseline("here")), (2, 1), None, None).await;
        assert!(matches!(ended, Ended::Looked(_)) && took == 8, "{took}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_never_answers_is_a_hold_after_a_minute() {
        let (ended, took, _) = look((500, 1), None, None).await;
        assert_eq!((word(&ended), took), (Word::Hold, 60));
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_looks_again_until_it_is_go() {
        let (ended, took, changes) = look((0, 2), Some(120), None).await;
        assert_eq!((word(&ended), changes), (Word::Go, vec![Word::NoGo, Word::Go]));
        assert_eq!(took, 5, "the second look confirms it at once");
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_ends_with_what_is_known_then() {
        let (ended, took, _) = look((0, usize::MAX), Some(42), None).await;
        assert_eq!((word(&ended), took), (Word::NoGo, 42));
    }

    #[tokio::test(start_paused = true)]
    async fn a_signal_ends_it_at_once() {
        for wait in [None, Some(600)] {
            let (ended, took, _) = look((400, 1), wait, Some(2)).await;
            assert_eq!((ended, took), (Ended::Interrupted, 2));
        }
        let (ended, took, _) = look((0, usize::MAX), Some(600), Some(90)).await;
        assert_eq!((ended, took), (Ended::Interrupted, 90));
    }
}
