//! Prometheus' alert rules: parsed strictly, each held against the contract, and
//! asked whether it could ever fire.

use super::promql::{Query, Reading};
use promql_parser::util::parse_duration;
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// A group evaluated less often than this notices too late.
const SLOWEST_GROUP: Duration = Duration::from_mins(5);
/// What a severity may be.
const SEVERITIES: &[&str] = &["none", "info", "warning", "critical"];
/// What whoever is woken up needs.
const ANNOTATIONS: &[&str] = &["summary", "description", "runbook_url"];

/// What a rules file holds and what is wrong with it.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// Groups in it.
    pub(super) groups: usize,
    /// Alerts in it.
    pub(super) alerts: usize,
    /// Exported metrics that they use.
    pub(super) metrics: BTreeSet<String>,
    /// What is wrong with the file or with a rule.
    pub(super) faults: Vec<String>,
    /// Alerts that cannot fire, with the metrics that nobody exports.
    pub(super) dead: BTreeMap<String, BTreeSet<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    groups: Vec<Group>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    name: String,
    interval: Option<String>,
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    alert: String,
    expr: String,
    #[serde(rename = "for")]
    hold: Option<String>,
    keep_firing_for: Option<String>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

/// Reads a rules file; `runbooks` is the page that its `runbook_url`s point to.
pub(super) fn inspect(text: &str, runbooks: &str) -> Report {
    let mut report = Report::default();
    let file: File = match serde_saphyr::from_str(text) {
        Ok(file) => file,
        Err(error) => {
            report.faults.push(format!("is not a rules file: {}", error.without_snippet()));
            return report;
        }
    };
    let mut seen = BTreeSet::new();
    for group in &file.groups {
        report.group(group);
        for rule in &group.rules {
            if !seen.insert(&rule.alert) {
                report.faults.push(format!("{}: is there twice", rule.alert));
            }
            report.rule(rule, runbooks);
        }
    }
    report
}

impl Report {
    fn group(&mut self, group: &Group) {
        self.groups += 1;
        match group.interval.as_deref().map(span) {
            None => {}
            Some(Some(interval)) if interval <= SLOWEST_GROUP => {}
            Some(_) => self.faults.push(format!("{}: is not evaluated every 5m", group.name)),
        }
    }

    fn rule(&mut self, rule: &Rule, runbooks: &str) {
        self.alerts += 1;
        let query = match Query::parse(&rule.expr) {
            Ok(query) => query,
            Err(says) => return self.faults.push(format!("{}: {says}", rule.alert)),
        };
        let reading = query.read();
        let found = of_expression(rule, &query)
            .into_iter()
            .chain(of_frame(rule, runbooks))
            .chain(of_templates(rule, &reading))
            .chain(reading.faults);
        self.faults.extend(found.map(|says| format!("{}: {says}", rule.alert)));
        self.metrics.extend(reading.metrics);
        if !reading.missing.is_empty() {
            self.dead.insert(rule.alert.clone(), reading.missing);
        }
    }
}

/// A heartbeat compares nothing and waits for nothing; everything else does both.
fn of_expression(rule: &Rule, query: &Query) -> Vec<String> {
    let heartbeat = query.is_constant() && severity(rule) == Some("none");
    let waits = rule.hold.as_deref().map(span);
    let keeps = rule.keep_firing_for.as_deref().map(span);
    let lacks = [
        (!heartbeat && !query.compares(), "compares nothing, so it fires for ever"),
        (!heartbeat && waits.is_none(), "has no `for`, so one scrape fires it"),
        (waits == Some(None), "has a `for` that is not a duration"),
        (keeps == Some(None), "has a `keep_firing_for` that is not a duration"),
    ];
    lacks.iter().filter(|(lacks, _)| *lacks).map(|(_, says)| (*says).to_owned()).collect()
}

fn of_frame(rule: &Rule, runbooks: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if !severity(rule).is_some_and(|severity| SEVERITIES.contains(&severity)) {
        faults.push("has no severity of none, info, warning, critical".into());
    }
    for name in ANNOTATIONS {
        if rule.annotations.get(*name).is_none_or(String::is_empty) {
            faults.push(format!("has no {name}"));
        }
    }
    let link = rule.annotations.get("runbook_url").map_or("", String::as_str);
    let section = link.strip_prefix("docs/runbooks.md#");
    let found = match section {
        Some(section) => headings(runbooks).any(|heading| heading == section),
        None => link.starts_with("https://"),
    };
    if !found && !link.is_empty() {
        faults.push(format!("points to {link}, which is not there"));
    }
    faults
}

