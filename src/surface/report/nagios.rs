use crate::{
    domain::{CheckId, IntegrationView, Snapshot, Verdict},
    surface::gate::Standing,
};
use std::fmt::Write as _;

/// For Nagios, Icinga and what speaks their language: one line, then the figures.
///
/// The word follows the verdict. The exit code of a plugin comes with
/// `--exit-style nagios` only: no format changes an exit code.
pub fn nagios(snapshot: &Snapshot) -> String {
    let verdict = &snapshot.verdict;
    let word = match Standing::of(verdict) {
        Standing::Clear => "OK",
        Standing::Warned => "WARNING",
        Standing::Held => "UNKNOWN",
        Standing::Stopped => "CRITICAL",
    };
    let mut text = format!("TMINUS {word} - {}", said(verdict));
    let figures: Vec<String> = snapshot
        .integrations
        .iter()
        .filter_map(|view| view.score.map(|score| figure(view, score.percent)))
        .chain(snapshot.score.iter().flat_map(|score| {
            let of = |name: &str, value: u8| format!("'{name}'={value}%;;;0;100");
            [of("score", score.percent), of("coverage", score.coverage)]
        }))
        .collect();
    if !figures.is_empty() {
        // Writing to a String cannot fail.
        let _infallible = write!(text, " | {}", figures.join(" "));
    }
    text.push('\n');
    for notice in &snapshot.notices {
        // Further lines are the long text of a plugin.
        let _infallible = writeln!(text, "{}", notice.says.replace('|', "/"));
    }
    text
}

fn said(verdict: &Verdict) -> String {
    let because: Vec<&str> = verdict.because.iter().map(CheckId::as_str).collect();
    let because =
        if because.is_empty() { String::new() } else { format!(": {}", because.join(", ")) };
    let word = verdict.word.as_str();
    // A bar would begin the figures.
    format!("{word}, rule {}, {}{because}", verdict.rule.number(), verdict.reason).replace('|', "/")
}

fn figure(view: &IntegrationView, percent: u8) -> String {
    format!("'{}'={percent}%;;;0;100", view.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{Finding, Policy, sample as values},
        surface::sample,
    };

    #[test]
    fn one_line_says_it_and_the_figures_follow() {
        insta::assert_snapshot!(nagios(&sample::seed()), @"TMINUS CRITICAL - NO-GO, rule 2, 3 blockers: apis.google, database.connect, redis.connect | 'redis'=75%;;;0;100 'database'=25%;;;0;100 'monitoring'=75%;;;0;100 'apis'=75%;;;0;100 'performance'=100%;;;0;100 'resilience'=100%;;;0;100 'score'=75%;;;0;100 'coverage'=81%;;;0;100");
    }

    #[test]
    fn the_word_follows_the_verdict() {
        let word = |finding| {
            let view = values::integration("x", "X", vec![values::check("a", 1, finding)]);
            let text = nagios(&sample::of([view], &Policy::default()));
            text.split(' ').nth(1).unwrap().to_owned()
        };
        assert_eq!(word(Finding::pass("ok")), "OK");
        assert_eq!(word(Finding::warn("slow")), "WARNING");
        assert_eq!(word(Finding::fail("no")), "CRITICAL");
        assert_eq!(word(Finding::unknown(crate::domain::Cause::NoSamples, "none")), "UNKNOWN");
        let none = nagios(&sample::of([], &Policy::default()));
        assert!(none.starts_with("TMINUS UNKNOWN - HOLD") && !none.contains('|'), "{none}");
    }
}
