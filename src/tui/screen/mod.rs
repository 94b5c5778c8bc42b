//! Takes the terminal and gives it back; brings frames to it.

mod aside;
mod canvas;
mod encode;
mod frames;
mod hook;
mod lease;
mod outbox;
mod scrollback;

pub use canvas::{Canvas, Sync};

pub(super) use aside::{Aside, Between, Mouse, Sent};
pub(super) use canvas::bounded;
pub(super) use scrollback::scrollback;

pub(super) use frames::Frames;

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
    frames: Frames,
    terminal: OwnedFd,
    /// What lies between us and a terminal that understands asides; nothing for one that does not.
    reach: Option<Between>,
}

impl Screen {
    /// Takes the terminal behind stdout. Call it on the thread that will draw,
    /// and before anything runs that may panic.
    pub(super) fn take(sync: Sync, reach: Option<Between>, log: Option<File>) -> io::Result<Self> {
        let own = || rustix::io::fcntl_dupfd_cloexec(stdio::stdout(), 3);
        let frames = Frames::to(Terminal(File::from(own()?)), sync)?;
        let lease = Lease::take(frames.urgent(), log)?;
        hook::install(lease.clone());
        Ok(Self { lease, frames, terminal: own()?, reach })
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
        self.frames.ready().await
    }

    fn draw(&mut self, paint: impl FnOnce(&mut Buffer)) -> io::Result<()> {
        self.frames.draw(self.size()?, paint)
    }

    fn redraw(&mut self) {
        self.frames.redraw();
    }

    fn written(&self) -> u64 {
        self.frames.written()
    }

    fn tell(&mut self, aside: Aside<'_>) -> Sent {
        self.reach.map_or(Sent::Nothing, |between| self.frames.tell(aside, between))
    }

    fn suspend(&mut self) -> io::Result<()> {
        self.lease.give_back();
        // The whole group, so that a shell that started several of us gets them all.
        Ok(kill_current_process_group(Signal::STOP)?)
    }

    fn resume(&mut self) -> io::Result<()> {
        self.frames.redraw();
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

#[cfg(test)]
mod tests {
    use super::*;
    use portable_pty::{PtySize, native_pty_system};
    use rustix::fs::{Mode, OFlags, open};
    use std::sync::mpsc;

    #[test]
    fn a_terminal_is_lost_when_its_other_side_is_closed_and_not_before() {
        let pair = native_pty_system().openpty(PtySize::default()).unwrap();
        let flags = OFlags::RDWR | OFlags::NOCTTY;
        let terminal = open(pair.master.tty_name().unwrap(), flags, Mode::empty()).unwrap();
        let (tell, told) = mpsc::channel();
        let waiting = thread::spawn(move || tell.send(is_lost(&terminal)).unwrap());
        assert!(told.recv_timeout(Duration::from_millis(100)).is_err(), "it is still there");
        drop(pair);
        assert_eq!(told.recv_timeout(Duration::from_secs(5)), Ok(true));
        waiting.join().unwrap();
    }
}
