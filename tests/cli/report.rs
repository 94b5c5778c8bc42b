//! The report, of now and of then.

use super::{
    schema::{assert_valid, validator},
    *,
};

#[test]
fn every_format_ends_with_the_verdict_and_a_stored_run_is_what_it_was() {
    let home = Home::with("[checks.\"apis.google_key\"]\nclass = \"info\"");
    let report = home.0.path().join("work/report.html");
    let fresh = home.run("report apis resilience --format html -o report.html");
    assert_eq!((fresh.code, fresh.out.as_str(), fresh.err.as_str()), (1, "", ""));
    let page = fs::read_to_string(&report).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>"), "{page}");
    let listed = home.run("report --runs");
    assert_eq!((listed.code, listed.out.lines().count()), (0, 1), "{}", listed.out);
    let run = listed.out.split_whitespace().next().unwrap().to_owned();
    assert!(page.contains(&format!("run {run}, looked at just now")), "{run}");
    assert!(listed.out.contains("NO-GO, score "), "{}", listed.out);
    for format in ["markdown", "html", "json"] {
        let [last, named] =
            ["last", &run].map(|from| home.run(&format!("report --from {from} --format {format}")));
        assert_eq!((last.code, last.err.as_str()), (1, ""), "{format}");
        assert_eq!(last.out, named.out, "{format}");
    }
    let stored = home.run("report --from last --format html").out;
    let [was, is] = [&page, &stored].map(|page| {
        let body = page.split_once("<main>").unwrap().1;
        body.replace("looked at just now", "kept in the history")
    });
    assert_eq!(was, is, "a stored run says what it said");
}

#[test]
fn what_the_report_is_for_programs_is_what_its_schema_says() {
    if !validator() {
        return;
    }
    let home = Home::new();
    let fresh = home.run("report --format json");
    assert_eq!(fresh.code, 1, "{}", fresh.err);
    assert_valid("report", &fresh.out);
    assert_eq!(home.run("perf db --clients 2 --duration 1s --warm-up 1s --rows 100").code, 0);
    let later = home.run("report resilience --format json");
    assert_eq!(later.code, 0, "{}", later.err);
    assert_valid("report", &later.out);
    let read: serde_json::Value = serde_json::from_str(&later.out).unwrap();
    let tests = read["performance_tests"].as_array().unwrap();
    assert_eq!((tests.len(), &tests[0]["test"]), (1, &"database".into()), "of tminus perf, too");
    assert_eq!(read["readiness"]["development"], true);
}

/// Complains about a tag that is not closed where it should be.
const NESTING: &str = "
import sys
from html.parser import HTMLParser
class Page(HTMLParser):
    open = []
    def handle_starttag(self, tag, attrs):
        if tag not in ('meta', 'br'): self.open.append(tag)
    def handle_startendtag(self, tag, attrs): pass
    def handle_endtag(self, tag): assert self.open.pop() == tag, (tag, self.getpos())
page = Page()
page.feed(sys.stdin.read())
page.close()
assert not page.open, page.open
";

#[test]
fn a_page_is_whole_and_loads_nothing() {
    let home = Home::with("[redis]\nurl = \"redis://:hunter2@127.0.0.1:1\"");
    let page = home.run("report redis resilience --format html").out;
    assert!(!page.contains(CANARY), "a secret");
    for banned in
        ["<script", "<link", "<img", "http-equiv=\"refresh\"", "url(", "@import", " style="]
    {
        assert!(!page.contains(banned), "{banned}");
    }
    let Ok(mut python) = Command::new("python3")
        .args(["-c", NESTING])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
    else {
        eprintln!("SKIPPED: python3 is not installed");
        return;
    };
    python.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
    let parsed = python.wait_with_output().unwrap();
    assert!(parsed.status.success(), "{}", String::from_utf8_lossy(&parsed.stderr));
}

#[test]
fn what_cannot_be_reported_says_why() {
    let home = Home::new();
    let none = home.run("report --from last");
    assert_eq!(none.code, 2);
    assert!(none.err.contains("the history cannot be read"), "{}", none.err);
    assert_eq!(home.run("check resilience").code, 0);
    let run = home.run("report --from 0123456789ab");
    assert_eq!((run.code, run.out.as_str()), (2, ""));
    assert!(run.err.contains("there is no such run"), "{}", run.err);
    let nowhere = home.run("report resilience -o missing/report.md");
    assert_eq!(nowhere.code, 2);
    assert!(nowhere.err.contains("missing/report.md"), "{}", nowhere.err);
    let off = Home::with("[history]\noff = true");
    assert_eq!(off.run("report resilience").code, 0, "a report of now needs no history");
    assert!(off.run("report --runs").err.contains("which is off"));
}
