//! One pane over the whole screen.

use super::{Page, Slot, Stack, blockers, events, evidence, footer};
use crate::{
    domain::{Blocker, CheckId},
    tui::{
        model::{Full, Model, Pane},
        theme::Role,
    },
    units,
};
use ratatui::layout::Rect;
use std::cmp;

/// Lines that one long event may take.
const WRAPPED: usize = 6;
/// Columns before the lines of a blocker.
const INDENT: u16 = 5;

/// Draws the pane, the message line and the keys.
pub(super) fn draw(page: &mut Page<'_>, area: Rect, model: &Model, full: &Full) {
    let mut stack = Stack::new(area);
    footer::keys(page, stack.last_line(), model);
    if area.height > 4 {
        footer::message(page, stack.last_line(), model);
    }
    match full.pane {
        Pane::Events => happened(page, stack, model, full.top),
        Pane::Blockers => standing(page, stack, model, full.top),
        Pane::Evidence => proof(page, stack, model, full.top),
    }
}

/// Everything that happened, newest first.
fn happened(page: &mut Page<'_>, mut stack: Stack, model: &Model, top: usize) {
    let count = model.events().count();
    let title = stack.line();
    let wrap = if model.wrap { "w cuts them" } else { "w wraps them" };
    let at = cmp::min(top + 1, count);
    page.title(title, "EVENTS", format_args!("{at} of {count}, newest first   {wrap}"));
    if count == 0 {
        let says = if model.filters() { "no event has that" } else { "nothing has changed yet" };
        page.put(stack.line().skip(1), says, Role::Muted);
    }
    for event in model.events().skip(top) {
        if stack.left.height == 0 {
            return;
        }
        let slot = stack.line().skip(1);
        let rest = events::place(page, slot, model, event);
        let text = events::clause(event);
        if model.wrap {
            let columns = usize::from(rest.width);
            for (line, part) in evidence::wrapped(&text, columns).take(WRAPPED).enumerate() {
                let here = if line == 0 { rest } else { Slot { y: stack.line().y, ..rest } };
                // Below the last line there is no more room.
                if here.y < stack.left.y {
                    page.put(here, part, Role::Plain);
                }
            }
        } else {
            page.put(rest, &text, Role::Plain);
        }
    }
}

/// Everything about each blocker.
fn standing(page: &mut Page<'_>, mut stack: Stack, model: &Model, top: usize) {
    let wanted = |blocker: &&Blocker| model.wants_blocker(blocker);
    let all: Vec<&Blocker> = model.snapshot().blockers.iter().filter(wanted).collect();
    let title = stack.line();
    let at = cmp::min(top + 1, all.len());
    page.title(title, "BLOCKERS", format_args!("{at} of {}", all.len()));
    if all.is_empty() {
        page.put(stack.line().skip(1), "none", Role::Muted);
    }
    for blocker in all.into_iter().skip(cmp::min(top, model.snapshot().blockers.len())) {
        if stack.left.height == 0 {
            return;
        }
        one(page, &mut stack, model, blocker);
    }
}

fn one(page: &mut Page<'_>, stack: &mut Stack, model: &Model, blocker: &Blocker) {
    let line = stack.line();
    let (rest, age) = line.split_last(9);
    let ago = units::age(model.age(blocker.since));
    page.print_right(age.split_last(1).0, Role::Plain, format_args!("{ago}"));
    let rest = page.sign(rest.skip(1), blockers::sign(blocker)).skip(1);
    let rest = page.print(rest, Role::Strong, format_args!("{}", blocker.label())).skip(1);
    let rest =
        if blockers::is_new(blocker) { page.put(rest, "NEW", Role::Focus).skip(1) } else { rest };
    page.put(rest, blocker.check.as_str(), Role::Strong);
    let mut lines = vec![("", blocker.summary.clone(), Role::Plain)];
    if blocker.cleared.is_some() {
        lines.push(("", "cleared".into(), Role::Muted));
    } else {
        lines.push(("do: ", blocker.remedy.clone(), Role::Plain));
    }
    if let Some(accepted) = &blocker.accepted {
        let owner = accepted.owner.as_deref().unwrap_or("nobody by name");
        let until = units::moment(accepted.until);
        let text = format!("by {owner} until {until}: {}", accepted.reason);
        lines.push(("accepted ", text, Role::Muted));
    }
    if !blocker.also.is_empty() {
        let also: Vec<&str> = blocker.also.iter().map(CheckId::as_str).collect();
        lines.push(("falls with it: ", also.join(", "), Role::Muted));
    }
    for (label, text, role) in lines {
        let columns = usize::from(stack.left.width.saturating_sub(INDENT + 1));
        let text = format!("{label}{text}");
        for part in evidence::wrapped(&text, columns).take(WRAPPED) {
            page.put(stack.line().skip(INDENT), part, role);
        }
    }
}

/// What the selected check rests on, nothing of it cut.
fn proof(page: &mut Page<'_>, mut stack: Stack, model: &Model, top: usize) {
    let Some(check) = model.check() else {
        page.put(stack.line().skip(1), "there is no check here", Role::Muted);
        return;
    };
    let mut entries = evidence::with_facts(evidence::entries(check), check);
    entries.push(evidence::to_do(model, check));
    let columns = usize::from(stack.left.width.saturating_sub(10));
    let lines: Vec<(&str, &str, Role)> = entries
        .iter()
        .flat_map(|entry| {
            let parts = evidence::wrapped(&entry.text, columns).enumerate();
            parts.map(|(at, part)| (if at == 0 { entry.label } else { "" }, part, entry.role))
        })
        .collect();
    let title = format!("EVIDENCE {}: {}", check.id, check.spec.title);
    let slot = stack.line();
    page.title(slot, &title, format_args!("{} lines", lines.len()));
    let rows = usize::from(stack.left.height);
    let first = cmp::min(top, lines.len().saturating_sub(rows));
    for (label, part, role) in lines.into_iter().skip(first).take(rows) {
        let (before, rest) = stack.line().skip(1).split(8);
        page.put(before, label, Role::Muted);
        page.put(rest, part, role);
    }
}
