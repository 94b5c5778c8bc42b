use super::Timestamp;
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, time::Duration};

/// What is deployed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct App {
    /// What the user calls it.
    pub name: String,
    /// The version that it serves, once that is known.
    pub version: Option<String>,
}

/// The moment from which on evidence counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deploy {
    /// When, since the engine started.
    pub at: Duration,
    /// The same moment on the wall.
    pub wall: Timestamp,
    /// The version that went out, if that is known.
    pub version: Option<String>,
    /// The one before.
    pub was: Option<String>,
}

impl Deploy {
    /// What to call it: its version, or only what it is.
    pub fn name(&self) -> Cow<'_, str> {
        self.version.as_deref().map_or(Cow::Borrowed("deploy"), Cow::Borrowed)
    }

    /// What happened, in a clause.
    pub fn says(&self, app: Option<&App>) -> String {
        let app = app.map_or("", |app| &app.name);
        match (&self.version, &self.was) {
            (Some(version), Some(was)) => format!("deploy of {app}: {version}, was {was}"),
            (Some(version), None) => format!("deploy of {app}: {version}"),
            (None, _) => "deploy: from here on only what is seen afterwards counts".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        Blocker, Cause, CheckView, Class, Finding, IntegrationView, Ledger, Policy, Rule, Stands,
        Verdict, sample,
    };
    use std::sync::Arc;

    const NOW: Duration = Duration::from_secs(100);

    fn deploy() -> Deploy {
        Deploy { at: NOW, wall: Timestamp(0), version: None, was: None }
    }

    fn views(checks: Vec<CheckView>) -> [Arc<IntegrationView>; 1] {
        [Arc::new(sample::integration("test", "Test", checks))]
    }

    fn judged(checks: Vec<CheckView>, policy: &Policy) -> Verdict {
        let views = views(checks);
        let mut ledger = Ledger::default();
        ledger.fold(&views, policy, NOW, Timestamp(0));
        Verdict::of(&views, &ledger.list(), policy, NOW)
    }

    fn proved(at: Duration, name: &str, finding: Finding) -> CheckView {
        CheckView { proved: Some(at), ..sample::check(name, 1, finding) }
    }

    fn of(deploy: Deploy, settle: u64) -> Policy {
        let settle = Duration::from_secs(settle);
        Policy { deploy: Some(deploy), settle, ..Policy::default() }
    }

    #[test]
    fn evidence_from_before_the_deploy_does_not_count() {
        let just_before = NOW.checked_sub(Duration::from_nanos(1)).unwrap();
        let (pass, fail) = (|| Finding::pass("ok"), || Finding::fail("no"));
        let unknown = || Finding::unknown(Cause::NoSamples, "none");
        let before = |name, finding| proved(just_before, name, finding);
        let after = |name, finding| proved(NOW, name, finding);
        let unclear = Rule::Undecided;
        let cases = [
            (vec![after("a", pass())], Rule::Clear, "nothing stands in the way"),
            (vec![before("a", pass())], unclear, "1 check not run since the deploy"),
            (
                vec![before("a", fail()), before("b", pass())],
                unclear,
                "2 checks not run since the deploy",
            ),
            (
                vec![after("a", unknown()), before("b", pass())],
                unclear,
                "1 blocker not known, 1 check not run since the deploy",
            ),
            (vec![after("a", fail()), before("b", pass())], Rule::Blocked, "1 blocker"),
        ];
        for (checks, rule, reason) in cases {
            let verdict = judged(checks, &of(deploy(), 0));
            assert_eq!((verdict.rule, verdict.reason.as_str()), (rule, reason));
        }
    }

    #[test]
    fn it_settles_for_a_while_whatever_passes() {
        let after = || vec![proved(NOW, "a", Finding::pass("ok"))];
        for (settle, expected) in [(0, Rule::Clear), (1, Rule::Settling), (300, Rule::Settling)] {
            let policy = of(deploy(), settle);
            assert_eq!(judged(after(), &policy).rule, expected, "{settle}");
            let over = Verdict::of(&views(after()), &[], &policy, NOW + policy.settle);
            assert_eq!(over.rule, Rule::Clear, "it ends with that moment");
        }
        for (settle, says) in [(300, "5m"), (90, "90s"), (7200, "2h")] {
            let reason = judged(after(), &of(deploy(), settle)).reason;
            assert_eq!(reason, format!("settling for {says} after the deploy"));
        }
    }

    #[test]
    fn a_regression_that_was_seen_before_the_deploy_does_not_count_either() {
        let fail = |at| {
            let mut check = proved(at, "m", Finding::fail("no"));
            check.spec.class = Class::Major;
            check
        };
        let fine = || CheckView { spec: heavy(), ..proved(NOW, "fine", Finding::pass("ok")) };
        let id = views(vec![fail(NOW)])[0].checks[0].id.clone();
        let policy = Policy { passed_before: vec![id], ..of(deploy(), 0) };
        assert_eq!(judged(vec![fine(), fail(Duration::ZERO)], &policy).rule, Rule::Clear);
        assert_eq!(judged(vec![fine(), fail(NOW)], &policy).rule, Rule::Regressed);
    }

    fn heavy() -> crate::domain::CheckSpec {
        sample::check("fine", 9, Finding::pass("ok")).spec
    }

    #[test]
    fn what_stood_before_a_deploy_keeps_its_number_while_it_waits() {
        let mut ledger = Ledger::default();
        let checks = |at| {
            let checks = [("a", Finding::fail("no")), ("b", Finding::pass("ok"))];
            views(checks.map(|(name, finding)| proved(at, name, finding)).into())
        };
        let mut told = |checks: [Arc<IntegrationView>; 1], policy: Policy| {
            ledger.fold(&checks, &policy, NOW, Timestamp(0));
            let told = |it: &Blocker| (it.label(), it.stands, it.summary.clone());
            ledger.list().iter().map(told).collect::<Vec<_>>()
        };
        let stands = |label: &str, stands, says: &str| (label.to_owned(), stands, says.to_owned());
        let fails = [stands("B1", Stands::NoGo, "no")];
        assert_eq!(told(checks(Duration::ZERO), Policy::default()), fails);
        let waiting = [
            stands("B1", Stands::Waiting, "no"),
            stands("--", Stands::Waiting, "not run since the deploy"),
        ];
        assert_eq!(told(checks(Duration::ZERO), of(deploy(), 0)), waiting);
        assert_eq!(told(checks(NOW), of(deploy(), 0)), fails);
    }
}
