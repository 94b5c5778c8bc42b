//! What the commands add up to. Pure but for the age of an answer.

use super::{
    Answer, PROBES, Probe, Row, Seen,
    prints::{Told, code, read},
    probes::Need,
};
use crate::{
    domain::{Cause, Evidence, Finding, Grid, Mark, Receipt},
    units,
};
use std::time::Duration;

const ASKED: &str = "PING, GET, SET, EVAL, PEXPIRE, ZPOPMIN, RPOPLPUSH, XADD, XREADGROUP, PUBLISH, \
    TIME, INFO, SUBSCRIBE";
const WANTED: &str = "each one carried out";
/// An answer that is older says so.
const FRESH: Duration = Duration::from_secs(2);

/// Judges what became of the commands.
pub(super) fn judge(row: &Row, receipt: Receipt) -> Finding {
    let count = |wanted: fn(&Answer) -> bool| row.iter().filter(|it| wanted(&it.answer)).count();
    let done = count(|answer| *answer == Answer::Done);
    let failed = count(|answer| matches!(answer, Answer::Failed(_)));
    let slowest = row.iter().filter(|seen| seen.answer == Answer::Done).map(|seen| seen.took).max();
    let (finding, pattern) = match read(row) {
        Told::Well => (well(row, done, slowest.unwrap_or_default()), None),
        Told::Blind(fault) => (Finding::warn(&fault.says).remedy(&fault.remedy), None),
        Told::Wrong(fault, pattern) => (fault.finding(), pattern),
    };
    let evidence = Evidence::default()
        .asked(ASKED)
        .wanted(WANTED)
        .reply(&reply(row, done, failed))
        .grid(grid(row));
    let evidence = match pattern {
        Some(pattern) => evidence.fact("pattern of", pattern),
        None if failed > 0 => evidence.fact("pattern of", "no fault that is known"),
        None => evidence,
    };
    let finding = finding.evidence(evidence).receipt(receipt);
    match slowest {
        Some(slowest) => finding.latency(slowest),
        None => finding,
    }
}

/// All that was sent and is needed was carried out.
fn well(row: &Row, done: usize, slowest: Duration) -> Finding {
    let why = row.iter().find_map(|seen| match seen.answer {
        Answer::NotSent(why) => Some(why),
        Answer::Done | Answer::Failed(_) => None,
    });
    let slowest = units::span(slowest);
    match why {
        None => Finding::pass(&format!("{done} commands carried out, slowest {slowest}")),
        Some(why) if why == super::send::NO_ROOM => Finding::unknown(Cause::NoSamples, why)
            .remedy("make room, then re-check; writing now could push out a key of yours"),
        Some(_) => Finding::pass(&format!("{done} of {} carried out, no writes sent", row.len())),
    }
}

/// The failures by code: `OOM: SET, XADD`.
fn reply(row: &Row, done: usize, failed: usize) -> String {
    let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
    for (probe, seen) in PROBES.iter().zip(row) {
        let Answer::Failed(trouble) = &seen.answer else { continue };
        let code = code(trouble);
        match groups.iter_mut().find(|(known, _)| *known == code) {
            Some((_, names)) => names.push(probe.name),
            None => groups.push((code, vec![probe.name])),
        }
    }
    let groups = groups.iter().map(|(code, names)| format!("; {code}: {}", names.join(", ")));
    format!("{done} carried out, {failed} failed{}", groups.collect::<String>())
}

fn grid(row: &Row) -> Grid {
    PROBES.iter().zip(row).fold(Grid::new(&["command", "answer", "time"]), |grid, (probe, seen)| {
        let (mark, answer) = shown(probe, seen);
        let time = match (&seen.answer, seen.at.elapsed()) {
            (Answer::NotSent(_), _) => String::new(),
            (_, ago) if ago > FRESH => format!("{} ago", units::age(ago)),
            _ => units::span(seen.took),
        };
        grid.row(mark, &[probe.name, &answer, &time])
    })
}

