use crate::{
    domain::plain,
    tui::{
        glyphs::Sign,
        theme::{Look, Role},
    },
};
use ratatui::{buffer::Buffer, layout::Rect, style::Style};
use std::{
    cmp,
    fmt::{self, Write as _},
};
use unicode_width::UnicodeWidthChar as _;

/// Characters of a text that are looked at for each column that there is.
const DENSE: usize = 4;

/// Part of one line. Cutting more than there is leaves nothing, never an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) struct Slot {
    pub(in crate::tui) x: u16,
    pub(in crate::tui) y: u16,
    pub(in crate::tui) width: u16,
}

impl Slot {
    /// The line `row` of `area`; of no width if there is no such line.
    pub(in crate::tui) fn of(area: Rect, row: u16) -> Self {
        let width = if row < area.height { area.width } else { 0 };
        Self { x: area.x, y: area.y.saturating_add(row), width }
    }

    /// The first `columns`, and the rest.
    pub(in crate::tui) fn split(self, columns: u16) -> (Self, Self) {
        let columns = cmp::min(columns, self.width);
        (Self { width: columns, ..self }, self.skip(columns))
    }

    /// Everything but the last `columns`, and those.
    pub(in crate::tui) fn split_last(self, columns: u16) -> (Self, Self) {
        self.split(self.width.saturating_sub(columns))
    }

    /// Without the first `columns`.
    pub(in crate::tui) fn skip(self, columns: u16) -> Self {
        let columns = cmp::min(columns, self.width);
        Self { x: self.x.saturating_add(columns), width: self.width - columns, ..self }
    }
}

/// Where a view writes. Nothing can be written outside of the buffer.
pub(in crate::tui) struct Page<'a> {
    buf: &'a mut Buffer,
    look: &'a Look,
    line: String,
}

impl<'a> Page<'a> {
    pub(in crate::tui) fn new(buf: &'a mut Buffer, look: &'a Look) -> Self {
        Self { buf, look, line: String::with_capacity(256) }
    }

    pub(in crate::tui) fn area(&self) -> Rect {
        self.buf.area
    }

