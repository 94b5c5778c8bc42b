//! How a target scales, for people and as a table. Pure.

use super::{
    graph::{Graph, Scale as Axis, Size},
    human::Lines,
};
use crate::{
    domain::perf::{Curve, Decline, Estimate, Fit, Record, Scale, Slo, Step},
    units,
};
use std::{fmt::Write as _, time::Duration};

/// How large the graph of a finished test is.
const SIZE: Size = Size { width: 46, height: 7 };

/// Over the columns of [`row`].
const HEAD: &str = "clients     per s    fitted   each     mean      p95  failed";

/// What it comes down to, in a few words.
pub(super) fn brief(scale: &Scale) -> String {
    let best = scale.steps.iter().map(|step| step.per_second).fold(0.0, f64::max);
    match scale.fit.as_ref().and_then(|fit| fit.optimum) {
        Some(optimum) => format!("optimum {:.0} clients  best {best:.0}/s", optimum.at),
        None => format!("best {best:.0}/s, no optimum"),
    }
}

/// Whether the rate declines, in a clause.
pub fn decline(decline: &Decline) -> String {
    match decline {
        Decline::Unknown => "nobody can tell".into(),
        Decline::Seen { best, at, by, peak } => {
            let peak = peak.map(|peak| format!("; the curve peaks at {}", between(&peak)));
            let (by, peak) = (by * 100.0, peak.unwrap_or_default());
            format!("seen after {best} clients: {by:.0} % less with {at}{peak}")
        }
        Decline::Possible { peak } => {
            format!("none seen, but possible near {}, extrapolated", between(peak))
        }
        Decline::NotSeen { up_to, peak } => {
            let peak = peak.map(|peak| format!("; extrapolated, far beyond: {peak:.0}"));
            format!("none seen up to {up_to} clients{}", peak.unwrap_or_default())
        }
    }
}

/// What was to be done.
pub(super) fn load(scale: &Scale, record: &Record) -> String {
    let ends = scale.steps.first().zip(scale.steps.last());
    let clients =
        ends.map(|(first, last)| format!("{} to {} clients", first.clients, last.clients));
    let (done, planned) = (scale.steps.len(), scale.planned);
    let each = record.load.duration.map(units::span).unwrap_or_default();
    let clients = clients.unwrap_or_else(|| "no step was done".into());
    format!("{clients}, {done} of {planned} steps, {each} each, closed loop")
}

/// The lines between the verdict and the tail.
pub(super) fn human(lines: &mut Lines, scale: &Scale) {
    for doubt in &scale.doubts {
        lines.put("undecided", format_args!("{doubt}"));
    }
    if let Some(fit) = &scale.fit {
        fitted(lines, fit, scale);
    }
    lines.put("decline", format_args!("{}", decline(&scale.decline)));
    if let Some(slo) = &scale.slo {
        lines.put("within", format_args!("{}", within(slo)));
    }
    for line in graph(&scale.steps, scale.fit.as_ref(), SIZE) {
        lines.put("", format_args!("{line}"));
    }
    lines.put("steps", format_args!("{HEAD}"));
    for step in &scale.steps {
        lines.put("", format_args!("{}", row(step, scale)));
    }
    if let Some([gamma, alpha, beta]) = scale.fit.as_ref().and_then(|fit| fit.standard_errors) {
        lines.put(
            "errors",
            format_args!("standard ones: {gamma:.1}/s alone, α {alpha:.4}, β {beta:.1e}"),
        );
    }
    for again in &scale.drift {
        let (clients, first, rate) = (again.clients, again.first, again.again);
        lines.put(
            "again",
            format_args!("with {clients}: {rate:.0}/s at the end, {first:.0}/s before"),
        );
    }
}

fn fitted(lines: &mut Lines, fit: &Fit, scale: &Scale) {
    let most = scale.steps.last().map_or(1, |step| step.clients);
    match (&fit.optimum, fit.efficiency) {
        (Some(optimum), Some(efficiency)) => {
            let rate = fit.curve.rate(optimum.at);
            let beyond = if optimum.at > f64::from(most) { ", extrapolated" } else { "" };
            let at = between(optimum);
            lines.put("optimum", format_args!("{at} clients, {rate:.0}/s{beyond}"));
            let (there, last) = (efficiency * 100.0, fit.efficiency_at_most * 100.0);
            lines.put(
                "efficiency",
                format_args!("{there:.0} % of one alone there, {last:.0} % with {most} clients"),
            );
        }
        _ => lines.put("optimum", format_args!("none up to {most} clients: more are worth it")),
    }
    let miss = fit.miss * 100.0;
    match fit.curve {
        Curve::Usl { gamma, alpha, beta } => {
            lines.put(
                "curve",
                format_args!(
                    "USL: {gamma:.1}/s alone, α {alpha:.4}, β {beta:.2e}, off by {miss:.1} %"
                ),
            );
        }
        Curve::Plateau { gamma, ceiling } => lines.put(
            "curve",
            format_args!("plateau: {gamma:.1}/s alone, {ceiling:.0}/s at most, off by {miss:.1} %"),
        ),
    }
}

