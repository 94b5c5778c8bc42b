use super::{COUNTING, facts};
use crate::{
    domain::{Cause, Evidence, Finding, Quantity},
    integrations::database::{
        judge::{count, time},
        mysql::{
            measured::{Counters, Counting, Setup, Tracking},
            queries,
        },
    },
};

/// Whether what was sent was counted.
pub(in super::super) fn query(tracking: &Tracking) -> Finding {
    let Tracking { sent, tally, books, setup, .. } = tracking;
    let mean = tally.time / u32::try_from(*sent).unwrap_or(u32::MAX).max(1);
    let finding = match books {
        None => Finding::fail("performance_schema is off: nothing is counted").remedy(COUNTING),
        Some(books) => disturbed(*sent, books)
            .or_else(|| uncounted(tracking, books))
            .unwrap_or_else(|| counted(tracking)),
    };
    finding.evidence(facts(setup, evidence(tracking))).measure(Quantity::Time(mean))
}

/// Somebody else moved the counters, so that nothing can be concluded from them.
fn disturbed(sent: u64, (before, after): &(Counters, Counters)) -> Option<Finding> {
    let unknown = |says: &str| Finding::unknown(Cause::NoSamples, says);
    if after.calls < before.calls {
        Some(unknown("statistics were emptied meanwhile").remedy("re-check"))
    } else if after.calls - before.calls > sent {
        let says = format!("{} counted of {sent} sent", after.calls - before.calls);
        Some(unknown(&says).remedy("stop the other console that asks in the same database"))
    } else {
        None
    }
}

/// Why the count is not what was sent, if it is not.
fn uncounted(tracking: &Tracking, (before, after): &(Counters, Counters)) -> Option<Finding> {
    let Tracking { sent, tally, setup, .. } = tracking;
    let (calls, rows) = (after.calls - before.calls, after.rows.saturating_sub(before.rows));
    if calls == *sent && rows == *sent {
        return (after.time.saturating_sub(before.time) > tally.time).then(|| {
            Finding::fail("server books more time than has passed")
                .remedy("look at the clock source of the server's machine")
        });
    }
    let missed = |what: &str, remedy: &str| {
        Some(Finding::fail(&format!("{calls} of {sent}: {what}")).remedy(remedy))
    };
    if setup.counting == Counting::NoDigests {
        let remedy = "UPDATE performance_schema.setup_consumers SET ENABLED = 'YES' \
                      WHERE NAME = 'statements_digest'";
        return missed("statements_digest is off", remedy);
    }
    if setup.counting == Counting::NoInstruments {
        let remedy = "UPDATE performance_schema.setup_instruments \
                      SET ENABLED = 'YES', TIMED = 'YES' WHERE NAME LIKE 'statement/%'";
        return missed("statement instruments are off", remedy);
    }
    if !setup.own_session {
        let finding = Finding::unknown(Cause::NoSamples, "a proxy stands between and may answer");
        return Some(finding.remedy("point the url at the server itself"));
    }
    if setup.lost > 0 && calls == 0 {
        return Some(full(setup));
    }
    missed("counted by the server", "look for a proxy or a query cache that answers in its place")
}

fn full(setup: &Setup) -> Finding {
    let Setup { size, lost, .. } = setup;
    Finding::warn(&format!("no room among {size} digests, {lost} lost")).remedy(
        "raise performance_schema_digests_size and restart, or, to begin anew, \
         TRUNCATE performance_schema.events_statements_summary_by_digest",
    )
}

/// The count is right; whether there is room for others is the question left.
fn counted(tracking: &Tracking) -> Finding {
    let Tracking { sent, lost_before, setup, .. } = tracking;
    let lost = lost_before.map_or(0, |before| setup.lost.saturating_sub(before));
    if lost > 0 {
        return full(setup);
    }
    Finding::pass(&format!("{sent} of {sent} statements counted"))
}

