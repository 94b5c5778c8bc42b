//! How many operations are under way, now and averaged over time.

use super::number::float;
use std::cell::Cell;
use tokio::time::Instant;

#[derive(Debug)]
pub(super) struct Gauge {
    now: Cell<u64>,
    changed: Cell<Instant>,
    /// The integral, in seconds.
    flown: Cell<f64>,
}

impl Gauge {
    /// Integrates from `from` on.
    pub(super) fn new(from: Instant) -> Self {
        Self { now: Cell::new(0), changed: Cell::new(from), flown: Cell::new(0.0) }
    }

    pub(super) fn rise(&self, at: Instant, by: u64) {
        self.integrate(at);
        self.now.set(self.now.get() + by);
    }

    pub(super) fn sink(&self, at: Instant, by: u64) {
        self.integrate(at);
        self.now.set(self.now.get().saturating_sub(by));
    }

    /// How many are under way, and the integral since it was last taken.
    pub(super) fn take(&self, at: Instant) -> (u64, f64) {
        self.integrate(at);
        (self.now.get(), self.flown.take())
    }

    fn integrate(&self, at: Instant) {
        let span = at.saturating_duration_since(self.changed.get());
        if !span.is_zero() {
            self.flown.set(self.flown.get() + span.as_secs_f64() * float(self.now.get()));
            self.changed.set(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn the_integral_begins_with_the_measurement() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let gauge = Gauge::new(at(2));
        gauge.rise(at(1), 4);
        gauge.sink(at(4), 1);
        assert_eq!(gauge.take(at(5)), (3, 11.0));
        assert_eq!(gauge.take(at(5)), (3, 0.0));
        gauge.sink(at(5), 9);
        assert_eq!(gauge.take(at(9)), (0, 0.0));
    }
}
