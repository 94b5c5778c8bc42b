use super::braille;
use crate::{
    domain::Series,
    tui::{
        theme::Role,
        view::{Page, Slot, width},
    },
};
use ratatui::layout::Rect;
use std::{cmp, time::Duration};

/// The spans that a graph can show; the first that holds everything known is taken.
pub(in crate::tui) const WINDOWS: [Duration; 4] = [
    Duration::from_mins(2),
    Duration::from_mins(5),
    Duration::from_mins(10),
    Duration::from_mins(20),
];
/// The least height of the picture against its highest value: a flat line stays flat.
const LEAST: f64 = 0.02;
/// Cells that are ever drawn side by side.
const MOST: usize = 120;

/// A measurement over time as a line, with its axes.
#[derive(Clone, Copy, Debug)]
pub(in crate::tui) struct Graph<'a> {
    /// What was measured.
    pub(in crate::tui) series: &'a Series,
    /// The moment at the right end.
    pub(in crate::tui) now: Duration,
    /// How long one value stands.
    pub(in crate::tui) holds: Duration,
    /// How a value is written at the axis.
    pub(in crate::tui) label: fn(f64) -> String,
    /// When the deploy was.
    pub(in crate::tui) deploy: Option<Duration>,
    /// Which of the spans it shows, where that was chosen.
    pub(in crate::tui) zoom: Option<usize>,
}

/// What the picture spans.
struct Scale {
    low: f64,
    high: f64,
    rows: i32,
}

impl Scale {
    /// The dot row of `value`, counted from the top.
    #[expect(clippy::cast_possible_truncation, reason = "clamped to the rows of a screen")]
    fn row(&self, value: f64) -> i32 {
        let share = (self.high - value) / (self.high - self.low);
        let dots = f64::from(self.rows * 4 - 1);
        (share * dots).round().clamp(0.0, dots) as i32
    }

    /// The value in the middle of cell row `row`.
    fn value(&self, row: i32) -> f64 {
        let share = (f64::from(row) + 0.5) / f64::from(self.rows);
        self.high - share * (self.high - self.low)
    }
}

