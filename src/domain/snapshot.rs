use super::{
    Acceptance, App, Baseline, Blocker, Cause, CheckId, CheckSpec, Compared, Deploy, Finding,
    Freshness, HealthScore, IntegrationId, Journal, Mark, Notice, Outcome, Series, Shifts, Status,
    Tally, Timestamp, Trigger, Verdict,
};
use serde::{Deserialize, Serialize};
use std::{collections::VecDeque, sync::Arc, time::Duration};

/// Recent raw outcomes kept per check: one strip on a wide terminal.
const STRIP: usize = 60;
/// What stands for an answer that is too old.
const EXPIRED: Outcome = Outcome::Unknown(Cause::Expired);

/// Everything known at one moment. Immutable, cheap to clone, never torn.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Grows with each publication; two equal numbers are one snapshot.
    pub seq: u64,
    /// When it was taken, on the engine's own scale.
    pub at: Duration,
    /// When the engine started, on the same scale: what earlier sessions saw is before.
    pub began: Duration,
    /// The same moment on the wall.
    pub wall: Timestamp,
    /// The host that the engine runs on.
    pub host: String,
    /// What is deployed, if somebody says how to tell.
    pub app: Option<App>,
    /// The last deploy: only evidence from after it counts.
    pub deploy: Option<Deploy>,
    /// When the settle time after it is, or was, over.
    pub settled: Option<Duration>,
    /// What it is compared with, if it is.
    pub baseline: Option<Arc<Baseline>>,
    /// What has moved since it was taken.
    #[serde(default)]
    pub shifts: Shifts,
    /// Whether polling is paused.
    pub paused: bool,
    /// In registry order.
    pub integrations: Vec<Arc<IntegrationView>>,
    /// The overall score, once anything applies.
    pub score: Option<HealthScore>,
    /// The answer.
    pub verdict: Verdict,
    /// What stands in the way, blockers first; cleared ones for a while last.
    pub blockers: Vec<Blocker>,
    /// What somebody has answered for in this session, the last word on each check; one
    /// that had ended when it was said is taken back.
    #[serde(default)]
    pub answered: Vec<Acceptance>,
    /// What happened, newest last.
    pub journal: Journal,
    /// What the user has to know about the console itself.
    pub notices: Vec<Notice>,
}

impl Snapshot {
    /// The view of one integration.
    pub fn integration(&self, id: &IntegrationId) -> Option<&IntegrationView> {
        self.integrations.iter().find(|view| view.id == *id).map(AsRef::as_ref)
    }

    /// From when on what was measured is about what is deployed: the deploy, or where
    /// nobody knows of one the start of this session.
    pub fn relevant_from(&self) -> Duration {
        self.deploy.as_ref().map_or(self.began, |deploy| deploy.at)
    }

    /// Compares what is known with a baseline that nobody thought of then. What the verdict
    /// rests on stays as it was.
    pub fn compare(&mut self, baseline: Arc<Baseline>) {
        self.shifts = Shifts::since(&baseline, self, &mut Compared::default());
        for blocker in &mut self.blockers {
            blocker.new = baseline.was(&blocker.check).map(|was| !was.stood);
        }
        self.baseline = Some(baseline);
    }

    /// The view of one check.
    pub fn check(&self, id: &CheckId) -> Option<&CheckView> {
        self.integrations.iter().flat_map(|view| &view.checks).find(|check| check.id == *id)
    }
}

/// Where a target came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provenance {
    /// The user named it.
    Configured,
    /// Nobody did, and a stand-in of ours takes its place.
    Embedded,
}

/// What an integration looks at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Address or description, without any secret.
    pub name: String,
    /// Where it came from.
    pub provenance: Provenance,
}

/// One integration and its checks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IntegrationView {
    /// Stable name.
    pub id: IntegrationId,
    /// Name to show, at most 20 columns.
    pub title: String,
    /// What it looks at.
    pub target: Target,
    /// Share of the overall score, 0 to 10.
    pub weight: u8,
    /// In the integration's own order.
    pub checks: Vec<CheckView>,
    /// What the checks add up to, once anything applies.
    pub score: Option<HealthScore>,
    /// The score in one word.
    pub status: Status,
    /// How long the target took, in seconds.
    pub latency: Series,
}

impl IntegrationView {
    /// Recomputes score and status from the checks.
    pub fn weigh(&mut self) {
        self.score = HealthScore::of(&self.checks);
        self.status = Status::of(&self.checks);
    }

