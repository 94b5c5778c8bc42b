//! One test from its table to its receipt: makes it, climbs, runs, counts, tidies up.

use super::{
    asked::Asked,
    target::{Target, knee, too_many},
};
use crate::{
    domain::{
        Evidence, Fact, Quantity, Receipt,
        perf::{Ended, Latency, Load},
    },
    integrations::database::load::{Dial, Keeper, LoadTable, Unable},
    perf::{Failed, Figures, Guards, Reins, Untested, quantile, run},
};
use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// For opening the session that keeps the table.
const DIAL: Duration = Duration::from_secs(5);

/// A prepared test.
pub(super) struct Course {
    target: Arc<Target>,
    keeper: Option<Keeper>,
    asked: Asked,
    round_trip: Duration,
    /// Clients and operations a second, of each step and of the whole test.
    steps: Vec<(u32, f64)>,
}

/// What is left of a test besides its figures.
pub(super) struct Tidied {
    pub(super) receipt: Receipt,
    pub(super) facts: Vec<Fact>,
}

impl From<Unable> for Untested {
    fn from(why: Unable) -> Self {
        Self { hint: Some(why.hint), ..Self::target(&why.says) }
    }
}

impl Course {
    /// Makes the table, where enough sessions are left to others.
    pub(super) async fn begin(dial: &Dial, asked: &Asked, reins: &Reins) -> Result<Self, Untested> {
        let mut keeper = tokio::select! {
            biased;
            () = reins.cancel.cancelled() => return Err(Untested::aborted()),
            keeper = dial.keep(Instant::now() + DIAL) => keeper?,
        };
        if let Some(says) = too_many(asked.clients, dial.room(&mut keeper).await?) {
            keeper.close().await;
            return Err(Untested::refused(&says, "ask for fewer with --clients"));
        }
        let round_trip = dial.round_trip(&mut keeper).await?;
        let table = LoadTable::make(dial, &mut keeper, asked.rows).await;
        // On a broken session what was made of it could not be removed.
        let table =
            table.map_err(|why| Untested { left: why.broken.into(), ..Untested::from(why) })?;
        let target = Arc::new(Target::new(dial.clone(), table, asked));
        let (keeper, asked) = (Some(keeper), asked.clone());
        Ok(Self { target, keeper, asked, round_trip, steps: Vec::new() })
    }

    /// A moment with ever more clients, then the test itself.
    pub(super) async fn run(&mut self, reins: &Reins) -> Result<Figures, Failed> {
        for clients in self.asked.climb() {
            let figures = self.put(&self.asked.step(clients), reins).await?;
            match figures.ended {
                Ended::Complete => self.steps.push((clients, figures.total.per_second)),
                Ended::Stopped(_) => return Ok(figures),
                Ended::Aborted => return Err(Failed::Aborted),
            }
        }
        let figures = self.put(&self.asked.load(), reins).await?;
        self.steps.push((self.asked.clients, figures.total.per_second));
        Ok(figures)
    }

    async fn put(&self, load: &Load, reins: &Reins) -> Result<Figures, Failed> {
        run(Arc::clone(&self.target), load, Guards::default(), reins).await
    }

    /// Counts the rows, and removes the table.
    pub(super) async fn tidy(mut self) -> Tidied {
        let Target { dial, table, .. } = &*self.target;
        let (mut rows, mut gone) = (None, false);
        if let Some(mut keeper) = self.keeper.take() {
            rows = table.rows(dial, &mut keeper).await.ok();
            gone = table.remove(dial, keeper).await;
        }
        let receipt = Receipt {
            sent: self.target.sent(),
            written: 1,
            removed: gone.into(),
            left: (!gone).into(),
        };
        Tidied { receipt, facts: self.facts(rows) }
    }

    fn facts(&self, rows: Option<u64>) -> Vec<Fact> {
        let acquired = self.target.acquired.lock().unwrap_or_else(PoisonError::into_inner);
        let acquired: Latency = quantile::latency(&acquired);
        let time = |share| Quantity::Time(acquired.at(share));
        let mut facts = Evidence::default()
            .fact("table", self.target.table.name())
            .fact("round trip, SELECT 1", Quantity::Time(self.round_trip))
            .fact("connection, p50", time(0.5))
            .fact("connection, p95", time(0.95))
            .fact("connection, max", Quantity::Time(acquired.max));
        for (clients, rate) in &self.steps {
            let name =
                format!("with {clients} {}", if *clients == 1 { "client" } else { "clients" });
            facts = facts.fact(&name, Quantity::PerSecond(*rate));
        }
        if let Some(knee) = knee(&self.steps) {
            facts = facts.fact("clients for 95 % of the best", Quantity::Count(knee.into()));
        }
        if let Some(rows) = rows {
            let expected = self.target.rows();
            facts = facts
                .fact("rows confirmed", Quantity::Count(expected))
                .fact("rows in the table", Quantity::Count(rows))
                .fact("counts agree", agreement(expected, rows, self.target.unsure()));
        }
        facts.facts
    }
}

/// Whether the table holds what was confirmed: of `slack` statements nobody knows.
fn agreement(confirmed: u64, rows: u64, slack: u64) -> &'static str {
    match (rows < confirmed, rows.abs_diff(confirmed) <= slack) {
        (_, true) => "yes",
        (true, false) => "no: rows are missing that were confirmed",
        (false, false) => "no: there are rows that nobody confirmed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_agree_when_every_confirmed_row_is_there() {
        assert_eq!(agreement(100, 100, 0), "yes");
        assert_eq!(agreement(100, 90, 10), "yes");
        assert!(agreement(100, 89, 10).contains("missing"));
        assert!(agreement(100, 101, 0).contains("nobody confirmed"));
    }
}
