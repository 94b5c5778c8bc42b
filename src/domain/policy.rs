use super::{CheckId, Timestamp};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A blocker that somebody answers for, with a reason and an end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acceptance {
    /// The one check that it is about.
    pub check: CheckId,
    /// Why it is acceptable.
    pub reason: String,
    /// Who says so.
    pub owner: Option<String>,
    /// Until when; afterwards it is as if it were not there.
    pub until: Timestamp,
}

/// What the verdict is judged by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Freshly executed share of everything that applies, in percent, under which it is HOLD.
    pub min_coverage: u8,
    /// Overall score under which it is NO-GO.
    pub min_score: Option<u8>,
    /// How long after the deploy it stays HOLD whatever the checks say.
    pub settle: Duration,
    /// When the deploy was, since the engine started. Older evidence does not count.
    pub deployed: Option<Duration>,
    /// Checks that passed when the baseline was taken. A major one that fails now is NO-GO.
    pub passed_before: Vec<CheckId>,
    /// Blockers that somebody answers for.
    pub accepted: Vec<Acceptance>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            min_coverage: 50,
            min_score: None,
            settle: Duration::ZERO,
            deployed: None,
            passed_before: Vec::new(),
            accepted: Vec::new(),
        }
    }
}

impl Policy {
    /// The acceptance of `check` that holds at `wall`, if there is one.
    pub fn acceptance(&self, check: &CheckId, wall: Timestamp) -> Option<&Acceptance> {
        self.accepted.iter().find(|accepted| accepted.check == *check && wall < accepted.until)
    }
}