impl Graph<'_> {
    /// The span that it shows.
    pub(in crate::tui) fn window(&self) -> Duration {
        if let Some(chosen) = self.zoom.and_then(|zoom| WINDOWS.get(zoom)) {
            return *chosen;
        }
        let first = self.series.iter().next().map_or(self.now, |sample| sample.at);
        let known = self.now.saturating_sub(first);
        // A little more than fits is not worth a picture that is half empty.
        let holds = |window: &Duration| *window * 11 / 10 >= known;
        WINDOWS.into_iter().find(holds).unwrap_or(WINDOWS[3])
    }

    /// Draws axes and line into `area`. The time axis takes its last line, if
    /// there are at least three.
    pub(in crate::tui) fn draw(&self, page: &mut Page<'_>, area: Rect) {
        let Some((low, high)) = self.bounds() else { return };
        let axis = u16::from(area.height >= 3);
        let rows = i32::from(area.height - cmp::min(axis, area.height));
        let scale = Scale { low, high, rows };
        if rows == 0 {
            return;
        }
        let labels = self.labels(page, area, &scale);
        let left = labels + 1;
        let plot = Rect {
            x: area.x.saturating_add(left),
            width: area.width.saturating_sub(left),
            height: area.height - axis,
            ..area
        };
        let deployed = self.deployed(page, plot);
        self.line(page, plot, &scale);
        if axis == 1 {
            let slot = Slot::of(area, area.height - 1).skip(left);
            let rest = page.print_right(slot, Role::Muted, format_args!("now"));
            let minutes = self.window().as_secs() / 60;
            let rest = page.print(rest, Role::Muted, format_args!("-{minutes}m"));
            if let Some(x) = deployed.map(|x| x.saturating_sub(3)).filter(|x| *x > rest.x) {
                let room = (rest.x + rest.width).saturating_sub(x);
                if room > 6 {
                    page.put(Slot { x, width: room, ..rest }, "deploy", Role::Muted);
                }
            }
        }
    }

    /// Draws the moment of the deploy, under the line; returns its column.
    fn deployed(&self, page: &mut Page<'_>, plot: Rect) -> Option<u16> {
        let cells = u128::from(plot.width).min(u128::try_from(MOST).unwrap_or(0));
        let length = cmp::max(self.window().as_millis() / cmp::max(cells, 1), 1);
        let end = (self.now.as_millis() / length + 1) * length;
        let ago = end.checked_sub(1 + self.deploy?.as_millis())? / length;
        let back = u16::try_from(ago + 1).ok().filter(|_| ago < cells)?;
        let column = plot.width.checked_sub(back)?;
        for row in 0..plot.height {
            let slot = Slot::of(plot, row).skip(column);
            page.glyph(slot, page.look().glyphs.deploy, Role::Focus);
        }
        Some(plot.x.saturating_add(column))
    }

    /// The range of values to show, padded so that it never is nothing.
    fn bounds(&self) -> Option<(f64, f64)> {
        let from = self.now.saturating_sub(self.window());
        let recent = self.series.iter().filter(|sample| sample.at >= from);
        let (low, high) = recent.fold((f64::MAX, f64::MIN), |(low, high), sample| {
            (low.min(sample.value), high.max(sample.value))
        });
        if low > high {
            return None;
        }
        let least = (high.abs() * LEAST).max(f64::MIN_POSITIVE);
        let missing = (least - (high - low)).max(0.0) / 2.0;
        Some((low - missing, high + missing))
    }

    /// Writes the values at the axis, each only once; returns the columns that they took.
    fn labels(&self, page: &mut Page<'_>, area: Rect, scale: &Scale) -> u16 {
        let texts: Vec<String> =
            (0..scale.rows).map(|row| (self.label)(scale.value(row))).collect();
        let widest = texts.iter().map(|text| width(text)).max().unwrap_or(0);
        let columns = u16::try_from(widest).unwrap_or(u16::MAX);
        let axis = page.look().glyphs.axis;
        let mut last = "";
        for (row, text) in (0..).zip(&texts) {
            let (label, rest) = Slot::of(area, row).split(columns);
            if text != last {
                page.print_right(label, Role::Muted, format_args!("{text}"));
            }
            page.glyph(rest, axis, Role::Muted);
            last = text;
        }
        columns
    }

    fn line(&self, page: &mut Page<'_>, plot: Rect, scale: &Scale) {
        let cells = cmp::min(usize::from(plot.width), MOST);
        let rows = self.dots(cells, scale);
        let shift = plot.width - u16::try_from(cells).unwrap_or(plot.width);
        for (column, pair) in (0_u16..).zip(rows[..cells * 2].chunks_exact(2)) {
            for row in 0..plot.height {
                let top = i32::from(row) * 4;
                let inside =
                    |range: &Option<(i32, i32)>| range.map(|(from, to)| (from - top, to - top));
                let pair = [inside(&pair[0]), inside(&pair[1])];
                let glyph =
                    if page.look().glyphs.unicode { braille::cell(pair) } else { ascii(pair) };
                if let Some(glyph) = glyph {
                    page.glyph(Slot::of(plot, row).skip(shift + column), glyph, Role::Plain);
                }
            }
        }
    }

    /// For each dot column the rows that the line covers there.
    fn dots(&self, cells: usize, scale: &Scale) -> [Option<(i32, i32)>; MOST * 2] {
        let mut dots = [None; MOST * 2];
        let count = u128::try_from(cells * 2).unwrap_or(1).max(1);
        // Whole cells of a fixed length since the engine started, as for a spark line.
        let length = cmp::max(self.window().as_millis() * 2 / count, 1);
        let end = (self.now.as_millis() / length + 1) * length;
        let mut samples = self.series.iter().peekable();
        let (mut value, mut last): (Option<(Duration, f64)>, Option<i32>) = (None, None);
        for (column, range) in (1..=count).zip(&mut dots) {
            let until = end.saturating_sub(length * (count - column) / 2);
            let until = Duration::from_millis(u64::try_from(until).unwrap_or(u64::MAX));
            while let Some(sample) = samples.next_if(|sample| sample.at < until) {
                value = Some((sample.at, sample.value));
            }
            let half = Duration::from_millis(u64::try_from(length / 2).unwrap_or(u64::MAX));
            let stands = |at: Duration| at + self.holds + half >= until && until <= self.now + half;
            let row = value.filter(|(at, _)| stands(*at)).map(|(_, value)| scale.row(value));
            *range = row.map(|row| joined(last, row));
            last = row;
        }
        dots
    }
}

/// The rows that join `row` to the one before it.
fn joined(last: Option<i32>, row: i32) -> (i32, i32) {
    match last {
        Some(last) if last < row => (last + 1, row),
        Some(last) if last > row => (row, last - 1),
        Some(_) | None => (row, row),
    }
}

