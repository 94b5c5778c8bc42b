use super::draw;
use crate::{
    domain::{Evidence, Finding, IntegrationId, Provenance, Snapshot, Target, sample as values},
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
fn screen(model: &Model, size: (u16, u16)) -> String {
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
    insta::assert_snapshot!(rows.join("\n"));
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
    let started = model.live.at.checked_sub(Duration::from_millis(300)).unwrap();
    let run = |model: &mut Model, since| {
        live(model, |snapshot| {
            Arc::make_mut(&mut snapshot.integrations[0]).checks[0].running = Some(since);
        });
    };
    run(&mut model, started);
    assert!(row(&model).ends_with("0s"), "{}", row(&model));
    run(&mut model, started.checked_sub(Duration::from_millis(100)).unwrap());
    assert!(row(&model).ends_with(".."), "{}", row(&model));
    run(&mut model, started.checked_sub(Duration::from_secs(42)).unwrap());
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

/// Texts that a server or a user may come up with, wherever a text can be.
fn hostile() -> Model {
    const TEXT: &str = "日本語 e\u{301}\u{301} \u{202e}txt.exe \u{1b}[31mred\u{7} \
        aVeryLongWordWithoutAnyBlankThatGoesOnAndOnAndOn 👩‍👩‍👧 ﷽ \t\r\n end";
    let mut snapshot = sample::snapshot();
    snapshot.host = TEXT.into();
    snapshot.verdict.reason = TEXT.into();
    for view in &mut snapshot.integrations {
        let view = Arc::make_mut(view);
        view.title = TEXT.into();
        view.target = Target { name: TEXT.into(), provenance: Provenance::Configured };
        for value in [f64::MAX, 0.0, -1.0, 1e-300] {
            view.latency.push(snapshot.at, value);
        }
        for check in &mut view.checks {
            check.spec.title = TEXT.into();
            check.spec.hint = TEXT.into();
            let mut evidence = Evidence::default().asked(TEXT).wanted(TEXT).reply(TEXT);
            for _ in 0..4 {
                evidence = evidence.phase(TEXT, Duration::MAX).fact(TEXT, TEXT);
            }
            let finding = Finding::fail(TEXT).evidence(evidence);
            check.finding = Arc::new(finding);
            (check.took, check.since) = (Duration::MAX, Duration::MAX);
            (check.streak, check.attempts) = (u32::MAX, u8::MAX);
        }
    }
    for blocker in &mut snapshot.blockers {
        (blocker.summary, blocker.remedy) = (TEXT.into(), TEXT.into());
        (blocker.number, blocker.since) = (u32::MAX, Duration::MAX);
    }
    let mut model = Model::new(Arc::new(snapshot));
    model.say(TEXT);
    model
}

/// What a person may come to see: each screen, with texts of every kind.
fn places() -> Vec<Model> {
    let mut places = Vec::new();
    for keys in ["", "1\n", "?", "4\nG", " "] {
        for mut model in [hostile(), sample::model(), Model::new(Arc::default())] {
            press(&mut model, keys);
            places.push(model);
        }
    }
    places
}

#[test]
fn a_screen_draws_at_every_size_whatever_the_texts() {
    let ascii = Look { glyphs: Glyphs::ASCII, ..sample::look() };
    let places = places();
    let draw_heights = |from: u16| {
        for height in (from..=65).step_by(4) {
            for width in 1..=210 {
                // Every place is met at every width and at every height.
                let place = usize::from(width * 7 + height * 4) % places.len();
                let look = if height % 2 == 0 { &ascii } else { &sample::look() };
                drawn(&places[place], look, (width, height));
            }
        }
    };
    std::thread::scope(|scope| {
        for from in 1..=4 {
            scope.spawn(move || draw_heights(from));
        }
    });
}

#[test]
fn every_screen_draws_at_every_small_size_and_at_every_tier() {
    let small = (1..=12).flat_map(|height| (1..=64).map(move |width| (width, height)));
    let tiers = [(80, 24), (99, 23), (100, 24), (119, 40), (120, 39), (120, 40), (210, 65)];
    let sizes: Vec<(u16, u16)> = small.chain(tiers).collect();
    for model in places() {
        for size in &sizes {
            drawn(&model, &sample::look(), *size);
        }
    }
}

#[test]
fn nothing_from_outside_reaches_the_screen_as_it_came() {
    let ascii = Look { glyphs: Glyphs::ASCII, ..sample::look() };
    let hidden = |c: char| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c);
    for model in places() {
        for size in [(80, 24), (120, 40), (60, 15), (40, 5), (210, 65)] {
            let shown = screen(&model, size).replace('\n', "");
            assert!(!shown.contains(hidden), "{size:?}");
            assert!(text(&drawn(&model, &ascii, size)).is_ascii(), "{size:?}");
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
