//! Every key, once. What a key does, the footer and the help are all read from
//! [`KEYMAP`]; none of them names a key.

use super::{
    model::{Model, Screen},
    update::is_possible,
};
use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use std::fmt;

/// What a key can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Open what is under the cursor.
    Open,
    /// Run what is under the cursor now.
    Recheck,
    /// Run everything that runs by itself now.
    RecheckAll,
    /// Hold what is shown, or let it go.
    Freeze,
    /// Move.
    Move(Step),
    /// Go to the integration with the number of the key.
    Jump(u8),
    /// Go to the next that somebody should look at.
    NextFailure,
    /// Go to the previous one.
    PreviousFailure,
    /// Take a baseline.
    Baseline,
    /// Let somebody answer for a blocker.
    Accept,
    /// Show the performance tests.
    Tests,
    /// Start the test that was asked about.
    Start,
    /// Stop the test that runs.
    Abort,
    /// Go back one level; never quits.
    Back,
    /// Go back one level; at the top, quit.
    Leave,
    /// Leave the console.
    Quit,
    /// Show or hide the help.
    Help,
    /// Stop, and give the terminal to the shell.
    Suspend,
    /// Draw everything again.
    Redraw,
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

/// A key with its modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key(KeyCode, KeyModifiers);

/// One row of the key table.
pub(super) struct Binding {
    /// Keys that trigger it, the one to show first.
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

const fn plain(c: char) -> Key {
    Key(KeyCode::Char(c), KeyModifiers::NONE)
}

const fn ctrl(c: char) -> Key {
    Key(KeyCode::Char(c), KeyModifiers::CONTROL)
}

const fn named(code: KeyCode) -> Key {
    Key(code, KeyModifiers::NONE)
}

const DIGITS: &[Key] = &[
    plain('1'),
    plain('2'),
    plain('3'),
    plain('4'),
    plain('5'),
    plain('6'),
    plain('7'),
    plain('8'),
    plain('9'),
];

/// The key table, in the order of the footer and the help.
pub(super) const KEYMAP: &[Binding] = &[
    Binding {
        keys: &[named(KeyCode::Enter)],
        action: Action::Open,
        footer: |model| if model.screen == Screen::Tests { "start" } else { "open" },
        help: "open it; a test: ask",
        when: |model| {
            let opens = browsing(model) && model.screen == Screen::Home && any(model);
            opens || (testing(model) && model.can_ask())
        },
    },
    Binding {
        keys: &[named(KeyCode::Esc)],
        action: Action::Back,
        footer: |model| match (model.help, &model.screen) {
            (Some(_), _) => "close",
            (None, Screen::Tests) if model.asking => "do not",
            (None, Screen::Integration(_) | Screen::Tests) => "back",
            (None, Screen::Home) => "",
        },
        help: "back, close, go live",
        when: |model| can_go_back(model) || model.frozen.is_some(),
    },
    Binding {
        keys: &[plain('r')],
        action: Action::Recheck,
        footer: |_| "re-check",
        help: "re-check it now",
        when: |model| browsing(model) && any(model),
    },
    Binding {
        keys: &[plain('R'), ctrl('r'), named(KeyCode::F(5))],
        action: Action::RecheckAll,
        footer: |_| "all",
        help: "re-check all",
        when: |model| browsing(model) && any(model),
    },
    Binding {
        keys: &[plain(' ')],
        action: Action::Freeze,
        footer: |model| if model.frozen.is_some() { "live" } else { "freeze" },
        help: "freeze, go live again",
        when: browsing,
    },
    Binding {
        keys: &[plain('n')],
        action: Action::NextFailure,
        footer: |_| "next failing",
        help: "next failing",
        when: |model| browsing(model) && any(model),
    },
    Binding {
        keys: &[plain('N')],
        action: Action::PreviousFailure,
        footer: |_| "",
        help: "previous failing",
        when: |model| browsing(model) && any(model),
    },
    Binding {
        keys: &[plain('t')],
        action: Action::Tests,
        footer: |_| "tests",
        help: "performance tests",
        when: browsing,
    },
    Binding {
        keys: &[plain('b')],
        action: Action::Baseline,
        footer: |_| "baseline",
        help: "baseline: count from now",
        when: |model| browsing(model) && any(model) && model.frozen.is_none(),
    },
    Binding {
        keys: &[plain('a')],
        action: Action::Accept,
        footer: |_| "accept",
        help: "answer for a blocker",
        when: |model| browsing(model) && is_possible(model),
    },
    Binding {
        keys: &[plain('s')],
        action: Action::Start,
        footer: |_| "start it",
        help: "start the test asked for",
        when: |model| testing(model) && model.asking,
    },
    Binding {
        keys: &[plain('x')],
        action: Action::Abort,
        footer: |_| "stop it",
        help: "stop the running test",
        when: |model| testing(model) && model.board.running.is_some(),
    },
    Binding {
        keys: DIGITS,
        action: Action::Jump(0),
        footer: |_| "",
        help: "jump to an integration",
        when: |model| browsing(model) && any(model),
    },
    Binding {
        keys: &[named(KeyCode::Down), plain('j')],
        action: Action::Move(Step::Down),
        footer: |_| "",
        help: "one down",
        when: |_| true,
    },
    Binding {
        keys: &[named(KeyCode::Up), plain('k')],
        action: Action::Move(Step::Up),
        footer: |_| "",
        help: "one up",
        when: |_| true,
    },
    Binding {
        keys: &[named(KeyCode::PageDown), ctrl('d')],
        action: Action::Move(Step::HalfPageDown),
        footer: |_| "",
        help: "half a page down",
        when: |_| true,
    },
    Binding {
        keys: &[named(KeyCode::PageUp), ctrl('u')],
        action: Action::Move(Step::HalfPageUp),
        footer: |_| "",
        help: "half a page up",
        when: |_| true,
    },
    Binding {
        keys: &[named(KeyCode::Home), plain('g')],
        action: Action::Move(Step::First),
        footer: |_| "",
        help: "to the first",
        when: |_| true,
    },
    Binding {
        keys: &[named(KeyCode::End), plain('G')],
        action: Action::Move(Step::Last),
        footer: |_| "",
        help: "to the last",
        when: |_| true,
    },
    Binding {
        keys: &[ctrl('z')],
        action: Action::Suspend,
        footer: |_| "",
        help: "suspend; fg comes back",
        when: |_| true,
    },
    Binding {
        keys: &[ctrl('l')],
        action: Action::Redraw,
        footer: |_| "",
        help: "draw everything again",
        when: |_| true,
    },
    Binding {
        keys: &[plain('Q'), ctrl('c')],
        action: Action::Quit,
        footer: |_| "",
        help: "quit from anywhere",
        when: |_| true,
    },
    Binding {
        keys: &[plain('?'), named(KeyCode::F(1))],
        action: Action::Help,
        footer: |model| if model.help.is_some() { "" } else { "help" },
        help: "this help",
        when: |_| true,
    },
    Binding {
        keys: &[plain('q')],
        action: Action::Leave,
        footer: |model| if can_go_back(model) { "" } else { "quit" },
        help: "back; at the top, quit",
        when: |_| true,
    },
];

fn browsing(model: &Model) -> bool {
    model.help.is_none() && model.screen != Screen::Tests
}

fn testing(model: &Model) -> bool {
    model.help.is_none() && model.screen == Screen::Tests
}

fn any(model: &Model) -> bool {
    model.integration().is_some()
}

fn can_go_back(model: &Model) -> bool {
    model.help.is_some() || model.screen != Screen::Home
}

/// What a key press asks for, if it works here.
pub(super) fn lookup(model: &Model, event: KeyEvent) -> Option<Action> {
    if event.kind == KeyEventKind::Release {
        return None;
    }
    // A terminal reports `?` and `R` with or without SHIFT; the character already says it.
    let pressed = Key(event.code, event.modifiers - KeyModifiers::SHIFT);
    let binding = KEYMAP.iter().find(|binding| binding.keys.contains(&pressed))?;
    let digit = pressed.0.as_char().and_then(|c| c.to_digit(10));
    match (binding.action, digit) {
        _ if !(binding.when)(model) => None,
        (Action::Jump(_), Some(digit)) => Some(Action::Jump(u8::try_from(digit).ok()?)),
        (action, _) => Some(action),
    }
}

impl Binding {
    /// Its keys as the help shows them; a row of digits as `1-9`.
    pub(super) fn shown(&self) -> String {
        match self.keys {
            [first, .., last] if self.keys.len() > 3 => format!("{first}-{last}"),
            keys => keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
        }
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
