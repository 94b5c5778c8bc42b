//! One frame that outlives the screen: as text, as SVG, as what a terminal shows.

mod svg;

pub use svg::Paper;

use super::{model::Model, screen, theme::Look, view};
use ratatui::{
    buffer::{Buffer, Cell, CellWidth as _},
    layout::{Rect, Size},
    style::Style,
};

/// A frame that was drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture(Buffer);

impl Picture {
    /// Draws `model` as the console would at that size.
    pub fn of(model: &Model, look: &Look, size: Size) -> Self {
        let size = screen::bounded(size);
        let mut buf = Buffer::empty(Rect::new(0, 0, size.width, size.height));
        if !buf.area.is_empty() {
            view::draw(model, look, &mut buf);
        }
        Self(buf)
    }

    /// Lets `scrub` change each line. One that it changes loses its colours.
    pub fn clean(&mut self, scrub: impl Fn(&mut String)) {
        for row in 0..self.0.area.height {
            let before = line(&self.0, row);
            let mut text = before.clone();
            scrub(&mut text);
            if text != before {
                let width = usize::from(self.0.area.width);
                for x in 0..self.0.area.width {
                    if let Some(cell) = self.0.cell_mut((x, row)) {
                        cell.reset();
                    }
                }
                self.0.set_stringn(0, row, &text, width, Style::new());
            }
        }
    }

    /// Its text, without blanks at the ends of lines.
    pub fn text(&self) -> String {
        let rows = 0..self.0.area.height;
        rows.fold(String::new(), |text, row| text + line(&self.0, row).trim_end() + "\n")
    }

    /// As an image.
    pub fn svg(&self, paper: Paper) -> String {
        svg::of(&self.0, paper)
    }

    /// As it is left in a terminal's scrollback: the lines up to the last that holds anything.
    pub fn scrollback(&self) -> String {
        // It is made of symbols and of ASCII.
        String::from_utf8(screen::scrollback(&self.0)).unwrap_or_default()
    }
}

/// The cells of a row, without those that a wide one hides.
fn cells(buf: &Buffer, row: u16) -> impl Iterator<Item = (u16, &Cell)> {
    let mut next = 0;
    (0..buf.area.width).filter_map(move |x| {
        let cell = buf.cell((x, row)).filter(|_| x >= next)?;
        next = x.saturating_add(cell.cell_width().max(1));
        Some((x, cell))
    })
}

fn line(buf: &Buffer, row: u16) -> String {
    cells(buf, row).map(|(_, cell)| cell.symbol()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::sample;

    fn home() -> Picture {
        Picture::of(&sample::model(), &sample::look(), Size::new(80, 24))
    }

    #[test]
    fn it_reads_like_the_screen() {
        let text = home().text();
        assert_eq!(text.lines().count(), 24);
        assert!(text.starts_with(" NO-GO   3 blockers"), "{text}");
        assert!(text.lines().all(|line| line == line.trim_end()));
    }

    #[test]
    fn a_wide_character_takes_its_place_once() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 8, 1));
        buf.set_string(0, 0, "日本 x", Style::new());
        assert_eq!(Picture(buf).text(), "日本 x\n");
    }

    #[test]
    fn a_line_that_holds_what_it_must_not_is_written_anew() {
        let mut picture = home();
        picture.clean(|text| *text = text.replace("postgres", "[secret]"));
        assert_eq!(picture, home(), "nothing is found, nothing changes");
        picture.clean(|text| *text = text.replace("127.0.0.1:5432", "[secret]"));
        assert!(!picture.text().contains("127.0.0.1:5432"), "{}", picture.text());
        assert!(picture.text().contains("[secret]"));
    }

    #[test]
    fn what_is_left_behind_has_its_colours_and_no_cursor_moves() {
        let left = home().scrollback();
        assert!(left.starts_with(' ') || left.starts_with("\u{1b}["), "{left:?}");
        assert!(!left.contains('H') || !left.contains("\u{1b}[2J"), "{left:?}");
        let mut terminal = vt100::Parser::new(26.try_into().unwrap(), 80.try_into().unwrap(), 0);
        terminal.process(left.replace('\n', "\r\n").as_bytes());
        let shown = terminal.screen().contents();
        assert_eq!(shown.lines().next(), home().text().lines().next());
        assert!(terminal.screen().cell(0, 1).unwrap().inverse(), "the verdict");
    }

    #[test]
    fn no_size_is_a_picture_of_nothing() {
        for size in [Size::new(0, 0), Size::new(0, 9), Size::new(9, 0)] {
            let picture = Picture::of(&sample::model(), &sample::look(), size);
            assert_eq!(picture.text().trim(), "");
            assert!(picture.svg(Paper::Dark).contains("</svg>"));
        }
    }
}
