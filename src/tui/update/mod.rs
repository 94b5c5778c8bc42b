//! How the model changes. Pure: what must be done outside comes back as data.

mod accept;
mod baseline;
mod home;
mod integration;
mod perf;
mod recheck;

pub(super) use accept::{ENDS, Prompt, is_possible};
pub(super) use recheck::Asked;

use super::{
    keymap::{self, Action, Local, Step},
    model::{Model, Screen},
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
use crossterm::event::KeyEvent;
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
    /// The terminal has so many rows.
    Resized(u16),
    /// The engine would not take a command.
    Refused(Refused),
    /// The terminal took that long for one frame.
    Stalled(Duration),
    /// An errand came to this end.
    Said(String),
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
}

/// Folds one message into the model.
pub(super) fn update(model: &mut Model, msg: Msg) -> Option<Effect> {
    match msg {
        Msg::Key(event) if model.prompt.is_some() => return accept::press(model, event),
        Msg::Key(event) => return act(model, keymap::lookup(model, event)?),
        Msg::Snapshot(snapshot) => {
            model.live = snapshot;
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
        Msg::Resized(height) => model.height = height,
        Msg::Refused(refused) => {
            model.asked = None;
            let then = if refused == Refused::Busy { "; press the key again" } else { "" };
            model.say(format!("{refused}{then}"));
        }
        Msg::Said(text) => model.say(text),
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
            let moved = moved(usize::from(top), 99, step, model.height);
            model.help = u16::try_from(moved).ok();
            None
        }
        (Some(_), _, _) => None,
        (None, Screen::Home, _) => home::act(model, action),
        (None, Screen::Integration(_), _) => integration::act(model, action),
        (None, Screen::Tests, _) => perf::act(model, action),
    }
}

/// What is copied: the evidence of the check under the cursor, or the answer in a line.
fn copied(model: &Model) -> String {
    match (&model.screen, model.check()) {
        (Screen::Integration(_), Some(check)) => words::evidence(model, check),
        (Screen::Integration(_) | Screen::Home | Screen::Tests, _) => words::status(model),
    }
}

fn back(model: &mut Model) {
    if model.help.take().is_some() {
        return;
    }
    match model.screen {
        Screen::Home if model.frozen.is_some() => freeze(model),
        Screen::Home => {}
        Screen::Tests if model.asking => model.asking = false,
        Screen::Integration(_) | Screen::Tests => model.screen = Screen::Home,
    }
}