/// The points and the curve; only the points where there is no curve yet.
pub fn graph(steps: &[Step], fit: Option<&Fit>, size: Size) -> Vec<String> {
    let points: Vec<_> = steps.iter().map(|it| (f64::from(it.clients), it.per_second)).collect();
    let curve = fit.map(|fit| move |clients: f64| fit.curve.rate(clients));
    let says = |rate: f64| format!("{rate:.0}/s");
    let graph = Graph {
        points: &points,
        curve: curve.as_ref().map(|curve| curve as &dyn Fn(f64) -> f64),
        scale: if wide(steps) { Axis::Doubling } else { Axis::Even },
        bottom: Some(0.0),
        top: None,
        says: &says,
        unit: "clients",
    };
    graph.lines(size)
}

/// Whether the steps span so much that an even axis would crowd the first ones.
fn wide(steps: &[Step]) -> bool {
    let (first, last) = (steps.first(), steps.last());
    first.zip(last).is_some_and(|(first, last)| last.clients / first.clients.max(1) > 16)
}

fn row(step: &Step, scale: &Scale) -> String {
    let Step { clients, per_second, mean, p95, failed, .. } = step;
    let n = f64::from(*clients);
    let one = scale.steps.first().map(|first| first.per_second / f64::from(first.clients));
    let each = one.map(|one| format!("{:.0} %", per_second / n / one * 100.0));
    let fitted = scale.fit.as_ref().map(|fit| format!("{:.1}", fit.curve.rate(n)));
    let time = |time: Option<Duration>| time.map_or_else(|| "-".into(), units::latency);
    let (each, fitted) = (each.unwrap_or_default(), fitted.unwrap_or_else(|| "-".into()));
    let (mean, p95) = (time(Some(*mean)), time(*p95));
    format!("{clients:>7}{per_second:>10.1}{fitted:>10}{each:>7}{mean:>9}{p95:>9}{failed:>8}")
}

fn within(slo: &Slo) -> String {
    let limit = units::latency(slo.limit);
    match slo {
        Slo { clients, .. } if *clients < 1.0 => {
            format!("p95 {limit}: not even the fewest clients")
        }
        Slo { clients, at_least: true, .. } => {
            format!("p95 {limit}: all {clients:.0} clients that were tried")
        }
        Slo { clients, .. } => format!("p95 {limit}: {:.0} clients", clients.floor()),
    }
}

/// An estimate with its bounds, as far as there are any.
fn between(estimate: &Estimate) -> String {
    match *estimate {
        Estimate { at, low: Some(low), high: Some(high) } => {
            format!("{at:.0} ({low:.0} to {high:.0})")
        }
        Estimate { at, low: Some(low), high: None } => format!("{at:.0} (over {low:.0})"),
        Estimate { at, .. } => format!("{at:.0}"),
    }
}

/// A line a step.
pub(super) fn csv(scale: &Scale) -> String {
    let mut text = String::from(
        "\"clients\",\"rps\",\"low_rps\",\"high_rps\",\"fitted_rps\",\
         \"avg_latency_ms\",\"p95_latency_ms\",\"failed\"\n",
    );
    let number = |it: Option<f64>| it.map(|it| format!("{it:.3}")).unwrap_or_default();
    for step in &scale.steps {
        let millis = |time: Duration| time.as_secs_f64() * 1000.0;
        let fitted = scale.fit.as_ref().map(|fit| fit.curve.rate(step.clients.into()));
        let numbers = [
            Some(step.per_second),
            step.low,
            step.high,
            fitted,
            Some(millis(step.mean)),
            step.p95.map(millis),
        ]
        .map(|it| format!("\"{}\"", number(it)));
        // Writing to a String cannot fail.
        let _infallible =
            writeln!(text, "\"{}\",{},\"{}\"", step.clients, numbers.join(","), step.failed);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::perf::render::{csv, human, sample};

    #[test]
    fn a_test_of_scale_reads_from_top_to_bottom() {
        insta::assert_snapshot!(human(&sample::scaled()));
    }

    #[test]
    fn a_line_a_step() {
        insta::assert_snapshot!(csv(&sample::scaled()));
    }

    #[test]
    fn each_outcome_has_its_words() {
        let peak = Estimate { at: 300.4, low: Some(250.0), high: None };
        let says = [
            Decline::Unknown,
            Decline::Seen { best: 64, at: 200, by: 0.12, peak: Some(peak) },
            Decline::Possible { peak },
            Decline::NotSeen { up_to: 400, peak: None },
            Decline::NotSeen { up_to: 400, peak: Some(900.0) },
        ];
        insta::assert_snapshot!(says.map(|it| decline(&it)).join("\n"));
        let slo = |clients, at_least| {
            within(&Slo { limit: Duration::from_millis(200), clients, at_least })
        };
        insta::assert_snapshot!([slo(0.0, false), slo(12.7, false), slo(64.0, true)].join("\n"));
    }
}
