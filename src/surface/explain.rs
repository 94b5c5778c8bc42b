//! One check, for whoever wants to know what it is and what to do about it.

use super::catalogue::every;
use crate::{
    domain::{
        Annals, Cadence, CheckId, CheckSpec, Class, Impact, Mark, Severity, Stood, Target,
        Timestamp, Turn,
    },
    units,
};
use serde::Serialize;
use std::{fmt::Write as _, time::Duration};

/// Columns of a line beside its heading.
const WIDTH: usize = 78;

/// Everything that is known of a check without running it.
#[derive(Clone, Debug)]
pub struct Explained {
    /// What it is called.
    pub id: CheckId,
    /// What it looks at.
    pub target: Target,
    /// What it is, with the user's class and weight.
    pub spec: CheckSpec,
    /// All weights of its integration together.
    pub weights: u32,
    /// What is kept of it, or why nothing can be read.
    pub history: Result<Annals, String>,
    /// When this is asked.
    pub now: Timestamp,
}

/// For people.
pub fn human(it: &Explained) -> String {
    let CheckSpec { title, does, risk, hint, class, weight, timeout, .. } = &it.spec;
    let mut text = format!("{}  {title}\n\n", it.id);
    let integration = it.id.integration();
    let worth = format!(
        "{}: {}; weight {weight} of {} in {integration}",
        class.word(),
        vetoes(*class),
        it.weights
    );
    let rows = [
        ("does", format!("{does}.")),
        ("writes", writes(it.spec.impact).to_owned()),
        ("target", it.target.name.clone()),
        ("needs", needs(it).unwrap_or_else(|| "nothing else".into())),
        ("runs", format!("{}, for {} at most", cadence(it.spec.cadence), units::span(*timeout))),
        ("worth", worth),
        ("risk", format!("where it does not pass, {risk}")),
        ("remedy", hint.to_string()),
    ];
    for (head, says) in rows {
        paragraph(head, &says, &mut text);
    }
    history(it, &mut text);
    text
}

/// For programs: one document. Spans are in seconds.
pub fn json(it: &Explained) -> String {
    let CheckSpec { title, does, risk, hint, class, weight, timeout, impact, .. } = &it.spec;
    let document = Document {
        id: it.id.as_str(),
        title,
        does,
        risk,
        remedy: hint,
        target: &it.target.name,
        needs: needs(it),
        class: *class,
        weight: *weight,
        weight_of_all: it.weights,
        impact: *impact,
        every_seconds: every(it.spec.cadence).map(|span| span.as_secs_f64()),
        timeout_seconds: timeout.as_secs_f64(),
        history: it.history.as_ref().ok().map(past),
        history_unread: it.history.as_ref().err(),
    };
    // Every key in it is a text, so it cannot fail.
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
}

#[derive(Serialize)]
struct Document<'a> {
    id: &'a str,
    title: &'a str,
    does: &'a str,
    risk: &'a str,
    remedy: &'a str,
    target: &'a str,
    needs: Option<String>,
    class: Class,
    weight: u8,
    weight_of_all: u32,
    impact: Impact,
    every_seconds: Option<f64>,
    timeout_seconds: f64,
    history: Option<PastPart<'a>>,
    history_unread: Option<&'a String>,
}

#[derive(Serialize)]
struct PastPart<'a> {
    first: Option<String>,
    runs: u64,
    pass: u64,
    warn: u64,
    fail: u64,
    unknown: u64,
    skipped: u64,
    since: Option<String>,
    standing_in_the_way_since: Option<String>,
    turns: Vec<TurnPart<'a>>,
}

#[derive(Serialize)]
struct TurnPart<'a> {
    at: String,
    outcome: &'a str,
    summary: &'a str,
}

fn past(annals: &Annals) -> PastPart<'_> {
    let Annals { first, tally, stood, turns } = annals;
    PastPart {
        first: first.map(units::rfc3339),
        runs: runs(annals),
        pass: tally.pass,
        warn: tally.warn,
        fail: tally.fail,
        unknown: tally.unknown,
        skipped: tally.skipped,
        since: stood.map(|stood| units::rfc3339(stood.since)),
        standing_in_the_way_since: stood.and_then(|it| it.blocked).map(units::rfc3339),
        turns: turns
            .iter()
            .map(|it| TurnPart {
                at: units::rfc3339(it.at),
                outcome: &it.outcome,
                summary: &it.summary,
            })
            .collect(),
    }
}

fn runs(annals: &Annals) -> u64 {
    Mark::ALL.into_iter().map(|mark| annals.tally.of(mark)).sum()
}

fn vetoes(class: Class) -> &'static str {
    match class {
        Class::Blocker => "a failure or a stand-in is NO-GO",
        Class::Major => "a failure is on the checklist, and NO-GO where the baseline had none",
        Class::Minor => "a failure is on the checklist",
        Class::Info => "it is shown, and nothing more",
    }
}

fn writes(impact: Impact) -> &'static str {
    match impact {
        Impact::ReadOnly => "nothing",
        Impact::Writes => {
            "what is ours, and ends by itself or is undone; only where writes are allowed"
        }
        Impact::Load => "load on the target; only when asked, and where load is allowed",
    }
}

fn needs(it: &Explained) -> Option<String> {
    it.spec.needs.as_ref().map(|name| it.id.integration().check(name).to_string())
}

fn cadence(cadence: Cadence) -> String {
    every(cadence).map_or("when asked".into(), |span| format!("every {}", units::span(span)))
}