fn evidence(tracking: &Tracking) -> Evidence {
    let Tracking { sent, tally, books, .. } = tracking;
    let evidence = Evidence::default()
        .asked(&format!("{}, {sent} times", queries::CANARY))
        .wanted(&format!("{sent} calls and {sent} rows more than before"));
    let evidence = count(evidence, "sent", *sent);
    let evidence = count(evidence, "answered", tally.statements);
    let evidence = time(evidence, "time, here", tally.time);
    let Some((before, after)) = books else {
        return evidence.reply("the server counts no statements");
    };
    let calls = i128::from(after.calls) - i128::from(before.calls);
    let rows = i128::from(after.rows) - i128::from(before.rows);
    let evidence = evidence
        .reply(&format!("{calls} calls, {rows} rows"))
        .fact("counted by", "events_statements_summary_by_digest, read from a second session");
    time(evidence, "time, server", after.time.saturating_sub(before.time))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{domain::Outcome, integrations::database::tally::Tally};
    use std::time::Duration;

    fn setup() -> Setup {
        Setup {
            account: "'app'@'%'".into(),
            counting: Counting::On,
            size: 5000,
            own_session: true,
            ..Setup::default()
        }
    }

    fn counters(calls: u64, rows: u64, micros: u64) -> Counters {
        Counters { calls, rows, time: Duration::from_micros(micros), errors: 0 }
    }

    /// Judges the counters after 100 calls, looked at for the first time.
    fn judged(after: Option<Counters>, setup: Setup) -> Finding {
        let mut tally = Tally::new(Duration::from_millis(100));
        for _ in 0..20 {
            tally.note("canary", 1, Duration::from_micros(50));
        }
        let books = after.map(|after| (counters(100, 100, 900), after));
        query(&Tracking { sent: 20, tally, books, lost_before: Some(0), setup })
    }

    fn says(finding: &Finding) -> (&str, &str) {
        assert!(finding.summary.chars().count() <= 45, "{}", finding.summary);
        let ok = finding.outcome == Outcome::Pass;
        assert!(ok || finding.remedy.is_some(), "{finding:?}");
        assert!(!finding.evidence.asked.is_empty() && !finding.evidence.reply.is_empty());
        (finding.outcome.word(), &finding.summary)
    }

    #[test]
    fn what_was_sent_has_to_be_counted_exactly() {
        let cases = [
            (counters(120, 120, 1900), ("pass", "20 of 20 statements counted")),
            (counters(120, 120, 1901), ("fail", "server books more time than has passed")),
            (counters(119, 119, 1000), ("fail", "19 of 20: counted by the server")),
            (counters(120, 119, 1000), ("fail", "20 of 20: counted by the server")),
            (counters(121, 121, 1000), ("unknown", "21 counted of 20 sent")),
            (counters(99, 99, 1000), ("unknown", "statistics were emptied meanwhile")),
        ];
        for (after, expected) in cases {
            assert_eq!(says(&judged(Some(after), setup())), expected, "{after:?}");
        }
    }

    #[test]
    fn what_stops_the_count_is_named_with_its_remedy() {
        let nothing = || Some(counters(100, 100, 900));
        let off = judged(None, Setup { counting: Counting::Off, ..setup() });
        assert_eq!(says(&off), ("fail", "performance_schema is off: nothing is counted"));
        assert!(off.remedy.unwrap().contains("performance_schema = ON"));
        let blind = judged(nothing(), Setup { counting: Counting::NoDigests, ..setup() });
        assert_eq!(says(&blind), ("fail", "0 of 20: statements_digest is off"));
        let deaf = judged(nothing(), Setup { counting: Counting::NoInstruments, ..setup() });
        assert_eq!(says(&deaf), ("fail", "0 of 20: statement instruments are off"));
        let proxied = judged(nothing(), Setup { own_session: false, ..setup() });
        assert_eq!(says(&proxied).0, "unknown");
        let full = judged(nothing(), Setup { lost: 9, ..setup() });
        assert_eq!(says(&full), ("warn", "no room among 5000 digests, 9 lost"));
        let crowded = judged(Some(counters(120, 120, 950)), Setup { lost: 1, ..setup() });
        assert_eq!(says(&crowded).0, "warn");
    }
}
