use super::{Failure, tell, trace};
use crate::{
    app::{Around, Watch},
    cli::Global,
    clock,
    config::{self, Config, Flags, Surroundings as _, World},
    domain::{
        CheckId, CheckSpec, Deploy, Notice, PastDeploy, Topic, perf::Board, perf::Record, plain,
    },
    engine::{Begin, Handle, Override, Plan},
    history::{self, Bounds, History, Keeping, Kind, Place, Writer},
    integrations,
    logging::{self, Log, Logging},
    probe::{Integration, this_run},
    secret::Redactor,
    surface::{
        exporter::{Exporter, exposure},
        record,
    },
};
use std::{env, ffi::OsString, io, sync::Arc, time::Duration};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How far back an engine can place what earlier sessions saw: longer than anything is kept.
const EARLIER: Duration = Duration::from_hours(24 * 4000);
/// Characters shown of this host's name.
const HOST_NAME: usize = 64;

/// A configuration that was read, and what was built from it. Nothing is connected yet.
pub struct Session {
    /// The configuration.
    pub config: Config,
    /// What to watch, in the order to show it.
    pub integrations: Vec<Arc<dyn Integration>>,
    /// Takes the secrets out of any text.
    pub redactor: Redactor,
    /// What the user should know before anything starts, one sentence each.
    pub warnings: Vec<String>,
    /// The log. Drop it last.
    pub logging: Logging,
}

impl Session {
    /// Reads the configuration without logging anything. Needs a runtime.
    pub fn read(global: &Global) -> Result<Self, Failure> {
        let located = config::locate(global.config.as_deref(), &World);
        let flags = Flags {
            listen: global.metrics_listen,
            glyphs: global.glyphs,
            color: global.color,
            theme: global.theme,
        };
        let safety = global.safety();
        let mut built = Vec::new();
        let ids = |settings: &integrations::Settings| {
            built = integrations::all(settings.clone(), safety);
            built.iter().flat_map(ids_of).collect()
        };
        let config = config::load(&located, &flags, &World, clock::now(), ids)?;
        Ok(Self {
            integrations: built,
            redactor: Redactor::new(&config.secrets),
            warnings: config.warnings.clone(),
            logging: Logging::default(),
            config,
        })
    }

    /// Reads the configuration, starts the log and sends panics there.
    pub fn open(global: &Global) -> Result<Self, Failure> {
        let mut session = Self::read(global)?;
        let usual = || trace::state().map(|state| state.join("tminus.log"));
        session.logging = logging::start(&Log {
            file: global.log_file.clone().or_else(usual),
            named: global.log_file.is_some(),
            filter: World.variable("TMINUS_LOG"),
            redactor: session.redactor.clone(),
        });
        session.warnings.extend(session.logging.warnings.iter().cloned());
        session.warnings.extend(session.config.listen.and_then(exposure));
        logging::report_panics(session.redactor.clone());
        Ok(session)
    }

    /// Says the warnings, where there is no screen to show them on.
    pub fn tell_warnings(&self) {
        for warning in &self.warnings {
            tell(&format!("tminus: {warning}"));
        }
    }

    /// The checks of `integration`, with the user's classes and weights.
    pub fn specs(&self, integration: &dyn Integration) -> Vec<CheckSpec> {
        let mut specs = integration.checks();
        for spec in &mut specs {
            let id = integration.id().check(&spec.name);
            Override::apply(&self.config.overrides, &id, spec);
        }
        specs
    }

    /// The plan for an engine that watches `integrations`.
    pub fn plan(&self, integrations: Vec<Arc<dyn Integration>>, begin: Begin) -> Plan {
        Plan {
            integrations,
            policy: self.config.policy.clone(),
            app: self.config.app.as_ref().map(|app| app.name.clone()),
            overrides: self.config.overrides.clone(),
            redactor: self.redactor.clone(),
            notices: self.warnings.iter().map(|says| notice(says)).collect(),
            began: EARLIER,
            host: host(),
            now: clock::now,
            begin,
        }
    }

