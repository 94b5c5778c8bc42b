//! The way to a database for sessions under load.

use super::{
    super::{
        Settings,
        address::{File, Place},
        fault::{Dialect, Fault, Kind, Names, Stage},
        mysql, postgres, sqlite,
    },
    Keeper, Link, Session, Unable,
    plain::Entry,
};
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, mysql::MySqlConnectOptions, postgres::PgConnectOptions,
    sqlite::SqliteConnectOptions,
};
use std::{path::PathBuf, sync::Arc, time::Duration};
use tokio::time::{Instant, timeout, timeout_at};

/// How the sessions of a load test are called in a server's views and logs.
const APPLICATION: &str = "tminus-perf";
/// For a question of ours.
const SHORT: Duration = Duration::from_secs(5);

/// The way to a database for sessions that are put under load.
#[derive(Clone)]
pub struct Dial {
    pub(super) way: Way,
    name: String,
    peer: String,
    local: bool,
}

/// Which database.
#[derive(Clone)]
pub(super) enum Way {
    /// And how to go in without the driver, if that may be.
    Postgres(Box<PgConnectOptions>, Option<Arc<Entry>>),
    MySql(Box<MySqlConnectOptions>),
    /// One of our own beside this file, or among the temporary files.
    Sqlite(Box<SqliteConnectOptions>, Option<PathBuf>),
}

impl Dial {
    /// The way to what `settings` name: an embedded SQLite where they name nothing.
    ///
    /// # Errors
    ///
    /// The URL is unusable.
    pub fn of(settings: &Settings) -> Result<Self, Unable> {
        let unusable = |says: String| Unable {
            class: "settings".into(),
            says,
            hint: "correct DATABASE_URL, or url under [database]".into(),
            broken: true,
        };
        let place = Place::of(settings).map_err(|says| unusable(format!("the url {says}")))?;
        let (name, local) = (place.label(), place.is_local());
        let strange = |_| unusable("an option in the url is not understood".into());
        let (way, peer) = match place {
            Place::Postgres(server) => {
                let options = postgres::load_options(&server, APPLICATION).map_err(strange)?;
                let entry = Entry::of(&server, &options).map(Arc::new);
                (Way::Postgres(options.into(), entry), server.peer())
            }
            Place::MySql(server) => {
                let options = mysql::load_options(&server).map_err(strange)?;
                (Way::MySql(options.into()), server.peer())
            }
            Place::Sqlite(File { read_only: true, .. }) => {
                return Err(unusable("the url says mode=ro, so nothing is written there".into()));
            }
            Place::Sqlite(file) => {
                let options = sqlite::load_options(Some(&file.path)).disable_statement_logging();
                (Way::Sqlite(options.into(), Some(file.path)), name.clone())
            }
            Place::Embedded => {
                let options = sqlite::load_options(None).disable_statement_logging();
                (Way::Sqlite(options.into(), None), name.clone())
            }
        };
        Ok(Self { way, name, peer, local })
    }

    /// What to call it: no credential in it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is on this machine.
    pub fn is_local(&self) -> bool {
        self.local
    }

    /// Whether it is a file of this machine, and its sessions are threads of ours.
    pub fn is_file(&self) -> bool {
        matches!(self.way, Way::Sqlite(..))
    }

    /// Opens the session that a table of ours will belong to.
    ///
    /// # Errors
    ///
    /// Why there is none, by `deadline` at the latest.
    pub async fn keep(&self, deadline: Instant) -> Result<Keeper, Unable> {
        let Way::Sqlite(options, file) = &self.way else {
            return Ok(Keeper { link: self.open(deadline).await?, stand: None });
        };
        let stand = sqlite::Stand::make(file.as_deref()).await?;
        let options = options.as_ref().clone().create_if_missing(true);
        let options = Box::new(options.journal_mode(stand.journal));
        let first = Self { way: Way::Sqlite(options, None), ..self.clone() };
        Ok(Keeper { link: first.open(deadline).await?, stand: Some(stand) })
    }

    /// Opens a session to put under load, on the runtime that asks.
    ///
    /// # Errors
    ///
    /// Why there is none, by `deadline` at the latest.
    pub async fn seat(&self, deadline: Instant) -> Result<Session, Unable> {
        if let Way::Postgres(_, Some(entry)) = &self.way
            && let Ok(Some(plain)) = timeout_at(deadline, entry.open()).await
        {
            return Ok(Session::Plain(Box::new(plain)));
        }
        Ok(Session::Driven(self.open(deadline).await?))
    }

