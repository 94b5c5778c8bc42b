use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// What one run of one check costs its server, counted as it happens.
#[derive(Debug, Default)]
pub(super) struct Tally {
    sent: AtomicU64,
    bytes: AtomicU64,
    /// The longest time to live that a key was given, in milliseconds.
    longest: AtomicU64,
    open: AtomicU64,
    most_open: AtomicU64,
}

impl Tally {
    /// A command of so many bytes is about to be sent.
    pub(super) fn sends(&self, bytes: usize) {
        self.sent.fetch_add(1, Relaxed);
        self.bytes.fetch_add(u64::try_from(bytes).unwrap_or(u64::MAX), Relaxed);
    }

    /// A key is about to be given so many milliseconds to live.
    pub(super) fn gives(&self, milliseconds: u64) {
        self.longest.fetch_max(milliseconds, Relaxed);
    }

    /// A connection is there.
    pub(super) fn opened(&self) {
        let open = self.open.fetch_add(1, Relaxed) + 1;
        self.most_open.fetch_max(open, Relaxed);
    }

    /// A connection is gone.
    pub(super) fn closed(&self) {
        self.open.fetch_sub(1, Relaxed);
    }

    /// How many commands were sent.
    pub(super) fn sent(&self) -> u64 {
        self.sent.load(Relaxed)
    }

    /// How many bytes they were.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Relaxed)
    }

    /// The longest time to live that a key was given.
    pub(super) fn longest(&self) -> Duration {
        Duration::from_millis(self.longest.load(Relaxed))
    }

    /// How many connections there were at the same time.
    pub(super) fn most_open(&self) -> u64 {
        self.most_open.load(Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_and_peaks_are_kept_apart() {
        let tally = Tally::default();
        for bytes in [30, 12] {
            tally.sends(bytes);
        }
        for ms in [500, 60_000, 1] {
            tally.gives(ms);
        }
        tally.opened();
        tally.opened();
        tally.closed();
        tally.opened();
        assert_eq!((tally.sent(), tally.bytes(), tally.most_open()), (2, 42, 2));
        assert_eq!(tally.longest(), Duration::from_mins(1));
    }
}
