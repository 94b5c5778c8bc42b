use super::{fingerprints, grant};
use crate::{
    domain::{Cause, Evidence, Finding, Quantity},
    integrations::database::{
        judge::{count, time},
        postgres::{
            measured::{Books, Counters, Refusal, Setup, Tracking},
            queries,
        },
    },
};

/// The module's first version with everything that is read here.
const MODULE: (u32, u32) = (1, 9);

const PRELOAD: &str = "add pg_stat_statements to shared_preload_libraries in postgresql.conf, \
                       restart the server";

/// Whether the server and the module are recent enough to be asked.
pub(in super::super) fn readable(setup: &Setup) -> Result<(), Refusal> {
    if !fingerprints(setup) {
        Err(Refusal::TooOld)
    } else if setup.module_version().is_some_and(|version| version < MODULE) {
        Err(Refusal::Outdated)
    } else {
        Ok(())
    }
}

/// What it means that reading the statistics ended with `code`.
pub(in super::super) fn refusal(code: &str, setup: &Setup) -> Option<Refusal> {
    match code {
        "55000" => Some(Refusal::NotPreloaded),
        "42P01" if setup.track.is_none() => Some(Refusal::Absent),
        "42P01" => Some(Refusal::NotCreated),
        _ => None,
    }
}

/// Whether what was sent was counted.
pub(in super::super) fn query(tracking: &Tracking) -> Finding {
    let Tracking { sent, tally, books } = tracking;
    match books {
        Books::Closed(why, setup) => {
            let evidence = Evidence::default()
                .asked("SELECT calls, rows, total_exec_time FROM pg_stat_statements")
                .wanted("the row of our own canary");
            closed(*why, setup, evidence)
        }
        Books::Open { before, after, evicted_before, fingerprint, setup } => {
            let calls = i128::from(after.calls) - i128::from(before.calls);
            let took = after.time.saturating_sub(before.time);
            let evidence = asked(queries::CANARY, *sent)
                .reply(&format!("{calls} calls, {} rows", after.rows - before.rows))
                .fact("counted by", "pg_stat_statements, read from a second session");
            let evidence = count(evidence, "sent", *sent);
            let evidence = count(evidence, "answered", tally.statements);
            let evidence = time(evidence, "time, server", took);
            let evidence = setup.facts(time(evidence, "time, here", tally.time));
            let mean = tally.time / u32::try_from(*sent).unwrap_or(u32::MAX).max(1);
            let books = (before, after, *evicted_before);
            disturbed(*sent, books, setup)
                .or_else(|| uncounted(tracking, books, *fingerprint, setup))
                .unwrap_or_else(|| counted(*sent, books, setup))
                .evidence(evidence)
                .measure(Quantity::Time(mean))
        }
    }
}

type Read<'a> = (&'a Counters, &'a Counters, Option<i64>);

fn asked(statement: &str, sent: u64) -> Evidence {
    Evidence::default()
        .asked(&format!("{statement}, {sent} times"))
        .wanted(&format!("{sent} calls and {sent} rows more than before"))
}

fn closed(why: Refusal, setup: &Setup, evidence: Evidence) -> Finding {
    let database = &setup.database;
    let create = format!("CREATE EXTENSION pg_stat_statements in {database}, as a superuser");
    let (finding, reply, remedy) = match why {
        Refusal::NotPreloaded => (
            Finding::fail("pg_stat_statements is not preloaded (55000)"),
            "SQLSTATE 55000: created here, but not loaded into the server",
            PRELOAD.to_owned(),
        ),
        Refusal::NotCreated => (
            Finding::fail(&format!("pg_stat_statements not created in {database}")),
            "SQLSTATE 42P01: loaded into the server, but not created here",
            create,
        ),
        Refusal::Absent => (
            Finding::fail("pg_stat_statements neither loaded nor created"),
            "SQLSTATE 42P01: not created here, and not loaded into the server",
            format!("{PRELOAD}, then {create}"),
        ),
        Refusal::Outdated => (
            Finding::unknown(Cause::NoSamples, "pg_stat_statements here is older than 1.9"),
            "an older version, kept from before the server was upgraded",
            format!("ALTER EXTENSION pg_stat_statements UPDATE in {database}"),
        ),
        Refusal::TooOld => (
            Finding::unknown(Cause::NoSamples, "PostgreSQL before 14 names no fingerprints"),
            "a server older than 14",
            "upgrade the server; 13 and older are no longer maintained".to_owned(),
        ),
    };
    finding.evidence(setup.facts(evidence.reply(reply))).remedy(&remedy)
}

/// Somebody else moved the counters, so that nothing can be concluded from them.
fn disturbed(sent: u64, (before, after, _): Read<'_>, setup: &Setup) -> Option<Finding> {
    let sent = i64::try_from(sent).unwrap_or(i64::MAX);
    let unknown = |says| Finding::unknown(Cause::NoSamples, says);
    if after.calls < before.calls && after.evicted == before.evicted {
        Some(unknown("statistics were reset meanwhile").remedy("re-check"))
    } else if after.calls.saturating_sub(before.calls) > sent {
        let says = format!("{} counted of {sent} sent", after.calls - before.calls);
        let remedy =
            format!("stop the other console that asks as {}, or give it a role", setup.role);
        Some(unknown(&says).remedy(&remedy))
    } else {
        None
    }
}

