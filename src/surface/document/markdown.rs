//! As Markdown, for a wiki or a pull request. Text from outside stays text.

use super::{
    Document, Evidenced, Issue, Prospect, Readiness, Section, Steps, Summary, TestRun,
    sections::seconds,
};
use crate::surface::report::escape;
use std::fmt::Write as _;

/// The whole report.
pub fn markdown(document: &Document) -> String {
    let mut text = String::new();
    head(document, &mut text);
    summary(document, &mut text);
    since(document, &mut text);
    text.push_str("\n## Integrations\n");
    for section in &document.integrations {
        integration(section, &mut text);
    }
    tests(&document.performance_tests, &mut text);
    issues(document, &mut text);
    text.push_str("\n## Optimisation opportunities\n");
    for prospect in &document.opportunities {
        opportunities(prospect, &mut text);
    }
    readiness(&document.readiness, &document.critical_issues, &mut text);
    steps(&document.next_steps, &mut text);
    conclusion(document, &mut text);
    text
}

// Writing to a String cannot fail.
fn head(document: &Document, text: &mut String) {
    let Document { host, at, run, stored, tminus_version, .. } = document;
    let from = if *stored { "kept in the history" } else { "looked at just now" };
    let (host, run) = (escape(host), escape(run));
    let _infallible = writeln!(
        text,
        "# T-minus validation report\n\nOf {host} at {at}: run {run}, {from}, by tminus {tminus_version}."
    );
    if let Some(says) = document.deployed() {
        let _infallible = writeln!(text, "{}", escape(&says));
    }
}

fn summary(document: &Document, text: &mut String) {
    let Summary { verdict, rule, reason, because, accepted, warnings, .. } = &document.summary;
    let _infallible = write!(
        text,
        "\n## Executive summary\n\n**{verdict}**: rule {rule}, {}. {}",
        escape(reason),
        overall(&document.summary)
    );
    let ids: Vec<String> = because.iter().map(|id| format!("`{id}`")).collect();
    if !ids.is_empty() {
        let _infallible = write!(text, " It rests on {}.", ids.join(", "));
    }
    let _infallible = writeln!(text, " On the checklist: {warnings}; accepted: {accepted}.\n");
    text.push_str(
        "| integration | status | score | coverage | looked at |\n|---|---|---:|---:|---|\n",
    );
    for section in &document.integrations {
        let Section { title, status, target, score, coverage, .. } = section;
        let (score, coverage) = (number(*score), number(*coverage));
        let (title, target) = (escape(title), escape(target));
        let _infallible =
            writeln!(text, "| {title} | {status} | {score} | {coverage} | {target} |");
    }
    for (at, notice) in document.notices.iter().enumerate() {
        let before = if at == 0 { "\n" } else { "" };
        let _infallible = writeln!(text, "{before}- note: {}", escape(notice));
    }
}

fn since(document: &Document, text: &mut String) {
    let Some(comparison) = &document.comparison else { return };
    let says = escape(&comparison.against());
    let _infallible = writeln!(text, "\n## Since the baseline\n\n{says}");
    let rows = comparison.rows();
    if !rows.is_empty() {
        text.push_str(
            "\n| change | check | what came back, or how far it moved |\n|---|---|---|\n",
        );
    }
    for [word, check, says] in rows {
        let _infallible = writeln!(text, "| {word} | `{check}` | {} |", escape(says));
    }
}

/// The overall score, or that there is none.
pub(super) fn overall(summary: &Summary) -> String {
    match (summary.score, summary.coverage) {
        (Some(score), Some(coverage)) => {
            format!("The overall score is {score}, of which {coverage} % rest on fresh evidence.")
        }
        (None, _) | (_, None) => "There is no score: nothing that was selected applies.".into(),
    }
}

pub(super) fn number(number: Option<u8>) -> String {
    number.map_or("–".into(), |number| number.to_string())
}

