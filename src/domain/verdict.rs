use super::{
    Blocker, CheckId, CheckView, Class, HealthScore, IntegrationView, Outcome, Policy, Stands,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The answer in one word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Word {
    /// It may go.
    #[serde(rename = "GO")]
    Go,
    /// Nobody knows yet.
    #[default]
    #[serde(rename = "HOLD")]
    Hold,
    /// It may not go.
    #[serde(rename = "NO-GO")]
    NoGo,
}

/// The rule that decided. They are tried in this order.
///
/// Rule 1, a bad configuration or an empty selection, gives no verdict at all
/// and is an error before there is anything to judge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// 2: a blocker fails or runs on a fallback, or we left something behind.
    Blocked,
    /// 3: a blocker is unknown, blocked, stale or has not run since the deploy.
    #[default]
    Undecided,
    /// 3: the settle time after the deploy is not over.
    Settling,
    /// 3: too little of what applies was freshly executed.
    Coverage,
    /// 4: the score is under the configured floor.
    Floor,
    /// 4: a major check that passed before fails now.
    Regressed,
    /// 5: nothing stands in the way.
    Clear,
}

/// May this go to production, and which rule says so.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The answer.
    pub word: Word,
    /// What decided it.
    pub rule: Rule,
    /// The checks that it rests on, worst first; none where the rule is about numbers.
    pub because: Vec<CheckId>,
    /// Blockers that somebody answers for.
    pub accepted: usize,
    /// Entries on the checklist.
    pub warnings: usize,
    /// The deciding rule in a clause, its numbers in it.
    pub reason: String,
}

impl Word {
    /// As it is written everywhere.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Go => "GO",
            Self::Hold => "HOLD",
            Self::NoGo => "NO-GO",
        }
    }
}

impl Rule {
    /// Its number in the documentation.
    pub fn number(self) -> u8 {
        match self {
            Self::Blocked => 2,
            Self::Undecided | Self::Settling | Self::Coverage => 3,
            Self::Floor | Self::Regressed => 4,
            Self::Clear => 5,
        }
    }
}

impl Verdict {
    /// Judges what stands at `now`. The first rule that matches decides.
    pub fn of(
        views: &[impl AsRef<IntegrationView>],
        blockers: &[Blocker],
        policy: &Policy,
        now: Duration,
    ) -> Self {
        let score = HealthScore::overall(views.iter().map(AsRef::as_ref));
        let (word, rule, because, reason) = no_go(blockers)
            .or_else(|| hold(blockers, policy, now, score))
            .or_else(|| floor(views, policy, score))
            .unwrap_or_else(|| (Word::Go, Rule::Clear, vec![], "nothing stands in the way".into()));
        let listed = |wanted: &dyn Fn(&Blocker) -> bool| {
            blockers.iter().filter(|b| b.cleared.is_none() && wanted(b)).count()
        };
        Self {
            word,
            rule,
            because,
            accepted: listed(&|b| b.accepted.is_some() && b.stands > Stands::Checklist),
            warnings: listed(&|b| b.stands == Stands::Checklist),
            reason,
        }
    }
}

type Decision = (Word, Rule, Vec<CheckId>, String);

fn no_go(blockers: &[Blocker]) -> Option<Decision> {
    let standing = open(blockers, |stands| stands >= Stands::NoGo);
    let reason = counted(standing.len(), "blocker");
    (!standing.is_empty()).then_some((Word::NoGo, Rule::Blocked, standing, reason))
}

fn hold(
    blockers: &[Blocker],
    policy: &Policy,
    now: Duration,
    score: Option<HealthScore>,
) -> Option<Decision> {
    let undecided = open(blockers, |stands| stands == Stands::Hold);
    if !undecided.is_empty() {
        let reason = format!("{} not known", counted(undecided.len(), "blocker"));
        return Some((Word::Hold, Rule::Undecided, undecided, reason));
    }
    let settled = policy.deployed.map(|deployed| deployed + policy.settle);
    if settled.is_some_and(|settled| now < settled) {
        let reason = format!("settling for {} s after the deploy", policy.settle.as_secs());
        return Some((Word::Hold, Rule::Settling, vec![], reason));
    }
    let coverage = score.map_or(0, |score| score.coverage);
    if coverage < policy.min_coverage || score.is_none() {
        let reason = format!("coverage {coverage} %, at least {} wanted", policy.min_coverage);
        return Some((Word::Hold, Rule::Coverage, vec![], reason));
    }
    None
}

fn floor(
    views: &[impl AsRef<IntegrationView>],
    policy: &Policy,
    score: Option<HealthScore>,
) -> Option<Decision> {
    let percent = score.map_or(0, |score| score.percent);
    if let Some(floor) = policy.min_score.filter(|floor| percent < *floor) {
        let reason = format!("score {percent}, at least {floor} wanted");
        return Some((Word::NoGo, Rule::Floor, vec![], reason));
    }
    let regressed = |check: &&CheckView| {
        check.spec.class == Class::Major
            && *check.outcome() == Outcome::Fail
            && policy.passed_before.contains(&check.id)
    };
    let checks = views.iter().flat_map(|view| &view.as_ref().checks);
    let because: Vec<CheckId> = checks.filter(regressed).map(|check| check.id.clone()).collect();
    let reason = format!("{} since the baseline", counted(because.len(), "regression"));
    (!because.is_empty()).then_some((Word::NoGo, Rule::Regressed, because, reason))
}

fn open(blockers: &[Blocker], stands: impl Fn(Stands) -> bool) -> Vec<CheckId> {
    let open = blockers.iter().filter(|blocker| blocker.is_open() && stands(blocker.stands));
    open.map(|blocker| blocker.check.clone()).collect()
}

fn counted(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}
