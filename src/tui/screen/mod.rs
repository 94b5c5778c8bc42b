//! Takes the terminal and gives it back; brings frames to it.

mod canvas;
mod encode;
mod hook;
mod lease;
mod outbox;

pub(super) use canvas::{Canvas, Sync};
pub(super) use outbox::Outbox;

use super::driver::Surface;
use lease::Lease;
use ratatui::{buffer::Buffer, layout::Size};
use rustix::{
    event::{PollFd, PollFlags, poll},
    fd::OwnedFd,
    io::Errno,
    process::{Signal, kill_current_process_group},
    stdio, termios,
};
use std::{
    fs::File,
    io::{self, Write},
    thread,
    time::Duration,
};
use tokio_util::sync::CancellationToken;

/// The terminal while it is ours. Dropping it gives it back.
#[derive(Debug)]
pub(super) struct Screen {
    lease: Lease,
    outbox: Outbox,
    canvas: Canvas,
    terminal: OwnedFd,
}

impl Screen {
    /// Takes the terminal behind stdout. Call it on the thread that will draw,
    /// and before anything runs that may panic.
    pub(super) fn take(sync: Sync, log: Option<File>) -> io::Result<Self> {
        let own = || rustix::io::fcntl_dupfd_cloexec(stdio::stdout(), 3);
        let outbox = Outbox::start(Terminal(File::from(own()?)))?;
        let lease = Lease::take(outbox.urgent(), log)?;
        hook::install(lease.clone());
        Ok(Self { lease, outbox, canvas: Canvas::new(sync), terminal: own()? })
    }

    /// Fires `gone` when the terminal goes away: whoever reads from it then gets
    /// an end of file for ever, and whoever waits for a key would never know.
    pub(super) fn watch(&self, gone: CancellationToken) -> io::Result<()> {
        let terminal = self.terminal.try_clone()?;
        let wait = move || {
            if is_lost(&terminal) {
                gone.cancel();
            }
        };
        thread::Builder::new().name("hang-up".into()).spawn(wait)?;
        Ok(())
    }
}

/// Waits until the other side of `terminal` is closed. False where that cannot be waited for.
fn is_lost(terminal: &OwnedFd) -> bool {
    loop {
        // Asking for nothing, one is still told of a hang-up and of an error.
        let mut fds = [PollFd::new(terminal, PollFlags::empty())];
        match poll(&mut fds, None) {
            Ok(_) => return fds[0].revents().intersects(PollFlags::HUP | PollFlags::ERR),
            Err(Errno::INTR) => {}
            Err(_) => return false,
        }
    }
}

impl Surface for Screen {
    fn size(&self) -> io::Result<Size> {
        let size = termios::tcgetwinsize(&self.terminal)?;
        Ok(Size::new(size.ws_col, size.ws_row))
    }

    async fn ready(&mut self) -> io::Result<Option<Duration>> {
        let stalled = self.outbox.idle().await?;
        if stalled.is_some() {
            // Meanwhile the user may have reset the terminal, or attached another one.
            self.canvas.forget();
        }
        Ok(stalled)
    }

    fn draw(&mut self, paint: impl FnOnce(&mut Buffer)) -> io::Result<()> {
        match self.canvas.frame(self.size()?, paint) {
            Some(frame) => self.outbox.send(frame),
            None => Ok(()),
        }
    }

    fn redraw(&mut self) {
        self.canvas.forget();
    }

    fn suspend(&mut self) -> io::Result<()> {
        self.lease.give_back();
        // The whole group, so that a shell that started several of us gets them all.
        Ok(kill_current_process_group(Signal::STOP)?)
    }

    fn resume(&mut self) -> io::Result<()> {
        self.canvas.forget();
        self.lease.retake()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.lease.give_back();
    }
}

/// The terminal as a sink. Whoever shares it may have made it non-blocking.
struct Terminal(File);

impl Write for Terminal {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match self.0.write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let mut fds = [PollFd::new(&self.0, PollFlags::OUT)];
                    match poll(&mut fds, None) {
                        Ok(_) | Err(Errno::INTR) => {}
                        Err(error) => return Err(error.into()),
                    }
                }
                written => return written,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
