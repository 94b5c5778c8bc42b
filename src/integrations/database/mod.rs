//! Database observability: does the database answer, does it count what is
//! asked of it, and does somebody notice what takes too long?
//!
//! Configuration alone proves none of it, so each check sends statements whose
//! result it knows and demands to find exactly them.

mod address;
mod application;
mod backend;
mod checks;
mod fault;
mod judge;
pub mod load;
mod measured;
mod mysql;
mod pooling;
mod postgres;
mod settings;
mod sqlite;
mod tally;
mod vitals;

pub use settings::Settings;

use self::{
    address::Place, application::Application, backend::Backend, load::Dial, mysql::MySql,
    postgres::Postgres, sqlite::Sqlite,
};
use crate::{
    domain::{
        Cadence, CheckSpec, Class, Impact, IntegrationId, Provenance, Sweep, Target, plain, text,
    },
    probe::{Check, Cx, Integration, ProbeError, Run, Safety, Sweeping, Whose, specs},
};
use std::time::Duration;

/// The widest title that the table has room for.
const TITLE: usize = 20;

/// One database: a PostgreSQL, MySQL or MariaDB server, an SQLite file, or the embedded
/// stand-in.
pub struct Database {
    id: IntegrationId,
    title: String,
    target: Target,
    connect_limit: Duration,
    /// Whether nothing is configured and our own takes its place.
    embedded: bool,
    /// What is wrong with the URL, where it names nothing that can be asked.
    backend: Result<Box<dyn Backend>, String>,
    /// The application that uses it, if its metrics are named.
    application: Result<Option<Application>, String>,
    /// Where a killed load test may have left its table.
    dial: Option<Dial>,
    may_sweep: bool,
}

impl Database {
    /// Watches what `settings` name. Opens nothing before the first run.
    pub fn new(id: IntegrationId, settings: Settings, safety: Safety) -> Self {
        let place = Place::of(&settings);
        let embedded = matches!(place, Ok(Place::Embedded));
        let name = place.as_ref().map_or_else(|_| "unusable url".into(), Place::label);
        let provenance = if embedded { Provenance::Embedded } else { Provenance::Configured };
        let dial = Dial::of(&settings).ok();
        let application = settings.app_metrics().map(|url| url.map(Application::at));
        let local = place.as_ref().is_ok_and(Place::is_local);
        let may_write = safety.may_write(local, settings.writes);
        let may_load = settings.load == Some(true) || safety.allow_load;
        let backend = place.map(|place| -> Box<dyn Backend> {
            match place {
                Place::Postgres(server) => {
                    Box::new(Postgres::new(server, settings.slow, may_write))
                }
                Place::MySql(server) => Box::new(MySql::new(server, settings.slow, may_write)),
                Place::Sqlite(file) => Box::new(Sqlite::file(file, settings.slow, may_write)),
                Place::Embedded => Box::new(Sqlite::embedded(settings.slow)),
            }
        });
        let title = settings.name.map_or_else(|| "DB observability".into(), |n| format!("DB {n}"));
        Self {
            id,
            title: plain(&title, TITLE),
            target: Target { name: plain(&name, 200), provenance },
            connect_limit: settings.connect_limit,
            embedded,
            backend,
            application,
            dial,
            may_sweep: may_write || (may_load && settings.writes != Some(false)),
        }
    }

    /// Removes what load tests left that were killed.
    async fn swept(&self) -> Sweep {
        let Some(dial) = &self.dial else { return Sweep::NotNeeded };
        if !self.may_sweep {
            let remedy = "pass --allow-writes, or set `writes = true` in [database]".into();
            return Sweep::NotAllowed { remedy };
        }
        match dial.sweep().await {
            Ok(swept) => Sweep::Done(swept),
            Err(why) => Sweep::Failed { why: why.says, remedy: why.hint },
        }
    }

    fn backend(&self) -> Result<&dyn Backend, ProbeError> {
        match &self.backend {
            Ok(backend) => Ok(backend.as_ref()),
            Err(says) => Err(ProbeError::Misconfigured(format!("the url {says}"))),
        }
    }
}

