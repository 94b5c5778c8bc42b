use super::{COUNTING, facts};
use crate::{
    domain::{Cause, Evidence, Finding},
    integrations::database::{
        judge::{controls, noticed, sampled, time},
        measured::Pair,
        mysql::measured::{Counting, Plane, Setup, Slowness},
    },
    units,
};
use std::time::Duration;

/// Whether the slow statement is noticed and the quick one is not, on both sides.
pub(in super::super) fn slow(slowness: &Slowness) -> Finding {
    match slowness {
        Slowness::Cancelled { wanted, setup } => cancelled(*wanted, setup),
        Slowness::Ran(ran) => {
            let (pair, plane) = ran.as_ref();
            controls(pair)
                .or_else(|| unseen(pair, plane))
                .unwrap_or_else(|| noticed(pair))
                .evidence(evidence(pair, plane))
                .latency(pair.long.took)
        }
    }
}

fn cancelled(wanted: Duration, setup: &Setup) -> Finding {
    let Setup { account, limit, .. } = setup;
    let evidence = Evidence::default()
        .asked(&format!("a statement of {}", units::span(wanted)))
        .wanted("its end")
        .reply(&format!("the server ended it: {limit}"));
    Finding::unknown(Cause::NoSamples, &format!("canary blocked by {limit}"))
        .evidence(facts(setup, evidence))
        .remedy(&format!("ALTER USER {account} or SET GLOBAL {limit}: allow a second"))
}

/// The server has to have noticed the slow one too, by itself.
fn unseen(pair: &Pair, plane: &Plane) -> Option<Finding> {
    let Pair { limit, long, .. } = pair;
    let Plane { setup, booked, logged, .. } = plane;
    let counted = booked.is_some_and(|[(calls, took), _]| calls == 1 && took > *limit);
    let kept = setup.slow_log && *logged == 1;
    let shown = units::span(*limit);
    if !counted && !kept {
        let finding = if setup.counting == Counting::Off {
            Finding::fail("performance_schema and slow log are blind").remedy(COUNTING)
        } else {
            let wanted = units::span(long.wanted);
            Finding::fail(&format!("canary of {wanted} not seen by the server"))
                .remedy("look into performance_schema.setup_consumers: statements_digest = YES")
        };
        return Some(finding);
    }
    let begins = units::span(setup.slow_from);
    let seconds = limit.as_secs_f64();
    if setup.slow_from > *limit {
        let remedy = format!("SET GLOBAL long_query_time = {seconds}, slow_query_log = ON");
        let says = format!("long_query_time of {begins} is above {shown}");
        return Some(Finding::warn(&says).remedy(&remedy));
    }
    (setup.slow_log && *logged == 2).then(|| {
        let says = format!("slow log keeps 50ms too, begins at {begins}");
        Finding::warn(&says).remedy(&format!("SET GLOBAL long_query_time = {seconds}"))
    })
}

fn evidence(pair: &Pair, plane: &Plane) -> Evidence {
    let Plane { setup, seen, booked, logged } = plane;
    let evidence = sampled(pair, "this side and the server");
    let evidence = match seen {
        Some(state) => evidence.fact("seen", format!("in flight: {state}").as_str()),
        None => evidence.fact("seen", "not in flight, too late to look"),
    };
    let evidence = match booked {
        Some([(_, long), (_, short)]) => {
            time(time(evidence, "slow, digest", *long), "quick, digest", *short)
        }
        None => evidence.fact("slow, digest", "nothing is counted"),
    };
    let log = if setup.slow_log { "on, into " } else { "off, would go into " };
    let evidence = evidence
        .fact("slow_query_log", format!("{log}{}", setup.slow_into).as_str())
        .fact("found slow by it", format!("{logged} of 2").as_str());
    facts(setup, time(evidence, "long_query_time", setup.slow_from))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{domain::Outcome, integrations::database::measured::Sample};

    const LIMIT: Duration = ms(100);

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn plane() -> Plane {
        let setup = Setup {
            account: "'app'@'%'".into(),
            counting: Counting::On,
            slow_from: ms(100),
            limit: "max_statement_time",
            own_session: true,
            ..Setup::default()
        };
        let booked = Some([(1, ms(150)), (1, ms(50))]);
        Plane { setup, seen: Some("User sleep".into()), booked, logged: 0 }
    }

    fn says(plane: Plane) -> (&'static str, String) {
        let sample =
            |wanted, took| Sample { wanted: ms(wanted), took: ms(took), flagged: took > 100 };
        let (long, short) = (sample(150, 151), sample(50, 51));
        let pair = Pair { limit: LIMIT, long, short, round_trip: ms(1), short_there: Some(ms(50)) };
        let finding = slow(&Slowness::Ran(Box::new((pair, plane))));
        assert!(finding.summary.chars().count() <= 45, "{}", finding.summary);
        assert!(finding.outcome == Outcome::Pass || finding.remedy.is_some(), "{finding:?}");
        (finding.outcome.word(), finding.summary)
    }

    #[test]
    fn one_source_of_the_server_is_enough() {
        let pass = ("pass", "150ms noticed, 50ms not, limit 100ms".to_owned());
        assert_eq!(says(plane()), pass);
        let kept = |logged| Plane {
            setup: Setup { counting: Counting::Off, slow_log: true, ..plane().setup },
            booked: None,
            logged,
            ..plane()
        };
        assert_eq!(says(kept(1)), pass);
        assert_eq!(says(kept(0)).0, "fail");
    }

    #[test]
    fn a_server_that_notices_nothing_fails_with_the_remedy() {
        let blind = Plane {
            setup: Setup { counting: Counting::Off, slow_from: ms(10_000), ..plane().setup },
            booked: None,
            ..plane()
        };
        assert_eq!(says(blind), ("fail", "performance_schema and slow log are blind".into()));
        for booked in [(0, ms(0)), (1, ms(100)), (2, ms(300))] {
            let unseen = Plane { booked: Some([booked, (1, ms(50))]), ..plane() };
            assert_eq!(says(unseen), ("fail", "canary of 150ms not seen by the server".into()));
        }
    }

    #[test]
    fn a_slow_log_that_begins_late_is_a_warning() {
        let from =
            |slow_from| says(Plane { setup: Setup { slow_from, ..plane().setup }, ..plane() });
        let late = ("warn", "long_query_time of 10s is above 100ms".to_owned());
        assert_eq!(from(ms(10_000)), late);
        assert_eq!(from(ms(101)).0, "warn");
        assert_eq!(from(ms(100)).0, "pass");
        let both = Plane { setup: Setup { slow_log: true, ..plane().setup }, logged: 2, ..plane() };
        assert_eq!(says(both).0, "warn");
    }

    #[test]
    fn a_cancelled_canary_is_not_a_broken_detection() {
        let finding = slow(&Slowness::Cancelled { wanted: ms(150), setup: plane().setup });
        assert_eq!(finding.outcome, Outcome::Unknown(Cause::NoSamples));
        assert_eq!(finding.summary, "canary blocked by max_statement_time");
    }
}