    pub(in crate::tui) fn look(&self) -> &'a Look {
        self.look
    }

    /// Writes `text` and returns what is left of the slot. A text that does not
    /// fit is cut, and says so.
    pub(in crate::tui) fn put(&mut self, slot: Slot, text: &str, role: Role) -> Slot {
        let Some(slot) = self.visible(slot) else { return slot };
        let style = self.look.palette.style(role);
        if text.is_ascii() {
            return self.put_ascii(slot, text, style);
        }
        // Text from outside: what cannot be printed is shown as `<U+202E>`.
        let safe = plain(text, usize::from(slot.width) * DENSE + 1);
        if self.look.glyphs.unicode {
            self.put_wide(slot, &safe, style)
        } else {
            let ascii: String = safe.chars().map(|c| self.as_ascii(c)).collect();
            self.put_ascii(slot, &ascii, style)
        }
    }

    /// Writes formatted text, without an allocation of its own.
    pub(in crate::tui) fn print(&mut self, slot: Slot, role: Role, text: fmt::Arguments) -> Slot {
        let line = self.formatted(text);
        let rest = self.put(slot, &line, role);
        self.line = line;
        rest
    }

    /// Writes formatted text at the right end of the slot; returns what is left before it.
    pub(in crate::tui) fn print_right(
        &mut self,
        slot: Slot,
        role: Role,
        text: fmt::Arguments,
    ) -> Slot {
        let line = self.formatted(text);
        let width = u16::try_from(width(&line)).unwrap_or(u16::MAX);
        let (before, here) = slot.split_last(width);
        self.put(here, &line, role);
        self.line = line;
        before
    }

    /// Writes one of our own characters; returns what is left of the slot.
    pub(in crate::tui) fn sign(&mut self, slot: Slot, sign: Sign) -> Slot {
        let glyph = self.look.glyphs.sign(sign);
        self.glyph(slot, glyph, sign.role())
    }

    /// Writes one of our own characters; returns what is left of the slot.
    pub(in crate::tui) fn glyph(&mut self, slot: Slot, glyph: char, role: Role) -> Slot {
        let Some(slot) = self.visible(slot) else { return slot };
        self.cell(slot.x, slot.y, glyph, self.look.palette.style(role));
        slot.skip(1)
    }

    /// A rule across the line with the pane's title on it, and a note at its end.
    pub(in crate::tui) fn title(&mut self, slot: Slot, title: &str, note: fmt::Arguments) {
        let rule = self.look.glyphs.rule;
        let mut rest = slot;
        while rest.width > 0 {
            let next = self.glyph(rest, rule, Role::Muted);
            if next == rest {
                break;
            }
            rest = next;
        }
        let note = self.formatted(note);
        let room = slot.width.saturating_sub(6);
        let named = cmp::min(u16::try_from(width(title)).unwrap_or(u16::MAX), room);
        self.enclosed(slot.skip(1).split(named + 2).0, title, Role::Strong);
        let noted = u16::try_from(width(&note)).unwrap_or(u16::MAX);
        if noted > 0 && named + noted + 6 <= slot.width {
            let (_, last) = slot.split_last(noted + 3);
            self.enclosed(last.split(noted + 2).0, &note, Role::Muted);
        }
        self.line = note;
    }

    /// A text with a blank on either side.
    fn enclosed(&mut self, slot: Slot, text: &str, role: Role) {
        let rest = self.put(slot, " ", role);
        let (inner, last) = rest.split_last(1);
        self.put(inner, text, role);
        self.put(last, " ", role);
    }

    fn formatted(&mut self, text: fmt::Arguments) -> String {
        let mut line = std::mem::take(&mut self.line);
        line.clear();
        // Writing to a String cannot fail.
        let _infallible = line.write_fmt(text);
        line
    }

    /// The part of the slot that is in the buffer, unless that is nothing.
    fn visible(&self, slot: Slot) -> Option<Slot> {
        let area = self.buf.area;
        let inside = (area.top()..area.bottom()).contains(&slot.y)
            && (area.left()..area.right()).contains(&slot.x)
            && slot.width > 0;
        let width = cmp::min(slot.width, area.right().saturating_sub(slot.x));
        inside.then_some(Slot { width, ..slot })
    }

    fn put_ascii(&mut self, slot: Slot, text: &str, style: Style) -> Slot {
        let width = usize::from(slot.width);
        let cut = text.len() > width;
        let shown = if cut { width - 1 } else { text.len() };
        let mut x = slot.x;
        for byte in &text.as_bytes()[..shown] {
            let printable = if byte.is_ascii_control() { '?' } else { char::from(*byte) };
            self.cell(x, slot.y, printable, style);
            x += 1;
        }
        if cut {
            self.cell(x, slot.y, self.look.glyphs.cut, style);
            x += 1;
        }
        slot.skip(x - slot.x)
    }

    fn put_wide(&mut self, slot: Slot, text: &str, style: Style) -> Slot {
        let room = usize::from(slot.width);
        let (shown, cut) = fit(text, room);
        let (mut x, _) = self.buf.set_stringn(slot.x, slot.y, shown, room, style);
        if cut && x < slot.x + slot.width {
            self.cell(x, slot.y, self.look.glyphs.cut, style);
            x += 1;
        }
        slot.skip(x.saturating_sub(slot.x))
    }

    fn as_ascii(&self, c: char) -> char {
        match c {
            '…' => self.look.glyphs.cut,
            c if c.is_ascii() => c,
            _ => '?',
        }
    }

    fn cell(&mut self, x: u16, y: u16, symbol: char, style: Style) {
        if let Some(cell) = self.buf.cell_mut((x, y)) {
            cell.set_char(symbol).set_style(style);
        }
    }
}