    /// Opens a session to ask questions on.
    ///
    /// # Errors
    ///
    /// Why there is none, by `deadline` at the latest.
    pub async fn open(&self, deadline: Instant) -> Result<Link, Unable> {
        let began = Instant::now();
        let late = |_| Fault::hung("log in", began.elapsed(), &self.peer);
        let refused = |error: sqlx::Error| self.fault(&error, Stage::Dial, "log in");
        Ok(match &self.way {
            Way::Postgres(options, _) => {
                let dialled = timeout_at(deadline, options.connect()).await;
                Link::Postgres(dialled.map_err(late)?.map_err(refused)?)
            }
            Way::MySql(options) => {
                let dialled = timeout_at(deadline, options.connect()).await;
                Link::MySql(dialled.map_err(late)?.map_err(refused)?)
            }
            Way::Sqlite(options, _) => {
                let dialled = timeout_at(deadline, options.connect()).await;
                Link::Sqlite(dialled.map_err(late)?.map_err(refused)?)
            }
        })
    }

    /// What an error of the driver means.
    fn fault(&self, error: &sqlx::Error, stage: Stage, asked: &str) -> Fault {
        let (dialect, role) = match &self.way {
            Way::Postgres(options, _) => (Dialect::Postgres, options.get_username()),
            Way::MySql(options) => (Dialect::MySql, options.get_username()),
            Way::Sqlite(..) => (Dialect::Sqlite, ""),
        };
        let (peer, role) = (self.peer.clone(), role.to_owned());
        Fault::of(error, stage, asked, &Names { dialect, peer, role, database: self.name.clone() })
    }

    /// Asks something out of the ordinary as text: rows of values, null as nothing.
    pub(super) async fn ask(
        &self,
        link: &mut Link,
        sql: &str,
        within: Duration,
    ) -> Result<Vec<Vec<String>>, Unable> {
        let text = AssertSqlSafe(sql.to_owned());
        let asked = async {
            match link {
                Link::Postgres(link) => {
                    let rows = sqlx::raw_sql(text).fetch_all(link).await?;
                    rows.iter().map(texts).collect::<Result<Vec<_>, _>>()
                }
                Link::MySql(link) => {
                    let rows = sqlx::raw_sql(text).fetch_all(link).await?;
                    rows.iter().map(texts).collect()
                }
                Link::Sqlite(link) => {
                    let rows = sqlx::raw_sql(text).fetch_all(link).await?;
                    rows.iter().map(texts).collect()
                }
            }
        };
        let answer =
            timeout(within, asked).await.map_err(|_| Fault::hung(sql, within, &self.peer))?;
        Ok(answer.map_err(|error| self.fault(&error, Stage::Statement, sql))?)
    }

    /// The number that the first row ends with.
    pub(super) async fn number(&self, link: &mut Link, sql: &str) -> Result<u64, Unable> {
        let rows = self.ask(link, sql, SHORT).await?;
        let number = rows.first().and_then(|row| row.last()).and_then(|text| text.parse().ok());
        let says = || Fault::new(Kind::Statement, sql, "no number came back".into(), "");
        Ok(number.ok_or_else(says)?)
    }

    /// How many sessions there are, and how many there can be; nothing where that has no limit.
    ///
    /// # Errors
    ///
    /// The server does not say.
    pub async fn room(&self, keeper: &mut Keeper) -> Result<Option<(u64, u64)>, Unable> {
        let link = &mut keeper.link;
        let [used, most] = match link {
            Link::Postgres(_) => [
                "SELECT sum(numbackends)::text FROM pg_stat_database",
                "SELECT (current_setting('max_connections')::int8 \
                 - current_setting('superuser_reserved_connections')::int8)::text",
            ],
            Link::MySql(_) => {
                ["SHOW GLOBAL STATUS LIKE 'Threads_connected'", "SELECT @@max_connections"]
            }
            Link::Sqlite(_) => return Ok(None),
        };
        Ok(Some((self.number(link, used).await?, self.number(link, most).await?)))
    }

    /// How long a statement takes that does nothing: the median of several.
    ///
    /// # Errors
    ///
    /// There is no answer.
    pub async fn round_trip(&self, keeper: &mut Keeper) -> Result<Duration, Unable> {
        const TIMES: usize = 21;
        let mut took = Vec::with_capacity(TIMES);
        for _ in 0..TIMES {
            let began = Instant::now();
            self.ask(&mut keeper.link, "SELECT 1", SHORT).await?;
            took.push(began.elapsed());
        }
        took.sort_unstable();
        Ok(took.get(TIMES / 2).copied().unwrap_or_default())
    }
}

/// The values of a row as text.
fn texts<'r, R>(row: &'r R) -> Result<Vec<String>, sqlx::Error>
where
    R: sqlx::Row,
    usize: sqlx::ColumnIndex<R>,
    Option<String>: sqlx::Decode<'r, R::Database>,
{
    let text = |at| Ok(row.try_get_unchecked::<Option<String>, _>(at)?.unwrap_or_default());
    (0..row.len()).map(text).collect()
}

impl std::fmt::Debug for Dial {
    // Of the driver's options, one prints its password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dial").field("name", &self.name).finish_non_exhaustive()
    }
}
