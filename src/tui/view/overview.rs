use super::{Page, Slot, detail, first_row, memory, width};
use crate::{
    domain::{Cadence, CheckView, Freshness, IntegrationView, Outcome},
    tui::{
        glyphs::Sign,
        model::Model,
        theme::Role,
        widget::{LatencySpark, checks, score_bar},
    },
};
use ratatui::layout::Rect;
use std::{cmp, time::Duration};

/// Width from which the name of the check stands before its summary.
const NAMED: u16 = 34;

/// The columns of one row; those without room have no width.
struct Cells {
    cursor: Slot,
    sign: Slot,
    number: Slot,
    title: Slot,
    bar: Slot,
    score: Slot,
    coverage: Slot,
    checks: Slot,
    spark: Slot,
    p50: Slot,
    p95: Slot,
    why: Slot,
    age: Slot,
}

impl Cells {
    /// Cuts a line into columns. The width alone decides which there are.
    fn of(slot: Slot, model: &Model) -> Self {
        let views = &model.snapshot().integrations;
        let titles = views.iter().map(|view| width(&view.title));
        let title = titles.max().and_then(|widest| u16::try_from(widest).ok()).unwrap_or(20);
        let wide = slot.width >= 120;
        let more = slot.width.saturating_sub(120);
        let column = |columns: u16, from: u16| if slot.width >= from { columns } else { 0 };
        let mut rest = slot;
        let mut take = |gap: u16, columns: u16| {
            let (here, after) = rest.skip(if columns > 0 { gap } else { 0 }).split(columns);
            rest = after;
            here
        };
        let cursor = take(0, 1);
        let sign = take(0, 1);
        let number = take(0, 2);
        let title = take(1, title.clamp(12, if slot.width < 60 { 14 } else { 20 }));
        let bar = take(1, column(10, 120));
        let score = take(0, 4);
        let coverage = take(0, column(5, 60));
        let most = views.iter().map(|view| view.checks.len()).max().unwrap_or(0);
        let most = u16::try_from(most).unwrap_or(u16::MAX).max(6);
        let checks = take(2, column(cmp::min(most, 9 + more / 10), 120));
        let spark = take(
            if wide { 2 } else { 1 },
            match slot.width {
                ..80 => 0,
                80..100 => 12,
                100..120 => 16,
                _ => 20 + cmp::min(more / 3, 28),
            },
        );
        let p50 = take(0, column(7, 120));
        let p95 = take(0, if wide { 7 } else { column(6, 80) });
        let (why, age) = rest.skip(2).split_last(column(5, 60));
        let why = why.split_last(u16::from(age.width > 0)).0;
        Self {
            cursor,
            sign,
            number,
            title,
            bar,
            score,
            coverage,
            checks,
            spark,
            p50,
            p95,
            why,
            age,
        }
    }
}

/// What the columns are.
pub(super) fn heads(page: &mut Page<'_>, slot: Slot, model: &Model, rows: u16) {
    let cells = Cells::of(slot, model);
    let count = model.snapshot().integrations.len();
    if count > usize::from(rows) {
        page.print(cells.title, Role::Muted, format_args!("{rows} of {count}"));
    } else {
        page.put(cells.title, "integration", Role::Muted);
    }
    let minutes = LatencySpark::reach(cells.spark.width).as_secs() / 60;
    let spark = if cells.spark.width >= 20 {
        format!("latency, last {minutes} min")
    } else {
        format!("last {minutes} min")
    };
    let left =
        [(cells.bar, "score"), (cells.checks, "checks"), (cells.spark, &spark), (cells.why, "why")];
    for (slot, name) in left {
        page.put(slot, name, Role::Muted);
    }
    let score = if cells.bar.width > 0 { "" } else { "score" };
    // `score` is wider than its column, and the title beside it is shorter than its own.
    let wider = Slot { x: cells.score.x.saturating_sub(1), width: cells.score.width + 1, ..slot };
    for (slot, name) in [
        (cells.number, "#"),
        (wider, score),
        (cells.coverage, "cov"),
        (cells.p50, "p50"),
        (cells.p95, "p95"),
        (cells.age, "age"),
    ] {
        page.print_right(slot, Role::Muted, format_args!("{name}"));
    }
}

