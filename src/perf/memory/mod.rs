//! `tminus perf memory`: the same operation over and over, and whether memory grows by it.
//!
//! One client asks, and memory is read after each answer. The least of each block of
//! operations counts, which is what a collector leaves; the begin of the series is warm-up
//! and cut. Growth is told from chance by the order of what remains. Whatever does not pass
//! after so many operations is judged anew after twice as many. `judge` decides and is pure.

mod asked;
mod course;
mod judge;

pub use asked::Asked;

use super::{
    About, Reins, Test, Testing, Untested,
    load::{LoadTest, Ready},
    unusable,
};
use crate::{
    clock,
    domain::{
        Evidence, IntegrationId, Quantity, Timestamp,
        perf::{Memory, Offer, Phase, Record, Refusal},
    },
    integrations::performance::{Gauge, Missing, Settings, Sought},
    probe::Safety,
};
use course::{Course, Weighed};

/// What to do where no memory can be read.
const HINT: &str = "name it: --pid or --metrics, or pid, name, port or metrics in [performance]";

/// The test of one address.
pub struct MemoryTest {
    name: String,
    load: LoadTest,
    asked: Asked,
    /// Where its process is told.
    settings: Settings,
    refused: Option<Refusal>,
}

impl MemoryTest {
    /// A test of `url`, or else of the address that `settings` name. Connects to nothing yet.
    pub fn new(
        id: &IntegrationId,
        url: Option<&str>,
        settings: &Settings,
        safety: Safety,
        asked: Asked,
    ) -> Self {
        let load = LoadTest::new(id, url, settings, safety, asked.load.clone());
        let own = url.is_none() || load.is_of(settings);
        // What is known of one server says nothing about another.
        let settings = if own { settings.clone() } else { Settings::default() };
        let told = settings.pid.is_some() || settings.name.is_some() || settings.port.is_some();
        let told = told || asked.pid.is_some() || load.local_port().is_some();
        let told = told || asked.metrics.is_some() || settings.metrics.is_some();
        let nowhere = || Refusal {
            why: "nobody says where its memory can be read".into(),
            hint: HINT.into(),
        };
        let refused = load.offer().refused.or(unusable(asked.complaint(), "memory"));
        let refused = refused.or_else(|| (!told).then(nowhere));
        let name = id.name().map_or_else(|| "memory".into(), |name| format!("memory/{name}"));
        Self { name, load, asked, settings, refused }
    }

    async fn test(&self, reins: &Reins) -> Result<Record, Untested> {
        if let Some(Refusal { why, hint }) = &self.refused {
            return Err(Untested::refused(why, hint));
        }
        let began = clock::now();
        let ready = self.load.ready(reins).await?;
        reins.say(Phase::Preparing);
        let Asked { pid, metrics, heap, load, .. } = &self.asked;
        let (pid, metrics, heap) = (*pid, metrics.clone(), heap.clone());
        let sought = Sought { pid, port: self.load.local_port(), metrics, heap };
        let gauge = tokio::select! {
            biased;
            () = reins.cancel.cancelled() => return Err(Untested::aborted()),
            gauge = Gauge::find(&self.settings, sought) => gauge.map_err(unread)?,
        };
        let mut course = Course::new(&self.asked, ready.single(load.timeout), gauge);
        let ended = course.run(reins).await?;
        reins.say(Phase::Finishing);
        let weighed = course.finish(ended).ok_or_else(Untested::aborted)?;
        Ok(self.record(began, weighed, &ready))
    }

    fn record(&self, began: Timestamp, weighed: Weighed, ready: &Ready) -> Record {
        let Weighed { memory, told, figures, notes } = weighed;
        let done = u32::try_from(memory.readings.len()).unwrap_or(u32::MAX);
        let (test, target) = (self.name.clone(), self.load.target());
        let load = self.asked.load(done.max(self.asked.operations));
        let goal = judge::goal(&told, memory.found, memory.collections, self.asked.rules());
        let mut facts = derived(&memory).facts;
        facts.extend(ready.facts(self.asked.load.fresh));
        let record = figures.record(About { test, target, began, load });
        Record { goals: vec![goal], notes, facts, memory: Some(Box::new(memory)), ..record }
    }
}

/// What whoever reads a report wants to know of it.
fn derived(memory: &Memory) -> Evidence {
    let ends = memory.floors.first().zip(memory.floors.last());
    let evidence = Evidence::default().fact("measured", &*memory.measure);
    let evidence = match ends {
        Some((first, last)) => evidence
            .fact("at first", Quantity::Bytes(first.bytes))
            .fact("at last", Quantity::Bytes(last.bytes)),
        None => evidence,
    };
    match memory.collections {
        Some(count) => evidence.fact("collections", Quantity::Count(count)),
        None => evidence,
    }
}

/// Why nothing can be read.
fn unread(missing: Missing) -> Untested {
    let untested = match missing {
        Missing::Nobody(says) => Untested::target(&says),
        Missing::Several(says) => return Untested::refused(&says, HINT),
        Missing::Hidden(says) | Missing::Local(says) => Untested::host(&says),
    };
    Untested { hint: Some(HINT.into()), ..untested }
}

impl Test for MemoryTest {
    fn offer(&self) -> Offer {
        let load = self.load.offer();
        Offer {
            test: self.name.clone(),
            title: "HTTP memory".into(),
            load: self.asked.says(),
            does: vec![
                "reads the app's memory after each answer".into(),
                self.asked.wants(),
                "stops at 20 % errors, when it is told 429, and if the app restarts".into(),
            ],
            takes: self.asked.takes(),
            refused: self.refused.clone(),
            ..load
        }
    }

    fn run<'a>(&'a self, reins: &'a Reins) -> Testing<'a> {
        Box::pin(self.test(reins))
    }
}
