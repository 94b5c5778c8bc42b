//! The operations one after the other, and a reading after each.

use super::{
    Asked,
    judge::{self, BLOCKS, Told},
};
use crate::{
    domain::perf::{Ended, Generator, Leak, Memory, Operation, Phase, Progress, Room},
    integrations::performance::{Amount, Gauge},
    perf::{
        Broken, Figures, Reins, Samples, Untested,
        load::Single,
        number::{count, float},
        quantile::{bars, brief, latency},
        times::Times,
    },
};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::Instant;

/// How often progress is told.
const TICK: Duration = Duration::from_millis(250);
/// How long it may take.
const LONGEST: Duration = Duration::from_hours(1);
/// What has to be said of growth that is not that of a heap.
const GARBAGE: &str = "garbage that is not collected yet looks like a leak: --metrics tells";
/// Share of operations that may fail before it stops by itself,
const ERRORS: f64 = 0.2;
/// and how many there must have been for that.
const AT_LEAST: u64 = 20;

/// A test under way.
pub(super) struct Course<'a> {
    asked: &'a Asked,
    single: Single,
    gauge: Gauge,
    began: Instant,
    amounts: Vec<Amount>,
    times: Times,
    errors: BTreeMap<String, u64>,
    /// When progress was last told, and how much was done by then.
    told: (Instant, usize),
}

/// What it came to.
pub(super) struct Weighed {
    pub(super) memory: Memory,
    pub(super) told: Told,
    pub(super) figures: Figures,
    pub(super) notes: Vec<String>,
}

impl<'a> Course<'a> {
    pub(super) fn new(asked: &'a Asked, single: Single, gauge: Gauge) -> Self {
        let now = Instant::now();
        Self {
            asked,
            single,
            gauge,
            began: now,
            amounts: Vec::new(),
            times: Times::default(),
            errors: BTreeMap::new(),
            told: (now, 0),
        }
    }

    /// Does the operations, and as many again where these do not show that nothing leaks.
    pub(super) async fn run(&mut self, reins: &Reins) -> Result<Ended, Untested> {
        let planned = usize::try_from(self.asked.operations).unwrap_or(usize::MAX);
        for planned in [planned, planned.saturating_mul(2)] {
            while self.amounts.len() < planned {
                self.tell(reins, planned);
                let ended = tokio::select! {
                    biased;
                    () = reins.cancel.cancelled() => Some(Ended::Aborted),
                    ended = self.operation() => ended?,
                };
                if let Some(ended) = ended {
                    return Ok(ended);
                }
            }
            if self.weigh().1.is_none() {
                return Ok(Ended::Complete);
            }
        }
        Ok(Ended::Complete)
    }

    /// One operation and the reading after it; says what ends the test, if that does.
    async fn operation(&mut self) -> Result<Option<Ended>, Untested> {
        match self.single.ask().await {
            Ok(took) => {
                let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
                self.times.record(micros.max(1));
            }
            // Nothing was measured yet, and nothing can be.
            Err(broken) if self.amounts.is_empty() => return Err(unfit(&broken)),
            Err(Broken { class, .. }) => *self.errors.entry(class).or_default() += 1,
        }
        // Also after a failure: where the process has ended, that is the better reason.
        match self.gauge.read().await {
            Ok(amount) => self.amounts.push(amount),
            Err(why) if self.amounts.is_empty() => return Err(Untested::target(&why)),
            Err(why) => return Ok(Some(self.stopped(&why))),
        }
        let (done, failed) = (count(self.amounts.len()), self.failed());
        if let Some(why) = self.single.slowed() {
            return Ok(Some(self.stopped(&why)));
        }
        if done >= AT_LEAST && float(failed) > ERRORS * float(done) {
            let most = self.errors.iter().max_by_key(|(_, count)| **count);
            let most = most.map(|(class, _)| format!(", most: {class}")).unwrap_or_default();
            return Ok(Some(self.stopped(&format!("{failed} of {done} failed{most}"))));
        }
        Ok((self.began.elapsed() > LONGEST).then(|| self.stopped("it takes longer than 60m")))
    }

    fn stopped(&self, why: &str) -> Ended {
        Ended::Stopped(format!("after {} operations: {why}", self.amounts.len()))
    }

    fn failed(&self) -> u64 {
        self.errors.values().sum()
    }

