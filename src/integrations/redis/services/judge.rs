//! What the cases of a service add up to. Pure.

use super::{
    super::{fault::Kind, trouble::Trouble},
    Pace, Ran, Upset,
};
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
    /// The commands without which there is no such service.
    pub(crate) needs: &'static [&'static str],
    /// What a server without scripts still does for it.
    pub(crate) plain: &'static str,
    /// What a full server still does for it.
    pub(crate) spared: Option<Spared>,
}

/// What a full server refuses, and what it spares.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spared {
    /// As in "acquire refused".
    pub(crate) refused: &'static str,
    /// As in "held locks stay".
    pub(crate) works: &'static str,
    /// The command that proves it: it writes nothing where its key is not there.
    pub(crate) proof: &'static [&'static str],
}

/// Judges the cases of a service that were run, of `all` that there are.
pub(crate) fn sum_up(service: Service, ran: &[Ran], all: usize, pace: Pace) -> Finding {
    let worst = worst(ran);
    let finding = match worst.map(|ran| (ran, &ran.ended)) {
        Some((ran, Err(cause))) => upset_finding(service, ran, cause),
        Some((_, Ok(_))) | None => held_finding(service, ran, all, pace),
    };
    let mut evidence = finding.evidence.clone();
    for ran in ran {
        evidence = match &ran.ended {
            Ok(held) => evidence.fact(ran.id, &*held.saw),
            Err(upset) => evidence.fact(ran.id, &*word(upset)),
        };
    }
    if pace.slowest() > Duration::ZERO {
        // In process there is no way to go.
        evidence = evidence.fact("slowest PING", Quantity::Time(pace.slowest()));
    }
    let steps = worst.map(|ran| ran.steps.as_slice()).unwrap_or_default();
    finding.evidence(steps.iter().fold(evidence, |told, step| told.phase(&step.says, step.took)))
}

/// The case that says most of what is wrong. One that knows its cause explains the others.
fn worst(ran: &[Ran]) -> Option<&Ran> {
    let upset =
        |wanted: fn(&Upset) -> bool| ran.iter().find(|ran| ran.ended.as_ref().is_err_and(wanted));
    upset(|upset| matches!(upset, Upset::Broken(broken) if broken.remedy.is_some()))
        .or_else(|| upset(|upset| matches!(upset, Upset::Broken(_))))
        .or_else(|| upset(|upset| matches!(upset, Upset::Trouble(_))))
        .or_else(|| upset(|upset| matches!(upset, Upset::Missed(_))))
}

/// The finding where a server has not what the service needs: nothing is wrong
/// with it, and nothing can be proven.
pub(crate) fn lacking(service: Service, command: &str) -> Finding {
    let trouble = Trouble::of_line(&format!("ERR unknown command '{command}'"));
    let wanted = format!("{}, without which there is no {}", command.to_uppercase(), service.name);
    with_plain(service, &trouble.service_finding("COMMAND INFO", &wanted))
}

/// Adds what remains of a service on a server without scripts.
fn with_plain(service: Service, lacking: &Finding) -> Finding {
    let remains = if lacking.summary.ends_with(" EVAL") { service.plain } else { "" };
    Finding { summary: format!("{}{remains}", lacking.summary), ..lacking.clone() }
}

/// Whether a server says, in words of its own, that it runs no scripts.
fn runs_no_scripts(trouble: &Trouble) -> bool {
    let Trouble::Reply { text, .. } = trouble else { return false };
    let words = text.to_lowercase();
    let denies = ["disabled", "not supported", "not enabled"].iter();
    trouble.fault().kind == Kind::Unexpected
        && words.contains("script")
        && denies.into_iter().any(|denial| words.contains(denial))
}

/// Whether it is a full server, and nothing else, that upset the cases.
pub(crate) fn spared(service: Service, ran: &[Ran]) -> Option<Spared> {
    let full = |ran: &Ran| match &ran.ended {
        Err(Upset::Trouble(trouble)) => trouble.fault().kind == Kind::MemoryFull,
        Ok(_) | Err(_) => false,
    };
    service.spared.filter(|_| worst(ran).is_some_and(full))
}