/// The integrations that have a place on so many rows, the selected one among them.
pub(super) fn shown(model: &Model, rows: u16) -> Vec<usize> {
    let count = model.snapshot().integrations.len();
    // Where all have a place all keep it; elsewhere only what is looked for takes one.
    let all = count <= usize::from(rows);
    let mut shown = if all { (0..count).collect() } else { model.stops() };
    let here = shown.iter().position(|at| *at == model.row()).unwrap_or(0);
    let first = first_row(here, shown.len(), usize::from(rows));
    shown.drain(..first);
    shown
}

/// One row per integration, the selected one in view.
pub(super) fn draw(page: &mut Page<'_>, area: Rect, model: &Model) {
    let views = &model.snapshot().integrations;
    let selected = model.row();
    for (line, at) in (0..area.height).zip(shown(model, area.height)) {
        if let Some(view) = views.get(at) {
            row(page, Slot::of(area, line), model, (at, view, at == selected));
        }
    }
    if views.is_empty() {
        page.put(Slot::of(area, 0).skip(1), "nothing is watched", Role::Muted);
    }
}

fn row(
    page: &mut Page<'_>,
    slot: Slot,
    model: &Model,
    (at, view, selected): (usize, &IntegrationView, bool),
) {
    let cells = Cells::of(slot, model);
    let sign = Sign::of_integration(view);
    if selected {
        page.put(cells.cursor, ">", Role::Focus);
    }
    page.sign(cells.sign, sign);
    page.print_right(cells.number, Role::Plain, format_args!("{}", at + 1));
    let title = match (selected, model.wants_view(view)) {
        (true, _) => Role::Focus,
        (false, true) => Role::Plain,
        (false, false) => Role::Muted,
    };
    page.put(cells.title, &view.title, title);
    score(page, &cells, view, sign.role());
    checks(page, cells.checks, view.checks.iter().map(Sign::of_check));
    if cells.spark.width > 0 {
        let holds = stands(view);
        let (now, deploy) = (model.now(), memory::deployed(model));
        let spark = LatencySpark { series: &view.latency, now, holds, deploy };
        spark.draw(page, cells.spark);
    }
    for (slot, percent) in [(cells.p50, 50), (cells.p95, 95)] {
        if slot.width > 0 {
            let text = detail::percentile(&view.latency, percent);
            page.print_right(slot, Role::Plain, format_args!("{text}"));
        }
    }
    if let Some(worst) = view.worst() {
        why(page, cells.why, worst);
        let busy = view.checks.iter().find(|check| detail::running(model, check).is_some());
        detail::age(page, cells.age, model, busy.unwrap_or(worst));
    }
}

fn score(page: &mut Page<'_>, cells: &Cells, view: &IntegrationView, role: Role) {
    score_bar(page, cells.bar, view.score.map(|score| score.percent), role);
    match view.score {
        Some(score) => {
            page.print_right(cells.score, Role::Plain, format_args!("{}", score.percent));
            page.print_right(cells.coverage, Role::Muted, format_args!("{}%", score.coverage));
        }
        None => {
            page.print_right(cells.score, Role::Unclear, format_args!("?"));
        }
    }
}

/// What the check that explains the row says.
fn why(page: &mut Page<'_>, slot: Slot, check: &CheckView) {
    let role = match check.freshness {
        Freshness::Fresh => Role::Plain,
        Freshness::Stale | Freshness::Expired => Role::Muted,
    };
    let summary = &check.finding.summary;
    if slot.width >= NAMED && !matches!(check.outcome(), Outcome::Pass) {
        page.print(slot, role, format_args!("{}: {summary}", check.id.name()));
    } else {
        page.put(slot, summary, role);
    }
}

/// How long one latency stands: until the next one is due, and half as much again.
fn stands(view: &IntegrationView) -> Duration {
    let cadence = |check: &CheckView| match check.spec.cadence {
        Cadence::Every(cadence) => Some(cadence),
        Cadence::OnDemand => None,
    };
    let timed = |check: &&CheckView| check.finding.latency.is_some();
    let next = view.checks.iter().filter(timed).filter_map(cadence).min();
    next.or_else(|| view.checks.iter().filter_map(cadence).max()).unwrap_or_default() * 3 / 2
}
