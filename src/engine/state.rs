//! Folds updates into the next snapshot. Pure.

use super::{Override, Plan, Standing, Update, recall::resume};
use crate::{
    domain::{
        Acceptance, App, Cause, CheckId, CheckSpec, CheckView, Compared, Event, Finding, Freshness,
        HealthScore, IntegrationView, Journal, Ledger, Mark, Notice, Outcome, Pending, Policy,
        Series, Severity, Shifts, Snapshot, Status, Stood, Timestamp, Topic, Trigger, Verdict,
    },
    probe::Integration,
};
use std::{collections::HashMap, sync::Arc, time::Duration};

/// A moment, on both clocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Now {
    /// Since the engine started.
    pub(super) at: Duration,
    /// On the wall.
    pub(super) wall: Timestamp,
}

/// What the engine knows; only the engine task touches it.
pub(super) struct State {
    seq: u64,
    host: String,
    paused: bool,
    pub(super) policy: Policy,
    pub(super) app: Option<App>,
    /// The version that an earlier session saw last, until it is seen in this one.
    pub(super) served: Option<String>,
    /// What need not be compared again.
    pub(super) compared: Compared,
    /// Whether somebody has chosen a baseline for the next deploy.
    pub(super) chosen: bool,
    /// Whether somebody has said when the deploy was.
    pub(super) told: bool,
    /// What was answered for in this session, the last word on each check.
    pub(super) answered: Vec<Acceptance>,
    pub(super) integrations: Vec<Arc<IntegrationView>>,
    pub(super) ledger: Ledger,
    verdict: Option<Verdict>,
    pub(super) journal: Journal,
    notices: Vec<Notice>,
    /// When the verdict was last judged, on the wall.
    judged: Timestamp,
    /// When the engine started.
    began: Duration,
    /// How checks stood in an earlier session that have not run in this one.
    pub(super) stood: HashMap<CheckId, Stood>,
}

impl State {
    pub(super) fn new(plan: &Plan) -> Self {
        let view = |integration: &Arc<dyn Integration>| Arc::new(blank(integration.as_ref(), plan));
        Self {
            seq: 0,
            host: plan.host.clone(),
            paused: false,
            policy: plan.policy.clone(),
            app: plan.app.clone().map(|name| App { name, version: None }),
            served: None,
            compared: Compared::default(),
            chosen: plan.policy.against.is_some(),
            told: plan.policy.deploy.is_some(),
            answered: Vec::new(),
            integrations: plan.integrations.iter().map(view).collect(),
            ledger: Ledger::default(),
            verdict: None,
            journal: Journal::default(),
            notices: plan.notices.clone(),
            judged: (plan.now)(),
            began: plan.began,
            stood: HashMap::new(),
        }
    }

    /// Copies only the integration that changed, and only if a reader still holds it.
    pub(super) fn apply(&mut self, integration: usize, update: Update, now: Now) {
        let view = Arc::make_mut(&mut self.integrations[integration]);
        match update {
            Update::Started { check, trigger } => {
                let check = &mut view.checks[check];
                (check.running, check.queued, check.trigger) = (Some(now.at), false, trigger);
            }
            Update::Queued { check } => view.checks[check].queued = true,
            Update::Ended { check, trigger, took, attempt, last, raw, standing } => {
                if let Some(latency) = raw.latency {
                    view.latency.push(now.at, latency.as_secs_f64());
                }
                let check = &mut view.checks[check];
                let ended = End { trigger, took, attempt, last, raw, now };
                let anew = self.policy.is_before_deploy(check);
                let event = end(check, &ended, standing);
                // What still passes after a deploy is no news, and there is much of it.
                let news = !anew || check.finding.outcome != Outcome::Pass || check.streak == 1;
                let event = event.filter(|_| news);
                if let Some(stood) = self.stood.remove(&check.id) {
                    resume(check, stood, now);
                }
                if let Some(event) = event {
                    self.journal.push(event);
                }
            }
        }
    }

    /// Notes that a supervisor died: nothing is known of its checks until it is back.
    pub(super) fn lost(&mut self, integration: usize, why: &str, now: Now) {
        let view = Arc::make_mut(&mut self.integrations[integration]);
        let says = format!("its supervisor crashed and is started again: {why}");
        let finding = Arc::new(Finding::unknown(Cause::Lost, &says));
        for check in &mut view.checks {
            (check.running, check.queued, check.pending) = (None, false, None);
            (check.since, check.streak) = (now.at, 0);
            check.finding = Arc::clone(&finding);
        }
        let id = view.checks.first().map(|check| check.id.clone());
        self.note(id, Some(Mark::Unknown), says, now);
    }