fn upset_finding(service: Service, ran: &Ran, upset: &Upset) -> Finding {
    match upset {
        Upset::Broken(broken) => {
            let evidence = Evidence::default()
                .asked(&format!("{}: {}", ran.id, broken.asked))
                .wanted(&broken.wanted)
                .reply(&broken.got);
            let remedy = broken.remedy.unwrap_or(ran.remedy);
            Finding::fail(&broken.says).remedy(remedy).evidence(evidence)
        }
        Upset::Trouble(trouble) => troubled(service, ran, trouble),
        Upset::Missed(why) | Upset::Moot(why) => Finding::unknown(Cause::Starved, why)
            .remedy("give this host processor time, then re-check")
            .evidence(
                Evidence::default()
                    .asked(&format!("{}: {}", ran.id, ran.guarantee))
                    .wanted("a look in time")
                    .reply(why),
            ),
    }
}

fn troubled(service: Service, ran: &Ran, trouble: &Trouble) -> Finding {
    let asked = format!("{}: {}", ran.id, ran.guarantee);
    let finding = trouble.service_finding(&asked, "every command carried out");
    if trouble.fault().kind == Kind::Capability {
        return with_plain(service, &finding);
    }
    if runs_no_scripts(trouble) {
        return lacking(service, "EVAL").evidence(finding.evidence);
    }
    finding
}

fn held_finding(service: Service, ran: &[Ran], all: usize, pace: Pace) -> Finding {
    let kept = ran.iter().filter(|ran| ran.ended.is_ok()).count();
    let evidence = Evidence::default()
        .asked(&format!("{} of {all} cases of {}", ran.len(), service.name))
        .wanted("every guarantee kept")
        .reply(&format!("{kept} kept"));
    let slow = ran.iter().find_map(|ran| ran.ended.as_ref().ok()?.slow.as_deref());
    let hazard =
        ran.iter().find_map(|ran| Some((ran, ran.ended.as_ref().ok()?.hazard.as_deref()?)));
    let finding = match slow {
        _ if kept == 0 => Finding::unknown(Cause::NoSamples, "no case could be run"),
        _ if ran.len() < all => {
            let round_trip = units::span(pace.slowest());
            Finding::warn(&format!("expiry not timed: round trip {round_trip}"))
                .remedy("check from a host nearer to the server; the rest holds")
        }
        Some(slow) => Finding::warn(slow).remedy("look at the network and the server's load"),
        None => match hazard {
            Some((ran, hazard)) => Finding::warn(hazard).remedy(ran.remedy),
            None => Finding::pass(service.proves),
        },
    };
    finding.evidence(evidence)
}

