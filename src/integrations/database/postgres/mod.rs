//! PostgreSQL 14 and later.
//!
//! One standing session that only reads, and a second one for as long as a
//! canary runs: never more than two.

mod activity;
mod client;
mod errors;
mod greet;
mod judge;
mod measured;
mod pool;
mod queries;
mod server;
mod slowness;
mod survey;
mod tracking;
mod transactions;
mod vitals;

pub(super) use self::client::load_options;
use self::{
    activity::Stats,
    client::{Client, Session, first},
    errors::Looks,
    measured::{Refusal, Setup, Sight},
};
use super::{
    address::Server,
    backend::{Backend, Concluded},
    fault::{Fault, Kind},
    judge as common,
    measured::{Concern, Contact},
};
use crate::{
    domain::{FactValue, Quantity},
    probe::{Stopwatch, pool::PoolMeter},
};
use sqlx::AssertSqlSafe;
use std::time::Duration;
use tokio::{
    sync::{Mutex, MutexGuard},
    time::{Instant, sleep},
};

/// Less than the time that `connect` is allowed, so that the answer can say more than that.
const CONTACT: Duration = Duration::from_millis(2500);
/// For any other statement, opening a session included.
const STATEMENT: Duration = Duration::from_secs(2);

/// One PostgreSQL server.
pub(super) struct Postgres {
    client: Client,
    slow: Duration,
    may_write: bool,
    /// Held by whoever has the second session.
    canary: Mutex<Memory>,
    meter: PoolMeter,
}

/// What is kept from one canary to the next.
#[derive(Default)]
struct Memory {
    /// Asking again would only write the same error into the server's log.
    refused: Option<(Setup, Refusal)>,
    /// Evictions at the last look.
    evicted: Option<i64>,
    /// The sessions at the last look.
    sessions: Option<Stats>,
    /// The deadlocks at the last look.
    deadlocks: Option<(Instant, Stats)>,
    /// The looks at the errors.
    looks: Looks,
}

impl Postgres {
    /// Connects when first asked. A statement longer than `slow` is slow.
    pub(super) fn new(server: Server, slow: Duration, may_write: bool) -> Self {
        Self {
            client: Client::new(server),
            slow,
            may_write,
            canary: Mutex::default(),
            meter: PoolMeter::default(),
        }
    }

    async fn reach(&self, watch: &mut Stopwatch) -> Result<Contact, Fault> {
        let deadline = Instant::now() + CONTACT;
        greet::greet(self.client.server(), watch, deadline).await?;
        let answer = self.client.read(queries::PING, "query", watch, deadline).await?;
        let slots = match self.client.read(queries::SLOTS, "room", watch, deadline).await {
            Ok(slots) => Some(slots),
            Err(fault) if fault.keeps_session() => None,
            Err(fault) => return Err(fault),
        };
        let identity = answer.identity;
        let mut facts = vec![
            ("server", identity.version.as_str().into()),
            ("role", identity.role.as_str().into()),
            ("database", identity.database.as_str().into()),
            ("TLS", on(identity.tls)),
            ("read-only by default", on(identity.read_only)),
            ("session guards", on(identity.own)),
        ];
        let mut concern = None;
        let mut standby = false;
        if let Some(slots) = slots {
            let line = first(&slots.rows, queries::SLOTS, "")?;
            let (used, most): (i64, i64) = (line.read("used")?, line.read("most")?);
            standby = line.read("standby")?;
            facts.push(("in recovery", on(standby)));
            facts.push(("connections taken", Quantity::Count(used.unsigned_abs()).into()));
            facts.push(("connections at most", Quantity::Count(most.unsigned_abs()).into()));
            concern = self.room(used, most, deadline).await?;
        }
        let number = identity.version.split_whitespace().next().unwrap_or_default();
        let role = if standby { " standby" } else { "" };
        let product = format!("PostgreSQL {number}{role}");
        Ok(Contact { product, asked: queries::PING, round_trip: answer.took, facts, concern })
    }

    /// Whether the next client still gets in. The count includes workers that
    /// take no slot, so where it looks full the proof is to try.
    async fn room(&self, used: i64, most: i64, by: Instant) -> Result<Option<Concern>, Fault> {
        if used < most {
            return Ok(None);
        }
        let Ok(_turn) = self.canary.try_lock() else { return Ok(None) };
        match self.client.dial(by).await {
            Ok(session) => {
                self.part(session).await;
                Ok(Some(Concern::OnlyReserved { used, limit: most }))
            }
            Err(fault) if fault.kind == Kind::Full => {
                let says = format!("server full: {used} of {most} connections (53300)");
                let remedy = format!("{}{}", self.holder().await.unwrap_or_default(), fault.remedy);
                Err(Fault { says, remedy, ..fault })
            }
            Err(fault) => Err(fault),
        }
    }

