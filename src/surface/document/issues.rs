//! What stands between now and production: what it is, what it means, what to do.

use crate::{
    domain::{Acceptance, Blocker, CheckId, Snapshot, Stands},
    units,
};
use serde::Serialize;
use std::time::Duration;

/// A blocker, or an entry on the checklist.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Issue {
    /// `B1`, `W1`; `--` while its check has not run.
    pub label: String,
    /// The check that it rests on.
    pub check: String,
    /// What that check is.
    pub title: String,
    /// That check's class.
    pub class: &'static str,
    /// `NO-GO`, `HOLD` or `checklist`: what it does to the verdict where nobody answers for it.
    pub stands: &'static str,
    /// What is wrong, in a clause.
    pub summary: String,
    /// What it means for a release.
    pub impact: String,
    /// What to do.
    pub solution: String,
    /// Others that fall with the same cause.
    pub also: Vec<String>,
    /// Since how long it stands.
    pub age_seconds: u64,
    /// Who answers for it, until when and why.
    pub accepted: Option<Accepted>,
    /// Whether it did not stand when the baseline was taken, if that is known.
    pub new: Option<bool>,
}

/// Who answers for it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Accepted {
    /// Who.
    pub owner: Option<String>,
    /// Why.
    pub reason: String,
    /// Until when, in UTC.
    pub until: String,
}

/// What stands in the way, and what is on the checklist.
pub(super) fn of(snapshot: &Snapshot) -> (Vec<Issue>, Vec<Issue>) {
    let standing = snapshot.blockers.iter().filter(|it| it.cleared.is_none());
    let (checklist, blockers): (Vec<&Blocker>, Vec<&Blocker>) =
        standing.partition(|it| it.stands == Stands::Checklist);
    let issues = |list: Vec<&Blocker>| list.into_iter().map(|it| issue(it, snapshot)).collect();
    (issues(blockers), issues(checklist))
}

fn issue(blocker: &Blocker, snapshot: &Snapshot) -> Issue {
    let check = snapshot.check(&blocker.check);
    Issue {
        label: blocker.label(),
        check: blocker.check.to_string(),
        title: check.map(|it| it.spec.title.to_string()).unwrap_or_default(),
        class: blocker.class.word(),
        stands: match blocker.stands {
            Stands::Checklist => "checklist",
            Stands::Waiting | Stands::Hold => "HOLD",
            Stands::Regressed | Stands::NoGo | Stands::LeftBehind => "NO-GO",
        },
        summary: blocker.summary.clone(),
        impact: impact(blocker, snapshot),
        solution: blocker.remedy.clone(),
        also: blocker.also.iter().map(CheckId::to_string).collect(),
        age_seconds: snapshot.at.saturating_sub(blocker.since).as_secs(),
        accepted: blocker.accepted.as_ref().map(accepted),
        new: blocker.new,
    }
}

/// What it means for a release, by how it stands and what is at risk at its check.
fn impact(blocker: &Blocker, snapshot: &Snapshot) -> String {
    let Some(check) = snapshot.check(&blocker.check) else { return String::new() };
    let risk = &check.spec.risk;
    match blocker.stands {
        Stands::LeftBehind => {
            "what we wrote is still on the target, and does not go by itself".into()
        }
        Stands::Waiting => format!("it has not run; at worst, {risk}"),
        Stands::Hold => format!("nobody knows; at worst, {risk}"),
        Stands::NoGo if check.finding.fallback => {
            format!("a stand-in answers, which proves nothing of the real one; at worst, {risk}")
        }
        Stands::Regressed => format!("it worked before; {risk}"),
        Stands::Checklist | Stands::NoGo => risk.to_string(),
    }
}

fn accepted(acceptance: &Acceptance) -> Accepted {
    Accepted {
        owner: acceptance.owner.clone(),
        reason: acceptance.reason.clone(),
        until: units::rfc3339(acceptance.until),
    }
}

impl Issue {
    /// Since how long it stands, as people read it.
    pub fn age(&self) -> String {
        units::age(Duration::from_secs(self.age_seconds))
    }

    /// Who answers for it, or nobody.
    pub fn owner(&self) -> &str {
        let owner = self.accepted.as_ref().map(|it| it.owner.as_deref().unwrap_or("unnamed"));
        owner.unwrap_or("nobody")
    }

    /// Whether it stands in the way and nobody answers for it.
    pub fn is_open(&self) -> bool {
        self.stands != "checklist" && self.accepted.is_none()
    }
}