fn word(upset: &Upset) -> String {
    match upset {
        Upset::Broken(broken) => broken.says.clone(),
        Upset::Missed(why) => (*why).into(),
        Upset::Moot(why) => format!("not asked: {why}"),
        Upset::Trouble(trouble) => trouble.fault().says,
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{super::steps::Step, Broken, Held},
        *,
    };
    use crate::domain::{Outcome, Skip};

    const SPARED: Spared =
        Spared { refused: "acquire refused", works: "held locks stay", proof: &["PEXPIRE"] };
    const SERVICE: Service = Service {
        name: "lock",
        proves: "excludes",
        needs: &["eval"],
        plain: ": reads only",
        spared: Some(SPARED),
    };

    fn held() -> Held {
        Held::saw("fence 1, then 2")
    }

    fn broken() -> Upset {
        Upset::Broken(Broken {
            says: "a second holder was let in".into(),
            asked: "acquire a lock that is held",
            wanted: "busy".into(),
            got: "Held { fence: 2 }".into(),
            remedy: None,
        })
    }

    fn all_of(ended: Vec<Result<Held, Upset>>) -> Vec<Ran> {
        let step = Step { says: "GET k -> nil".into(), took: Duration::from_micros(7) };
        let ran = |ended| Ran {
            id: "L2",
            guarantee: "nobody but the holder",
            remedy: "look for several masters",
            ended,
            steps: vec![step.clone()],
        };
        ended.into_iter().map(ran).collect()
    }

    fn judged(ended: Vec<Result<Held, Upset>>, all: usize) -> Finding {
        sum_up(SERVICE, &all_of(ended), all, Pace::of(&[Duration::from_millis(61)]))
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
        let slow = Ok(Held::saw("1 load").but_slow(Some("slowest 300ms".into())));
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

    #[test]
    fn what_knows_its_cause_is_said_before_what_follows_from_it() {
        let gone = Upset::Broken(Broken {
            says: "gone after 14ms of 2s".into(),
            asked: "look at a key before its end",
            wanted: "there".into(),
            got: "nothing".into(),
            remedy: Some("look for a flush"),
        });
        let finding = judged(vec![Err(broken()), Err(gone)], 2);
        assert_eq!(finding.summary, "gone after 14ms of 2s");
        assert_eq!(finding.remedy.as_deref(), Some("look for a flush"));
    }

    #[test]
    fn a_failure_shows_its_first_commands_and_a_pass_none() {
        let steps = |ended| judged(ended, 1).evidence.phases.into_iter().map(|step| step.name);
        let shown: Vec<_> = steps(vec![Err(broken())]).collect();
        assert_eq!(shown, ["GET k -> nil"]);
        assert_eq!(steps(vec![Ok(held())]).count(), 0);
    }

    #[test]
    fn what_may_break_some_day_is_a_warning_with_the_remedy_of_its_case() {
        let hazard = || Ok(held().but_for(Some("locks may be pushed out".into())));
        let finding = judged(vec![Ok(held()), hazard()], 2);
        assert_eq!(
            (finding.outcome, &*finding.summary),
            (Outcome::Warn, "locks may be pushed out")
        );
        assert_eq!(finding.remedy.as_deref(), Some("look for several masters"));
        assert_eq!(judged(vec![hazard(), Err(broken())], 2).outcome, Outcome::Fail);
    }

    #[test]
    fn what_cannot_be_asked_here_is_neither_kept_nor_broken() {
        let moot = || Err(Upset::Moot("no replicas"));
        let finding = judged(vec![Ok(held()), moot()], 2);
        assert_eq!((finding.outcome, &*finding.evidence.reply), (Outcome::Pass, "1 kept"));
        assert_eq!(judged(vec![moot()], 1).outcome, Outcome::Unknown(Cause::NoSamples));
    }

    #[test]
    fn what_a_server_has_not_is_no_failure_of_it() {
        let of = |line: &str| {
            let trouble = Trouble::of_line(line);
            let finding = judged(vec![Ok(held()), Err(Upset::Trouble(trouble))], 2);
            (finding.outcome, finding.summary)
        };
        let skipped = |says: &str| (Outcome::Skipped(Skip::NotApplicable), says.to_owned());
        assert_eq!(
            of("ERR unknown command 'EVAL', with args beginning with: "),
            skipped("it does not know EVAL: reads only")
        );
        assert_eq!(of("ERR unknown command `HSET`, with"), skipped("it does not know HSET"));
        assert_eq!(
            of("ERR Lua scripting support disabled"),
            skipped("it does not know EVAL: reads only")
        );
        let denied = "NOPERM this user has no permissions to run the 'eval' command";
        assert_eq!(of(denied).0, Outcome::Fail);
    }

    #[test]
    fn only_a_full_server_spares() {
        let of = |ended| spared(SERVICE, &all_of(ended)).is_some();
        let trouble = |line| Err(Upset::Trouble(Trouble::of_line(line)));
        assert!(of(vec![Ok(held()), trouble("OOM command not allowed")]));
        assert!(!of(vec![Ok(held()), trouble("READONLY a replica")]));
        assert!(!of(vec![trouble("OOM full"), Err(broken())]));
    }
}
