//! What earlier sessions saw, put where this one shows it. Pure.

use super::state::{Now, State};
use crate::domain::{
    Acceptance, CheckView, Event, LONGEST_ACCEPTANCE, Notice, Past, PastCheck, PastEvent, Sample,
    Stood, Timestamp, Topic,
};
use std::{cmp, sync::Arc, time::Duration};

impl State {
    /// Takes in what earlier sessions saw. It may come at any time.
    ///
    /// Returns whether they show that there has been a deploy since.
    pub(super) fn recall(&mut self, past: &Past, now: Now) -> bool {
        for (id, samples) in &past.latencies {
            if let Some(view) = self.integrations.iter_mut().find(|view| view.id == *id) {
                Arc::make_mut(view).latency.precede(placed(samples, now));
            }
        }
        for known in &past.checks {
            self.recall_check(known, now);
        }
        self.journal.precede(past.events.iter().map(|event| happened(event, now)));
        for known in &past.accepted {
            self.recall_accepted(known, now);
        }
        self.recall_deploy(past, now)
    }

    /// Lets an acceptance of an earlier session go on. What the file says, and what was
    /// said in this one, counts more.
    fn recall_accepted(&mut self, known: &Acceptance, now: Now) {
        let id = &known.check;
        let mut checks = self.integrations.iter().flat_map(|view| &view.checks);
        let mut said = self.answered.iter().chain(&self.policy.accepted);
        if !checks.any(|check| check.id == *id) || said.any(|other| other.check == *id) {
            return;
        }
        if known.until > now.wall.after(LONGEST_ACCEPTANCE) {
            let says = format!("{id}: its acceptance is ignored, since the clock was set back");
            self.tell(Notice { topic: Topic::Acceptance, says }, now);
            return;
        }
        self.policy.accept(known.clone());
    }

    fn recall_check(&mut self, known: &PastCheck, now: Now) {
        let PastCheck { check: id, stood, strip, measures } = known;
        let mut views = self.integrations.iter_mut();
        let Some(view) = views.find(|view| view.checks.iter().any(|it| it.id == *id)) else {
            return; // it is not watched any more
        };
        let view = Arc::make_mut(view);
        let Some(check) = view.checks.iter_mut().find(|it| it.id == *id) else { return };
        check.precede(strip);
        if check.spec.graph {
            check.measures.precede(placed(measures, now));
        }
        let Some(stood) = *stood else { return };
        if let Some(blocked) = stood.blocked {
            self.ledger.recall(id.clone(), place(blocked, now));
        }
        if check.runs == 0 {
            self.stood.insert(id.clone(), stood);
        } else {
            resume(check, stood, now);
        }
    }
}

/// A check that is as bad as it was is so since then, unless it was better meanwhile.
pub(super) fn resume(check: &mut CheckView, stood: Stood, now: Now) {
    let steady = u64::from(check.streak) >= check.runs;
    if steady && check.finding.outcome.severity() == stood.severity {
        check.since = cmp::min(check.since, place(stood.since, now));
    }
}

fn happened(event: &PastEvent, now: Now) -> Event {
    let PastEvent { at: wall, check, mark, text } = event.clone();
    Event { at: place(wall, now), wall, check, mark, text }
}

fn placed(samples: &[(Timestamp, f64)], now: Now) -> impl Iterator<Item = Sample> {
    samples.iter().map(move |(wall, value)| Sample { at: place(*wall, now), value: *value })
}

/// Where a moment on the wall lies on the engine's scale; what seems to be in the future
/// is now.
pub(super) fn place(wall: Timestamp, now: Now) -> Duration {
    now.at.saturating_sub(now.wall.since(wall))
}
