use crate::{
    domain::{Evidence, Finding, Quantity},
    integrations::database::{
        judge::{count, time},
        postgres::{
            activity::{Errors, Log, Mistake, Window},
            queries,
        },
    },
    units,
};

/// What dividing by zero is, and its class.
const DIVISION: (&str, &str) = ("22012", "22");
/// Transactions without which a share says nothing.
const ENOUGH: u64 = 20;
/// Share of rollbacks in percent that an application has to explain. The server
/// cannot tell an error from a ROLLBACK meant as one, so it is only a warning.
const ROLLED_BACK: u64 = 6;

/// Whether an error is noticed by both sides, and what else went wrong.
pub(in super::super) fn errors(seen: &Errors) -> Finding {
    let Errors { canary, now, window, log } = seen;
    let finding = canary
        .as_ref()
        .and_then(|mistake| missed(mistake, now.counting))
        .or_else(|| damage(seen))
        .or_else(|| rate(window))
        .or_else(|| unexplained(log))
        .unwrap_or_else(|| {
            let Window { ended, rolled_back, .. } = window;
            let canary = if canary.is_some() { "error counted, " } else { "" };
            Finding::pass(&format!("{canary}{rolled_back} of {ended} rolled back"))
        });
    let finding = finding.evidence(evidence(seen));
    match share(window) {
        Some(share) => finding.measure(Quantity::Ratio(share)),
        None => finding,
    }
}

/// The positive and the negative control, on our side and on the server's.
fn missed(mistake: &Mistake, counting: bool) -> Option<Finding> {
    let Mistake { code, counted, fine, rollbacks } = mistake;
    if code != DIVISION.0 {
        let says = if code.is_empty() { "no error" } else { code.as_str() };
        let remedy = "look for a proxy that answers in the server's place";
        return Some(Finding::fail(&format!("division by zero gave {says}")).remedy(remedy));
    }
    let ours: Vec<(&str, u64)> = counted.iter().map(|(class, n)| (class.as_str(), *n)).collect();
    if ours != [(DIVISION.1, 1)] || *fine != 1 {
        let says =
            format!("our side counted {} errors of 1", ours.iter().map(|(_, n)| n).sum::<u64>());
        return Some(Finding::fail(&says).remedy("report this as a bug of tminus"));
    }
    if !counting {
        let remedy = "ALTER SYSTEM SET track_counts = on; SELECT pg_reload_conf()";
        let finding = Finding::fail("track_counts=off: no error is counted");
        return Some(finding.fault("track_counts=off").remedy(remedy));
    }
    (*rollbacks < 1).then(|| {
        Finding::fail(&format!("{rollbacks} of 1 error counted by the server"))
            .remedy("look for a proxy between here and the server: xact_rollback has to grow")
    })
}

fn damage(seen: &Errors) -> Option<Finding> {
    let checksums = seen.now.checksums;
    (checksums > 0).then(|| {
        Finding::fail(&format!("{checksums} pages with a wrong checksum"))
            .remedy("restore a backup onto another disk; pg_stat_database.checksum_failures")
    })
}

/// The share of what was rolled back. What the recovery cancels is an error for sure.
fn rate(window: &Window) -> Option<Finding> {
    let Window { span, ended, rolled_back, conflicts, .. } = window;
    let span = units::span(*span);
    if *conflicts > 0 {
        let remedy = "raise max_standby_streaming_delay, or set hot_standby_feedback = on";
        let says = format!("{conflicts} statements cancelled by recovery, {span}");
        return Some(Finding::warn(&says).remedy(remedy));
    }
    (*ended >= ENOUGH && rolled_back * 100 > ended * ROLLED_BACK).then(|| {
        let percent = rolled_back * 100 / ended;
        Finding::warn(&format!("{percent} % of {ended} rolled back in {span}"))
            .remedy("look for errors in the server's log; a ROLLBACK meant as such counts too")
    })
}

/// What kinds of errors there are is only in the log.
fn unexplained(log: &Log) -> Option<Finding> {
    if matches!(log.statements.as_str(), "log" | "fatal" | "panic") {
        let says = format!("log_min_error_statement={}", log.statements);
        let remedy = "ALTER SYSTEM SET log_min_error_statement = 'error'; SELECT pg_reload_conf()";
        return Some(Finding::warn(&format!("{says} hides errors")).remedy(remedy));
    }
    let kept = log.collector || log.destination.contains("syslog");
    (!kept).then(|| {
        Finding::warn("no log tells which errors: collector off").remedy(
            "ALTER SYSTEM SET logging_collector = on and log_destination = 'jsonlog' \
             (before 15 'csvlog'), then restart; or keep stderr in journald and look there",
        )
    })
}

