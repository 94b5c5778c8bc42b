//! One way to the target and back, with the moments that its times count from.

use super::desk::Desk;
use tokio::time::Instant;

/// Operations that a client does in one go, in order.
///
/// Tell it of each as soon as its answer is there: [`ended`](Self::ended) and
/// [`failed`](Self::failed) take the time. Each operation's latency counts from
/// the moment at which it was to begin, whenever it was sent.
#[derive(Debug)]
pub struct Trip<'a> {
    desk: &'a Desk,
    seat: usize,
}

impl<'a> Trip<'a> {
    pub(super) fn new(desk: &'a Desk, seat: usize) -> Self {
        Self { desk, seat }
    }

    /// How many operations are to be done yet; at least one when the trip begins.
    pub fn left(&self) -> usize {
        self.desk.open(self.seat)
    }

    /// The next `count` operations, of this kind, have ended well just now.
    pub fn ended(&mut self, operation: usize, count: usize) {
        self.desk.ended(self.seat, operation, count);
    }

    /// The next operation, of this kind, failed just now, counted under `class`.
    pub fn failed(&mut self, operation: usize, class: &str) {
        self.desk.failed(self.seat, operation, class);
    }
}

/// The operations that one client has under way.
#[derive(Debug, Default)]
pub(super) struct Flight {
    /// When each was to begin.
    pub(super) due: Vec<Instant>,
    /// How many of them have ended.
    pub(super) landed: usize,
    /// When they left; none while nothing is under way.
    pub(super) left: Option<Instant>,
    /// When the last one ended, if nothing was waited for since: the next leaves now.
    pub(super) back: Option<Instant>,
}

impl Flight {
    /// How many are still under way.
    pub(super) fn open(&self) -> usize {
        if self.left.is_some() { self.due.len() - self.landed } else { 0 }
    }
}
