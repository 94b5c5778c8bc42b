use super::{Page, Stack, first_row, footer};
use crate::tui::{model::Model, theme::Role, update::Chosen};
use ratatui::layout::Rect;

/// Columns of the keys and of the names.
const KEYS: u16 = 14;
const NAME: u16 = 16;

/// Every command that what was typed may mean, with its keys.
pub(super) fn draw(page: &mut Page<'_>, area: Rect, model: &Model, command: &Chosen) {
    let mut stack = Stack::new(area);
    footer::keys(page, stack.last_line(), model);
    let meant = command.meant(model);
    let title = stack.line();
    page.title(title, "COMMANDS", format_args!("enter runs, tab completes, esc closes"));
    let rows = usize::from(stack.left.height);
    let first = first_row(command.row, meant.len(), rows);
    for (at, bound) in meant.iter().enumerate().skip(first).take(rows) {
        let works = (bound.row.when)(model);
        let (cursor, rest) = stack.line().split(1);
        if at == command.row {
            page.put(cursor, ">", Role::Focus);
        }
        let [plain, strong] =
            if works { [Role::Plain, Role::Strong] } else { [Role::Muted, Role::Muted] };
        let (name, rest) = rest.split(NAME);
        page.put(name.split_last(1).0, bound.row.name, strong);
        let (keys, rest) = rest.split(KEYS);
        page.put(keys.split_last(1).0, &bound.shown(), plain);
        page.put(rest, bound.row.help, plain);
    }
    if meant.is_empty() {
        page.put(
            stack.line().skip(1),
            "no command has that in its name or its meaning",
            Role::Muted,
        );
    }
}
