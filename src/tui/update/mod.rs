//! How the model changes. Pure: what must be done outside comes back as data.

mod accept;
mod baseline;
mod full;
mod home;
mod integration;
mod mouse;
mod perf;
mod recheck;
mod time;
mod typing;

pub(super) use accept::{ENDS, Prompt, is_possible};
pub(super) use recheck::Asked;
pub(super) use typing::{Command as Chosen, Typing, has};

use super::{
    keymap::{self, Action, Local, Step},
    model::{Cost, Model, Pane, Screen},
    screen::Mouse,
    words,
};
use crate::{
    domain::{
        IntegrationId, Snapshot,
        perf::{Board, Order},
    },
    engine::{Command, Refused, Selection},
    units,
};
use crossterm::event::{KeyEvent, MouseEvent};
use ratatui::layout::Size;
use std::{cmp, sync::Arc, time::Duration};

/// How long a message stays: long enough to be read, too short to mislead.
const MESSAGE: Duration = Duration::from_mins(1);

/// What happened.
#[derive(Clone, Debug)]
pub(super) enum Msg {
    /// A key was pressed.
    Key(KeyEvent),
    /// The engine published.
    Snapshot(Arc<Snapshot>),
    /// Time went by: so long ago the engine published last.
    Tick(Duration),
    /// Something changed among the performance tests.
    Board(Arc<Board>),
    /// Nobody takes orders for the tests.
    Unheard,
    /// The terminal has that size.
    Resized(Size),
    /// The mouse did something.
    Mouse(MouseEvent),
    /// The engine would not take a command.
    Refused(Refused),
    /// The terminal took that long for one frame.
    Stalled(Duration),
    /// An errand came to this end.
    Said(String),
    /// What the console itself takes.
    Cost(Cost),
}

/// What the driver is to do about it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Effect {
    /// Hand a command to the engine.
    Send(Command),
    /// Hand an order to whoever runs the tests.
    Order(Order),
    /// Stop, and give the terminal to the shell meanwhile.
    Suspend,
    /// Draw everything again.
    Redraw,
    /// Leave.
    Quit,
    /// Leave, and leave the last picture behind.
    QuitKeeping,
    /// Hand that text to the terminal's clipboard, and keep it in a file.
    Copy(String),
    /// Write what is shown into files.
    Export,
    /// Take the mouse, or give it back.
    Mouse(Mouse),
}

/// Folds one message into the model.
pub(super) fn update(model: &mut Model, msg: Msg) -> Option<Effect> {
    match msg {
        Msg::Key(event) if model.prompt.is_some() => return accept::press(model, event),
        Msg::Key(event) if model.typing.is_some() => return typing::press(model, event),
        Msg::Key(event) => match keymap::lookup(model, event) {
            Some(action) => return act(model, action),
            None => {
                typing::begin_in_help(model, event);
            }
        },
        Msg::Snapshot(snapshot) => {
            model.live = snapshot;
            time::keep(model);
            model.since = Duration::ZERO;
            recheck::answer(model);
        }
        Msg::Tick(since) => {
            model.since = since;
            let now = model.live_now();
            model.message.take_if(|message| now.saturating_sub(message.at) > MESSAGE);
        }
        Msg::Board(board) => perf::receive(model, board),
        Msg::Unheard => model.say("the tests cannot be reached; press the key again"),
        Msg::Resized(size) => model.size = size,
        Msg::Mouse(event) => return mouse::hear(model, event),
        Msg::Refused(refused) => {
            model.asked = None;
            let then = if refused == Refused::Busy { "; press the key again" } else { "" };
            model.say(format!("{refused}{then}"));
        }
        Msg::Said(text) => model.say(text),
        Msg::Cost(cost) => model.cost = Some(cost),
        Msg::Stalled(took) => {
            model.say(format!("the terminal read nothing for {}", units::span(took)));
        }
    }
    None
}

