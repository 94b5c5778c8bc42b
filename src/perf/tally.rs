//! Adds up what the workers counted, and tells how far the test is.

use super::{
    block::Blocks,
    figures::{Figures, Shares},
    number::float,
    quantile,
    times::Times,
    window::Window,
    worker::TELL,
};
use crate::domain::perf::{Arrivals, Ended, Load, Phase, Progress, Second};
use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};
use tokio::time::Instant;

/// Spans of a quarter of a second that "now" is made of.
const RECENT: usize = 4;
/// Seconds that are kept of a test,
const KEPT: usize = 600;
/// and of these shown while it runs.
const SHOWN: usize = 120;

/// What was counted so far.
pub(super) struct Tally {
    load: Load,
    begin: Instant,
    whole: Window,
    /// What came since the last look.
    fresh: Fresh,
    recent: VecDeque<(Instant, Fresh)>,
    second: (u32, Fresh),
    seconds: VecDeque<Second>,
    blocks: Blocks,
    /// Processor time of each worker.
    cpu: BTreeMap<u32, Duration>,
    in_flight: BTreeMap<u32, u64>,
    /// When the last answer can have come.
    last: Instant,
}

/// A short span.
#[derive(Clone)]
struct Fresh {
    times: Times,
    succeeded: u64,
    failed: u64,
    warm: u64,
    errors: BTreeMap<String, u64>,
}

impl Fresh {
    fn new() -> Self {
        let times = Times::default();
        Self { times, succeeded: 0, failed: 0, warm: 0, errors: BTreeMap::new() }
    }

    fn add(&mut self, other: &Self) {
        self.times.merge(&other.times);
        self.succeeded += other.succeeded;
        self.failed += other.failed;
        self.warm += other.warm;
        for (class, count) in &other.errors {
            *self.errors.entry(class.clone()).or_default() += count;
        }
    }

    fn ended(&self) -> u64 {
        self.succeeded + self.failed + self.warm
    }
}

impl Tally {
    pub(super) fn new(load: &Load, operations: usize, begin: Instant) -> Self {
        Self {
            load: load.clone(),
            begin,
            whole: Window::new(operations, load.arrivals.rate().is_some()),
            fresh: Fresh::new(),
            recent: VecDeque::from([(begin, Fresh::new())]),
            second: (0, Fresh::new()),
            seconds: VecDeque::new(),
            blocks: Blocks::new(load),
            cpu: BTreeMap::new(),
            in_flight: BTreeMap::new(),
            last: begin,
        }
    }

    /// When the measurement begins.
    fn measure(&self) -> Instant {
        self.begin + self.load.warm_up
    }

    /// Adds what a worker counted.
    pub(super) fn add(&mut self, worker: u32, window: &Window) {
        self.last = Instant::now();
        self.whole.add(window);
        *self.cpu.entry(worker).or_default() += window.cpu;
        self.in_flight.insert(worker, window.in_flight);
        let fresh = Fresh {
            times: window.all(),
            succeeded: window.succeeded(),
            failed: window.lost(),
            warm: window.warm,
            errors: window.errors.clone(),
        };
        // It is of the quarter of a second before.
        let middle = self.last.saturating_duration_since(self.measure() + TELL / 2);
        let at = u32::try_from(middle.as_secs()).unwrap_or(u32::MAX);
        if at > self.second.0 {
            self.end_second(at);
        }
        if self.last > self.measure() {
            self.blocks.add(at, &window.well(), window.lost());
        }
        self.second.1.add(&fresh);
        self.fresh.add(&fresh);
    }

    /// Ends a quarter of a second: what is new becomes recent.
    pub(super) fn tick(&mut self) {
        let now = Instant::now();
        let fresh = std::mem::replace(&mut self.fresh, Fresh::new());
        self.recent.push_back((now, fresh));
        if self.recent.len() > RECENT + 1 {
            self.recent.pop_front();
        }
    }

