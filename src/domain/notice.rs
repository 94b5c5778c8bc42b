use super::{Acceptance, Blocker, CheckView, IntegrationView, Outcome, Policy, Timestamp};
use serde::{Deserialize, Serialize};

/// What a notice is about; the console has one at a time about each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// The configuration.
    Configuration,
    /// What is kept on disk.
    History,
    /// A blocker that somebody answers, or answered, for.
    Acceptance,
    /// The version of what is deployed.
    Version,
}

/// Something about the console itself that the user has to know, for as long as it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// What it is about.
    pub topic: Topic,
    /// One sentence.
    pub says: String,
}

impl Policy {
    /// Which acceptances hold nothing up: those that have ended, and those whose
    /// checks all pass. Each as a sentence, in their order.
    pub fn idle(
        &self,
        views: &[impl AsRef<IntegrationView>],
        blockers: &[Blocker],
        wall: Timestamp,
    ) -> Vec<Notice> {
        let mut seen: Vec<(&str, Timestamp)> = Vec::new();
        let mut notices = Vec::new();
        for one in &self.accepted {
            let key = (one.named(), one.until);
            if seen.contains(&key) {
                continue;
            }
            seen.push(key);
            let same: Vec<&Acceptance> =
                self.accepted.iter().filter(|it| (it.named(), it.until) == key).collect();
            let name = one.named();
            let says = if one.until <= wall {
                format!("the acceptance of {name} has ended, and no longer counts")
            } else if same.iter().all(|it| passes(&it.check, views, blockers)) {
                format!("{name} passes: its acceptance can go")
            } else {
                continue;
            };
            notices.push(Notice { topic: Topic::Acceptance, says });
        }
        notices
    }
}

/// Whether there is nothing to answer for. One that has not run may yet need it.
fn passes(
    id: &super::CheckId,
    views: &[impl AsRef<IntegrationView>],
    blockers: &[Blocker],
) -> bool {
    let checks = views.iter().flat_map(|view| &view.as_ref().checks);
    let fine = |check: &CheckView| match check.outcome() {
        Outcome::Pass => !check.finding.fallback,
        Outcome::Skipped(_) => true,
        Outcome::Warn | Outcome::Fail | Outcome::Unknown(_) | Outcome::Blocked(_) => false,
    };
    !blockers.iter().any(|it| it.stands_at(id)) && checks.filter(|check| check.id == *id).all(fine)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Finding, Ledger, sample};
    use std::time::Duration;

    const WALL: Timestamp = Timestamp(1_000_000);

    fn said(until: i64, findings: [Finding; 2]) -> Vec<String> {
        let checks = ["a", "b"].into_iter().zip(findings);
        let checks = checks.map(|(name, finding)| sample::check(name, 1, finding)).collect();
        let view = std::sync::Arc::new(sample::integration("test", "Test", checks));
        let accept = |name| Acceptance {
            check: view.id.check(name),
            pattern: Some("test.*".into()),
            reason: "mended with the next release".into(),
            owner: None,
            until: Timestamp(until),
        };
        let policy = Policy { accepted: vec![accept("a"), accept("b")], ..Policy::default() };
        let mut ledger = Ledger::default();
        ledger.fold(std::slice::from_ref(&view), &policy, Duration::ZERO, WALL);
        let notices = policy.idle(&[view], &ledger.list(), WALL);
        notices.into_iter().map(|notice| notice.says).collect()
    }

    #[test]
    fn an_acceptance_that_holds_nothing_up_is_told_once() {
        let (pass, fail) = (|| Finding::pass("ok"), || Finding::fail("no"));
        let nothing: [&str; 0] = [];
        assert_eq!(said(WALL.0 + 1, [pass(), fail()]), nothing, "one of them needs it");
        assert_eq!(said(WALL.0 + 1, [pass(), pass().on_fallback()]), nothing);
        let removable = ["test.* passes: its acceptance can go"];
        assert_eq!(said(WALL.0 + 1, [pass(), pass()]), removable);
        let ended = ["the acceptance of test.* has ended, and no longer counts"];
        assert_eq!(said(WALL.0, [fail(), fail()]), ended);
    }
}
