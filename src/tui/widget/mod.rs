//! Small pictures: values in, cells out. None of them knows the model.

mod braille;
mod check_strip;
mod histogram;
mod latency_spark;
mod memory_graph;
mod score_bar;

pub(super) use check_strip::{checks, runs};
pub(super) use histogram::histogram;
pub(super) use latency_spark::LatencySpark;
pub(super) use memory_graph::{Graph, WINDOWS};
pub(super) use score_bar::score_bar;

#[cfg(test)]
mod tests {
    use crate::tui::{Look, view::Page};
    use ratatui::{buffer::Buffer, layout::Rect};

    /// What `draw` puts on a page of that size, line by line.
    pub(super) fn drawn(
        (width, height): (u16, u16),
        look: &Look,
        draw: impl FnOnce(&mut Page<'_>, Rect),
    ) -> Vec<String> {
        let mut buf = Buffer::empty(Rect::new(0, 0, width, height));
        let area = buf.area;
        draw(&mut Page::new(&mut buf, look), area);
        let symbols = |y| (0..width).map(|x| buf[(x, y)].symbol()).collect::<String>();
        (0..height).map(symbols).collect()
    }
}
