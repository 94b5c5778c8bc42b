use super::{Mark, plain};
use serde::{Deserialize, Serialize};

/// Characters kept of one cell.
const CELL: usize = 120;
/// Rows, and cells of a row, kept.
const ROWS: usize = 64;
const COLUMNS: usize = 6;

/// Evidence in rows under heads: what was asked one by one, and how each went.
///
/// Like all evidence it is bounded and safe to print. The first cell of a row
/// says what it is about; put rows in the order in which they are to be read,
/// because a small screen shows the first ones.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grid {
    /// What the columns mean.
    pub heads: Vec<String>,
    /// What was seen.
    pub rows: Vec<GridRow>,
}

/// One row of a grid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GridRow {
    /// How it went.
    pub mark: Mark,
    /// Under the heads, in their order; those that are missing are empty.
    pub cells: Vec<String>,
}

impl Grid {
    /// No rows yet.
    pub fn new(heads: &[&str]) -> Self {
        Self { heads: cells(heads), rows: Vec::new() }
    }

    /// Adds a row; those beyond the 64th are dropped.
    #[must_use]
    pub fn row(mut self, mark: Mark, texts: &[&str]) -> Self {
        if self.rows.len() < ROWS {
            self.rows.push(GridRow { mark, cells: cells(texts) });
        }
        self
    }

    /// Every text in it.
    pub fn texts_mut(&mut self) -> impl Iterator<Item = &mut String> {
        self.heads.iter_mut().chain(self.rows.iter_mut().flat_map(|row| &mut row.cells))
    }
}

fn cells(texts: &[&str]) -> Vec<String> {
    texts.iter().take(COLUMNS).map(|text| plain(text, CELL)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_enters_is_bounded_and_safe() {
        let long = "x".repeat(1000);
        let row = |grid: Grid| grid.row(Mark::Fail, &["a\u{1b}[2J", &long]);
        let grid = (0..100).fold(Grid::new(&["one", "two"]), |grid, _| row(grid));
        assert_eq!(grid.rows.len(), ROWS);
        assert!(!grid.rows[0].cells[0].contains('\u{1b}'), "{:?}", grid.rows[0]);
        assert!(grid.rows[0].cells[1].chars().count() <= CELL);
        assert_eq!(grid.clone().texts_mut().count(), 2 + 2 * ROWS);
    }
}
