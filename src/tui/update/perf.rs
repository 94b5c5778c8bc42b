use super::{Effect, moved};
use crate::{
    domain::perf::{Board, Ended, Order},
    perf::render,
    tui::{keymap::Local, model::Model},
};
use std::sync::Arc;

/// What a key does among the performance tests.
pub(super) fn act(model: &mut Model, action: Local) -> Option<Effect> {
    match action {
        Local::Open => model.asking = true,
        Local::Start => return start(model),
        Local::Abort => {
            model.say("the test is told to stop, and tidies up");
            return Some(Effect::Order(Order::Abort));
        }
        Local::Move(step) => {
            let to = moved(model.test_row(), model.board.tests.len(), step, model.size.height);
            model.test = model.board.tests.get(to).map(|entry| entry.offer.test.clone());
            model.asking = false;
        }
        Local::Recheck | Local::Jump(_) | Local::NextFailure | Local::PreviousFailure => {}
    }
    None
}

fn start(model: &mut Model) -> Option<Effect> {
    let test = model.entry()?.offer.test.clone();
    model.asking = false;
    Some(Effect::Order(Order::Start(test)))
}

/// Takes in how the tests stand, and says what came of one that has ended.
pub(super) fn receive(model: &mut Model, board: Arc<Board>) {
    let before = std::mem::replace(&mut model.board, board);
    let Some(ran) = &before.running else { return };
    if model.board.running(&ran.test).is_none()
        && let Some(says) = ended(&model.board, &ran.test)
    {
        model.say(says);
    }
}

fn ended(board: &Board, test: &str) -> Option<String> {
    let entry = board.entry(test)?;
    let title = &entry.offer.title;
    if let Some(why) = &entry.failed {
        return Some(format!("{title}: no result, {why}"));
    }
    let record = entry.last.as_ref()?;
    let how = match &record.ended {
        Ended::Complete => "",
        Ended::Aborted => " (stopped early)",
        Ended::Stopped(_) => " (stopped by a guard)",
    };
    Some(format!("{title}: {}{how}", render::brief(record)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::perf::Running,
        tui::{
            model::Screen,
            sample,
            update::{Msg, tests::press, update},
        },
    };
    use crossterm::event::KeyCode;

    fn at_the_tests() -> Model {
        let mut model = sample::model_with_tests();
        press(&mut model, KeyCode::Char('t'));
        assert_eq!(model.screen, Screen::Tests);
        model
    }

    fn said(model: &Model) -> &str {
        model.message.as_ref().map_or("", |message| &message.text)
    }

    #[test]
    fn nothing_starts_before_it_was_asked_and_answered() {
        let mut model = at_the_tests();
        assert_eq!(press(&mut model, KeyCode::Char('s')), None, "nothing was asked yet");
        assert_eq!(press(&mut model, KeyCode::Enter), None);
        assert!(model.asking);
        assert_eq!(press(&mut model, KeyCode::Enter), None, "the key that asks never starts");
        let started = Some(Effect::Order(Order::Start("redis".into())));
        assert_eq!(press(&mut model, KeyCode::Char('s')), started);
        assert!(!model.asking);
    }

    #[test]
    fn no_is_an_answer_and_so_is_moving_away() {
        let mut model = at_the_tests();
        for no in [KeyCode::Esc, KeyCode::Char('q'), KeyCode::Down] {
            press(&mut model, KeyCode::Home);
            press(&mut model, KeyCode::Enter);
            assert!(model.asking);
            press(&mut model, no);
            assert!(!model.asking && model.screen == Screen::Tests, "{no}");
        }
        press(&mut model, KeyCode::Esc);
        assert_eq!(model.screen, Screen::Home);
    }

    #[test]
    fn what_is_refused_is_not_even_asked() {
        let mut model = at_the_tests();
        press(&mut model, KeyCode::Down);
        press(&mut model, KeyCode::Enter);
        assert!(!model.asking);
        assert_eq!(press(&mut model, KeyCode::Char('s')), None);
    }

    #[test]
    fn a_running_test_can_be_stopped_and_no_second_one_asked_for() {
        let mut model = at_the_tests();
        assert_eq!(press(&mut model, KeyCode::Char('x')), None, "nothing runs");
        let idle = Arc::clone(&model.board);
        update(&mut model, Msg::Board(Arc::new(sample::running(&idle))));
        press(&mut model, KeyCode::Enter);
        assert!(!model.asking);
        assert_eq!(press(&mut model, KeyCode::Char('x')), Some(Effect::Order(Order::Abort)));
        press(&mut model, KeyCode::Esc);
        assert_eq!(model.screen, Screen::Home, "it runs on, whatever is shown");
        update(&mut model, Msg::Board(idle));
        assert_eq!(said(&model), "Redis commands: 1000/s  p99 899ms  3 failed");
    }

    #[test]
    fn a_test_without_a_result_says_why() {
        let mut model = at_the_tests();
        let running = sample::running(&model.board);
        let mut failed = (*model.board).clone();
        failed.tests[0].failed = Some("connection refused by 127.0.0.1:6379/0".into());
        update(&mut model, Msg::Board(Arc::new(running)));
        update(&mut model, Msg::Board(Arc::new(failed)));
        assert!(said(&model).contains("no result, connection refused"), "{}", said(&model));
        let other = Running {
            test: "gone".into(),
            ..model.board.running.clone().unwrap_or(Running {
                test: String::new(),
                progress: crate::domain::perf::Progress::default(),
                aborting: false,
            })
        };
        let board = Board { running: Some(other), ..(*model.board).clone() };
        update(&mut model, Msg::Board(Arc::new(board)));
        update(&mut model, Msg::Board(Arc::default()));
        assert!(model.entry().is_none());
    }
}