/// Why the count is not what was sent, if it is not.
fn uncounted(
    tracking: &Tracking,
    (before, after, _): Read<'_>,
    fingerprint: Option<i64>,
    setup: &Setup,
) -> Option<Finding> {
    let sent = i64::try_from(tracking.sent).unwrap_or(i64::MAX);
    let (calls, rows) = (after.calls - before.calls, after.rows - before.rows);
    if calls == sent && rows == sent {
        let booked = after.time.saturating_sub(before.time);
        return (booked > tracking.tally.time).then(|| {
            Finding::fail("server books more time than has passed")
                .remedy("look at the clock source of the server's machine")
        });
    }
    if after.evicted > before.evicted {
        return Some(evicts(after.evicted - before.evicted, setup));
    }
    let missed = |setting: &str, remedy: &str| {
        Finding::fail(&format!("{} of {sent}: {setting}", calls.max(0)))
            .remedy(&format!("ALTER SYSTEM SET {remedy}; SELECT pg_reload_conf()"))
    };
    Some(match (setup.track.as_deref(), setup.compute.as_str()) {
        (Some("none"), _) => {
            missed("pg_stat_statements.track=none", "pg_stat_statements.track = 'top'")
        }
        (_, "off") => missed("compute_query_id=off", "compute_query_id = 'auto'"),
        _ if !setup.own_session => {
            Finding::unknown(Cause::NoSamples, "a pooler hides which session is ours")
                .remedy("point the url at the server itself")
        }
        _ if fingerprint.is_none() && !setup.activities => {
            Finding::unknown(Cause::NoSamples, "track_activities=off hides our canary")
                .remedy(&format!("ALTER ROLE {} SET track_activities = on", setup.role))
        }
        _ => Finding::fail(&format!("{calls} calls, {rows} rows counted of {sent}"))
            .remedy("look for another module that replaces the server's statistics"),
    })
}

fn evicts(rounds: i64, setup: &Setup) -> Finding {
    let most = setup.most.as_deref().unwrap_or("its maximum");
    Finding::warn(&format!("statistics evicted since last look: {rounds}")).remedy(&format!(
        "raise pg_stat_statements.max, now {most}, and restart the server: \
         more statements are in use than it keeps"
    ))
}

