use super::{
    Acceptance, Cause, CheckId, CheckView, Class, Freshness, IntegrationView, Outcome, Policy,
    Timestamp,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long a cleared blocker stays listed.
const SHOWN_CLEARED: Duration = Duration::from_secs(600);

/// How something stands in the way. Worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stands {
    /// On the pre-production checklist; it does not stop a release.
    Checklist,
    /// Nobody knows whether it may go: HOLD.
    Hold,
    /// It may not go: NO-GO.
    NoGo,
    /// We left something behind on a target: NO-GO, and nobody can accept it.
    LeftBehind,
}

/// Something that stands between now and production.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocker {
    /// B1, B2, … or, on the checklist, W1, W2, …; kept as long as it stands.
    pub number: u32,
    /// The check that it rests on: the root cause.
    pub check: CheckId,
    /// That check's class.
    pub class: Class,
    /// How it stands in the way.
    pub stands: Stands,
    /// What is wrong, in a clause.
    pub summary: String,
    /// What to do about it.
    pub remedy: String,
    /// Others that fall with the same cause.
    pub also: Vec<CheckId>,
    /// Since when, as time since the engine started.
    pub since: Duration,
    /// When it went away.
    pub cleared: Option<Duration>,
    /// Who answers for it.
    pub accepted: Option<Acceptance>,
}

impl Blocker {
    /// Whether it stands and nobody answers for it.
    pub fn is_open(&self) -> bool {
        self.stands > Stands::Checklist && self.cleared.is_none() && self.accepted.is_none()
    }

    /// `B3`, or `W1` for one on the checklist.
    pub fn label(&self) -> String {
        let letter = if self.stands == Stands::Checklist { 'W' } else { 'B' };
        format!("{letter}{}", self.number)
    }
}

/// Blockers over time: gives each its number and remembers the cleared ones.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    blockers: Vec<Blocker>,
    given: [u32; 2],
}

impl Ledger {
    /// Folds in what stands in the way at `now`.
    pub fn fold(
        &mut self,
        views: &[impl AsRef<IntegrationView>],
        policy: &Policy,
        now: Duration,
        wall: Timestamp,
    ) {
        let mut standing = Vec::new();
        for view in views {
            collect(view.as_ref(), policy, &mut standing);
        }
        for known in &mut self.blockers {
            let same = |found: &Blocker| same(known, found);
            match standing.iter().position(same).map(|at| standing.swap_remove(at)) {
                Some(found) => {
                    let since = if known.cleared.is_some() { now } else { known.since };
                    *known = Blocker { number: known.number, since, ..found };
                }
                None => known.cleared = known.cleared.or(Some(now)),
            }
        }
        standing.sort_by(|a, b| a.since.cmp(&b.since).then_with(|| a.check.cmp(&b.check)));
        for found in standing {
            let given = &mut self.given[usize::from(found.stands == Stands::Checklist)];
            *given += 1;
            self.blockers.push(Blocker { number: *given, ..found });
        }
        self.blockers.retain(|known| known.cleared.is_none_or(|at| now < at + SHOWN_CLEARED));
        for known in &mut self.blockers {
            let may_be = known.stands != Stands::LeftBehind;
            known.accepted = policy.acceptance(&known.check, wall).filter(|_| may_be).cloned();
        }
    }

    /// What stands in the way: open, accepted, on the checklist, cleared.
    pub fn list(&self) -> Vec<Blocker> {
        let mut list = self.blockers.clone();
        let rank = |blocker: &Blocker| {
            let checklist = blocker.stands == Stands::Checklist;
            (blocker.cleared.is_some(), checklist, blocker.accepted.is_some(), blocker.number)
        };
        list.sort_by_key(rank);
        list
    }
}

fn same(known: &Blocker, found: &Blocker) -> bool {
    let listed = |blocker: &Blocker| blocker.stands == Stands::Checklist;
    known.check == found.check && listed(known) == listed(found)
}

/// What stands in the way in one integration, one entry per root cause.
fn collect(view: &IntegrationView, policy: &Policy, into: &mut Vec<Blocker>) {
    let first = into.len();
    for check in &view.checks {
        let Some(stands) = stands(check, policy) else { continue };
        let root = into[first..].iter_mut().find(|root| explains(root, view, check));
        match root {
            Some(root) => {
                root.also.push(check.id.clone());
                root.stands = root.stands.max(stands);
            }
            None => into.push(entry(check, stands)),
        }
    }
}

fn entry(check: &CheckView, stands: Stands) -> Blocker {
    let summary = match (check.freshness, check.finding.receipt.left) {
        (Freshness::Expired, _) => format!("{}: no answer for too long", check.spec.title),
        (_, 0) => check.finding.summary.clone(),
        (_, left) => format!("{left} of our own keys are still on the target"),
    };
    Blocker {
        number: 0,
        check: check.id.clone(),
        class: check.spec.class,
        stands,
        summary,
        remedy: check.remedy().into(),
        also: Vec::new(),
        since: check.since,
        cleared: None,
        accepted: None,
    }
}

/// Whether `root` is why `check` stands in the way too.
fn explains(root: &Blocker, view: &IntegrationView, check: &CheckView) -> bool {
    let Some(other) = view.checks.iter().find(|other| other.id == root.check) else { return false };
    if check.finding.receipt.left > 0 {
        return false;
    }
    match check.outcome() {
        Outcome::Blocked(by) => other.spec.name == *by,
        Outcome::Unknown(Cause::NotRun) => *other.outcome() == Outcome::Unknown(Cause::NotRun),
        Outcome::Pass => check.finding.fallback && other.finding.fallback,
        Outcome::Warn | Outcome::Fail | Outcome::Unknown(_) | Outcome::Skipped(_) => false,
    }
}

/// How a check stands in the way, if it does.
fn stands(check: &CheckView, policy: &Policy) -> Option<Stands> {
    if check.finding.receipt.left > 0 {
        return Some(Stands::LeftBehind);
    }
    let before_deploy = policy.deployed > check.ended;
    match (check.spec.class, check.outcome()) {
        (Class::Info, _) | (_, Outcome::Skipped(_)) => None,
        (Class::Blocker, _) if before_deploy => Some(Stands::Hold),
        (Class::Blocker, Outcome::Fail) => Some(Stands::NoGo),
        (Class::Blocker, Outcome::Unknown(_) | Outcome::Blocked(_)) => Some(Stands::Hold),
        (Class::Blocker, _) if check.finding.fallback => Some(Stands::NoGo),
        (Class::Blocker, _) if check.freshness != Freshness::Fresh => Some(Stands::Hold),
        (_, Outcome::Pass | Outcome::Unknown(Cause::NotRun)) => None,
        (_, Outcome::Warn | Outcome::Fail | Outcome::Unknown(_) | Outcome::Blocked(_)) => {
            Some(Stands::Checklist)
        }
    }
}
