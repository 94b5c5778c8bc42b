use super::braille;
use crate::{
    domain::Series,
    tui::{
        theme::Role,
        view::{Page, Slot},
    },
};
use std::{cmp, time::Duration};

/// Time of half a cell. Cells begin at whole multiples of twice this since the
/// engine started, so that every line advances at the same moment, one cell at
/// a time, and is still in between.
const HALF: Duration = Duration::from_secs(5);
/// Cells that are ever drawn.
const MOST: usize = 60;
/// Below this, differences are noise of this host.
const FLOOR: f64 = 0.001;
/// How many times its usual value a latency may be for one, two and three dots.
const STEPS: [f64; 3] = [1.25, 1.6, 2.5];

/// Latency over time, against what is usual here: one dot is normal.
///
/// A moment without an answer is a gap, unless the last answer is recent enough
/// to still stand.
#[derive(Clone, Copy, Debug)]
pub(in crate::tui) struct LatencySpark<'a> {
    /// In seconds.
    pub(in crate::tui) series: &'a Series,
    /// The moment at the right end.
    pub(in crate::tui) now: Duration,
    /// How long one answer stands.
    pub(in crate::tui) holds: Duration,
    /// When the deploy was.
    pub(in crate::tui) deploy: Option<Duration>,
}

impl LatencySpark<'_> {
    /// How far back `cells` cells reach.
    pub(in crate::tui) fn reach(cells: u16) -> Duration {
        HALF * 2 * u32::from(cells)
    }

    /// Draws the line over the whole slot, at most sixty cells of it.
    pub(in crate::tui) fn draw(&self, page: &mut Page<'_>, slot: Slot) {
        let cells = cmp::min(usize::from(slot.width), MOST);
        let Ok(width) = u16::try_from(cells) else { return };
        let (_, mut rest) = slot.split_last(width);
        let levels = self.levels(cells);
        let deployed = self.deploy.and_then(|at| self.cell(at, cells));
        for (at, pair) in levels[..cells * 2].chunks_exact(2).enumerate() {
            if deployed == Some(at) {
                rest = page.glyph(rest, page.look().glyphs.deploy, Role::Focus);
                continue;
            }
            let glyph = if page.look().glyphs.unicode {
                let column = |level: u8| (level > 0).then(|| (4 - i32::from(level), 3));
                braille::cell([column(pair[0]), column(pair[1])])
            } else {
                [None, Some('.'), Some('-'), Some('='), Some('#')]
                    [usize::from(cmp::max(pair[0], pair[1]))]
            };
            rest = match glyph {
                Some(glyph) => page.glyph(rest, glyph, Role::Plain),
                None => rest.skip(1),
            };
        }
    }

    /// Dots of each half cell, 0 for a gap.
    fn levels(&self, cells: usize) -> [u8; MOST * 2] {
        let mut levels = [0; MOST * 2];
        let usual = self.series.percentile(50).unwrap_or(0.0).max(FLOOR);
        let (now, stands) = (halves(self.now), halves(self.holds));
        // The newest cell is a whole one, though its second half may still be to come.
        let first = (now | 1) + 1 - i64::try_from(cells * 2).unwrap_or(0);
        let mut standing = None;
        for sample in self.series.iter() {
            let level = level(sample.value / usual);
            let at = halves(sample.at) - first;
            if let Some(own) = usize::try_from(at).ok().and_then(|at| levels.get_mut(at)) {
                *own = cmp::max(*own, level);
            } else if at < 0 {
                standing = Some((level, at));
            }
        }
        for (half, own) in (0..=now - first).zip(&mut levels[..cells * 2]) {
            match standing {
                _ if *own > 0 => standing = Some((*own, half)),
                Some((level, since)) if half - since <= stands => *own = level,
                Some(_) | None => {}
            }
        }
        levels
    }
}

impl LatencySpark<'_> {
    /// The cell of that moment, of so many.
    fn cell(&self, at: Duration, cells: usize) -> Option<usize> {
        let first = (halves(self.now) | 1) + 1 - i64::try_from(cells * 2).ok()?;
        let half = usize::try_from(halves(at) - first).ok()?;
        Some(half / 2).filter(|cell| *cell < cells)
    }
}

fn halves(at: Duration) -> i64 {
    i64::try_from(at.as_secs() / HALF.as_secs()).unwrap_or(i64::MAX / 4)
}

