//! Looking for something, and panes that have the whole screen.

use super::*;

fn after(keys: &str) -> Model {
    let mut model = sample::model();
    press(&mut model, keys);
    model
}

#[test]
fn filtering_80x24() {
    insta::assert_snapshot!(screen(&after("/google"), (80, 24)));
}

#[test]
fn filtered_120x40() {
    insta::assert_snapshot!(screen(&after("/connect\nn"), (120, 40)));
}

#[test]
fn commands_80x24() {
    insta::assert_snapshot!(screen(&after(":re"), (80, 24)));
}

#[test]
fn help_searched_80x24() {
    insta::assert_snapshot!(screen(&after("?base"), (80, 24)));
}

#[test]
fn help_with_what_we_take_120x40() {
    let mut model = after("?");
    let cost = crate::tui::model::Cost {
        cpu: Some(0.31),
        memory: Some(11 << 20),
        sockets: None,
        runs: 14.2,
        written: 96.0,
        up: Duration::from_secs(580),
    };
    update(&mut model, Msg::Cost(cost));
    insta::assert_snapshot!(screen(&model, (120, 40)));
}

#[test]
fn events_full_80x24() {
    insta::assert_snapshot!(screen(&after("l"), (80, 24)));
}

#[test]
fn events_wrapped_60x15() {
    insta::assert_snapshot!(screen(&after("lwj"), (60, 15)));
}

#[test]
fn blockers_full_80x24() {
    insta::assert_snapshot!(screen(&after("f"), (80, 24)));
}

#[test]
fn evidence_full_80x24() {
    insta::assert_snapshot!(screen(&after("2\nf"), (80, 24)));
}

#[test]
fn of_many_rows_only_those_with_it_are_listed_while_all_do_not_fit() {
    let mut model = super::many();
    press(&mut model, "/shard19");
    let text = screen(&model, (80, 24));
    assert!(text.contains("shard 0 ") && text.contains("shard 19"), "{text}");
    assert!(!text.contains("shard 1 ") && !text.contains("shard 9 "), "{text}");
}