// Writing to a String cannot fail.
fn history(it: &Explained, text: &mut String) {
    let annals = match &it.history {
        Ok(annals) if runs(annals) > 0 || !annals.turns.is_empty() => annals,
        Ok(_) => return paragraph("history", "it has not run yet, as far as is kept", text),
        Err(why) => return paragraph("history", why, text),
    };
    paragraph("history", &counted(annals), text);
    if let Some(stood) = &annals.stood {
        paragraph("", &standing(stood, it.now), text);
    }
    for Turn { at, outcome, summary } in &annals.turns {
        let _infallible =
            writeln!(text, "           {}  {outcome:<8} {summary}", units::moment(*at));
    }
}

/// How the runs ended: `1204 runs since 2026-11-20 14:07: 1190 pass, 14 fail`.
fn counted(annals: &Annals) -> String {
    let since = annals.first.map(|first| format!(" since {}", units::moment(first)));
    let ended = Mark::ALL.into_iter().filter(|mark| annals.tally.of(*mark) > 0);
    let ended: Vec<String> =
        ended.map(|mark| format!("{} {}", annals.tally.of(mark), mark.word())).collect();
    let runs = match runs(annals) {
        1 => "1 run".to_owned(),
        runs => format!("{runs} runs"),
    };
    format!("{runs}{}: {}", since.unwrap_or_default(), ended.join(", "))
}

fn standing(stood: &Stood, now: Timestamp) -> String {
    let word = match stood.severity {
        Severity::Fine => "fine",
        Severity::Soft => "a warning",
        Severity::Unclear => "unknown",
        Severity::Bad => "failing",
    };
    let age = |since: Timestamp| {
        let millis = u64::try_from(now.0.saturating_sub(since.0)).unwrap_or(0);
        units::age(Duration::from_millis(millis))
    };
    let mut says = format!("{word} since {}, {} ago", units::moment(stood.since), age(stood.since));
    if let Some(blocked) = stood.blocked {
        let _infallible = write!(says, "; in the way for {}", age(blocked));
    }
    says
}

/// A heading, and its text in lines beside it.
fn paragraph(head: &str, says: &str, text: &mut String) {
    let mut line = format!("  {head:<8}");
    let mut width = 0;
    for word in says.split_whitespace() {
        let longer = width + 1 + word.chars().count();
        if width > 0 && longer > WIDTH {
            line.push_str("\n          ");
            width = 0;
        }
        line.push(' ');
        line.push_str(word);
        width += 1 + word.chars().count();
    }
    text.push_str(&line);
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Finding, Provenance, Tally, sample};

    const NOW: Timestamp = Timestamp(1_795_400_000_000);

    fn explained(history: Result<Annals, String>) -> Explained {
        let check = sample::check("lock", 2, Finding::pass(""));
        let mut spec = check.spec;
        spec.needs = Some("connect".into());
        spec.does =
            "Takes, contends for, renews, loses and releases locks of our own, and follows \
            the fence. Sends a script and PTTL"
                .into();
        spec.risk = "two workers hold one lock".into();
        let target = Target { name: "127.0.0.1:6379/0".into(), provenance: Provenance::Configured };
        Explained { id: check.id, target, spec, weights: 13, history, now: NOW }
    }

    fn annals() -> Annals {
        let ago = |minutes: i64| Timestamp(NOW.0 - minutes * 60_000);
        let turn = |minutes, outcome: &str, summary: &str| Turn {
            at: ago(minutes),
            outcome: outcome.into(),
            summary: summary.into(),
        };
        Annals {
            first: Some(ago(3000)),
            tally: Tally { pass: 1190, fail: 14, ..Tally::default() },
            stood: Some(Stood { severity: Severity::Bad, since: ago(12), blocked: Some(ago(12)) }),
            turns: vec![turn(12, "fail", "held by two"), turn(3000, "pass", "held by one")],
        }
    }

    #[test]
    fn people_read_what_it_is_and_how_it_went() {
        let text = human(&explained(Ok(annals())));
        for says in [
            "test.lock  does what it should",
            "weight 2 of 13 in test",
            "needs    test.connect",
            "every 10s, for 2.0s at most",
            "where it does not pass, two workers hold one lock",
            "1204 runs since ",
            ": 1190 pass, 14 fail",
            ", 12m ago; in the way for 12m",
            "fail     held by two",
        ] {
            assert!(text.contains(says), "{says:?} is missing:\n{text}");
        }
        assert!(text.lines().all(|line| line.chars().count() <= 90), "{text}");
    }

    #[test]
    fn a_check_that_nobody_ran_and_a_history_that_nobody_can_read_say_so() {
        let text = human(&explained(Ok(Annals::default())));
        assert!(text.contains("it has not run yet, as far as is kept"), "{text}");
        let text = human(&explained(Err("the file is damaged".into())));
        assert!(text.contains("history  the file is damaged"), "{text}");
    }

    #[test]
    fn programs_read_the_same() {
        let read: serde_json::Value =
            serde_json::from_str(&json(&explained(Ok(annals())))).unwrap();
        assert_eq!(read["needs"], "test.connect");
        assert_eq!((&read["weight"], &read["weight_of_all"]), (&2.into(), &13.into()));
        assert_eq!(read["history"]["runs"], 1204);
        assert_eq!(read["history"]["turns"][0]["outcome"], "fail");
        let unread = json(&explained(Err("it is off".into())));
        let read: serde_json::Value = serde_json::from_str(&unread).unwrap();
        assert_eq!(read["history_unread"], "it is off");
        assert!(read["history"].is_null());
    }
}
