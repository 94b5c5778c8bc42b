//! Redis or Valkey: is it there, is it well, and do the services that are built
//! on it keep their promises?
//!
//! ```text
//! checks, trials ──▶ services (cases ──▶ trait ◀── server | in process)
//!        │                                          │
//!        └────────▶ line ──▶ client ──▶ transport ◀─┘
//! ```
//!
//! With no address the services run in this process, and every finding says so.
//! With one, this process never stands in for a server that does not answer.

mod address;
mod checks;
mod client;
mod crowd;
mod fault;
mod greeting;
mod info;
mod judge;
mod keys;
mod line;
mod looking;
mod messaging;
mod metering;
mod paused;
mod raw;
mod ready;
mod reply;
mod server;
mod services;
mod settings;
mod slots;
mod steps;
mod sweep;
mod table;
mod tally;
mod topology;
mod transport;
mod trials;
mod trouble;
mod vector;
mod vitals;
mod wire;

pub use raw::{Dial, Raw, Undialled};
pub use settings::{Duty, Settings};
pub use wire::Stream;

use crate::{
    domain::{CheckSpec, Impact, IntegrationId, Provenance, Target},
    probe::{Alarm, Complaint, Cx, Integration, Run, Safety, Sweeping, Whose, is_local, specs},
};
use address::Place;
use client::Client;
use line::Line;
use looking::KEY_EVENTS;
use paused::held_back;
use services::{Notices, metrics::Exporter};
use settings::Meant;
use std::{
    future::pending,
    sync::{Arc, Mutex, PoisonError, atomic::AtomicBool},
    time::Duration,
};
use table::{CHECKS, CONNECTS};
use topology::{Entrance, Turns};
use transport::Transport;

/// Columns that a title may have.
const TITLE: usize = 20;

/// One Redis or Valkey deployment, or the stand-in for one.
pub struct Redis {
    id: IntegrationId,
    title: String,
    ping_limit: Duration,
    back: Back,
}

/// What the checks are run on.
enum Back {
    /// Nothing is configured: this process itself.
    StandIn,
    /// The address is unusable, for this reason.
    Misconfigured(String),
    Server(Box<Site>),
}

/// A server and what is remembered of it between runs.
struct Site {
    transport: Arc<Transport>,
    line: Line,
    /// Whether the address itself may be written to.
    may_write: bool,
    /// What else may be: what the address leads to can be elsewhere.
    safety: Safety,
    writes: Option<bool>,
    /// What it is meant to be.
    meant: Meant,
    cluster: bool,
    turns: Turns,
    /// What it is used for.
    duties: Vec<Duty>,
    /// Whether an application counts on being told of keys that end.
    key_events: bool,
    /// Another exporter that is to watch the same server.
    exporter: Option<Arc<Exporter>>,
    /// What a service found out about keys that have ended, and whether that is well.
    lingering: Mutex<Option<Result<String, String>>>,
    /// What earlier looks at the instance leave for the next.
    past: Mutex<vitals::Past>,
    /// The clock of the server that was asked last, read at every poll.
    clock: Mutex<Option<(Place, vitals::ClockWatch)>>,
    /// Whether the last look at the commands found that it holds writes back.
    holds_back: AtomicBool,
    /// What the last full command vector saw.
    vector: Mutex<Option<vector::Full>>,
    /// What the checks that write know of it.
    readiness: ready::Readiness,
}

impl Redis {
    /// Watches what `settings` name. Connects on first use, never here.
    pub fn new(id: IntegrationId, settings: Settings, safety: Safety) -> Self {
        let title = settings.name.as_deref().map_or("Redis / Valkey".into(), |name| {
            format!("Redis {name}").chars().take(TITLE).collect()
        });
        let ping_limit = settings.ping_limit;
        Self { id, title, ping_limit, back: Back::new(settings, safety) }
    }
}

