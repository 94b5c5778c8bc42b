//! The monitoring stack: is Prometheus there, and would our dashboards and
//! alerts show and say what they promise?
//!
//! Offline, the files that ship are parsed and held against the contract of our
//! own exporter. What only a live server can prove stays unknown without one.

mod checks;
mod client;
mod dashboards;
mod judge;
mod promql;
mod rules;
mod settings;
mod variables;

pub use settings::Settings;

use crate::{
    domain::{Cadence, CheckSpec, Class, Impact, IntegrationId, Provenance, Target, text},
    probe::{Check, Cx, Integration, Run, specs},
};
use client::Prometheus;
use std::time::Duration;

/// The alert rules that ship.
const RULES: &str = include_str!("../../../assets/rules/tminus.yml");
/// The page that the alerts point to.
const RUNBOOKS: &str = include_str!("../../../docs/runbooks.md");

/// A dashboard that ships.
struct Shipped {
    /// Where it is in the source tree.
    path: &'static str,
    /// Its JSON.
    text: &'static str,
    /// Panels that it is meant to have.
    panels: usize,
}

macro_rules! shipped {
    ($name:literal, $panels:literal) => {
        Shipped {
            path: concat!("assets/grafana/", $name, ".json"),
            text: include_str!(concat!("../../../assets/grafana/", $name, ".json")),
            panels: $panels,
        }
    };
}

const AGENTS: Shipped = shipped!("agent-overview", 5);
const SYSTEM: Shipped = shipped!("system-health", 4);
const BUSINESS: Shipped = shipped!("business-metrics", 4);
const COST: Shipped = shipped!("cost-analysis", 4);

/// The monitoring stack.
pub struct Monitoring {
    id: IntegrationId,
    prometheus: Option<Prometheus>,
}

impl Monitoring {
    /// Watches the stack that `settings` name. Connects on first use.
    ///
    /// An address that is not a URL counts as none; [`Settings::complaints`] tells.
    pub fn new(id: IntegrationId, settings: Settings) -> Self {
        let base = settings.prometheus.and_then(|address| address.expose().parse().ok());
        Self { id, prometheus: base.map(Prometheus::new) }
    }
}

