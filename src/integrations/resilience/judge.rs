//! Decides whether our machinery held. Pure: what was seen goes in, a finding comes out.

use super::faults::Faults;
use crate::{
    domain::{Cause, Evidence, Finding, Outcome},
    probe::{BreakerConfig, Ending},
    units::span,
};
use std::time::Duration;

/// How soon after its deadline a run's socket must be closed.
const RELEASE: Duration = Duration::from_millis(250);

/// The breaker's own rules with times short enough to be waited for.
pub(super) const CONFIG: BreakerConfig = BreakerConfig {
    window: 10,
    min_calls: 5,
    failed_percent: 50,
    slow_percent: 50,
    slow: Duration::from_secs(2),
    open: Duration::from_millis(60),
    open_cap: Duration::from_millis(240),
    trials: 3,
    needed: 2,
    trial_time: Duration::from_secs(5),
};

/// The ceiling of the first delay between retries.
pub(super) const FIRST_DELAY: Duration = Duration::from_millis(20);
/// The ceiling that the delays grow to.
pub(super) const LONGEST_DELAY: Duration = Duration::from_millis(80);
/// Attempts before a retry gives up.
pub(super) const TRIES: usize = 5;
/// Calls that the recovering server resets before it answers.
pub(super) const RESETS: usize = 2;

/// What became of three tasks of which one panicked, and of one begun afterwards.
pub(super) struct Panics {
    pub(super) message: String,
    pub(super) crashed: Ending,
    pub(super) siblings: [Ending; 2],
    pub(super) next: Ending,
}

/// What became of a run that would never have ended.
pub(super) struct Cut {
    pub(super) ending: Ending,
    pub(super) took: Duration,
    pub(super) dropped: bool,
}

/// What became of three hung runs.
pub(super) struct Timeouts {
    pub(super) allowed: Duration,
    pub(super) deadline: Cut,
    pub(super) stop_after: Duration,
    pub(super) stopped: Cut,
    /// How long after the deadline the socket was closed, if it was.
    pub(super) released: Option<Duration>,
}

/// What a server saw of a breaker in front of it.
pub(super) struct Circuit {
    /// Failing calls until it opened, if it did.
    pub(super) opened_after: Option<usize>,
    /// Calls tried while it was open.
    pub(super) knocks: u64,
    /// How many of them it turned away.
    pub(super) rejected: u64,
    /// How many of them reached the server.
    pub(super) leaked: usize,
    /// How long no call came, each time.
    pub(super) silences: [Option<Duration>; 2],
    /// Good calls until it closed, if it did.
    pub(super) closed_after: Option<usize>,
}

/// What a server saw of one retried call.
pub(super) struct Attempts {
    pub(super) tries: usize,
    pub(super) gaps: Vec<Duration>,
    pub(super) answered: bool,
}

/// A call that is retried in vain and one whose server recovers.
pub(super) struct Retries {
    pub(super) ceilings: Vec<Duration>,
    pub(super) plan: Vec<Duration>,
    pub(super) hopeless: Attempts,
    pub(super) recovering: Attempts,
}

/// An ending in a few words.
fn words(ending: &Ending) -> String {
    match ending {
        Ending::Finding(finding) => format!("{}: {}", finding.outcome.word(), finding.summary),
        Ending::TimedOut { allowed, .. } => format!("cut at its deadline of {}", span(*allowed)),
        Ending::Cancelled => "stopped".into(),
        Ending::Panicked(message) => format!("panicked: {message}"),
    }
}

fn is_calm(ending: &Ending) -> bool {
    matches!(ending, Ending::Finding(finding) if finding.outcome == Outcome::Pass)
}

/// The panic is known by its message, and nothing but its own run noticed.
pub(super) fn panics(seen: &Panics, lag: Duration) -> Finding {
    let mut faults = Faults::within(lag);
    let shown = Finding::from(seen.crashed.clone());
    faults.expect(matches!(seen.crashed, Ending::Panicked(_)), || {
        format!("the panicking run ended as {}", words(&seen.crashed))
    });
    faults.expect(
        shown.outcome == Outcome::Unknown(Cause::Panicked) && shown.summary.contains(&seen.message),
        || "the panic's message was lost".into(),
    );
    let finished = seen.siblings.iter().filter(|ending| is_calm(ending)).count();
    let of = seen.siblings.len();
    faults.expect(finished == of, || format!("only {finished} of {of} siblings finished"));
    faults.expect(is_calm(&seen.next), || {
        format!("the run after the panic ended as {}", words(&seen.next))
    });
    let evidence = Evidence::default()
        .asked("a panic in one of three concurrent runs, then a fourth run")
        .wanted("that run alone ends as panicked, with its message; the others finish")
        .reply(&format!("{}; {finished} of {of} siblings finished", words(&seen.crashed)));
    faults.conclude(&format!("contained; {finished} of {of} siblings finished"), evidence)
}