impl Back {
    fn new(settings: Settings, safety: Safety) -> Self {
        let meant = settings.meant();
        let exporter = match settings.exporter() {
            Ok(url) => url.map(|url| Arc::new(Exporter::at(url))),
            Err(says) => return Self::Misconfigured(format!("`exporter` {says}")),
        };
        let entrance = match Entrance::read(&settings) {
            Ok(Some(entrance)) => entrance,
            Ok(None) => return Self::StandIn,
            Err(wrong) => return Self::Misconfigured(in_words(&wrong)),
        };
        let writes = settings.writes;
        let may_write = entrance.hosts().all(|host| safety.may_write(is_local(&host), writes));
        let transport = Arc::new(Transport::new(entrance, settings.ca));
        let line = Line::new(Arc::clone(&transport));
        Self::Server(Box::new(Site {
            transport,
            line,
            may_write,
            safety,
            writes,
            meant,
            cluster: settings.cluster,
            turns: Turns::default(),
            duties: settings.roles,
            key_events: settings.key_events,
            exporter,
            lingering: Mutex::default(),
            past: Mutex::default(),
            clock: Mutex::default(),
            holds_back: AtomicBool::default(),
            vector: Mutex::default(),
            readiness: ready::Readiness::default(),
        }))
    }
}

fn in_words(wrong: &[Complaint]) -> String {
    let said = wrong.iter().map(|complaint| format!("`{}` {}", complaint.key, complaint.says));
    said.collect::<Vec<_>>().join("; ")
}

impl Site {
    /// What people call it.
    fn name(&self) -> String {
        let name = self.transport.address.name();
        match self.transport.sentinels.len() {
            0 => name,
            1 => format!("{name} via 1 sentinel"),
            many => format!("{name} via {many} sentinels"),
        }
    }

    /// Whether what a connection leads to may be written to.
    fn may_write_to(&self, client: &Client) -> bool {
        let host = client.place.as_ref().map(Place::host).unwrap_or_default();
        self.may_write && self.safety.may_write(is_local(&host), self.writes)
    }

    /// What is known of the announcements of keys that end.
    fn notices(&self) -> Notices {
        let past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        Notices { needed: self.key_events, setting: past.setting(KEY_EVENTS).map(Into::into) }
    }
}

impl Integration for Redis {
    fn id(&self) -> &IntegrationId {
        &self.id
    }

    fn title(&self) -> &str {
        &self.title
    }

    fn target(&self) -> Target {
        let (name, provenance) = match &self.back {
            Back::StandIn => ("in-process stand-in".into(), Provenance::Embedded),
            Back::Misconfigured(_) => ("unusable address".into(), Provenance::Configured),
            Back::Server(site) => (site.name(), Provenance::Configured),
        };
        Target { name, provenance }
    }

    fn checks(&self) -> Vec<CheckSpec> {
        specs(CHECKS)
    }

    fn run<'a>(&'a self, index: usize, cx: &'a Cx) -> Run<'a> {
        match &self.back {
            Back::Server(site) => {
                let check = &CHECKS[index];
                let run = move || -> Run<'a> {
                    Box::pin(async move {
                        let CheckSpec { impact, needs, .. } = &check.spec;
                        if needs.is_none() {
                            return (check.run)(self, cx).await;
                        }
                        if *impact == Impact::Writes && site.still_holds_writes_back().await {
                            return Ok(held_back());
                        }
                        Ok(site.told_apart((check.run)(self, cx).await?).await)
                    })
                };
                Box::pin(site.line.steadily(run))
            }
            Back::StandIn | Back::Misconfigured(_) => (CHECKS[index].run)(self, cx),
        }
    }

    /// The end of the connection that is kept calls for a look.
    fn alarm(&self) -> Alarm<'_> {
        Box::pin(async move {
            match &self.back {
                Back::Server(site) => site.transport.crowd.lost().await,
                Back::StandIn | Back::Misconfigured(_) => pending().await,
            }
            CONNECTS
        })
    }

    fn asks_again(&self) -> bool {
        true
    }

    /// All of them: they share their connections, and one that hangs delays no other.
    fn at_once(&self) -> usize {
        CHECKS.len()
    }

    fn sweep<'a>(&'a self, whose: &'a Whose) -> Sweeping<'a> {
        Box::pin(self.swept(whose))
    }
}

#[cfg(test)]
mod tests;
