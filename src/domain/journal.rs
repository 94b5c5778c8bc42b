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

    /// Oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Event> + ExactSizeIterator {
        self.0.iter().map(AsRef::as_ref)
    }
}
