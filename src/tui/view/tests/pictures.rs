//! Whole screens, as a person sees them.

use super::*;

#[test]
fn home_80x24() {
    insta::assert_snapshot!(screen(&sample::model(), (80, 24)));
}

#[test]
fn home_120x40() {
    insta::assert_snapshot!(screen(&sample::model(), (120, 40)));
}

#[test]
fn home_60x15() {
    insta::assert_snapshot!(screen(&sample::model(), (60, 15)));
}

#[test]
fn home_40x5() {
    insta::assert_snapshot!(screen(&sample::model(), (40, 5)));
}

#[test]
fn home_200x60() {
    insta::assert_snapshot!(screen(&sample::model(), (200, 60)));
}

#[test]
fn home_80x24_in_ascii() {
    let look = Look { glyphs: Glyphs::ASCII, ..sample::look() };
    let ascii = text(&drawn(&sample::model(), &look, (80, 24)));
    assert!(ascii.is_ascii());
    insta::assert_snapshot!(ascii);
}

#[test]
fn integration_80x24() {
    insta::assert_snapshot!(screen(&opened(), (80, 24)));
}

#[test]
fn integration_120x40() {
    insta::assert_snapshot!(screen(&opened(), (120, 40)));
}

#[test]
fn integration_60x15() {
    insta::assert_snapshot!(screen(&opened(), (60, 15)));
}

#[test]
fn integration_40x5() {
    insta::assert_snapshot!(screen(&opened(), (40, 5)));
}

#[test]
fn help_80x24() {
    let mut model = sample::model();
    press(&mut model, "?");
    insta::assert_snapshot!(screen(&model, (80, 24)));
}

/// The tests, after `keys`.
fn tests_pane(keys: &str) -> Model {
    let mut model = sample::model_with_tests();
    press(&mut model, "t");
    press(&mut model, keys);
    model
}

fn tests_running() -> Model {
    let mut model = tests_pane("");
    let running = sample::running(&model.board);
    update(&mut model, Msg::Board(Arc::new(running)));
    model
}

#[test]
fn tests_80x24() {
    insta::assert_snapshot!(screen(&tests_pane(""), (80, 24)));
}

#[test]
fn tests_asked_80x24() {
    insta::assert_snapshot!(screen(&tests_pane("\n"), (80, 24)));
}

#[test]
fn tests_refused_80x24() {
    insta::assert_snapshot!(screen(&tests_pane("j"), (80, 24)));
}

#[test]
fn tests_running_80x24() {
    insta::assert_snapshot!(screen(&tests_running(), (80, 24)));
}

#[test]
fn tests_running_120x40() {
    insta::assert_snapshot!(screen(&tests_running(), (120, 40)));
}

#[test]
fn tests_120x40() {
    insta::assert_snapshot!(screen(&tests_pane(""), (120, 40)));
}

/// A test of scale that has ended, and the same while it runs.
fn scaling(running: bool) -> Model {
    let mut model = tests_pane("");
    let mut board = (*model.board).clone();
    let record = crate::perf::render::sample::scaled();
    let steps = record.scale.as_ref().map_or_else(Vec::new, |scale| scale.steps[..6].to_vec());
    board.tests[0].offer.title = "HTTP scaling".into();
    (board.tests[0].last, board.tests[0].before) = (Some(Arc::new(record)), None);
    if running {
        board = sample::running(&board);
        if let Some(running) = &mut board.running {
            running.progress.steps = steps;
        }
    }
    update(&mut model, Msg::Board(Arc::new(board)));
    model
}

#[test]
fn scale_80x24() {
    insta::assert_snapshot!(screen(&scaling(false), (80, 24)));
}

#[test]
fn scale_120x40() {
    insta::assert_snapshot!(screen(&scaling(false), (120, 40)));
}

#[test]
fn scale_running_80x24() {
    insta::assert_snapshot!(screen(&scaling(true), (80, 24)));
}

#[test]
fn scale_running_120x40() {
    insta::assert_snapshot!(screen(&scaling(true), (120, 40)));
}

/// A test of memory that has ended, and the same while it runs.
fn weighing(running: bool) -> Model {
    let mut model = tests_pane("");
    let mut board = (*model.board).clone();
    let record = crate::perf::render::sample::leaking();
    let floors = record.memory.as_ref().map_or_else(Vec::new, |it| it.floors[..13].to_vec());
    board.tests[0].offer.title = "HTTP memory".into();
    (board.tests[0].last, board.tests[0].before) = (Some(Arc::new(record)), None);
    if running {
        board = sample::running(&board);
        if let Some(running) = &mut board.running {
            (running.progress.memory, running.progress.requests) = (floors, Some(1000));
        }
    }
    update(&mut model, Msg::Board(Arc::new(board)));
    model
}

#[test]
fn memory_80x24() {
    insta::assert_snapshot!(screen(&weighing(false), (80, 24)));
}

#[test]
fn memory_120x40() {
    insta::assert_snapshot!(screen(&weighing(false), (120, 40)));
}

#[test]
fn memory_running_80x24() {
    insta::assert_snapshot!(screen(&weighing(true), (80, 24)));
}

#[test]
fn memory_running_120x40() {
    insta::assert_snapshot!(screen(&weighing(true), (120, 40)));
}

#[test]
fn tests_running_80x24_in_ascii() {
    let look = Look { glyphs: Glyphs::ASCII, ..sample::look() };
    let ascii = text(&drawn(&tests_running(), &look, (80, 24)));
    assert!(ascii.is_ascii());
    insta::assert_snapshot!(ascii);
}

#[test]
fn accepting_80x24() {
    let mut model = sample::model();
    press(&mut model, "2amoved to web-4 tonight");
    insta::assert_snapshot!(screen(&model, (80, 24)));
}

#[test]
fn accepting_40x5_until_when() {
    let mut model = sample::model();
    press(&mut model, "2amoved to web-4 tonight\nnever\n");
    insta::assert_snapshot!(screen(&model, (40, 5)));
}

#[test]
fn what_the_user_has_to_know_stands_where_messages_do() {
    let mut model = sample::model();
    let mut snapshot = (*model.live).clone();
    let notice = |says: &str| Notice { topic: Topic::Acceptance, says: says.into() };
    snapshot.notices = vec![notice("redis.lock passes: its acceptance can go"), notice("more")];
    model.live = Arc::new(snapshot);
    let picture = screen(&model, (80, 24));
    let line = picture.lines().rev().nth(1).unwrap();
    assert!(line.starts_with(" ! redis.lock passes: its acceptance can go"), "{line}");
    assert!(line.ends_with("+1 more"), "{line}");
}
