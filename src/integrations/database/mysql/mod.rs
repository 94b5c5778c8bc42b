//! MySQL 5.7 and later, MariaDB 10.5 and later.
//!
//! One standing session that only reads, and a second one for as long as a
//! check needs it: never more than two, but for the two of a pool tried out.

pub(super) mod address;
mod canaries;
mod client;
mod errors;
mod greet;
mod judge;
mod measured;
mod pool;
mod queries;
mod server;
mod survey;
mod transactions;
mod vitals;

pub(super) use self::client::load_options;
use self::{
    address::Server,
    client::{Answer, Client, Line, Session, first},
    errors::Looks,
    measured::{Counting, Setup},
};
use super::{
    backend::{Backend, Concluded},
    fault::{Fault, Kind},
    judge as common,
    measured::{Concern, Contact},
};
use crate::{
    domain::{FactValue, Quantity},
    probe::{Stopwatch, pool::PoolMeter},
};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use tokio::{
    sync::{Mutex, MutexGuard},
    time::{Instant, sleep},
};

/// Less than the time that `connect` is allowed, so that the answer can say more than that.
const CONTACT: Duration = Duration::from_millis(2500);
/// For any other statement, opening a session included.
const STATEMENT: Duration = Duration::from_secs(2);

/// One MySQL or MariaDB server.
pub(super) struct MySql {
    client: Client,
    slow: Duration,
    may_write: bool,
    /// Whether the last session was opened without trouble, so that no stranger is there.
    known: AtomicBool,
    /// Held by whoever has the second session.
    canary: Mutex<Memory>,
    meter: PoolMeter,
}

/// What is kept from one canary to the next.
#[derive(Default)]
struct Memory {
    /// Statements lost at the last look.
    lost: Option<u64>,
    /// The looks at the errors.
    looks: Looks,
    /// Deadlocks at the last look at the server, and when that was.
    deadlocks: Option<(u64, Instant)>,
}

impl MySql {
    /// Connects when first asked. A statement longer than `slow` is slow.
    pub(super) fn new(server: Server, slow: Duration, may_write: bool) -> Self {
        Self {
            client: Client::new(server),
            slow,
            may_write,
            known: AtomicBool::new(false),
            canary: Mutex::default(),
            meter: PoolMeter::default(),
        }
    }

    /// Opens a new session, which proves that there is room for one, and asks on it.
    async fn reach(&self, watch: &mut Stopwatch) -> Result<Contact, Fault> {
        let deadline = Instant::now() + CONTACT;
        if !self.known.load(Ordering::Relaxed) {
            greet::greet(self.client.server(), watch, deadline).await?;
        }
        let dialled = self.dial(deadline).await;
        watch.lap("log in");
        let mut session = match dialled {
            Err(fault) if fault.kind == Kind::Full => return Err(self.full(fault).await),
            dialled => dialled?,
        };
        let answered = session.timed(queries::PING, deadline).await;
        watch.lap("query");
        let (_, round_trip) = answered?;
        let identity = session.identity.clone();
        session.close().await;
        let room = self.read(queries::ROOM).await?;
        let line = first(&room.rows, queries::ROOM)?;
        let (most, read_only): (u64, u8) = (line.number("most")?, line.number("read_only")?);
        let used = self.status(queries::THREADS).await?;
        watch.lap("room");
        let facts = vec![
            ("server", identity.version.as_str().into()),
            ("account", identity.account.as_str().into()),
            ("database", identity.database.as_deref().unwrap_or("none selected").into()),
            ("TLS", on(identity.tls)),
            ("read_only", on(read_only > 0)),
            ("session guards", on(identity.own)),
            ("connections taken", Quantity::Count(used).into()),
            ("connections at most", Quantity::Count(most).into()),
        ];
        let concern = (used >= most).then(|| Concern::OnlyReserved {
            used: i64::try_from(used).unwrap_or(i64::MAX),
            limit: i64::try_from(most).unwrap_or(i64::MAX),
        });
        let product = identity.product();
        Ok(Contact { product, asked: queries::PING, round_trip, facts, concern })
    }

