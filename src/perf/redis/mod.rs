//! `tminus perf redis`: GET and SET at a chosen number of clients and pipeline.
//!
//! Every key begins with our prefix and lives a minute longer than the test; all are
//! removed by their names at the end. The server's own count of commands is held
//! against ours.

mod asked;
mod client;
mod control;
mod course;
mod tape;
mod wire;

pub use asked::Asked;
pub use tape::Mix;

use super::{
    About, Figures, Place, Reins, Test, Testing, Untested, plan::measures, refusal, unusable,
};
use crate::{
    clock,
    domain::{
        IntegrationId, Timestamp,
        perf::{Offer, Phase, Record, Refusal},
    },
    integrations::redis::{Dial, Settings, Undialled},
    probe::Safety,
    units,
};
use course::{Course, Tidied};
use tape::Material;

/// The test of one Redis.
pub struct RedisTest {
    id: IntegrationId,
    dial: Result<Dial, Undialled>,
    asked: Asked,
    refused: Option<Refusal>,
}

impl RedisTest {
    /// A test of the server that `settings` name. Connects to nothing yet.
    pub fn new(id: IntegrationId, settings: &Settings, safety: Safety, asked: Asked) -> Self {
        let dial = Dial::new(settings);
        let refused = match &dial {
            Ok(dial) => refusal(
                &Place {
                    name: &dial.name(),
                    local: dial.is_local(),
                    writes: settings.writes,
                    load: settings.load,
                    table: "redis",
                },
                safety,
            ),
            Err(why) => Some(Refusal { why: why.says.clone(), hint: why.hint.clone() }),
        };
        let unusable = unusable(asked.complaint(), "redis");
        Self { id, dial, asked, refused: refused.or(unusable) }
    }

    fn target(&self) -> String {
        self.dial.as_ref().map_or_else(|_| "none".into(), Dial::name)
    }

    async fn test(&self, reins: &Reins) -> Result<Record, Untested> {
        let dial = match (&self.dial, &self.refused) {
            (Ok(dial), None) => dial,
            (_, Some(Refusal { why, hint })) => return Err(Untested::refused(why, hint)),
            (Err(why), None) => return Err(Untested::refused(&why.says, &why.hint)),
        };
        let began = clock::now();
        reins.say(Phase::Preparing);
        let course = tokio::select! {
            biased;
            () = reins.cancel.cancelled() => return Err(Untested::aborted()),
            course = Course::begin(dial.clone(), self.material(), &self.asked) => course?,
        };
        course.fill(reins).await?;
        let ran = course.run(reins).await;
        reins.say(Phase::Finishing);
        let tidied = course.tidy(ran.as_ref().ok()).await;
        let left = tidied.receipt.left;
        let figures = ran.map_err(|failed| Untested { left, ..failed.into() })?;
        Ok(self.record(began, figures, tidied))
    }

    fn material(&self) -> Material {
        Material {
            prefix: Dial::prefix("load"),
            keys: self.asked.keys,
            size: usize::try_from(self.asked.size).unwrap_or(0),
            lives: self.asked.lives().as_secs(),
        }
    }

    fn record(&self, began: Timestamp, figures: Figures, tidied: Tidied) -> Record {
        let (test, load) = (self.id.as_str().into(), self.asked.load());
        let (facts, receipt) = (tidied.facts, Some(tidied.receipt));
        let target = self.target();
        Record { facts, receipt, ..figures.record(About { test, target, began, load }) }
    }
}

impl Test for RedisTest {
    fn offer(&self) -> Offer {
        let Asked { keys, size, warm_up, .. } = &self.asked;
        let lives = units::span(self.asked.lives());
        Offer {
            test: self.id.as_str().into(),
            title: "Redis commands".into(),
            target: self.target(),
            load: self.asked.says(),
            does: vec![
                format!("opens {} connections", self.asked.clients),
                format!("writes {keys} keys of {size} B that begin with tminus:"),
                format!("removes them at the end; they expire after {lives} anyway"),
                "stops at 5 % errors and at 80 % of the memory limit".into(),
            ],
            writes: true,
            takes: warm_up.saturating_add(measures(&self.asked.load())),
            refused: self.refused.clone(),
        }
    }

    fn run<'a>(&'a self, reins: &'a Reins) -> Testing<'a> {
        Box::pin(self.test(reins))
    }
}