/// Hung runs are cut in time, dropped, and their socket is closed.
pub(super) fn timeout(seen: &Timeouts, lag: Duration) -> Finding {
    let Timeouts { allowed, deadline, stop_after, stopped, released } = seen;
    let mut faults = Faults::within(lag);
    faults.expect(matches!(deadline.ending, Ending::TimedOut { .. }), || {
        format!("the hung run ended as {}", words(&deadline.ending))
    });
    faults.expect(stopped.ending == Ending::Cancelled, || {
        format!("the cancelled run ended as {}", words(&stopped.ending))
    });
    faults.expect(deadline.dropped, || "the hung run was not dropped".into());
    faults.expect(stopped.dropped, || "the cancelled run was not dropped".into());
    faults.expect_between("cut", deadline.took, *allowed, *allowed);
    faults.expect_between("stopped", stopped.took, *stop_after, *stop_after);
    match released {
        Some(after) => faults.expect_between("socket closed", *after, Duration::ZERO, RELEASE),
        None => faults.late(format!("socket still open, limit {}", span(RELEASE))),
    }
    let closed = released
        .map_or("socket still open".into(), |after| format!("socket closed {} later", span(after)));
    let evidence = Evidence::default()
        .asked("runs that never end: past a deadline, until stopped, on a silent server")
        .wanted(&format!("cut at {}, dropped, socket closed in {}", span(*allowed), span(RELEASE)))
        .reply(&format!(
            "cut at {}, stopped at {}, {closed}",
            span(deadline.took),
            span(stopped.took)
        ))
        .phase("deadline", deadline.took)
        .phase("stop", stopped.took)
        .phase("release", released.unwrap_or_default());
    faults
        .conclude(&format!("cut at {}, {closed}", span(deadline.took)), evidence)
        .latency(deadline.took.saturating_sub(*allowed))
}

/// The breaker opens at its share, spares the server, and closes after recovery.
pub(super) fn breaker(seen: &Circuit, lag: Duration) -> Finding {
    let mut faults = Faults::within(lag);
    let calls = |calls: Option<usize>| calls.map_or("never".into(), |n| format!("after {n} calls"));
    let (opened, closed) = (calls(seen.opened_after), calls(seen.closed_after));
    let expected_close = usize::try_from(1 + CONFIG.needed).ok();
    faults.expect(seen.opened_after == Some(CONFIG.min_calls), || {
        format!("opened {opened}, not after {}", CONFIG.min_calls)
    });
    faults.expect(seen.leaked == 0, || {
        format!("{} of {} calls passed the open breaker", seen.leaked, seen.knocks)
    });
    faults.expect(seen.rejected == seen.knocks, || {
        format!("counted {} of {} rejected calls", seen.rejected, seen.knocks)
    });
    for (silence, wait) in seen.silences.iter().zip([CONFIG.open, CONFIG.open * 2]) {
        match silence {
            Some(silence) => faults.expect_between("tried again", *silence, wait, wait),
            None => faults.broken(format!("no trial came after {}", span(wait))),
        }
    }
    faults.expect(seen.closed_after == expected_close, || {
        format!("closed {closed}, not after {}", 1 + CONFIG.needed)
    });
    let silences = seen.silences.map(Option::unwrap_or_default);
    let evidence = Evidence::default()
        .asked("calls through a breaker to a server that resets them, then recovers")
        .wanted(&format!(
            "opens after {}, lets none of {} through, tries after {} and {}, closes after {}",
            CONFIG.min_calls,
            seen.knocks,
            span(CONFIG.open),
            span(CONFIG.open * 2),
            1 + CONFIG.needed,
        ))
        .reply(&format!(
            "opened {opened}, {} rejected, {} reached the server, closed {closed}",
            seen.rejected, seen.leaked
        ))
        .phase("open", silences[0])
        .phase("open again", silences[1]);
    let turned = seen.rejected;
    faults.conclude(&format!("opened {opened}, {turned} rejected, closed"), evidence)
}

