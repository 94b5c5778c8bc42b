use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// What a service manager, a closing window and a user send.
const ENDING: [(SignalKind, u8); 3] =
    [(SignalKind::interrupt(), 2), (SignalKind::terminate(), 15), (SignalKind::hangup(), 1)];

/// Fires when the program is to end, and remembers why.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    /// Cancelled by the first signal.
    pub token: CancellationToken,
    signal: Arc<AtomicU8>,
}

impl Stop {
    /// Listens for the signals that end a program. Needs a runtime.
    pub fn on_signals() -> io::Result<Self> {
        let stop = Self::default();
        for (kind, number) in ENDING {
            let (mut signals, stop) = (signal(kind)?, stop.clone());
            tokio::spawn(async move {
                if signals.recv().await.is_some() {
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
        // Only the first counts; the others find it there already.
        let _first = self.signal.compare_exchange(0, number, Ordering::SeqCst, Ordering::SeqCst);
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
        stop.fire(2);
        assert_eq!((stop.signal(), stop.token.is_cancelled()), (Some(15), true));
    }
}
