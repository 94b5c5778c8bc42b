//! Evidence in rows under heads, in as many columns of rows as there is room for.

use super::{Page, Slot, Stack, width};
use crate::{
    domain::{CheckView, Grid, GridRow, IntegrationView, Mark},
    tui::{glyphs::Sign, theme::Role},
};
use ratatui::layout::Rect;
use std::cmp;

/// Columns between two cells, and between two rows side by side.
const BETWEEN: u16 = 2;
const APART: u16 = 3;
/// The sign before a row, and a blank.
const SIGN: u16 = 2;

/// The check whose grid is to be shown: the selected one, or the first that has one.
pub(super) fn of<'a>(view: &'a IntegrationView, selected: &'a CheckView) -> Option<Pane<'a>> {
    Pane::of(selected).or_else(|| view.checks.iter().find_map(Pane::of))
}

/// A check that has a grid.
#[derive(Clone, Copy)]
pub(super) struct Pane<'a> {
    check: &'a CheckView,
    grid: &'a Grid,
}

impl<'a> Pane<'a> {
    pub(super) fn of(check: &'a CheckView) -> Option<Self> {
        let grid = super::evidence::newest(check).evidence.grid.as_ref()?;
        (!grid.rows.is_empty()).then_some(Self { check, grid })
    }

    /// Lines that it takes to show all of it.
    pub(super) fn lines(self, columns: u16) -> u16 {
        let shape = Shape::of(self.grid, columns);
        shape.lines(self.grid.rows.len()).saturating_add(2)
    }

    pub(super) fn draw(self, page: &mut Page<'_>, area: Rect) {
        let mut stack = Stack::new(area);
        let says = &super::evidence::newest(self.check).summary;
        page.title(stack.line(), self.check.id.as_str(), format_args!("{says}"));
        draw(page, stack.left, self.grid);
    }
}

/// The widths of the columns, and how many rows fit side by side.
struct Shape {
    cells: Vec<u16>,
    block: u16,
    blocks: u16,
}

impl Shape {
    fn of(grid: &Grid, columns: u16) -> Self {
        let widest = |at: usize| {
            let rows = grid.rows.iter().map(|row| &row.cells);
            let texts = rows.chain([&grid.heads]).filter_map(|cells| cells.get(at));
            let most = texts.map(|text| width(text)).max().unwrap_or(0);
            u16::try_from(most).unwrap_or(u16::MAX / 16)
        };
        let cells: Vec<u16> = (0..grid.heads.len()).map(widest).collect();
        let inside = cells.iter().fold(0_u16, |sum, cell| sum.saturating_add(cell + BETWEEN));
        let block = SIGN.saturating_add(inside.saturating_sub(BETWEEN));
        let room = columns.saturating_sub(1);
        let blocks = cmp::max(1, room.saturating_add(APART) / block.saturating_add(APART));
        let block = if blocks == 1 { room } else { block };
        Self { cells, block, blocks }
    }

    fn lines(&self, rows: usize) -> u16 {
        u16::try_from(rows).unwrap_or(u16::MAX).div_ceil(self.blocks)
    }

    /// The place of a row on line `line` of the column of rows `block`.
    fn place(&self, area: Rect, block: u16, line: u16) -> Slot {
        let before = 1 + block * (self.block + APART);
        Slot::of(area, line).skip(before).split(self.block).0
    }
}

