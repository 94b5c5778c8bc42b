use super::{Page, Slot};
use crate::tui::{
    keymap::{Action, Binding, KEYMAP},
    model::Model,
    theme::Role,
};

/// What the last key did.
pub(super) fn message(page: &mut Page<'_>, slot: Slot, model: &Model) {
    if let Some(message) = &model.message {
        page.put(slot.skip(1), &message.text, Role::Plain);
    }
}

/// The keys that work here, as many as fit. Help and the way out always do.
pub(super) fn keys(page: &mut Page<'_>, slot: Slot, model: &Model) {
    let mut room = usize::from(slot.width);
    let needed = |binding: &Binding| matches!(binding.action, Action::Help | Action::Leave);
    let width = |binding: &Binding| {
        hint(binding, model).map_or(0, |(key, word)| key.len() + word.len() + 3)
    };
    let all = || KEYMAP.iter().filter(|binding| hint(binding, model).is_some());
    room = room.saturating_sub(all().filter(|binding| needed(binding)).map(width).sum());
    let mut rest = slot.skip(1);
    for binding in all() {
        if !needed(binding) {
            let Some(left) = room.checked_sub(width(binding)) else { continue };
            room = left;
        }
        let Some((key, word)) = hint(binding, model) else { continue };
        rest = page.print(rest, Role::Plain, format_args!("{key}"));
        rest = page.print(rest, Role::Muted, format_args!(" {word}")).skip(2);
    }
}

/// The key and its word, if it works here and has one.
fn hint(binding: &Binding, model: &Model) -> Option<(String, &'static str)> {
    let word = (binding.footer)(model);
    let key = binding.keys.first()?;
    (!word.is_empty() && (binding.when)(model)).then(|| (key.to_string(), word))
}
