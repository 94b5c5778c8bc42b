use super::{
    Page, Slot, Stack, detail, events, evidence, first_row, footer, grid, header, indented, memory,
    share, side_by_side, width,
};
use crate::{
    domain::{CheckView, Freshness, IntegrationView, Mark, Trigger},
    tui::{
        glyphs::Sign,
        model::Model,
        theme::Role,
        widget::{Graph, runs},
    },
};
use ratatui::layout::Rect;
use std::{cmp, time::Duration};

/// From this size on the panes stand side by side with blank lines between them.
const LARGE: (u16, u16) = (120, 40);
/// The integration that is open and its check under the cursor.
type Shown<'a> = (&'a IntegrationView, &'a CheckView);

/// From this height on there are heads over the columns.
const WITH_HEADS: u16 = 14;
/// A column of what was wanted that is narrower says nothing.
const WANT: u16 = 16;
/// Under this height there is one check and what it says.
const LIST: u16 = 11;

/// One integration: its checks, and the evidence of the one under the cursor.
pub(super) fn draw(page: &mut Page<'_>, area: Rect, model: &Model) {
    let mut stack = Stack::new(area);
    footer::keys(page, stack.last_line(), model);
    let height = area.height + 1;
    if height > 5 {
        footer::message(page, stack.last_line(), model);
    }
    let (Some(view), Some(check)) = (model.integration(), model.check()) else {
        page.put(stack.line().skip(1), "this integration has no checks", Role::Muted);
        return;
    };
    if height < LIST {
        sliver(page, stack.left, model, check);
    } else if area.width >= LARGE.0 && height >= LARGE.1 {
        roomy(page, stack, model, (view, check));
    } else {
        tight(page, stack, model, (view, check));
    }
}

/// The selected check alone.
fn sliver(page: &mut Page<'_>, area: Rect, model: &Model, check: &CheckView) {
    let mut stack = Stack::new(area);
    row(page, stack.line(), model, (check, true));
    let mut entries = vec![evidence::to_do(model, check)];
    entries.extend(evidence::entries(check));
    evidence::write(page, stack.left, &entries);
}

/// One pane below the other.
fn tight(page: &mut Page<'_>, mut stack: Stack, model: &Model, shown: Shown<'_>) {
    let (view, check) = shown;
    if stack.left.height >= WITH_HEADS {
        heads(page, stack.line(), model);
    }
    let count = rows(view.checks.len());
    let entries = evidence::with_facts(evidence::entries(check), check);
    let room = stack.left.height;
    let few = cmp::min(count, cmp::max(room / 3, 3));
    let cells = grid::Pane::of(check);
    let rows_of_it = cells.map_or(0, |grid| cmp::min(grid.lines(stack.left.width) - 1, room / 2));
    // Title and three lines: the question, what was wanted, what came back. A grid
    // tells all three by itself.
    let least = if cells.is_some() { 2 } else { 4 };
    let [list, of_grid, proof, to_do, changed] = share(
        room,
        [(few, count), (rows_of_it, 0), (least, rows(entries.len()) + 2), (2, 3), (3, room)],
    );
    list_of(page, stack.take(list), model, view);
    if let Some(grid) = cells {
        grid.draw(page, stack.take(of_grid));
    }
    let area = stack.take(proof);
    let inner = proof_of(page, area, check);
    evidence::write(page, inner, &entries);
    do_about(page, stack.take(to_do), model, check);
    if changed > 0 {
        events::of_integration(page, stack.left, model, &view.id);
    }
}

