//! The parts of the page, one function each.

use super::text::{END, code, escape, hue, row, table};
use crate::surface::document::{
    Document, Evidenced, Issue, Opportunity, Prospect, Readiness, Section,
    markdown::{answers_for, lacks, novelty, number, yes},
    sections::seconds,
    spark::svg,
};
use std::fmt::Write as _;

// Writing to a String cannot fail.
pub(super) fn since(document: &Document, page: &mut String) {
    let Some(comparison) = &document.comparison else { return };
    let _infallible = writeln!(page, "<p>{}</p>", escape(&comparison.against()));
    let rows = comparison.rows();
    if rows.is_empty() {
        return;
    }
    page.push_str(&table(&["change", "check", "what came back, or how far it moved"]));
    for [word, check, says] in rows {
        page.push_str(&row(&[word, &code(check), &escape(says)]));
    }
    page.push_str(END);
}

pub(super) fn integrations(document: &Document, page: &mut String) {
    for section in &document.integrations {
        integration(section, page);
    }
}

fn integration(section: &Section, page: &mut String) {
    let Section { title, status, target, checks, .. } = section;
    let stand_in = if section.stand_in { " (a stand-in of ours)" } else { "" };
    let _infallible = write!(
        page,
        "<h3>{}: <span class=\"{}\">{status}</span>, {}</h3>\n<p>Looked at {}{stand_in}; coverage {} %.",
        escape(title),
        hue(status),
        number(section.score),
        escape(target),
        number(section.coverage)
    );
    if let Some(it) = &section.latency {
        let label = format!("{title}: how long answers took");
        let line = svg(&it.series, &escape(&label));
        let _infallible = write!(page, " {} {line}", it.says());
    }
    page.push_str("</p>\n");
    page.push_str(&table(&["check", "outcome", "class", "what came back", "took"]));
    for check in checks {
        self::check(check, page);
    }
    page.push_str(END);
}

fn check(check: &Evidenced, page: &mut String) {
    let took = check.latency_seconds.map_or_else(|| "–".into(), seconds);
    let further = check.further();
    let further = if further.is_empty() { further } else { format!(", {}", escape(&further)) };
    let word = check.word();
    let label = format!("{}: what it measured", check.id);
    let _infallible = write!(
        page,
        "<tr><td class=\"w\">{}</td><td class=\"{}\">{word}{further}</td><td class=\"w\">{}</td><td>{} {}",
        code(&check.id),
        hue(word),
        check.class,
        escape(&check.summary),
        svg(&check.series, &escape(&label))
    );
    if check.has_evidence() {
        evidence(check, page);
    }
    let _infallible = writeln!(page, "</td><td class=\"n\">{took}</td></tr>");
}

fn evidence(check: &Evidenced, page: &mut String) {
    page.push_str("<div class=\"evidence\">");
    let mut parts: Vec<String> = Vec::new();
    for (head, says) in [("asked", &check.asked), ("wanted", &check.wanted), ("got", &check.reply)]
    {
        if !says.is_empty() {
            parts.push(format!("{head} {}", code(says)));
        }
    }
    parts.extend(
        check.facts.iter().map(|[name, value]| format!("{} {}", escape(name), escape(value))),
    );
    page.push_str(&parts.join("; "));
    let mut rows: Vec<String> = check
        .beyond()
        .map(|row| {
            let cells: Vec<String> = row.cells.iter().map(|cell| escape(cell)).collect();
            format!(
                "<li><span class=\"{}\">{}</span>: {}</li>",
                hue(row.outcome),
                row.outcome,
                cells.join(" · ")
            )
        })
        .collect();
    rows.extend(
        check.others().map(|(outcome, says)| format!("<li>{outcome}: {}</li>", escape(&says))),
    );
    rows.extend(check.remedy.as_ref().map(|remedy| format!("<li>do: {}</li>", escape(remedy))));
    if !rows.is_empty() {
        let _infallible = write!(page, "<ul>{}</ul>", rows.concat());
    }
    page.push_str("</div>");
}

pub(super) fn tests(document: &Document, page: &mut String) {
    if document.performance_tests.is_empty() {
        page.push_str("<p>No result is kept. <code>tminus perf</code> runs one.</p>\n");
    }
    for test in &document.performance_tests {
        let [name, target] = [&test.test, &test.target].map(|it| escape(it));
        let label = format!("{name}: operations a second");
        let _infallible = write!(
            page,
            "<h3>perf {name} on {target}</h3>\n<p>Begun at {}, {} before this report. {}</p>\n",
            test.began,
            test.age(),
            svg(&test.series, &label)
        );
        page.push_str(&table(&["figure", "value"]));
        for [name, value] in test.rows() {
            page.push_str(&row(&[&escape(&name), &escape(&value)]));
        }
        page.push_str(END);
    }
}

