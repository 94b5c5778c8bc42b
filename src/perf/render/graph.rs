//! Points and a curve in characters that every terminal and every log has. Pure.

/// Columns of what stands before the axis.
const LABEL: usize = 9;
/// Points of a curve for each column.
const FINE: u32 = 4;

/// How wide and high a graph is, in characters, without its labels.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Columns.
    pub width: usize,
    /// Lines.
    pub height: usize,
}

/// How the abscissa runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scale {
    /// Evenly.
    Even,
    /// Each doubling as wide as the one before.
    Doubling,
}

/// What is drawn.
pub(super) struct Graph<'a> {
    /// What was measured, an `o` each.
    pub points: &'a [(f64, f64)],
    /// What was fitted, in dots.
    pub curve: Option<&'a dyn Fn(f64) -> f64>,
    /// How the abscissa runs.
    pub scale: Scale,
    /// The least that the ordinate shows; else the least of the points.
    pub bottom: Option<f64>,
    /// The most that it shows; else the most of the points.
    pub top: Option<f64>,
    /// How a value of the ordinate is written.
    pub says: &'a dyn Fn(f64) -> String,
    /// What the abscissa counts.
    pub unit: &'a str,
}

impl Graph<'_> {
    /// The lines of it, axes included: `height` and one. Nothing without points.
    pub(super) fn lines(&self, size: Size) -> Vec<String> {
        let Some(((left, right), (bottom, top))) = self.spans() else { return Vec::new() };
        let mut cells = vec![vec![' '; size.width]; size.height];
        let last = (size.width.saturating_sub(1), size.height.saturating_sub(1));
        let column = |x: f64| place(self.along(x), (self.along(left), self.along(right)), last.0);
        let mut put = |x: f64, y: f64, sign: char| {
            let row = last.1.saturating_sub(place(y, (bottom, top), last.1));
            if let Some(cell) = cells.get_mut(row).and_then(|row| row.get_mut(column(x))) {
                *cell = sign;
            }
        };
        if let Some(curve) = self.curve {
            for x in self.along_the_axis((left, right), last.0) {
                let y = curve(x);
                if (bottom..=top).contains(&y) {
                    put(x, y, '.');
                }
            }
        }
        self.points.iter().for_each(|(x, y)| put(*x, *y, 'o'));
        let label = |row: usize| match row {
            0 => (self.says)(top),
            row if row == last.1 => (self.says)(bottom),
            _ => String::new(),
        };
        let line = |(row, cells): (usize, &Vec<char>)| {
            let cells: String = cells.iter().collect();
            format!("{:>LABEL$} |{}", label(row), cells.trim_end())
        };
        let mut lines: Vec<String> = cells.iter().enumerate().map(line).collect();
        lines.push(self.axis(size.width, column));
        lines
    }

    /// What both axes have to show.
    fn spans(&self) -> Option<((f64, f64), (f64, f64))> {
        let of = |pick: fn(&(f64, f64)) -> f64| {
            let values = || self.points.iter().map(pick);
            Some((values().min_by(f64::total_cmp)?, values().max_by(f64::total_cmp)?))
        };
        let (x, (low, high)) = (of(|point| point.0)?, of(|point| point.1)?);
        Some((x, (self.bottom.unwrap_or(low), self.top.unwrap_or(high))))
    }

    fn along(&self, x: f64) -> f64 {
        match self.scale {
            Scale::Even => x,
            Scale::Doubling => x.max(f64::MIN_POSITIVE).log2(),
        }
    }

    fn along_the_axis(&self, (left, right): (f64, f64), last: usize) -> impl Iterator<Item = f64> {
        let steps = u32::try_from(last).unwrap_or(u32::MAX / FINE).saturating_mul(FINE).max(1);
        let (from, to, scale) = (self.along(left), self.along(right), self.scale);
        (0..=steps).map(move |step| {
            let at = from + (to - from) * f64::from(step) / f64::from(steps);
            match scale {
                Scale::Even => at,
                Scale::Doubling => at.exp2(),
            }
        })
    }

    /// The values of the abscissa under their points, as far as there is room, and the unit.
    fn axis(&self, width: usize, column: impl Fn(f64) -> usize) -> String {
        let mut line = vec![' '; width];
        let mut free = 0;
        for (x, _) in self.points {
            let (text, at) = (format!("{x:.0}"), column(*x));
            let at = at.min(width.saturating_sub(text.len()));
            if at < free {
                continue;
            }
            for (place, digit) in text.chars().enumerate() {
                if let Some(cell) = line.get_mut(at + place) {
                    *cell = digit;
                }
            }
            free = at + text.len() + 1;
        }
        let line: String = line.into_iter().collect();
        format!("{:LABEL$}  {} {}", "", line.trim_end(), self.unit)
    }
}

/// Which of `last` and one places a value has in its span.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a place on a screen, cut to 0..=last"
)]
fn place(value: f64, (from, to): (f64, f64), last: usize) -> usize {
    let share = if to > from { (value - from) / (to - from) } else { 0.5 };
    (share.clamp(0.0, 1.0) * last as f64).round() as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn graph<'a>(points: &'a [(f64, f64)], curve: Option<&'a dyn Fn(f64) -> f64>) -> Graph<'a> {
        let says = &|y: f64| format!("{y:.0}/s");
        let (scale, bottom) = (Scale::Doubling, Some(0.0));
        Graph { points, curve, scale, bottom, top: None, says, unit: "clients" }
    }

    #[test]
    fn points_lie_where_they_were_measured_and_the_curve_between() {
        let law = |n: f64| 100.0 * n.min(8.0);
        let points = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0].map(|n| (n, law(n)));
        let lines = graph(&points, Some(&law)).lines(Size { width: 31, height: 7 }).join("\n");
        insta::assert_snapshot!(lines);
    }

    #[test]
    fn nothing_is_drawn_of_nothing_and_one_point_is_one() {
        assert!(graph(&[], None).lines(Size { width: 30, height: 5 }).is_empty());
        let one = graph(&[(4.0, 7.0)], None).lines(Size { width: 30, height: 5 });
        assert_eq!(one.iter().flat_map(|line| line.chars()).filter(|it| *it == 'o').count(), 1);
        assert_eq!(graph(&[(4.0, 7.0)], None).lines(Size { width: 0, height: 0 }).len(), 1);
    }

    proptest! {
        #[test]
        fn no_size_and_no_value_breaks_it(
            points in prop::collection::vec((0.0_f64..1e9, -1e9_f64..1e9), 0..20),
            width in 0_usize..120, height in 0_usize..40,
        ) {
            let law = |n: f64| n * 3.0;
            for scale in [Scale::Even, Scale::Doubling] {
                let graph = Graph { scale, bottom: None, ..graph(&points, Some(&law)) };
                let lines = graph.lines(Size { width, height });
                let expected = if points.is_empty() { 0 } else { height + 1 };
                prop_assert_eq!(lines.len(), expected);
            }
        }
    }
}
