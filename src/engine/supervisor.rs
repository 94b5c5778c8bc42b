//! Keeps the runs of one integration going, and one integration's trouble to itself.

use super::{
    Begin, Standing, Update,
    hysteresis::Hysteresis,
    orders::{Asked, Orders},
    schedule::{Due, Order, Schedule},
};
use crate::{
    domain::{Baseline, CheckSpec, Finding, Outcome, Severity, Trigger},
    probe::{Cx, Ending, Integration, isolate},
    secret::Redactor,
};
use std::{collections::HashMap, mem, sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, watch},
    task::{Id, JoinError, JoinSet},
    time::{Instant, sleep, sleep_until},
};
use tokio_util::sync::CancellationToken;

/// Attempts that a confirmed answer may take.
const ATTEMPTS: u8 = 3;
/// Between two of them, plus up to a third of it at random.
const BETWEEN: Duration = Duration::from_millis(300);

/// Between two alarms, so that one that never stops rings in vain.
const REST: Duration = Duration::from_secs(1);

/// What every supervisor is given.
#[derive(Clone)]
pub(super) struct Surroundings {
    pub(super) updates: mpsc::Sender<(usize, Update)>,
    pub(super) cancel: CancellationToken,
    pub(super) redactor: Redactor,
    pub(super) begin: Begin,
    /// What is compared with.
    pub(super) before: watch::Receiver<Option<Arc<Baseline>>>,
}

/// One integration's runs.
pub(super) struct Supervisor {
    index: usize,
    integration: Arc<dyn Integration>,
    specs: Vec<CheckSpec>,
    schedule: Schedule,
    around: Surroundings,
    /// The number of the newest order that was obeyed.
    seen: u64,
    standings: Vec<Hysteresis>,
    /// What each check last told of itself, and whether others are to look anew
    /// even if it tells the same again.
    gists: Vec<Gist>,
    runs: JoinSet<Finding>,
    /// Waits for what happens between two runs.
    alarm: JoinSet<usize>,
    under_way: HashMap<Id, UnderWay>,
}

#[derive(Clone, Debug, Default)]
struct Gist {
    last: Option<String>,
    alarmed: bool,
}

/// What a task is doing, since when, and how to stop it.
#[derive(Clone, Debug)]
struct UnderWay {
    due: Due,
    attempt: u8,
    since: Instant,
    stop: CancellationToken,
}

impl Supervisor {
    pub(super) fn new(
        index: usize,
        integration: Arc<dyn Integration>,
        around: Surroundings,
        seen: u64,
    ) -> Self {
        let specs = integration.checks();
        Self {
            index,
            schedule: Schedule::new(
                integration.id(),
                &specs,
                around.begin,
                fastrand::u64(..),
                Instant::now(),
            )
            .at_most(integration.at_once()),
            standings: specs.iter().map(|_| Hysteresis::default()).collect(),
            gists: specs.iter().map(|_| Gist::default()).collect(),
            specs,
            integration,
            around,
            seen,
            runs: JoinSet::new(),
            alarm: JoinSet::new(),
            under_way: HashMap::new(),
        }
    }

    /// Runs checks until the engine is stopped.
    pub(super) async fn run(mut self, mut orders: watch::Receiver<Orders>) {
        let cancel = self.around.cancel.clone();
        // A restarted supervisor may have missed some.
        orders.mark_changed();
        if self.around.begin == Begin::Polling {
            self.set_alarm(Duration::ZERO);
        }
        loop {
            for due in self.schedule.take_due(Instant::now()) {
                self.begin(due).await;
            }
            let next = self.schedule.next();
            tokio::select! {
                biased;
                () = cancel.cancelled() => break,
                Ok(()) = orders.changed() => {
                    let orders = orders.borrow_and_update().clone();
                    self.obey(&orders).await;
                }
                Some(ended) = self.runs.join_next_with_id() => self.end(ended).await,
                Some(rung) = self.alarm.join_next() => self.alarmed(rung),
                () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {}
            }
        }
        self.alarm.shutdown().await;
        self.runs.shutdown().await;
    }

