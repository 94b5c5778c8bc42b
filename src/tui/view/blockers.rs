use super::{Page, Slot, detail::short_clock};
use crate::{
    domain::{Blocker, Stands, Word},
    tui::{glyphs::Sign, model::Model, theme::Role},
    units,
};
use ratatui::layout::Rect;
use std::{fmt::Write as _, time::Duration};

/// Width from which what to do stands beside what is wrong.
const WITH_REMEDY: u16 = 110;

/// From here on an end is told as a span.
const DAY: Duration = Duration::from_hours(24);

/// How many stand open, are accepted, are on the checklist, were cleared.
pub(super) fn counts(model: &Model) -> [usize; 4] {
    let blockers = &model.snapshot().blockers;
    let count = |wanted: fn(&Blocker) -> bool| blockers.iter().filter(|b| wanted(b)).count();
    [
        count(Blocker::is_open),
        count(|b| b.cleared.is_none() && b.stands > Stands::Checklist && b.accepted.is_some()),
        count(|b| b.cleared.is_none() && b.stands == Stands::Checklist),
        count(|b| b.cleared.is_some()),
    ]
}

/// Whether it did not stand in the way when the baseline was taken.
pub(super) fn is_new(blocker: &Blocker) -> bool {
    blocker.new == Some(true) && blocker.cleared.is_none() && blocker.number > 0
}

/// The title and as many entries as fit, the rest folded into one line.
pub(super) fn draw(page: &mut Page<'_>, area: Rect, model: &Model) {
    let [open, accepted, listed, cleared] = counts(model);
    let title = Slot::of(area, 0);
    let mut note = format!("{open} open");
    let news = model.snapshot().blockers.iter().filter(|it| is_new(it)).count();
    for (count, word) in
        [(news, "new"), (accepted, "accepted"), (listed, "to do"), (cleared, "cleared")]
    {
        if count > 0 {
            // Writing to a String cannot fail.
            let _infallible = write!(note, ", {count} {word}");
        }
    }
    page.title(title, "BLOCKERS", format_args!("{note}"));
    let rows = usize::from(area.height.saturating_sub(1));
    let wanted = |blocker: &&Blocker| model.wants_blocker(blocker);
    let entries: Vec<&Blocker> = model.snapshot().blockers.iter().filter(wanted).collect();
    let shown = if entries.len() > rows { rows.saturating_sub(1) } else { entries.len() };
    for (line, blocker) in (1..area.height).zip(entries[..shown].iter().copied()) {
        row(page, Slot::of(area, line), model, blocker);
    }
    let last = Slot::of(area, area.height.saturating_sub(1)).skip(3);
    if entries.is_empty() && rows > 0 && model.filters() {
        page.put(Slot::of(area, 1).skip(1), "no blocker has that", Role::Muted);
    } else if entries.is_empty() && rows > 0 {
        nothing(page, Slot::of(area, 1).skip(1), model);
    } else if shown < entries.len() && rows > 0 {
        let more = &entries[shown..];
        let mut rest = page.print(last, Role::Muted, format_args!("+{} more:", more.len()));
        for blocker in more.iter().filter(|blocker| blocker.stands != Stands::Waiting) {
            let label = blocker.label();
            if usize::from(rest.width) > label.len() {
                rest = page.print(rest, Role::Muted, format_args!(" {label}"));
            }
        }
    }
}

fn nothing(page: &mut Page<'_>, slot: Slot, model: &Model) {
    if model.word() == Word::Go {
        let rest = page.sign(slot, Sign::Pass).skip(1);
        page.put(rest, "nothing stands in the way", Role::Plain);
    } else {
        page.put(slot, &model.snapshot().verdict.reason, Role::Muted);
    }
}

fn row(page: &mut Page<'_>, slot: Slot, model: &Model, blocker: &Blocker) {
    let rest = page.sign(slot.skip(1), sign(blocker)).skip(1);
    let (label, rest) = rest.split(4);
    page.put(label, &blocker.label(), Role::Plain);
    let rest = if is_new(blocker) { page.put(rest, "NEW", Role::Focus).skip(1) } else { rest };
    let (rest, age) = rest.split_last(7);
    let when = match blocker.cleared {
        Some(at) => short_clock(page, model.wall_of(at)),
        None => units::age(model.age(blocker.since)),
    };
    page.print_right(age, Role::Plain, format_args!("{when}"));
    let (text, place) = rest.split_last(if slot.width >= 60 { 17 } else { 0 });
    location(page, place, model, blocker);
    let (text, remedy) =
        text.split(if slot.width >= WITH_REMEDY { text.width / 2 } else { text.width });
    let role = if blocker.cleared.is_some() { Role::Muted } else { Role::Plain };
    match &blocker.accepted {
        Some(accepted) => {
            let left = accepted.until.since(model.wall());
            // A time of day would be taken for today's.
            let until = if left >= DAY {
                format!("for {}", units::age(left))
            } else {
                format!("until {}", short_clock(page, accepted.until))
            };
            let says = format_args!("accepted {until}: {}", blocker.summary);
            page.print(text.split_last(1).0, role, says)
        }
        None => page.put(text.split_last(1).0, &blocker.summary, role),
    };
    if blocker.cleared.is_none() {
        page.put(remedy.skip(1).split_last(1).0, &blocker.remedy, Role::Muted);
    }
}

/// Which integration, and how many more checks fall with it.
fn location(page: &mut Page<'_>, slot: Slot, model: &Model, blocker: &Blocker) {
    let Some((number, view)) = model.place_of(&blocker.check) else { return };
    let slot = slot.skip(1);
    let name = view.id.name().unwrap_or_else(|| view.id.kind());
    let rest = page.print(slot, Role::Plain, format_args!("{number} {name}"));
    if !blocker.also.is_empty() {
        page.print(rest, Role::Muted, format_args!(" +{}", blocker.also.len()));
    }
}

pub(super) fn sign(blocker: &Blocker) -> Sign {
    match (blocker.cleared, &blocker.accepted) {
        (Some(_), _) => Sign::Pass,
        (None, Some(_)) => Sign::Off,
        (None, None) => Sign::of_blocker(blocker.stands),
    }
}