fn integration(section: &Section, text: &mut String) {
    let Section { title, status, target, latency, checks, .. } = section;
    let stand_in = if section.stand_in { " (a stand-in of ours)" } else { "" };
    let _infallible = writeln!(
        text,
        "\n### {}: {status}, {}\n\nLooked at {}{stand_in}; coverage {} %.",
        escape(title),
        number(section.score),
        escape(target),
        number(section.coverage),
    );
    if let Some(timing) = latency {
        let _infallible = writeln!(text, "{}", timing.says());
    }
    text.push_str(
        "\n| check | outcome | class | what came back | took |\n|---|---|---|---|---:|\n",
    );
    for check in checks {
        let took = check.latency_seconds.map_or_else(|| "–".into(), seconds);
        let _infallible = writeln!(
            text,
            "| `{}` | {} | {} | {} | {took} |",
            check.id,
            outcome(check),
            check.class,
            escape(&check.summary)
        );
    }
    text.push('\n');
    for check in checks.iter().filter(|check| check.has_evidence()) {
        evidence(check, text);
    }
}

fn outcome(check: &Evidenced) -> String {
    let further = check.further();
    let word = check.word();
    if further.is_empty() { word.into() } else { format!("{word}, {further}") }
}

fn evidence(check: &Evidenced, text: &mut String) {
    let mut parts: Vec<String> = Vec::new();
    for (head, says) in [("asked", &check.asked), ("wanted", &check.wanted), ("got", &check.reply)]
    {
        if !says.is_empty() {
            parts.push(format!("{head} {}", escape(says)));
        }
    }
    parts.extend(
        check.facts.iter().map(|[name, value]| format!("{} {}", escape(name), escape(value))),
    );
    let _infallible = writeln!(text, "- `{}`: {}", check.id, parts.join("; "));
    for row in check.beyond() {
        let cells: Vec<String> = row.cells.iter().map(|cell| escape(cell)).collect();
        let _infallible = writeln!(text, "  - {}: {}", row.outcome, cells.join(" · "));
    }
    for (outcome, says) in check.others() {
        let _infallible = writeln!(text, "  - {outcome}: {}", escape(&says));
    }
    if let Some(remedy) = &check.remedy {
        let _infallible = writeln!(text, "  - do: {}", escape(remedy));
    }
}

fn tests(tests: &[TestRun], text: &mut String) {
    text.push_str("\n## Performance tests\n");
    if tests.is_empty() {
        text.push_str("\nNo result is kept. `tminus perf` runs one.\n");
    }
    for test in tests {
        let (name, target) = (escape(&test.test), escape(&test.target));
        let _infallible = writeln!(
            text,
            "\n### perf {name} on {target}\n\nBegun at {}, {} before this report.\n\n| figure | value |\n|---|---|",
            test.began,
            test.age()
        );
        for [name, value] in test.rows() {
            let _infallible = writeln!(text, "| {} | {} |", escape(&name), escape(&value));
        }
    }
}

fn issues(document: &Document, text: &mut String) {
    text.push_str("\n## Critical issues\n");
    let issues = &document.critical_issues;
    if issues.is_empty() {
        let _infallible = writeln!(text, "\n{}", escape(&document.summary.without_issues()));
    }
    for issue in issues {
        let Issue { label, check, title, summary, impact, solution, stands, .. } = issue;
        let _infallible = writeln!(text, "\n### {label}: {}\n", escape(summary));
        let _infallible = writeln!(text, "- check: `{check}` ({})", escape(title));
        let _infallible =
            writeln!(text, "- verdict: {stands}, class {}{}", issue.class, novelty(issue));
        let _infallible = writeln!(text, "- impact: {}", escape(impact));
        let _infallible = writeln!(text, "- solution: {}", escape(solution));
        let _infallible = writeln!(text, "- stands for: {}", issue.age());
        if !issue.also.is_empty() {
            let also: Vec<String> = issue.also.iter().map(|id| format!("`{id}`")).collect();
            let _infallible = writeln!(text, "- with it: {}", also.join(", "));
        }
        if let Some(says) = answers_for(issue) {
            let _infallible = writeln!(text, "- accepted {}", escape(&says));
        }
    }
}