fn act(model: &mut Model, action: Action) -> Option<Effect> {
    match action {
        Action::Quit => return Some(Effect::Quit),
        Action::QuitKeeping => return Some(Effect::QuitKeeping),
        Action::Suspend => return Some(Effect::Suspend),
        Action::Redraw => return Some(Effect::Redraw),
        Action::Leave if model.help.is_none() && model.screen == Screen::Home => {
            return Some(Effect::Quit);
        }
        Action::Leave | Action::Back => back(model),
        Action::Help => model.help = if model.help.is_some() { None } else { Some(0) },
        Action::Freeze => freeze(model),
        Action::RecheckAll => return Some(recheck::ask(model, Selection::All)),
        Action::Accept => accept::ask(model),
        Action::Baseline => return Some(baseline::take(model)),
        Action::Tests => {
            (model.screen, model.asking) = (Screen::Tests, false);
        }
        Action::Filter if model.help.is_some() => typing::begin(model, Typing::Help),
        Action::Filter => typing::begin(model, Typing::Filter),
        Action::Commands => typing::begin(model, Typing::Command(Chosen::default())),
        Action::Full(pane) => full::open(model, pane),
        Action::Zoom if *model.under() == Screen::Home => full::open(model, Pane::Blockers),
        Action::Zoom => full::open(model, Pane::Evidence),
        Action::Mouse => return Some(mouse::toggle(model)),
        Action::Time(travel) => time::travel(model, travel),
        Action::Span(zoom) => time::zoom(model, zoom),
        Action::Wrap => model.wrap = !model.wrap,
        Action::Copy => return Some(Effect::Copy(copied(model))),
        Action::Export => return Some(Effect::Export),
        Action::Here(action) => return here(model, action),
    }
    None
}

/// What depends on the screen that is showing.
fn here(model: &mut Model, action: Local) -> Option<Effect> {
    match (model.help, &model.screen, action) {
        (Some(top), _, Local::Move(step)) => {
            // The view stops at the last line; no help is longer than this.
            let moved = moved(usize::from(top), 99, step, model.size.height);
            model.help = u16::try_from(moved).ok();
            None
        }
        (Some(_), _, _) => None,
        (None, Screen::Home, _) => home::act(model, action),
        (None, Screen::Integration(_), _) => integration::act(model, action),
        (None, Screen::Tests, _) => perf::act(model, action),
        (None, Screen::Full(_), _) => full::act(model, action),
    }
}

/// What is copied: the evidence of the check under the cursor, or the answer in a line.
fn copied(model: &Model) -> String {
    match (model.under(), model.check()) {
        (Screen::Integration(_), Some(check)) => words::evidence(model, check),
        (_, _) => words::status(model),
    }
}

fn back(model: &mut Model) {
    if model.help.take().is_some() {
        model.sought.clear();
        return;
    }
    if model.filters() && model.screen != Screen::Tests {
        model.filter.clear();
        return;
    }
    match &model.screen {
        Screen::Home if model.frozen.is_some() => freeze(model),
        Screen::Home => {}
        Screen::Tests if model.asking => model.asking = false,
        Screen::Full(full) => model.screen = (*full.under).clone(),
        Screen::Integration(_) | Screen::Tests => model.screen = Screen::Home,
    }
}

fn freeze(model: &mut Model) {
    if model.frozen.take().is_some() {
        model.run = None;
        model.say("live again");
    } else {
        model.frozen = Some((Arc::clone(&model.live), model.live_now()));
        model.say("frozen; checks go on, space goes live");
    }
}

/// Goes to the integration with that number, if there is one.
fn jump(model: &mut Model, number: u8) -> Option<IntegrationId> {
    let at = usize::from(number).saturating_sub(1);
    let id = model.snapshot().integrations.get(at).map(|view| view.id.clone());
    if id.is_none() {
        model.say(format!("there is no integration {number}"));
    }
    id
}

/// The row after `step` from `row`, of `count`.
fn moved(row: usize, count: usize, step: Step, height: u16) -> usize {
    let half = cmp::max(usize::from(height) / 4, 1);
    let row = match step {
        Step::Down => row.saturating_add(1),
        Step::Up => row.saturating_sub(1),
        Step::HalfPageDown => row.saturating_add(half),
        Step::HalfPageUp => row.saturating_sub(half),
        Step::First => 0,
        Step::Last => usize::MAX,
    };
    cmp::min(row, count.saturating_sub(1))
}

/// The first of `count` rows after `row` that is `wanted`, going round; before it when `backwards`.
fn sought(
    row: usize,
    count: usize,
    order: Direction,
    wanted: impl Fn(usize) -> bool,
) -> Option<usize> {
    let step = |n: usize| match order {
        Direction::Forwards => (row + n) % count,
        Direction::Backwards => (row + count - n) % count,
    };
    (1..=count).map(step).find(|at| wanted(*at))
}

/// Which way to look.
#[derive(Clone, Copy, Debug)]
enum Direction {
    Forwards,
    Backwards,
}

impl Direction {
    fn of(action: Local) -> Self {
        if action == Local::PreviousFailure { Self::Backwards } else { Self::Forwards }
    }
}

#[cfg(test)]
mod tests;
