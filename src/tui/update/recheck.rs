//! From "asked" to what came of it, for the message line.

use super::Effect;
use crate::{
    domain::{CheckId, CheckView, Outcome, Snapshot, Trigger, Word},
    engine::{Command, Selection},
    tui::model::{Model, belongs},
    units,
};
use std::time::Duration;

/// A re-check that the user asked for and the engine has not answered yet.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    what: Selection,
    at: Duration,
    word: Word,
    before: Vec<Before>,
}

/// How a check stood when it was asked for.
#[derive(Clone, Debug)]
struct Before {
    check: CheckId,
    runs: u64,
    outcome: Outcome,
    summary: String,
}

/// Asks for a re-check and says so.
pub(super) fn ask(model: &mut Model, what: Selection) -> Effect {
    let before = concerned(&model.live, &what).map(Before::of).collect();
    model.say(format!("re-check of {} asked", name(&what)));
    let (at, word) = (model.live_now(), model.live.verdict.word);
    model.asked = Some(Asked { what: what.clone(), at, word, before });
    Effect::Send(Command::Recheck(what))
}

/// Says what came of it, once the newest snapshot knows.
pub(super) fn answer(model: &mut Model) {
    let Some(asked) = model.asked.take_if(|asked| asked.is_over(&model.live)) else { return };
    model.say(asked.outcome(&model.live));
}

fn concerned<'a>(
    snapshot: &'a Snapshot,
    what: &'a Selection,
) -> impl Iterator<Item = &'a CheckView> {
    let checks = snapshot.integrations.iter().flat_map(|view| &view.checks);
    checks.filter(move |check| match what {
        Selection::All => runs_by_itself(check),
        Selection::Integration(id) => belongs(&check.id, id) && runs_by_itself(check),
        Selection::Check(id) => check.id == *id,
    })
}

fn runs_by_itself(check: &CheckView) -> bool {
    matches!(check.spec.cadence, crate::domain::Cadence::Every(_))
}

fn name(what: &Selection) -> String {
    match what {
        Selection::All => "all".into(),
        Selection::Integration(id) => id.to_string(),
        Selection::Check(id) => id.to_string(),
    }
}

impl Before {
    fn of(check: &CheckView) -> Self {
        Self {
            check: check.id.clone(),
            runs: check.runs,
            outcome: check.outcome().clone(),
            summary: check.finding.summary.clone(),
        }
    }

    /// Whether the run that was asked for has ended. One that was under way when
    /// it was asked for does not count, unless another ended after it.
    fn is_answered(&self, snapshot: &Snapshot) -> bool {
        let Some(check) = snapshot.check(&self.check) else { return true };
        let ended = check.runs.saturating_sub(self.runs);
        let asked = check.trigger == Trigger::Asked && ended > 0;
        (asked || ended > 1) && check.running.is_none() && !check.queued
    }
}

impl Asked {
    fn is_over(&self, snapshot: &Snapshot) -> bool {
        self.before.iter().all(|before| before.is_answered(snapshot))
    }

    fn outcome(&self, snapshot: &Snapshot) -> String {
        let took = units::span(snapshot.at.saturating_sub(self.at));
        match &self.what {
            Selection::Check(_) => {
                let said = self.before.first().and_then(|before| compared(before, snapshot));
                said.unwrap_or_else(|| format!("re-checked {}", name(&self.what)))
            }
            Selection::All => format!("re-checked all: {} ({took})", self.verdict(snapshot)),
            Selection::Integration(_) => {
                format!("re-checked {}: {} ({took})", name(&self.what), self.counted(snapshot))
            }
        }
    }

    fn verdict(&self, snapshot: &Snapshot) -> String {
        let verdict = &snapshot.verdict;
        let stays = if verdict.word == self.word { " stays" } else { "" };
        format!("{}{stays}, {}", verdict.word.as_str(), verdict.reason)
    }

    fn counted(&self, snapshot: &Snapshot) -> String {
        let bad = |outcome: &Outcome| {
            matches!(outcome, Outcome::Fail | Outcome::Unknown(_) | Outcome::Blocked(_))
        };
        let was = self.before.iter().filter(|before| bad(&before.outcome)).count();
        let is = concerned(snapshot, &self.what).filter(|check| bad(check.outcome())).count();
        let of = self.before.len();
        match (is, was) {
            (0, 0) => format!("{of} of {of} still answer"),
            (0, _) => format!("{of} of {of} answer again"),
            (is, was) if is == was => format!("{is} of {of} still do not pass"),
            (is, was) => format!("{is} of {of} do not pass, it was {was}"),
        }
    }
}