/// A check of files that ship: cheap, and the same wherever it runs.
const fn offline(
    name: &'static str,
    title: &'static str,
    [does, risk]: [&'static str; 2],
) -> CheckSpec {
    CheckSpec {
        name: text(name),
        title: text(title),
        hint: text(HINT),
        does: text(does),
        risk: text(risk),
        cadence: Cadence::Every(Duration::from_mins(1)),
        timeout: Duration::from_secs(5),
        weight: 1,
        class: Class::Major,
        impact: Impact::ReadOnly,
        needs: None,
        graph: false,
    }
}

const HINT: &str = "leave out what the evidence names, or report a bug of tminus";

/// What the check of a dashboard does, and what it is for.
const PANELS: [&str; 2] = [
    "Parses the PromQL of every panel of a dashboard that ships with tminus, and holds each metric \
     against those that are exported. Sends nothing",
    "a panel stays empty when somebody needs it",
];
/// What the check of the rules does, and what it is for.
const ALERTS: [&str; 2] = [
    "Parses the alerts that ship with tminus, and finds out whether each can fire on the metrics \
     that are exported. Sends nothing",
    "an alert that cannot fire stays silent during an incident",
];

/// The whole catalogue of this integration, one row per check.
const CHECKS: &[Check<Monitoring>] = &[
    Check {
        spec: CheckSpec {
            name: text("connect"),
            title: text("Prometheus is ready and up to date"),
            hint: text("start Prometheus, or correct prometheus under [monitoring]"),
            does: text("GETs readiness, version, runtime and configuration of Prometheus"),
            risk: text("nobody is told when the release goes wrong"),
            cadence: Cadence::Every(Duration::from_secs(15)),
            timeout: Duration::from_secs(3),
            weight: 1,
            class: Class::Major,
            impact: Impact::ReadOnly,
            needs: None,
            graph: false,
        },
        run: |monitoring, _| Box::pin(monitoring.connect()),
    },
    Check {
        spec: offline("agents", "Dashboard Agent Overview is whole", PANELS),
        run: |_, _| Box::pin(async { Ok(Monitoring::dashboard(&AGENTS)) }),
    },
    Check {
        spec: offline("system", "Dashboard System Health is whole", PANELS),
        run: |_, _| Box::pin(async { Ok(Monitoring::dashboard(&SYSTEM)) }),
    },
    Check {
        spec: offline("business", "Dashboard Business Metrics is whole", PANELS),
        run: |_, _| Box::pin(async { Ok(Monitoring::dashboard(&BUSINESS)) }),
    },
    Check {
        spec: offline("cost", "Dashboard Cost Analysis is whole", PANELS),
        run: |_, _| Box::pin(async { Ok(Monitoring::dashboard(&COST)) }),
    },
    Check {
        spec: offline("rules", "Every alert is valid and able to fire", ALERTS),
        run: |_, _| Box::pin(async { Ok(Monitoring::rules()) }),
    },
];

impl Integration for Monitoring {
    fn id(&self) -> &IntegrationId {
        &self.id
    }

    fn title(&self) -> &'static str {
        "Monitoring stack"
    }

    fn target(&self) -> Target {
        match &self.prometheus {
            Some(prometheus) => {
                Target { name: prometheus.address(), provenance: Provenance::Configured }
            }
            None => Target { name: "shipped files".into(), provenance: Provenance::Embedded },
        }
    }

    fn checks(&self) -> Vec<CheckSpec> {
        specs(CHECKS)
    }

    fn run<'a>(&'a self, index: usize, cx: &'a Cx) -> Run<'a> {
        (CHECKS[index].run)(self, cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{Cause, Finding, Outcome},
        secret::Secret,
    };
    use wiremock::{Mock, MockServer, ResponseTemplate, matchers::path};

    async fn run(monitoring: &Monitoring, name: &str) -> Finding {
        let index = monitoring.checks().iter().position(|spec| spec.name == *name).unwrap();
        let cx = Cx::default();
        monitoring.run(index, &cx).await.unwrap_or_else(Finding::from)
    }

    fn monitoring(address: Option<&str>) -> Monitoring {
        let settings = Settings { prometheus: address.map(Secret::new) };
        Monitoring::new(IntegrationId::new("monitoring").unwrap(), settings)
    }

    #[tokio::test]
    async fn what_ships_is_whole_but_for_what_is_not_measured_yet() {
        let offline = monitoring(None);
        for (name, summary) in [
            ("agents", "5 panels, 5 metrics, all exported"),
            ("system", "4 panels, 4 metrics, all exported"),
            ("business", "4 panels, 4 metrics, all exported"),
        ] {
            let finding = run(&offline, name).await;
            assert_eq!((finding.outcome, &*finding.summary), (Outcome::Pass, summary), "{name}");
        }
        let cost = run(&offline, "cost").await;
        assert_eq!(cost.outcome, Outcome::Fail);
        assert_eq!(cost.summary, "4 of 4 panels use metrics not exported");
        assert!(cost.evidence.reply.contains("tminus_spend_usd_total"));
        let rules = run(&offline, "rules").await;
        assert_eq!(rules.outcome, Outcome::Warn);
        assert_eq!(rules.summary, "1 of 8 alerts cannot fire");
        assert!(rules.remedy.unwrap().contains("rely on TminusSpendOverBudget: "));
    }

    #[tokio::test]
    async fn without_a_server_nothing_live_is_claimed() {
        let finding = run(&monitoring(None), "connect").await;
        assert_eq!(finding.outcome, Outcome::Unknown(Cause::NoSamples));
        assert!(finding.remedy.is_some());
        assert_eq!(monitoring(None).target().provenance, Provenance::Embedded);
    }

    async fn prometheus(reloaded: bool) -> MockServer {
        let server = MockServer::start().await;
        let build = r#"{"status":"success","data":{"version":"2.42.0"}}"#;
        let runtime = format!(
            r#"{{"status":"success","data":{{"reloadConfigSuccess":{reloaded},"timeSeriesCount":9}}}}"#
        );
        for (at, body) in [("ready", "Ready."), ("buildinfo", build), ("runtimeinfo", &*runtime)] {
            let at =
                if at == "ready" { format!("/p/-/{at}") } else { format!("/p/api/v1/status/{at}") };
            let answer = ResponseTemplate::new(200).set_body_string(body);
            Mock::given(path(at)).respond_with(answer).mount(&server).await;
        }
        server
    }

    #[tokio::test]
    async fn a_server_below_a_path_is_found_and_its_password_not_shown() {
        let server = prometheus(true).await;
        let url = format!("{}/p/", server.uri().replace("//", "//me:hunter2@"));
        let configured = monitoring(Some(&url));
        let finding = run(&configured, "connect").await;
        assert_eq!(finding.outcome, Outcome::Pass);
        assert_eq!(finding.summary, "Prometheus 2.42.0, configuration loaded");
        assert!(finding.latency.is_some());
        assert!(!format!("{finding:?}{:?}", configured.target()).contains("hunter2"));
        let asked = &server.received_requests().await.unwrap()[0];
        assert!(asked.headers["authorization"].to_str().unwrap().starts_with("Basic "));
    }

    #[tokio::test]
    async fn a_failed_reload_and_a_foreign_server_fail() {
        let server = prometheus(false).await;
        let finding = run(&monitoring(Some(&format!("{}/p", server.uri()))), "connect").await;
        assert_eq!(finding.outcome, Outcome::Fail);
        let finding = run(&monitoring(Some(&server.uri())), "connect").await;
        assert_eq!(finding.outcome, Outcome::Fail);
        assert!(
            finding.summary.ends_with("is not Prometheus (answers 404)"),
            "{}",
            finding.summary
        );
    }
}
