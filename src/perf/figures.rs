use super::{host::host, number::float, quantile::latency, times::Times, window::Window};
use crate::{
    domain::{
        Timestamp,
        perf::{Block, Ended, Generator, Kept, Latency, Load, Operation, Record, Second, VERSION},
    },
    units,
};
use std::{collections::BTreeMap, time::Duration};

/// Share of a core from which on a thread of clients is itself the limit.
const BUSY: f64 = 0.8;
/// How late a thread of clients may look at what came.
const LAGGING: Duration = Duration::from_millis(10);
/// How late it may send what a plan holds.
const UNPUNCTUAL: Duration = Duration::from_millis(1);
/// Share of a plan that may never begin.
const UNBEGUN: f64 = 0.001;
/// Share by which what was in flight may differ from what the times add up to.
const LITTLE: f64 = 0.05;

/// What a test found, without the words around it.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures {
    /// How it ended.
    pub ended: Ended,
    /// How long was measured.
    pub measured: Duration,
    /// All operations together. What was never answered counts in its latency with the
    /// time that it waited: no less would be true.
    pub total: Operation,
    /// Each operation, where there is more than one.
    pub operations: Vec<Operation>,
    /// What failed, by its class.
    pub errors: BTreeMap<String, u64>,
    /// How the plan was kept.
    pub kept: Option<Kept>,
    /// Whether the figures are about the target or about us.
    pub generator: Generator,
    /// Second by second.
    pub seconds: Vec<Second>,
    /// What goals are judged by.
    pub samples: Samples,
}

/// What goals are judged by.
#[derive(Clone, Debug, PartialEq)]
pub struct Samples {
    /// The times of those that ended well.
    pub well: Times,
    /// How many did not, for whatever reason.
    pub lost: u64,
    /// Of those, the ones for want of something on this host.
    pub ours: u64,
    /// Parts of the test.
    pub blocks: Vec<Block>,
}

/// What a record says beside the figures.
#[derive(Clone, Debug)]
pub struct About {
    /// Which test.
    pub test: String,
    /// What was put under load.
    pub target: String,
    /// When it began.
    pub began: Timestamp,
    /// What load was asked for.
    pub load: Load,
}

/// What a window does not know.
pub(super) struct Shares<'a> {
    pub(super) measured: Duration,
    /// Processor time of the busiest worker.
    pub(super) busiest: Duration,
    pub(super) load: &'a Load,
}

impl Figures {
    pub(super) fn of(whole: &Window, names: &[String], shares: &Shares<'_>) -> Self {
        let per_second = |count| float(count) / shares.measured.as_secs_f64().max(1e-9);
        let operation = |name: &str, times: &Times, failed| Operation {
            name: name.into(),
            succeeded: times.len(),
            failed,
            per_second: per_second(times.len()),
            latency: latency(times),
            service: None,
        };
        let each = names.iter().zip(&whole.times).zip(&whole.failed);
        let operations: Vec<_> =
            each.map(|((name, times), failed)| operation(name, times, *failed)).collect();
        let well = whole.well();
        let total = Operation {
            latency: latency(&whole.all()),
            service: whole.service.as_ref().map(latency),
            ..operation(&names.join("+"), &well, whole.lost())
        };
        let kept = whole.lag.as_ref().map(|lag| Kept {
            planned: whole.planned,
            late: whole.late,
            missed: whole.missed,
            lag: latency(lag),
        });
        Self {
            ended: Ended::Complete,
            measured: shares.measured,
            operations: if operations.len() > 1 { operations } else { Vec::new() },
            errors: whole.errors.clone(),
            generator: generator(whole, shares, kept.as_ref()),
            kept,
            total,
            seconds: Vec::new(),
            samples: Samples { well, lost: whole.lost(), ours: whole.ours, blocks: Vec::new() },
        }
    }

    /// These figures as a record, without facts, a receipt and what only some tests find.
    pub fn record(self, about: About) -> Record {
        let About { test, target, began, load } = about;
        Record {
            version: VERSION,
            test,
            profile: String::new(),
            target,
            host: host(),
            began,
            load,
            ended: self.ended,
            measured: self.measured,
            total: self.total,
            operations: self.operations,
            errors: self.errors,
            kept: self.kept,
            generator: self.generator,
            seconds: self.seconds,
            blocks: self.samples.blocks,
            goals: Vec::new(),
            notes: Vec::new(),
            facts: Vec::new(),
            receipt: None,
            scale: None,
            memory: None,
            drift: None,
            against: None,
        }
    }
}

fn generator(whole: &Window, shares: &Shares<'_>, kept: Option<&Kept>) -> Generator {
    let measured = shares.measured.as_secs_f64().max(1e-9);
    let beats: Latency = latency(&whole.beats);
    let mut generator = Generator {
        cpu: whole.cpu,
        busiest: shares.busiest.as_secs_f64() / measured,
        lag: beats.at(0.99),
        in_flight: whole.flown / measured,
        failed: whole.ours,
        limits: Vec::new(),
    };
    generator.limits = limits(&generator, kept, shares.load);
    generator.limits.extend(unlike_little(whole, shares.load));
    generator
}

