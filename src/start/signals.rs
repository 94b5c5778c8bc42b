use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// What a user sends with a key.
const INTERRUPT: u8 = 2;

/// What a service manager, a closing window and a user send.
const ENDING: [(SignalKind, u8); 3] = [
    (SignalKind::interrupt(), INTERRUPT),
    (SignalKind::terminate(), 15),
    (SignalKind::hangup(), 1),
];

/// Fires when the program is to end, and remembers why.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    /// Cancelled by the first signal.
    pub token: CancellationToken,
    /// Cancelled when somebody at a keyboard does not want to wait: by a SIGINT after another
    /// signal.
    pub at_once: CancellationToken,
    signal: Arc<AtomicU8>,
}

impl Stop {
    /// Listens for the signals that end a program. Needs a runtime.
    pub fn on_signals() -> io::Result<Self> {
        let stop = Self::default();
        for (kind, number) in ENDING {
            let (mut signals, stop) = (signal(kind)?, stop.clone());
            tokio::spawn(async move {
                while signals.recv().await.is_some() {
                    stop.fire(number);
                }
            });
        }
        Ok(stop)
    }

    /// The number of the signal that came first, if any has.
    pub fn signal(&self) -> Option<u8> {
        Some(self.signal.load(Ordering::SeqCst)).filter(|number| *number > 0)
    }

    fn fire(&self, number: u8) {
        let first = self.signal.compare_exchange(0, number, Ordering::SeqCst, Ordering::SeqCst);
        if first.is_err() && number == INTERRUPT {
            self.at_once.cancel();
        }
        self.token.cancel();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_signal_is_the_one_remembered() {
        let stop = Stop::default();
        assert_eq!((stop.signal(), stop.token.is_cancelled()), (None, false));
        stop.fire(15);
        stop.fire(1);
        assert_eq!((stop.signal(), stop.token.is_cancelled()), (Some(15), true));
        assert!(!stop.at_once.is_cancelled(), "nobody pressed a key");
        stop.fire(2);
        assert!(stop.at_once.is_cancelled() && stop.signal() == Some(15));
    }
}
