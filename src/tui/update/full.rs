//! One pane over the whole screen.

use super::{Direction, Effect, moved, recheck, sought};
use crate::{
    domain::Mark,
    engine::Selection,
    tui::{
        keymap::{Local, Step},
        model::{Full, Model, Pane, Screen},
    },
};

/// Lines of evidence that one can scroll through; the view stops at the last.
const LINES: usize = 400;

/// Gives `pane` the whole screen; takes it away where it has it already.
pub(super) fn open(model: &mut Model, pane: Pane) {
    let under = Box::new(model.under().clone());
    let has_it = matches!(&model.screen, Screen::Full(full) if full.pane == pane);
    model.screen = if has_it { *under } else { Screen::Full(Full { pane, top: 0, under }) };
}

/// What a key does there.
pub(super) fn act(model: &mut Model, action: Local) -> Option<Effect> {
    match action {
        Local::Move(step) => go(model, step),
        Local::NextFailure | Local::PreviousFailure => next(model, Direction::of(action)),
        Local::Recheck => {
            let id = model.check()?.id.clone();
            return Some(recheck::ask(model, Selection::Check(id)));
        }
        Local::Open | Local::Jump(_) | Local::Start | Local::Abort => {}
    }
    None
}

fn count(model: &Model, pane: Pane) -> usize {
    match pane {
        Pane::Events => model.events().count(),
        Pane::Blockers => model.snapshot().blockers.len(),
        Pane::Evidence => LINES,
    }
}

fn go(model: &mut Model, step: Step) {
    let Screen::Full(full) = &model.screen else { return };
    let to = moved(full.top, count(model, full.pane), step, model.size.height.saturating_mul(3));
    scroll(model, to);
}

fn scroll(model: &mut Model, to: usize) {
    if let Screen::Full(full) = &mut model.screen {
        full.top = to;
    }
}

/// Goes to the next event that tells of a failure.
fn next(model: &mut Model, order: Direction) {
    let Screen::Full(Full { pane: Pane::Events, top, .. }) = model.screen else { return };
    let fails: Vec<bool> = model.events().map(|it| it.mark == Some(Mark::Fail)).collect();
    match sought(top, fails.len(), order, |at| fails[at]) {
        Some(at) => scroll(model, at),
        None => model.say("no event tells of a failure"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::{sample, update::tests::press};
    use crossterm::event::KeyCode;

    fn top(model: &Model) -> Option<(Pane, usize)> {
        match &model.screen {
            Screen::Full(full) => Some((full.pane, full.top)),
            Screen::Home | Screen::Integration(_) | Screen::Tests => None,
        }
    }

    fn keys(model: &mut Model, keys: &str) {
        for key in keys.chars() {
            press(model, if key == '\n' { KeyCode::Enter } else { KeyCode::Char(key) });
        }
    }

    #[test]
    fn a_pane_comes_and_goes_and_what_was_underneath_is_still_there() {
        let mut model = sample::model();
        keys(&mut model, "l");
        assert_eq!(top(&model), Some((Pane::Events, 0)));
        keys(&mut model, "l");
        assert_eq!(model.screen, Screen::Home);
        keys(&mut model, "f");
        assert_eq!(top(&model), Some((Pane::Blockers, 0)));
        press(&mut model, KeyCode::Esc);
        keys(&mut model, "2\nf");
        assert_eq!(top(&model), Some((Pane::Evidence, 0)));
        let check = model.check().unwrap().id.to_string();
        assert_eq!(check, "database.connect", "the same as underneath");
        keys(&mut model, "l");
        assert_eq!(top(&model), Some((Pane::Events, 0)));
        keys(&mut model, "q");
        assert!(matches!(model.screen, Screen::Integration(Some(_))));
    }

    #[test]
    fn events_scroll_and_n_finds_failures() {
        let mut model = sample::model();
        let last = model.events().count() - 1;
        keys(&mut model, "ljj");
        assert_eq!(top(&model), Some((Pane::Events, 2)));
        keys(&mut model, "G");
        assert_eq!(top(&model), Some((Pane::Events, last)));
        keys(&mut model, "gn");
        assert_eq!(top(&model), Some((Pane::Events, 1)), "the newest is the first of them");
        keys(&mut model, "N");
        assert_eq!(top(&model), Some((Pane::Events, 0)));
        keys(&mut model, "w");
        assert!(model.wrap);
    }

    #[test]
    fn r_asks_for_the_check_whose_evidence_is_shown_and_for_nothing_among_events() {
        let mut model = sample::model();
        keys(&mut model, "2\nf");
        assert!(press(&mut model, KeyCode::Char('r')).is_some());
        keys(&mut model, "l");
        assert_eq!(press(&mut model, KeyCode::Char('r')), None);
    }
}
