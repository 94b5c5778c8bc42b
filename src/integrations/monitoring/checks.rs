//! The part that measures; [`judge`] decides.

use super::{Monitoring, Shipped, client::Prometheus, dashboards, judge, rules};
use crate::{
    domain::{Cause, Evidence, Finding},
    probe::{ProbeError, Stopwatch},
};

const READY: &str = "/-/ready";
const BUILD: &str = "/api/v1/status/buildinfo";
const RUNTIME: &str = "/api/v1/status/runtimeinfo";

impl Monitoring {
    /// Asks the configured Prometheus whether it is one, is ready, and runs what it was told to.
    pub(super) async fn connect(&self) -> Result<Finding, ProbeError> {
        let Some(prometheus) = &self.prometheus else {
            return Ok(Finding::unknown(Cause::NoSamples, "no Prometheus configured")
                .remedy("set prometheus = \"http://host:9090\" under [monitoring]")
                .evidence(
                    Evidence::default()
                        .reply("nothing was asked: what only a live server proves stays unknown"),
                ));
        };
        let mut watch = Stopwatch::start();
        let mut finding = ask(prometheus, &mut watch).await.unwrap_or_else(Finding::from);
        let evidence = std::mem::take(&mut finding.evidence)
            .asked(&format!("GET {READY}, {BUILD}, {RUNTIME} of {}", prometheus.address()))
            .wanted("ready, Prometheus' own answers, reloadConfigSuccess true");
        Ok(finding.evidence(watch.write_to(evidence)))
    }

    /// Reads a dashboard that ships and holds it against the contract.
    pub(super) fn dashboard(shipped: &Shipped) -> Finding {
        let mut watch = Stopwatch::start();
        let report = dashboards::inspect(shipped.text);
        let took = watch.lap("parse and resolve");
        let mut finding = judge::dashboard(&report, shipped.panels).latency(took);
        let evidence = std::mem::take(&mut finding.evidence);
        let evidence = evidence.asked(&format!("parse {}, resolve every metric", shipped.path));
        finding.evidence(watch.write_to(evidence))
    }

    /// Reads the alert rules that ship and holds them against the contract.
    pub(super) fn rules() -> Finding {
        let mut watch = Stopwatch::start();
        let report = rules::inspect(super::RULES, super::RUNBOOKS);
        let took = watch.lap("parse and resolve");
        let mut finding = judge::rules(&report).latency(took);
        let evidence = std::mem::take(&mut finding.evidence);
        let evidence = evidence.asked("parse assets/rules/tminus.yml, resolve every metric");
        finding.evidence(watch.write_to(evidence))
    }
}

async fn ask(prometheus: &Prometheus, watch: &mut Stopwatch) -> Result<Finding, ProbeError> {
    let address = prometheus.address();
    let ready = prometheus.get(READY).await?;
    let latency = watch.lap("ready");
    judge::ready(&ready, &address)?;
    let build = judge::build(&prometheus.get(BUILD).await?, &address)?;
    watch.lap("buildinfo");
    let runtime = judge::runtime(&prometheus.get(RUNTIME).await?);
    watch.lap("runtimeinfo");
    Ok(judge::configuration(&build, runtime.as_ref()).latency(latency))
}