/// Why the figures may be about us.
fn limits(generator: &Generator, kept: Option<&Kept>, load: &Load) -> Vec<String> {
    let busy = (generator.busiest > BUSY).then(|| {
        let (share, limit) = (generator.busiest * 100.0, BUSY * 100.0);
        let more = load.threads + 1;
        format!("a thread of clients used {share:.0} % of a core, over {limit:.0} %: try --threads {more}")
    });
    let lagging = (generator.lag > LAGGING).then(|| {
        let (lag, limit) = (units::span(generator.lag), units::span(LAGGING));
        format!("the clients looked up to {lag} late at what came, limit {limit}")
    });
    let unpunctual = kept.map(|kept| kept.lag.at(0.99)).filter(|lag| *lag > UNPUNCTUAL);
    let unpunctual = unpunctual.map(|lag| {
        let (lag, limit) = (units::span(lag), units::span(UNPUNCTUAL));
        format!("the plan was kept with up to {lag} delay of ours, limit {limit}")
    });
    let unbegun = kept.filter(|kept| unbegun(kept));
    let unbegun = unbegun.map(|kept| {
        format!("{} of {} operations never began: no client was free", kept.missed, kept.planned)
    });
    [busy, lagging, unpunctual, unbegun].into_iter().flatten().collect()
}

/// Whether so much of the plan never began that nothing can be said to be fine.
pub(super) fn unbegun(kept: &Kept) -> bool {
    float(kept.missed) > UNBEGUN * float(kept.planned)
}

/// Whether what was in flight is something else than what the times add up to: then one
/// of the two is measured wrongly. Told only where every time is known.
fn unlike_little(whole: &Window, load: &Load) -> Option<String> {
    let times = whole.service.clone().unwrap_or_else(|| whole.well());
    let (count, longest) = (float(times.len()), float(times.max()) / 1e6);
    let (flown, added) = (whole.flown, count * times.mean() / 1e6);
    // Whole microseconds, and what was under way at both ends, are no contradiction.
    let held = f64::from(load.clients) * f64::from(load.depth);
    let slack = LITTLE * flown + count * 1e-6 + 2.0 * held * longest;
    let unlike = whole.lost() == 0 && count > 0.0 && (flown - added).abs() > slack;
    unlike.then(|| {
        let apart = (flown - added).abs() / flown.max(1e-9) * 100.0;
        format!("the times and what was in flight differ by {apart:.0} %, which is our error")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::perf::{Arrivals, PATIENCE};

    fn load() -> Load {
        Load {
            arrivals: Arrivals::Constant { rate: 100.0 },
            clients: 2,
            depth: 1,
            threads: 1,
            warm_up: Duration::ZERO,
            duration: Some(Duration::from_secs(2)),
            requests: None,
            timeout: PATIENCE,
        }
    }

    fn figures(whole: &Window, busiest: u64) -> Figures {
        let names: Vec<String> = ["GET", "SET"].map(str::to_owned).into();
        let (measured, load) = (Duration::from_secs(2), &load());
        let busiest = Duration::from_millis(busiest);
        Figures::of(whole, &names, &Shares { measured, busiest, load })
    }

    #[test]
    fn the_total_holds_what_waited_in_vain() {
        let mut whole = Window::new(2, true);
        whole.times[0].record_n(100, 96);
        whole.times[1].record_n(300, 2);
        whole.fail(usize::MAX, "no answer", 2);
        whole.waited.record_n(5_000_000, 2);
        let figures = figures(&whole, 0);
        assert_eq!((figures.total.succeeded, figures.total.failed), (98, 2));
        assert!((figures.total.per_second - 49.0).abs() < 1e-9);
        assert_eq!(figures.total.latency.count, 100);
        assert!(figures.total.latency.at(0.99) >= Duration::from_secs(4));
        assert_eq!(figures.operations[1].latency.max, Duration::from_micros(300));
        assert_eq!(figures.total.name, "GET+SET");
    }

    #[test]
    fn a_test_that_was_about_us_says_so() {
        let mut whole = Window::new(2, true);
        assert!(figures(&whole, 1600).generator.limits.is_empty());
        assert_eq!(figures(&whole, 1601).generator.limits.len(), 1);
        whole.beats.record_n(10_010, 100);
        if let Some(lag) = &mut whole.lag {
            lag.record_n(1_010, 100);
        }
        (whole.planned, whole.missed) = (1000, 1);
        assert_eq!(figures(&whole, 0).generator.limits.len(), 2);
        whole.missed = 2;
        assert_eq!(figures(&whole, 1700).generator.limits.len(), 4);
    }

    #[test]
    fn littles_law_holds_or_we_are_wrong() {
        let limits = |flown: f64| {
            let mut whole = Window::new(1, false);
            whole.times[0].record_n(10_000, 2000);
            whole.flown = flown;
            figures(&whole, 0).generator.limits
        };
        // 2000 of 10 ms: 20 s in flight, and 40 ms at the ends.
        assert!(limits(20.0).is_empty() && limits(21.0).is_empty());
        assert!(limits(18.0)[0].contains("our error") && limits(22.0).len() == 1);
        let mut whole = Window::new(1, false);
        whole.flown = 9.0;
        assert!(figures(&whole, 0).generator.limits.is_empty(), "nothing was timed");
    }
}