pub(super) fn issues(document: &Document, page: &mut String) {
    if document.critical_issues.is_empty() {
        let _infallible = writeln!(page, "<p>{}</p>", escape(&document.summary.without_issues()));
    }
    for issue in &document.critical_issues {
        let class = match (&issue.accepted, issue.stands) {
            (Some(_), _) => " accepted",
            (None, "HOLD") => " hold",
            (None, _) => "",
        };
        let _infallible = write!(
            page,
            "<div class=\"card{class}\">\n<h3>{}: {}</h3>\n<dl>\n",
            issue.label,
            escape(&issue.summary)
        );
        for (term, says) in terms(issue) {
            let _infallible = writeln!(page, "<dt>{term}</dt><dd>{says}</dd>");
        }
        page.push_str("</dl>\n</div>\n");
    }
}

fn terms(issue: &Issue) -> Vec<(&'static str, String)> {
    let also: Vec<String> = issue.also.iter().map(|id| code(id)).collect();
    let mut terms = vec![
        ("check", format!("{} ({})", code(&issue.check), escape(&issue.title))),
        ("verdict", format!("{}, class {}{}", issue.stands, issue.class, novelty(issue))),
        ("impact", escape(&issue.impact)),
        ("solution", escape(&issue.solution)),
        ("stands for", issue.age()),
        ("owner", escape(issue.owner())),
    ];
    if !also.is_empty() {
        terms.push(("with it", also.join(", ")));
    }
    terms.extend(answers_for(issue).map(|says| ("accepted", escape(&says))));
    terms
}

pub(super) fn opportunities(document: &Document, page: &mut String) {
    for prospect in &document.opportunities {
        let _infallible = writeln!(page, "<h3>{}</h3>", prospect.area.title());
        area(prospect, page);
    }
}

fn area(prospect: &Prospect, page: &mut String) {
    if prospect.found.is_empty() {
        let _infallible = writeln!(page, "<p class=\"dim\">{}</p>", prospect.nothing());
        return;
    }
    page.push_str(&table(&["what", "measured", "wanted", "what to do", "by"]));
    for it in &prospect.found {
        let Opportunity { about, figure, limit, advice, source, .. } = it;
        let limit = limit.as_deref().unwrap_or("–");
        let cells = [about.as_str(), figure, limit, advice, source].map(escape);
        page.push_str(&row(&cells.each_ref().map(String::as_str)));
    }
    page.push_str(END);
}

pub(super) fn readiness(document: &Document, page: &mut String) {
    let ready: &Readiness = &document.readiness;
    let hue = |is: bool| if is { "good" } else { "bad" };
    let _infallible = write!(
        page,
        "<ul>\n<li>ready for development: <b class=\"{}\">{}</b>{}</li>\n\
         <li>ready for production: <b class=\"{}\">{}</b></li>\n</ul>\n<h3>Production blockers</h3>\n",
        hue(ready.development),
        yes(ready.development),
        escape(&lacks(ready)),
        hue(ready.production),
        yes(ready.production)
    );
    listed(&document.critical_issues, "None.", page);
    page.push_str("<h3>Pre-production checklist</h3>\n");
    listed(&ready.checklist, "Nothing is on it.", page);
}

fn listed(issues: &[Issue], none: &str, page: &mut String) {
    if issues.is_empty() {
        let _infallible = writeln!(page, "<p>{none}</p>");
        return;
    }
    page.push_str(&table(&["id", "check", "class", "impact", "what to do", "age", "owner"]));
    for it in issues {
        let [impact, solution, owner] = [&it.impact, &it.solution, it.owner()].map(escape);
        let check = format!("{}<br>{}", code(&it.check), escape(&it.summary));
        page.push_str(&row(&[&it.label, &check, it.class, &impact, &solution, &it.age(), &owner]));
    }
    page.push_str(END);
}

pub(super) fn steps(document: &Document, page: &mut String) {
    for (title, list) in document.next_steps.all() {
        let _infallible = writeln!(page, "<h3>{title}</h3>");
        if list.is_empty() {
            page.push_str("<p class=\"dim\">Nothing.</p>\n");
            continue;
        }
        page.push_str("<ol>\n");
        for step in list {
            let [what, because, source] =
                [&step.what, &step.because, &step.source].map(|it| escape(it));
            let _infallible =
                writeln!(page, "<li>{what} <span class=\"dim\">({because}; {source})</span></li>");
        }
        page.push_str("</ol>\n");
    }
}

pub(super) fn conclusion(document: &Document, page: &mut String) {
    page.push_str("<ul>\n");
    for sentence in &document.conclusion {
        let _infallible = writeln!(page, "<li>{}</li>", escape(sentence));
    }
    page.push_str("</ul>\n");
}

pub(super) fn checks_run(document: &Document, page: &mut String) {
    page.push_str(&table(&["what", "how many"]));
    for (name, count) in document.totals.rows() {
        page.push_str(&row(&[name, &count.to_string()]));
    }
    page.push_str(END);
}