    fn end_second(&mut self, next: u32) {
        let (at, span) = std::mem::replace(&mut self.second, (next, Fresh::new()));
        let brief = quantile::brief(&span.times);
        self.seconds.push_back(Second {
            at,
            succeeded: span.succeeded,
            failed: span.failed,
            p50: brief.p50,
            p95: brief.p95,
            p99: brief.p99,
            max: brief.max,
        });
        if self.seconds.len() > KEPT {
            self.seconds.pop_front();
        }
    }

    /// What ended within the last second: how many well, how many not, and the class of most.
    pub(super) fn last_second(&self) -> (u64, u64, Option<String>) {
        let (_, recent) = self.recent_span();
        let most = recent.errors.iter().max_by_key(|(_, count)| **count);
        (recent.succeeded, recent.failed, most.map(|(class, _)| class.clone()))
    }

    /// The last second, and how long it was.
    fn recent_span(&self) -> (Duration, Fresh) {
        let mut sum = Fresh::new();
        self.recent.iter().skip(1).for_each(|(_, fresh)| sum.add(fresh));
        let first = self.recent.front().map_or(self.begin, |(at, _)| *at);
        let last = self.recent.back().map_or(self.begin, |(at, _)| *at);
        (last.saturating_duration_since(first), sum)
    }

    /// How far the test is.
    pub(super) fn progress(&self) -> Progress {
        let now = Instant::now();
        let (span, recent) = self.recent_span();
        let warming = now < self.measure();
        let phase_began = if warming { self.begin } else { self.measure() };
        let of = if warming { Some(self.load.warm_up) } else { self.load.duration };
        let elapsed = now.saturating_duration_since(phase_began);
        let finishing = !warming && of.is_some_and(|of| elapsed > of);
        let phase = match (warming, finishing) {
            (true, _) => Phase::WarmingUp,
            (false, true) => Phase::Finishing,
            (false, false) => Phase::Measuring,
        };
        let all = self.whole.all();
        let shown = self.seconds.len().saturating_sub(SHOWN);
        Progress {
            phase,
            elapsed: of.map_or(elapsed, |of| elapsed.min(of)),
            of,
            succeeded: self.whole.succeeded(),
            failed: self.whole.lost(),
            requests: self.load.requests,
            rate: float(recent.ended()) / span.as_secs_f64().max(0.001),
            clients: self.load.clients,
            in_flight: self.in_flight.values().sum(),
            recent: quantile::brief(&recent.times),
            whole: quantile::brief(&all),
            bars: quantile::bars(&all),
            errors: self.whole.errors.clone(),
            seconds: self.seconds.iter().skip(shown).copied().collect(),
            steps: Vec::new(),
            memory: Vec::new(),
        }
    }

    /// What the test found.
    pub(super) fn conclude(mut self, names: &[String], ended: Ended) -> Figures {
        self.tick();
        if self.second.1.ended() > 0 {
            let next = self.second.0;
            self.end_second(next);
        }
        let measured = self.measured(&ended);
        let busiest = self.cpu.values().max().copied().unwrap_or_default();
        let shares = Shares { measured, busiest, load: &self.load };
        let mut figures = Figures::of(&self.whole, names, &shares);
        figures.samples.blocks = self.blocks.finish(ended == Ended::Complete);
        (figures.ended, figures.seconds) = (ended, self.seconds.into());
        figures
    }

    /// How long was measured. A closed loop began nothing after its time; a plan goes on
    /// until its last answer.
    fn measured(&self, ended: &Ended) -> Duration {
        let took = self.last.saturating_duration_since(self.measure());
        match (ended, self.load.duration, self.load.arrivals) {
            (Ended::Complete, Some(planned), Arrivals::Closed) => planned,
            (Ended::Complete, Some(planned), _) => took.max(planned),
            (Ended::Complete | Ended::Aborted | Ended::Stopped(_), _, _) => took,
        }
    }
}