/// How one check stands, against how it stood.
fn compared(before: &Before, snapshot: &Snapshot) -> Option<String> {
    let check = snapshot.check(&before.check)?;
    let (is, was) = (check.outcome(), &before.outcome);
    let summary = &check.finding.summary;
    let same = without_digits(summary).eq(without_digits(&before.summary));
    let standing = match (is, was) {
        (Outcome::Pass, Outcome::Pass) => "still passes".into(),
        (Outcome::Pass, _) => "passes again".into(),
        (is, was) if is == was && same => format!("still {}, same cause", doing(is)),
        (is, was) if is == was => format!("still {}, now: {summary}", doing(is)),
        (is, _) => format!("now {}: {summary}", doing(is)),
    };
    let tries = match check.attempts {
        0 | 1 => String::new(),
        2 => "2nd try, ".into(),
        3 => "3rd try, ".into(),
        n => format!("{n}th try, "),
    };
    Some(format!("re-checked {}: {standing} ({tries}{})", check.id, units::span(check.took)))
}

/// A cause stays the same when only its numbers move.
fn without_digits(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|c| !c.is_ascii_digit() && *c != '.')
}

fn doing(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => "passing",
        Outcome::Warn => "warning",
        Outcome::Fail => "failing",
        Outcome::Unknown(_) => "unknown",
        Outcome::Blocked(_) => "blocked",
        Outcome::Skipped(_) => "skipped",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{Finding, IntegrationId},
        tui::{
            sample,
            update::{Msg, update},
        },
    };
    use std::sync::Arc;

    fn connect() -> CheckId {
        IntegrationId::new("database").unwrap().check("connect")
    }

    /// The live snapshot after `change` to the checks that it concerns, 200 ms later.
    fn publish(model: &mut Model, what: &Selection, change: impl Fn(&mut CheckView)) {
        let mut snapshot = (*model.live).clone();
        snapshot.seq += 1;
        snapshot.at += Duration::from_millis(200);
        for view in &mut snapshot.integrations {
            let view = Arc::make_mut(view);
            let id = view.id.clone();
            for check in &mut view.checks {
                let concerned = match what {
                    Selection::All => true,
                    Selection::Integration(wanted) => *wanted == id,
                    Selection::Check(wanted) => *wanted == check.id,
                };
                if concerned {
                    change(check);
                }
            }
        }
        update(model, Msg::Snapshot(Arc::new(snapshot)));
    }

    fn answered(check: &mut CheckView) {
        (check.runs, check.trigger) = (check.runs + 1, Trigger::Asked);
        (check.attempts, check.took) = (2, Duration::from_millis(212));
    }

    fn said(model: &Model) -> &str {
        model.message.as_ref().map_or("", |message| &message.text)
    }

    #[test]
    fn asked_is_said_until_the_engine_reports_the_end() {
        let (mut model, what) = (sample::model(), Selection::Check(connect()));
        ask(&mut model, what.clone());
        assert_eq!(said(&model), "re-check of database.connect asked");
        publish(&mut model, &what, |check| check.running = Some(Duration::ZERO));
        assert_eq!(said(&model), "re-check of database.connect asked");
        publish(&mut model, &what, |check| {
            answered(check);
            check.running = None;
        });
        let expected = "re-checked database.connect: still failing, same cause (2nd try, 212ms)";
        assert_eq!(said(&model), expected);
        assert!(model.asked.is_none());
    }

    #[test]
    fn a_run_that_was_under_way_is_not_the_answer() {
        let (mut model, what) = (sample::model(), Selection::Check(connect()));
        ask(&mut model, what.clone());
        publish(&mut model, &what, |check| {
            (check.runs, check.trigger) = (check.runs + 1, Trigger::Schedule);
        });
        assert!(said(&model).ends_with("asked"));
        publish(&mut model, &what, answered);
        assert!(said(&model).starts_with("re-checked"));
    }

    #[test]
    fn the_answer_says_what_changed() {
        let cases = [
            (Finding::pass("connected in 2 ms"), "passes again"),
            (Finding::fail("password refused"), "still failing, now: password refused"),
            (Finding::warn("slow: 900 ms"), "now warning: slow: 900 ms"),
        ];
        for (finding, expected) in cases {
            let (mut model, what) = (sample::model(), Selection::Check(connect()));
            ask(&mut model, what.clone());
            publish(&mut model, &what, |check| {
                answered(check);
                check.finding = Arc::new(finding.clone());
            });
            assert!(said(&model).contains(expected), "{}", said(&model));
        }
    }

    #[test]
    fn a_cause_is_the_same_when_only_its_numbers_moved() {
        let same = |a, b| without_digits(a).eq(without_digits(b));
        assert!(same("PING took 61.0 ms, limit 10 ms", "PING took 9 ms, limit 10 ms"));
        assert!(!same("refused", "no route"));
    }

    #[test]
    fn an_integration_and_all_are_answered_once_every_check_is() {
        let database = || Selection::Integration(IntegrationId::new("database").unwrap());
        let mut model = sample::model();
        ask(&mut model, database());
        publish(&mut model, &Selection::Check(connect()), answered);
        assert!(said(&model).ends_with("asked"), "five more are to come");
        publish(&mut model, &database(), answered);
        assert_eq!(said(&model), "re-checked database: 4 of 6 still do not pass (400ms)");
        ask(&mut model, Selection::All);
        publish(&mut model, &Selection::All, answered);
        assert_eq!(said(&model), "re-checked all: NO-GO stays, 3 blockers (200ms)");
    }
}
