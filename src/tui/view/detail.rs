//! Words and columns that several panes share.

use super::{Page, Slot};
use crate::{
    domain::{CheckView, Freshness, Outcome, Series},
    tui::{model::Model, theme::Role},
    units,
};
use std::time::Duration;

/// A run that ends sooner is not worth a mark that comes and goes.
const NOTICED: Duration = Duration::from_millis(400);

/// What a check is doing.
pub(super) fn doing(check: &CheckView) -> &'static str {
    match check.outcome() {
        Outcome::Pass if check.finding.fallback => "on a stand-in",
        Outcome::Pass => "passing",
        Outcome::Warn => "warning",
        Outcome::Fail => "failing",
        Outcome::Unknown(_) => "unknown",
        Outcome::Blocked(_) => "blocked",
        Outcome::Skipped(_) => "skipped",
    }
}

/// For how long `check` has been running, once that is noticeable.
pub(super) fn running(model: &Model, check: &CheckView) -> Option<Duration> {
    let since = check.running?;
    let age = model.now().saturating_sub(since);
    (age >= NOTICED || check.queued).then_some(age)
}

/// How old the answer of `check` is, or what is happening to it, at the right end.
pub(super) fn age(page: &mut Page<'_>, slot: Slot, model: &Model, check: &CheckView) {
    let calm = |then| units::age(model.age(then));
    let (text, role) = match (running(model, check), check.ended, check.freshness) {
        (Some(_), ..) if check.queued => ("..+1".into(), Role::Plain),
        (Some(age), ..) if age > check.spec.timeout => {
            (format!("..{}", units::age(age)), Role::Warn)
        }
        (Some(_), ..) => ("..".into(), Role::Plain),
        (None, None, _) => ("-".into(), Role::Muted),
        (None, Some(_), Freshness::Stale | Freshness::Expired) => ("stale".into(), Role::Unclear),
        (None, Some(ended), Freshness::Fresh) => (calm(ended), Role::Plain),
    };
    page.print_right(slot, role, format_args!("{text}"));
}

/// The value below which `percent` of the latencies lie, as text; empty without any.
pub(super) fn percentile(latency: &Series, percent: usize) -> String {
    let seconds = latency.percentile(percent);
    let span = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    span.map_or_else(String::new, units::span)
}

/// Hours and minutes of a moment.
pub(super) fn short_clock(page: &Page<'_>, at: crate::domain::Timestamp) -> String {
    let mut text = (page.look().clock)(at);
    text.truncate(5);
    text
}