/// The nearest that ASCII comes to those dots.
fn ascii(columns: [Option<(i32, i32)>; 2]) -> Option<char> {
    let ranges = columns.into_iter().flatten().filter(|(top, bottom)| *top < 4 && *bottom >= 0);
    let (top, bottom) = ranges.reduce(|a, b| (cmp::min(a.0, b.0), cmp::max(a.1, b.1)))?;
    Some(match (cmp::max(top, 0), cmp::min(bottom, 3)) {
        (0, 3) => '|',
        (0, _) => '\'',
        (_, 3) => '.',
        _ => '-',
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::{Glyphs, Look, sample, widget::tests::drawn};

    fn rising(count: u32) -> Series {
        let mut series = Series::default();
        for n in 0..count {
            series.push(Duration::from_secs(u64::from(n) * 5), 100.0 + f64::from(n));
        }
        series
    }

    fn picture(look: &Look, series: &Series, now: u64, size: (u16, u16)) -> String {
        let graph = Graph {
            series,
            now: Duration::from_secs(now),
            holds: Duration::from_secs(12),
            label: |value| format!("{value:.0}"),
            deploy: None,
            zoom: None,
        };
        let lines = drawn(size, look, |page, area| graph.draw(page, area));
        lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_line_with_its_axes() {
        let lines = picture(&sample::look(), &rising(25), 120, (20, 4));
        insta::assert_snapshot!(lines, @r#"
        120┤          ⣀⡠⠤⠒⠉⠁
        112┤    ⣀⡠⠤⠔⠒⠉
        104┤⠤⠔⠒⠉
            -2m          now
        "#);
    }

    #[test]
    fn the_deploy_stands_behind_the_line() {
        let series = rising(25);
        let picture = |deploy| {
            let graph = Graph {
                series: &series,
                now: Duration::from_mins(2),
                holds: Duration::from_secs(12),
                label: |value| format!("{value:.0}"),
                deploy: Some(Duration::from_secs(deploy)),
                zoom: None,
            };
            let lines = drawn((24, 4), &sample::look(), |page, area| graph.draw(page, area));
            lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n")
        };
        insta::assert_snapshot!(picture(70), @r#"
        120┤          ╎  ⣀⡠⠤⠔⠒⠉⠁
        112┤     ⢀⣀⠤⠤⠔⠒⠊⠉
        104┤⡠⠤⠒⠒⠉⠁    ╎
            -2m    deploy    now
        "#);
        for gone in [0, 121, 9999] {
            assert!(!picture(gone).contains("deploy"), "{gone}");
        }
    }

    #[test]
    fn a_flat_line_stays_flat_and_in_the_middle() {
        let mut series = Series::default();
        (0..25).for_each(|n| series.push(Duration::from_secs(n * 5), 100.0));
        let lines = picture(&sample::look(), &series, 120, (20, 4));
        insta::assert_snapshot!(lines, @r#"
        101┤
        100┤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠄
         99┤
            -2m          now
        "#);
    }

    #[test]
    fn no_value_for_a_while_is_a_gap() {
        let mut series = Series::default();
        for n in (0..8).chain(16..25) {
            series.push(Duration::from_secs(n * 5), 100.0);
        }
        let lines = picture(&sample::look(), &series, 120, (20, 1));
        assert_eq!(lines, "100┤⠤⠤⠤⠤⠤⠄   ⠠⠤⠤⠤⠤⠤⠄");
    }

    #[test]
    fn ascii_has_it_too() {
        let look = Look { glyphs: Glyphs::ASCII, ..sample::look() };
        let lines = picture(&look, &rising(25), 120, (20, 4));
        assert!(lines.is_ascii());
        insta::assert_snapshot!(lines, @r#"
        120|          ..--''
        112|    ..---'
        104|---'
            -2m          now
        "#);
    }

    #[test]
    fn the_window_is_the_smallest_that_holds_everything() {
        let window = |now| {
            let series = rising(1);
            let (now, holds) = (Duration::from_secs(now), Duration::ZERO);
            let label = |_| String::new();
            Graph { series: &series, now, holds, label, deploy: None, zoom: None }
                .window()
                .as_secs()
        };
        assert_eq!(
            [window(0), window(132), window(133), window(661), window(9999)],
            [120, 120, 300, 1200, 1200]
        );
    }

    #[test]
    fn any_size_and_any_value_can_be_drawn() {
        let mut odd = Series::default();
        for (n, value) in (0..).zip([0.0, -1.0, f64::MAX, f64::MIN, f64::MIN_POSITIVE, 1e-300]) {
            odd.push(Duration::from_secs(n), value);
        }
        for series in [&odd, &Series::default(), &rising(240)] {
            for (width, height) in [(0, 0), (1, 1), (3, 3), (20, 2), (210, 65)] {
                picture(&sample::look(), series, 5, (width, height));
            }
        }
    }
}
