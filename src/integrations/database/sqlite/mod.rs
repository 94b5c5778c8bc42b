//! SQLite: a file of the user's, or one of our own in memory.
//!
//! Each run opens and closes it, so a file that was replaced is not mistaken
//! for the one that was open, and nobody waits for us to let go.

mod aside;
mod canaries;
mod file;
mod judge;
mod queries;
mod stand;
mod transactions;
mod vitals;

use self::file::Look;
pub(super) use self::stand::{Stand, load_options, sweep};
use super::{
    address::File,
    backend::{Backend, Concluded},
    fault::{Fault, Kind, Names, Stage},
    judge as common,
    measured::{Concern, Contact, Pair, Sample},
    tally::Tally,
};
use crate::{
    domain::{FactValue, Finding, Quantity},
    probe::{Stopwatch, pool::PoolMeter},
};
use sqlx::{
    ConnectOptions as _, Connection as _, Row as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteRow},
};
use std::{thread, time::Duration};
use tokio::time::{Instant, timeout};

/// For opening the file, and for each statement.
const STEP: Duration = Duration::from_secs(1);
/// How long a reader waits for a writer. `fault` names it.
const BUSY: Duration = Duration::from_millis(500);
/// Statements in one run.
const SENT: u64 = 20;
/// Further tries where this host was too busy to tell.
const TRIES: usize = 3;
/// Pauses that make up a slow statement.
const PAUSES: u32 = 10;
/// Steps of SQLite's machine between two pauses.
const OPS: i32 = 500;

/// One SQLite database.
pub(super) struct Sqlite {
    file: Option<File>,
    slow: Duration,
    may_write: bool,
    meter: PoolMeter,
}

/// An open database.
struct Session {
    link: SqliteConnection,
    names: Names,
    look: Option<Look>,
}

impl Sqlite {
    /// A file of the user's; nothing is opened yet. A statement longer than `slow` is slow.
    pub(super) fn file(file: File, slow: Duration, may_write: bool) -> Self {
        let may_write = may_write && !file.read_only;
        Self { file: Some(file), slow, may_write, meter: PoolMeter::default() }
    }

    /// A database of our own, in memory.
    pub(super) fn embedded(slow: Duration) -> Self {
        Self { file: None, slow, may_write: true, meter: PoolMeter::default() }
    }

    /// How the file is opened, and what it looks like: never for writing.
    async fn options(&self) -> Result<(SqliteConnectOptions, Names, Option<Look>), Fault> {
        let mut names = Names::default();
        let mut look = None;
        let mut options = SqliteConnectOptions::new();
        if let Some(file) = &self.file {
            names.peer = file.path.display().to_string();
            let seen = self::look(file).await?;
            options = options
                .filename(&file.path)
                .read_only(true)
                .immutable(seen.unchanging)
                .busy_timeout(BUSY);
            look = Some(seen);
        }
        let options = options
            .thread_name(|_| "tminus-sqlite".into())
            .command_buffer_size(2)
            .row_buffer_size(2)
            .statement_cache_capacity(4)
            .disable_statement_logging();
        Ok((options, names, look))
    }

    async fn open(&self) -> Result<Session, Fault> {
        const ASKED: &str = "open the file";
        let (options, names, look) = self.options().await?;
        let link = timeout(STEP, SqliteConnection::connect_with(&options))
            .await
            .map_err(|_| Fault::hung(ASKED, STEP, &names.peer))?
            .map_err(|error| Fault::of(&error, Stage::Dial, ASKED, &names))?;
        Ok(Session { link, names, look })
    }