/// Retries wait as planned, within their ceilings, and end.
pub(super) fn backoff(seen: &Retries, lag: Duration) -> Finding {
    let mut faults = Faults::within(lag);
    let Retries { ceilings, plan, hopeless, recovering } = seen;
    faults.expect(hopeless.tries == TRIES && !hopeless.answered, || {
        format!("{} attempts in vain, limit {TRIES}", hopeless.tries)
    });
    faults.expect(recovering.tries == RESETS + 1, || {
        format!("{} attempts where {} do", recovering.tries, RESETS + 1)
    });
    faults.expect(recovering.answered, || "no answer after the server recovered".into());
    faults.expect(plan.iter().zip(ceilings).all(|(delay, ceiling)| delay <= ceiling), || {
        "a delay exceeds its ceiling".into()
    });
    for attempts in [hopeless, recovering] {
        for (gap, delay) in attempts.gaps.iter().zip(plan) {
            faults.expect_between("retried", *gap, *delay, *delay);
        }
    }
    let list = |spans: &[Duration]| spans.iter().map(|s| span(*s)).collect::<Vec<_>>().join(" ");
    let evidence = Evidence::default()
        .asked(&format!("{TRIES} tries at a server that resets all, and one that resets {RESETS}"))
        .wanted(&format!("pauses drawn from 0 to {}; it ends", list(ceilings)))
        .reply(&format!(
            "pauses {}; {} and {} tries",
            list(&hopeless.gaps),
            hopeless.tries,
            recovering.tries
        ));
    let longest = hopeless.gaps.iter().max().copied().unwrap_or_default();
    let holds =
        format!("{} tries, then {}, pauses to {}", hopeless.tries, recovering.tries, span(longest));
    faults.conclude(&holds, evidence)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_LAG: Duration = Duration::ZERO;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn calm() -> Ending {
        Ending::Finding(Box::new(Finding::pass("calm")))
    }

    /// Judges what is right but for one thing.
    #[track_caller]
    fn fails(finding: &Finding, says: &str) {
        assert_eq!(finding.outcome, Outcome::Fail, "{says}: {finding:?}");
        assert!(finding.summary.contains(says), "{:?} does not say {says:?}", finding.summary);
        assert!(finding.summary.len() <= 60, "{} is long for a column", finding.summary);
    }

    #[track_caller]
    fn passes(finding: &Finding) {
        assert_eq!(finding.outcome, Outcome::Pass, "{finding:?}");
        let Evidence { asked, wanted, reply, .. } = &finding.evidence;
        assert!(![asked, wanted, reply].iter().any(|text| text.is_empty()));
        assert!(finding.summary.len() <= 45, "{} is long for a column", finding.summary);
    }

    #[test]
    fn a_panic_must_stay_where_it_is_and_keep_its_message() {
        let good = || Panics {
            message: "injected fault 1".into(),
            crashed: Ending::Panicked("injected fault 1".into()),
            siblings: [calm(), calm()],
            next: calm(),
        };
        passes(&panics(&good(), NO_LAG));
        let judged = |seen: &Panics| panics(seen, NO_LAG);
        fails(&judged(&Panics { crashed: Ending::Cancelled, ..good() }), "ended as stopped");
        fails(&judged(&Panics { crashed: calm(), ..good() }), "ended as pass: calm");
        let anonymous = Ending::Panicked("no message".into());
        fails(&judged(&Panics { crashed: anonymous, ..good() }), "message was lost");
        let torn = [calm(), Ending::Panicked("also".into())];
        fails(&judged(&Panics { siblings: torn, ..good() }), "only 1 of 2 siblings");
        fails(&judged(&Panics { next: Ending::Cancelled, ..good() }), "after the panic");
    }

    fn hung() -> Timeouts {
        let timed_out = Ending::TimedOut { allowed: ms(50), lag: NO_LAG };
        Timeouts {
            allowed: ms(50),
            deadline: Cut { ending: timed_out, took: ms(51), dropped: true },
            stop_after: ms(10),
            stopped: Cut { ending: Ending::Cancelled, took: ms(11), dropped: true },
            released: Some(ms(1)),
        }
    }

    #[test]
    fn a_hung_run_must_be_cut_dropped_and_let_go() {
        passes(&timeout(&hung(), NO_LAG));
        let deadline = |took, dropped| {
            let ending = hung().deadline.ending;
            timeout(&Timeouts { deadline: Cut { ending, took, dropped }, ..hung() }, NO_LAG)
        };
        passes(&deadline(ms(75), true));
        fails(&deadline(ms(76), true), "cut after 76ms, limit 50ms");
        fails(&deadline(ms(49), true), "cut after 49ms, not 50ms");
        fails(&deadline(ms(51), false), "hung run was not dropped");
        let stopped = |ending| Cut { ending, took: ms(11), dropped: true };
        let deaf = Timeouts { stopped: stopped(hung().deadline.ending), ..hung() };
        fails(&timeout(&deaf, NO_LAG), "cancelled run ended as cut");
        assert_eq!(timeout(&hung(), NO_LAG).latency, Some(ms(1)));
    }

    #[test]
    fn its_socket_must_be_closed_in_time_unless_the_host_was_starved() {
        let released = |released, lag| timeout(&Timeouts { released, ..hung() }, lag);
        passes(&released(Some(ms(275)), NO_LAG));
        fails(&released(Some(ms(276)), NO_LAG), "socket closed after 276ms, limit 250ms");
        fails(&released(None, NO_LAG), "socket still open");
        passes(&released(Some(ms(475)), ms(100)));
        fails(&released(Some(ms(476)), ms(100)), "limit 250ms");
        let starved = released(None, ms(101));
        assert_eq!(starved.outcome, Outcome::Unknown(Cause::Starved));
    }

    #[test]
    fn a_breaker_must_open_spare_the_server_and_close_again() {
        let good = || Circuit {
            opened_after: Some(5),
            knocks: 4,
            rejected: 4,
            leaked: 0,
            silences: [Some(ms(61)), Some(ms(121))],
            closed_after: Some(3),
        };
        passes(&breaker(&good(), NO_LAG));
        let cases = [
            (Circuit { opened_after: None, ..good() }, "opened never"),
            (Circuit { opened_after: Some(4), ..good() }, "opened after 4 calls, not after 5"),
            (Circuit { opened_after: Some(6), ..good() }, "opened after 6 calls, not after 5"),
            (Circuit { leaked: 1, rejected: 3, ..good() }, "1 of 4 calls passed"),
            (Circuit { rejected: 3, ..good() }, "counted 3 of 4 rejected"),
            (Circuit { silences: [Some(ms(59)), Some(ms(121))], ..good() }, "after 59ms, not 60ms"),
            (Circuit { silences: [Some(ms(61)), Some(ms(61))], ..good() }, "after 61ms, not 120ms"),
            (
                Circuit { silences: [Some(ms(86)), Some(ms(121))], ..good() },
                "after 86ms, limit 60ms",
            ),
            (Circuit { silences: [Some(ms(61)), None], ..good() }, "no trial came after 120ms"),
            (Circuit { closed_after: None, ..good() }, "closed never"),
            (Circuit { closed_after: Some(1), ..good() }, "closed after 1 calls, not after 3"),
        ];
        for (seen, says) in cases {
            fails(&breaker(&seen, NO_LAG), says);
        }
    }

    #[test]
    fn retries_must_wait_as_planned_and_end() {
        let attempts = |tries, answered, gaps: &[u64]| Attempts {
            tries,
            answered,
            gaps: gaps.iter().copied().map(ms).collect(),
        };
        let seen = |hopeless, recovering| Retries {
            ceilings: [20, 40, 80, 80].map(ms).to_vec(),
            plan: [7, 40, 11, 60].map(ms).to_vec(),
            hopeless,
            recovering,
        };
        let five = || attempts(5, false, &[7, 65, 12, 61]);
        let three = || attempts(3, true, &[8, 41]);
        passes(&backoff(&seen(five(), three()), NO_LAG));
        let cases = [
            (seen(attempts(6, false, &[7, 40, 11, 60, 1]), three()), "6 attempts in vain, limit 5"),
            (seen(attempts(4, false, &[7, 40, 11]), three()), "4 attempts in vain"),
            (seen(five(), attempts(4, true, &[7, 40, 11])), "4 attempts where 3 do"),
            (seen(five(), attempts(3, false, &[7, 40])), "no answer after"),
            (seen(attempts(5, false, &[6, 40, 11, 60]), three()), "retried after 6.0ms, not 7.0ms"),
            (seen(attempts(5, false, &[7, 66, 11, 60]), three()), "retried after 66ms, limit 40ms"),
        ];
        for (seen, says) in cases {
            fails(&backoff(&seen, NO_LAG), says);
        }
        let wild = Retries { plan: [21, 40, 11, 60].map(ms).to_vec(), ..seen(five(), three()) };
        fails(&backoff(&wild, NO_LAG), "exceeds its ceiling");
    }
}
