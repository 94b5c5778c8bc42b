//! Every key, once. What a key does, the footer, the help, the palette and the
//! settings are all read from [`KEYMAP`]; none of them names a key.

use super::{Action, Binding, Key, Local, Step, Travel, Zoom};
use crate::tui::{
    model::{Full, Model, Pane, Screen},
    update::is_possible,
};
use crossterm::event::{KeyCode, KeyModifiers};

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
pub(in crate::tui) const KEYMAP: &[Binding] = &[
    Binding {
        name: "open",
        keys: &[named(KeyCode::Enter)],
        action: Action::Here(Local::Open),
        footer: |model| if model.screen == Screen::Tests { "start" } else { "open" },
        help: "open it; a test: ask",
        when: |model| {
            let opens = browsing(model) && model.screen == Screen::Home && any(model);
            opens || (testing(model) && model.can_ask())
        },
    },
    Binding {
        name: "back",
        keys: &[named(KeyCode::Esc)],
        action: Action::Back,
        footer: |model| match (model.help, &model.screen) {
            (Some(_), _) => "close",
            (None, Screen::Tests) if model.asking => "do not",
            (None, _) if model.filters() => "show all",
            (None, Screen::Integration(_) | Screen::Tests | Screen::Full(_)) => "back",
            (None, Screen::Home) => "",
        },
        help: "back, close, go live",
        when: |model| can_go_back(model) || model.frozen.is_some() || model.filters(),
    },
    Binding {
        name: "recheck",
        keys: &[plain('r')],
        action: Action::Here(Local::Recheck),
        footer: |_| "re-check",
        help: "re-check it now",
        when: |model| browsing(model) && any(model) && recheckable(model),
    },
    Binding {
        name: "recheck-all",
        keys: &[plain('R'), ctrl('r'), named(KeyCode::F(5))],
        action: Action::RecheckAll,
        footer: |_| "all",
        help: "re-check all",
        when: |model| browsing(model) && any(model),
    },
    Binding {
        name: "freeze",
        keys: &[plain(' ')],
        action: Action::Freeze,
        footer: |model| if model.frozen.is_some() { "live" } else { "freeze" },
        help: "freeze, go live again",
        when: browsing,
    },
    Binding {
        name: "next",
        keys: &[plain('n')],
        action: Action::Here(Local::NextFailure),
        footer: |model| if model.filters() { "next match" } else { "next failing" },
        help: "next failing",
        when: |model| browsing(model) && any(model),
    },
    Binding {
        name: "previous",
        keys: &[plain('N')],
        action: Action::Here(Local::PreviousFailure),
        footer: |_| "",
        help: "previous failing",
        when: |model| browsing(model) && any(model),
    },
    Binding {
        name: "copy",
        keys: &[plain('y')],
        action: Action::Copy,
        footer: |_| "copy",
        help: "copy evidence or a line",
        when: |model| browsing(model) && any(model),
    },
    Binding {
        name: "export",
        keys: &[plain('e')],
        action: Action::Export,
        footer: |_| "export",
        help: "export for an incident",
        when: |model| browsing(model) && any(model),
    },
    Binding {
        name: "filter",
        keys: &[plain('/')],
        action: Action::Filter,
        footer: |model| if model.help.is_some() { "search" } else { "filter" },
        help: "filter what is shown",
        when: |model| model.help.is_some() || browsing(model),
    },
    Binding {
        name: "events",
        keys: &[plain('l')],
        action: Action::Full(Pane::Events),
        footer: |model| if is_full(model) { "" } else { "events" },
        help: "events, full screen",
        when: browsing,
    },
    Binding {
        name: "full",
        keys: &[plain('f')],
        action: Action::Zoom,
        footer: |model| if is_full(model) { "" } else { "full" },
        help: "blockers, evidence: full",
        when: |model| browsing(model) && any(model),
    },
    Binding {
        name: "wrap",
        keys: &[plain('w')],
        action: Action::Wrap,
        footer: |_| "wrap",
        help: "wrap long events",
        when: |model| {
            let events = |full: &Full| full.pane == Pane::Events;
            browsing(model) && matches!(&model.screen, Screen::Full(full) if events(full))
        },
    },
    Binding {
        name: "tests",
        keys: &[plain('t')],
        action: Action::Tests,
        footer: |_| "tests",
        help: "performance tests",
        when: browsing,
    },
    Binding {
        name: "baseline",
        keys: &[plain('b')],
        action: Action::Baseline,
        footer: |_| "baseline",
        help: "baseline: count from now",
        when: |model| browsing(model) && any(model) && model.frozen.is_none(),
    },
    Binding {
        name: "accept",
        keys: &[plain('a')],
        action: Action::Accept,
        footer: |_| "accept",
        help: "answer for a blocker",
        when: |model| browsing(model) && is_possible(model),
    },
    Binding {
        name: "start",
        keys: &[plain('s')],
        action: Action::Here(Local::Start),
        footer: |_| "start it",
        help: "start the test asked for",
        when: |model| testing(model) && model.asking,
    },
    Binding {
        name: "stop",
        keys: &[plain('x')],
        action: Action::Here(Local::Abort),
        footer: |_| "stop it",
        help: "stop the running test",
        when: |model| testing(model) && model.board.running.is_some(),
    },
    Binding {
        name: "jump",
        keys: DIGITS,
        action: Action::Here(Local::Jump(0)),
        footer: |_| "",
        help: "jump to an integration",
        when: |model| browsing(model) && any(model),
    },
    Binding {
        name: "down",
        keys: &[named(KeyCode::Down), plain('j')],
        action: Action::Here(Local::Move(Step::Down)),
        footer: |_| "",
        help: "one down",
        when: |_| true,
    },
    Binding {
        name: "up",
        keys: &[named(KeyCode::Up), plain('k')],
        action: Action::Here(Local::Move(Step::Up)),
        footer: |_| "",
        help: "one up",
        when: |_| true,
    },
    Binding {
        name: "page-down",
        keys: &[named(KeyCode::PageDown), ctrl('d')],
        action: Action::Here(Local::Move(Step::HalfPageDown)),
        footer: |_| "",
        help: "half a page down",
        when: |_| true,
    },
    Binding {
        name: "page-up",
        keys: &[named(KeyCode::PageUp), ctrl('u')],
        action: Action::Here(Local::Move(Step::HalfPageUp)),
        footer: |_| "",
        help: "half a page up",
        when: |_| true,
    },
    Binding {
        name: "first",
        keys: &[named(KeyCode::Home), plain('g')],
        action: Action::Here(Local::Move(Step::First)),
        footer: |_| "",
        help: "to the first",
        when: |_| true,
    },
    Binding {
        name: "last",
        keys: &[named(KeyCode::End), plain('G')],
        action: Action::Here(Local::Move(Step::Last)),
        footer: |_| "",
        help: "to the last",
        when: |_| true,
    },
    Binding {
        name: "earlier",
        keys: &[plain('[')],
        action: Action::Time(Travel::Earlier),
        footer: |_| "earlier",
        help: "a moment back",
        when: |model| browsing(model) && any(model),
    },
    Binding {
        name: "later",
        keys: &[plain(']')],
        action: Action::Time(Travel::Later),
        footer: |_| "",
        help: "a moment forward",
        when: |model| browsing(model) && any(model),
    },
    Binding {
        name: "event-before",
        keys: &[plain('{')],
        action: Action::Time(Travel::EventBefore),
        footer: |_| "",
        help: "an event back",
        when: |model| browsing(model) && any(model),
    },
    Binding {
        name: "event-after",
        keys: &[plain('}')],
        action: Action::Time(Travel::EventAfter),
        footer: |_| "",
        help: "an event forward",
        when: |model| browsing(model) && any(model),
    },
    Binding {
        name: "zoom-in",
        keys: &[plain('+')],
        action: Action::Span(Zoom::In),
        footer: |_| "",
        help: "graphs: less time",
        when: |model| browsing(model) && any(model),
    },
    Binding {
        name: "zoom-out",
        keys: &[plain('-')],
        action: Action::Span(Zoom::Out),
        footer: |_| "",
        help: "graphs: more time",
        when: |model| browsing(model) && any(model),
    },
    Binding {
        name: "zoom-reset",
        keys: &[plain('=')],
        action: Action::Span(Zoom::Whole),
        footer: |_| "",
        help: "graphs: all of it",
        when: |model| browsing(model) && any(model),
    },
    Binding {
        name: "mouse",
        keys: &[plain('m')],
        action: Action::Mouse,
        footer: |_| "",
        help: "mouse on, off",
        when: |model| model.help.is_none(),
    },
    Binding {
        name: "command",
        keys: &[plain(':')],
        action: Action::Commands,
        footer: |_| "command",
        help: "choose a command",
        when: |model| model.help.is_none(),
    },
    Binding {
        name: "suspend",
        keys: &[ctrl('z')],
        action: Action::Suspend,
        footer: |_| "",
        help: "suspend; fg comes back",
        when: |_| true,
    },
    Binding {
        name: "redraw",
        keys: &[ctrl('l')],
        action: Action::Redraw,
        footer: |_| "",
        help: "draw everything again",
        when: |_| true,
    },
    Binding {
        name: "quit-now",
        keys: &[ctrl('c')],
        action: Action::Quit,
        footer: |_| "",
        help: "quit from anywhere",
        when: |_| true,
    },
    Binding {
        name: "quit-keeping",
        keys: &[plain('Q')],
        action: Action::QuitKeeping,
        footer: |_| "",
        help: "quit, leave the picture",
        when: |_| true,
    },
    Binding {
        name: "help",
        keys: &[plain('?'), named(KeyCode::F(1))],
        action: Action::Help,
        footer: |model| if model.help.is_some() { "" } else { "help" },
        help: "this help",
        when: |_| true,
    },
    Binding {
        name: "quit",
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

/// A pane of several checks has none under the cursor.
fn recheckable(model: &Model) -> bool {
    match &model.screen {
        Screen::Home | Screen::Integration(_) => true,
        Screen::Full(full) => full.pane == Pane::Evidence,
        Screen::Tests => false,
    }
}

fn is_full(model: &Model) -> bool {
    matches!(model.screen, Screen::Full(_))
}

fn can_go_back(model: &Model) -> bool {
    model.help.is_some() || model.screen != Screen::Home
}
