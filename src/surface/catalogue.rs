//! The checks that there are, before any has run.

use crate::{
    domain::{Cadence, CheckSpec, Class, Impact, IntegrationId},
    units,
};
use serde::Serialize;
use std::{fmt::Write as _, time::Duration};

/// One check as a list shows it.
#[derive(Serialize)]
pub struct Entry {
    id: String,
    title: String,
    target: String,
    class: Class,
    weight: u8,
    impact: Impact,
    needs: Option<String>,
    every_seconds: Option<f64>,
    timeout_seconds: f64,
}

impl Entry {
    /// That of the check `spec` of the integration `id`, which looks at `target`.
    pub fn new(id: &IntegrationId, target: &str, spec: CheckSpec) -> Self {
        Self {
            id: id.check(&spec.name).to_string(),
            title: spec.title.into_owned(),
            target: target.to_owned(),
            class: spec.class,
            weight: spec.weight,
            impact: spec.impact,
            needs: spec.needs.map(|name| id.check(&name).to_string()),
            every_seconds: every(spec.cadence).map(|span| span.as_secs_f64()),
            timeout_seconds: spec.timeout.as_secs_f64(),
        }
    }

    fn every(&self) -> String {
        let span = self.every_seconds.map(Duration::from_secs_f64);
        span.map_or("asked".into(), units::span)
    }
}

/// How often it runs, if it does so by itself.
pub(super) fn every(cadence: Cadence) -> Option<Duration> {
    match cadence {
        Cadence::Every(span) => Some(span),
        Cadence::OnDemand => None,
    }
}

/// For people: a line for each check.
pub fn human(entries: &[Entry]) -> String {
    let width = entries.iter().map(|entry| entry.id.len()).max().unwrap_or(0);
    let mut text = format!("{:width$}  class    weight  every  it      shows\n", "check");
    for entry in entries {
        let impact = match entry.impact {
            Impact::ReadOnly => "reads",
            Impact::Writes => "writes",
            Impact::Load => "loads",
        };
        let (class, every) = (entry.class.word(), entry.every());
        // Writing to a String cannot fail.
        let _infallible = writeln!(
            text,
            "{:width$}  {class:<7}  {:>6}  {every:>5}  {impact:<6}  {}",
            entry.id, entry.weight, entry.title
        );
    }
    text
}

/// For programs: one document. Spans are in seconds.
pub fn json(entries: &[Entry]) -> String {
    // Every key in it is a text, so it cannot fail.
    serde_json::to_string_pretty(entries).unwrap_or_default() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Finding, sample, text};

    fn entries() -> Vec<Entry> {
        let spec = |name: &'static str, weight| sample::check(name, weight, Finding::pass("")).spec;
        let lock = CheckSpec {
            cadence: Cadence::OnDemand,
            impact: Impact::Writes,
            class: Class::Minor,
            needs: Some(text("connect")),
            ..spec("lock", 1)
        };
        let id = IntegrationId::new("redis").unwrap();
        [spec("connect", 10), lock].map(|spec| Entry::new(&id, "here", spec)).into()
    }

    #[test]
    fn people_read_a_table() {
        insta::assert_snapshot!(human(&entries()));
    }

    #[test]
    fn programs_read_a_document() {
        let read: serde_json::Value = serde_json::from_str(&json(&entries())).unwrap();
        assert_eq!(read[1]["needs"], "redis.connect");
        assert_eq!(
            (&read[0]["every_seconds"], &read[1]["every_seconds"]),
            (&10.0.into(), &serde_json::Value::Null)
        );
    }
}
