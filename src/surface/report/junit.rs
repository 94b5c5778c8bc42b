use super::{accepted, flags};
use crate::{
    domain::{CheckId, CheckView, IntegrationView, Outcome, Snapshot, Word},
    units,
};
use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};

/// For build servers: a suite for each integration, and one for the verdict.
///
/// The verdict is a case of its own, because a suite of passing fallbacks is
/// green and still no GO.
pub fn junit(snapshot: &Snapshot) -> String {
    let mut report = Report::new("tminus");
    report.add_test_suites(snapshot.integrations.iter().map(|view| suite(view, snapshot)));
    report.add_test_suite(verdict(snapshot));
    // It is written into memory and holds no text that XML cannot, so it cannot fail.
    let text = report.to_string().unwrap_or_default();
    // Each suite counts what it skips; a count of all of them is in no schema.
    text.replacen(&format!(" skipped=\"{}\"", report.skipped), "", 1)
}

fn suite(view: &IntegrationView, snapshot: &Snapshot) -> TestSuite {
    let mut suite = TestSuite::new(view.id.as_str());
    let mut property = |name: &str, value: &str| {
        suite.add_property(Property::new(name, value));
    };
    property("target", &view.target.name);
    property("status", view.status.word());
    if let Some(score) = view.score {
        property("score", &score.percent.to_string());
        property("coverage", &score.coverage.to_string());
    }
    suite.add_test_cases(view.checks.iter().map(|check| case(check, snapshot)));
    suite
}

fn case(check: &CheckView, snapshot: &Snapshot) -> TestCase {
    let mut case = TestCase::new(check.id.name(), status(check, snapshot));
    case.set_classname(check.id.integration().as_str()).set_time(check.took);
    // The schemas that build servers hold a file against know no properties of a case.
    let mut lines = vec![format!("outcome: {}", check.outcome().word())];
    lines.extend(flags(check, snapshot).into_iter().map(|flag| format!("flag: {flag}")));
    if *check.outcome() == Outcome::Warn {
        lines.extend([check.finding.summary.clone(), check.remedy().to_owned()]);
    }
    case.set_system_out(lines.join("\n"));
    case
}

fn status(check: &CheckView, snapshot: &Snapshot) -> TestCaseStatus {
    let summary = check.finding.summary.as_str();
    let acceptance = accepted(check, snapshot).and_then(|it| it.accepted.as_ref());
    match (check.outcome(), acceptance) {
        (Outcome::Pass | Outcome::Warn, _) => TestCaseStatus::success(),
        (Outcome::Fail | Outcome::Unknown(_) | Outcome::Blocked(_), Some(acceptance)) => {
            let until = units::rfc3339(acceptance.until);
            skipped(&format!("accepted until {until}: {}", acceptance.reason))
        }
        (Outcome::Fail, None) => wrong(NonSuccessKind::Failure, check),
        (Outcome::Unknown(_), None) => wrong(NonSuccessKind::Error, check),
        (Outcome::Blocked(by), None) => skipped(&format!("blocked by {by}: {summary}")),
        (Outcome::Skipped(_), _) => skipped(summary),
    }
}

fn wrong(kind: NonSuccessKind, check: &CheckView) -> TestCaseStatus {
    let evidence = &check.finding.evidence;
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(check.finding.summary.as_str()).set_type(check.id.as_str());
    let lines = [
        ("asked", evidence.asked.as_str()),
        ("wanted", &evidence.wanted),
        ("got", &evidence.reply),
        ("do", check.remedy()),
    ];
    let lines = lines.iter().filter(|(_, text)| !text.is_empty());
    let described: Vec<String> = lines.map(|(name, text)| format!("{name}: {text}")).collect();
    status.set_description(described.join("\n"));
    status
}

fn skipped(message: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(message);
    status
}

