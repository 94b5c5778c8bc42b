//! For what it is ready, what to do next, and what to remember.

use super::{Issue, Prospect, Totals};
use crate::domain::{CheckId, Class, Outcome, Rule, Snapshot, Stands, Verdict, Word};
use serde::Serialize;

/// For what it is ready, and for what not yet.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Readiness {
    /// Whether everything that a release rests on works, be it on a stand-in.
    pub development: bool,
    /// The checks that say otherwise.
    pub development_lacks: Vec<String>,
    /// Whether it may go to production.
    pub production: bool,
    /// What is to be done before production and does not stop a release.
    pub checklist: Vec<Issue>,
    /// The labels of what stops a release.
    pub blockers: Vec<String>,
}

/// What to do, in which order.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Steps {
    /// What stops a release now.
    pub immediate: Vec<Step>,
    /// What somebody answers for, and what fails and stops none.
    pub short: Vec<Step>,
    /// The rest of the checklist.
    pub medium: Vec<Step>,
    /// What could be better.
    pub long: Vec<Step>,
}

/// Something to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// What.
    pub what: String,
    /// Why, with the figure.
    pub because: String,
    /// The check, the integration or the test that says so.
    pub source: String,
}

impl Steps {
    /// Each with its heading, in their order.
    pub fn all(&self) -> [(&'static str, &[Step]); 4] {
        [
            ("Immediate", &self.immediate),
            ("Short term", &self.short),
            ("Medium term", &self.medium),
            ("Long term", &self.long),
        ]
    }
}

pub(super) fn of(snapshot: &Snapshot, checklist: Vec<Issue>, issues: &[Issue]) -> Readiness {
    let lacks: Vec<String> = snapshot
        .integrations
        .iter()
        .flat_map(|view| &view.checks)
        .filter(|check| check.spec.class == Class::Blocker)
        .filter(|check| match check.outcome() {
            Outcome::Fail | Outcome::Unknown(_) => true,
            // Its cause is among them, or is of no consequence.
            Outcome::Pass | Outcome::Warn | Outcome::Blocked(_) | Outcome::Skipped(_) => false,
        })
        .map(|check| check.id.to_string())
        .collect();
    let left = snapshot.blockers.iter().any(|it| it.stands == Stands::LeftBehind);
    Readiness {
        development: lacks.is_empty() && !left && snapshot.score.is_some(),
        development_lacks: lacks,
        production: snapshot.verdict.word == Word::Go,
        checklist,
        blockers: issues.iter().filter(|it| it.is_open()).map(|it| it.label.clone()).collect(),
    }
}

pub(super) fn steps(
    snapshot: &Snapshot,
    issues: &[Issue],
    readiness: &Readiness,
    prospects: &[Prospect],
) -> Steps {
    let (open, accepted): (Vec<&Issue>, Vec<&Issue>) = issues.iter().partition(|it| it.is_open());
    let decides = |it: &&Issue| snapshot.verdict.because.iter().any(|id| id.as_str() == it.check);
    let (decisive, rest): (Vec<&Issue>, Vec<&Issue>) =
        readiness.checklist.iter().partition(decides);
    let (major, minor): (Vec<&Issue>, Vec<&Issue>) =
        rest.into_iter().partition(|it| it.class == Class::Major.word());
    let mut steps = Steps {
        immediate: open.into_iter().chain(decisive).map(step).collect(),
        short: accepted.into_iter().map(until).chain(major.into_iter().map(step)).collect(),
        medium: minor.into_iter().map(step).collect(),
        long: Vec::new(),
    };
    if steps.immediate.is_empty() {
        steps.immediate.extend(by_rule(&snapshot.verdict));
    }
    let sooner = [&steps.immediate, &steps.short, &steps.medium].into_iter().flatten();
    let sooner: Vec<String> = sooner.map(|step| step.what.clone()).collect();
    let known = |advice: &str| sooner.iter().any(|what| what.contains(advice));
    let found = prospects.iter().flat_map(|prospect| &prospect.found);
    let further = found.filter(|it| !known(&it.advice)).map(|it| Step {
        what: it.advice.clone(),
        because: format!("{}: {}", it.about, it.figure),
        source: it.source.clone(),
    });
    steps.long.extend(further);
    steps
}

/// What to do where a rule about numbers decides.
fn by_rule(verdict: &Verdict) -> Option<Step> {
    let what = match verdict.rule {
        Rule::Clear => return None,
        Rule::Settling => "wait until it has settled, and look again",
        Rule::Coverage => "look at more: configure what is not, and look again",
        Rule::Floor => "work through the checklist until the score is reached",
        Rule::Blocked | Rule::Undecided | Rule::Regressed => "mend what decides, and look again",
    };
    Some(Step {
        what: what.into(),
        because: verdict.reason.clone(),
        source: format!("rule {}", verdict.rule.number()),
    })
}

fn step(issue: &Issue) -> Step {
    Step {
        what: issue.solution.clone(),
        because: format!("{}: {}", issue.label, issue.summary),
        source: issue.check.clone(),
    }
}

fn until(issue: &Issue) -> Step {
    let end = issue.accepted.as_ref().map(|it| format!(", accepted until {}", it.until));
    let mut step = step(issue);
    step.because.push_str(&end.unwrap_or_default());
    step
}

/// What to remember, in sentences.
pub(super) fn conclusion(
    snapshot: &Snapshot,
    readiness: &Readiness,
    totals: &Totals,
) -> Vec<String> {
    let verdict = &snapshot.verdict;
    let (word, rule) = (verdict.word.as_str(), verdict.rule.number());
    let mut says = vec![format!("{word} by rule {rule}: {}.", verdict.reason)];
    if !verdict.because.is_empty() {
        let ids: Vec<&str> = verdict.because.iter().map(CheckId::as_str).collect();
        says.push(format!("It rests on {}.", ids.join(", ")));
    }
    says.push(match (readiness.development, &*readiness.development_lacks) {
        (true, _) if totals.on_stand_in > 0 => {
            format!("Ready for development, with {} checks on a stand-in.", totals.on_stand_in)
        }
        (true, _) => "Ready for development.".into(),
        (false, []) => "Not ready for development.".into(),
        (false, lacks) => format!("Not ready for development: it lacks {}.", lacks.join(", ")),
    });
    let Totals { executed, checks, .. } = totals;
    says.push(match snapshot.score {
        Some(score) => format!(
            "{executed} of {checks} checks gave an answer; score {}, coverage {} %.",
            score.percent, score.coverage
        ),
        None => "Nothing that was selected applies, so there is no score.".into(),
    });
    if totals.left > 0 {
        says.push(format!("{} of what we wrote is still on a target.", totals.left));
    }
    says
}