    /// Notes that polling was paused or resumed.
    pub(super) fn pause(&mut self, paused: bool, now: Now) {
        if self.paused != paused {
            self.paused = paused;
            self.note(
                None,
                None,
                if paused { "polling paused" } else { "polling resumed" }.into(),
                now,
            );
        }
    }

    /// Lets somebody answer for a blocker, or not any more if the end is now.
    pub(super) fn accept(&mut self, acceptance: Acceptance, now: Now) {
        let by = acceptance.owner.as_deref().map(|owner| format!(" by {owner}"));
        let back = acceptance.until <= now.wall;
        let word = if back { "not accepted any more" } else { "accepted" };
        let text = format!("{word}{}: {}", by.unwrap_or_default(), acceptance.reason);
        self.note(Some(acceptance.check.clone()), None, text, now);
        self.answered.retain(|other| other.check != acceptance.check);
        self.answered.push(acceptance.clone());
        if back {
            self.policy.take_back(&acceptance.check);
        } else {
            self.policy.accept(acceptance);
        }
    }

    /// Tells the user something, and when that was.
    pub(super) fn tell(&mut self, notice: Notice, now: Now) {
        self.note(None, None, notice.says.clone(), now);
        self.untell(notice.topic);
        self.notices.push(notice);
    }

    /// What was told about `topic` does not hold any more.
    pub(super) fn untell(&mut self, topic: Topic) {
        self.notices.retain(|other| other.topic != topic);
    }

    /// Says which acceptances have ended since the last time.
    fn say_ended(&mut self, now: Now) {
        let over = |it: &&Acceptance| it.until <= now.wall && it.until > self.judged;
        let ended: Vec<CheckId> =
            self.policy.accepted.iter().filter(over).map(|it| it.check.clone()).collect();
        for check in ended {
            self.note(Some(check), None, "its acceptance has ended".into(), now);
        }
        self.judged = now.wall;
    }

    /// Everything known at `now`, judged.
    pub(super) fn snapshot(&mut self, now: Now) -> Snapshot {
        self.seq += 1;
        self.say_ended(now);
        for view in &mut self.integrations {
            refresh(view, &self.policy, now.at);
        }
        self.ledger.fold(&self.integrations, &self.policy, now.at, now.wall);
        let blockers = self.ledger.list();
        let verdict = Verdict::of(&self.integrations, &blockers, &self.policy, now.at);
        let known = self.verdict.replace(verdict.clone());
        if known.is_some_and(|known| known.word != verdict.word) {
            self.note(None, None, format!("{}: {}", verdict.word.as_str(), verdict.reason), now);
        }
        let mut notices = self.notices.clone();
        notices.extend(self.policy.idle(&self.integrations, &blockers, now.wall));
        let mut snapshot = Snapshot {
            seq: self.seq,
            at: now.at,
            began: self.began,
            wall: now.wall,
            host: self.host.clone(),
            app: self.app.clone(),
            deploy: self.policy.deploy.clone(),
            settled: self.policy.settled(),
            baseline: self.policy.against.clone(),
            shifts: Shifts::default(),
            paused: self.paused,
            answered: self.answered.clone(),
            score: HealthScore::overall(self.integrations.iter().map(AsRef::as_ref)),
            integrations: self.integrations.clone(),
            verdict,
            blockers,
            journal: self.journal.clone(),
            notices,
        };
        if let Some(baseline) = &self.policy.against {
            snapshot.shifts = Shifts::since(baseline, &snapshot, &mut self.compared);
        }
        snapshot
    }

    /// When time alone next changes something: a result grows stale or expires,
    /// an acceptance or the settle time ends.
    pub(super) fn next_change(&self, now: Now) -> Option<Duration> {
        let checks = self.integrations.iter().flat_map(|view| &view.checks);
        let ages = checks.filter_map(|check| Some((check.ended?, Freshness::limits(&check.spec)?)));
        let stale = ages.flat_map(|(ended, (stale, expired))| [ended + stale, ended + expired]);
        let held = self.policy.accepted.iter().filter(|accepted| accepted.until > now.wall);
        let accepted = held.map(|accepted| now.at + accepted.until.since(now.wall));
        let moments = stale.chain(accepted).chain(self.policy.settled());
        moments.filter(|at| *at >= now.at).min().map(|at| at + Duration::from_millis(1))
    }

