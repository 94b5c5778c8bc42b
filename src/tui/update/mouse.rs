//! The mouse, while it is ours.

use super::{Effect, act};
use crate::tui::{
    keymap::{Action, Local, Step},
    model::{Model, Screen},
    screen::Mouse,
    view,
};
use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};

/// Takes the mouse or gives it back, and says how text is selected then.
pub(super) fn toggle(model: &mut Model) -> Effect {
    model.mouse = !model.mouse;
    if model.mouse {
        model.say("the mouse is ours: wheel and click; m gives it back, shift selects text");
        Effect::Mouse(Mouse::Ours)
    } else {
        model.say("the mouse is the terminal's again");
        Effect::Mouse(Mouse::Theirs)
    }
}

/// The wheel moves; a click selects the row, and opens the one that is selected.
pub(super) fn hear(model: &mut Model, event: MouseEvent) -> Option<Effect> {
    match event.kind {
        MouseEventKind::ScrollDown => act(model, Action::Here(Local::Move(Step::Down))),
        MouseEventKind::ScrollUp => act(model, Action::Here(Local::Move(Step::Up))),
        MouseEventKind::Down(MouseButton::Left) => click(model, event.row),
        MouseEventKind::Down(MouseButton::Right | MouseButton::Middle)
        | MouseEventKind::Up(_)
        | MouseEventKind::Drag(_)
        | MouseEventKind::Moved
        | MouseEventKind::ScrollLeft
        | MouseEventKind::ScrollRight => None,
    }
}

fn click(model: &mut Model, row: u16) -> Option<Effect> {
    if model.help.is_some() || model.screen != Screen::Home {
        return None;
    }
    let at = view::row_at(model, row)?;
    if at == model.row() {
        return act(model, Action::Here(Local::Open));
    }
    model.selected = model.snapshot().integrations.get(at).map(|view| view.id.clone());
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::{
        sample,
        update::{Msg, tests::press, update},
    };
    use crossterm::event::{KeyCode, KeyModifiers};
    use ratatui::layout::Size;

    fn at(model: &mut Model, kind: MouseEventKind, row: u16) {
        let event = MouseEvent { kind, column: 9, row, modifiers: KeyModifiers::NONE };
        update(model, Msg::Mouse(event));
    }

    #[test]
    fn the_wheel_moves_and_a_click_selects_and_then_opens() {
        let mut model = sample::model();
        at(&mut model, MouseEventKind::ScrollDown, 0);
        assert_eq!(model.row(), 1);
        let left = MouseEventKind::Down(MouseButton::Left);
        for size in [(80, 24), (120, 40), (60, 15), (200, 60), (80, 16)] {
            model.size = Size::new(size.0, size.1);
            model.screen = Screen::Home;
            let picture = crate::tui::Picture::of(&model, &sample::look(), model.size).text();
            let line = picture.lines().position(|line| line.contains("4 External")).unwrap();
            model.selected = None;
            at(&mut model, left, u16::try_from(line).unwrap());
            assert_eq!(model.row(), 3, "{size:?}");
            at(&mut model, left, u16::try_from(line).unwrap());
            assert!(matches!(model.screen, Screen::Integration(_)), "{size:?}");
        }
        at(&mut model, left, 0);
        assert!(matches!(model.screen, Screen::Integration(_)));
    }

    #[test]
    fn m_takes_the_mouse_and_gives_it_back() {
        let mut model = sample::model();
        assert_eq!(press(&mut model, KeyCode::Char('m')), Some(Effect::Mouse(Mouse::Ours)));
        assert_eq!(press(&mut model, KeyCode::Char('m')), Some(Effect::Mouse(Mouse::Theirs)));
    }
}
