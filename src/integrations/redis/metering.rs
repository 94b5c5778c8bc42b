//! The check of the export for Prometheus. It only reads.

use super::{
    Back, Redis, Site,
    checks::denied,
    judge::median,
    keys::Keys,
    ready::round_trips,
    server::Server,
    services::{Bench, Pace, Service, Upset, metrics, run_all, run_in_process, sum_up},
    steps::Steps,
    trials::{ANSWERED, MADE_READY, SET_URL, account},
    trouble::Trouble,
};
use crate::{
    domain::{Finding, Receipt},
    probe::ProbeError,
};
use std::sync::Arc;

const METRICS: Service = Service {
    name: "metrics",
    proves: "strict export, agrees with INFO",
    needs: &["info"],
    plain: "",
    spared: None,
};

impl Redis {
    /// Puts the export of the instance to the test.
    pub(super) async fn metrics(&self) -> Result<Finding, ProbeError> {
        match &self.back {
            Back::Misconfigured(says) => Err(ProbeError::Misconfigured(says.clone())),
            Back::StandIn => Ok(in_process().await),
            Back::Server(site) => Ok(on_server(site)
                .await
                .unwrap_or_else(|trouble| trouble.finding(MADE_READY, ANSWERED))),
        }
    }
}

async fn in_process() -> Finding {
    let back_end = Arc::new(metrics::InProcess::default()) as Arc<dyn metrics::Metrics>;
    let ran = run_in_process(metrics::CASES, back_end, Keys::new(METRICS.name)).await;
    sum_up(METRICS, &ran, metrics::CASES.len(), Pace::of(&[])).remedy(SET_URL).on_fallback()
}

async fn on_server(site: &Site) -> Result<Finding, Trouble> {
    let server = Server::alone(site.line.look().await?);
    let pings = round_trips(&server, 1).await?;
    let (keys, pace) = (Keys::new(METRICS.name), Pace::of(&pings));
    let set_up = |steps: &Steps| Bench {
        back_end: Arc::new(metrics::OnServer::new(server.noting(steps), site.exporter.clone()))
            as Arc<dyn metrics::Metrics>,
        keys: keys.clone(),
        pace,
        scene: None,
    };
    let ran = run_all(metrics::CASES, pace, set_up).await;
    let denial = ran.iter().find_map(|ran| match &ran.ended {
        Err(Upset::Trouble(trouble)) if trouble.fault().is_denial() => Some(trouble),
        Ok(_) | Err(_) => None,
    });
    let finding = match denial {
        Some(trouble) => denied(trouble),
        None => sum_up(METRICS, &ran, metrics::CASES.len(), pace),
    };
    let receipt = Receipt { sent: server.tally().sent(), ..Receipt::default() };
    let evidence = account(finding.evidence.clone(), &server, receipt);
    Ok(finding.evidence(evidence).latency(median(&pings)).receipt(receipt))
}