    /// What the standing session knows about a server that has no room for another.
    async fn full(&self, fault: Fault) -> Fault {
        let counted = async {
            let used = self.status(queries::THREADS).await?;
            let room = self.read(queries::ROOM).await?;
            Ok::<_, Fault>((used, first(&room.rows, queries::ROOM)?.number::<u64>("most")?))
        };
        match counted.await {
            Ok((used, most)) => {
                // Whom it refused is counted too, until he is gone.
                let used = used.min(most);
                let says = format!("server full: {used} of {most} connections ({})", fault.code);
                Fault { says, ..fault }
            }
            Err(_) => fault,
        }
    }

    /// A session of its own, which the caller closes.
    async fn dial(&self, deadline: Instant) -> Result<Session, Fault> {
        let dialled = self.client.dial(deadline).await;
        self.known.store(dialled.is_ok(), Ordering::Relaxed);
        dialled
    }

    /// The second session. Nobody else gets one while the guard is held.
    async fn second(&self) -> Result<(MutexGuard<'_, Memory>, Session), Fault> {
        let memory = self.canary.lock().await;
        let session = self.dial(Instant::now() + STATEMENT).await?;
        Ok((memory, session))
    }

    /// Closes a second session and waits until the server has let go of it, so
    /// that the next one does not make three.
    async fn part(&self, session: Session) {
        let id = session.identity.id;
        session.close().await;
        for _ in 0..20 {
            match self.alive(&[id]).await {
                Ok(0) | Err(_) => return,
                Ok(_) => sleep(Duration::from_millis(5)).await,
            }
        }
    }

    /// How many of the sessions `ids` are there.
    async fn alive(&self, ids: &[u64]) -> Result<u64, Fault> {
        let sql = queries::alive(ids);
        let answer = self.read(&sql).await?;
        first(&answer.rows, &sql)?.number("n")
    }

    /// Asks on the standing session.
    async fn read(&self, sql: &str) -> Result<Answer, Fault> {
        self.client.read(sql, Instant::now() + STATEMENT).await
    }

    /// The one number that `sql` shows.
    async fn status(&self, sql: &str) -> Result<u64, Fault> {
        value(&self.read(sql).await?.rows, sql)
    }

    /// How the server counts. The tables that say what are read only where it counts at all.
    async fn setup(&self) -> Result<Setup, Fault> {
        let answer = self.read(queries::SETUP).await?;
        let line = first(&answer.rows, queries::SETUP)?;
        let on = line.number::<u8>("counting")? > 0;
        let mut setup = Setup {
            account: answer.identity.account.clone(),
            size: line.number("size")?,
            slow_log: line.number::<u8>("slow_log")? > 0,
            slow_from: Duration::try_from_secs_f64(line.number("slow_from")?).unwrap_or_default(),
            slow_into: line.text("slow_into")?.unwrap_or_default(),
            limit: queries::statement_limit(answer.identity.is_maria()),
            own_session: answer.identity.own,
            ..Setup::default()
        };
        if on {
            let answer = self.statistics(queries::CONSUMERS).await?;
            let line = first(&answer.rows, queries::CONSUMERS)?;
            let (digests, instruments): (u8, u8) =
                (line.number("digests")?, line.number("instruments")?);
            setup.counting = match (digests, instruments) {
                (0, _) => Counting::NoDigests,
                (_, 0) => Counting::NoInstruments,
                _ => Counting::On,
            };
            setup.lost = self.status(queries::LOST).await?;
        }
        Ok(setup)
    }

    /// Asks the server's statistics, which need a grant of their own.
    async fn statistics(&self, sql: &str) -> Result<Answer, Fault> {
        self.granted(sql, "SELECT ON performance_schema.*").await
    }

    /// Asks what needs `grant`, and says so where it is missing.
    async fn granted(&self, sql: &str, grant: &str) -> Result<Answer, Fault> {
        match self.read(sql).await {
            Err(fault) if fault.kind == Kind::NotPermitted => {
                let account = self.read(queries::PING).await?.identity.account;
                Err(Fault { remedy: format!("GRANT {grant} TO {account}"), ..fault })
            }
            answered => answered,
        }
    }
}

/// The value in an answer to `SHOW … LIKE`.
fn value(rows: &[Line], asked: &str) -> Result<u64, Fault> {
    first(rows, asked)?.number("Value")
}

fn on(yes: bool) -> FactValue {
    if yes { "yes".into() } else { "no".into() }
}

impl Backend for MySql {
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
        Box::pin(async { Ok(judge::errors(&self.mistake().await?)) })
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
