use super::{fingerprints, grant};
use crate::{
    domain::{Cause, Evidence, Finding, Quantity},
    integrations::database::{
        backend::APPLICATION,
        judge::{controls, noticed, sampled, time},
        measured::Pair,
        postgres::measured::{Plane, Setup, Sight, Slowness},
    },
    units,
};
use std::time::Duration;

/// Whether the server had the time to notice the slow one.
pub(in super::super) fn seen_in_time(pair: &Pair, plane: &Plane) -> bool {
    plane.long.as_ref().is_some_and(|sight| sight.took > pair.limit)
}

/// Whether the slow one was noticed and the quick one was not.
pub(in super::super) fn slow(ran: &Slowness) -> Finding {
    let (pair, plane) = match ran {
        Slowness::Cancelled { wanted, timeout, role } => return cancelled(*wanted, *timeout, role),
        Slowness::Ran(ran) => (&ran.0, &ran.1),
    };
    controls(pair)
        .or_else(|| unseen(pair, plane))
        .unwrap_or_else(|| noticed(pair))
        .evidence(evidence(pair, plane))
}

fn cancelled(wanted: Duration, timeout: Duration, role: &str) -> Finding {
    let timeout = units::span(timeout);
    let says = format!("canary blocked by statement_timeout={timeout}");
    let evidence = Evidence::default()
        .asked(&format!("SELECT pg_sleep of {}", units::span(wanted)))
        .wanted("it comes to its end and is noticed")
        .reply(&format!("SQLSTATE 57014: cancelled, statement_timeout={timeout}"));
    let remedy = format!("ALTER ROLE {role} SET statement_timeout = '2s', for this role alone");
    Finding::unknown(Cause::NoSamples, &says).evidence(evidence).remedy(&remedy)
}

/// The server has to have noticed the slow one too, by itself.
fn unseen(pair: &Pair, plane: &Plane) -> Option<Finding> {
    let Pair { limit, long, .. } = pair;
    let setup = &plane.setup;
    let noticed = seen_in_time(pair, plane)
        || plane.booked.is_some_and(|(calls, time)| calls == 1 && time > *limit);
    if noticed {
        return (!setup.reads_all).then(|| {
            Finding::warn("noticed, but others' statements are hidden").remedy(&grant(setup))
        });
    }
    let unknown = |says| Finding::unknown(Cause::NoSamples, says);
    Some(if !fingerprints(setup) {
        unknown("PostgreSQL before 14 is not looked into")
            .remedy("upgrade the server; 13 and older are no longer maintained")
    } else if !setup.own_session {
        unknown("a pooler hides which session is ours").remedy("point the url at the server itself")
    } else if !setup.activities {
        let finding = Finding::fail("track_activities=off hides slow statements")
            .fault("track_activities=off");
        finding.remedy(&format!("ALTER ROLE {} SET track_activities = on", setup.role))
    } else {
        let wanted = units::span(long.wanted);
        Finding::fail(&format!("canary of {wanted} not seen by the server"))
            .remedy("look into pg_stat_activity: the session of tminus-probe has to show up")
    })
}

fn evidence(pair: &Pair, plane: &Plane) -> Evidence {
    let [slow, quick] = [pair.long.wanted, pair.short.wanted].map(units::span);
    let evidence = sampled(pair, "this side and the server");
    noticed_by(plane, &slow, &quick, evidence)
}

