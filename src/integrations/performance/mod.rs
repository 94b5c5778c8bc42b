//! How is the machine under the release doing: the app's memory, this host's
//! clocks, the app's answers.
//!
//! Until it is told which process to watch, the console watches itself.

mod answers;
mod checks;
mod clocks;
mod exposition;
mod gauge;
mod heap;
mod judge;
mod process;
mod room;
mod settings;
mod sockets;
mod track;
mod trend;

pub use gauge::{Amount, Gauge, Sought};
pub use process::Missing;
pub use room::Room;
pub use settings::Settings;

use crate::{
    domain::{Cadence, CheckSpec, Class, Impact, IntegrationId, Provenance, Target, text},
    probe::{
        Check, Cx, Integration, Run,
        http::{Http, peer},
        specs,
    },
};
use answers::Answers;
use clocks::Pace;
use judge::MemoryLimits;
use reqwest::Url;
use settings::Watched;
use std::{sync::Mutex, time::Duration};
use sysinfo::System;
use track::Track;

/// The watched process, this host's clocks and the app's endpoint.
pub struct Performance {
    id: IntegrationId,
    watched: Watched,
    memory_limits: MemoryLimits,
    address: Option<Url>,
    metrics: Option<Url>,
    response_limit: Duration,
    http: Http,
    /// Made when first needed, kept because it knows when this host was booted.
    system: Mutex<Option<System>>,
    track: Mutex<Track>,
    pace: Mutex<Pace>,
    answers: Mutex<Answers>,
}

impl Performance {
    /// Watches what `settings` say. Reads nothing until a check is run.
    ///
    /// An address that [`Settings::complaints`] complains about is not asked.
    #[expect(clippy::needless_pass_by_value, reason = "as every integration is made")]
    pub fn new(id: IntegrationId, settings: Settings) -> Self {
        Self {
            id,
            watched: settings.watched(),
            memory_limits: MemoryLimits {
                most: settings.most_bytes(),
                growth: settings.most_growth(),
            },
            address: settings.address(),
            metrics: settings.metrics_address(),
            response_limit: settings.response_limit,
            http: Http::default(),
            system: Mutex::default(),
            track: Mutex::default(),
            pace: Mutex::default(),
            answers: Mutex::default(),
        }
    }
}

/// The whole catalogue of this integration, one row per check.
const CHECKS: &[Check<Performance>] = &[
    Check {
        spec: CheckSpec {
            name: text("memory"),
            title: text("The process is there and does not leak"),
            hint: text("find what the process holds on to, or raise the limit in [performance]"),
            does: text(
                "Reads memory and age of the watched process from this host, and fits a trend to \
                 it. Sends nothing",
            ),
            risk: text("the process grows until this host kills it"),
            cadence: Cadence::Every(Duration::from_secs(5)),
            timeout: Duration::from_secs(2),
            weight: 1,
            class: Class::Major,
            impact: Impact::ReadOnly,
            needs: None,
            graph: true,
        },
        run: |performance, cx| Box::pin(performance.memory(cx)),
    },
    Check {
        spec: CheckSpec {
            name: text("timing"),
            title: text("Clocks are fine, in order and keep time"),
            hint: text("give this host processor time, and let its clock be slewed, not set"),
            does: text(
                "Reads this host's clocks, and measures how late short sleeps end. Sends nothing",
            ),
            risk: text("timeouts, latencies and expiries are measured wrongly"),
            cadence: Cadence::Every(Duration::from_secs(30)),
            timeout: Duration::from_secs(2),
            weight: 1,
            class: Class::Minor,
            impact: Impact::ReadOnly,
            needs: None,
            graph: false,
        },
        run: |performance, cx| Box::pin(performance.timing(cx)),
    },
    Check {
        spec: CheckSpec {
            name: text("response"),
            title: text("The app answers, and soon"),
            hint: text("look at the app's log for what it answers with, or what slows it down"),
            does: text("Sends one GET to the app's url, and remembers how long the last 20 took"),
            risk: text("users wait, or get errors"),
            cadence: Cadence::Every(Duration::from_secs(10)),
            timeout: Duration::from_secs(5),
            weight: 1,
            class: Class::Major,
            impact: Impact::ReadOnly,
            needs: None,
            graph: false,
        },
        run: |performance, cx| Box::pin(performance.response(cx)),
    },
    Check {
        spec: CheckSpec {
            name: text("export"),
            title: text("The app exports its metrics"),
            hint: text("look at what the app answers there, and correct metrics in [performance]"),
            does: text(
                "Sends one GET to the app's metrics, reads them as Prometheus does, and holds \
                 their names against those of the baseline",
            ),
            risk: text("dashboards stay empty and alerts silent, and nobody is told"),
            cadence: Cadence::Every(Duration::from_secs(15)),
            timeout: Duration::from_secs(5),
            weight: 1,
            class: Class::Major,
            impact: Impact::ReadOnly,
            needs: None,
            graph: false,
        },
        run: |performance, cx| Box::pin(performance.export(cx)),
    },
];

impl Integration for Performance {
    fn id(&self) -> &IntegrationId {
        &self.id
    }

    fn title(&self) -> &'static str {
        "Performance"
    }

    fn target(&self) -> Target {
        let app = self.address.as_ref().map(|url| format!(", {}", peer(url))).unwrap_or_default();
        let asked = self.address.as_ref().or(self.metrics.as_ref());
        let provenance = match (&self.watched, asked) {
            (Watched::Ourselves, None) => Provenance::Embedded,
            (Watched::Ourselves | Watched::Pid(_) | Watched::Name(_) | Watched::Port(_), _) => {
                Provenance::Configured
            }
        };
        Target { name: format!("{}{app}", self.watched.label()), provenance }
    }

    fn checks(&self) -> Vec<CheckSpec> {
        specs(CHECKS)
    }

    fn run<'a>(&'a self, index: usize, cx: &'a Cx) -> Run<'a> {
        (CHECKS[index].run)(self, cx)
    }
}

#[cfg(test)]
mod tests;
