//! A series as a small line, drawn by the reader's browser.

use std::{cmp, fmt::Write as _};

/// Its size, in units of its own.
const SIZE: [f64; 2] = [120.0, 24.0];
/// Room for the line's own width.
const MARGIN: f64 = 2.0;

/// An SVG of `series`, which `label` names; nothing of fewer than two values.
///
/// Zero is its foot, so that two lines that look alike are alike.
#[expect(clippy::cast_precision_loss, reason = "a few dozen values")]
pub(super) fn svg(series: &[f64], label: &str) -> String {
    let finite: Vec<f64> = series.iter().copied().filter(|it| it.is_finite()).collect();
    if finite.len() < 2 {
        return String::new();
    }
    let most = finite.iter().copied().fold(0.0, f64::max);
    let least = finite.iter().copied().fold(0.0, f64::min);
    let span = if most > least { most - least } else { 1.0 };
    let step = (SIZE[0] - 2.0 * MARGIN) / cmp::max(1, finite.len() - 1) as f64;
    let mut points = String::new();
    for (at, value) in finite.iter().enumerate() {
        let x = MARGIN + at as f64 * step;
        let y = SIZE[1] - MARGIN - (value - least) / span * (SIZE[1] - 2.0 * MARGIN);
        // Writing to a String cannot fail.
        let _infallible = write!(points, "{x:.1},{y:.1} ");
    }
    let [width, height] = SIZE;
    format!(
        "<svg class=\"spark\" role=\"img\" aria-label=\"{label}\" viewBox=\"0 0 {width} {height}\" \
         width=\"{width}\" height=\"{height}\"><polyline fill=\"none\" stroke=\"currentColor\" points=\"{}\"/></svg>",
        points.trim_end()
    )
}
