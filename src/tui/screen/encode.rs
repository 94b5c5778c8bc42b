use ratatui::{
    buffer::{Buffer, Cell, CellWidth as _},
    style::{Color, Modifier},
};
use std::io::Write as _;

/// Turns changed cells into what a terminal understands, in as few bytes as it takes.
///
/// It remembers where the cursor is and which style is set, from one frame to
/// the next: a clock that ticks costs a cursor move and a digit. Whoever else
/// may have written to the terminal must [`forget`](Self::forget) both first.
#[derive(Debug, Default)]
pub(super) struct Encoder {
    at: Option<(u16, u16)>,
    pen: Pen,
}

/// The style that is set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Pen {
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

impl Pen {
    fn of(cell: &Cell) -> Self {
        Self { fg: cell.fg, bg: cell.bg, modifier: cell.modifier }
    }

    /// Whether `cell` looks with this pen as it should. A blank has no colour of
    /// its own and is neither bold nor dim.
    fn can_write(self, cell: &Cell) -> bool {
        let other = Self::of(cell);
        let paper = Modifier::REVERSED | Modifier::UNDERLINED;
        let blank = cell.symbol() == " "
            && self.bg == other.bg
            && self.modifier.intersection(paper) == other.modifier.intersection(paper);
        self == other || blank
    }
}

/// The longest gap that is shorter to write than to jump.
const GAP: u16 = 3;

/// The modifiers that we use, with their SGR numbers.
const MODIFIERS: [(Modifier, u8); 4] =
    [(Modifier::BOLD, 1), (Modifier::DIM, 2), (Modifier::UNDERLINED, 4), (Modifier::REVERSED, 7)];

impl Encoder {
    /// After a reset of style and cursor by other means.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// Appends what turns a screen that shows `shown` into one that shows `next`.
    pub(super) fn encode(&mut self, shown: &Buffer, next: &Buffer, out: &mut Vec<u8>) {
        let width = next.area.width;
        for (x, y, cell) in shown.diff_iter(next) {
            if self.at != Some((x, y)) && !self.fill(x, y, next, out) {
                self.go(x, y, out);
            }
            self.paint(Pen::of(cell), out);
            out.extend_from_slice(cell.symbol().as_bytes());
            self.at = after(x, y, cell, width);
        }
    }

    /// Appends a line of cells from its beginning to its last that shows anything.
    pub(super) fn line(&mut self, line: &Buffer, out: &mut Vec<u8>) {
        let shows =
            |cell: &Cell| cell.symbol() != " " || cell.modifier.contains(Modifier::REVERSED);
        let last = line.content.iter().rposition(shows).map_or(0, |at| at + 1);
        let mut hidden = 0;
        for cell in &line.content[..last] {
            if hidden > 0 {
                hidden -= 1;
                continue;
            }
            self.paint(Pen::of(cell), out);
            out.extend_from_slice(cell.symbol().as_bytes());
            hidden = cell.cell_width().saturating_sub(1);
        }
    }

    /// Bridges a gap of a few cells by writing them again, which is shorter than
    /// a move. False, and nothing written, where that would take another style.
    fn fill(&self, x: u16, y: u16, next: &Buffer, out: &mut Vec<u8>) -> bool {
        let Some((from, row)) = self.at else { return false };
        if row != y || from >= x || x - from > GAP {
            return false;
        }
        let begin = out.len();
        for cell in (from..x).filter_map(|x| next.cell((x, y))) {
            match cell.symbol().as_bytes() {
                [byte] if self.pen.can_write(cell) => out.push(*byte),
                _ => out.truncate(begin),
            }
        }
        let filled = out.len() - begin == usize::from(x - from);
        if !filled {
            out.truncate(begin);
        }
        filled
    }

    fn go(&self, x: u16, y: u16, out: &mut Vec<u8>) {
        // Writing to a Vec cannot fail.
        let _infallible = match self.at {
            Some((from, row)) if row == y && from < x => match x - from {
                1 => write!(out, "\x1b[C"),
                n => write!(out, "\x1b[{n}C"),
            },
            Some(_) | None if x == 0 => write!(out, "\x1b[{}H", u32::from(y) + 1),
            Some(_) | None => write!(out, "\x1b[{};{}H", u32::from(y) + 1, u32::from(x) + 1),
        };
    }

    fn paint(&mut self, pen: Pen, out: &mut Vec<u8>) {
        if pen == self.pen {
            return;
        }
        let mut from = self.pen;
        self.pen = pen;
        if pen == Pen::default() {
            out.extend_from_slice(b"\x1b[m");
            return;
        }
        out.extend_from_slice(b"\x1b[");
        let begin = out.len();
        if !pen.modifier.contains(from.modifier) {
            // A modifier can only be taken away by taking everything away.
            out.extend_from_slice(b"0;");
            from = Pen::default();
        }
        // Writing to a Vec cannot fail.
        for (modifier, number) in MODIFIERS {
            if pen.modifier.contains(modifier) && !from.modifier.contains(modifier) {
                let _infallible = write!(out, "{number};");
            }
        }
        if pen.fg != from.fg {
            colour(pen.fg, 30, out);
        }
        if pen.bg != from.bg {
            colour(pen.bg, 40, out);
        }
        if out.len() > begin {
            out.pop(); // the last `;`
        }
        out.push(b'm');
    }
}