    /// The check that explains the status best: the worst, the weightiest, the first.
    ///
    /// One that has not run yet explains nothing while another has.
    pub fn worst(&self) -> Option<&CheckView> {
        let rank = |check: &&CheckView| {
            let ran = *check.outcome() != Outcome::Unknown(Cause::NotRun);
            let blocked = matches!(check.outcome(), Outcome::Blocked(_));
            let fallback = check.finding.fallback;
            (ran, check.outcome().severity(), !blocked, fallback, check.spec.weight)
        };
        self.checks.iter().rev().max_by_key(rank)
    }
}

/// A result that differs from the confirmed one and is not confirmed yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pending {
    /// What it says.
    pub finding: Arc<Finding>,
    /// How many in a row say so.
    pub seen: u8,
    /// How many it takes.
    pub of: u8,
}

/// What else is to be said about a standing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flags {
    /// The last re-check passed only after a failed attempt.
    pub flaky: bool,
    /// It keeps changing.
    pub flapping: bool,
}

/// The standing of one check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckView {
    /// Stable name.
    pub id: CheckId,
    /// What it is, with the user's class and weight.
    pub spec: CheckSpec,
    /// The newest confirmed result.
    pub finding: Arc<Finding>,
    /// A different result that waits for confirmation.
    pub pending: Option<Pending>,
    /// What else is to be said.
    pub flags: Flags,
    /// How far the result can still be relied on.
    pub freshness: Freshness,
    /// Since when a run is under way.
    pub running: Option<Duration>,
    /// Whether another run was asked for while one is under way.
    pub queued: bool,
    /// Runs that have ended since the engine started.
    pub runs: u64,
    /// When the run began that the confirmed result rests on.
    pub proved: Option<Duration>,
    /// When the last run ended.
    pub ended: Option<Duration>,
    /// The same moment on the wall.
    pub ended_wall: Option<Timestamp>,
    /// How long the last run took.
    pub took: Duration,
    /// What started the last run.
    pub trigger: Trigger,
    /// Attempts that the last answer took.
    pub attempts: u8,
    /// Since when the confirmed result has been as bad as it is.
    pub since: Duration,
    /// Confirmed results of the same severity in a row.
    pub streak: u32,
    /// Recent raw outcomes, oldest first, at most 60.
    pub strip: VecDeque<Mark>,
    /// All raw outcomes since the engine started, counted.
    pub tally: Tally,
    /// What is drawn over time, in its base unit.
    pub measures: Series,
    /// How long the target took in each run, in seconds; each at the begin of its run.
    #[serde(default)]
    pub latency: Series,
}

impl CheckView {
    /// A check that has not run yet.
    pub fn new(id: CheckId, spec: CheckSpec) -> Self {
        Self {
            id,
            spec,
            finding: Arc::new(Finding::unknown(Cause::NotRun, "not run yet")),
            pending: None,
            flags: Flags::default(),
            freshness: Freshness::Fresh,
            running: None,
            queued: false,
            runs: 0,
            proved: None,
            ended: None,
            ended_wall: None,
            took: Duration::ZERO,
            trigger: Trigger::Schedule,
            attempts: 0,
            since: Duration::ZERO,
            streak: 0,
            strip: VecDeque::new(),
            tally: Tally::default(),
            measures: Series::default(),
            latency: Series::default(),
        }
    }

    /// What it stands for now: the confirmed outcome, or unknown once expired.
    pub fn outcome(&self) -> &Outcome {
        match self.freshness {
            Freshness::Fresh | Freshness::Stale => &self.finding.outcome,
            Freshness::Expired => &EXPIRED,
        }
    }

    /// What to do about it.
    pub fn remedy(&self) -> &str {
        self.finding.remedy.as_deref().unwrap_or(&self.spec.hint)
    }

    /// Puts outcomes of an earlier session before those of this one.
    pub fn precede(&mut self, earlier: &[Mark]) {
        let room = STRIP.saturating_sub(self.strip.len());
        for mark in earlier.iter().rev().take(room) {
            self.strip.push_front(*mark);
        }
    }

    /// Counts a raw outcome and adds it to the strip, forgetting the oldest beyond the cap.
    pub fn note(&mut self, mark: Mark) {
        self.tally.add(mark);
        if self.strip.len() == STRIP {
            self.strip.pop_front();
        }
        self.strip.push_back(mark);
    }
}
