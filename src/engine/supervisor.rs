//! Keeps the runs of one integration going, and one integration's trouble to itself.

use super::{
    Begin, Standing, Update,
    hysteresis::Hysteresis,
    orders::{Asked, Orders},
    schedule::{Due, Order, Schedule},
};
use crate::{
    domain::{CheckSpec, Finding, Outcome, Severity, Trigger},
    probe::{Cx, Ending, Integration, isolate},
    secret::Redactor,
};
use std::{collections::HashMap, sync::Arc, time::Duration};
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

/// What every supervisor is given.
#[derive(Clone)]
pub(super) struct Surroundings {
    pub(super) updates: mpsc::Sender<(usize, Update)>,
    pub(super) cancel: CancellationToken,
    pub(super) redactor: Redactor,
    pub(super) begin: Begin,
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
    runs: JoinSet<Finding>,
    under_way: HashMap<Id, UnderWay>,
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
            schedule: Schedule::new(integration.id(), &specs, around.begin, Instant::now()),
            standings: specs.iter().map(|_| Hysteresis::default()).collect(),
            specs,
            integration,
            around,
            seen,
            runs: JoinSet::new(),
            under_way: HashMap::new(),
        }
    }

    /// Runs checks until the engine is stopped.
    pub(super) async fn run(mut self, mut orders: watch::Receiver<Orders>) {
        let cancel = self.around.cancel.clone();
        // A restarted supervisor may have missed some.
        orders.mark_changed();
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
                () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {}
            }
        }
        self.runs.shutdown().await;
    }

    async fn begin(&mut self, due: Due) {
        self.report(Update::Started { check: due.check, trigger: due.trigger }).await;
        match self.in_the_way(due.check) {
            None => self.spawn(due, 1),
            Some(blocked) => self.conclude(due, Arc::new(blocked)).await,
        }
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
        let task = self.runs.spawn(async move {
            if attempt > 1 {
                sleep(BETWEEN + BETWEEN.mul_f64(fastrand::f64() / 3.0)).await;
            }
            let cx = Cx { cancel: stop.clone() };
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
        let before = self.severity(run.due.check);
        let standing = &mut self.standings[run.due.check];
        standing.observe(Arc::clone(&finding));
        let again = run.due.burst
            && !standing.is_settled()
            && run.attempt < ATTEMPTS
            && !run.stop.is_cancelled();
        let flaky = run.attempt > 1
            && finding.outcome.severity() == Severity::Fine
            && !again
            && before == Some(Severity::Fine);
        let standing = self.standing(run.due.check, flaky);
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
            self.finish(run.due.check, before);
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
        self.finish(due.check, before);
    }

    /// Gives the check back to the timetable, and lets those that need it know of a change.
    fn finish(&mut self, check: usize, before: Option<Severity>) {
        let now = Instant::now();
        self.schedule.ended(check, now);
        if before.is_some() && before != self.severity(check) {
            for dependent in self.schedule.dependents(check) {
                self.schedule.request(dependent, Order { trigger: Trigger::Schedule }, now);
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
