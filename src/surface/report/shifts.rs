//! What has moved since the baseline, in the formats of `check`.

use super::markdown::escape;
use crate::{
    domain::{Baseline, Gauge, Shift, Shifts, Snapshot},
    units,
};
use serde::Serialize;
use std::fmt::Write as _;

/// What it is compared with, and what that came to, in a sentence without its period.
pub(super) fn against(snapshot: &Snapshot) -> Option<String> {
    let Baseline { name, at, .. } = snapshot.baseline.as_deref()?;
    Some(format!("{name} of {}: {}", units::rfc3339(*at), snapshot.shifts.says()))
}

/// One line for each of what has moved: worse or better, where, and how far.
pub(in crate::surface) fn moved(shifts: &Shifts) -> impl Iterator<Item = [String; 3]> {
    shifts.told.iter().map(|shift| {
        let word = if shift.worse { "worse" } else { "better" };
        [word.to_owned(), shift.check.to_string(), units::shift(shift)]
    })
}

/// The same as a section of Markdown.
// Writing to a String cannot fail.
pub(super) fn section(snapshot: &Snapshot, text: &mut String) {
    let Some(says) = against(snapshot) else { return };
    let _infallible = writeln!(text, "\n## Since the baseline\n\nAgainst {}.", escape(&says));
    for (at, [word, check, moved]) in moved(&snapshot.shifts).enumerate() {
        let before = if at == 0 { "\n" } else { "" };
        let _infallible = writeln!(text, "{before}- {word}: `{check}` {}", escape(&moved));
    }
}

/// What is compared with.
#[derive(Serialize)]
pub(super) struct BaselinePart<'a> {
    name: &'a str,
    at: String,
    host: &'a str,
}

/// What came of it.
#[derive(Serialize)]
pub(in crate::surface) struct ShiftsPart<'a> {
    moved: Vec<ShiftPart<'a>>,
    within_noise: usize,
    too_few_samples: usize,
    other_host: Option<&'a str>,
}

#[derive(Serialize)]
struct ShiftPart<'a> {
    check: &'a str,
    gauge: Gauge,
    unit: &'static str,
    worse: bool,
    before: f64,
    after: f64,
    shift: f64,
    shift_low: f64,
    shift_high: f64,
    p: f64,
    noise_floor: f64,
}

pub(super) fn baseline(snapshot: &Snapshot) -> Option<BaselinePart<'_>> {
    let Baseline { name, at, host, .. } = snapshot.baseline.as_deref()?;
    Some(BaselinePart { name, at: units::rfc3339(*at), host })
}

pub(super) fn shifts(snapshot: &Snapshot) -> Option<ShiftsPart<'_>> {
    snapshot.baseline.as_ref().map(|_| ShiftsPart::of(&snapshot.shifts))
}

impl<'a> ShiftsPart<'a> {
    pub(in crate::surface) fn of(shifts: &'a Shifts) -> Self {
        Self {
            moved: shifts.told.iter().map(shift).collect(),
            within_noise: shifts.steady,
            too_few_samples: shifts.few,
            other_host: shifts.elsewhere.as_deref(),
        }
    }
}

fn shift(shift: &Shift) -> ShiftPart<'_> {
    let unit = match shift.gauge {
        Gauge::Latency => "seconds",
        Gauge::Memory => "bytes",
    };
    let [shift_low, shift_high] = shift.bounds;
    ShiftPart {
        check: shift.check.as_str(),
        gauge: shift.gauge,
        unit,
        worse: shift.worse,
        before: shift.before,
        after: shift.after,
        shift: shift.by,
        shift_low,
        shift_high,
        p: shift.p,
        noise_floor: shift.floor,
    }
}

#[cfg(test)]
mod tests {
    use crate::surface::{
        report::{Paint, human, json, markdown},
        sample,
    };

    #[test]
    fn what_has_moved_is_said_and_the_rest_is_counted() {
        let text = human(&sample::compared(), Paint::Plain);
        let told: Vec<&str> = text.lines().skip_while(|it| !it.starts_with("against")).collect();
        insta::assert_snapshot!(told.join("\n"), @r"
        against      before 4f2c1d9 of 2026-11-23T02:03:20.000Z: 2 worse, 1 better, 14 within noise, 3 with too few samples
          worse    performance.memory  memory 12 MiB -> 84 MiB, x7.0
          worse    performance.timing  latency 12.0ms -> 61.0ms, x5.1
          better   resilience.panics   latency 10.0ms -> 6.00ms, -40 %
        VERDICT  NO-GO  rule 2, 3 blockers: apis.google, database.connect, redis.connect; 1 on the checklist
        ");
        let text = markdown(&sample::compared());
        assert!(
            text.contains("- worse: `performance.timing` latency 12.0ms -&gt; 61.0ms, x5.1"),
            "{text}"
        );
    }

    #[test]
    fn numbers_come_in_their_units_with_their_bounds() {
        let document: serde_json::Value = serde_json::from_str(&json(&sample::compared())).unwrap();
        assert_eq!(document["baseline"]["name"], "before 4f2c1d9");
        let shifts = &document["shifts"];
        assert_eq!((&shifts["within_noise"], &shifts["too_few_samples"]), (&14.into(), &3.into()));
        let slower = &shifts["moved"][1];
        assert_eq!((&slower["unit"], &slower["worse"]), (&"seconds".into(), &true.into()));
        assert_eq!((&slower["shift_low"], &slower["shift_high"]), (&0.04.into(), &0.06.into()));
        let none: serde_json::Value = serde_json::from_str(&json(&sample::seed())).unwrap();
        assert!(none["shifts"].is_null() && none["baseline"].is_null());
    }
}
