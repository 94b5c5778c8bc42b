use crate::domain::Evidence;
use std::{cmp, time::Duration};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

/// Times the steps of a run, one after the other.
#[derive(Debug)]
pub struct Stopwatch {
    began: Instant,
    lap: Instant,
    laps: Vec<(&'static str, Duration)>,
}

impl Stopwatch {
    /// Begins the first step.
    pub fn start() -> Self {
        let now = Instant::now();
        Self { began: now, lap: now, laps: Vec::new() }
    }

    /// Ends a step, begins the next and returns how long the step took.
    pub fn lap(&mut self, name: &'static str) -> Duration {
        let now = Instant::now();
        let took = now - self.lap;
        self.lap = now;
        self.laps.push((name, took));
        took
    }

    /// Since the start.
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Adds the steps so far to `evidence`.
    pub fn write_to(&self, evidence: Evidence) -> Evidence {
        self.laps.iter().fold(evidence, |evidence, (name, took)| evidence.phase(name, *took))
    }
}

/// How often [`with_lag`] looks whether this host still gives it time.
const BEAT: Duration = Duration::from_millis(10);

/// Runs `work` and says how late this host was at worst meanwhile.
///
/// A run that measures spans of a few milliseconds needs it to tell a target
/// that was slow from a host that was. The lag includes the time that `work`
/// itself takes without awaiting.
pub async fn with_lag<T>(work: impl Future<Output = T>) -> (T, Duration) {
    let mut beat = interval_at(Instant::now() + BEAT, BEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut lag = Duration::ZERO;
    tokio::pin!(work);
    loop {
        tokio::select! {
            biased;
            due = beat.tick() => lag = cmp::max(lag, due.elapsed()),
            done = &mut work => return (done, lag),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::{advance, sleep};

    #[tokio::test(start_paused = true)]
    async fn steps_follow_each_other_without_a_gap() {
        let mut watch = Stopwatch::start();
        sleep(Duration::from_millis(5)).await;
        assert_eq!(watch.lap("connect"), Duration::from_millis(5));
        sleep(Duration::from_millis(2)).await;
        assert_eq!(watch.lap("auth"), Duration::from_millis(2));
        let phases = watch.write_to(Evidence::default()).phases;
        assert_eq!(phases.iter().map(|phase| phase.took).sum::<Duration>(), watch.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn lag_is_how_late_a_beat_came_and_nothing_else() {
        let idle = with_lag(sleep(Duration::from_secs(1))).await;
        assert_eq!(idle, ((), Duration::ZERO));
        let ((), lag) = with_lag(async {
            advance(Duration::from_millis(95)).await;
            sleep(Duration::from_millis(1)).await;
        })
        .await;
        assert!(lag >= Duration::from_millis(85), "{lag:?}");
    }
}
