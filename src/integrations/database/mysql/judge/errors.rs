use super::{COUNTING, facts};
use crate::{
    domain::{Evidence, Finding, Quantity},
    integrations::database::{
        judge::{count, time},
        mysql::{
            measured::{Errors, Window},
            queries,
        },
    },
    units,
};

/// The table is unknown, as every server says it.
const UNKNOWN_TABLE: &str = "1109";
/// Statements without which a share says nothing.
const ENOUGH: u64 = 20;
/// Shares of failed statements in percent: of a warning, and of a failure.
const FAILED: (u64, u64) = (1, 6);

/// Whether an error is noticed by both sides, and how many others there are.
pub(in super::super) fn errors(seen: &Errors) -> Finding {
    let finding = missed(seen)
        .or_else(|| rate(&seen.window))
        .or_else(|| uncounted(seen))
        .unwrap_or_else(|| {
            let Window { ended, failed, .. } = seen.window;
            Finding::pass(&format!("error counted, {failed} of {ended} others failed"))
        });
    let finding = finding.evidence(evidence(seen));
    match share(&seen.window) {
        Some(share) => finding.measure(Quantity::Ratio(share)),
        None => finding,
    }
}

/// The positive and the negative control, on our side and on the server's.
fn missed(seen: &Errors) -> Option<Finding> {
    let Errors { code, tally, counted, .. } = seen;
    if code != UNKNOWN_TABLE {
        let says = if code.is_empty() { "no error" } else { code.as_str() };
        let remedy = "look for a proxy that answers in the server's place";
        return Some(Finding::fail(&format!("a missing table gave {says}")).remedy(remedy));
    }
    if tally.errors != [(UNKNOWN_TABLE.to_owned(), 1)] || tally.statements != 1 {
        let says = format!("our side counted {} errors of 1", tally.errors.len());
        return Some(Finding::fail(&says).remedy("report this as a bug of tminus"));
    }
    counted.filter(|counted| *counted != 1).map(|counted| {
        Finding::fail(&format!("{counted} of 1 error counted by the server")).remedy(
            "look into performance_schema.setup_consumers: statements_digest = YES; \
             or for another console that asks in the same database",
        )
    })
}

fn rate(window: &Window) -> Option<Finding> {
    let Window { span, ended, failed } = window;
    let beyond = |limit: u64| *ended >= ENOUGH && failed * 100 > ended * limit;
    let says = format!("{failed} of {ended} statements failed, {}", units::span(*span));
    let remedy = "SELECT DIGEST_TEXT, SUM_ERRORS FROM \
                  performance_schema.events_statements_summary_by_digest ORDER BY 2 DESC LIMIT 5";
    if beyond(FAILED.1) {
        Some(Finding::fail(&says).remedy(remedy))
    } else if beyond(FAILED.0) {
        Some(Finding::warn(&says).remedy(remedy))
    } else {
        None
    }
}

fn uncounted(seen: &Errors) -> Option<Finding> {
    seen.counted
        .is_none()
        .then(|| Finding::warn("counted here; the server counts no errors").remedy(COUNTING))
}

fn evidence(seen: &Errors) -> Evidence {
    let Errors { code, tally, counted, window, setup } = seen;
    let there = counted.map_or_else(|| "counts none".to_owned(), |n| format!("counts {n}"));
    let errors: u64 = tally.errors.iter().map(|(_, n)| n).sum();
    let evidence = Evidence::default()
        .asked(queries::MISTAKE)
        .wanted("error 1109 here, and one more counted by the server")
        .reply(&format!("error {code}; the server {there}"));
    let evidence = count(evidence, "errors, here", errors);
    let evidence = count(evidence, "fine, here", tally.statements);
    let evidence = time(evidence, "looked back", window.span);
    let evidence = count(evidence, "statements of others", window.ended);
    let evidence = count(evidence, "of these failed", window.failed);
    facts(setup, evidence)
}

#[expect(clippy::cast_precision_loss, reason = "a share needs no more digits than f64 has")]
fn share(window: &Window) -> Option<f64> {
    (window.ended >= ENOUGH).then(|| window.failed as f64 / window.ended as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::integrations::database::{
        mysql::measured::{Counting, Setup},
        tally::Tally,
    };
    use std::time::Duration;

    fn seen(ended: u64, failed: u64) -> Errors {
        let mut tally = Tally::new(Duration::from_millis(100));
        tally.note(queries::PING, 1, Duration::from_micros(50));
        tally.failed(UNKNOWN_TABLE);
        Errors {
            code: UNKNOWN_TABLE.into(),
            tally,
            counted: Some(1),
            window: Window { span: Duration::from_mins(5), ended, failed },
            setup: Setup { counting: Counting::On, ..Setup::default() },
        }
    }

    fn says(seen: &Errors) -> (&'static str, String) {
        let finding = errors(seen);
        assert!(finding.summary.chars().count() <= 45, "{}", finding.summary);
        let explained = finding.remedy.is_some() && !finding.evidence.reply.is_empty();
        assert!(finding.outcome.word() == "pass" || explained, "{finding:?}");
        (finding.outcome.word(), finding.summary)
    }

    #[test]
    fn an_error_has_to_be_counted_on_both_sides() {
        assert_eq!(says(&seen(0, 0)), ("pass", "error counted, 0 of 0 others failed".into()));
        for counted in [0, 2] {
            assert_eq!(says(&Errors { counted: Some(counted), ..seen(0, 0) }).0, "fail");
        }
        assert_eq!(says(&Errors { code: String::new(), ..seen(0, 0) }).0, "fail");
        assert_eq!(says(&Errors { code: "1146".into(), ..seen(0, 0) }).0, "fail");
        let mut twice = seen(0, 0);
        twice.tally.failed(UNKNOWN_TABLE);
        assert_eq!(says(&twice).0, "fail");
        let off = Errors { counted: None, ..seen(0, 0) };
        assert_eq!(says(&off), ("warn", "counted here; the server counts no errors".into()));
    }

    #[test]
    fn a_share_counts_from_twenty_on_and_beyond_its_limits() {
        let cases = [
            (19, 19, "pass"),
            (100, 1, "pass"),
            (100, 2, "warn"),
            (100, 6, "warn"),
            (100, 7, "fail"),
        ];
        for (ended, failed, word) in cases {
            assert_eq!(says(&seen(ended, failed)).0, word, "{failed} of {ended}");
        }
    }
}
