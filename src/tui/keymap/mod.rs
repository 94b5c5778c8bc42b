//! What a key asks for. The table is in [`table`]; which keys reach its rows, the
//! user may change.

mod custom;
mod table;

pub use custom::{KeyProblem, KeyRow};
pub(super) use table::KEYMAP;

use super::model::{Model, Pane};
use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use std::fmt;

/// What a key can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// What the screen that shows makes of it.
    Here(Local),
    /// Run everything that runs by itself now.
    RecheckAll,
    /// Hold what is shown, or let it go.
    Freeze,
    /// Take a baseline.
    Baseline,
    /// Let somebody answer for a blocker.
    Accept,
    /// Show the performance tests.
    Tests,
    /// Hand the evidence, or the answer in a line, to the terminal's clipboard.
    Copy,
    /// Write what is known into files, for an incident.
    Export,
    /// Look for something in what is shown.
    Filter,
    /// Choose a command by name.
    Commands,
    /// Give that pane the whole screen.
    Full(Pane),
    /// Give the pane at hand the whole screen.
    Zoom,
    /// Take the mouse, or give it back.
    Mouse,
    /// Go to another moment.
    Time(Travel),
    /// Let graphs show another span.
    Span(Zoom),
    /// Let long events go on in the next line, or not.
    Wrap,
    /// Go back one level; never quits.
    Back,
    /// Go back one level; at the top, quit.
    Leave,
    /// Leave the console.
    Quit,
    /// Leave it, and leave the last picture behind.
    QuitKeeping,
    /// Show or hide the help.
    Help,
    /// Stop, and give the terminal to the shell.
    Suspend,
    /// Draw everything again.
    Redraw,
}

/// What each screen understands in its own way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Local {
    /// Open what is under the cursor.
    Open,
    /// Run what is under the cursor now.
    Recheck,
    /// Move.
    Move(Step),
    /// Go to the integration with the number of the key.
    Jump(u8),
    /// Go to the next that somebody should look at.
    NextFailure,
    /// Go to the previous one.
    PreviousFailure,
    /// Start the test that was asked about.
    Start,
    /// Stop the test that runs.
    Abort,
}

/// Where to move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Down,
    Up,
    HalfPageDown,
    HalfPageUp,
    First,
    Last,
}

/// Where to go in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Travel {
    Earlier,
    Later,
    EventBefore,
    EventAfter,
}

/// How much of the time a graph shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Zoom {
    In,
    Out,
    Whole,
}

/// A key with its modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key(KeyCode, KeyModifiers);

/// One row of the key table.
#[derive(Debug)]
pub(super) struct Binding {
    /// What the settings and the palette call it.
    pub(super) name: &'static str,
    /// Keys that trigger it unless the user wants others, the one to show first.
    pub(super) keys: &'static [Key],
    /// What they trigger.
    pub(super) action: Action,
    /// One or two words for the footer; empty keeps it out of there.
    pub(super) footer: fn(&Model) -> &'static str,
    /// One clause for the help.
    pub(super) help: &'static str,
    /// Whether it works here and now.
    pub(super) when: fn(&Model) -> bool,
}

/// A row of the table with the keys that reach it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bound<'a> {
    /// The row.
    pub(super) row: &'static Binding,
    /// Its keys; none, where the user wants none.
    pub(super) keys: &'a [Key],
}

/// Which keys reach which row of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keymap(Vec<Vec<Key>>);

impl Default for Keymap {
    fn default() -> Self {
        Self(KEYMAP.iter().map(|row| row.keys.to_vec()).collect())
    }
}

impl Keymap {
    /// Every row with its keys, in the order of the footer and the help.
    pub(super) fn bound(&self) -> impl Iterator<Item = Bound<'_>> + Clone {
        KEYMAP.iter().zip(&self.0).map(|(row, keys)| Bound { row, keys })
    }
}

/// What a key press asks for, if it works here.
pub(super) fn lookup(model: &Model, event: KeyEvent) -> Option<Action> {
    if event.kind == KeyEventKind::Release {
        return None;
    }
    let pressed = Key::of(event);
    let bound = model.keys.bound().find(|bound| bound.keys.contains(&pressed))?;
    if !(bound.row.when)(model) {
        return None;
    }
    if bound.row.action == Action::Here(Local::Jump(0)) {
        // The number is the key's place in its row, whichever keys the user took for it.
        let place = bound.keys.iter().position(|key| *key == pressed)?;
        return Some(Action::Here(Local::Jump(u8::try_from(place + 1).ok()?)));
    }
    Some(bound.row.action)
}

impl Bound<'_> {
    /// Its keys as the help shows them; a row of digits as `1-9`.
    pub(super) fn shown(&self) -> String {
        match self.keys {
            [first, .., last] if self.keys.len() > 3 => format!("{first}-{last}"),
            keys => keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
        }
    }
}

impl Key {
    /// A terminal reports `?` and `R` with or without SHIFT; the character already says it.
    fn of(event: KeyEvent) -> Self {
        Self(event.code, event.modifiers - KeyModifiers::SHIFT)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.1.contains(KeyModifiers::CONTROL) {
            f.write_str("ctrl-")?;
        }
        let short =
            [(KeyCode::Char(' '), "space"), (KeyCode::PageDown, "pgdn"), (KeyCode::PageUp, "pgup")];
        if let Some((_, name)) = short.iter().find(|(code, _)| *code == self.0) {
            return f.write_str(name);
        }
        let name = self.0.to_string();
        let as_printed = matches!(self.0, KeyCode::Char(_) | KeyCode::F(_));
        f.write_str(&if as_printed { name } else { name.to_lowercase() })
    }
}

#[cfg(test)]
mod tests;