    pub(super) fn note(
        &mut self,
        check: Option<CheckId>,
        mark: Option<Mark>,
        text: String,
        now: Now,
    ) {
        self.journal.push(Event { at: now.at, wall: now.wall, check, mark, text });
    }
}

/// How a run ended.
struct End {
    trigger: Trigger,
    took: Duration,
    attempt: u8,
    last: bool,
    raw: Arc<Finding>,
    now: Now,
}

/// Folds the end of a run into its check; returns what is worth a line.
fn end(check: &mut CheckView, end: &End, standing: Standing) -> Option<Event> {
    let first = check.runs == 0;
    let worded = (check.finding.outcome.word(), check.finding.outcome.severity());
    let was_pending = check.pending.is_some();
    check.runs += 1;
    check.ended = Some(end.now.at);
    check.ended_wall = Some(end.now.wall);
    (check.took, check.attempts, check.trigger) = (end.took, end.attempt, end.trigger);
    check.note(end.raw.outcome.mark());
    if let Some(latency) = end.raw.latency {
        check.latency.push(end.now.at.saturating_sub(end.took), latency.as_secs_f64());
    }
    if let Some(measure) = end.raw.measure.filter(|_| check.spec.graph) {
        check.measures.push(end.now.at, measure.as_f64());
    }
    (check.pending, check.flags) = (standing.pending, standing.flags);
    if let Some(finding) = standing.finding {
        if Arc::ptr_eq(&finding, &end.raw) {
            check.proved = check.running.or(Some(end.now.at.saturating_sub(end.took)));
        }
        check.finding = finding;
    }
    if end.last {
        check.running = None;
    }
    let severity = check.finding.outcome.severity();
    let same = !first && severity == worded.1;
    check.streak = if same { check.streak.saturating_add(1) } else { 1 };
    if !same {
        check.since = end.now.at;
    }
    let changed = check.finding.outcome.word() != worded.0;
    let text = match &check.pending {
        _ if !end.last => return None,
        _ if end.trigger == Trigger::Asked => {
            format!("re-check: {}: {}", check.finding.outcome.word(), check.finding.summary)
        }
        Some(pending) if !was_pending => {
            let Pending { finding, seen, of } = pending;
            format!("{} ({seen} of {of})", finding.summary)
        }
        _ if first && severity == Severity::Fine => return None,
        _ if changed => check.finding.summary.clone(),
        _ => return None,
    };
    let mark = check.pending.as_ref().map_or(&check.finding, |pending| &pending.finding);
    let mark = Some(mark.outcome.mark());
    Some(Event { at: end.now.at, wall: end.now.wall, check: Some(check.id.clone()), mark, text })
}

/// Brings freshness, score and status of one integration up to date.
fn refresh(view: &mut Arc<IntegrationView>, policy: &Policy, at: Duration) {
    let freshness = |check: &CheckView| {
        let Some(ended) = check.ended else { return Freshness::Fresh };
        match Freshness::of(at.saturating_sub(ended), &check.spec) {
            // What is from before the deploy says little of what is deployed now.
            Freshness::Fresh if policy.is_before_deploy(check) => Freshness::Stale,
            aged @ (Freshness::Fresh | Freshness::Stale | Freshness::Expired) => aged,
        }
    };
    let aged = view.checks.iter().any(|check| freshness(check) != check.freshness);
    let (score, status) = (HealthScore::of(&view.checks), Status::of(&view.checks));
    if !aged && (score, status) == (view.score, view.status) {
        return;
    }
    let view = Arc::make_mut(view);
    for check in &mut view.checks {
        check.freshness = freshness(check);
    }
    view.weigh();
}

/// An integration of which nothing is known yet.
fn blank(integration: &dyn Integration, plan: &Plan) -> IntegrationView {
    let id = integration.id();
    let check = |mut spec: CheckSpec| {
        let id = id.check(&spec.name);
        Override::apply(&plan.overrides, &id, &mut spec);
        CheckView { since: plan.began, ..CheckView::new(id, spec) }
    };
    IntegrationView {
        checks: integration.checks().into_iter().map(check).collect(),
        id: id.clone(),
        title: integration.title().into(),
        target: integration.target(),
        weight: 1,
        score: None,
        status: Status::Unknown,
        latency: Series::default(),
    }
}