    /// The role with most sessions, as the beginning of a sentence.
    async fn holder(&self) -> Result<String, Fault> {
        let rows = self.read(queries::HOLDER.into()).await?;
        let line = first(&rows, queries::HOLDER, "")?;
        let (who, sessions): (String, i64) = (line.read("who")?, line.read("sessions")?);
        Ok(format!("{who} holds {sessions}: "))
    }

    /// The second session. Nobody else gets one while the guard is held.
    async fn second(&self) -> Result<(MutexGuard<'_, Memory>, Session), Fault> {
        let memory = self.canary.lock().await;
        match self.client.dial(Instant::now() + STATEMENT).await {
            Ok(session) => Ok((memory, session)),
            Err(fault) => {
                if matches!(fault.kind, Kind::Starting | Kind::Stopping) {
                    self.client.leave().await;
                }
                Err(fault)
            }
        }
    }

    /// Closes a second session and waits until the server has let go of it, so
    /// that the next one does not make three.
    async fn part(&self, session: Session) {
        let pid = session.identity.pid;
        session.close().await;
        for _ in 0..20 {
            match self.sight(pid).await {
                Ok(Some(_)) => sleep(Duration::from_millis(5)).await,
                Ok(None) | Err(_) => return,
            }
        }
    }

    /// What the server shows of the session `pid`.
    async fn sight(&self, pid: i32) -> Result<Option<Sight>, Fault> {
        let rows = self.read(queries::sight(pid)).await?;
        if rows.is_empty() {
            return Ok(None);
        }
        let line = first(&rows, "pg_stat_activity", "")?;
        let seconds: f64 = line.read("seconds")?;
        Ok(Some(Sight {
            in_flight: line.read("active")?,
            wait: line.read("wait")?,
            took: Duration::try_from_secs_f64(seconds).unwrap_or_default(),
            fingerprint: line.read("fingerprint")?,
        }))
    }

    /// Asks a statement built of our own texts and numbers on the standing session.
    async fn read(&self, sql: String) -> Result<Vec<sqlx::postgres::PgRow>, Fault> {
        let deadline = Instant::now() + STATEMENT;
        let mut watch = Stopwatch::start();
        let answer = self.client.read(AssertSqlSafe(sql), "query", &mut watch, deadline).await?;
        Ok(answer.rows)
    }
}

/// How tracking is set up for the role of `session`.
async fn setup(session: &mut Session) -> Result<Setup, Fault> {
    let rows = session.ask(queries::SETUP, Instant::now() + STATEMENT).await?;
    let line = first(&rows, queries::SETUP, session.peer())?;
    let identity = &session.identity;
    Ok(Setup {
        number: identity.number,
        role: identity.role.clone(),
        database: identity.database.clone(),
        track: line.read("track")?,
        compute: line.read("compute")?,
        activities: line.read("activities")?,
        most: line.read("most")?,
        io_timing: line.read("io_timing")?,
        log_from: line.read("log_from")?,
        reads_all: line.read("reads_all")?,
        schema: line.read("schema")?,
        version: line.read("version")?,
        own_session: identity.own,
    })
}

fn on(yes: bool) -> FactValue {
    if yes { "yes".into() } else { "no".into() }
}

impl Backend for Postgres {
    fn connect<'a>(&'a self, limit: Duration, watch: &'a mut Stopwatch) -> Concluded<'a> {
        Box::pin(async move { Ok(common::connect(&self.reach(watch).await?, limit)) })
    }

    fn query(&self) -> Concluded<'_> {
        Box::pin(async { Ok(judge::query(&self.track().await?)) })
    }

    fn pool(&self) -> Concluded<'_> {
        Box::pin(async { Ok(judge::pool(&self.pooled().await?)) })
    }

    fn transactions(&self) -> Concluded<'_> {
        Box::pin(async { Ok(judge::transactions(&self.transact().await?)) })
    }

    fn errors(&self) -> Concluded<'_> {
        Box::pin(async { Ok(judge::errors(&self.mistakes().await?)) })
    }

    fn slow(&self) -> Concluded<'_> {
        Box::pin(async { Ok(judge::slow(&self.time().await?)) })
    }

    fn server(&self) -> Concluded<'_> {
        Box::pin(async { Ok(judge::server(&self.survey().await?)) })
    }

    fn meter(&self) -> &PoolMeter {
        &self.meter
    }
}
