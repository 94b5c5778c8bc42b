use super::outbox::Urgent;
use crossterm::terminal::{disable_raw_mode, enable_raw_mode};
use rustix::{fd::OwnedFd, stdio, termios};
use std::{
    fs::File,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Alternate screen, no cursor; the window's title is put by.
const ENTER: &[u8] = b"\x1b[22;2t\x1b[?1049h\x1b[?25l";
/// End of a frame that was under way, no mouse, no style, cursor, the user's own screen
/// and title.
const LEAVE: &[u8] = b"\x1b[?2026l\x1b[?1006l\x1b[?1000l\x1b[m\x1b[?25h\x1b[?1049l\x1b[23;2t";
/// How long a terminal may take to read the farewell.
const PATIENCE: Duration = Duration::from_millis(300);

/// The terminal while it is ours. It is given back once, whoever asks first:
/// the end of the console, a panic, a suspension.
#[derive(Clone, Debug)]
pub(super) struct Lease(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    ours: bool,
    urgent: Urgent,
    stderr: Option<Elsewhere>,
}

/// Where stderr goes while the terminal is ours, and where it went before.
#[derive(Debug)]
struct Elsewhere {
    there: File,
    before: OwnedFd,
}

impl Lease {
    /// Takes the terminal. What is written to stderr goes to `log` meanwhile, or nowhere.
    pub(super) fn take(urgent: Urgent, log: Option<File>) -> io::Result<Self> {
        let state = State { ours: false, urgent, stderr: Elsewhere::of(log)? };
        let lease = Self(Arc::new(Mutex::new(state)));
        lease.retake()?;
        Ok(lease)
    }

    /// Takes the terminal again, after it was given back or somebody else had it.
    pub(super) fn retake(&self) -> io::Result<()> {
        let mut state = self.state();
        // The shell may have changed modes that we still believe in.
        disable_raw_mode()?;
        enable_raw_mode()?;
        state.ours = true;
        state.urgent.write(ENTER, PATIENCE);
        if let Some(stderr) = &state.stderr {
            stdio::dup2_stderr(&stderr.there)?;
        }
        Ok(())
    }

    /// Gives the terminal back, unless that has been done.
    pub(super) fn give_back(&self) {
        let mut state = self.state();
        if !std::mem::take(&mut state.ours) {
            return;
        }
        state.urgent.write(LEAVE, PATIENCE);
        if let Err(error) = disable_raw_mode() {
            tracing::warn!("the terminal's modes are not restored: {error}");
        }
        if let Some(stderr) = &state.stderr
            && let Err(error) = stdio::dup2_stderr(&stderr.before)
        {
            tracing::warn!("stderr is not restored: {error}");
        }
    }

    /// A panic while it was locked leaves nothing half done that matters here.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Elsewhere {
    /// Only a stderr that is a terminal needs to go elsewhere.
    fn of(log: Option<File>) -> io::Result<Option<Self>> {
        if !termios::isatty(stdio::stderr()) {
            return Ok(None);
        }
        let there = match log {
            Some(log) => log,
            None => File::options().write(true).open("/dev/null")?,
        };
        let before = rustix::io::fcntl_dupfd_cloexec(stdio::stderr(), 3)?;
        Ok(Some(Self { there, before }))
    }
}