/// Checks beside latency, evidence beside facts, what changed beside what to do, the runs.
fn roomy(page: &mut Page<'_>, mut stack: Stack, model: &Model, shown: Shown<'_>) {
    let (view, check) = shown;
    header::target(page, stack.line(), model);
    stack.line();
    stack.last_line();
    let left = stack.left.width * 5 / 8;
    let entries = evidence::entries(check);
    let facts = &evidence::newest(check).evidence.facts;
    let known = rows(cmp::max(entries.len() + 2, facts.len())) + 1;
    let count = rows(view.checks.len()) + 2;
    let room = stack.left.height.saturating_sub(3);
    let few = cmp::min(count, cmp::max(room / 3, 8));
    let cells = grid::of(view, check);
    let all = cells.map_or(0, |grid| grid.lines(stack.left.width));
    let [list, of_grid, proof, runs, lower] = share(
        room.saturating_sub(u16::from(cells.is_some())),
        [
            (few, cmp::max(count, 12)),
            (cmp::min(all, room / 3), all),
            (6, cmp::min(known, 13)),
            (2, count - 1),
            (4, room),
        ],
    );
    let (checks_area, latency_area) = side_by_side(stack.take(list), left);
    checks(page, checks_area, model, view);
    latency(page, latency_area, model, view);
    stack.line();
    if let Some(grid) = cells {
        grid.draw(page, stack.take(of_grid));
        stack.line();
    }
    let inner = proof_of(page, stack.take(proof), check);
    let (proof_area, facts_area) =
        side_by_side(inner, if facts.is_empty() { inner.width } else { left });
    evidence::write(page, proof_area, &entries);
    evidence::facts(page, facts_area, check);
    stack.line();
    history(page, stack.take(runs), model, view);
    stack.line();
    let (changed, to_do) = side_by_side(stack.take(lower), left);
    events::of_integration(page, changed, model, &view.id);
    do_about(page, to_do, model, check);
}

fn rows(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX / 2)
}

/// The checks under a title and heads.
fn checks(page: &mut Page<'_>, area: Rect, model: &Model, view: &IntegrationView) {
    let mut stack = Stack::new(area);
    page.title(stack.line(), "SUB-CHECKS", format_args!(""));
    heads(page, stack.line(), model);
    list_of(page, stack.left, model, view);
}

/// The columns of one check; those without room have no width.
struct Cells {
    cursor: Slot,
    sign: Slot,
    name: Slot,
    value: Slot,
    want: Slot,
    runs: Slot,
    age: Slot,
}

impl Cells {
    fn of(slot: Slot, model: &Model) -> Self {
        let checks = model.integration().map_or(&[][..], |view| &view.checks);
        let widest = checks.iter().map(|check| check.id.name().len()).max();
        let names = rows(widest.unwrap_or(0)).clamp(10, if slot.width < 60 { 11 } else { 16 });
        let (cursor, rest) = slot.split(1);
        let (sign, rest) = rest.split(2);
        let (name, rest) = rest.split(names + 1);
        let (rest, age) = rest.split_last(6);
        let (rest, runs) = rest.split_last(match slot.width {
            ..56 => 0,
            56..70 => 9,
            70..100 => 13,
            _ => 21,
        });
        // What was wanted is in the evidence too: it gets what the values leave.
        let values = checks.iter().map(|check| width(&check.finding.summary)).max();
        let values = rows(values.unwrap_or(0)) + 1;
        let wants = rest.width.saturating_sub(values);
        let (value, want) = rest.split_last(if wants >= WANT { wants } else { 0 });
        let gap = |slot: Slot| slot.split_last(1).0;
        Self { cursor, sign, name: gap(name), value: gap(value), want, runs: runs.skip(1), age }
    }
}

fn heads(page: &mut Page<'_>, slot: Slot, model: &Model) {
    let cells = Cells::of(slot, model);
    let runs = if cells.runs.width >= 8 { "last runs" } else { "" };
    // Not all of them may be in view.
    let count = model.integration().map_or(0, |view| view.checks.len());
    page.print(cells.name, Role::Muted, format_args!("{count} checks"));
    page.put(cells.value, "value", Role::Muted);
    page.put(cells.want, "want", Role::Muted);
    page.print_right(cells.runs, Role::Muted, format_args!("{runs}"));
    page.print_right(cells.age, Role::Muted, format_args!("age"));
}

fn list_of(page: &mut Page<'_>, area: Rect, model: &Model, view: &IntegrationView) {
    let selected = model.check_row();
    let first = first_row(selected, view.checks.len(), usize::from(area.height));
    for (line, (at, check)) in (0..area.height).zip(view.checks.iter().enumerate().skip(first)) {
        row(page, Slot::of(area, line), model, (check, at == selected));
    }
}

