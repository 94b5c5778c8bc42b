use crate::{
    domain::{Cause, Evidence, Finding, Quantity},
    integrations::performance::exposition::{Exposition, Malformed},
    probe::http::Answer,
};

/// Names that are written out; the rest are counted.
const WRITTEN: usize = 3;
/// Names that the evidence lists.
const LISTED: usize = 20;

/// What the app exported when the baseline was taken.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Earlier<'a> {
    /// What the baseline is called.
    pub(in super::super) baseline: &'a str,
    /// The metrics that were there.
    pub(in super::super) names: &'a [String],
}

/// Judges what an app answers to a scrape, against what it exported `earlier`.
pub(in super::super) fn export(answer: &Answer, earlier: Option<Earlier<'_>>) -> Finding {
    if !super::is_good(answer) {
        let to = answer.redirected_to().map(|to| format!(" to {to}")).unwrap_or_default();
        return Finding::fail(&format!("answered {}{to}, wanted 2xx", answer.status));
    }
    if answer.truncated {
        let says = format!("more than {} bytes, not read to the end", answer.body.len());
        return Finding::unknown(Cause::NoSamples, &says)
            .remedy("have the app export fewer series");
    }
    let exported = match Exposition::read(&answer.text()) {
        Ok(exported) if exported.names.is_empty() => return Finding::fail("it exports no metric"),
        Ok(exported) => exported,
        Err(Malformed(line)) => {
            let text = answer.text();
            let reply = text.lines().nth(line - 1).unwrap_or_default();
            return Finding::fail(&format!("line {line} is no metric, so no scrape takes it"))
                .remedy("correct what the app exports: Prometheus' text format is wanted")
                .evidence(Evidence::default().reply(reply));
        }
    };
    held(&exported, earlier)
}

/// Holds what is exported against what was.
fn held(exported: &Exposition, earlier: Option<Earlier<'_>>) -> Finding {
    let count = |count: usize| Quantity::Count(u64::try_from(count).unwrap_or(u64::MAX));
    let (metrics, samples) = (exported.names.len(), exported.samples);
    let mut evidence = Evidence::default()
        .reply(&format!("{metrics} metrics, {samples} samples"))
        .fact("metrics", count(metrics))
        .fact("samples", count(samples));
    let gone: Vec<&str> = earlier.map_or(Vec::new(), |earlier| {
        let there = |name: &&String| exported.names.contains(*name);
        earlier.names.iter().filter(|name| !there(name)).map(String::as_str).collect()
    });
    let finding = match earlier {
        Some(Earlier { baseline, names }) if !gone.is_empty() => {
            for name in gone.iter().take(LISTED) {
                evidence = evidence.fact("gone", *name);
            }
            let (n, of) = (gone.len(), names.len());
            Finding::fail(&format!("{n} of {of} metrics gone since {baseline}: {}", list(&gone)))
                .remedy("export it again, or take a new baseline where it went on purpose")
        }
        Some(_) | None => Finding::pass(&format!("{metrics} metrics, {samples} samples")),
    };
    finding.names(exported.names.iter().cloned()).evidence(evidence)
}

fn list(names: &[&str]) -> String {
    let shown = names[..names.len().min(WRITTEN)].join(", ");
    match names.len().saturating_sub(WRITTEN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Outcome;
    use reqwest::header::HeaderMap;
    use std::time::Duration;

    fn answer(status: u16, body: &str) -> Answer {
        Answer {
            status,
            headers: HeaderMap::new(),
            body: body.into(),
            truncated: false,
            waited: Duration::ZERO,
            took: Duration::ZERO,
        }
    }

    fn judged(body: &str, before: &[&str]) -> Finding {
        let names: Vec<String> = before.iter().map(|name| (*name).to_owned()).collect();
        export(&answer(200, body), Some(Earlier { baseline: "before", names: &names }))
    }

    #[test]
    fn a_metric_that_was_there_is_missed() {
        let body = "a 1\nb 2\nc{x=\"1\"} 3\nc{x=\"2\"} 4\n";
        let finding = judged(body, &["a", "b"]);
        assert_eq!((finding.outcome, &*finding.summary), (Outcome::Pass, "3 metrics, 4 samples"));
        assert_eq!(finding.names, ["a", "b", "c"]);
        let finding = judged(body, &["a", "shop_orders_total"]);
        assert_eq!(finding.outcome, Outcome::Fail);
        assert_eq!(finding.summary, "1 of 2 metrics gone since before: shop_orders_total");
        assert_eq!(finding.names, ["a", "b", "c"], "what is there now is what is kept");
        let finding = judged("z 1\n", &["a", "b", "c", "d", "e"]);
        assert_eq!(finding.summary, "5 of 5 metrics gone since before: a, b, c and 2 more");
        let finding = export(&answer(200, body), None);
        assert_eq!(finding.outcome, Outcome::Pass, "without a baseline nothing is missed");
    }

    #[test]
    fn what_no_scrape_would_take_fails() {
        let fails = |answer: &Answer, says: &str| {
            let finding = export(answer, None);
            assert_eq!((finding.outcome, &*finding.summary), (Outcome::Fail, says));
        };
        fails(&answer(500, "a 1"), "answered 500, wanted 2xx");
        fails(&answer(200, ""), "it exports no metric");
        fails(&answer(200, "a 1\n<p>"), "line 2 is no metric, so no scrape takes it");
        let cut = Answer { truncated: true, ..answer(200, "a 1") };
        assert_eq!(export(&cut, None).outcome, Outcome::Unknown(Cause::NoSamples));
    }
}
