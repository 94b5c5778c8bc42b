//! What one worker counted since it last told.

use super::times::Times;
use std::{collections::BTreeMap, time::Duration};

/// Classes of errors that are told apart; a target may make up any number.
const CLASSES: usize = 24;
const OTHERS: &str = "other";

/// What was counted in a span of time. Adding two gives that of both spans.
#[derive(Clone, Debug)]
pub(super) struct Window {
    /// For each operation the times of those that ended well, from when each was to begin.
    pub(super) times: Vec<Times>,
    /// For each operation how many failed.
    pub(super) failed: Vec<u64>,
    /// How long those waited that were never answered or never began.
    pub(super) waited: Times,
    /// From when each was sent; only for a plan of arrivals.
    pub(super) service: Option<Times>,
    /// How late we began where a client was free; only for a plan of arrivals.
    pub(super) lag: Option<Times>,
    pub(super) errors: BTreeMap<String, u64>,
    /// Of those, the ones for want of something on this host.
    pub(super) ours: u64,
    pub(super) planned: u64,
    pub(super) late: u64,
    pub(super) missed: u64,
    /// Ended, but begun before the measurement.
    pub(super) warm: u64,
    /// How late the worker's thread looked.
    pub(super) beats: Times,
    /// Seconds in flight, of all operations together.
    pub(super) flown: f64,
    /// Processor time of the worker's thread since the measurement began.
    pub(super) cpu: Duration,
    /// In flight at the end of the span.
    pub(super) in_flight: u64,
}

impl Window {
    pub(super) fn new(operations: usize, planned: bool) -> Self {
        let maybe = || planned.then(Times::default);
        Self {
            times: vec![Times::default(); operations],
            failed: vec![0; operations],
            waited: Times::default(),
            service: maybe(),
            lag: maybe(),
            errors: BTreeMap::new(),
            ours: 0,
            planned: 0,
            late: 0,
            missed: 0,
            warm: 0,
            beats: Times::default(),
            flown: 0.0,
            cpu: Duration::ZERO,
            in_flight: 0,
        }
    }

    /// Counts `count` failures under their class, and of their operation if that is one.
    pub(super) fn fail(&mut self, operation: usize, class: &str, count: u64) {
        if let Some(failed) = self.failed.get_mut(operation) {
            *failed += count;
        }
        let known = self.errors.len() < CLASSES || self.errors.contains_key(class);
        let class = if known { class } else { OTHERS };
        match self.errors.get_mut(class) {
            Some(counted) => *counted += count,
            None => drop(self.errors.insert(class.into(), count)),
        }
    }

    /// Adds what was counted in another span. What is in flight is not added.
    pub(super) fn add(&mut self, other: &Self) {
        let pairs = self.times.iter_mut().zip(&other.times);
        pairs.for_each(|(mine, theirs)| mine.merge(theirs));
        self.failed.iter_mut().zip(&other.failed).for_each(|(mine, theirs)| *mine += theirs);
        self.waited.merge(&other.waited);
        self.beats.merge(&other.beats);
        for (mine, theirs) in [(&mut self.service, &other.service), (&mut self.lag, &other.lag)] {
            if let (Some(mine), Some(theirs)) = (mine, theirs) {
                mine.merge(theirs);
            }
        }
        for (class, count) in &other.errors {
            *self.errors.entry(class.clone()).or_default() += count;
        }
        self.ours += other.ours;
        self.planned += other.planned;
        self.late += other.late;
        self.missed += other.missed;
        self.warm += other.warm;
        self.flown += other.flown;
        self.cpu += other.cpu;
    }

    /// Those that ended well.
    pub(super) fn succeeded(&self) -> u64 {
        self.times.iter().map(|times| times.len()).sum()
    }

    /// Those that did not.
    pub(super) fn lost(&self) -> u64 {
        self.errors.values().sum()
    }

    /// The times of all: also of those that waited in vain, which took at least as long.
    pub(super) fn all(&self) -> Times {
        let mut all = self.waited.clone();
        self.times.iter().for_each(|times| all.merge(times));
        all
    }

    /// The times of those that ended well.
    pub(super) fn well(&self) -> Times {
        let mut well = Times::default();
        self.times.iter().for_each(|times| well.merge(times));
        well
    }
}

/// Whole microseconds, at least one.
pub(super) fn micros(span: Duration) -> u64 {
    let whole = span.as_secs().saturating_mul(1_000_000);
    whole.saturating_add(span.subsec_micros().into()).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_add_up() {
        let mut one = Window::new(2, true);
        one.times[0].record(7);
        one.fail(1, "LOADING", 3);
        let mut sum = one.clone();
        sum.add(&one);
        assert_eq!((sum.succeeded(), sum.lost(), sum.errors["LOADING"]), (2, 6, 6));
        sum.waited.record(9_000_000);
        assert_eq!((sum.all().len(), sum.succeeded()), (3, 2));
    }

    #[test]
    fn a_target_cannot_make_up_classes_without_end() {
        let mut window = Window::new(1, false);
        for n in 0..1000 {
            window.fail(0, &n.to_string(), 1);
        }
        assert_eq!((window.errors.len(), window.errors[OTHERS]), (CLASSES + 1, 976));
        assert_eq!(window.lost(), 1000);
    }

    #[test]
    fn no_time_is_none() {
        assert_eq!(micros(Duration::ZERO), 1);
        assert_eq!(micros(Duration::from_nanos(1_999)), 1);
        assert_eq!(micros(Duration::new(61, 5_000)), 61_000_005);
    }
}
