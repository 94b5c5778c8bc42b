use super::accepted;
use crate::{
    domain::{CheckId, CheckView, Outcome, Snapshot, Word},
    units,
};
use serde_json::Value;
use std::fmt::Write as _;

/// For harnesses that read the Test Anything Protocol, version 14: a point for
/// each check, and a last one for the verdict.
///
/// What somebody answers for, and what waits for another check, is marked `TODO`:
/// a harness shows it and does not fail for it.
pub fn tap(snapshot: &Snapshot) -> String {
    let checks: Vec<&CheckView> =
        snapshot.integrations.iter().flat_map(|view| &view.checks).collect();
    let mut text = format!("TAP version 14\n1..{}\n", checks.len() + 1);
    for notice in &snapshot.notices {
        let _infallible = writeln!(text, "# {}", escape(&notice.says));
    }
    for (number, check) in (1..).zip(&checks) {
        point(number, check, snapshot, &mut text);
    }
    verdict(checks.len() + 1, snapshot, &mut text);
    text
}

// Writing to a String cannot fail.
fn point(number: usize, check: &CheckView, snapshot: &Snapshot, text: &mut String) {
    let finding = &check.finding;
    let (id, summary) = (check.id.as_str(), escape(&finding.summary));
    let todo = accepted(check, snapshot).and_then(|it| it.accepted.as_ref()).map(|acceptance| {
        let (until, reason) = (units::rfc3339(acceptance.until), escape(&acceptance.reason));
        format!(" # TODO accepted until {until}: {reason}")
    });
    let (ok, directive) = match check.outcome() {
        Outcome::Pass | Outcome::Warn => ("ok", None),
        Outcome::Fail | Outcome::Unknown(_) => ("not ok", todo),
        Outcome::Blocked(by) => {
            ("not ok", todo.or_else(|| Some(format!(" # TODO blocked by {}", escape(by)))))
        }
        Outcome::Skipped(_) => ("ok", Some(format!(" # SKIP {summary}"))),
    };
    let directive = directive.unwrap_or_default();
    let _infallible = writeln!(text, "{ok} {number} - {id}: {summary}{directive}");
    if matches!(check.outcome(), Outcome::Warn | Outcome::Fail | Outcome::Unknown(_)) {
        let evidence = &finding.evidence;
        let said = [
            ("severity", check.outcome().word()),
            ("asked", &evidence.asked),
            ("wanted", &evidence.wanted),
            ("got", &evidence.reply),
            ("do", check.remedy()),
        ];
        diagnostics(&said, text);
    }
}

fn verdict(number: usize, snapshot: &Snapshot, text: &mut String) {
    let verdict = &snapshot.verdict;
    let ok = if verdict.word == Word::Go { "ok" } else { "not ok" };
    let (word, rule) = (verdict.word.as_str(), verdict.rule.number());
    let reason = escape(&verdict.reason);
    let _infallible = writeln!(text, "{ok} {number} - verdict {word}, rule {rule}: {reason}");
    if verdict.word != Word::Go {
        let because: Vec<&str> = verdict.because.iter().map(CheckId::as_str).collect();
        diagnostics(&[("because", &because.join(", "))], text);
    }
}

/// A block of YAML, every value in quotes: JSON's are YAML's too.
fn diagnostics(said: &[(&str, &str)], text: &mut String) {
    text.push_str("  ---\n");
    for (name, value) in said.iter().filter(|(_, value)| !value.is_empty()) {
        let _infallible = writeln!(text, "  {name}: {}", Value::from(*value));
    }
    text.push_str("  ...\n");
}

/// Text in which nothing begins a directive.
fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('#', "\\#").replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{Finding, Policy, sample as values},
        surface::sample,
    };

    #[test]
    fn the_plan_counts_the_points_and_the_verdict_is_the_last() {
        let text = tap(&sample::seed());
        let mut points =
            text.lines().filter(|it| it.starts_with("ok ") || it.starts_with("not ok "));
        let planned = text.lines().nth(1).unwrap().strip_prefix("1..").unwrap();
        assert_eq!(points.clone().count().to_string(), planned);
        assert!(
            points.next_back().unwrap().contains("verdict NO-GO, rule 2: 3 blockers"),
            "{text}"
        );
    }

    #[test]
    fn each_outcome_has_its_line() {
        let checks = vec![
            values::check("a", 1, Finding::pass("ok")),
            values::check("b", 1, Finding::warn("slow")),
            values::check("c", 1, Finding::fail("wrong # TODO \\ later")),
            values::check("d", 1, Finding::new(Outcome::Blocked("a".into()), "waits")),
            values::check("e", 1, Finding::skipped(crate::domain::Skip::NotApplicable, "none")),
        ];
        let view = values::integration("x", "X", checks);
        insta::assert_snapshot!(tap(&sample::of([view], &Policy::default())), @r#"
        TAP version 14
        1..6
        ok 1 - x.a: ok
        ok 2 - x.b: slow
          ---
          severity: "warn"
          do: "look at it"
          ...
        not ok 3 - x.c: wrong \# TODO \\ later
          ---
          severity: "fail"
          do: "look at it"
          ...
        not ok 4 - x.d: waits # TODO blocked by a
        ok 5 - x.e: none # SKIP none
        not ok 6 - verdict NO-GO, rule 2: 1 blocker
          ---
          because: "x.c"
          ...
        "#);
    }

    #[test]
    fn what_somebody_answers_for_is_to_be_done_until_then() {
        let text = tap(&sample::accepted());
        assert!(
            text.contains("# TODO accepted until 2026-11-24T02:13:20.000Z: contract"),
            "{text}"
        );
    }
}
