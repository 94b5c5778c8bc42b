use crossterm::event::{self, Event, KeyEvent, MouseEvent};
use std::{io, thread};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::mpsc,
};

/// Keys that wait to be handled. More of them wait in the terminal.
const WAITING: usize = 256;

/// What comes from the terminal's side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Input {
    /// A key.
    Key(KeyEvent),
    /// The mouse.
    Mouse(MouseEvent),
    /// The terminal has another size.
    Resized,
    /// Somebody outside wants us to stop, as Ctrl-Z does.
    Suspend,
    /// We were stopped and go on.
    Continued,
    /// A test of what happens when drawing panics.
    #[cfg(debug_assertions)]
    Fault,
}

/// Where it comes from.
#[derive(Debug)]
pub(super) struct Inputs {
    keys: mpsc::Receiver<Input>,
    stop: Option<[Signal; 2]>,
}

impl Inputs {
    /// Reads the terminal on a thread of its own, for as long as the process lives.
    ///
    /// Reading may wait for the rest of a sequence, or spin on a terminal that
    /// is gone; neither may happen on the thread that draws.
    pub(super) fn open(fault: bool) -> io::Result<Self> {
        let (keys, waiting) = mpsc::channel(WAITING);
        if fault {
            arm(keys.clone())?;
        }
        thread::Builder::new().name("keys".into()).spawn(move || read(&keys))?;
        let suspend = SignalKind::from_raw(rustix::process::Signal::TSTP.as_raw());
        let resume = SignalKind::from_raw(rustix::process::Signal::CONT.as_raw());
        Ok(Self { keys: waiting, stop: Some([signal(suspend)?, signal(resume)?]) })
    }

    /// From a channel, for a test.
    #[cfg(test)]
    pub(super) fn from_channel(keys: mpsc::Receiver<Input>) -> Self {
        Self { keys, stop: None }
    }

    /// The next, waiting for it; `None` once no key can ever come. Can be
    /// dropped and called again.
    pub(super) async fn next(&mut self) -> Option<Input> {
        let Self { keys, stop } = self;
        let signals = async {
            match stop {
                Some([suspend, resume]) => tokio::select! {
                    _ = suspend.recv() => Input::Suspend,
                    _ = resume.recv() => Input::Continued,
                },
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            input = keys.recv() => input,
            input = signals => Some(input),
        }
    }

    /// The next, if there is one already.
    pub(super) fn waiting(&mut self) -> Option<Input> {
        self.keys.try_recv().ok()
    }
}

/// Lets drawing panic in a second.
#[cfg(debug_assertions)]
fn arm(keys: mpsc::Sender<Input>) -> io::Result<()> {
    let wait = move || {
        thread::sleep(std::time::Duration::from_secs(1));
        // Nobody listens any more if the console has ended.
        let _sent = keys.blocking_send(Input::Fault);
    };
    thread::Builder::new().name("fault".into()).spawn(wait).map(drop)
}

#[cfg(not(debug_assertions))]
#[expect(clippy::unnecessary_wraps, clippy::needless_pass_by_value, reason = "as the other one")]
fn arm(_keys: mpsc::Sender<Input>) -> io::Result<()> {
    Ok(())
}

/// Reads keys until the terminal or the receiver is gone.
fn read(keys: &mpsc::Sender<Input>) {
    loop {
        let input = match event::read() {
            Ok(Event::Key(key)) => Input::Key(key),
            Ok(Event::Mouse(event)) => Input::Mouse(event),
            Ok(Event::Resize(..)) => Input::Resized,
            Ok(Event::FocusGained | Event::FocusLost | Event::Paste(_)) => {
                continue;
            }
            Err(error) => {
                tracing::warn!("no more keys: {error}");
                return;
            }
        };
        if keys.blocking_send(input).is_err() {
            return;
        }
    }
}