fn of_templates(rule: &Rule, reading: &Reading) -> Vec<String> {
    let mut faults = Vec::new();
    if rule.labels.values().any(|label| label.contains("$value") || label.contains(".Value")) {
        faults.push("has the value in a label, so it never stays the same alert".into());
    }
    let Some(labels) = &reading.labels else { return faults };
    for text in rule.annotations.values() {
        let shown = text.split("$labels.").skip(1).map(|rest| {
            rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default()
        });
        let strange = shown.filter(|name| !labels.contains(*name));
        faults.extend(strange.map(|name| format!("shows the label {name}, which it lacks")));
    }
    faults
}

fn severity(rule: &Rule) -> Option<&str> {
    rule.labels.get("severity").map(String::as_str)
}

/// The anchors of a Markdown page's sections.
fn headings(page: &str) -> impl Iterator<Item = String> {
    let titles = page.lines().filter_map(|line| line.strip_prefix("## "));
    titles.map(|title| title.trim().to_lowercase().replace(' ', "-"))
}

/// A duration as Prometheus writes it.
fn span(text: &str) -> Option<Duration> {
    // The parser takes bare numbers too, which Prometheus 2 refuses, and panics at `1e300`.
    let plain = text.chars().all(|c| c.is_ascii_digit() || "ywdhms".contains(c));
    let unit = text.ends_with(|c: char| c.is_ascii_alphabetic());
    (plain && unit).then(|| parse_duration(text).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r"
groups:
  - name: g
    interval: 15s
    rules:
      - alert: Down
        expr: max by (integration) (tminus_integration_status{state='down'}) == 1
        for: 2m
        labels: {severity: critical}
        annotations:
          summary: '{{ $labels.integration }} is down'
          description: d
          runbook_url: docs/runbooks.md#down
";
    const PAGE: &str = "# Runbooks\n\n## Down\n";

    #[test]
    fn a_good_rule_has_no_fault() {
        let report = inspect(GOOD, PAGE);
        assert_eq!((report.groups, report.alerts), (1, 1));
        assert_eq!(report.faults, Vec::<String>::new());
        assert!(report.dead.is_empty());
    }

    #[test]
    fn each_fault_is_found_and_names_its_alert() {
        let cases = [
            ("== 1", "", "Down: compares nothing"),
            ("for: 2m", "", "Down: has no `for`"),
            ("for: 2m", "for: 2 minutes", "Down: has a `for` that is not a duration"),
            ("for: 2m", "for: '1e300'", "Down: has a `for` that is not a duration"),
            ("for: 2m", "for: -2m", "Down: has a `for` that is not a duration"),
            ("critical", "urgent", "Down: has no severity of"),
            ("description: d", "", "Down: has no description"),
            ("#down", "#elsewhere", "Down: points to docs/runbooks.md#elsewhere"),
            ("$labels.integration", "$labels.check", "Down: shows the label check"),
            ("severity: critical", "severity: critical, v: '{{ $value }}'", "Down: has the value"),
            ("max by (integration)", "max by (integration", "Down: is not PromQL"),
            ("state='down'", "state='dwon'", "Down: state=\"dwon\" matches no series"),
            ("interval: 15s", "interval: 6m", "g: is not evaluated every 5m"),
            ("for: 2m", "four: 2m", "is not a rules file: "),
            ("alert: Down", "alert: [", "is not a rules file: "),
        ];
        for (from, to, expected) in cases {
            assert!(GOOD.contains(from), "{from} is not in the rule");
            let faults = inspect(&GOOD.replace(from, to), PAGE).faults.join("; ");
            assert!(faults.contains(expected), "{expected} was not in: {faults}");
        }
    }

    #[test]
    fn an_alert_over_what_nobody_exports_is_dead_and_not_faulty() {
        let dead = GOOD.replace("tminus_integration_status", "tminus_integraton_status");
        let report = inspect(&dead, PAGE);
        assert_eq!(report.dead["Down"], BTreeSet::from(["tminus_integraton_status".to_owned()]));
        assert_eq!(report.faults, Vec::<String>::new());
    }

    #[test]
    fn the_same_alert_twice_is_a_fault() {
        let rule = GOOD.split_once("    rules:\n").unwrap().1;
        let report = inspect(&format!("{GOOD}{rule}"), PAGE);
        assert_eq!(report.faults, ["Down: is there twice"]);
    }
}
