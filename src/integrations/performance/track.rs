//! What is remembered of the watched process from one reading to the next.

use super::process::Reading;
use crate::domain::Series;
use std::time::Duration;
use tokio::time::Instant;

/// How long a process that was looked for is taken for granted.
const LOOK: Duration = Duration::from_mins(1);
/// Readings closer together than this are one: a burst of re-checks is no history.
const APART: Duration = Duration::from_secs(2);
/// A process that has just started still fills up; it is not judged by that.
const WARM: Duration = Duration::from_secs(30);
/// How long a restart is shown.
const SHOWN: Duration = Duration::from_mins(1);

/// The memory of a watched process over time.
#[derive(Debug, Default)]
pub(super) struct Track {
    /// The first reading ever; the samples' times are counted from it.
    origin: Option<Instant>,
    known: Option<Known>,
    looked: Option<Instant>,
    samples: Series,
    restart: Option<(Restart, Instant)>,
    /// How busy it was, and when.
    busy: Option<(Duration, Instant)>,
    /// The share of a core that it took between the last two readings.
    cpu: Option<f64>,
}

/// One life of a process. Its id alone may be used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Known {
    pid: u32,
    started: u64,
}

/// Another process has taken the place of the one that was watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Restart {
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) ago: Duration,
}

impl Track {
    /// The process to read, unless it is time to look for it again.
    pub(super) fn remembered(&self, now: Instant) -> Option<u32> {
        let fresh = self.looked.is_some_and(|looked| now - looked < LOOK);
        self.known.filter(|_| fresh).map(|known| known.pid)
    }

    /// The process was looked for and found.
    pub(super) fn found(&mut self, now: Instant) {
        self.looked = Some(now);
    }

    /// The process is not there; the next run looks for it anew. What is known
    /// of it stays, so that one that comes back is seen to be another.
    pub(super) fn lost(&mut self) {
        self.looked = None;
    }

    /// Takes a reading into account.
    pub(super) fn note(&mut self, reading: &Reading, now: Instant) {
        let life = Known { pid: reading.pid, started: reading.started };
        if let Some(before) = self.known.replace(life).filter(|before| *before != life) {
            let restart = Restart { from: before.pid, to: life.pid, ago: Duration::ZERO };
            self.restart = Some((restart, now));
            self.samples = Series::default();
            (self.busy, self.cpu) = (None, None);
        }
        let since = self.busy.filter(|(_, at)| now - *at >= APART);
        if let Some((busy, at)) = since {
            let took = reading.busy.saturating_sub(busy).as_secs_f64();
            self.cpu = Some(took / (now - at).as_secs_f64());
        }
        if since.is_some() || self.busy.is_none() {
            self.busy = Some((reading.busy, now));
        }
        let at = now - *self.origin.get_or_insert(now);
        let apart = self.samples.last().is_none_or(|last| at.saturating_sub(last.at) >= APART);
        if apart && reading.up >= WARM {
            self.samples.push(at, as_f64(reading.anonymous.unwrap_or(reading.resident)));
        }
    }

    /// What is kept of this life of the process.
    pub(super) fn samples(&self) -> &Series {
        &self.samples
    }

    /// The share of a core that it took between the last two readings.
    pub(super) fn cpu(&self) -> Option<f64> {
        self.cpu
    }

    /// The last restart, for as long as it is worth telling.
    pub(super) fn restart(&self, now: Instant) -> Option<Restart> {
        let (restart, at) = self.restart?;
        let ago = now - at;
        (ago < SHOWN).then_some(Restart { ago, ..restart })
    }
}

#[expect(clippy::cast_precision_loss, reason = "exact up to eight petabytes")]
fn as_f64(bytes: u64) -> f64 {
    bytes as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(pid: u32, started: u64, up: u64) -> Reading {
        Reading {
            pid,
            name: "api".into(),
            started,
            up: Duration::from_secs(up),
            busy: Duration::from_millis(up * 250),
            resident: 9_000,
            anonymous: Some(5_000),
            proportional: None,
            private: None,
            threads: None,
            descriptors: None,
            descriptor_limit: None,
        }
    }

    #[test]
    fn a_process_is_taken_for_granted_for_a_minute() {
        let (mut track, now) = (Track::default(), Instant::now());
        assert_eq!(track.remembered(now), None);
        track.found(now);
        track.note(&reading(7, 100, 60), now);
        assert_eq!(track.remembered(now + Duration::from_secs(59)), Some(7));
        assert_eq!(track.remembered(now + Duration::from_mins(1)), None);
        track.lost();
        assert_eq!(track.remembered(now), None);
    }

    #[test]
    fn how_busy_it_is_counts_between_readings_of_one_life() {
        let (mut track, now) = (Track::default(), Instant::now());
        let at = |seconds| now + Duration::from_secs(seconds);
        track.note(&reading(7, 100, 60), at(0));
        assert_eq!(track.cpu(), None, "there is nothing to compare with");
        track.note(&reading(7, 100, 64), at(1));
        assert_eq!(track.cpu(), None, "too soon after the last");
        track.note(&reading(7, 100, 68), at(4));
        assert_eq!(track.cpu(), Some(0.5));
        track.note(&reading(9, 110, 0), at(15));
        assert_eq!(track.cpu(), None, "another life");
    }

    #[test]
    fn another_life_is_a_restart_and_a_new_history() {
        let (mut track, now) = (Track::default(), Instant::now());
        let at = |seconds| now + Duration::from_secs(seconds);
        track.note(&reading(7, 100, 60), at(0));
        track.note(&reading(7, 100, 65), at(5));
        assert_eq!((track.samples().len(), track.restart(at(5))), (2, None));
        track.lost();
        track.note(&reading(9, 110, 0), at(15));
        let restart = |ago| Some(Restart { from: 7, to: 9, ago: Duration::from_secs(ago) });
        assert_eq!((track.samples().len(), track.restart(at(15))), (0, restart(0)));
        assert_eq!(track.restart(at(74)), restart(59));
        assert_eq!(track.restart(at(75)), None);
        track.note(&reading(9, 200, 40), at(80));
        let same = Some(Restart { from: 9, to: 9, ago: Duration::ZERO });
        assert_eq!(track.restart(at(80)), same, "the same id, another life");
    }

    #[test]
    fn neither_a_burst_nor_a_process_that_still_fills_up_makes_history() {
        let (mut track, now) = (Track::default(), Instant::now());
        for (up, after) in [(29, 0), (30, 5_000), (31, 5_999), (32, 7_000), (33, 8_999)] {
            track.note(&reading(7, 100, up), now + Duration::from_millis(after));
        }
        assert_eq!(track.samples().len(), 2);
        assert_eq!(track.samples().last().map(|sample| sample.value), Some(5_000.0));
    }
}
