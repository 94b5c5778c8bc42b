//! What a screen is drawn from.

use super::{
    keymap::Keymap,
    past::Past,
    update::{Asked, Prompt, Typing},
};
use crate::domain::{
    Blocker, CheckId, CheckView, Freshness, IntegrationId, IntegrationView, Severity, Snapshot,
    Timestamp, Word,
    perf::{Board, Entry},
};
use ratatui::layout::Size;
use std::{cmp, sync::Arc, time::Duration};

/// Ages move in steps of this, so that a screen at rest is quiet.
const CALM: u64 = 5;
/// A snapshot is never called stale before this age.
const SOONEST_STALE: Duration = Duration::from_secs(15);

/// Which screen is showing, underneath the help.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Screen {
    /// All integrations.
    #[default]
    Home,
    /// The selected integration, with one of its checks selected.
    Integration(Option<CheckId>),
    /// The performance tests.
    Tests,
    /// One pane alone.
    Full(Full),
}

/// A pane that has the whole screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Full {
    /// Which.
    pub(super) pane: Pane,
    /// Its first entry that shows.
    pub(super) top: usize,
    /// The screen underneath.
    pub(super) under: Box<Screen>,
}

/// What can have the whole screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pane {
    /// What happened.
    Events,
    /// What stands in the way, with everything about it.
    Blockers,
    /// What the selected check rests on.
    Evidence,
}

/// What the console itself takes; unknown where the system does not say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Cost {
    /// Of one processor, in percent.
    pub(super) cpu: Option<f64>,
    /// Resident bytes.
    pub(super) memory: Option<u64>,
    /// Open sockets.
    pub(super) sockets: Option<usize>,
    /// Runs of checks a minute.
    pub(super) runs: f64,
    /// Bytes a second to the terminal.
    pub(super) written: f64,
    /// Since the start.
    pub(super) up: Duration,
}

/// How what is shown relates to what is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is the newest there is.
    Live,
    /// The engine runs nothing by itself.
    Paused,
    /// The user holds it.
    Frozen {
        /// For how long.
        age: Duration,
        /// Publications since.
        waiting: u64,
    },
    /// It is what was, so long ago.
    Past {
        /// How long ago.
        ago: Duration,
        /// Which of the moments that are kept.
        run: usize,
        /// How many those are.
        of: usize,
    },
    /// The engine has not said anything for that long.
    Stale(Duration),
}

/// What the last key did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) text: String,
    pub(super) at: Duration,
}

/// What the screen is drawn from: what is known, and where the user is in it.
///
/// `update` alone changes one.
#[derive(Clone, Debug)]
pub struct Model {
    /// The newest snapshot.
    pub(super) live: Arc<Snapshot>,
    /// The snapshot that the user holds, and the moment.
    pub(super) frozen: Option<(Arc<Snapshot>, Duration)>,
    /// What was known before.
    pub(super) past: Past,
    /// Which of those moments is shown, while it is the past.
    pub(super) run: Option<usize>,
    /// Which span graphs show; the one that holds everything without it.
    pub(super) zoom: Option<usize>,
    /// How long ago the newest came.
    pub(super) since: Duration,
    /// Which screen is showing.
    pub(super) screen: Screen,
    /// The row under the cursor, by name: it stays the same through any reorder.
    pub(super) selected: Option<IntegrationId>,
    /// The first line of the help that shows, while it does.
    pub(super) help: Option<u16>,
    /// A line for the user.
    pub(super) message: Option<Message>,
    /// What the user asked the engine for, until it has answered.
    pub(super) asked: Option<Asked>,
    /// The blocker that the user is asked about.
    pub(super) prompt: Option<Prompt>,
    /// Who sits in front of it.
    pub(super) user: Option<String>,
    /// The performance tests, as they stand.
    pub(super) board: Arc<Board>,
    /// The test under the cursor, by name.
    pub(super) test: Option<String>,
    /// Whether the user is asked if that test may be started.
    pub(super) asking: bool,
    /// The terminal's, for half a page of movement and for where the mouse is.
    pub(super) size: Size,
    /// Whether the mouse is ours.
    pub(super) mouse: bool,
    /// Which keys do what.
    pub(super) keys: Arc<Keymap>,
    /// What the user looks for.
    pub(super) filter: String,
    /// What the help is searched for.
    pub(super) sought: String,
    /// The line that is being typed.
    pub(super) typing: Option<Typing>,
    /// Whether long events go on in the next line.
    pub(super) wrap: bool,
    /// What the console itself takes, while somebody looks.
    pub(super) cost: Option<Cost>,
}

impl Model {
    /// The home screen of `snapshot`.
    pub fn new(snapshot: Arc<Snapshot>) -> Self {
        let selected = snapshot.integrations.first().map(|view| view.id.clone());
        Self {
            live: snapshot,
            frozen: None,
            past: Past::default(),
            run: None,
            zoom: None,
            since: Duration::ZERO,
            screen: Screen::Home,
            selected,
            help: None,
            message: None,
            asked: None,
            prompt: None,
            user: None,
            board: Arc::default(),
            test: None,
            asking: false,
            size: Size::new(80, 24),
            mouse: false,
            keys: Arc::default(),
            filter: String::new(),
            sought: String::new(),
            typing: None,
            wrap: false,
            cost: None,
        }
    }

    /// The verdict that row 1 shows: without news of the engine nobody knows.
    pub fn word(&self) -> Word {
        match self.standing() {
            Standing::Stale(_) => Word::Hold,
            Standing::Live | Standing::Paused | Standing::Frozen { .. } | Standing::Past { .. } => {
                self.snapshot().verdict.word
            }
        }
    }

