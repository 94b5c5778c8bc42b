use super::encode::Encoder;
use ratatui::{buffer::Buffer, layout::Rect};

/// The lines of a frame as they stay in a terminal after it: no cursor moves, each
/// line without blanks at its end, none after the last that shows anything.
pub(in crate::tui) fn scrollback(buf: &Buffer) -> Vec<u8> {
    let mut out = Vec::new();
    let mut length = 0;
    for row in 0..buf.area.height {
        let mut line = Buffer::empty(Rect::new(0, 0, buf.area.width, 1));
        for x in 0..buf.area.width {
            if let (Some(from), Some(to)) = (buf.cell((x, row)), line.cell_mut((x, 0))) {
                to.clone_from(from);
            }
        }
        let before = out.len();
        Encoder::default().line(&line, &mut out);
        if out.len() > before {
            out.extend_from_slice(b"\x1b[m");
            length = out.len() + 1;
        }
        out.push(b'\n');
    }
    out.truncate(length);
    out
}