/// The count is right; what it is worth to others is the question left.
fn counted(sent: u64, (before, after, evicted_before): Read<'_>, setup: &Setup) -> Finding {
    let evicted = after.evicted - evicted_before.unwrap_or(before.evicted);
    if evicted > 0 {
        evicts(evicted, setup)
    } else if after.time == before.time {
        Finding::warn(&format!("{sent} of {sent} counted, but without time"))
            .remedy("look at the clock source of the server's machine")
    } else if !setup.reads_all {
        Finding::warn(&format!("{sent} of {sent} counted, others' text hidden"))
            .remedy(&grant(setup))
    } else {
        Finding::pass(&format!("{sent} of {sent} statements counted"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{domain::Outcome, integrations::database::tally::Tally};
    use std::time::Duration;

    fn setup() -> Setup {
        Setup {
            number: 150_018,
            role: "app".into(),
            database: "shop".into(),
            track: Some("top".into()),
            compute: "auto".into(),
            activities: true,
            most: Some("5000".into()),
            io_timing: "on".into(),
            log_from: "-1".into(),
            reads_all: true,
            schema: Some("public".into()),
            version: Some("1.10".into()),
            own_session: true,
        }
    }

    fn counters(calls: i64, micros: u64, evicted: i64) -> Counters {
        Counters { calls, rows: calls, time: Duration::from_micros(micros), evicted }
    }

    fn tracking(books: Books) -> Tracking {
        let mut tally = Tally::new(Duration::from_millis(100));
        for _ in 0..20 {
            tally.note("canary", 1, Duration::from_micros(50));
        }
        Tracking { sent: 20, tally, books }
    }

    /// Judges the counters `before` and `after`, looked at for the first time.
    fn judged(before: Counters, after: Counters, setup: Setup) -> Finding {
        let (evicted_before, fingerprint) = (None, Some(7));
        query(&tracking(Books::Open { before, after, evicted_before, fingerprint, setup }))
    }

    fn says(finding: &Finding) -> (&str, &str) {
        assert!(finding.summary.chars().count() <= 45, "{}", finding.summary);
        let ok = finding.outcome == Outcome::Pass;
        assert!(ok || finding.remedy.is_some(), "{finding:?}");
        assert!(!finding.evidence.asked.is_empty() && !finding.evidence.wanted.is_empty());
        (finding.outcome.word(), &finding.summary)
    }

    #[test]
    fn what_was_sent_has_to_be_counted_exactly() {
        let zero = counters(100, 900, 3);
        let cases = [
            (counters(120, 1000, 3), ("pass", "20 of 20 statements counted")),
            (counters(119, 1000, 3), ("fail", "19 calls, 19 rows counted of 20")),
            (counters(121, 1000, 3), ("unknown", "21 counted of 20 sent")),
            (counters(99, 1000, 3), ("unknown", "statistics were reset meanwhile")),
            (counters(3, 20, 4), ("warn", "statistics evicted since last look: 1")),
            (counters(120, 900, 3), ("warn", "20 of 20 counted, but without time")),
            (counters(120, 1900, 3), ("pass", "20 of 20 statements counted")),
            (counters(120, 1901, 3), ("fail", "server books more time than has passed")),
            (
                Counters { rows: 119, ..counters(120, 1000, 3) },
                ("fail", "20 calls, 19 rows counted of 20"),
            ),
        ];
        for (after, expected) in cases {
            assert_eq!(says(&judged(zero, after, setup())), expected, "{after:?}");
        }
    }

    #[test]
    fn a_setting_that_stops_the_count_is_named() {
        let nothing = counters(0, 0, 0);
        let none = Setup { track: Some("none".into()), ..setup() };
        let finding = judged(nothing, nothing, none);
        assert_eq!(says(&finding), ("fail", "0 of 20: pg_stat_statements.track=none"));
        assert!(finding.remedy.unwrap().contains("pg_stat_statements.track = 'top'"));
        let off = Setup { compute: "off".into(), ..setup() };
        let finding = judged(nothing, nothing, off);
        assert_eq!(says(&finding), ("fail", "0 of 20: compute_query_id=off"));
        assert!(finding.remedy.unwrap().contains("compute_query_id = 'auto'"));
        let pooled = Setup { own_session: false, ..setup() };
        let finding = judged(nothing, nothing, pooled);
        assert_eq!(says(&finding), ("unknown", "a pooler hides which session is ours"));
    }

    #[test]
    fn a_canary_that_nobody_can_see_is_unknown() {
        let nothing = counters(0, 0, 0);
        let setup = Setup { activities: false, ..setup() };
        let (before, after) = (nothing, nothing);
        let books = Books::Open { before, after, evicted_before: None, fingerprint: None, setup };
        let finding = query(&tracking(books));
        assert_eq!(says(&finding), ("unknown", "track_activities=off hides our canary"));
    }

    #[test]
    fn an_exact_count_is_not_all_that_matters() {
        let (before, after) = (counters(0, 0, 5), counters(20, 100, 5));
        let low = Setup { reads_all: false, ..setup() };
        let finding = judged(before, after, low);
        assert_eq!(says(&finding), ("warn", "20 of 20 counted, others' text hidden"));
        assert_eq!(finding.remedy.as_deref(), Some("GRANT pg_read_all_stats TO app"));
        let (evicted_before, fingerprint) = (Some(3), Some(7));
        let books = Books::Open { before, after, evicted_before, fingerprint, setup: setup() };
        let finding = query(&tracking(books));
        assert_eq!(says(&finding), ("warn", "statistics evicted since last look: 2"));
        assert!(finding.remedy.unwrap().contains("now 5000"));
    }

    #[test]
    fn each_reason_for_closed_books_has_its_own_remedy() {
        let unloaded = Setup { track: None, ..setup() };
        assert_eq!(refusal("55000", &unloaded), Some(Refusal::NotPreloaded));
        assert_eq!(refusal("42P01", &unloaded), Some(Refusal::Absent));
        assert_eq!(refusal("42P01", &setup()), Some(Refusal::NotCreated));
        assert_eq!(refusal("42501", &setup()), None);
        let cases = [
            (Refusal::NotPreloaded, "pg_stat_statements is not preloaded (55000)", "restart"),
            (Refusal::NotCreated, "pg_stat_statements not created in shop", "CREATE EXTENSION"),
            (Refusal::Absent, "pg_stat_statements neither loaded nor created", "then CREATE"),
            (Refusal::Outdated, "pg_stat_statements here is older than 1.9", "UPDATE"),
            (Refusal::TooOld, "PostgreSQL before 14 names no fingerprints", "upgrade"),
        ];
        for (why, summary, remedy) in cases {
            let finding = query(&tracking(Books::Closed(why, setup())));
            assert_eq!(says(&finding).1, summary);
            assert!(finding.remedy.unwrap().contains(remedy), "{why:?}");
        }
    }

    #[test]
    fn too_old_a_server_or_module_is_not_read() {
        assert_eq!(readable(&setup()), Ok(()));
        assert_eq!(readable(&Setup { number: 139_999, ..setup() }), Err(Refusal::TooOld));
        let module = |version: &str| Setup { version: Some(version.into()), ..setup() };
        assert_eq!(readable(&module("1.8")), Err(Refusal::Outdated));
        assert_eq!(readable(&module("1.9")), Ok(()));
        assert_eq!(readable(&Setup { version: None, ..setup() }), Ok(()));
    }
}
