use super::{Baseline, CheckId, CheckView, Deploy, Timestamp};
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};

/// Characters that a reason for an acceptance has at least.
pub const SHORTEST_REASON: usize = 10;
/// Days that an acceptance may hold at most: what lasts longer is to be mended.
pub const ACCEPTANCE_DAYS: u64 = 30;
/// The same as a span.
pub const LONGEST_ACCEPTANCE: Duration = Duration::from_hours(ACCEPTANCE_DAYS * 24);

/// A blocker that somebody answers for, with a reason and an end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acceptance {
    /// The one check that it is about.
    pub check: CheckId,
    /// The pattern that named it among others, if one did.
    pub pattern: Option<String>,
    /// Why it is acceptable.
    pub reason: String,
    /// Who says so.
    pub owner: Option<String>,
    /// Until when; afterwards it is as if it were not there.
    pub until: Timestamp,
}

impl Acceptance {
    /// What was named: the pattern, or the check.
    pub fn named(&self) -> &str {
        self.pattern.as_deref().unwrap_or(self.check.as_str())
    }
}

/// What the verdict is judged by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// Freshly executed share of everything that applies, in percent, under which it is HOLD.
    pub min_coverage: u8,
    /// Overall score under which it is NO-GO.
    pub min_score: Option<u8>,
    /// How long after the deploy it stays HOLD whatever the checks say.
    pub settle: Duration,
    /// The last deploy. Older evidence does not count.
    pub deploy: Option<Deploy>,
    /// What is compared with, if anything is.
    pub against: Option<Arc<Baseline>>,
    /// Checks that passed when the baseline was taken. A major one that fails now is NO-GO.
    pub passed_before: Vec<CheckId>,
    /// Each check of the baseline, and whether it stood in the way then.
    pub before: Vec<(CheckId, bool)>,
    /// Blockers that somebody answers for.
    pub accepted: Vec<Acceptance>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            min_coverage: 50,
            min_score: None,
            settle: Duration::ZERO,
            deploy: None,
            against: None,
            passed_before: Vec::new(),
            before: Vec::new(),
            accepted: Vec::new(),
        }
    }
}

impl Policy {
    /// Whether what is known of `check` is from before the deploy.
    pub fn is_before_deploy(&self, check: &CheckView) -> bool {
        self.deploy.as_ref().map(|deploy| deploy.at) > check.proved
    }

    /// When the settle time after the deploy is over, if there was one.
    pub fn settled(&self) -> Option<Duration> {
        self.deploy.as_ref().map(|deploy| deploy.at + self.settle)
    }

    /// Whether `check` did not stand in the way when the baseline was taken; `None` where
    /// nobody knows.
    pub fn is_new(&self, check: &CheckId) -> Option<bool> {
        self.before.iter().find(|(known, _)| known == check).map(|(_, stood)| !stood)
    }

    /// Whether `check`, which fails, passed when the baseline was taken.
    pub(super) fn has_regressed(&self, check: &CheckView) -> bool {
        self.passed_before.contains(&check.id) && !self.is_before_deploy(check)
    }

    /// The acceptance of `check` that holds at `wall`, if there is one.
    pub fn acceptance(&self, check: &CheckId, wall: Timestamp) -> Option<&Acceptance> {
        self.accepted.iter().find(|accepted| accepted.check == *check && wall < accepted.until)
    }

    /// Takes back what holds up `check`.
    pub fn take_back(&mut self, check: &CheckId) {
        self.accepted.retain(|other| other.check != *check);
    }

    /// Adds an acceptance, in place of an older one of the same check.
    pub fn accept(&mut self, acceptance: Acceptance) {
        self.take_back(&acceptance.check);
        self.accepted.push(acceptance);
    }
}