fn freeze(model: &mut Model) {
    if model.frozen.take().is_some() {
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
mod tests {
    use super::*;
    use crate::tui::sample;
    use crossterm::event::{KeyCode, KeyModifiers};

    pub(super) fn press(model: &mut Model, code: KeyCode) -> Option<Effect> {
        update(model, Msg::Key(code.into()))
    }

    fn said(model: &Model) -> &str {
        model.message.as_ref().map_or("", |message| &message.text)
    }

    #[test]
    fn q_goes_back_level_by_level_and_quits_at_the_top() {
        let mut model = sample::model();
        press(&mut model, KeyCode::Enter);
        press(&mut model, KeyCode::Char('?'));
        assert_eq!(press(&mut model, KeyCode::Char('q')), None);
        assert!(model.help.is_none() && model.screen != Screen::Home);
        assert_eq!(press(&mut model, KeyCode::Char('q')), None);
        assert_eq!(model.screen, Screen::Home);
        assert_eq!(press(&mut model, KeyCode::Char('q')), Some(Effect::Quit));
    }

    #[test]
    fn esc_never_quits() {
        let mut model = sample::model();
        press(&mut model, KeyCode::Char(' '));
        for _ in 0..5 {
            assert_eq!(press(&mut model, KeyCode::Esc), None);
        }
        assert!(model.frozen.is_none(), "at the top it goes back to live");
    }

    #[test]
    fn quitting_suspending_and_redrawing_work_from_anywhere() {
        let ctrl = |c| Msg::Key(KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL));
        let mut model = sample::model();
        for keys in [vec![], vec![KeyCode::Enter], vec![KeyCode::Char('?')]] {
            for code in keys {
                assert_eq!(press(&mut model, code), None);
            }
            assert_eq!(press(&mut model, KeyCode::Char('Q')), Some(Effect::QuitKeeping));
            assert_eq!(update(&mut model, ctrl('c')), Some(Effect::Quit));
            assert_eq!(update(&mut model, ctrl('z')), Some(Effect::Suspend));
            assert_eq!(update(&mut model, ctrl('l')), Some(Effect::Redraw));
        }
    }

    #[test]
    fn a_frozen_screen_stays_and_counts_what_it_misses() {
        let mut model = sample::model();
        press(&mut model, KeyCode::Char(' '));
        let held = Arc::clone(model.snapshot());
        for seq in 1..=4 {
            let next = Snapshot { seq: held.seq + seq, ..(*held).clone() };
            update(&mut model, Msg::Snapshot(Arc::new(next)));
        }
        update(&mut model, Msg::Tick(Duration::from_secs(12)));
        assert!(Arc::ptr_eq(model.snapshot(), &held));
        let twelve = Duration::from_secs(12);
        let standing = super::super::model::Standing::Frozen { age: twelve, waiting: 4 };
        assert_eq!(model.standing(), standing);
        press(&mut model, KeyCode::Char(' '));
        assert_eq!(model.snapshot().seq, held.seq + 4);
        assert_eq!(said(&model), "live again");
    }

    #[test]
    fn the_help_scrolls_and_takes_no_other_keys() {
        let mut model = sample::model();
        press(&mut model, KeyCode::F(1));
        press(&mut model, KeyCode::Down);
        press(&mut model, KeyCode::Down);
        assert_eq!(model.help, Some(2));
        assert_eq!(press(&mut model, KeyCode::Char('r')), None);
        assert!(model.asked.is_none());
        press(&mut model, KeyCode::Esc);
        assert_eq!(model.help, None);
    }

    #[test]
    fn a_refused_command_is_said_with_what_to_do() {
        let mut model = sample::model();
        press(&mut model, KeyCode::Char('r'));
        update(&mut model, Msg::Refused(Refused::Busy));
        assert!(said(&model).starts_with("busy") && said(&model).ends_with("press the key again"));
        assert!(model.asked.is_none());
    }

    #[test]
    fn a_message_goes_after_a_minute_and_a_stall_is_said() {
        let mut model = sample::model();
        update(&mut model, Msg::Stalled(Duration::from_secs(42)));
        assert_eq!(said(&model), "the terminal read nothing for 42s");
        update(&mut model, Msg::Tick(Duration::from_mins(1)));
        assert!(model.message.is_some());
        update(&mut model, Msg::Tick(Duration::from_secs(61)));
        assert!(model.message.is_none());
    }

    #[test]
    fn movement_stops_at_both_ends() {
        let step = |row, step| moved(row, 6, step, 24);
        assert_eq!([step(0, Step::Up), step(5, Step::Down)], [0, 5]);
        assert_eq!([step(0, Step::HalfPageDown), step(2, Step::HalfPageUp)], [5, 0]);
        assert_eq!([step(3, Step::First), step(3, Step::Last)], [0, 5]);
        assert_eq!(moved(0, 0, Step::Last, 24), 0);
    }

    #[test]
    fn looking_goes_round_in_both_directions() {
        let wanted = |at| at == 1 || at == 4;
        assert_eq!(sought(1, 6, Direction::Forwards, wanted), Some(4));
        assert_eq!(sought(4, 6, Direction::Forwards, wanted), Some(1));
        assert_eq!(sought(1, 6, Direction::Backwards, wanted), Some(4));
        assert_eq!(sought(0, 6, Direction::Forwards, |_| false), None);
        assert_eq!(sought(0, 0, Direction::Forwards, |_| true), None);
    }
}
