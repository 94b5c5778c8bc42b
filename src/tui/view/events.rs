use super::{Page, Slot, detail::short_clock};
use crate::{
    domain::{Event, IntegrationId},
    tui::{
        glyphs::Sign,
        model::{Model, belongs},
        theme::Role,
    },
};
use ratatui::layout::Rect;

/// Width from which the time has seconds and the integration a name.
const SPACIOUS: u16 = 76;

/// What happened, newest first, under a title.
pub(super) fn draw(page: &mut Page<'_>, area: Rect, model: &Model) {
    let mut events = model.events().peekable();
    page.title(Slot::of(area, 0), "EVENTS", format_args!("{}", matching(model)));
    if events.peek().is_none() {
        let says = if model.filters() { "no event has that" } else { "nothing has changed yet" };
        page.put(Slot::of(area, 1).skip(1), says, Role::Muted);
    }
    for (line, event) in (1..area.height).zip(events) {
        row(page, Slot::of(area, line).skip(1), model, event);
    }
}

/// How many of them have what is looked for.
pub(super) fn matching(model: &Model) -> String {
    let all = model.snapshot().journal.iter().len();
    if model.filters() { format!("{} of {all}", model.events().count()) } else { String::new() }
}

/// What happened to one integration, newest first, under a title.
pub(super) fn of_integration(page: &mut Page<'_>, area: Rect, model: &Model, id: &IntegrationId) {
    page.title(Slot::of(area, 0), "WHAT CHANGED", format_args!(""));
    let mine = |event: &&Event| event.check.as_ref().is_some_and(|check| belongs(check, id));
    let mut events = model.events().filter(mine).peekable();
    if events.peek().is_none() {
        page.put(Slot::of(area, 1).skip(1), "nothing since the console started", Role::Muted);
    }
    for (line, event) in (1..area.height).zip(events) {
        let slot = Slot::of(area, line).skip(1);
        let rest = page.put(slot, &(page.look().clock)(event.wall), Role::Muted).skip(1);
        let rest = sign(page, rest, event);
        page.put(rest, &clause(event), Role::Plain);
    }
}

fn row(page: &mut Page<'_>, slot: Slot, model: &Model, event: &Event) {
    let rest = place(page, slot, model, event);
    page.put(rest, &clause(event), Role::Plain);
}

/// When it was, where, and how it stands; returns what is left for what it says.
pub(super) fn place(page: &mut Page<'_>, slot: Slot, model: &Model, event: &Event) -> Slot {
    let place = event.check.as_ref().and_then(|check| model.place_of(check));
    let spacious = slot.width >= SPACIOUS;
    let time =
        if spacious { (page.look().clock)(event.wall) } else { short_clock(page, event.wall) };
    let rest = page.put(slot, &time, Role::Muted).skip(1 + u16::from(spacious));
    let (number, rest) = rest.split(if spacious { 14 } else { 2 });
    match place {
        Some((n, view)) if spacious => {
            let name = view.id.name().unwrap_or_else(|| view.id.kind());
            page.print(number, Role::Plain, format_args!("{n} {name}"));
        }
        Some((n, _)) => {
            page.print(number, Role::Plain, format_args!("{n}"));
        }
        None => {
            page.put(number, "-", Role::Muted);
        }
    }
    sign(page, rest, event)
}

fn sign(page: &mut Page<'_>, slot: Slot, event: &Event) -> Slot {
    match event.mark {
        Some(mark) => page.sign(slot, Sign::of_mark(mark)).skip(1),
        None => page.put(slot, "-", Role::Muted).skip(1),
    }
}

/// The name of the check and what happened to it.
pub(super) fn clause(event: &Event) -> String {
    match &event.check {
        Some(check) => format!("{}: {}", check.name(), event.text),
        None => event.text.clone(),
    }
}