fn evidence(seen: &Errors) -> Evidence {
    let Errors { canary, now, window, log } = seen;
    let reply = match canary {
        Some(mistake) => format!("SQLSTATE {}, +{} rollbacks", mistake.code, mistake.rollbacks),
        None => format!("{} of {} rolled back", window.rolled_back, window.ended),
    };
    let evidence = Evidence::default()
        .asked(&format!("{}, once an hour and by hand; else xact_rollback", queries::MISTAKE))
        .wanted("SQLSTATE 22012 here and one more rollback on the server")
        .reply(&reply);
    let evidence = match canary {
        Some(Mistake { counted, fine, rollbacks, .. }) => {
            let errors: u64 = counted.iter().map(|(_, n)| n).sum();
            let evidence = count(evidence, "errors of class 22, here", errors);
            let evidence = count(evidence, "fine, here", *fine);
            count(evidence, "rollbacks for it, server", rollbacks.unsigned_abs())
        }
        None => evidence.fact("error on purpose", "not due: it is a line in the server's log"),
    };
    let evidence = time(evidence, "looked back", window.span);
    let evidence = count(evidence, "transactions of others", window.ended);
    let evidence = count(evidence, "rolled back", window.rolled_back);
    let evidence = count(evidence, "sessions ended by an error", window.fatal);
    let evidence = count(evidence, "deadlocks, ever", now.deadlocks.unsigned_abs());
    let evidence = count(evidence, "wrong checksums, ever", now.checksums.unsigned_abs());
    evidence
        .fact("log_destination", log.destination.as_str())
        .fact("logging_collector", if log.collector { "on" } else { "off" })
        .fact("log_min_error_statement", log.statements.as_str())
}

#[expect(clippy::cast_precision_loss, reason = "a share needs no more digits than f64 has")]
fn share(window: &Window) -> Option<f64> {
    (window.ended >= ENOUGH).then(|| window.rolled_back as f64 / window.ended as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::integrations::database::postgres::activity::Stats;
    use std::time::Duration;

    fn mistake() -> Mistake {
        Mistake { code: "22012".into(), counted: vec![("22".into(), 1)], fine: 1, rollbacks: 1 }
    }

    fn seen(canary: Option<Mistake>, ended: u64, rolled_back: u64) -> Errors {
        let span = Duration::from_mins(5);
        Errors {
            canary,
            now: Stats { counting: true, ..Stats::default() },
            window: Window { span, ended, rolled_back, ..Window::default() },
            log: Log { collector: true, destination: "jsonlog".into(), statements: "error".into() },
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
        let pass = says(&seen(Some(mistake()), 0, 0));
        assert_eq!(pass, ("pass", "error counted, 0 of 0 rolled back".into()));
        assert_eq!(says(&seen(None, 7, 0)), ("pass", "0 of 7 rolled back".into()));
        let fails = [
            Mistake { code: String::new(), ..mistake() },
            Mistake { code: "42601".into(), ..mistake() },
            Mistake { counted: Vec::new(), ..mistake() },
            Mistake { counted: vec![("22".into(), 2)], ..mistake() },
            Mistake { counted: vec![("42".into(), 1)], ..mistake() },
            Mistake { fine: 0, ..mistake() },
            Mistake { rollbacks: 0, ..mistake() },
        ];
        for mistake in fails {
            assert_eq!(says(&seen(Some(mistake), 0, 0)).0, "fail");
        }
        let mut off = seen(Some(Mistake { rollbacks: 0, ..mistake() }), 0, 0);
        off.now.counting = false;
        assert_eq!(says(&off), ("fail", "track_counts=off: no error is counted".into()));
    }

    #[test]
    fn a_share_counts_from_twenty_on_and_beyond_its_limit() {
        assert_eq!(says(&seen(None, 19, 19)).0, "pass");
        assert_eq!(says(&seen(None, 100, 6)).0, "pass");
        assert_eq!(says(&seen(None, 100, 7)), ("warn", "7 % of 100 rolled back in 5m00s".into()));
    }

    #[test]
    fn damage_and_a_missing_log_are_told() {
        let mut damaged = seen(None, 0, 0);
        damaged.now.checksums = 1;
        assert_eq!(says(&damaged), ("fail", "1 pages with a wrong checksum".into()));
        let mut silent = seen(None, 0, 0);
        silent.log.collector = false;
        silent.log.destination = "stderr".into();
        assert_eq!(says(&silent).0, "warn");
        silent.log.destination = "syslog".into();
        assert_eq!(says(&silent).0, "pass");
        silent.log.statements = "fatal".into();
        assert_eq!(says(&silent).1, "log_min_error_statement=fatal hides errors");
        let mut conflicts = seen(None, 0, 0);
        conflicts.window.conflicts = 3;
        assert_eq!(says(&conflicts).0, "warn");
    }
}
