use crate::{
    domain::perf::Bar,
    tui::{
        theme::Role,
        view::{Page, Slot},
    },
    units,
};
use ratatui::layout::Rect;
use std::cmp;

/// Columns of the end of a bar's span, and of its count.
const LABEL: u16 = 9;
const COUNT: u16 = 11;

/// How times are spread: a bar a line, the shortest first, each with the end of its span
/// and its count. With fewer lines than bars, neighbours are put together.
pub(in crate::tui) fn histogram(page: &mut Page<'_>, area: Rect, bars: &[Bar]) {
    let bars = put_together(bars, usize::from(area.height));
    let most = bars.iter().map(|bar| bar.count).max().unwrap_or(0).max(1);
    for (row, bar) in (0..area.height).zip(&bars) {
        let (label, rest) = Slot::of(area, row).split(LABEL);
        let under = units::latency(bar.under);
        page.print_right(label, Role::Muted, format_args!("<{under}"));
        let (count, rest) = rest.skip(1).split_last(COUNT);
        page.print_right(rest, Role::Plain, format_args!("{}", bar.count));
        length(page, count, (bar.count, most));
    }
}

/// A bar as long as its share of the longest, in steps of half a cell. What was counted
/// at all is seen.
fn length(page: &mut Page<'_>, slot: Slot, (count, most): (u64, u64)) {
    let [whole, half, _] = page.look().glyphs.bar;
    let cells = u128::from(slot.width) * 2 * u128::from(count) / u128::from(most);
    let halves = cmp::max(u16::try_from(cells).unwrap_or(u16::MAX), u16::from(count > 0));
    let mut rest = slot;
    for _ in 0..halves / 2 {
        rest = page.glyph(rest, whole, Role::Focus);
    }
    if halves % 2 == 1 {
        page.glyph(rest, half, Role::Focus);
    }
}

/// As many as fit, each of as many neighbours.
fn put_together(bars: &[Bar], lines: usize) -> Vec<Bar> {
    let each = bars.len().div_ceil(lines.max(1)).max(1);
    let together = |some: &[Bar]| {
        let count = some.iter().map(|bar| bar.count).sum();
        some.last().map(|last| Bar { under: last.under, count })
    };
    bars.chunks(each).filter_map(together).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::{Glyphs, Look, sample, widget::tests::drawn};
    use std::time::Duration;

    fn bars(counts: &[u64]) -> Vec<Bar> {
        let bar = |(at, count): (u32, &u64)| Bar {
            under: Duration::from_micros(100) * 2_u32.pow(at),
            count: *count,
        };
        (0..).zip(counts).map(bar).collect()
    }

    #[test]
    fn bars_are_as_long_as_their_share_and_none_is_lost() {
        let look = Look { glyphs: Glyphs::ASCII, ..sample::look() };
        let lines = drawn((31, 4), &look, |page, area| {
            histogram(page, area, &bars(&[1000, 500, 0, 1]));
        });
        assert_eq!(
            lines,
            [
                " <0.100ms ##########       1000",
                " <0.200ms #####             500",
                " <0.400ms                     0",
                " <0.800ms =                   1",
            ]
        );
    }

    #[test]
    fn few_lines_hold_all_that_was_counted() {
        for lines in 1..=5 {
            let together = put_together(&bars(&[1, 2, 3, 4, 5]), lines);
            assert!(together.len() <= lines);
            assert_eq!(together.iter().map(|bar| bar.count).sum::<u64>(), 15);
            assert_eq!(
                together.last().map(|bar| bar.under),
                bars(&[0; 5]).last().map(|bar| bar.under)
            );
        }
        assert!(put_together(&bars(&[1]), 0).len() == 1 && put_together(&[], 3).is_empty());
    }
}
