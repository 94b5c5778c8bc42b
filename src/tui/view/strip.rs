use super::{Page, Slot, Stack, blockers, footer};
use crate::{
    domain::Blocker,
    tui::{glyphs::Sign, model::Model, theme::Role},
};
use ratatui::layout::Rect;

/// The home screen of a sliver: all scores in one line, the foremost blockers, keys.
pub(super) fn draw(page: &mut Page<'_>, area: Rect, model: &Model) {
    let mut stack = Stack::new(area);
    scores(page, stack.line(), model);
    let last = stack.last_line();
    if stack.left.height > 3 {
        footer::keys(page, last, model);
        footer::message(page, stack.last_line(), model);
    } else if model.message.is_some() && model.prompt.is_none() {
        footer::message(page, last, model);
    } else {
        footer::keys(page, last, model);
    }
    foremost(page, stack.left, model);
}

/// Number, sign and score of each integration.
fn scores(page: &mut Page<'_>, slot: Slot, model: &Model) {
    let selected = model.row();
    let mut rest = slot;
    for (at, view) in model.snapshot().integrations.iter().enumerate() {
        let (cursor, after) = rest.split(1);
        if at == selected {
            page.put(cursor, ">", Role::Focus);
        }
        let role = if at == selected { Role::Strong } else { Role::Plain };
        rest = page.print(after, role, format_args!("{}", at + 1));
        rest = page.sign(rest, Sign::of_integration(view));
        rest = match view.score {
            Some(score) => page.print(rest, role, format_args!("{}", score.percent)),
            None => page.print(rest, role, format_args!("?")),
        };
    }
}

/// The foremost blockers; the last line says how many more there are.
fn foremost(page: &mut Page<'_>, area: Rect, model: &Model) {
    let standing = |blocker: &&Blocker| blocker.cleared.is_none();
    let count = model.snapshot().blockers.iter().filter(standing).count();
    let rows = usize::from(area.height);
    for (line, blocker) in (0..area.height).zip(model.snapshot().blockers.iter().filter(standing)) {
        let mut slot = Slot::of(area, line).skip(1);
        let last = usize::from(line) + 1 == rows;
        if last && count > rows {
            let more = count - rows;
            slot = page.print_right(slot, Role::Muted, format_args!("+{more} more"));
            slot = slot.split_last(1).0;
        }
        let rest = page.print(slot, Role::Strong, format_args!("{}", blocker.label())).skip(1);
        page.put(rest, &blocker.summary, Role::Plain);
    }
    if count == 0 && rows > 0 {
        let [open, ..] = blockers::counts(model);
        let text = format_args!("{open} blockers");
        page.print(Slot::of(area, 0).skip(1), Role::Muted, text);
    }
}
