use super::worst;
use crate::{
    domain::{Evidence, Finding, Outcome, Quantity},
    integrations::performance::answers::Summary,
    probe::http::Answer,
    units::span,
};
use std::time::Duration;

/// The slowest of twenty answers may take this many times the limit of the average.
const TAIL: u32 = 2;

/// What was asked, and how the last answers were, this one included.
pub(in super::super) struct Recent<'a> {
    /// The address, without anything secret.
    pub(in super::super) address: &'a str,
    pub(in super::super) summary: Summary,
    /// What the average may be.
    pub(in super::super) limit: Duration,
}

/// Whether an answer is one that the app's users would call so.
pub(in super::super) fn is_good(answer: &Answer) -> bool {
    (200..300).contains(&answer.status)
}

/// Judges an answer and those before it.
pub(in super::super) fn response(answer: &Answer, recent: &Recent) -> Finding {
    let Recent { summary: Summary { average, p95, .. }, limit, .. } = *recent;
    let status = answer.status;
    let average = average.unwrap_or(answer.took);
    let tail = p95.map(|p95| format!(", p95 {}", span(p95))).unwrap_or_default();
    let mut found = Vec::new();
    if !is_good(answer) {
        let to = answer.redirected_to().map(|to| format!(" to {to}")).unwrap_or_default();
        found.push((Outcome::Fail, format!("answered {status}{to}, wanted 2xx")));
    }
    if average > limit {
        found.push((Outcome::Warn, format!("average {}, limit {}", span(average), span(limit))));
    }
    if let Some(p95) = p95.filter(|p95| *p95 > limit * TAIL) {
        found.push((Outcome::Warn, format!("p95 {}, limit {}", span(p95), span(limit * TAIL))));
    }
    let reply = format!("{status} in {}", span(answer.took));
    worst(found, &format!("{status}, average {}{tail}", span(average)))
        .latency(answer.took)
        .measure(Quantity::Time(answer.took))
        .evidence(
            recent
                .write_to(recent.evidence().reply(&reply))
                .phase("headers", answer.waited)
                .phase("body", answer.took.saturating_sub(answer.waited)),
        )
}

impl Recent<'_> {
    /// What was asked and wanted, whatever came of it.
    pub(in super::super) fn evidence(&self) -> Evidence {
        let (limit, tail) = (span(self.limit), span(self.limit * TAIL));
        Evidence::default()
            .asked(&format!("GET {}", self.address))
            .wanted(&format!("2xx, {limit} on average and {tail} at p95 over the last 20"))
    }

    /// Adds how the last answers were.
    pub(in super::super) fn write_to(&self, evidence: Evidence) -> Evidence {
        let Summary { asked, failed, average, p95 } = self.summary;
        let count = |count: usize| Quantity::Count(u64::try_from(count).unwrap_or(u64::MAX));
        let times = [("average", average), ("p95", p95)];
        let evidence = evidence.fact("asked", count(asked)).fact("failed", count(failed));
        times.into_iter().fold(evidence, |evidence, (name, time)| match time {
            Some(time) => evidence.fact(name, Quantity::Time(time)),
            None => evidence,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderMap;

    fn judged(status: u16, average: u64, p95: Option<u64>) -> Finding {
        let ms = Duration::from_millis;
        let answer = Answer {
            status,
            headers: HeaderMap::new(),
            body: Vec::new(),
            truncated: false,
            waited: ms(30),
            took: ms(42),
        };
        let summary =
            Summary { asked: 20, failed: 1, average: Some(ms(average)), p95: p95.map(ms) };
        let recent = Recent { address: "http://app/health", summary, limit: ms(100) };
        response(&answer, &recent)
    }

    #[test]
    fn answers_are_judged_at_their_limits() {
        let cases = [
            (judged(200, 100, Some(200)), Outcome::Pass, "200, average 100ms, p95 200ms"),
            (judged(204, 42, None), Outcome::Pass, "204, average 42ms"),
            (judged(299, 42, None), Outcome::Pass, "299, average 42ms"),
            (judged(200, 101, Some(150)), Outcome::Warn, "average 101ms, limit 100ms"),
            (judged(200, 90, Some(201)), Outcome::Warn, "p95 201ms, limit 200ms"),
            (judged(199, 42, None), Outcome::Fail, "answered 199, wanted 2xx"),
            (judged(503, 900, Some(900)), Outcome::Fail, "answered 503, wanted 2xx"),
            (judged(302, 42, None), Outcome::Fail, "answered 302 to another path, wanted 2xx"),
        ];
        for (finding, outcome, says) in cases {
            assert_eq!((finding.outcome, finding.summary.as_str()), (outcome, says));
            assert_eq!(finding.latency, Some(Duration::from_millis(42)));
        }
    }

    #[test]
    fn the_phases_add_up_to_the_answer() {
        let finding = judged(200, 42, None);
        let phases: Duration = finding.evidence.phases.iter().map(|phase| phase.took).sum();
        assert_eq!(Some(phases), finding.latency);
        assert_eq!(finding.evidence.asked, "GET http://app/health");
        let names: Vec<&str> =
            finding.evidence.facts.iter().map(|fact| fact.name.as_str()).collect();
        assert_eq!(names, ["asked", "failed", "average"]);
    }
}
