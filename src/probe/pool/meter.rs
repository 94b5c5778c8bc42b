use crate::domain::{PoolFigures, PoolTrouble};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::time::Instant;

/// Counts what comes of asking one pool, or several that follow each other.
///
/// Cheap to clone; all clones count together. Its lock is held for a few
/// additions and never while anybody waits.
#[derive(Clone, Debug, Default)]
pub struct PoolMeter(Arc<Mutex<PoolFigures>>);

impl PoolMeter {
    /// Begins a wait, which ends in one of three ways: [`Waiting::got`],
    /// [`Waiting::refused`], or by being dropped, which counts as neither.
    pub fn wait(&self) -> Waiting {
        self.figures().waiters += 1;
        Waiting { meter: self.clone(), began: Instant::now() }
    }

    /// What was counted so far. Size and idle are the pool's to say.
    pub fn count(&self) -> PoolFigures {
        *self.figures()
    }

    /// Notes how large the pool is, which the driver knows.
    pub(super) fn sized(&self, most: u32, size: u32, idle: u32) -> PoolFigures {
        let mut figures = self.figures();
        (figures.most, figures.size, figures.idle) = (most, size, idle);
        *figures
    }

    fn figures(&self) -> MutexGuard<'_, PoolFigures> {
        // A panic between two additions leaves nothing that must be mended.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody waits for a connection.
#[derive(Debug)]
pub struct Waiting {
    meter: PoolMeter,
    began: Instant,
}

impl Waiting {
    /// Ends the wait with a connection.
    pub fn got(self) -> Holding {
        let meter = self.meter.clone();
        let mut figures = meter.figures();
        figures.waits.note(self.began.elapsed());
        figures.used += 1;
        drop(figures);
        Holding(meter)
    }

    /// Ends the wait without one.
    pub fn refused(self, why: PoolTrouble) {
        self.meter.figures().refuse(why);
    }

    /// Since when it waits.
    pub(super) fn began(&self) -> Instant {
        self.began
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut figures = self.meter.figures();
        figures.waiters = figures.waiters.saturating_sub(1);
    }
}

/// Somebody holds a connection, for as long as this lives.
#[derive(Debug)]
pub struct Holding(PoolMeter);

impl Drop for Holding {
    fn drop(&mut self) {
        let mut figures = self.0.figures();
        figures.used = figures.used.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::time::advance;

    #[tokio::test(start_paused = true)]
    async fn a_wait_is_as_long_as_it_took_and_a_connection_is_held_until_it_is_let_go() {
        let meter = PoolMeter::default();
        let waiting = meter.wait();
        assert_eq!((meter.count().waiters, meter.count().used), (1, 0));
        advance(Duration::from_millis(7)).await;
        let held = waiting.got();
        let count = meter.count();
        assert_eq!((count.waiters, count.used, count.waits.count()), (0, 1, 1));
        assert_eq!(count.waits.total(), Duration::from_millis(7));
        drop(held);
        assert_eq!(meter.count().used, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn who_gives_up_is_counted_neither_way() {
        let meter = PoolMeter::default();
        drop(meter.wait());
        meter.wait().refused(PoolTrouble::Pool);
        let count = meter.count();
        assert_eq!((count.waiters, count.waits.count()), (0, 0));
        assert_eq!(count.refused.iter().sum::<u64>(), 1);
        assert_eq!(count.refused_for(PoolTrouble::Pool), 1);
    }

    #[test]
    fn pools_that_follow_each_other_are_counted_together() {
        let meter = PoolMeter::default();
        let (first, second) = (meter.clone(), meter.clone());
        let _held = (first.wait().got(), second.wait().got());
        assert_eq!(meter.count().used, 2);
        assert_eq!(meter.sized(4, 3, 1), meter.count());
        assert_eq!((meter.count().most, meter.count().size, meter.count().idle), (4, 3, 1));
    }
}
