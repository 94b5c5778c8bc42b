//! As one HTML file: no script, nothing loaded, readable in print and in the dark.

mod body;
mod text;

use super::{Document, Summary};
use body::{
    checks_run, conclusion, integrations, issues, opportunities, readiness, since, steps, tests,
};
use std::fmt::Write as _;
use text::{escape, hue, verdict_hue};

/// How it looks. Nothing else is loaded, and the policy in the head forbids it.
const STYLE: &str = include_str!("style.css");
/// A part of the page: its anchor, its heading, and what writes it.
type Part = (&'static str, &'static str, fn(&Document, &mut String));
/// The part that is only there where something is compared.
const SINCE: &str = "since";
/// The parts in their order.
const PARTS: [Part; 9] = [
    (SINCE, "Since the baseline", since),
    ("integrations", "Integrations", integrations),
    ("tests", "Performance tests", tests),
    ("issues", "Critical issues", issues),
    ("opportunities", "Optimisation opportunities", opportunities),
    ("readiness", "Deployment readiness", readiness),
    ("steps", "Next steps", steps),
    ("conclusion", "Conclusion", conclusion),
    ("totals", "Checks run", checks_run),
];

/// The whole report.
pub fn html(document: &Document) -> String {
    let mut page = String::new();
    head(document, &mut page);
    summary(document, &mut page);
    for (anchor, title, write) in parts(document) {
        // Writing to a String cannot fail.
        let _infallible = write!(page, "<section id=\"{anchor}\">\n<h2>{title}</h2>\n");
        write(document, &mut page);
        page.push_str("</section>\n");
    }
    page.push_str("</main>\n</body>\n</html>\n");
    page
}

fn parts(document: &Document) -> impl Iterator<Item = Part> {
    let compared = document.comparison.is_some();
    PARTS.into_iter().filter(move |(anchor, ..)| compared || *anchor != SINCE)
}

fn head(document: &Document, page: &mut String) {
    let Document { host, at, run, stored, tminus_version, summary, .. } = document;
    let [host, run] = [host, run].map(|it| escape(it));
    let from = if *stored { "kept in the history" } else { "looked at just now" };
    let _infallible = write!(
        page,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{}: T-minus validation report of {host}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <header>\n<h1>T-minus validation report</h1>\n\
         <p class=\"dim\">Of {host} at {at}: run {run}, {from}, by tminus {tminus_version}.</p>\n",
        summary.verdict
    );
    if let Some(says) = document.deployed() {
        let _infallible = writeln!(page, "<p class=\"dim\">{}</p>", escape(&says));
    }
    page.push_str("<nav><a href=\"#summary\">Executive summary</a>");
    for (anchor, title, _) in parts(document) {
        let _infallible = write!(page, "<a href=\"#{anchor}\">{title}</a>");
    }
    page.push_str("</nav>\n</header>\n<main>\n");
}

fn summary(document: &Document, page: &mut String) {
    let Summary { verdict, rule, reason, because, accepted, warnings, .. } = &document.summary;
    let ids: Vec<String> =
        because.iter().map(|id| format!("<code>{}</code>", escape(id))).collect();
    let rests =
        if ids.is_empty() { String::new() } else { format!(" It rests on {}.", ids.join(", ")) };
    let _infallible = write!(
        page,
        "<section id=\"summary\">\n<h2>Executive summary</h2>\n\
         <p><span class=\"verdict {}\">{verdict}</span></p>\n\
         <p>Rule {rule}: {}. {}{rests} On the checklist: {warnings}; accepted: {accepted}.</p>\n\
         <table>\n<thead><tr><th>integration</th><th>status</th><th class=\"n\">score</th>\
         <th class=\"n\">coverage</th><th>answers</th><th>looked at</th></tr></thead>\n<tbody>\n",
        verdict_hue(verdict),
        escape(reason),
        super::markdown::overall(&document.summary)
    );
    for section in &document.integrations {
        let series = section.latency.as_ref().map(|it| it.series.as_slice()).unwrap_or_default();
        let label = format!("{}: how long answers took", section.title);
        let _infallible = writeln!(
            page,
            "<tr><td>{}</td><td class=\"w {}\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td>\
             <td>{}</td><td>{}</td></tr>",
            escape(&section.title),
            hue(section.status),
            section.status,
            super::markdown::number(section.score),
            super::markdown::number(section.coverage),
            super::spark::svg(series, &escape(&label)),
            escape(&section.target)
        );
    }
    page.push_str("</tbody>\n</table>\n");
    if !document.notices.is_empty() {
        page.push_str("<ul>\n");
        for notice in &document.notices {
            let _infallible = writeln!(page, "<li>note: {}</li>", escape(notice));
        }
        page.push_str("</ul>\n");
    }
    page.push_str("</section>\n");
}