fn draw(page: &mut Page<'_>, area: Rect, grid: &Grid) {
    let shape = Shape::of(grid, area.width);
    let mut stack = Stack::new(area);
    // The heads give way to the last row.
    if stack.left.height > shape.lines(grid.rows.len()) {
        let line = stack.take(1);
        let blocks = cmp::min(usize::from(shape.blocks), grid.rows.len());
        for block in (0..shape.blocks).take(blocks) {
            let slot = shape.place(line, block, 0).skip(SIGN);
            row(page, slot, &shape, &grid.heads, |_| Role::Muted);
        }
    }
    let height = cmp::min(stack.left.height, shape.lines(grid.rows.len()));
    let room = usize::from(height) * usize::from(shape.blocks);
    let shown = if grid.rows.len() > room { room.saturating_sub(1) } else { grid.rows.len() };
    for (at, found) in (0_u16..).zip(&grid.rows[..shown]) {
        let slot = shape.place(stack.left, at / cmp::max(height, 1), at % cmp::max(height, 1));
        let rest = page.sign(slot, Sign::of_mark(found.mark)).skip(1);
        row(page, rest, &shape, &found.cells, |cell| role(found, cell));
    }
    if shown < grid.rows.len() && height > 0 {
        let slot = shape.place(stack.left, shape.blocks - 1, height - 1);
        page.print(slot, Role::Muted, format_args!("+{} more", grid.rows.len() - shown));
    }
}

fn row(
    page: &mut Page<'_>,
    slot: Slot,
    shape: &Shape,
    cells: &[String],
    role: impl Fn(usize) -> Role,
) {
    let mut rest = slot;
    for (at, (text, columns)) in cells.iter().zip(&shape.cells).enumerate() {
        let last = at + 1 == shape.cells.len();
        let (here, after) = rest.split(if last { rest.width } else { *columns });
        page.put(here, text, role(at));
        rest = after.skip(BETWEEN);
    }
}

/// What fails stands out; what was not asked steps back.
fn role(row: &GridRow, cell: usize) -> Role {
    match (row.mark, cell) {
        (Mark::Skipped, _) | (_, 2..) => Role::Muted,
        (Mark::Fail, 1) => Role::Bad,
        (Mark::Warn, 1) => Role::Warn,
        (Mark::Pass | Mark::Warn | Mark::Fail | Mark::Unknown, _) => Role::Plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::{Glyphs, Look, sample};
    use ratatui::buffer::Buffer;

    fn drawn(look: &Look, (width, height): (u16, u16), count: usize) -> Vec<String> {
        let name = |at: usize| format!("CMD{at}");
        let marks = [Mark::Pass, Mark::Fail, Mark::Skipped];
        let grid = (0..count).fold(Grid::new(&["command", "answer"]), |grid, at| {
            grid.row(marks[at % 3], &[&name(at), if at % 3 == 1 { "OOM" } else { "ok" }])
        });
        let mut buf = Buffer::empty(Rect::new(0, 0, width, height));
        let area = buf.area;
        draw(&mut Page::new(&mut buf, look), area, &grid);
        let line = |y| (0..width).map(|x| buf[(x, y)].symbol()).collect::<String>();
        (0..height).map(|y| line(y).trim_end().to_owned()).collect()
    }

    #[test]
    fn rows_stand_side_by_side_where_there_is_room() {
        let look = sample::look();
        assert_eq!(
            drawn(&look, (40, 3), 4),
            [
                "   command  answer     command  answer",
                " ✓ CMD0     ok       - CMD2     ok",
                " ✗ CMD1     OOM      ✓ CMD3     ok",
            ]
        );
        assert_eq!(
            drawn(&look, (20, 3), 3),
            [" ✓ CMD0     ok", " ✗ CMD1     OOM", " - CMD2     ok"],
            "the heads give way to a row"
        );
    }

    #[test]
    fn what_does_not_fit_is_counted_and_never_hidden() {
        let ascii = Look { glyphs: Glyphs::ASCII, ..sample::look() };
        assert_eq!(drawn(&ascii, (20, 2), 5), [" + CMD0     ok", " +4 more"]);
        let two = drawn(&ascii, (40, 2), 9);
        assert_eq!(two, [" + CMD0     ok       - CMD2     ok", " x CMD1     OOM      +6 more"]);
    }

    #[test]
    fn no_size_is_too_small() {
        for size in [(1, 1), (3, 1), (8, 2), (200, 1)] {
            drawn(&sample::look(), size, 7);
        }
    }
}
