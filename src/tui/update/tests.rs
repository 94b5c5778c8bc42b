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
    assert_eq!(model.sought, "r", "it searches");
    press(&mut model, KeyCode::Esc);
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
