use crate::domain::Evidence;
use std::time::Duration;
use tokio::time::Instant;

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

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::sleep;

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
}