fn row(page: &mut Page<'_>, slot: Slot, model: &Model, (check, selected): (&CheckView, bool)) {
    let cells = Cells::of(slot, model);
    if selected {
        page.put(cells.cursor, ">", Role::Focus);
    }
    page.sign(cells.sign, Sign::of_check(check));
    let name = match (selected, model.wants_check(check)) {
        (true, _) => Role::Focus,
        (false, true) => Role::Plain,
        (false, false) => Role::Muted,
    };
    page.put(cells.name, check.id.name(), name);
    // What another one is the cause of steps back behind it.
    let own = check.freshness == Freshness::Fresh && model.root_of(check).is_none();
    let value = if own { Role::Plain } else { Role::Muted };
    page.put(cells.value, &check.finding.summary, value);
    page.put(cells.want, &check.finding.evidence.wanted, Role::Muted);
    runs(page, cells.runs, &check.strip);
    detail::age(page, cells.age, model, check);
}

/// The title over what the newest run asked, wanted and was told; returns the place for it.
fn proof_of(page: &mut Page<'_>, area: Rect, check: &CheckView) -> Rect {
    let mut stack = Stack::new(area);
    let when = check.ended_wall.map_or_else(|| "not run yet".into(), page.look().clock);
    let by = match check.trigger {
        Trigger::Schedule => "",
        Trigger::Asked => ", by you",
    };
    let title = format!("EVIDENCE {}: {}", check.id, check.spec.title);
    page.title(stack.line(), &title, format_args!("{when}{by}"));
    stack.left
}

fn do_about(page: &mut Page<'_>, area: Rect, model: &Model, check: &CheckView) {
    let mut stack = Stack::new(area);
    page.title(stack.line(), "WHAT TO DO", format_args!(""));
    let (text, role) = evidence::remedy(model, check);
    evidence::text(page, indented(stack.left), text, role);
}

/// How long the target took over time.
fn latency(page: &mut Page<'_>, area: Rect, model: &Model, view: &IntegrationView) {
    let stands = view.checks.iter().filter_map(|check| Freshness::limits(&check.spec));
    let holds = stands.map(|(stale, _)| stale).min().unwrap_or(Duration::from_mins(1));
    let now = model.now();
    let (label, deploy) = (memory::seconds, memory::deployed(model));
    let graph = Graph { series: &view.latency, now, holds, label, deploy, zoom: model.zoom };
    let [p50, p95] = [50, 95].map(|percent| detail::percentile(&view.latency, percent));
    let mut stack = Stack::new(area);
    if view.latency.is_empty() {
        page.title(stack.line(), "LATENCY", format_args!(""));
        page.put(stack.line().skip(1), "nothing measured yet", Role::Muted);
    } else {
        page.title(stack.line(), "LATENCY", format_args!("p50 {p50}  p95 {p95}"));
        let left = stack.left;
        let inner = Rect {
            x: left.x + cmp::min(1, left.width),
            width: left.width.saturating_sub(1),
            ..left
        };
        graph.draw(page, inner);
    }
}

/// The newest runs of every check, or of the selected one where there is no room
/// for all, and what they add up to.
fn history(page: &mut Page<'_>, area: Rect, model: &Model, view: &IntegrationView) {
    let mut stack = Stack::new(area);
    page.title(stack.line(), "RUNS", format_args!("the last 60"));
    let all = view.checks.len() <= usize::from(stack.left.height);
    let names = view.checks.iter().map(|check| check.id.name().len()).max().unwrap_or(0);
    let selected = model.check_row();
    for (at, check) in view.checks.iter().enumerate().filter(|(at, _)| all || *at == selected) {
        let slot = stack.line().skip(1);
        let (name, rest) = slot.split(rows(names) + 2);
        page.put(name, check.id.name(), if at == selected { Role::Strong } else { Role::Plain });
        let (strip, rest) = rest.split(60);
        runs(page, strip, &check.strip);
        tally(page, rest.skip(2), check);
    }
}

/// How many runs ended how.
fn tally(page: &mut Page<'_>, slot: Slot, check: &CheckView) {
    let words = [
        (Mark::Pass, "pass"),
        (Mark::Warn, "warn"),
        (Mark::Fail, "fail"),
        (Mark::Unknown, "unknown"),
        (Mark::Skipped, "skipped"),
    ];
    let (mut rest, mut gap) = (slot, "");
    for (mark, word) in words {
        let count = check.strip.iter().filter(|known| **known == mark).count();
        if count > 0 {
            rest = page.print(rest, Role::Muted, format_args!("{gap}{count} {word}"));
            gap = ", ";
        }
    }
}