/// Columns that `text` takes.
pub(in crate::tui) fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.chars().map(columns).sum() }
}

fn columns(c: char) -> usize {
    c.width().unwrap_or(0)
}

/// As much of `text` as fits into `room` columns, one of them kept for the mark
/// of a cut if there is one.
fn fit(text: &str, room: usize) -> (&str, bool) {
    let (mut used, mut keep) = (0, 0);
    for (at, c) in text.char_indices() {
        let next = used + columns(c);
        if next > room {
            return (&text[..keep], true);
        }
        if next < room {
            keep = at + c.len_utf8();
        }
        used = next;
    }
    (text, false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::{Glyphs, sample};

    fn drawn(look: &Look, width: u16, text: &str) -> String {
        let mut buf = Buffer::empty(Rect::new(0, 0, 12, 1));
        let slot = Slot { x: 0, y: 0, width };
        Page::new(&mut buf, look).put(slot, text, Role::Plain);
        buf.content.iter().map(ratatui::buffer::Cell::symbol).collect()
    }

    #[test]
    fn a_text_that_does_not_fit_is_cut_and_says_so() {
        let look = sample::look();
        assert_eq!(drawn(&look, 5, "refused"), "refu…       ");
        assert_eq!(drawn(&look, 7, "refused"), "refused     ");
        assert_eq!(drawn(&look, 0, "refused"), "            ");
        assert_eq!(drawn(&look, 5, "größer"), "größ…       ");
        assert_eq!(drawn(&look, 6, "größer"), "größer      ");
    }

    #[test]
    fn a_wide_character_is_never_cut_in_half() {
        let look = sample::look();
        assert_eq!(
            drawn(&look, 5, "日本語"),
            "日 本 …       ",
            "a wide cell hides its second column"
        );
        assert_eq!(drawn(&look, 6, "日本語"), "日 本 語       ");
        assert_eq!(drawn(&look, 1, "日本語"), "…           ");
    }

    #[test]
    fn nothing_that_could_move_the_cursor_gets_through() {
        let look = sample::look();
        assert_eq!(drawn(&look, 12, "a\u{1b}[31mb"), "a?[31mb     ");
        assert_eq!(drawn(&look, 12, "é\u{202e}b"), "é<U+202E>b  ");
    }

    #[test]
    fn ascii_terminals_get_ascii_only() {
        let look = Look { glyphs: Glyphs::ASCII, ..sample::look() };
        assert_eq!(drawn(&look, 8, "größer…"), "gr??er~     ");
        assert_eq!(drawn(&look, 4, "refused"), "ref~        ");
    }

    #[test]
    fn a_title_stands_on_its_rule_and_gives_way_to_nothing() {
        let rule = |width| {
            let mut buf = Buffer::empty(Rect::new(0, 0, width, 1));
            let area = buf.area;
            let look = sample::look();
            let mut page = Page::new(&mut buf, &look);
            page.title(Slot::of(area, 0), "EVENTS", format_args!("{} of 9", 3));
            buf.content.iter().map(ratatui::buffer::Cell::symbol).collect::<String>()
        };
        assert_eq!(rule(24), "─ EVENTS ────── 3 of 9 ─");
        assert_eq!(rule(14), "─ EVENTS ─────");
        assert_eq!(rule(10), "─ EVE… ───");
        assert_eq!(rule(1), "─");
    }

    #[test]
    fn a_slot_outside_of_the_buffer_is_left_alone() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 4, 2));
        let look = sample::look();
        let mut page = Page::new(&mut buf, &look);
        for (x, y) in [(4, 0), (0, 2), (u16::MAX, u16::MAX)] {
            let slot = Slot { x, y, width: u16::MAX };
            page.put(slot, "text", Role::Plain);
            page.glyph(slot, 'x', Role::Plain);
            page.title(slot, "TITLE", format_args!("note"));
        }
        assert_eq!(buf, Buffer::empty(Rect::new(0, 0, 4, 2)));
    }
}