    async fn begin(&mut self, due: Due) {
        self.report(Update::Started { check: due.check, trigger: due.trigger }).await;
        match self.in_the_way(due.check) {
            None => self.spawn(due, 1),
            Some(blocked) => self.conclude(due, Arc::new(blocked)).await,
        }
    }

    /// Waits for what happens from then on, in a task of its own: whatever an
    /// integration does there stays there.
    fn set_alarm(&mut self, rest: Duration) {
        let integration = Arc::clone(&self.integration);
        self.alarm.spawn(async move {
            sleep(rest).await;
            integration.alarm().await
        });
    }

    fn alarmed(&mut self, rung: Result<usize, JoinError>) {
        match rung {
            Ok(check) if check < self.specs.len() => {
                self.gists[check].alarmed = true;
                self.schedule.stir(check, Instant::now());
            }
            Ok(check) => tracing::error!(check, "an alarm for a check that does not exist"),
            Err(error) => tracing::error!(%error, "an alarm crashed"),
        }
        self.set_alarm(REST);
    }

    /// The finding of a check that cannot run because of what it needs.
    ///
    /// It names the root cause, however many needs lie between.
    fn in_the_way(&self, check: usize) -> Option<Finding> {
        let need = self.schedule.need(check)?;
        let root = self.standings[need].confirmed()?;
        let (by, says) = match &root.outcome {
            Outcome::Pass | Outcome::Warn | Outcome::Skipped(_) => return None,
            Outcome::Blocked(by) => (by.clone(), root.summary.clone()),
            Outcome::Unknown(_) | Outcome::Fail => {
                let name = &self.specs[need].name;
                (name.clone(), format!("waits for {name}: {}", root.summary))
            }
        };
        let remedy = root.remedy.as_deref().unwrap_or(&self.specs[need].hint);
        Some(Finding::new(Outcome::Blocked(by), &says).remedy(remedy))
    }

    fn spawn(&mut self, due: Due, attempt: u8) {
        let stop = self.around.cancel.child_token();
        let under_way = UnderWay { due, attempt, since: Instant::now(), stop: stop.clone() };
        let allowed = self.specs[due.check].timeout;
        let integration = Arc::clone(&self.integration);
        let before = self.around.before.borrow().clone();
        let task = self.runs.spawn(async move {
            if attempt > 1 {
                sleep(BETWEEN + BETWEEN.mul_f64(fastrand::f64() / 3.0)).await;
            }
            let cx = Cx { cancel: stop.clone(), before };
            let work = async { integration.run(due.check, &cx).await };
            isolate(work, allowed, &stop).await.into()
        });
        self.under_way.insert(task.id(), under_way);
    }

    /// Every way a run can end comes through here.
    async fn end(&mut self, ended: Result<(Id, Finding), JoinError>) {
        let (id, finding) = match ended {
            Ok((id, finding)) => (id, finding),
            Err(error) => (error.id(), Ending::of_panic(error).into()),
        };
        let Some(run) = self.under_way.remove(&id) else { return };
        let finding = Arc::new(self.scrubbed(finding));
        if finding.outcome == Outcome::Fail
            && let Some(blocked) = self.in_the_way(run.due.check)
        {
            // Meanwhile it has become known why: that is said once.
            return self.conclude(run.due, Arc::new(blocked)).await;
        }
        let before = self.severity(run.due.check);
        let standing = &mut self.standings[run.due.check];
        standing.observe(Arc::clone(&finding));
        let again = (run.due.burst || self.integration.asks_again())
            && !standing.is_settled()
            && run.attempt < ATTEMPTS
            && !run.stop.is_cancelled();
        let flaky = run.attempt > 1
            && finding.outcome.severity() == Severity::Fine
            && !again
            && before == Some(Severity::Fine);
        let standing = self.standing(run.due.check, flaky);
        // What was not found out tells nothing of the target.
        let gist = finding.outcome.is_executed().then(|| finding.gist.clone());
        self.report(Update::Ended {
            check: run.due.check,
            trigger: run.due.trigger,
            took: run.since.elapsed(),
            attempt: run.attempt,
            last: !again,
            raw: finding,
            standing,
        })
        .await;
        if again {
            self.spawn(run.due, run.attempt + 1);
        } else {
            let changed = self.takes_note(run.due.check, gist);
            self.finish(run.due.check, before, changed);
        }
    }

