use super::{accepted, deployed, flags, is_plain_pass, needs_remedy, shifts};
use crate::{
    domain::{Blocker, CheckView, IntegrationView, Snapshot, Stands},
    units,
};
use std::fmt::Write as _;

/// For a pull request or a wiki: the verdict, what stands in the way, then what
/// was looked at. Text from outside is escaped, so that it stays text.
pub fn markdown(snapshot: &Snapshot) -> String {
    let mut text = String::new();
    verdict(snapshot, &mut text);
    blockers(snapshot, &mut text);
    shifts::section(snapshot, &mut text);
    notices(snapshot, &mut text);
    integrations(snapshot, &mut text);
    for view in &snapshot.integrations {
        checks(view, snapshot, &mut text);
    }
    text
}

// Writing to a String cannot fail.
fn verdict(snapshot: &Snapshot, text: &mut String) {
    let verdict = &snapshot.verdict;
    let (word, rule) = (verdict.word.as_str(), verdict.rule.number());
    let (host, at) = (escape(&snapshot.host), units::rfc3339(snapshot.wall));
    let _infallible = writeln!(text, "# {word}\n");
    let _infallible = write!(text, "Rule {rule}: {}", escape(&verdict.reason));
    if let Some(score) = snapshot.score {
        let _infallible = write!(text, "; score {}, coverage {} %", score.percent, score.coverage);
    }
    if verdict.accepted > 0 {
        let _infallible = write!(text, "; {} accepted", verdict.accepted);
    }
    let _infallible = writeln!(text, ". On {host} at {at}.");
    if let Some(says) = deployed(snapshot) {
        let _infallible = writeln!(text, "Deployed: {}.", escape(&says));
    }
}

fn blockers(snapshot: &Snapshot, text: &mut String) {
    let standing = snapshot.blockers.iter().filter(|it| it.cleared.is_none());
    let (checklist, blockers): (Vec<&Blocker>, Vec<&Blocker>) =
        standing.partition(|it| it.stands == Stands::Checklist);
    for (title, list) in [("Production blockers", blockers), ("Checklist", checklist)] {
        if list.is_empty() {
            continue;
        }
        let _infallible = writeln!(text, "\n## {title}\n");
        for blocker in list {
            entry(blocker, text);
        }
    }
}

fn entry(blocker: &Blocker, text: &mut String) {
    let Blocker { check, summary, remedy, also, .. } = blocker;
    let _infallible = write!(text, "- **{}** `{check}`: {}", blocker.label(), escape(summary));
    if !also.is_empty() {
        let _infallible = write!(text, " (and {} more)", also.len());
    }
    text.push('\n');
    if !remedy.is_empty() {
        let _infallible = writeln!(text, "  - do: {}", escape(remedy));
    }
    if let Some(acceptance) = &blocker.accepted {
        let (until, reason) = (units::rfc3339(acceptance.until), escape(&acceptance.reason));
        let by = acceptance.owner.as_deref().map(|owner| format!(" by {}", escape(owner)));
        let by = by.unwrap_or_default();
        let _infallible = writeln!(text, "  - accepted{by} until {until}: {reason}");
    }
}

fn notices(snapshot: &Snapshot, text: &mut String) {
    if !snapshot.notices.is_empty() {
        text.push_str("\n## Notes\n\n");
    }
    for notice in &snapshot.notices {
        let _infallible = writeln!(text, "- {}", escape(&notice.says));
    }
}

fn integrations(snapshot: &Snapshot, text: &mut String) {
    text.push_str("\n## Integrations\n\n| integration | status | score | coverage | target |\n");
    text.push_str("|---|---|---:|---:|---|\n");
    for view in &snapshot.integrations {
        let number = |number: Option<u8>| number.map_or("–".into(), |number| number.to_string());
        let (score, coverage) =
            (number(view.score.map(|it| it.percent)), number(view.score.map(|it| it.coverage)));
        let _infallible = writeln!(
            text,
            "| {} | {} | {score} | {coverage} | {} |",
            escape(&view.title),
            view.status.word(),
            escape(&view.target.name),
        );
    }
}

/// What is to be said about an integration's checks, if anything.
fn checks(view: &IntegrationView, snapshot: &Snapshot, text: &mut String) {
    let listed: Vec<&CheckView> =
        view.checks.iter().filter(|check| !is_plain_pass(check)).collect();
    if listed.is_empty() {
        return;
    }
    let _infallible = writeln!(text, "\n### {}\n", escape(&view.title));
    text.push_str("| check | outcome | what came back | what to do |\n|---|---|---|---|\n");
    for check in listed {
        let mut outcome = check.outcome().word().to_owned();
        for flag in flags(check, snapshot) {
            let _infallible = write!(outcome, ", {flag}");
        }
        let summary = escape(&check.finding.summary);
        let wanted = needs_remedy(check) && accepted(check, snapshot).is_none();
        let remedy = if wanted { escape(check.remedy()) } else { String::new() };
        let _infallible = writeln!(text, "| `{}` | {outcome} | {summary} | {remedy} |", check.id);
    }
}

/// Text in which nothing is markup: every sign that could begin some is escaped, and no
/// address becomes a link.
pub(in crate::surface) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '!' | '$' | '@' => {
                escaped.push('\\');
                escaped.push(c);
            }
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\n' | '\r' => escaped.push(' '),
            _ => escaped.push(c),
        }
    }
    escaped.replace("://", "\\://").replace("www.", "www\\.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{Finding, Policy, sample as values},
        surface::sample,
    };

    #[test]
    fn the_verdict_comes_first_and_each_blocker_says_what_to_do() {
        let text = markdown(&sample::accepted());
        insta::assert_snapshot!(text);
    }

    #[test]
    fn what_a_server_said_stays_text() {
        let hostile = "a|b <script> [x](http://y) `c` *d* # e @all";
        let check = values::check("a", 1, Finding::fail(hostile));
        let view = values::integration("x", "X", vec![check]);
        let text = markdown(&sample::of([view], &Policy::default()));
        assert!(!text.contains("<script>") && !text.contains("[x]"), "{text}");
        let row = text.lines().find(|line| line.starts_with("| `x.a`")).unwrap();
        let bars = row.replace("\\|", "").matches('|').count();
        assert_eq!(bars, 5, "{row}");
    }
}