    async fn reach(&self, watch: &mut Stopwatch) -> Result<Contact, Fault> {
        let session = self.open().await;
        watch.lap("open");
        let mut session = session?;
        let answer = session.ask(queries::SCHEMA).await;
        watch.lap("query");
        let (rows, round_trip) = answer?;
        let version: String = read(&rows, "version", queries::SCHEMA)?;
        let objects: i64 = read(&rows, "objects", queries::SCHEMA)?;
        let mut facts: Vec<(&'static str, FactValue)> =
            vec![("schema objects", Quantity::Count(objects.unsigned_abs()).into())];
        if let Some(look) = session.look {
            let (rows, _) = session.ask(queries::JOURNAL).await?;
            let journal: String = read(&rows, "journal_mode", queries::JOURNAL)?;
            facts.push(("journal mode", journal.as_str().into()));
            facts.push(("size", Quantity::Bytes(look.size).into()));
            facts.push(("write permission", if look.sealed { "nobody" } else { "yes" }.into()));
        }
        let sealed = session.look.is_some_and(|look| look.sealed);
        let meant = self.file.as_ref().is_some_and(|file| file.read_only);
        session.close().await;
        Ok(Contact {
            product: format!("SQLite {version}"),
            asked: queries::SCHEMA,
            round_trip,
            facts,
            concern: (sealed && !meant).then_some(Concern::NobodyWrites),
        })
    }

    async fn track(&self) -> Result<Finding, Fault> {
        let mut session = self.open().await?;
        let mut tally = Tally::new(self.slow);
        for _ in 0..SENT {
            let (rows, took) = session.ask(queries::CANARY_FILE).await?;
            tally.note(queries::CANARY_FILE, rows.len(), took);
        }
        session.close().await;
        Ok(judge::query(SENT, &tally))
    }

    async fn time(&self) -> Result<Finding, Fault> {
        let mut session = self.open().await?;
        let (_, round_trip) = session.ask(queries::CANARY_FILE).await?;
        let mut tries = 0;
        let pair = loop {
            tries += 1;
            let mut tally = Tally::new(self.slow);
            let short = session.pause(self.slow / 2, "quick canary", &mut tally).await?;
            let long = session.pause(self.slow * 3 / 2, "slow canary", &mut tally).await?;
            let pair = Pair { limit: self.slow, long, short, round_trip, short_there: None };
            if tries == TRIES || !common::worth_another_try(&pair) {
                break pair;
            }
        };
        session.close().await;
        Ok(judge::slow(&pair))
    }
}

/// Looks at the file.
async fn look(file: &File) -> Result<Look, Fault> {
    let path = file.path.clone();
    transactions::blocking(move || file::look(&path)).await?
}

impl Session {
    /// Asks one question and says how long the answer took.
    async fn ask(&mut self, sql: &'static str) -> Result<(Vec<SqliteRow>, Duration), Fault> {
        self.ask_within(sql, STEP).await
    }

    async fn ask_within(
        &mut self,
        sql: &'static str,
        within: Duration,
    ) -> Result<(Vec<SqliteRow>, Duration), Fault> {
        let began = Instant::now();
        let rows = timeout(within, sqlx::query(sql).fetch_all(&mut self.link))
            .await
            .map_err(|_| Fault::hung(sql, within, &self.names.peer))?
            .map_err(|error| Fault::of(&error, Stage::Statement, sql, &self.names))?;
        Ok((rows, began.elapsed()))
    }

    /// A statement that takes `wanted`.
    ///
    /// SQLite cannot sleep. Its progress handler can, and holds the statement up
    /// in the engine itself: without a load on this host, and without a guess at
    /// how much work takes how long here.
    async fn pause(
        &mut self,
        wanted: Duration,
        name: &'static str,
        tally: &mut Tally,
    ) -> Result<Sample, Fault> {
        let asked = queries::SPIN;
        let step = wanted / PAUSES;
        let mut left = PAUSES;
        let of =
            |error: sqlx::Error, names: &Names| Fault::of(&error, Stage::Statement, asked, names);
        let mut handle = self.link.lock_handle().await.map_err(|error| of(error, &self.names))?;
        handle.set_progress_handler(OPS, move || {
            if left > 0 {
                left -= 1;
                thread::sleep(step);
            }
            true
        });
        drop(handle);
        let (rows, took) = self.ask_within(asked, STEP + wanted).await?;
        let mut handle = self.link.lock_handle().await.map_err(|error| of(error, &self.names))?;
        handle.remove_progress_handler();
        drop(handle);
        tally.note(name, rows.len(), took);
        Ok(Sample { wanted, took, flagged: tally.found_slow(name) })
    }

    async fn close(self) {
        // Its thread ends with the connection in any case.
        drop(timeout(STEP, self.link.close()).await);
    }
}

fn read<T>(rows: &[SqliteRow], name: &str, asked: &str) -> Result<T, Fault>
where
    T: for<'r> sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
{
    let value = rows.first().and_then(|row| row.try_get(name).ok());
    value.ok_or_else(|| {
        let says = "SQLite answered with another shape".to_owned();
        Fault::new(Kind::Statement, asked, says, "report this as a bug of tminus")
    })
}

impl Backend for Sqlite {
    fn connect<'a>(&'a self, limit: Duration, watch: &'a mut Stopwatch) -> Concluded<'a> {
        Box::pin(async move { Ok(common::connect(&self.reach(watch).await?, limit)) })
    }

    fn query(&self) -> Concluded<'_> {
        Box::pin(self.track())
    }

    fn pool(&self) -> Concluded<'_> {
        Box::pin(self.pooled())
    }

    fn transactions(&self) -> Concluded<'_> {
        Box::pin(self.transact())
    }

    fn errors(&self) -> Concluded<'_> {
        Box::pin(self.mistakes())
    }

    fn slow(&self) -> Concluded<'_> {
        Box::pin(self.time())
    }

    fn server(&self) -> Concluded<'_> {
        Box::pin(self.survey())
    }

    fn meter(&self) -> &PoolMeter {
        &self.meter
    }
}
