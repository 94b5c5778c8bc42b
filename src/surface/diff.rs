//! What became of everything from one baseline to another.

use super::report::{ShiftsPart, moved};
use crate::{
    domain::{Baseline, Change, Shifts, Was},
    units,
};
use serde::Serialize;
use std::fmt::Write as _;

/// Grows when a field changes its meaning or goes. Fields may be added.
const SCHEMA_VERSION: u32 = 1;

/// Whether something stands in the way that did not before, or is gone that was there.
pub fn is_worse(before: &Baseline, after: &Baseline) -> bool {
    let changes = before.changes(after);
    let new = changes.iter().any(|(change, ..)| *change == Change::New);
    new || before.gone(after).next().is_some()
}

/// For people: a line for each change, those of numbers that are more than noise, and a sum.
// Writing to a String cannot fail.
pub fn human(before: &Baseline, after: &Baseline) -> String {
    let changes = before.changes(after);
    let mut text = String::new();
    let mut line = |word: &str, check: &str, says: &str| {
        let _infallible = writeln!(text, "{word:<6} {check:<28} {says}");
    };
    for (change, was, now) in &changes {
        line(change.word(), now.check.as_str(), said(*change, was, now));
    }
    for (check, name) in before.gone(after) {
        line("gone", check.as_str(), name);
    }
    let shifts = Shifts::between(before, after);
    for [word, check, says] in moved(&shifts) {
        line(&word, &check, &says);
    }
    let count = |wanted: Change| changes.iter().filter(|(change, ..)| *change == wanted).count();
    let [new, known, fixed] = [Change::New, Change::Known, Change::Fixed].map(count);
    let (from, to) = (&before.name, &after.name);
    if !shifts.is_empty() {
        let _infallible = writeln!(text, "measured: {}", shifts.says());
    }
    let _infallible = writeln!(text, "{new} new, {known} known, {fixed} fixed from {from} to {to}");
    text
}

#[derive(Serialize)]
struct Document<'a> {
    schema_version: u32,
    tminus_version: &'static str,
    before: Look<'a>,
    after: Look<'a>,
    changes: Vec<ChangePart<'a>>,
    gone: Vec<Gone<'a>>,
    shifts: ShiftsPart<'a>,
}

#[derive(Serialize)]
struct Look<'a> {
    name: &'a str,
    at: String,
    host: &'a str,
    verdict: &'static str,
    score: Option<u8>,
}

/// A name that was there.
#[derive(Serialize)]
struct Gone<'a> {
    check: &'a str,
    name: &'a str,
}

#[derive(Serialize)]
struct ChangePart<'a> {
    change: &'static str,
    check: &'a str,
    summary: &'a str,
}

/// For programs: one document. Times are in UTC, numbers in base units.
pub fn json(before: &Baseline, after: &Baseline) -> String {
    let changes = before.changes(after);
    let gone = before.gone(after).map(|(check, name)| Gone { check: check.as_str(), name });
    let shifts = Shifts::between(before, after);
    let document = Document {
        schema_version: SCHEMA_VERSION,
        tminus_version: env!("CARGO_PKG_VERSION"),
        before: look(before),
        after: look(after),
        changes: changes.iter().map(|(change, was, now)| part(*change, was, now)).collect(),
        gone: gone.collect(),
        shifts: ShiftsPart::of(&shifts),
    };
    // Every key in it is a text, so it cannot fail.
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
}

fn part<'a>(change: Change, was: &'a Was, now: &'a Was) -> ChangePart<'a> {
    ChangePart { change: change.word(), check: now.check.as_str(), summary: said(change, was, now) }
}

fn look(baseline: &Baseline) -> Look<'_> {
    let Baseline { name, at, host, word, score, .. } = baseline;
    Look { name, at: units::rfc3339(*at), host, verdict: word.as_str(), score: *score }
}

/// What was wrong, where it is not any more; what is, where it is.
fn said<'a>(change: Change, was: &'a Was, now: &'a Was) -> &'a str {
    if change == Change::Fixed { &was.summary } else { &now.summary }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surface::sample;

    fn looks() -> (Baseline, Baseline) {
        let before = Baseline::of("before", &sample::seed());
        let mut after = Baseline { name: "after".into(), ..before.clone() };
        let was = |baseline: &mut Baseline, check: &str, stood, millis: f64| {
            let was = baseline.checks.iter_mut().find(|was| was.check.as_str() == check).unwrap();
            was.stood = stood;
            was.measured.latency =
                (0..10).map(|n| millis * (1.0 + f64::from(n) / 1000.0) / 1000.0).collect();
        };
        let mut before = before;
        was(&mut before, "performance.memory", false, 12.0);
        was(&mut after, "performance.memory", true, 61.0);
        was(&mut before, "apis.google", true, 8.0);
        was(&mut after, "apis.google", false, 8.0);
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let export =
            before.checks.iter().position(|was| was.check.as_str() == "performance.export");
        before.checks[export.unwrap()].names = names(&["orders_total", "up"]);
        after.checks[export.unwrap()].names = names(&["up"]);
        (before, after)
    }

    #[test]
    fn a_change_and_a_shift_have_a_line_each() {
        let (before, after) = looks();
        let text = human(&before, &after);
        let known = |line: &&str| !line.starts_with("known");
        let told: Vec<&str> = text.lines().filter(known).collect();
        insta::assert_snapshot!(told.join("\n"), @r"
        new    performance.memory           works
        fixed  apis.google                  Google AI key missing
        gone   performance.export           orders_total
        worse  performance.memory           latency 12.0ms -> 61.2ms, x5.1
        measured: 1 worse, 1 within noise
        1 new, 13 known, 1 fixed from before to after
        ");
        assert!(is_worse(&before, &after) && !is_worse(&before, &before));
    }

    #[test]
    fn programs_read_the_same() {
        let (before, after) = looks();
        let document: serde_json::Value = serde_json::from_str(&json(&before, &after)).unwrap();
        let new = &document["changes"][0];
        assert_eq!((&new["change"], &new["check"]), (&"new".into(), &"performance.memory".into()));
        assert_eq!(document["shifts"]["moved"][0]["check"], "performance.memory");
        assert_eq!(document["after"]["name"], "after");
        assert_eq!(document["gone"][0]["name"], "orders_total");
    }
}
