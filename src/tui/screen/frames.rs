use super::{
    aside::{Aside, Between, Sent, encode},
    canvas::{Canvas, Sync},
    outbox::{Outbox, Urgent},
};
use ratatui::{buffer::Buffer, layout::Size};
use std::{
    io::{self, Write},
    time::Duration,
};

/// Bytes that may wait beside a frame.
const ASIDES: usize = 256 * 1024;

/// Brings frames to a terminal that may stop reading at any time.
#[derive(Debug)]
pub(crate) struct Frames {
    canvas: Canvas,
    outbox: Outbox,
    /// What goes out before the next frame.
    asides: Vec<u8>,
    written: u64,
}

impl Frames {
    /// Starts the thread that writes to `out`.
    pub(crate) fn to(out: impl Write + Send + 'static, sync: Sync) -> io::Result<Self> {
        Ok(Self {
            canvas: Canvas::new(sync),
            outbox: Outbox::start(out)?,
            asides: Vec::new(),
            written: 0,
        })
    }

    /// Waits until the last frame is out; returns how long that took, if the
    /// terminal did not read meanwhile. Can be dropped and called again.
    pub(crate) async fn ready(&mut self) -> io::Result<Option<Duration>> {
        let stalled = self.outbox.idle().await?;
        if stalled.is_some() {
            // Meanwhile the user may have reset the terminal, or attached another one.
            self.canvas.forget();
        }
        Ok(stalled)
    }

    /// Brings out what differs from the last frame. Call it only when it is ready.
    pub(crate) fn draw(&mut self, size: Size, paint: impl FnOnce(&mut Buffer)) -> io::Result<()> {
        let mut bytes = std::mem::take(&mut self.asides);
        let frame = self.canvas.frame(size, paint);
        bytes.extend(frame.unwrap_or_default());
        self.written += bytes.len() as u64;
        if bytes.is_empty() { Ok(()) } else { self.outbox.send(bytes) }
    }

    /// Tells the terminal something besides the picture, right before the next frame.
    pub(crate) fn tell(&mut self, aside: Aside<'_>, between: Between) -> Sent {
        // The last of what a stalled terminal has not read yet is what matters.
        if self.asides.len() > ASIDES {
            self.asides.clear();
        }
        encode(aside, between, &mut self.asides)
    }

    /// Bytes so far.
    pub(crate) fn written(&self) -> u64 {
        self.written
    }

    /// Makes the next frame a whole one.
    pub(crate) fn redraw(&mut self) {
        self.canvas.forget();
    }

    pub(super) fn urgent(&self) -> Urgent {
        self.outbox.urgent()
    }
}