/// Where the cursor is after a cell, if that is certain: terminals do not agree
/// on the end of a line, nor on the width of what is wide or composed.
fn after(x: u16, y: u16, cell: &Cell, width: u16) -> Option<(u16, u16)> {
    let plain = cell.symbol().chars().nth(1).is_none() && cell.cell_width() == 1;
    (plain && x + 1 < width).then_some((x + 1, y))
}

/// Appends the SGR numbers of `colour`; `base` is 30 for text and 40 for the background.
fn colour(colour: Color, base: u8, out: &mut Vec<u8>) {
    let number = match colour {
        Color::Reset => base + 9,
        Color::Black => base,
        Color::Red => base + 1,
        Color::Green => base + 2,
        Color::Yellow => base + 3,
        Color::Blue => base + 4,
        Color::Magenta => base + 5,
        Color::Cyan => base + 6,
        Color::Gray => base + 7,
        Color::DarkGray => base + 60,
        Color::LightRed => base + 61,
        Color::LightGreen => base + 62,
        Color::LightYellow => base + 63,
        Color::LightBlue => base + 64,
        Color::LightMagenta => base + 65,
        Color::LightCyan => base + 66,
        Color::White => base + 67,
        Color::Indexed(index) => {
            // Writing to a Vec cannot fail.
            let _infallible = write!(out, "{};5;{index};", base + 8);
            return;
        }
        Color::Rgb(r, g, b) => {
            let _infallible = write!(out, "{};2;{r};{g};{b};", base + 8);
            return;
        }
    };
    let _infallible = write!(out, "{number};");
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use ratatui::{layout::Rect, style::Style};

    const SIZE: Rect = Rect { x: 0, y: 0, width: 12, height: 4 };

    fn encoded(encoder: &mut Encoder, from: &Buffer, to: &Buffer) -> String {
        let mut out = Vec::new();
        encoder.encode(from, to, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_digit_that_changes_costs_a_move_and_a_digit() {
        let mut encoder = Encoder::default();
        let blank = Buffer::empty(SIZE);
        let mut first = blank.clone();
        first.set_string(2, 1, "14:07", Style::new());
        assert_eq!(encoded(&mut encoder, &blank, &first), "\x1b[2;3H14:07");
        let mut second = first.clone();
        second.set_string(6, 1, "8", Style::new());
        second.set_string(9, 1, "x", Style::new());
        let expected = "\x1b[2;7H8  x";
        assert_eq!(encoded(&mut encoder, &first, &second), expected);
        assert_eq!(encoded(&mut encoder, &second, &second), "");
    }

    #[test]
    fn a_gap_is_jumped_where_writing_it_again_would_be_longer_or_look_different() {
        let blank = Buffer::empty(SIZE);
        let ends = |from: &Buffer| {
            let mut next = from.clone();
            next.set_string(0, 0, "a", Style::new());
            next.set_string(4, 0, "b", Style::new());
            encoded(&mut Encoder::default(), from, &next)
        };
        assert_eq!(ends(&blank), "\x1b[1Ha   b");
        let mut text = blank.clone();
        text.set_string(1, 0, "xyz", Style::new());
        assert_eq!(ends(&text), "\x1b[1Haxyzb");
        text.set_string(2, 0, "y", Style::new().fg(Color::Red));
        assert_eq!(ends(&text), "\x1b[1Ha\x1b[3Cb");
        text.set_string(2, 0, "✓", Style::new());
        assert_eq!(ends(&text), "\x1b[1Ha\x1b[3Cb");
    }

    #[test]
    fn only_what_changes_of_a_style_is_said() {
        let mut encoder = Encoder::default();
        let blank = Buffer::empty(SIZE);
        let mut next = blank.clone();
        let bold = Style::new().add_modifier(Modifier::BOLD);
        next.set_string(0, 0, "a", bold);
        next.set_string(1, 0, "b", bold.fg(Color::Red));
        next.set_string(2, 0, "c", Style::new().fg(Color::Red));
        next.set_string(3, 0, "d", Style::new());
        let expected = "\x1b[1H\x1b[1ma\x1b[31mb\x1b[0;31mc\x1b[md";
        assert_eq!(encoded(&mut encoder, &blank, &next), expected);
    }

    #[test]
    fn after_a_cell_of_doubtful_width_the_cursor_is_set_again() {
        let mut encoder = Encoder::default();
        let blank = Buffer::empty(SIZE);
        let mut next = blank.clone();
        next.set_string(0, 0, "日x", Style::new());
        next.set_string(11, 2, "yz", Style::new());
        next.set_string(0, 3, "z", Style::new());
        let expected = "\x1b[1H日\x1b[1;3Hx\x1b[3;12Hy\x1b[4Hz";
        assert_eq!(encoded(&mut encoder, &blank, &next), expected);
    }

    fn styles() -> impl Strategy<Value = Style> {
        let colour = prop_oneof![
            Just(Color::Reset),
            Just(Color::Red),
            Just(Color::White),
            Just(Color::Indexed(200)),
            Just(Color::Rgb(1, 2, 3)),
        ];
        let modifier = prop_oneof![
            Just(Modifier::empty()),
            Just(Modifier::BOLD),
            Just(Modifier::DIM),
            Just(Modifier::BOLD | Modifier::REVERSED),
            Just(Modifier::UNDERLINED),
        ];
        (colour.clone(), colour, modifier)
            .prop_map(|(fg, bg, modifier)| Style::new().fg(fg).bg(bg).add_modifier(modifier))
    }

    fn screens(
        text: impl Strategy<Value = String>,
        style: impl Strategy<Value = Style>,
    ) -> impl Strategy<Value = Vec<Buffer>> {
        let put = (0..SIZE.width, 0..SIZE.height, text, style);
        let screen = proptest::collection::vec(put, 0..12).prop_map(|puts| {
            let mut buf = Buffer::empty(SIZE);
            for (x, y, text, style) in puts {
                // Half a wide cell is not a screen.
                let from = if x > 0 && buf[(x - 1, y)].cell_width() > 1 { x - 1 } else { x };
                (from..SIZE.width).for_each(|x| buf[(x, y)].reset());
                buf.set_string(x, y, text, style);
            }
            buf
        });
        proptest::collection::vec(screen, 1..5)
    }

    fn colour_of(colour: vt100::Color) -> Color {
        match colour {
            vt100::Color::Default => Color::Reset,
            vt100::Color::Idx(1) => Color::Red,
            vt100::Color::Idx(15) => Color::White,
            vt100::Color::Idx(index) => Color::Indexed(index),
            vt100::Color::Rgb(r, g, b) => Color::Rgb(r, g, b),
        }
    }

    /// What an independent terminal makes of the frames, and the last of them.
    fn shown(frames: &[Buffer]) -> (vt100::Parser, &Buffer) {
        let size = [SIZE.height, SIZE.width].map(|n| n.try_into().unwrap());
        let mut terminal = vt100::Parser::new(size[0], size[1], 0);
        let (mut encoder, blank) = (Encoder::default(), Buffer::empty(SIZE));
        let before = std::iter::once(&blank).chain(frames);
        for (shown, next) in before.zip(frames) {
            terminal.process(encoded(&mut encoder, shown, next).as_bytes());
        }
        (terminal, frames.last().unwrap())
    }

    fn check(terminal: &vt100::Parser, drawn: &Buffer) -> Result<(), TestCaseError> {
        for (x, y) in (0..SIZE.height).flat_map(|y| (0..SIZE.width).map(move |x| (x, y))) {
            let (drawn, seen) = (&drawn[(x, y)], terminal.screen().cell(y, x).unwrap());
            if seen.is_wide_continuation() {
                continue;
            }
            let symbol = if seen.contents().is_empty() { " " } else { seen.contents() };
            prop_assert_eq!(drawn.symbol(), symbol, "at {}, {}", x, y);
            let has = |modifier| drawn.modifier.contains(modifier);
            prop_assert_eq!(drawn.bg, colour_of(seen.bgcolor()));
            prop_assert_eq!(has(Modifier::REVERSED), seen.inverse());
            prop_assert_eq!(has(Modifier::UNDERLINED), seen.underline());
            if symbol != " " {
                prop_assert_eq!(drawn.fg, colour_of(seen.fgcolor()));
                prop_assert_eq!(has(Modifier::BOLD), seen.bold());
                prop_assert_eq!(has(Modifier::DIM), seen.dim());
            }
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn a_terminal_shows_what_was_drawn(
            frames in screens(prop_oneof!["[ -~]{1,9}", "[✓✗─⣀█é]{1,5}"], styles())
        ) {
            let (terminal, drawn) = shown(&frames);
            check(&terminal, drawn)?;
        }

        // Terminals do not agree on the background of half a wide cell that is left over.
        #[test]
        fn what_is_wide_moves_nothing_beside_it(
            frames in screens(prop_oneof!["[ -~]{1,5}", "[日本語]{1,3}"], Just(Style::new()))
        ) {
            let (terminal, drawn) = shown(&frames);
            check(&terminal, drawn)?;
        }
    }
}