/// Whether it is new since the baseline, as the rest of a line.
pub(super) fn novelty(issue: &Issue) -> &'static str {
    match issue.new {
        Some(true) => ", new since the baseline",
        Some(false) => ", known since the baseline",
        None => "",
    }
}

/// Who answers for it, until when and why, as the rest of a line.
pub(super) fn answers_for(issue: &Issue) -> Option<String> {
    let accepted = issue.accepted.as_ref()?;
    let by = accepted.owner.as_ref().map(|owner| format!("by {owner} ")).unwrap_or_default();
    Some(format!("{by}until {}: {}", accepted.until, accepted.reason))
}

fn opportunities(prospect: &Prospect, text: &mut String) {
    let _infallible = writeln!(text, "\n### {}\n", prospect.area.title());
    if prospect.found.is_empty() {
        let _infallible = writeln!(text, "{}", prospect.nothing());
        return;
    }
    text.push_str("| what | measured | wanted | what to do | by |\n|---|---|---|---|---|\n");
    for it in &prospect.found {
        let limit = it.limit.as_deref().unwrap_or("–");
        let cells = [&it.about, &it.figure, limit, &it.advice, &it.source].map(escape);
        let _infallible = writeln!(text, "| {} |", cells.join(" | "));
    }
}

fn readiness(readiness: &Readiness, issues: &[Issue], text: &mut String) {
    let _infallible = writeln!(
        text,
        "\n## Deployment readiness\n\n- ready for development: **{}**{}\n- ready for production: **{}**",
        yes(readiness.development),
        lacks(readiness),
        yes(readiness.production)
    );
    text.push_str("\n### Production blockers\n\n");
    if issues.is_empty() {
        text.push_str("None.\n");
    } else {
        text.push_str("| id | check | class | impact | what to do | age | owner |\n");
        text.push_str("|---|---|---|---|---|---:|---|\n");
    }
    for it in issues {
        let [impact, solution, owner] = [&it.impact, &it.solution, it.owner()].map(escape);
        let Issue { label, check, class, .. } = it;
        let _infallible = writeln!(
            text,
            "| {label} | `{check}` | {class} | {impact} | {solution} | {} | {owner} |",
            it.age()
        );
    }
    text.push_str("\n### Pre-production checklist\n\n");
    if readiness.checklist.is_empty() {
        text.push_str("Nothing is on it.\n");
    }
    for it in &readiness.checklist {
        let Issue { label, check, class, .. } = it;
        let [summary, impact, solution] =
            [&it.summary, &it.impact, &it.solution].map(|it| escape(it));
        let _infallible = writeln!(
            text,
            "- [ ] **{label}** `{check}` ({class}, for {}): {summary}\n  - impact: {impact}\n  - do: {solution}",
            it.age()
        );
    }
}

pub(super) fn yes(is: bool) -> &'static str {
    if is { "yes" } else { "no" }
}

/// What development lacks, as the rest of a line.
pub(super) fn lacks(readiness: &Readiness) -> String {
    match &*readiness.development_lacks {
        [] => String::new(),
        ids => format!(": it lacks {}", ids.join(", ")),
    }
}

fn steps(steps: &Steps, text: &mut String) {
    text.push_str("\n## Next steps\n");
    for (title, list) in steps.all() {
        let _infallible = writeln!(text, "\n### {title}\n");
        if list.is_empty() {
            text.push_str("Nothing.\n");
        }
        for (at, step) in list.iter().enumerate() {
            let [what, because, source] =
                [&step.what, &step.because, &step.source].map(|it| escape(it));
            let _infallible = writeln!(text, "{}. Do: {what} ({because}; {source})", at + 1);
        }
    }
}

fn conclusion(document: &Document, text: &mut String) {
    text.push_str("\n## Conclusion\n\n");
    for sentence in &document.conclusion {
        let _infallible = writeln!(text, "- {}", escape(sentence));
    }
    text.push_str("\n## Checks run\n\n| | |\n|---|---:|\n");
    for (name, count) in document.totals.rows() {
        let _infallible = writeln!(text, "| {name} | {count} |");
    }
}
