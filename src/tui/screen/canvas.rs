use super::encode::Encoder;
use ratatui::{
    buffer::Buffer,
    layout::{Rect, Size},
};
use std::cmp;

/// The largest screen that is drawn: more is a mistake of the terminal's and
/// would only cost memory.
const MOST: Size = Size { width: 500, height: 200 };
/// A frame up to this size arrives in one piece and cannot tear.
const SMALL: usize = 128;
const BEGIN: &[u8] = b"\x1b[?2026h";
const END: &[u8] = b"\x1b[?2026l";

/// The part of `size` that is drawn.
pub(in crate::tui) fn bounded(size: Size) -> Size {
    Size::new(cmp::min(size.width, MOST.width), cmp::min(size.height, MOST.height))
}

/// Whether a frame is marked for the terminal to show at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sync {
    /// With mode 2026. A terminal that does not know it ignores it.
    Marked,
    /// For terminals that would show the marks.
    Plain,
}

/// What the terminal shows and what it is to show.
#[derive(Debug)]
pub struct Canvas {
    shown: Buffer,
    next: Buffer,
    encoder: Encoder,
    whole: bool,
    sync: Sync,
}

impl Canvas {
    /// A canvas of which the terminal knows nothing yet.
    pub fn new(sync: Sync) -> Self {
        Self {
            shown: Buffer::default(),
            next: Buffer::default(),
            encoder: Encoder::default(),
            whole: true,
            sync,
        }
    }

    /// Makes the next frame a whole one: nobody knows what the terminal shows.
    pub fn forget(&mut self) {
        self.whole = true;
    }

    /// Paints a frame and returns what the terminal needs to be told: nothing
    /// at all where nothing changed.
    pub fn frame(&mut self, size: Size, paint: impl FnOnce(&mut Buffer)) -> Option<Vec<u8>> {
        let Size { width, height } = bounded(size);
        let area = Rect::new(0, 0, width, height);
        if area.is_empty() {
            return None;
        }
        if self.next.area != area {
            (self.shown, self.next) = (Buffer::empty(area), Buffer::empty(area));
            self.whole = true;
        }
        self.next.reset();
        paint(&mut self.next);
        let mut out = Vec::with_capacity(256);
        out.extend_from_slice(BEGIN);
        if self.whole {
            out.extend_from_slice(b"\x1b[m\x1b[H\x1b[2J");
            self.shown.reset();
            self.encoder.forget();
        }
        let before = out.len();
        self.encoder.encode(&self.shown, &self.next, &mut out);
        if out.len() == before && !self.whole {
            return None;
        }
        std::mem::swap(&mut self.shown, &mut self.next);
        let large = out.len() > BEGIN.len() + SMALL;
        if self.sync == Sync::Marked && (large || self.whole) {
            out.extend_from_slice(END);
        } else {
            out.drain(..BEGIN.len());
        }
        self.whole = false;
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::style::Style;

    const SIZE: Size = Size { width: 20, height: 3 };

    fn frame(canvas: &mut Canvas, text: &str) -> Option<String> {
        let bytes = canvas.frame(SIZE, |buf| buf.set_string(0, 0, text, Style::new()));
        bytes.map(|bytes| String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn the_first_frame_is_whole_and_an_unchanged_one_is_nothing() {
        let mut canvas = Canvas::new(Sync::Marked);
        let whole = "\x1b[?2026h\x1b[m\x1b[H\x1b[2J\x1b[1Hhello\x1b[?2026l";
        assert_eq!(frame(&mut canvas, "hello").as_deref(), Some(whole));
        assert_eq!(frame(&mut canvas, "hello"), None);
        assert_eq!(frame(&mut canvas, "hallo").as_deref(), Some("\x1b[1;2Ha"));
        canvas.forget();
        assert_eq!(frame(&mut canvas, "hello").as_deref(), Some(whole));
    }

    #[test]
    fn what_may_tear_is_marked_if_the_terminal_may_see_marks() {
        let marked = |sync, length| {
            let mut canvas = Canvas::new(sync);
            let size = Size::new(200, 1);
            canvas.frame(size, |_| {});
            let text = "x".repeat(length);
            let frame = canvas.frame(size, |buf| buf.set_string(0, 0, text, Style::new())).unwrap();
            (frame.starts_with(BEGIN), frame.ends_with(END))
        };
        assert_eq!(marked(Sync::Marked, 120), (false, false));
        assert_eq!(marked(Sync::Marked, 150), (true, true));
        assert_eq!(marked(Sync::Plain, 150), (false, false));
    }

    #[test]
    fn a_new_size_is_a_whole_frame_and_no_size_is_none() {
        let mut canvas = Canvas::new(Sync::Plain);
        frame(&mut canvas, "hello");
        for size in [Size::new(0, 5), Size::new(5, 0), Size::new(0, 0)] {
            assert_eq!(canvas.frame(size, |_| unreachable!("nothing to draw on")), None);
        }
        let other = canvas.frame(Size::new(30, 3), |_| {}).unwrap();
        assert_eq!(other, b"\x1b[m\x1b[H\x1b[2J");
    }

    #[test]
    fn a_terminal_that_claims_to_be_huge_costs_little() {
        let mut canvas = Canvas::new(Sync::Plain);
        let mut area = Rect::default();
        canvas.frame(Size::new(u16::MAX, u16::MAX), |buf| area = buf.area);
        assert_eq!((area.width, area.height), (MOST.width, MOST.height));
    }
}