    /// Lets only what is seen after that deploy count.
    pub fn deployed(&mut self, deploy: &PastDeploy) {
        let PastDeploy { at: wall, version, was, .. } = deploy.clone();
        let at = EARLIER.saturating_sub(clock::now().since(wall));
        self.config.policy.deploy = Some(Deploy { at, wall, version, was });
    }

    /// Asks which version is deployed, where somebody has said how.
    pub fn watch(&self, handle: &Handle) -> Option<Watch> {
        let settings = self.config.app.clone()?;
        let holds_secret = |value: &OsString| {
            let mut text = value.to_string_lossy().into_owned();
            self.redactor.scrub(&mut text);
            text != value.to_string_lossy()
        };
        let hidden = env::vars_os().filter(|(_, value)| holds_secret(value));
        let hidden = hidden.map(|(name, _)| name).collect();
        let around = Around { redactor: self.redactor.clone(), hidden };
        Some(Watch::start(settings, handle.clone(), around))
    }

    /// Where the history is, unless nothing is to be kept.
    pub fn history_place(&self) -> Option<Place> {
        let config::History { off, path, url, .. } = &self.config.history;
        let usual = || trace::state().map(|state| state.join("history.db"));
        let file = || path.clone().or_else(usual).map(Place::File);
        url.clone().map(Place::Shared).or_else(file).filter(|_| !off)
    }

    /// Keeps what the engine publishes and what the tests find, unless nothing is to be kept.
    pub fn history(
        &self,
        kind: Kind,
        handle: &Handle,
        boards: Option<watch::Receiver<Arc<Board>>>,
    ) -> Option<History> {
        Some(History::start(self.keeping(kind)?, handle.clone(), boards))
    }

    /// Keeps the result of a performance test, unless nothing is to be kept.
    pub async fn keep_test(&self, record: &Record) {
        let Some(keeping) = self.keeping(Kind::Test) else { return };
        if let Err(why) = history::keep_test(&keeping, record).await {
            tell(&format!("tminus: the result is not kept: {why}"));
        }
    }

    fn keeping(&self, kind: Kind) -> Option<Keeping> {
        let config::History { max_age, max_bytes, .. } = self.config.history;
        Some(Keeping {
            place: self.history_place()?,
            bounds: Bounds { age: max_age, bytes: max_bytes },
            writer: Writer { run: this_run().to_string(), kind, host: host() },
            now: clock::now,
        })
    }

    /// Listens where metrics are to be served, if anywhere.
    pub async fn exporter(&self) -> Result<Option<Exporter>, Failure> {
        let Some(address) = self.config.listen else { return Ok(None) };
        Exporter::bind(address).await.map(Some).map_err(|error| {
            Failure::unusable(format!("metrics cannot be served on {address}"), why(&error))
                .hint("choose another address with --metrics-listen, or none")
        })
    }

    /// Logs what happens, and serves metrics, beside whatever else is done with the engine.
    pub fn accompany(exporter: Option<Exporter>, handle: &Handle, cancel: &CancellationToken) {
        tokio::spawn(record::run(handle.clone(), cancel.clone()));
        if let Some(exporter) = exporter {
            tracing::info!(address = %exporter.address, "serving metrics");
            tokio::spawn(exporter.serve(handle.snapshots.clone(), cancel.clone()));
        }
    }
}

fn host() -> String {
    plain(&rustix::system::uname().nodename().to_string_lossy(), HOST_NAME)
}

fn notice(says: &str) -> Notice {
    Notice { topic: Topic::Configuration, says: says.to_owned() }
}

/// Why nobody can listen there, in words that are the same on every host.
fn why(error: &io::Error) -> String {
    let usual = [
        (io::ErrorKind::AddrInUse, "another program listens there"),
        (io::ErrorKind::AddrNotAvailable, "this host does not have that address"),
        (io::ErrorKind::PermissionDenied, "this user may not listen on that port"),
    ];
    let usual = usual.into_iter().find(|(kind, _)| *kind == error.kind());
    usual.map_or_else(|| error.to_string(), |(_, says)| says.to_owned())
}

fn ids_of(integration: &Arc<dyn Integration>) -> Vec<CheckId> {
    let id = integration.id();
    integration.checks().iter().map(|spec| id.check(&spec.name)).collect()
}