/// The whole catalogue of this integration, one row per check.
const CHECKS: &[Check<Database>] = &[
    Check {
        spec: CheckSpec {
            name: text("connect"),
            title: text("Answers, and lets new sessions in"),
            hint: text("start the database, or correct its url in tminus.toml"),
            does: text(
                "Opens a session, sends SELECT 1, and asks how much room there is for the next \
                 session",
            ),
            risk: text("the application cannot reach its data"),
            cadence: Cadence::Every(Duration::from_secs(5)),
            timeout: Duration::from_secs(3),
            weight: 3,
            class: Class::Blocker,
            impact: Impact::ReadOnly,
            needs: None,
            graph: false,
        },
        run: |database, cx| Box::pin(database.connect(cx)),
    },
    Check {
        spec: CheckSpec {
            name: text("query"),
            title: text("Counts every statement sent"),
            hint: text("preload and create pg_stat_statements"),
            does: text(
                "Sends the same statement 20 times, and reads how often the server has counted it",
            ),
            risk: text("a query that the release makes slower is seen in no statistics"),
            cadence: Cadence::Every(Duration::from_mins(1)),
            timeout: Duration::from_secs(8),
            weight: 1,
            class: Class::Blocker,
            impact: Impact::ReadOnly,
            needs: Some(text("connect")),
            graph: false,
        },
        run: |database, cx| Box::pin(database.query(cx)),
    },
    Check {
        spec: CheckSpec {
            name: text("pool"),
            title: text("Pools add up, and have room"),
            hint: text("close idle connections, or raise max_connections"),
            does: text(
                "Opens a pool of two, takes both, asks for a third, gives back and closes, and \
                 holds its numbers against the server's sessions; counts everybody's sessions",
            ),
            risk: text("requests wait for a connection, or the server refuses new sessions"),
            cadence: Cadence::Every(Duration::from_mins(1)),
            timeout: Duration::from_secs(10),
            weight: 1,
            class: Class::Blocker,
            impact: Impact::ReadOnly,
            needs: Some(text("connect")),
            graph: false,
        },
        run: |database, cx| Box::pin(database.pool(cx)),
    },
    Check {
        spec: CheckSpec {
            name: text("transactions"),
            title: text("Commits and rollbacks are tracked"),
            hint: text("switch track_counts on, and let the role see it"),
            does: text(
                "Rolls one transaction back that was held open, commits another, and looks on from \
                 a second session; where writing is allowed, they write to a temporary table",
            ),
            risk: text(
                "a transaction that stays open holds its locks, and nobody sees whose it is",
            ),
            cadence: Cadence::Every(Duration::from_mins(1)),
            timeout: Duration::from_secs(10),
            weight: 1,
            class: Class::Major,
            impact: Impact::Writes,
            needs: Some(text("connect")),
            graph: false,
        },
        run: |database, cx| Box::pin(database.transactions(cx)),
    },
    Check {
        spec: CheckSpec {
            name: text("errors"),
            title: text("Errors are counted"),
            hint: text("switch track_counts and the log on"),
            does: text(
                "Provokes an error of its own where one is due, and reads how many errors and \
                 rollbacks were counted",
            ),
            risk: text("failing statements stay unnoticed until users report them"),
            cadence: Cadence::Every(Duration::from_secs(30)),
            timeout: Duration::from_secs(10),
            weight: 1,
            class: Class::Major,
            impact: Impact::ReadOnly,
            needs: Some(text("connect")),
            graph: false,
        },
        run: |database, cx| Box::pin(database.errors(cx)),
    },
    Check {
        spec: CheckSpec {
            name: text("slow"),
            title: text("Slow statements are noticed"),
            hint: text("switch track_activities on, and let the role see it"),
            does: text(
                "Sends one statement of one and a half times the limit and one of half of it, and \
                 looks whether the first was noticed and the second was not",
            ),
            risk: text("slow statements stay unnoticed until users report them"),
            cadence: Cadence::Every(Duration::from_mins(1)),
            timeout: Duration::from_secs(10),
            weight: 1,
            class: Class::Major,
            impact: Impact::ReadOnly,
            needs: Some(text("connect")),
            graph: false,
        },
        run: |database, cx| Box::pin(database.slow(cx)),
    },
    Check {
        spec: CheckSpec {
            name: text("server"),
            title: text("Locks, replication, room, wraparound"),
            hint: text("see the rows that are out of their limits"),
            does: text(
                "Reads catalogues and statistics: locks, replication, room, sessions, wraparound, \
                 each against its limit",
            ),
            risk: text(
                "the server stops taking writes, or replicas fall behind, without a warning",
            ),
            cadence: Cadence::Every(Duration::from_mins(1)),
            timeout: Duration::from_secs(10),
            weight: 1,
            class: Class::Major,
            impact: Impact::ReadOnly,
            needs: Some(text("connect")),
            graph: false,
        },
        run: |database, cx| Box::pin(database.server(cx)),
    },
    Check {
        spec: CheckSpec {
            name: text("application"),
            title: text("Application exports its pool and queries"),
            hint: text("let the application export db.client metrics of OpenTelemetry"),
            does: text(
                "Reads the application's page of metrics: query times, its pool, who waits for \
                 it, and whether query texts are sanitised",
            ),
            risk: text("an exhausted pool and slow queries show in no graph of the application"),
            cadence: Cadence::Every(Duration::from_mins(1)),
            timeout: Duration::from_secs(5),
            weight: 1,
            class: Class::Minor,
            impact: Impact::ReadOnly,
            needs: None,
            graph: false,
        },
        run: |database, cx| Box::pin(database.application(cx)),
    },
];

impl Integration for Database {
    fn id(&self) -> &IntegrationId {
        &self.id
    }

    fn title(&self) -> &str {
        &self.title
    }

    fn target(&self) -> Target {
        self.target.clone()
    }

    fn checks(&self) -> Vec<CheckSpec> {
        specs(CHECKS)
    }

    fn run<'a>(&'a self, index: usize, cx: &'a Cx) -> Run<'a> {
        (CHECKS[index].run)(self, cx)
    }

    fn sweep<'a>(&'a self, _: &'a Whose) -> Sweeping<'a> {
        // Whether a run is alive is known by the lock that only it can hold.
        Box::pin(self.swept())
    }
}
