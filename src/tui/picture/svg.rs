use super::{cells, line};
use crate::tui::theme::exact;
use ratatui::{
    buffer::{Buffer, Cell},
    style::{Color, Modifier},
};
use std::fmt::Write as _;

/// Tenths of a pixel that a cell is wide,
const COLUMN: u32 = 84;
/// pixels that it is high,
const ROW: u32 = 18;
/// from its top to the line that letters stand on,
const BASELINE: u32 = 14;
/// and around everything.
const MARGIN: u32 = 8;

/// What an image is drawn on: a terminal brings its own colours, an image has to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Paper {
    /// Light on dark.
    #[default]
    Dark,
    /// Dark on light.
    Light,
}

/// Cells of one style side by side.
struct Run {
    x: u16,
    columns: u16,
    text: String,
    ink: Ink,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Ink {
    colour: Color,
    modifier: Modifier,
}

impl Paper {
    fn text(self) -> &'static str {
        match self {
            Self::Dark => "#d5d8da",
            Self::Light => "#24292e",
        }
    }

    fn ground(self) -> &'static str {
        match self {
            Self::Dark => "#16181a",
            Self::Light => "#ffffff",
        }
    }

    /// The hue that stands for one of the terminal's own.
    fn colour(self, colour: Color) -> String {
        let [dark, light] = match colour {
            Color::Red | Color::LightRed => ["#e5675c", "#b3261e"],
            Color::Green | Color::LightGreen => ["#7fb765", "#1a7f37"],
            Color::Yellow | Color::LightYellow => ["#e0b050", "#8a6100"],
            Color::Blue | Color::LightBlue => ["#6a9fd8", "#0b5cad"],
            Color::Magenta | Color::LightMagenta => ["#b98cce", "#8a3fa0"],
            Color::Cyan | Color::LightCyan => ["#62b9b4", "#13707a"],
            Color::Rgb(r, g, b) => return format!("#{r:02x}{g:02x}{b:02x}"),
            Color::Indexed(index) => match exact(index) {
                Some((r, g, b)) => return format!("#{r:02x}{g:02x}{b:02x}"),
                None => [self.text(); 2],
            },
            Color::Reset | Color::Black | Color::Gray | Color::DarkGray | Color::White => {
                [self.text(); 2]
            }
        };
        match self {
            Self::Dark => dark.into(),
            Self::Light => light.into(),
        }
    }
}

/// The image of a frame. Every run of text is held to its columns, whichever font there is.
pub(super) fn of(buf: &Buffer, paper: Paper) -> String {
    let (columns, rows) = (u32::from(buf.area.width), u32::from(buf.area.height));
    let width = (columns * COLUMN).div_ceil(10) + 2 * MARGIN;
    let height = rows * ROW + 2 * MARGIN;
    let says = if rows > 0 { line(buf, 0) } else { String::new() };
    let says = says.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut out = String::with_capacity(64 * 1024);
    // Writing to a String cannot fail.
    let _infallible = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" role=\"img\">\n<title>{}</title>\n\
         <rect width=\"{width}\" height=\"{height}\" rx=\"6\" fill=\"{}\"/>\n\
         <g font-family=\"'DejaVu Sans Mono','Menlo','Consolas',monospace\" font-size=\"14\" \
         fill=\"{}\" xml:space=\"preserve\">",
        escaped(&says),
        paper.ground(),
        paper.text(),
    );
    for row in 0..buf.area.height {
        for run in runs(buf, row) {
            draw(&mut out, &run, row, paper);
        }
    }
    out.push_str("</g>\n</svg>\n");
    out
}