/// What the server showed, and to whom it attributes it.
fn noticed_by(plane: &Plane, slow: &str, quick: &str, evidence: Evidence) -> Evidence {
    let sighted = |evidence: Evidence, name: &str, sight: Option<&Sight>| match sight {
        None => evidence.fact(name, "not seen"),
        Some(sight) => evidence.fact(name, Quantity::Time(sight.took)),
    };
    let evidence = sighted(evidence, &format!("{slow}, server"), plane.long.as_ref());
    let evidence = sighted(evidence, &format!("{quick}, server"), plane.short.as_ref());
    let evidence = match plane.long.as_ref() {
        Some(sight) if sight.in_flight => {
            evidence.fact("seen", format!("in flight, waiting for {}", sight.wait).as_str())
        }
        Some(_) => evidence.fact("seen", "just after it ended"),
        None => evidence,
    };
    let Setup { role, database, .. } = &plane.setup;
    let who = format!("{role} in {database}, {APPLICATION}");
    let log = match plane.setup.log_from.as_str() {
        "-1" => "no statement is logged for its duration",
        from => from,
    };
    let evidence = evidence
        .fact("attributed to", who.as_str())
        .fact("log_min_duration_statement", log)
        .fact("cancelled by a timeout", "not in pg_stat_statements, only in the log");
    match plane.booked {
        Some((_, booked)) => time(evidence, "pg_stat_statements", booked),
        None => evidence.fact("pg_stat_statements", "no row"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{domain::Outcome, integrations::database::measured::Sample};

    const LIMIT: Duration = ms(100);

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn sample(wanted: u64, took: u64) -> Sample {
        Sample { wanted: ms(wanted), took: ms(took), flagged: ms(took) > LIMIT }
    }

    fn sight(took: u64) -> Sight {
        Sight { in_flight: true, wait: "PgSleep".into(), took: ms(took), fingerprint: None }
    }

    fn plane() -> Plane {
        let setup = Setup {
            number: 150_018,
            role: "app".into(),
            activities: true,
            reads_all: true,
            own_session: true,
            ..Setup::default()
        };
        Plane { setup, long: Some(sight(105)), short: Some(sight(50)), booked: None }
    }

    /// Judges canaries that took `long` and `short` milliseconds here.
    fn judged(long: u64, short: u64, plane: Plane) -> Finding {
        let (long, short) = (sample(150, long), sample(50, short));
        let pair = Pair { limit: LIMIT, long, short, round_trip: ms(1), short_there: None };
        slow(&Slowness::Ran(Box::new((pair, plane))))
    }

    fn says(finding: &Finding) -> (&str, &str) {
        assert!(finding.summary.chars().count() <= 45, "{}", finding.summary);
        let ok = finding.outcome == Outcome::Pass;
        assert!(ok || finding.remedy.is_some(), "{finding:?}");
        assert!(!finding.evidence.asked.is_empty() && !finding.evidence.reply.is_empty());
        (finding.outcome.word(), &finding.summary)
    }

    #[test]
    fn the_server_has_to_notice_it_too() {
        let pass = ("pass", "150ms noticed, 50ms not, limit 100ms");
        let with = |plane| judged(151, 51, plane);
        assert_eq!(says(&with(plane())), pass);
        let unseen = || Plane { long: Some(sight(100)), ..plane() };
        let says_unseen = ("fail", "canary of 150ms not seen by the server");
        assert_eq!(says(&with(unseen())), says_unseen);
        assert_eq!(says(&with(Plane { long: None, ..plane() })), says_unseen);
        let booked = Plane { booked: Some((1, ms(150))), ..unseen() };
        assert_eq!(says(&with(booked)), pass);
        for not_ours in [(2, ms(300)), (1, ms(100)), (0, ms(0))] {
            let plane = Plane { booked: Some(not_ours), ..unseen() };
            assert_eq!(says(&with(plane)), says_unseen, "{not_ours:?}");
        }
    }

    #[test]
    fn what_hides_it_is_named() {
        let setup = || plane().setup;
        let cases = [
            (Setup { activities: false, ..setup() }, "fail", "track_activities=off"),
            (Setup { own_session: false, ..setup() }, "unknown", "a pooler hides"),
            (Setup { number: 130_000, ..setup() }, "unknown", "before 14"),
        ];
        for (setup, outcome, part) in cases {
            let finding = judged(151, 51, Plane { setup, long: None, ..plane() });
            let (word, summary) = says(&finding);
            assert!(word == outcome && summary.contains(part), "{word} {summary}");
        }
        let low = Plane { setup: Setup { reads_all: false, ..setup() }, ..plane() };
        let finding = judged(151, 51, low);
        assert_eq!(says(&finding), ("warn", "noticed, but others' statements are hidden"));
        assert_eq!(finding.remedy.as_deref(), Some("GRANT pg_read_all_stats TO app"));
    }

    #[test]
    fn a_cancelled_canary_is_not_a_broken_detection() {
        let (wanted, timeout, role) = (ms(150), ms(100), "app".to_owned());
        let finding = slow(&Slowness::Cancelled { wanted, timeout, role });
        assert_eq!(says(&finding), ("unknown", "canary blocked by statement_timeout=100ms"));
        assert!(finding.remedy.unwrap().starts_with("ALTER ROLE app SET statement_timeout"));
    }
}
