//! Other moments, and other spans of time.

use crate::tui::{
    keymap::{Travel, Zoom},
    model::Model,
    view,
    widget::WINDOWS,
};
use std::{cmp, sync::Arc};

/// Keeps what was published last. What the user looks at stays in its place.
pub(super) fn keep(model: &mut Model) {
    model.past.keep(&model.live);
    if let (Some(_), Some((shown, _))) = (model.run, &model.frozen) {
        // The oldest may have gone meanwhile.
        model.run = Some(model.past.place(shown.at).unwrap_or(0));
    }
}

/// Shows the whole screen as it was at another moment.
pub(super) fn travel(model: &mut Model, travel: Travel) {
    let here = model.frozen.as_ref().and_then(|(_, at)| model.past.place(*at));
    let last = model.past.len().checked_sub(1);
    let there = match travel {
        // What is live is the newest moment, or later than it.
        Travel::Earlier => here.or(last).and_then(|here| here.checked_sub(1)),
        Travel::Later => here.map(|here| here + 1),
        Travel::EventBefore => {
            let before = |at: &usize| here.is_none_or(|here| *at < here);
            model.past.events().rev().find(before)
        }
        Travel::EventAfter => model.past.events().find(|at| here.is_some_and(|here| *at > here)),
    };
    let onwards = matches!(travel, Travel::Later | Travel::EventAfter);
    match there.and_then(|there| Some((there, model.past.at(there, &model.live)?))) {
        Some((there, then)) if !onwards || Some(there) != last => {
            let at = then.at;
            let says = happened(&then);
            (model.frozen, model.run) = (Some((Arc::clone(&then), at)), Some(there));
            model.say(says);
        }
        Some(_) | None if onwards && model.frozen.is_some() => {
            (model.frozen, model.run) = (None, None);
            model.say("live again");
        }
        Some(_) | None if onwards => model.say("this is live; [ goes back"),
        Some(_) | None => model.say("nothing older is kept"),
    }
}

/// What happened last before that moment.
fn happened(then: &crate::domain::Snapshot) -> String {
    let event = then.journal.iter().next_back().filter(|event| event.at == then.at);
    let event = event.or_else(|| then.journal.iter().next_back());
    match event {
        Some(event) => {
            let check = event.check.as_ref().map(|check| format!("{check}: "));
            format!("last: {}{}", check.unwrap_or_default(), event.text)
        }
        None => "nothing had happened by then".into(),
    }
}

/// Lets graphs show more or less of the time.
pub(super) fn zoom(model: &mut Model, zoom: Zoom) {
    let most = WINDOWS.len() - 1;
    let here = model.zoom.unwrap_or_else(|| view::span(model));
    model.zoom = match zoom {
        Zoom::In => Some(here.saturating_sub(1)),
        Zoom::Out => Some(cmp::min(here + 1, most)),
        Zoom::Whole => None,
    };
    let says = model.zoom.and_then(|zoom| WINDOWS.get(zoom)).map_or_else(
        || "graphs show all that is known".into(),
        |window| format!("graphs show {} min", window.as_secs() / 60),
    );
    model.say(says);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{Event, Mark, Word},
        tui::{
            model::Standing,
            sample,
            update::{Msg, tests::press, update},
        },
    };
    use crossterm::event::KeyCode;
    use std::time::Duration;

    /// Two minutes of life, a snapshot each five seconds; an event each minute.
    fn lived() -> Model {
        let mut model = sample::model();
        for step in 0..25_u64 {
            let mut next = (*model.live).clone();
            next.seq += 1;
            next.at += Duration::from_secs(5);
            next.wall = next.wall.after(Duration::from_secs(5));
            next.verdict.word = if step < 12 { Word::Go } else { Word::NoGo };
            if step % 12 == 6 {
                next.journal.push(Event {
                    at: next.at,
                    wall: next.wall,
                    check: None,
                    mark: Some(Mark::Fail),
                    text: format!("event {step}"),
                });
            }
            update(&mut model, Msg::Snapshot(Arc::new(next)));
        }
        model
    }

    fn key(model: &mut Model, c: char) {
        press(model, KeyCode::Char(c));
    }

    fn past(model: &Model) -> Option<(u64, usize, usize)> {
        match model.standing() {
            Standing::Past { ago, run, of } => Some((ago.as_secs(), run, of)),
            Standing::Live | Standing::Paused | Standing::Frozen { .. } | Standing::Stale(_) => {
                None
            }
        }
    }

    #[test]
    fn the_whole_screen_goes_back_and_comes_forward_to_live() {
        let mut model = lived();
        assert_eq!((past(&model), model.word()), (None, Word::NoGo));
        key(&mut model, '[');
        assert_eq!(past(&model), Some((5, 24, 25)));
        for _ in 0..14 {
            key(&mut model, '[');
        }
        assert_eq!((past(&model), model.word()), (Some((75, 10, 25)), Word::Go));
        let said = model.message.clone().unwrap().text;
        assert_eq!(said, "last: event 6");
        key(&mut model, ']');
        assert_eq!(past(&model), Some((70, 11, 25)));
        press(&mut model, KeyCode::Esc);
        assert_eq!((past(&model), model.word()), (None, Word::NoGo));
        key(&mut model, ']');
        assert_eq!(model.message.unwrap().text, "this is live; [ goes back");
    }

    #[test]
    fn events_are_stops_and_after_the_last_it_is_live() {
        let mut model = lived();
        key(&mut model, '{');
        assert_eq!(past(&model), Some((30, 19, 25)));
        key(&mut model, '{');
        assert_eq!(past(&model), Some((90, 7, 25)));
        key(&mut model, '{');
        assert_eq!(model.message.as_ref().unwrap().text, "nothing older is kept");
        key(&mut model, '}');
        assert_eq!(past(&model), Some((30, 19, 25)));
        key(&mut model, '}');
        assert_eq!(past(&model), None);
    }

    #[test]
    fn what_comes_meanwhile_does_not_move_what_is_looked_at() {
        let mut model = lived();
        key(&mut model, '[');
        let shown = Arc::clone(model.snapshot());
        let mut next = (*model.live).clone();
        next.at += Duration::from_mins(1);
        update(&mut model, Msg::Snapshot(Arc::new(next)));
        assert!(Arc::ptr_eq(model.snapshot(), &shown));
        assert_eq!(past(&model), Some((65, 24, 26)));
    }

    #[test]
    fn graphs_show_less_and_more_of_the_time() {
        let mut model = lived();
        for (c, expected) in [('+', Some(2)), ('+', Some(1)), ('-', Some(2)), ('=', None)] {
            key(&mut model, c);
            assert_eq!(model.zoom, expected, "{c}");
        }
        assert_eq!(model.message.unwrap().text, "graphs show all that is known");
    }
}