    /// What is shown: the newest, or what the user holds.
    pub(super) fn snapshot(&self) -> &Arc<Snapshot> {
        self.frozen.as_ref().map_or(&self.live, |(snapshot, _)| snapshot)
    }

    /// The time since the engine started, now.
    pub(super) fn live_now(&self) -> Duration {
        self.live.at + self.since
    }

    /// The moment that is shown.
    pub(super) fn now(&self) -> Duration {
        self.frozen.as_ref().map_or_else(|| self.live_now(), |(_, at)| *at)
    }

    /// How long ago `then` was in what is shown, in calm steps.
    pub(super) fn age(&self, then: Duration) -> Duration {
        Duration::from_secs(self.now().as_secs() / CALM * CALM).saturating_sub(then)
    }

    /// Now, on the wall.
    pub(super) fn wall(&self) -> Timestamp {
        self.live.wall.after(self.since)
    }

    /// When `then`, a time since the engine started, was on the wall.
    pub(super) fn wall_of(&self, then: Duration) -> Timestamp {
        let snapshot = self.snapshot();
        let ago = i64::try_from(snapshot.at.saturating_sub(then).as_millis()).unwrap_or(i64::MAX);
        Timestamp(snapshot.wall.0.saturating_sub(ago))
    }

    /// How what is shown relates to what is.
    pub(super) fn standing(&self) -> Standing {
        if let Some((snapshot, at)) = &self.frozen {
            let age = self.live_now().saturating_sub(*at);
            if let Some(run) = self.run {
                return Standing::Past { ago: age, run: run + 1, of: self.past.len() };
            }
            let waiting = self.live.seq.saturating_sub(snapshot.seq);
            return Standing::Frozen { age, waiting };
        }
        match stale_after(&self.live) {
            _ if self.live.paused => Standing::Paused,
            Some(limit) if self.since > limit => Standing::Stale(self.since),
            Some(_) | None => Standing::Live,
        }
    }

    /// The position of the selected integration.
    pub(super) fn row(&self) -> usize {
        let here = |id: &IntegrationId| {
            self.snapshot().integrations.iter().position(|view| view.id == *id)
        };
        self.selected.as_ref().and_then(here).unwrap_or(0)
    }

    /// The selected integration.
    pub(super) fn integration(&self) -> Option<&IntegrationView> {
        self.snapshot().integrations.get(self.row()).map(AsRef::as_ref)
    }

    /// The screen that shows, or the one underneath a pane that has all of it.
    pub(super) fn under(&self) -> &Screen {
        match &self.screen {
            Screen::Full(full) => &full.under,
            screen @ (Screen::Home | Screen::Integration(_) | Screen::Tests) => screen,
        }
    }

    /// The position of the selected check in the selected integration.
    pub(super) fn check_row(&self) -> usize {
        let Screen::Integration(Some(id)) = self.under() else { return 0 };
        let checks = self.integration().map_or(&[][..], |view| &view.checks);
        checks.iter().position(|check| check.id == *id).unwrap_or(0)
    }

    /// The selected check of the open integration.
    pub(super) fn check(&self) -> Option<&CheckView> {
        self.integration()?.checks.get(self.check_row())
    }

    /// The number that the user sees for the integration of `check`, and its short name.
    pub(super) fn place_of(&self, check: &CheckId) -> Option<(usize, &IntegrationView)> {
        let views = self.snapshot().integrations.iter();
        let mut numbered = (1..).zip(views.map(AsRef::as_ref));
        numbered.find(|(_, view): &(usize, &IntegrationView)| belongs(check, &view.id))
    }

    /// Whether somebody should look at `check`: nobody knows, it fails, or it blocks.
    pub(super) fn stands_out(&self, check: &CheckView) -> bool {
        let blocks =
            || self.snapshot().blockers.iter().any(|b| b.cleared.is_none() && b.check == check.id);
        check.outcome().severity() >= Severity::Unclear || blocks()
    }

    /// The blocker that `check` falls with, where that is another check's.
    pub(super) fn root_of(&self, check: &CheckView) -> Option<&Blocker> {
        let falls = |root: &&Blocker| root.cleared.is_none() && root.also.contains(&check.id);
        self.snapshot().blockers.iter().find(falls)
    }

    /// The position of the selected test.
    pub(super) fn test_row(&self) -> usize {
        let tests = self.board.tests.iter();
        let here = |name: &String| tests.clone().position(|entry| entry.offer.test == *name);
        self.test.as_ref().and_then(here).unwrap_or(0)
    }

    /// The selected test.
    pub(super) fn entry(&self) -> Option<&Entry> {
        self.board.tests.get(self.test_row())
    }

    /// Whether the selected test may be asked for: one at a time, one question at a time.
    pub(super) fn can_ask(&self) -> bool {
        let free = !self.asking && self.board.running.is_none();
        free && self.entry().is_some_and(|entry| entry.offer.refused.is_none())
    }

    pub(super) fn say(&mut self, text: impl Into<String>) {
        self.message = Some(Message { text: text.into(), at: self.live_now() });
    }
}

/// Whether `check` is one of `integration`'s, without an allocation.
pub(super) fn belongs(check: &CheckId, integration: &IntegrationId) -> bool {
    let rest = check.as_str().strip_prefix(integration.as_str());
    rest.is_some_and(|rest| rest.starts_with('.'))
}

/// After how long without news something must be wrong with the engine.
fn stale_after(snapshot: &Snapshot) -> Option<Duration> {
    let checks = snapshot.integrations.iter().flat_map(|view| &view.checks);
    let limits = checks.filter_map(|check| Freshness::limits(&check.spec));
    limits.map(|(stale, _)| stale).min().map(|stale| cmp::max(stale, SOONEST_STALE))
}

#[cfg(test)]
mod tests;