/// The runs of a row; blanks that show nothing are in none of them.
fn runs(buf: &Buffer, row: u16) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (x, cell) in cells(buf, row) {
        let ink = Ink::of(cell);
        let columns = u16::try_from(cell.symbol().chars().count().clamp(1, 2)).unwrap_or(1);
        let wide = unicode_width::UnicodeWidthStr::width(cell.symbol());
        let columns = u16::try_from(wide).map_or(columns, |wide| wide.clamp(1, 2));
        let shows = cell.symbol() != " " || ink.modifier.contains(Modifier::REVERSED);
        match runs.last_mut() {
            Some(last) if shows && last.ink == ink && last.x + last.columns == x => {
                last.text.push_str(cell.symbol());
                last.columns += columns;
            }
            // One blank between two words of a text belongs to it.
            Some(last) if shows && last.ink == ink && last.x + last.columns + 1 == x => {
                last.text.push(' ');
                last.text.push_str(cell.symbol());
                last.columns += 1 + columns;
            }
            Some(_) | None if shows => {
                runs.push(Run { x, columns, text: cell.symbol().to_owned(), ink });
            }
            Some(_) | None => {}
        }
    }
    runs
}

impl Ink {
    fn of(cell: &Cell) -> Self {
        Self { colour: cell.fg, modifier: cell.modifier }
    }
}

fn draw(out: &mut String, run: &Run, row: u16, paper: Paper) {
    let tenths = |columns: u16| u32::from(columns) * COLUMN;
    let place = |tenths: u32| format!("{}.{}", tenths / 10, tenths % 10);
    let left = tenths(run.x) + MARGIN * 10;
    let top = u32::from(row) * ROW + MARGIN;
    let (x, length) = (place(left), place(tenths(run.columns)));
    let colour = paper.colour(run.ink.colour);
    let reversed = run.ink.modifier.contains(Modifier::REVERSED);
    // Writing to a String cannot fail.
    if reversed {
        let _infallible = writeln!(
            out,
            "<rect x=\"{x}\" y=\"{top}\" width=\"{length}\" height=\"{ROW}\" fill=\"{colour}\"/>"
        );
    }
    let _infallible = write!(
        out,
        "<text x=\"{x}\" y=\"{}\" textLength=\"{length}\" lengthAdjust=\"spacingAndGlyphs\"",
        top + BASELINE
    );
    if reversed {
        let _infallible = write!(out, " fill=\"{}\"", paper.ground());
    } else if run.ink.colour != Color::Reset {
        let _infallible = write!(out, " fill=\"{colour}\"");
    }
    if run.ink.modifier.contains(Modifier::BOLD) {
        out.push_str(" font-weight=\"bold\"");
    }
    if run.ink.modifier.contains(Modifier::DIM) {
        out.push_str(" opacity=\"0.62\"");
    }
    let _infallible = writeln!(out, ">{}</text>", escaped(&run.text));
}

/// What XML allows, with its own signs written out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('?'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::{picture::Picture, sample};
    use ratatui::{
        layout::{Rect, Size},
        style::Style,
    };

    #[test]
    fn each_style_is_a_run_of_its_own_and_blanks_are_none() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 20, 1));
        buf.set_string(0, 0, " GO ", Style::new().fg(Color::Green).reversed());
        buf.set_string(6, 0, "a <b>  c", Style::new());
        let svg = of(&buf, Paper::Dark);
        let texts: Vec<&str> = svg.lines().filter(|line| line.starts_with("<text")).collect();
        assert_eq!(texts.len(), 3, "{svg}");
        assert!(texts[0].ends_with("fill=\"#16181a\"> GO </text>"), "{}", texts[0]);
        assert!(texts[1].contains("textLength=\"42.0\""), "{}", texts[1]);
        assert!(texts[1].ends_with(">a &lt;b&gt;</text>"), "{}", texts[1]);
        assert!(svg.contains("<title>GO a &lt;b&gt; c</title>"), "{svg}");
    }

    #[test]
    fn both_papers_show_the_same_text() {
        let picture = Picture::of(&sample::model(), &sample::look(), Size::new(80, 24));
        let text = |paper| {
            let svg = picture.svg(paper);
            let inner = |line: &str| line.split_once('>').map(|(_, rest)| rest.to_owned());
            svg.lines()
                .filter(|line| line.starts_with("<text"))
                .filter_map(inner)
                .collect::<Vec<_>>()
        };
        assert_eq!(text(Paper::Dark), text(Paper::Light));
        assert_ne!(picture.svg(Paper::Dark), picture.svg(Paper::Light));
    }
}
