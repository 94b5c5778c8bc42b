use super::{
    Page, Slot, Stack, blockers, events, evidence, footer, header, memory, overview, side_by_side,
    since,
};
use crate::tui::{glyphs::Sign, model::Model, theme::Role};
use ratatui::layout::Rect;
use std::cmp;

/// From this size on there is room for blank lines and for the evidence of the selected row.
const LARGE: (u16, u16) = (120, 40);
/// Rows below which the deciding rule, the heads and the lower panes have no place.
const WITH_RULE: u16 = 18;
const WITH_HEADS: u16 = 17;
const WITH_LOWER: u16 = 20;
/// Rows of the lower panes that are worth having, and that are enough.
const LOWER: (u16, u16) = (3, 7);
/// Rows from which memory and events stand one below the other.
const STACKED: u16 = 16;

/// The home screen: all integrations, what stands in the way, what happened.
pub(super) fn draw(page: &mut Page<'_>, area: Rect, model: &Model) {
    let height = area.height + 1;
    let Plan { footer, message, rule, heads, table, mut stack, large } = plan(area, model);
    footer::keys(page, footer, model);
    footer::message(page, message, model);
    if let Some(slot) = rule {
        header::rule(page, slot, model);
    }
    if let Some(slot) = heads {
        overview::heads(page, slot, model, table.height);
    }
    overview::draw(page, table, model);
    if large {
        stack.line();
        roomy(page, stack, model);
    } else {
        tight(page, stack, model, height);
    }
}

/// Where the parts of it are.
struct Plan {
    footer: Slot,
    message: Slot,
    rule: Option<Slot>,
    heads: Option<Slot>,
    table: Rect,
    stack: Stack,
    large: bool,
}

fn plan(area: Rect, model: &Model) -> Plan {
    let height = area.height + 1;
    let large = area.width >= LARGE.0 && height >= LARGE.1;
    let mut stack = Stack::new(area);
    let footer = stack.last_line();
    let message = stack.last_line();
    let rule = (height >= WITH_RULE).then(|| stack.line());
    if large {
        stack.last_line();
        stack.line();
    }
    let heads = (height >= WITH_HEADS).then(|| stack.line());
    let rows = rows_of_table(model, stack.left.height, height);
    let table = stack.take(rows);
    Plan { footer, message, rule, heads, table, stack, large }
}

/// The integration on that line of a screen whose lines below row 1 are `area`.
pub(super) fn row_at(area: Rect, model: &Model, line: u16) -> Option<usize> {
    let table = plan(area, model).table;
    let row = line.checked_sub(table.y).filter(|row| *row < table.height)?;
    overview::shown(model, table.height).get(usize::from(row)).copied()
}

/// As many rows as there are integrations, but never so many that nothing else has a place.
fn rows_of_table(model: &Model, room: u16, height: u16) -> u16 {
    let count = u16::try_from(model.snapshot().integrations.len()).unwrap_or(u16::MAX).max(1);
    let others = if height >= WITH_LOWER { 2 + 4 + LOWER.0 + 1 } else { 3 };
    cmp::min(count, cmp::max(room.saturating_sub(others), cmp::min(6, room.saturating_sub(2))))
}

/// Blockers above, memory and events below.
fn tight(page: &mut Page<'_>, mut stack: Stack, model: &Model, height: u16) {
    let room = stack.left.height;
    let lower = if height >= WITH_LOWER { cmp::min(room.div_ceil(2), LOWER.1) } else { 0 };
    let rows = rows_of_blockers(model, room, lower);
    blockers::draw(page, stack.take(rows), model);
    let rest = stack.left;
    if rest.height < LOWER.0 || lower == 0 {
        return;
    }
    let Some(check) = memory::subject(model) else {
        events::draw(page, rest, model);
        return;
    };
    if rest.height >= STACKED && rest.width < LARGE.0 {
        memory::draw(page, stack.take(rest.height / 2 - 1), model, check);
        events::draw(page, stack.left, model);
    } else if rest.width >= 60 {
        let (left, right) = side_by_side(rest, cmp::min(rest.width * 19 / 40, 58));
        memory::draw(page, left, model, check);
        events::draw(page, right, model);
    } else {
        events::draw(page, rest, model);
    }
}

/// Blockers, then memory beside the evidence of the selected row, then events.
fn roomy(page: &mut Page<'_>, mut stack: Stack, model: &Model) {
    let room = stack.left.height;
    let rows = rows_of_blockers(model, room, room * 2 / 3);
    let panes = stack.take(rows);
    match &model.snapshot().baseline {
        Some(baseline) => {
            let (left, right) = side_by_side(panes, panes.width * 11 / 20);
            blockers::draw(page, left, model);
            since::draw(page, right, model, baseline);
        }
        None => blockers::draw(page, panes, model),
    }
    stack.line();
    let middle = (stack.left.height / 2).clamp(8, 14);
    let panes = stack.take(middle);
    let (left, right) = side_by_side(panes, panes.width * 19 / 40);
    match memory::subject(model) {
        Some(check) => {
            memory::draw(page, left, model, check);
            foremost(page, right, model);
        }
        None => foremost(page, panes, model),
    }
    stack.line();
    events::draw(page, stack.left, model);
}

/// All of them where there is room; the open ones even where there is little.
fn rows_of_blockers(model: &Model, room: u16, kept: u16) -> u16 {
    let [open, accepted, listed, cleared] = blockers::counts(model);
    let rows = |count: usize| u16::try_from(count.max(1)).unwrap_or(u16::MAX).saturating_add(1);
    let all = cmp::min(rows(open + accepted + listed + cleared), room.saturating_sub(kept));
    let least = if kept == 0 { room } else { room.saturating_sub(LOWER.0) };
    let folded = u16::from(accepted + listed + cleared > 0);
    cmp::max(all, cmp::min(rows(open).saturating_add(folded), least))
}

/// The evidence of the check that explains the selected row.
fn foremost(page: &mut Page<'_>, area: Rect, model: &Model) {
    let Some(view) = model.integration() else { return };
    let Some(check) = view.worst() else { return };
    let when = check.ended_wall.map_or_else(String::new, page.look().clock);
    let title = format!("{} {}", model.row() + 1, check.id);
    page.title(Slot::of(area, 0), &title, format_args!("{when}"));
    let mut stack = Stack::new(area);
    stack.line();
    let slot = stack.line();
    let rest = page.sign(slot.skip(1), Sign::of_check(check)).skip(1);
    page.put(rest, &check.finding.summary, Role::Strong);
    let mut entries = vec![evidence::to_do(model, check)];
    entries.extend(evidence::with_facts(evidence::entries(check), check));
    evidence::write(page, stack.left, &entries);
}
