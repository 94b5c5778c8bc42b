//! How the model looks. Pure: a model in, cells out.

mod blockers;
mod detail;
mod events;
mod evidence;
mod footer;
mod full;
mod grid;
mod header;
mod help;
mod home;
mod integration;
mod memory;
mod overview;
mod page;
mod palette;
mod perf;
mod since;
mod strip;

pub(super) use evidence::{entries, to_do, with_facts};
pub(super) use page::{Page, Slot, width};

use super::{
    model::{Model, Screen},
    theme::Look,
    update::Typing,
    widget::WINDOWS,
};
use ratatui::{
    buffer::Buffer,
    layout::{Rect, Size},
};
use std::cmp;

/// Under this size there is room for the verdict and nothing else.
const LINE: (u16, u16) = (40, 5);
/// Under this height the table of integrations is one line.
const TABLE: u16 = 11;

/// Draws the model over the whole of `buf`, which is blank.
pub fn draw(model: &Model, look: &Look, buf: &mut Buffer) {
    let page = &mut Page::new(buf, look);
    let area = page.area();
    header::draw(page, Slot::of(area, 0), model);
    if area.width < LINE.0 || area.height < LINE.1 {
        return;
    }
    let body = Rect { y: area.y + 1, height: area.height - 1, ..area };
    if let Some(Typing::Command(command)) = &model.typing {
        palette::draw(page, body, model, command);
        return;
    }
    match (model.help, &model.screen) {
        (Some(top), _) => help::draw(page, body, model, top),
        (None, Screen::Integration(_)) => integration::draw(page, body, model),
        (None, Screen::Tests) => perf::draw(page, body, model),
        (None, Screen::Full(full)) => full::draw(page, body, model, full),
        (None, Screen::Home) if area.height < TABLE => strip::draw(page, body, model),
        (None, Screen::Home) => home::draw(page, body, model),
    }
}

/// The integration that the home screen of that model shows on line `line`, if any.
pub(super) fn row_at(model: &Model, line: u16) -> Option<usize> {
    let Size { width, height } = model.size;
    let too_small = width < LINE.0 || height < TABLE;
    let body = Rect::new(0, 1, width, height.checked_sub(1).filter(|_| !too_small)?);
    home::row_at(body, model, line)
}

/// Which of the spans the graphs show that choose one by themselves.
pub(super) fn span(model: &Model) -> usize {
    let free = Model { zoom: None, ..model.clone() };
    let window = memory::subject(&free).map(|check| memory::graph(&free, check).window());
    WINDOWS.iter().position(|known| Some(*known) == window).unwrap_or(WINDOWS.len() - 1)
}

/// Cuts an area into panes, one below the other.
struct Stack {
    left: Rect,
}

impl Stack {
    fn new(area: Rect) -> Self {
        Self { left: area }
    }

    /// The next `rows`, or what is left of them.
    fn take(&mut self, rows: u16) -> Rect {
        let height = cmp::min(rows, self.left.height);
        let taken = Rect { height, ..self.left };
        self.left.y += height;
        self.left.height -= height;
        taken
    }

    /// The next line.
    fn line(&mut self) -> Slot {
        Slot::of(self.take(1), 0)
    }

    /// The last line.
    fn last_line(&mut self) -> Slot {
        let height = self.left.height.saturating_sub(1);
        let slot = Slot::of(self.left, height);
        self.left.height = height;
        slot
    }
}

/// Shares `room` among panes that are named in the order of their importance,
/// each with the least that makes sense and the most that it can use. One that
/// cannot have its least gets nothing.
fn share<const N: usize>(room: u16, wants: [(u16, u16); N]) -> [u16; N] {
    let (mut left, mut got) = (room, [0; N]);
    for (got, (least, _)) in got.iter_mut().zip(wants) {
        if least <= left {
            *got = least;
            left -= least;
        }
    }
    for (got, (least, most)) in got.iter_mut().zip(wants) {
        if *got == least {
            let more = cmp::min(left, most.saturating_sub(*got));
            *got += more;
            left -= more;
        }
    }
    got
}

/// Two panes side by side with two columns between them.
fn side_by_side(area: Rect, left: u16) -> (Rect, Rect) {
    let left = cmp::min(left, area.width);
    let right = cmp::min(left + 2, area.width);
    (Rect { width: left, ..area }, Rect { x: area.x + right, width: area.width - right, ..area })
}

/// Without the first column.
fn indented(area: Rect) -> Rect {
    let column = cmp::min(1, area.width);
    Rect { x: area.x + column, width: area.width - column, ..area }
}

/// The first row to show so that `selected` is seen, in the middle where that is possible.
fn first_row(selected: usize, count: usize, visible: usize) -> usize {
    cmp::min(selected.saturating_sub(visible / 2), count.saturating_sub(visible))
}

#[cfg(test)]
mod tests;
