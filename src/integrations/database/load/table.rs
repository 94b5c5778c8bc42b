//! The table of a load test: made, filled, removed, and found again after a kill.

use super::{Dial, Keeper, Link, Operation, Unable, dial::Way};
use crate::{
    domain::Swept,
    integrations::database::sqlite,
    probe::{RunId, this_run},
};
use sqlx::SqlStr;
use std::time::Duration;
use tokio::time::Instant;

/// What its name begins with; the rest is the run's.
const PREFIX: &str = "tminus_perf_";
/// For a statement that makes, fills or removes it.
const LONG: Duration = Duration::from_mins(1);
/// For any other statement of ours.
const SHORT: Duration = Duration::from_secs(5);

/// A table of our own, as long as a session of ours holds its lock.
///
/// The lock ends with the session, however that ends: whoever can take it knows
/// that the table belongs to nobody any more.
#[derive(Clone, Debug)]
pub struct LoadTable {
    name: String,
    statements: [SqlStr; 4],
}

impl LoadTable {
    /// Makes it and fills it with rows numbered from 1, on the session that holds its lock.
    ///
    /// # Errors
    ///
    /// It cannot be made; then nothing of it is there.
    pub async fn make(dial: &Dial, keeper: &mut Keeper, rows: u64) -> Result<Self, Unable> {
        let link = &mut keeper.link;
        let name = format!("{PREFIX}{}", this_run());
        let taken = dial.ask(link, &link.take(&name, this_run()), SHORT).await?;
        if !is_yes(&taken) {
            return Err(Unable {
                class: "locked".into(),
                says: "another test of this run is under way there".into(),
                hint: "wait for its end".into(),
                broken: false,
            });
        }
        for sql in link.making(&name, rows) {
            if let Err(why) = dial.ask(link, &sql, LONG).await {
                // What of it is there must not stay.
                drop(dial.ask(link, &format!("DROP TABLE IF EXISTS {name}"), LONG).await);
                return Err(why);
            }
        }
        let statements = Operation::ALL.map(|what| link.statement(&name, what));
        Ok(Self { name, statements })
    }

    /// One that nobody has made.
    #[cfg(test)]
    pub(super) fn sample() -> Self {
        let statement = |what: Operation| sqlx::SqlSafeStr::into_sql_str(what.word());
        Self { name: "sample".into(), statements: Operation::ALL.map(statement) }
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The statement of one operation; its only parameter is a key, or the value to insert.
    pub(super) fn statement(&self, what: Operation) -> &SqlStr {
        let [select, insert, update, delete] = &self.statements;
        match what {
            Operation::Select => select,
            Operation::Insert => insert,
            Operation::Update => update,
            Operation::Delete => delete,
        }
    }

    /// How many rows it has.
    ///
    /// # Errors
    ///
    /// There is no answer.
    pub async fn rows(&self, dial: &Dial, keeper: &mut Keeper) -> Result<u64, Unable> {
        dial.number(&mut keeper.link, &format!("SELECT count(*) FROM {}", self.name)).await
    }

    /// Removes it; says whether it is gone.
    pub async fn remove(&self, dial: &Dial, keeper: Keeper) -> bool {
        let Keeper { mut link, stand } = keeper;
        if let Some(stand) = stand {
            link.close().await;
            return stand.remove().await;
        }
        let sql = format!("DROP TABLE IF EXISTS {}", self.name);
        if dial.ask(&mut link, &sql, LONG).await.is_ok() {
            // A server lets go of a session some moments after its client has.
            let give = link.give(&self.name, this_run());
            drop(dial.ask(&mut link, &give, SHORT).await);
            link.close().await;
            return true;
        }
        // The keeper may be lost; another session can do it as well.
        let Ok(mut other) = dial.open(Instant::now() + SHORT).await else { return false };
        let gone = dial.ask(&mut other, &sql, LONG).await.is_ok();
        other.close().await;
        gone
    }
}

impl Dial {
    /// Removes what runs left that are over.
    ///
    /// # Errors
    ///
    /// Nobody could look.
    pub async fn sweep(&self) -> Result<Swept, Unable> {
        if let Way::Sqlite(_, file) = &self.way {
            return Ok(sqlite::sweep(file.as_deref()).await?);
        }
        let mut link = self.open(Instant::now() + SHORT).await?;
        let swept = self.sweep_on(&mut link).await;
        link.close().await;
        swept
    }

    async fn sweep_on(&self, link: &mut Link) -> Result<Swept, Unable> {
        let mut swept = Swept { whole: true, ..Swept::default() };
        for row in self.ask(link, link.leftovers(), SHORT).await? {
            let [name, place] = row.as_slice() else { continue };
            let Some(run) = name.strip_prefix(PREFIX).and_then(RunId::parse) else { continue };
            swept.looked += 1;
            let taken = self.ask(link, &link.take(name, &run), SHORT).await?;
            if !is_yes(&taken) {
                swept.living += 1;
                continue;
            }
            match self.ask(link, &format!("DROP TABLE IF EXISTS {place}"), LONG).await {
                Ok(_) => swept.removed += 1,
                Err(_) => swept.left += 1,
            }
            // Should it not be given back, it ends with the session.
            drop(self.ask(link, &link.give(name, &run), SHORT).await);
        }
        Ok(swept)
    }
}

fn is_yes(rows: &[Vec<String>]) -> bool {
    rows.first().and_then(|row| row.first()).is_some_and(|word| word == "t" || word == "1")
}
