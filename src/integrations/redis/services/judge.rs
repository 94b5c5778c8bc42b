//! What the cases of a service add up to. Pure.

use super::{Pace, Ran, Upset};
use crate::{
    domain::{Cause, Evidence, Finding, Quantity},
    units,
};
use std::time::Duration;

/// What a service is and what it proves when all of its cases hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Service {
    /// As in the keys: `lock`.
    pub(crate) name: &'static str,
    /// What it means that all cases hold, in a clause.
    pub(crate) proves: &'static str,
}

/// Judges the cases of a service that were run, of `all` that there are.
pub(crate) fn sum_up(service: Service, ran: &[Ran], all: usize, pace: Pace) -> Finding {
    let evidence = |evidence: Evidence| {
        let evidence = ran.iter().fold(evidence, |evidence, ran| match &ran.ended {
            Ok(held) => evidence.fact(ran.id, &*held.saw),
            Err(upset) => evidence.fact(ran.id, &*word(upset)),
        });
        match pace.slowest() {
            Duration::ZERO => evidence, // in process, where there is no way to go
            slowest => evidence.fact("slowest PING", Quantity::Time(slowest)),
        }
    };
    let upset =
        |wanted: fn(&Upset) -> bool| ran.iter().find(|ran| ran.ended.as_ref().is_err_and(wanted));
    let worst = upset(|upset| matches!(upset, Upset::Broken(_)))
        .or_else(|| upset(|upset| matches!(upset, Upset::Trouble(_))))
        .or_else(|| upset(|upset| matches!(upset, Upset::Missed(_))));
    let finding = match worst.map(|ran| (ran, &ran.ended)) {
        Some((ran, Err(cause))) => upset_finding(ran, cause),
        Some((_, Ok(_))) | None => held_finding(service, ran, all, pace),
    };
    let own = finding.evidence.clone();
    finding.evidence(evidence(own))
}

fn upset_finding(ran: &Ran, upset: &Upset) -> Finding {
    match upset {
        Upset::Broken(broken) => {
            let evidence = Evidence::default()
                .asked(&format!("{}: {}", ran.id, broken.asked))
                .wanted(&broken.wanted)
                .reply(&broken.got);
            Finding::fail(&broken.says).remedy(broken.remedy).evidence(evidence)
        }
        Upset::Trouble(trouble) => {
            let asked = format!("{}: {}", ran.id, ran.guarantee);
            trouble.service_finding(&asked, "every command carried out")
        }
        Upset::Missed(why) => Finding::unknown(Cause::Starved, why)
            .remedy("give this host processor time, then re-check")
            .evidence(
                Evidence::default()
                    .asked(&format!("{}: {}", ran.id, ran.guarantee))
                    .wanted("a look in time")
                    .reply(why),
            ),
    }
}

fn held_finding(service: Service, ran: &[Ran], all: usize, pace: Pace) -> Finding {
    let evidence = Evidence::default()
        .asked(&format!("{} of {all} cases of {}", ran.len(), service.name))
        .wanted("every guarantee kept")
        .reply(&format!("{} kept", ran.len()));
    let slow = ran.iter().find_map(|ran| ran.ended.as_ref().ok()?.slow.as_deref());
    let finding = match slow {
        _ if ran.is_empty() => Finding::unknown(Cause::NoSamples, "no case could be run"),
        _ if ran.len() < all => {
            let round_trip = units::span(pace.slowest());
            Finding::warn(&format!("expiry not timed: round trip {round_trip}"))
                .remedy("check from a host nearer to the server; the rest holds")
        }
        Some(slow) => Finding::warn(slow).remedy("look at the network and the server's load"),
        None => Finding::pass(service.proves),
    };
    finding.evidence(evidence)
}

fn word(upset: &Upset) -> String {
    match upset {
        Upset::Broken(broken) => broken.says.clone(),
        Upset::Missed(why) => (*why).into(),
        Upset::Trouble(trouble) => trouble.fault().says,
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{super::trouble::Trouble, Broken, Held},
        *,
    };
    use crate::domain::Outcome;

    const SERVICE: Service = Service { name: "lock", proves: "excludes" };

    fn held() -> Held {
        Held::saw("fence 1, then 2")
    }

    fn broken() -> Upset {
        Upset::Broken(Broken {
            says: "a second holder was let in".into(),
            asked: "acquire a lock that is held",
            wanted: "busy".into(),
            got: "Held { fence: 2 }".into(),
            remedy: "look for several masters",
        })
    }

    fn judged(ended: Vec<Result<Held, Upset>>, all: usize) -> Finding {
        let ran = |ended| Ran { id: "L2", guarantee: "nobody but the holder", ended };
        let ran: Vec<Ran> = ended.into_iter().map(ran).collect();
        sum_up(SERVICE, &ran, all, Pace::of(&[Duration::from_millis(61)]))
    }

    #[test]
    fn all_must_hold_to_pass() {
        let finding = judged(vec![Ok(held()), Ok(held())], 2);
        assert_eq!((finding.outcome, &*finding.summary), (Outcome::Pass, "excludes"));
        let finding = judged(vec![Ok(held()), Err(broken())], 2);
        assert_eq!(finding.outcome, Outcome::Fail);
        assert_eq!(finding.summary, "a second holder was let in");
        assert_eq!(finding.evidence.asked, "L2: acquire a lock that is held");
        assert_eq!(finding.evidence.wanted, "busy");
        assert_eq!(finding.remedy.as_deref(), Some("look for several masters"));
        assert_eq!(finding.evidence.reply, "Held { fence: 2 }");
    }

    #[test]
    fn nothing_run_is_no_pass_and_some_left_out_a_warning() {
        assert_eq!(judged(vec![], 2).outcome, Outcome::Unknown(Cause::NoSamples));
        let finding = judged(vec![Ok(held())], 2);
        assert_eq!(finding.outcome, Outcome::Warn);
        assert_eq!(finding.summary, "expiry not timed: round trip 61ms");
    }

    #[test]
    fn what_is_slow_but_right_is_a_warning() {
        let slow = Ok(Held { saw: "1 load".into(), slow: Some("slowest 300ms".into()) });
        let finding = judged(vec![Ok(held()), slow], 2);
        assert_eq!((finding.outcome, &*finding.summary), (Outcome::Warn, "slowest 300ms"));
    }

    #[test]
    fn a_broken_guarantee_outranks_trouble_and_trouble_a_missed_look() {
        let trouble = || Err(Upset::Trouble(Trouble::of_line("OOM command not allowed")));
        let missed = || Err(Upset::Missed("looked too late"));
        let outcome = |ended| judged(ended, 3).outcome;
        assert_eq!(
            judged(vec![missed(), trouble(), Err(broken())], 3).summary,
            "a second holder was let in"
        );
        let finding = judged(vec![missed(), Ok(held()), trouble()], 3);
        assert_eq!(finding.summary, "memory is full, writes are refused (OOM)");
        assert_eq!(
            outcome(vec![Ok(held()), Ok(held()), missed()]),
            Outcome::Unknown(Cause::Starved)
        );
    }
}