fn shown(probe: &Probe, seen: &Seen) -> (Mark, String) {
    match &seen.answer {
        Answer::Done => (Mark::Pass, "ok".into()),
        Answer::NotSent(_) => (Mark::Skipped, "not sent".into()),
        Answer::Failed(trouble) => {
            let denied = matches!(code(trouble), "NOPERM" | "ERR");
            let mark = match probe.need {
                Need::Looking if denied => Mark::Warn,
                Need::Nobody if denied => Mark::Skipped,
                Need::Services | Need::Looking | Need::Nobody => Mark::Fail,
            };
            (mark, code(trouble).to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::super::trouble::Trouble, super::COUNT, *};
    use crate::domain::Outcome;
    use std::array;
    use tokio::time::{Instant, advance};

    fn row(answer: impl Fn(&str) -> Answer) -> Row {
        array::from_fn::<_, COUNT, _>(|at| Seen {
            answer: answer(PROBES[at].name),
            took: Duration::from_micros(300),
            at: Instant::now(),
        })
    }

    fn failing(names: &'static [&str], line: &'static str) -> Row {
        row(|name| {
            let fails = names.contains(&name);
            if fails { Answer::Failed(Trouble::of_line(line)) } else { Answer::Done }
        })
    }

    fn judged(row: &Row) -> Finding {
        judge(row, Receipt::default())
    }

    fn line(finding: &Finding, name: &str) -> (Mark, String) {
        let rows = &finding.evidence.grid.as_ref().unwrap().rows;
        let row = rows.iter().find(|row| row.cells[0] == name).unwrap();
        (row.mark, row.cells[1..].join(" "))
    }

    #[tokio::test]
    async fn all_carried_out_is_a_pass() {
        let finding = judged(&row(|_| Answer::Done));
        assert_eq!(finding.outcome, Outcome::Pass);
        assert_eq!(finding.summary, "15 commands carried out, slowest 0.3ms");
        assert_eq!(finding.evidence.grid.as_ref().unwrap().rows.len(), COUNT);
        assert_eq!(line(&finding, "SET"), (Mark::Pass, "ok 0.3ms".into()));
        assert_eq!(finding.fault, None);
    }

    #[tokio::test]
    async fn a_fault_is_named_once_with_what_fails_of_it() {
        let finding = judged(&failing(&["SET", "EVAL write", "RPOPLPUSH", "XADD"], "OOM full"));
        assert_eq!(finding.outcome, Outcome::Fail);
        assert_eq!(finding.summary, "memory is full, writes are refused (OOM)");
        assert_eq!(finding.fault.as_deref(), Some("memory-full"));
        let reply = "11 carried out, 4 failed; OOM: SET, EVAL write, RPOPLPUSH, XADD";
        assert_eq!(finding.evidence.reply, reply);
        assert_eq!(line(&finding, "SET"), (Mark::Fail, "OOM 0.3ms".into()));
        assert_eq!(finding.evidence.facts[0].name, "pattern of");
        let of_a_service = Trouble::of_line("OOM full").finding("L1", "a lock");
        assert_eq!(of_a_service.fault, finding.fault, "so that both are one blocker");
    }

    #[tokio::test]
    async fn what_is_only_for_looking_is_a_warning() {
        let denied = "NOPERM this user has no permissions to run the 'info' command";
        let finding = judged(&failing(&["INFO", "XADD"], denied));
        assert_eq!(finding.outcome, Outcome::Warn);
        assert_eq!(finding.summary, "the user may not run INFO (NOPERM)");
        assert_eq!(line(&finding, "INFO").0, Mark::Warn);
        assert_eq!(line(&finding, "XADD").0, Mark::Skipped);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_not_asked_now_is_not_shown_as_if_it_were() {
        let not_sent = |why| {
            row(move |name| match name {
                "SET" => Answer::NotSent(why),
                _ => Answer::Done,
            })
        };
        let finding = judged(&not_sent("not sent: writing is not allowed"));
        assert_eq!(finding.summary, "14 of 15 carried out, no writes sent");
        assert_eq!(line(&finding, "SET"), (Mark::Skipped, "not sent ".into()));
        let full = judged(&not_sent(super::super::send::NO_ROOM));
        assert_eq!(full.outcome, Outcome::Unknown(Cause::NoSamples));
        let old = row(|_| Answer::Done);
        advance(Duration::from_secs(24)).await;
        assert_eq!(line(&judged(&old), "GET").1, "ok 20s ago");
    }
}
