//! `tminus perf db`: weighted SELECT, INSERT, UPDATE and DELETE on a table of our own.
//!
//! Each client holds one connection, opened before the clock starts, as giving it back
//! and taking it anew would cost more than the statement; how long it took to get is
//! told apart. The table is removed at the end, and its rows are counted against what
//! the server confirmed. A kill leaves it to `tminus clean`, which knows it by the lock
//! that nobody holds.

mod asked;
mod course;
mod target;

pub use asked::{Asked, Steps};

use super::{About, Figures, Place, Reins, Test, Testing, Untested, refusal, unusable};
use crate::{
    clock,
    domain::{
        IntegrationId, Timestamp,
        perf::{Offer, Phase, Record, Refusal},
    },
    integrations::database::{
        Settings,
        load::{Dial, Unable},
    },
    probe::Safety,
};
use course::{Course, Tidied};

/// The test of one database.
pub struct DbTest {
    id: IntegrationId,
    dial: Result<Dial, Unable>,
    asked: Asked,
    refused: Option<Refusal>,
}

impl DbTest {
    /// A test of the database that `settings` name: an embedded SQLite where they name
    /// none. Connects to nothing yet.
    pub fn new(id: IntegrationId, settings: &Settings, safety: Safety, asked: Asked) -> Self {
        let dial = Dial::of(settings);
        let refused = match &dial {
            Ok(dial) => refusal(
                &Place {
                    name: dial.name(),
                    local: dial.is_local(),
                    writes: settings.writes,
                    load: settings.load,
                    table: "database",
                },
                safety,
            ),
            Err(why) => Some(Refusal { why: why.says.clone(), hint: why.hint.clone() }),
        };
        let unusable = unusable(asked.complaint(), "db");
        Self { id, dial, asked, refused: refused.or(unusable) }
    }

    fn target(&self) -> &str {
        self.dial.as_ref().map_or("none", Dial::name)
    }

    async fn test(&self, reins: &Reins) -> Result<Record, Untested> {
        let dial = match (&self.dial, &self.refused) {
            (Ok(dial), None) => dial,
            (_, Some(Refusal { why, hint })) => return Err(Untested::refused(why, hint)),
            (Err(why), None) => return Err(Untested::refused(&why.says, &why.hint)),
        };
        let began = clock::now();
        reins.say(Phase::Preparing);
        let mut course = Course::begin(dial, &self.asked, reins).await?;
        let ran = course.run(reins).await;
        reins.say(Phase::Finishing);
        let tidied = course.tidy().await;
        let left = tidied.receipt.left;
        let figures = ran.map_err(|failed| Untested { left, ..failed.into() })?;
        Ok(self.record(began, figures, tidied))
    }

    fn record(&self, began: Timestamp, figures: Figures, tidied: Tidied) -> Record {
        let (test, load) = (self.id.as_str().into(), self.asked.load());
        let (facts, receipt) = (tidied.facts, Some(tidied.receipt));
        let target = self.target().into();
        Record { facts, receipt, ..figures.record(About { test, target, began, load }) }
    }
}

impl Test for DbTest {
    fn offer(&self) -> Offer {
        let Asked { clients, rows, .. } = &self.asked;
        let table = format!("makes a table tminus_perf_… of {rows} rows");
        let (opens, makes) = if self.dial.as_ref().is_ok_and(Dial::is_file) {
            let makes = format!("{table} in a file of its own beside it");
            (format!("starts {clients} threads, a connection each"), makes)
        } else {
            let opens = format!("opens {clients} connections, and leaves a fifth of all free");
            (opens, format!("{table}; no other is touched"))
        };
        Offer {
            test: self.id.as_str().into(),
            title: "SQL statements".into(),
            target: self.target().into(),
            load: self.asked.says(),
            does: vec![
                opens,
                makes,
                "removes it at the end; after a kill, `tminus clean` does".into(),
                "stops at 5 % errors".into(),
            ],
            writes: true,
            takes: self.asked.takes(),
            refused: self.refused.clone(),
        }
    }

    fn run<'a>(&'a self, reins: &'a Reins) -> Testing<'a> {
        Box::pin(self.test(reins))
    }
}
