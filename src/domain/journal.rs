use super::{CheckId, Mark, Timestamp};
use serde::{Deserialize, Serialize};
use std::{collections::VecDeque, sync::Arc, time::Duration};

/// Events kept; the oldest go first.
const KEPT: usize = 500;

/// What started a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// Its cadence.
    #[default]
    Schedule,
    /// Somebody asked.
    Asked,
}

/// Something that happened and is worth a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When, since the engine started.
    pub at: Duration,
    /// The same moment on the wall.
    pub wall: Timestamp,
    /// Which check it is about; `None` for the engine itself.
    pub check: Option<CheckId>,
    /// The outcome that it came to, if it is about one.
    pub mark: Option<Mark>,
    /// One clause.
    pub text: String,
}

/// The last 500 events, oldest first. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Journal(Arc<VecDeque<Arc<Event>>>);

impl Journal {
    /// Adds an event, forgetting the oldest beyond the cap.
    pub fn push(&mut self, event: Event) {
        let events = Arc::make_mut(&mut self.0);
        if events.len() == KEPT {
            events.pop_front();
        }
        events.push_back(Arc::new(event));
    }

    /// Puts what happened earlier before everything else, as far as there is room.
    pub fn precede(&mut self, earlier: impl IntoIterator<Item = Event>) {
        let mut events: VecDeque<Arc<Event>> = earlier.into_iter().map(Arc::new).collect();
        events.extend(self.0.iter().cloned());
        events.drain(..events.len().saturating_sub(KEPT));
        self.0 = Arc::new(events);
    }

    /// What came after `last`, and not before `began`; everything since then where
    /// `last` is forgotten.
    pub fn after<'a>(
        &'a self,
        last: Option<&Event>,
        began: Duration,
    ) -> impl Iterator<Item = &'a Event> {
        let known = self.iter().rposition(|event| Some(event) == last);
        let fresh = self.iter().skip(known.map_or(0, |known| known + 1));
        fresh.filter(move |event| event.at >= began)
    }

    /// Oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Event> + ExactSizeIterator {
        self.0.iter().map(AsRef::as_ref)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(second: u64, text: &str) -> Event {
        let at = Duration::from_secs(second);
        Event { at, wall: Timestamp(0), check: None, mark: None, text: text.into() }
    }

    #[test]
    fn each_event_is_told_once() {
        let mut journal = Journal::default();
        assert_eq!(journal.after(None, Duration::ZERO).count(), 0);
        for (second, text) in [(1, "a"), (2, "b"), (2, "c")] {
            journal.push(event(second, text));
        }
        let told = |last: Option<&Event>| -> Vec<String> {
            journal.after(last, Duration::ZERO).map(|event| event.text.clone()).collect()
        };
        assert_eq!(told(None), ["a", "b", "c"]);
        assert_eq!(told(Some(&event(2, "b"))), ["c"]);
        assert_eq!(told(Some(&event(2, "c"))), [""; 0]);
        assert_eq!(told(Some(&event(0, "forgotten"))), ["a", "b", "c"]);
    }

    #[test]
    fn what_happened_earlier_comes_first_and_is_not_told_again() {
        let mut journal = Journal::default();
        journal.push(event(9, "now"));
        journal.precede((0..KEPT as u64).map(|n| event(n / 100, "earlier")));
        let texts: Vec<&str> = journal.iter().map(|event| event.text.as_str()).collect();
        assert_eq!((texts.len(), texts[0], texts[KEPT - 1]), (KEPT, "earlier", "now"));
        let told = journal.after(None, Duration::from_secs(9));
        assert_eq!(told.map(|event| event.text.as_str()).collect::<Vec<_>>(), ["now"]);
    }
}
