//! Any size, any text.

use super::*;
use crate::domain::perf::Board;

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
    model.board = Arc::new(hostile_tests(TEXT));
    model.say(TEXT);
    model
}

/// Tests of which every text is `text` and every number as large as can be.
fn hostile_tests(text: &str) -> Board {
    let mut board = sample::running(&sample::model_with_tests().board);
    for entry in &mut board.tests {
        let offer = &mut entry.offer;
        (offer.title, offer.target, offer.load) = (text.into(), text.into(), text.into());
        (offer.does, offer.takes) = (vec![text.into(); 9], Duration::MAX);
        (entry.last, entry.failed) = (None, Some(text.into()));
    }
    if let Some(running) = &mut board.running {
        let progress = &mut running.progress;
        (progress.rate, progress.failed, progress.in_flight) = (f64::MAX, u64::MAX, u64::MAX);
        (progress.succeeded, progress.of) = (0, Some(Duration::ZERO));
        progress.whole.max = Duration::MAX;
        progress.bars.iter_mut().for_each(|bar| bar.count = u64::MAX / 9);
        progress.errors.insert(text.into(), u64::MAX);
    }
    board
}

/// What a person may come to see: each screen, with texts of every kind.
fn places() -> Vec<Model> {
    let mut places = Vec::new();
    for keys in [
        "", "1\n", "?", "4\nG", " ", "t", "tG\n", "l", "lwj", "f", "1\nf", "/e", "/zz\n", ":",
        ":re", "?x", "[", "{+",
    ] {
        for mut model in [hostile(), sample::model_with_tests(), Model::new(Arc::default())] {
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