    /// Ends a run that never began, because its answer follows from another's.
    async fn conclude(&mut self, due: Due, finding: Arc<Finding>) {
        let before = self.severity(due.check);
        self.standings[due.check].settle(Arc::clone(&finding));
        let standing = self.standing(due.check, false);
        self.report(Update::Ended {
            check: due.check,
            trigger: due.trigger,
            took: Duration::ZERO,
            attempt: 1,
            last: true,
            raw: finding,
            standing,
        })
        .await;
        self.finish(due.check, before, false);
    }

    /// Whether a check tells something else of itself than last time, or was
    /// looked at because of an alarm.
    fn takes_note(&mut self, check: usize, gist: Option<String>) -> bool {
        let known = &mut self.gists[check];
        let alarmed = mem::take(&mut known.alarmed);
        let Some(gist) = gist else { return alarmed };
        alarmed | known.last.replace(gist).is_some_and(|last| known.last.as_ref() != Some(&last))
    }

    /// Gives the check back to the timetable, and lets those that need it know of a change.
    fn finish(&mut self, check: usize, before: Option<Severity>, changed: bool) {
        let now = Instant::now();
        self.schedule.ended(check, now);
        if !changed && (before.is_none() || before == self.severity(check)) {
            return;
        }
        let mut concerned = self.schedule.dependents(check);
        if self.integration.asks_again() {
            let followers = self.schedule.followers(check);
            if concerned.is_empty() {
                self.schedule.request_needs(&followers, now);
            }
            concerned.extend(followers);
        }
        for dependent in concerned {
            if self.in_the_way(dependent).is_some() {
                // Saying so asks nothing of the target.
                self.schedule.request(dependent, Order::UNASKED, now);
            } else {
                self.schedule.stir(dependent, now);
            }
        }
    }

    async fn obey(&mut self, orders: &Orders) {
        self.schedule.pause(orders.is_paused());
        let now = Instant::now();
        let asked: Vec<(usize, Asked)> = orders.since(self.seen).collect();
        self.seen = orders.seq();
        for (check, asked) in asked {
            if asked.cancel {
                self.stop(check, now);
            }
            if asked.recheck {
                self.ask(check, now).await;
            } else if asked.sample {
                self.schedule.request(check, Order::UNASKED, now);
            }
        }
    }

    async fn ask(&mut self, check: usize, now: Instant) {
        let order = Order { trigger: Trigger::Asked };
        if self.in_the_way(check).is_some()
            && let Some(need) = self.schedule.need(check)
        {
            self.schedule.request(need, order, now);
        }
        if self.schedule.request(check, order, now) {
            self.report(Update::Queued { check }).await;
        }
    }

    fn stop(&mut self, check: usize, now: Instant) {
        self.schedule.call_off(check, now);
        for run in self.under_way.values().filter(|run| run.due.check == check) {
            run.stop.cancel();
        }
    }

    fn severity(&self, check: usize) -> Option<Severity> {
        self.standings[check].confirmed().map(|finding| finding.outcome.severity())
    }

    fn standing(&self, check: usize, flaky: bool) -> Standing {
        let standing = &self.standings[check];
        Standing {
            finding: standing.confirmed().cloned(),
            pending: standing.pending().cloned(),
            flags: standing.flags(flaky),
        }
    }

    fn scrubbed(&self, mut finding: Finding) -> Finding {
        finding.texts_mut().for_each(|text| self.around.redactor.scrub(text));
        finding
    }

    /// Waits when the engine is behind, so that a fast probe cannot outrun it.
    async fn report(&self, update: Update) {
        // The engine only goes away at shutdown, when nobody reads this.
        let _gone = self.around.updates.send((self.index, update)).await;
    }
}
