use super::{Page, Slot, width};
use crate::tui::{
    glyphs::Sign,
    keymap::{Action, Bound},
    model::Model,
    theme::Role,
    update::{ENDS, Prompt, Typing},
};

/// What the last key did, or else what the user has to know.
pub(super) fn message(page: &mut Page<'_>, slot: Slot, model: &Model) {
    if let Some(typing) = &model.typing {
        page.put(slot.skip(1), &hint_of(model, typing), Role::Muted);
    } else if let Some(prompt) = &model.prompt {
        let hint = "enter goes on, up and down choose another, esc leaves it";
        match &prompt.wrong {
            Some(wrong) => page.put(slot.skip(1), wrong, Role::Warn),
            None => page.put(slot.skip(1), hint, Role::Muted),
        };
    } else if let Some(message) = &model.message {
        page.put(slot.skip(1), &message.text, Role::Plain);
    } else if model.filters() {
        let says = format_args!("shows what has {:?}; n goes to the next", model.filter.trim());
        page.print(slot.skip(1), Role::Muted, says);
    } else if let Some(notice) = model.snapshot().notices.first() {
        let rest = page.sign(slot.skip(1), Sign::Warn).skip(1);
        let more = model.snapshot().notices.len() - 1;
        let (text, count) = rest.split_last(if more > 0 { 9 } else { 0 });
        page.put(text, &notice.says, Role::Plain);
        page.print(count, Role::Muted, format_args!(" +{more} more"));
    }
}

/// The keys that work here, as many as fit. Help and the way out always do.
pub(super) fn keys(page: &mut Page<'_>, slot: Slot, model: &Model) {
    if let Some(prompt) = &model.prompt {
        question(page, slot.skip(1), prompt);
        return;
    }
    if let Some(typing) = &model.typing {
        let (sign, text) = match typing {
            Typing::Filter => ("/", &model.filter),
            Typing::Help => ("/", &model.sought),
            Typing::Command(command) => (":", &command.text),
        };
        let rest = page.put(slot.skip(1), sign, Role::Strong);
        typed(page, rest, text);
        return;
    }
    let mut room = usize::from(slot.width);
    let needed = |bound: &Bound<'_>| matches!(bound.row.action, Action::Help | Action::Leave);
    let width =
        |bound: Bound<'_>| hint(bound, model).map_or(0, |(key, word)| key.len() + word.len() + 3);
    let all = || model.keys.bound().filter(|bound| hint(*bound, model).is_some());
    room = room.saturating_sub(all().filter(needed).map(width).sum());
    let mut rest = slot.skip(1);
    for bound in all() {
        if !needed(&bound) {
            let Some(left) = room.checked_sub(width(bound)) else { continue };
            room = left;
        }
        let Some((key, word)) = hint(bound, model) else { continue };
        rest = page.print(rest, Role::Plain, format_args!("{key}"));
        rest = page.print(rest, Role::Muted, format_args!(" {word}")).skip(2);
    }
}

/// What is asked, and the end of what was typed.
fn question(page: &mut Page<'_>, slot: Slot, prompt: &Prompt) {
    let Prompt { label, check, until, accepted, .. } = prompt;
    let asked = match until {
        None if slot.width < 60 => format!("{label} because: "),
        None => format!("accept {label} {check} because: "),
        Some(_) if slot.width < 60 => format!("{label} until: "),
        Some(_) if *accepted => format!("accept {label} until (4h, 2d, or now to end it): "),
        Some(_) => format!("accept {label} until ({ENDS}): "),
    };
    // Where there is no line for why the last answer was not taken, the sign says so.
    let slot = match prompt.wrong {
        Some(_) => page.sign(slot, Sign::Warn).skip(1),
        None => slot,
    };
    let rest = page.put(slot, &asked, Role::Strong);
    typed(page, rest, prompt.typed());
}

/// How a filter finds, and how it ends.
fn hint_of(model: &Model, typing: &Typing) -> String {
    match typing {
        Typing::Filter => {
            let views = model.snapshot().integrations.iter();
            let count = views.filter(|view| model.wants_view(view)).count();
            let blockers = model.snapshot().blockers.iter();
            let blockers = blockers.filter(|blocker| model.wants_blocker(blocker)).count();
            let events = model.events().count();
            format!("in {count} rows, {blockers} blockers, {events} events; enter keeps it")
        }
        Typing::Help => "every word of it is looked for; esc shows all".into(),
        Typing::Command(_) => "enter runs the one under the cursor, tab completes".into(),
    }
}

/// The end of what was typed, and a cursor.
fn typed(page: &mut Page<'_>, rest: Slot, typed: &str) {
    let room = usize::from(rest.width.saturating_sub(1));
    let mut from = 0;
    while width(&typed[from..]) > room {
        from += typed[from..].chars().next().map_or(1, char::len_utf8);
    }
    let rest = page.put(rest, &typed[from..], Role::Plain);
    page.glyph(rest, '_', Role::Focus);
}

/// The key and its word, if it works here and has one.
fn hint(bound: Bound<'_>, model: &Model) -> Option<(String, &'static str)> {
    let word = (bound.row.footer)(model);
    let key = bound.keys.first()?;
    (!word.is_empty() && (bound.row.when)(model)).then(|| (key.to_string(), word))
}
