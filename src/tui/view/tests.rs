use super::draw;
use crate::tui::{Look, model::Model, sample};
use ratatui::{buffer::Buffer, layout::Rect};

/// The screen of `model` as text, without blanks at the ends of lines.
fn screen(model: &Model, look: &Look, (width, height): (u16, u16)) -> String {
    let mut buf = Buffer::empty(Rect::new(0, 0, width, height));
    draw(model, look, &mut buf);
    let line = |y| (0..width).map(|x| buf[(x, y)].symbol()).collect::<String>();
    (0..height).map(|y| line(y).trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

#[test]
fn row_1_begins_with_the_verdict_from_eight_columns_up() {
    for width in 8..=210 {
        let row = screen(&sample::model(), &sample::look(), (width, 1));
        assert!(row.starts_with(" NO-GO"), "{width}: {row}");
    }
    assert_eq!(screen(&sample::model(), &sample::look(), (5, 1)), "NO-GO");
}