fn level(ratio: f64) -> u8 {
    STEPS.iter().fold(1, |level, step| if ratio > *step { level + 1 } else { level })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::{Glyphs, Look, sample, widget::tests::drawn};

    fn series(samples: &[(u64, f64)]) -> Series {
        let mut series = Series::default();
        for (at, value) in samples {
            series.push(Duration::from_secs(*at), *value);
        }
        series
    }

    fn line(look: &Look, series: &Series, now: u64, width: u16) -> String {
        let spark = spark(series, now, None);
        drawn((width, 1), look, |page, area| spark.draw(page, Slot::of(area, 0))).concat()
    }

    fn spark(series: &Series, now: u64, deploy: Option<u64>) -> LatencySpark<'_> {
        let (now, deploy) = (Duration::from_secs(now), deploy.map(Duration::from_secs));
        LatencySpark { series, now, holds: Duration::from_secs(10), deploy }
    }

    #[test]
    fn the_deploy_is_marked_where_it_was() {
        let steady: Vec<_> = (0..20).map(|n| (n * 5, 0.020)).collect();
        let series = series(&steady);
        let marked = |deploy, look: &Look| {
            let spark = spark(&series, 100, Some(deploy));
            drawn((5, 1), look, |page, area| spark.draw(page, Slot::of(area, 0))).concat()
        };
        let unicode = sample::look();
        assert_eq!(marked(100, &unicode), "⣀⣀⣀⣀╎");
        assert_eq!(marked(60, &unicode), "╎⣀⣀⣀⡀");
        assert_eq!(marked(59, &unicode), "⣀⣀⣀⣀⡀", "too long ago");
        assert_eq!(marked(999, &unicode), "⣀⣀⣀⣀⡀", "still to come");
        let ascii = Look { glyphs: Glyphs::ASCII, ..unicode };
        assert_eq!(marked(70, &ascii), ".:...");
    }

    #[test]
    fn it_advances_one_cell_at_a_time_and_is_still_in_between() {
        let steady: Vec<_> = (0..20).map(|n| (n * 5, 0.020)).collect();
        let series = series(&steady);
        assert_eq!(line(&sample::look(), &series, 100, 5), "⣀⣀⣀⣀⡀");
        let at = |now| line(&sample::look(), &series, now, 5);
        let seconds: Vec<_> = (100..160).map(at).collect();
        let changes = seconds.windows(2).filter(|pair| pair[0] != pair[1]).count();
        assert!(changes <= 7, "{changes} changes in a minute: {seconds:?}");
    }

    #[test]
    fn what_is_slower_than_usual_stands_out() {
        let mut samples: Vec<_> = (0..18).map(|n| (n * 5, 0.100)).collect();
        samples.extend([(90, 0.130), (95, 0.2), (100, 0.3), (105, 9.0)]);
        assert_eq!(line(&sample::look(), &series(&samples), 109, 4), "⣀⣀⣴⣿");
        let quick: Vec<_> =
            (0..20_u32).map(|n| (u64::from(n) * 5, 0.0002 * f64::from(n % 3 + 1))).collect();
        assert_eq!(
            line(&sample::look(), &series(&quick), 99, 3),
            "⣀⣀⣀",
            "noise below a millisecond"
        );
    }

    #[test]
    fn no_answer_is_a_gap_and_the_last_one_stands_for_a_while() {
        let series = series(&[(0, 0.02), (5, 0.02), (60, 0.02)]);
        assert_eq!(line(&sample::look(), &series, 60, 7), "⣀⣀    ⡀");
    }

    #[test]
    fn nothing_known_and_no_room_are_no_trouble() {
        assert_eq!(line(&sample::look(), &Series::default(), 0, 4), "    ");
        assert_eq!(line(&sample::look(), &series(&[(0, 0.1)]), 0, 0), "");
        assert_eq!(line(&sample::look(), &series(&[(0, 0.1)]), 0, 90).chars().count(), 90);
        assert_eq!(line(&sample::look(), &series(&[(900, 0.1)]), 0, 3), "   ", "from the future");
    }

    #[test]
    fn an_ascii_terminal_gets_four_steps_too() {
        let look = Look { glyphs: Glyphs::ASCII, ..sample::look() };
        let mut samples: Vec<_> = (0..18).map(|n| (n * 5, 0.100)).collect();
        samples.extend([(90, 0.130), (100, 0.2), (110, 9.0)]);
        assert_eq!(line(&look, &series(&samples), 119, 4), ".-=#");
    }
}
