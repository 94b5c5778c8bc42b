use super::{Page, Slot};
use crate::{
    domain::{CheckView, Freshness, Quantity},
    tui::{glyphs::Sign, model::Model, theme::Role, widget::Graph},
    units,
};
use ratatui::layout::Rect;
use std::time::Duration;

/// The check that the home screen draws: the memory of what is watched, or else
/// the first that has anything to draw.
pub(super) fn subject(model: &Model) -> Option<&CheckView> {
    let checks = || model.snapshot().integrations.iter().flat_map(|view| &view.checks);
    let mut drawn = checks().filter(|check| check.spec.graph);
    let memory = checks().find(|check| check.spec.graph && check.spec.name == "memory");
    memory.or_else(|| drawn.find(|check| !check.measures.is_empty()))
}

/// The measurement over time, under a title: what it says, and the picture.
pub(super) fn draw(page: &mut Page<'_>, area: Rect, model: &Model, check: &CheckView) {
    let graph = graph(model, check);
    let title = check.spec.name.to_uppercase();
    let minutes = graph.window().as_secs() / 60;
    page.title(Slot::of(area, 0), &title, format_args!("{minutes} min"));
    let rest = page.sign(Slot::of(area, 1).skip(1), Sign::of_check(check)).skip(1);
    page.put(rest, &check.finding.summary, Role::Plain);
    let top = 2.min(area.height);
    let plot = Rect {
        x: area.x + 1.min(area.width),
        y: area.y + top,
        width: area.width.saturating_sub(1),
        height: area.height - top,
    };
    if check.measures.is_empty() && plot.height > 0 {
        page.put(Slot::of(plot, 0), "nothing measured yet", Role::Muted);
    }
    graph.draw(page, plot);
}

/// The graph of a check's measurements.
pub(super) fn graph<'a>(model: &Model, check: &'a CheckView) -> Graph<'a> {
    let limits = Freshness::limits(&check.spec);
    let label = match check.finding.measure {
        Some(Quantity::Bytes(_)) => bytes,
        Some(Quantity::Time(_)) => seconds,
        Some(Quantity::Ratio(_)) => ratio,
        Some(Quantity::Count(_) | Quantity::PerSecond(_)) | None => number,
    };
    let holds = limits.map_or(Duration::from_mins(1), |(stale, _)| stale);
    let (now, deploy, zoom) = (model.now(), deployed(model), model.zoom);
    Graph { series: &check.measures, now, holds, label, deploy, zoom }
}

/// When the deploy was that is marked on every graph.
pub(super) fn deployed(model: &Model) -> Option<Duration> {
    model.snapshot().deploy.as_ref().map(|deploy| deploy.at)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
fn bytes(value: f64) -> String {
    units::bytes(value as u64)
}

/// A span at an axis.
pub(super) fn seconds(value: f64) -> String {
    Duration::try_from_secs_f64(value).map_or_else(|_| "?".into(), units::span)
}

fn ratio(value: f64) -> String {
    units::quantity(Quantity::Ratio(value))
}

fn number(value: f64) -> String {
    format!("{value:.1}")
}