    /// Tells how far it is, four times a second.
    fn tell(&mut self, reins: &Reins, planned: usize) {
        let (since, before) = self.told;
        let done = self.amounts.len();
        if done > 0 && since.elapsed() < TICK {
            return;
        }
        let span = since.elapsed().as_secs_f64().max(0.001);
        self.told = (Instant::now(), done);
        let block = planned.div_euclid(BLOCKS).max(1);
        let whole = done - done % block;
        let readings: Vec<u64> = self.amounts[..whole].iter().map(|it| it.judged).collect();
        reins.progress.send_replace(Progress {
            phase: Phase::Measuring,
            elapsed: self.began.elapsed(),
            of: None,
            succeeded: self.times.len(),
            failed: self.failed(),
            requests: Some(count(planned)),
            rate: float(count(done - before)) / span,
            clients: 1,
            in_flight: 1,
            recent: brief(&self.times),
            whole: brief(&self.times),
            bars: bars(&self.times),
            errors: self.errors.clone(),
            seconds: Vec::new(),
            steps: Vec::new(),
            memory: judge::floors(&readings, whole / block),
        });
    }

    /// What the readings come to by now.
    fn weigh(&self) -> (Told, Leak, Option<u64>, Option<Told>) {
        let rules = self.asked.rules();
        let readings: Vec<u64> = self.amounts.iter().map(|amount| amount.judged).collect();
        let told = judge::judge(&readings, rules);
        let process: Option<Vec<u64>> = self.amounts.iter().map(|amount| amount.process).collect();
        let process = process.map(|readings| judge::judge(&readings, rules));
        let counts = self.amounts.first().zip(self.amounts.last());
        let collections = counts
            .and_then(|(first, last)| Some(last.collections?.saturating_sub(first.collections?)));
        let beside = process.as_ref().map(|told| told.found);
        let found = judge::beside(told.found, beside, collections);
        (told, found, collections, process)
    }

    /// What it came to; nothing where nothing was measured.
    pub(super) fn finish(self, ended: Ended) -> Option<Weighed> {
        let last = *self.amounts.last()?;
        let (told, found, collections, process) = self.weigh();
        let measured = self.began.elapsed();
        let done = self.amounts.len();
        let per_second = float(count(done)) / measured.as_secs_f64().max(1e-9);
        let mut doubts: Vec<String> = self.gauge.doubt().into_iter().collect();
        let found = match ended {
            Ended::Complete => found,
            Ended::Aborted | Ended::Stopped(_) => {
                let planned = self.asked.operations;
                doubts.insert(0, format!("it ended after {done} of {planned} operations or more"));
                Leak::Unknown
            }
        };
        let slope = told.trend.filter(|trend| judge::is_sure(trend, self.asked.rules()));
        let slope = slope.map(|trend| trend.per_operation);
        let memory = Memory {
            measure: self.gauge.measure(),
            readings: self.amounts.iter().map(|amount| amount.judged).collect(),
            floors: told.floors.clone(),
            warm_up: u32::try_from(told.warm_up).unwrap_or(u32::MAX),
            trend: told.trend,
            jump: told.jump,
            found,
            limit: self.asked.max_growth,
            process: process.and_then(|told| told.trend),
            collections,
            room: room(&self.gauge, last, slope, per_second),
            per_second,
            doubts,
        };
        let mut notes = self.gauge.notes().to_vec();
        if !self.gauge.is_heap() && !found.is_none() {
            notes.push(GARBAGE.into());
        }
        let figures = self.figures(ended, measured, per_second);
        Some(Weighed { memory, told, figures, notes })
    }

    fn figures(self, ended: Ended, measured: Duration, per_second: f64) -> Figures {
        let failed = self.failed();
        let total = Operation {
            name: self.asked.load.request.method.clone(),
            succeeded: self.times.len(),
            failed,
            per_second,
            latency: latency(&self.times),
            service: None,
        };
        let samples = Samples { well: self.times, lost: failed, ours: 0, blocks: Vec::new() };
        Figures {
            ended,
            measured,
            total,
            operations: Vec::new(),
            errors: self.errors,
            kept: None,
            generator: Generator::default(),
            seconds: Vec::new(),
            samples,
        }
    }
}

fn unfit(broken: &Broken) -> Untested {
    if broken.ours {
        return Untested::host(&broken.says);
    }
    Untested::target(&format!("{}: {}", broken.class, broken.says))
}

/// How much room there is, and for how many operations where memory grows.
fn room(gauge: &Gauge, last: Amount, slope: Option<f64>, per_second: f64) -> Option<Room> {
    let room = gauge.room()?;
    // A heap is part of its process: what the one leaks, the other grows by.
    let left = float(room.limit.saturating_sub(room.used.max(last.process.unwrap_or_default())));
    let operations = slope.filter(|slope| *slope > 0.0).map(|slope| left / slope);
    let time = operations.and_then(|it| Duration::try_from_secs_f64(it / per_second).ok());
    Some(Room {
        limit: room.limit,
        of: room.of,
        used: room.used,
        operations: operations.map(judge::whole),
        left: time,
    })
}