fn verdict(snapshot: &Snapshot) -> TestSuite {
    let verdict = &snapshot.verdict;
    let kind = match verdict.word {
        Word::Go => None,
        Word::NoGo => Some(NonSuccessKind::Failure),
        Word::Hold => Some(NonSuccessKind::Error),
    };
    let status = kind.map_or_else(TestCaseStatus::success, |kind| {
        let mut status = TestCaseStatus::non_success(kind);
        let because: Vec<&str> = verdict.because.iter().map(CheckId::as_str).collect();
        status
            .set_message(format!("{}: {}", verdict.word.as_str(), verdict.reason))
            .set_type(format!("rule {}", verdict.rule.number()))
            .set_description(because.join("\n"));
        status
    });
    let mut case = TestCase::new("verdict", status);
    case.set_classname("tminus").set_time(snapshot.at.saturating_sub(snapshot.began));
    let notices: Vec<&str> = snapshot.notices.iter().map(|it| it.says.as_str()).collect();
    if !notices.is_empty() {
        case.set_system_out(notices.join("\n"));
    }
    let mut suite = TestSuite::new("tminus");
    suite.add_property(Property::new("host", snapshot.host.as_str()));
    suite.add_property(Property::new("at", units::rfc3339(snapshot.wall)));
    suite.add_test_case(case);
    suite
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{Cause, Class, Finding, Policy, Skip, sample as values},
        surface::sample,
    };

    /// The part of the report about a check with that finding.
    fn part(finding: Finding) -> String {
        let mut check = values::check("a", 1, finding);
        check.spec.class = Class::Major;
        let view = values::integration("x", "X", vec![check]);
        let text = junit(&sample::of([view], &Policy::default()));
        let (_, rest) = text.split_once("<testcase").unwrap();
        rest.split_once("</testcase>").unwrap().0.to_owned()
    }

    #[test]
    fn each_outcome_has_its_element() {
        let blocked = Finding::new(Outcome::Blocked("connect".into()), "waits");
        let absent = Finding::skipped(Skip::NotApplicable, "no such");
        let cases = [
            (Finding::pass("ok"), "<system-out>outcome: pass</", "<failure"),
            (Finding::warn("slow"), "<system-out>outcome: warn\nslow\n", "<failure"),
            (Finding::fail("wrong"), "<failure message=\"wrong\" type=\"x.a\"", "<error"),
            (Finding::unknown(Cause::NoSamples, "none"), "<error message=\"none\"", "<failure"),
            (blocked, "<skipped message=\"blocked by connect: waits\"", "<failure"),
            (absent, "<skipped message=\"no such\"", "<error"),
        ];
        for (finding, has, has_not) in cases {
            let text = part(finding);
            assert!(text.contains(has), "{has} in {text}");
            assert!(!text.contains(has_not), "{has_not} in {text}");
        }
    }

    #[test]
    fn what_somebody_answers_for_does_not_fail_a_build() {
        let text = junit(&sample::accepted());
        let message = "<skipped message=\"accepted until 2026-11-24T02:13:20.000Z: contract starts";
        assert!(text.contains(message), "{text}");
    }

    #[test]
    fn it_is_well_formed_whatever_a_server_said_and_counts_what_it_holds() {
        let snapshot = sample::accepted();
        let text = junit(&snapshot);
        let report = Report::deserialize_from_str(&text).unwrap();
        assert_eq!(report.test_suites.len(), 7);
        let checks: usize = snapshot.integrations.iter().map(|view| view.checks.len()).sum();
        assert_eq!(report.tests, checks + 1);
        assert_eq!(report.failures, 2, "the database and the verdict");
        let reply = "got: connection refused &lt;&amp;&gt; &lt;U+001B&gt;[31m";
        assert!(text.contains(reply), "{text}");
    }

    #[test]
    fn a_suite_of_passing_fallbacks_is_not_green() {
        let check = values::check("a", 1, Finding::pass("ok").on_fallback());
        let view = values::integration("x", "X", vec![check]);
        let text = junit(&sample::of([view], &Policy::default()));
        let verdict = "<failure message=\"NO-GO: 1 blocker\" type=\"rule 2\">x.a<";
        assert!(text.contains(verdict), "{text}");
    }
}
