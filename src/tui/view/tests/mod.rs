mod finding;
mod pictures;
mod sizes;

use super::draw;
use crate::{
    domain::{
        Evidence, Finding, IntegrationId, Notice, Provenance, Snapshot, Target, Topic,
        sample as values,
    },
    tui::{
        Glyphs, Look, Palette,
        model::Model,
        sample,
        update::{Msg, update},
    },
};
use crossterm::event::KeyCode;
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::{Color, Modifier},
};
use std::{sync::Arc, time::Duration};

fn drawn(model: &Model, look: &Look, (width, height): (u16, u16)) -> Buffer {
    let mut buf = Buffer::empty(Rect::new(0, 0, width, height));
    draw(model, look, &mut buf);
    buf
}

/// The screen of `model` as text, without blanks at the ends of lines.
pub(super) fn screen(model: &Model, size: (u16, u16)) -> String {
    text(&drawn(model, &sample::look(), size))
}

fn text(buf: &Buffer) -> String {
    let line = |y| (0..buf.area.width).map(|x| buf[(x, y)].symbol()).collect::<String>();
    (0..buf.area.height).map(|y| line(y).trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

fn press(model: &mut Model, keys: &str) {
    for key in keys.chars() {
        let code = if key == '\n' { KeyCode::Enter } else { KeyCode::Char(key) };
        update(model, Msg::Key(code.into()));
    }
}

/// The screen of the integration that is down.
fn opened() -> Model {
    let mut model = sample::model();
    press(&mut model, "2\nr");
    model
}

#[test]
fn row_1_begins_with_the_verdict_from_eight_columns_up() {
    for width in 8..=210 {
        let row = screen(&sample::model(), (width, 1));
        assert!(row.starts_with(" NO-GO"), "{width}: {row}");
    }
    assert_eq!(screen(&sample::model(), (5, 1)), "NO-GO");
}

/// Row 1 after `change` to the model.
fn row_1(width: u16, change: impl FnOnce(&mut Model)) -> String {
    let mut model = sample::model();
    change(&mut model);
    screen(&model, (width, 1))
}

fn live(model: &mut Model, change: impl FnOnce(&mut Snapshot)) {
    change(Arc::make_mut(&mut model.live));
}

#[test]
fn row_1_in_its_states() {
    let rows = [
        row_1(80, |_| {}),
        row_1(80, |model| live(model, |snapshot| snapshot.paused = true)),
        row_1(80, |model| model.since = Duration::from_secs(41)),
        row_1(80, |model| {
            press(model, " ");
            live(model, |snapshot| snapshot.seq += 4);
            model.since = Duration::from_secs(12);
        }),
        row_1(80, |model| *model = Model::new(Arc::default())),
        row_1(80, |model| *model = healthy()),
        row_1(24, |_| {}),
        row_1(12, |_| {}),
    ];
    insta::assert_snapshot!(rows.join("\n"), @r#"
    NO-GO   3 blockers, 2 to do  score 74, 81 % covered  @web-3            14:07:32
    NO-GO   3 blockers, 2 to do  PAUSED  score 74, 81 % covered  @web-3    14:07:32
    HOLD    STALE: no news from web-3 for 40s, was NO-GO                   14:08:13
    NO-GO   FROZEN 10s, 4 updates wait  score 74, 81 % covered             14:07:44
    HOLD    score ?                                                        00:00:00
    GO      nothing stands in the way  score 100, 100 % covered  @web-3    14:07:32
    NO-GO   3 blo… 14:07:32
    NO-GO   3 …
    "#);
}

/// Everything passes.
fn healthy() -> Model {
    let passes = |name: &str| values::check(name, 1, Finding::pass("answers"));
    let view = values::integration("redis", "Redis", vec![passes("connect"), passes("lock")]);
    Model::new(Arc::new(sample::snapshot_of(vec![Arc::new(view)])))
}

#[test]
fn a_row_whose_run_takes_long_says_so() {
    let row = |model: &Model| screen(model, (80, 24)).lines().nth(3).unwrap().to_owned();
    let mut model = sample::model();
    let before = |millis| model.live.at.saturating_sub(Duration::from_millis(millis));
    let [short, noticed, late] = [300, 400, 42_000].map(before);
    let run = |model: &mut Model, since| {
        live(model, |snapshot| {
            Arc::make_mut(&mut snapshot.integrations[0]).checks[0].running = Some(since);
        });
    };
    run(&mut model, short);
    assert!(row(&model).ends_with("0s"), "{}", row(&model));
    run(&mut model, noticed);
    assert!(row(&model).ends_with(".."), "{}", row(&model));
    run(&mut model, late);
    assert!(row(&model).ends_with("..40s"), "{}", row(&model));
}

#[test]
fn open_blockers_are_folded_and_never_dropped() {
    for height in 11..60 {
        let text = screen(&sample::model(), (80, height));
        for label in ["B1", "B3", "B4"] {
            assert!(text.contains(label), "{label} is missing at 80x{height}:\n{text}");
        }
        let [row, message_and_footer] = [text.lines().next(), text.lines().last()];
        assert!(row.unwrap().starts_with(" NO-GO"));
        assert!(message_and_footer.unwrap().contains("? help"));
    }
}

/// Twenty instances instead of six integrations.
fn many() -> Model {
    let mut snapshot = sample::snapshot();
    let views = (0..20).map(|n| {
        let mut view = (*snapshot.integrations[n % 6]).clone();
        let id = IntegrationId::named("redis", &format!("shard{n}")).unwrap();
        view.checks.iter_mut().for_each(|check| check.id = id.check(&check.spec.name));
        (view.id, view.title) = (id, format!("Redis shard {n}"));
        Arc::new(view)
    });
    snapshot.integrations = views.collect();
    let integrations = snapshot.integrations;
    Model::new(Arc::new(sample::snapshot_of(integrations)))
}

#[test]
fn more_rows_than_fit_scroll_with_the_selection() {
    let mut model = many();
    for (keys, shown, hidden) in [("", "shard 0", "shard 19"), ("G", "shard 19", "shard 0 ")] {
        press(&mut model, keys);
        for size in [(80, 24), (60, 15), (120, 40)] {
            let text = screen(&model, size);
            assert!(text.contains(shown), "{size:?}:\n{text}");
            assert!(size.1 == 40 || !text.contains(hidden), "{size:?}:\n{text}");
            assert!(text.contains("BLOCKERS") && text.contains("? help"), "{size:?}:\n{text}");
        }
    }
}

#[test]
fn colour_repeats_what_a_sign_says() {
    let buf = drawn(&sample::model(), &sample::look(), (80, 24));
    let at = |x, y| (buf[(x, y)].symbol(), buf[(x, y)].fg, buf[(x, y)].modifier);
    let (bold, none) = (Modifier::BOLD, Modifier::empty());
    assert_eq!(at(1, 0), ("N", Color::Red, bold | Modifier::REVERSED));
    assert_eq!(at(0, 3), (">", Color::Cyan, bold));
    assert_eq!(at(1, 3), ("!", Color::Yellow, bold));
    assert_eq!(at(1, 4), ("✗", Color::Red, bold));
    assert_eq!(at(1, 7), ("✓", Color::Green, none));
    assert_eq!(at(5, 7), ("P", Color::Reset, none), "text has no colour of its own");
    assert_eq!(at(2, 9), ("B", Color::Reset, bold), "a title");
    assert_eq!(at(0, 9), ("─", Color::Reset, Modifier::DIM), "a rule");
}

#[test]
fn without_colour_the_verdict_and_the_cursor_are_still_seen() {
    let look = Look { palette: Palette::Plain, ..sample::look() };
    let buf = drawn(&sample::model(), &look, (80, 24));
    assert!(buf.content.iter().all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset));
    assert!(buf[(1, 0)].modifier.contains(Modifier::REVERSED | Modifier::BOLD));
    assert!(buf[(0, 3)].modifier.contains(Modifier::BOLD));
    assert!(buf[(5, 3)].modifier.contains(Modifier::BOLD), "the name under the cursor");
    assert_eq!(text(&buf), screen(&sample::model(), (80, 24)), "and nothing else moves");
}
