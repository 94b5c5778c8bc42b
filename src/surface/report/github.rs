use super::{accepted, markdown};
use crate::domain::{CheckId, CheckView, Outcome, Snapshot, Word};
use std::{cmp, fmt::Write as _};

/// Annotations of one kind that a step may show; the rest are dropped without a word.
const SHOWN: usize = 10;
/// Notes about the console itself among them.
const NOTED: usize = 3;
/// Bytes that a step's summary may have; a longer one is refused as a whole.
const SUMMARY: usize = 1_000_000;

/// For a step of GitHub Actions: workflow commands that become annotations,
/// errors first, and no more of a kind than are shown.
pub fn github(snapshot: &Snapshot) -> String {
    let mut text = String::new();
    verdict(snapshot, &mut text);
    // A kind of its own has room for these, beside what is accepted.
    for notice in snapshot.notices.iter().take(NOTED) {
        let _infallible = writeln!(text, "::notice title=T-minus::{}", message(&notice.says));
    }
    let noted = cmp::min(snapshot.notices.len(), NOTED);
    let mut checks: Vec<(Kind, &CheckView)> = snapshot
        .integrations
        .iter()
        .flat_map(|view| &view.checks)
        .filter_map(|check| kind(check, snapshot).map(|kind| (kind, check)))
        .collect();
    checks.sort_by_key(|(kind, check)| (*kind, check.spec.class));
    for kind in [Kind::Error, Kind::Warning, Kind::Notice] {
        let of_kind = checks.iter().filter(|(it, _)| *it == kind).map(|(_, check)| *check);
        // The verdict is an annotation too, whatever its kind.
        let room = SHOWN - 1 - if kind == Kind::Notice { noted } else { 0 };
        annotations(kind, &of_kind.collect::<Vec<_>>(), room, &mut text);
    }
    text
}

/// For the summary of that step, within what it may hold.
pub fn github_summary(snapshot: &Snapshot) -> String {
    let mut text = markdown(snapshot);
    if text.len() > SUMMARY {
        const CUT: &str = "\n\nThe rest is left out: a summary may not be longer.\n";
        text.truncate(text.floor_char_boundary(SUMMARY - CUT.len()));
        text.push_str(CUT);
    }
    text
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Error,
    Warning,
    Notice,
}

impl Kind {
    fn command(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
        }
    }
}

/// What blocked checks wait for is annotated; they are not.
fn kind(check: &CheckView, snapshot: &Snapshot) -> Option<Kind> {
    let wrong = match check.outcome() {
        Outcome::Fail => Some(Kind::Error),
        Outcome::Warn | Outcome::Unknown(_) => Some(Kind::Warning),
        Outcome::Pass if check.finding.fallback => Some(Kind::Warning),
        Outcome::Pass | Outcome::Blocked(_) | Outcome::Skipped(_) => None,
    };
    wrong.map(|kind| if accepted(check, snapshot).is_some() { Kind::Notice } else { kind })
}

// Writing to a String cannot fail.
fn verdict(snapshot: &Snapshot, text: &mut String) {
    let verdict = &snapshot.verdict;
    let kind = match verdict.word {
        Word::Go => Kind::Notice,
        Word::Hold => Kind::Warning,
        Word::NoGo => Kind::Error,
    };
    let because: Vec<&str> = verdict.because.iter().map(CheckId::as_str).collect();
    let because =
        if because.is_empty() { String::new() } else { format!(": {}", because.join(", ")) };
    let said = format!("rule {}, {}{because}", verdict.rule.number(), verdict.reason);
    let title = property(&format!("T-minus: {}", verdict.word.as_str()));
    let _infallible = writeln!(text, "::{} title={title}::{}", kind.command(), message(&said));
}

fn annotations(kind: Kind, checks: &[&CheckView], room: usize, text: &mut String) {
    let listed = if checks.len() > room { room - 1 } else { checks.len() };
    for check in &checks[..listed] {
        let title = property(check.id.as_str());
        let said = format!("{}\ndo: {}", check.finding.summary, check.remedy());
        let _infallible = writeln!(text, "::{} title={title}::{}", kind.command(), message(&said));
    }
    let more = cmp::max(checks.len(), listed) - listed;
    if more > 0 {
        let _infallible =
            writeln!(text, "::{} title=T-minus::{more} more in the summary", kind.command());
    }
}

/// A message as workflow commands want it.
fn message(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property's value as workflow commands want it.
fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{Finding, Policy, sample as values},
        surface::sample,
    };

    fn failing(count: usize) -> Snapshot {
        let checks = (0..count).map(|n| {
            values::check("a", 1, Finding::fail(&format!("{n} % wrong,\u{2028}here\nthere")))
        });
        let view = values::integration("x", "X", checks.collect());
        sample::of([view], &Policy::default())
    }

    #[test]
    fn errors_come_first_and_no_more_than_are_shown() {
        for (wrong, lines, last) in
            [(1, 2, "x.a"), (9, 10, "x.a"), (10, 10, "2 more"), (40, 10, "32 more")]
        {
            let text = github(&failing(wrong));
            assert_eq!(text.lines().count(), lines, "{text}");
            assert!(text.starts_with("::error title=T-minus%3A NO-GO::rule 2, "), "{text}");
            assert!(text.lines().last().unwrap().contains(last), "{text}");
        }
    }

    #[test]
    fn nothing_in_a_message_ends_it() {
        let text = github(&failing(1));
        let line = text.lines().nth(1).unwrap();
        assert!(line.starts_with("::error title=x.a::0 %25 wrong,"), "{line}");
        assert!(line.ends_with("%0Ado: look at it"), "{line}");
    }

    #[test]
    fn what_somebody_answers_for_is_a_notice() {
        let text = github(&sample::accepted());
        let google = text.lines().find(|line| line.contains("apis.google")).unwrap();
        assert!(google.starts_with("::notice "), "{text}");
    }

    #[test]
    fn a_summary_is_cut_rather_than_refused() {
        let text = github_summary(&failing(9000));
        assert!(text.len() <= SUMMARY && text.ends_with("may not be longer.\n"), "{}", text.len());
    }
}
