//! The check of the export for Prometheus. It only reads.

use super::{
    Back, Redis, Site,
    checks::denied,
    judge::median,
    keys::Keys,
    server::Server,
    services::{Bench, ONE_SERVER, Pace, Service, Upset, metrics, run_all, sum_up},
    trials::{SET_URL, round_trips},
    trouble::Trouble,
};
use crate::{
    domain::{Finding, Outcome, Receipt},
    probe::ProbeError,
};
use std::sync::Arc;

const METRICS: Service = Service { name: "metrics", proves: "strict export, agrees with INFO" };

/// What to do about a promise that was broken.
const MEND: &str = "compare with redis-cli INFO; make sure that no proxy in between \
    leads to several servers";

impl Redis {
    /// Puts the export of the instance to the test.
    pub(super) async fn metrics(&self) -> Result<Finding, ProbeError> {
        match &self.back {
            Back::Misconfigured(says) => Err(ProbeError::Misconfigured(says.clone())),
            Back::StandIn => Ok(in_process().await),
            Back::Server(site) => Ok(on_server(site)
                .await
                .unwrap_or_else(|trouble| trouble.finding("PING", "seven answers"))),
        }
    }
}

async fn in_process() -> Finding {
    let bench = Bench {
        back_end: Arc::new(metrics::InProcess::default()) as Arc<dyn metrics::Metrics>,
        keys: Keys::new(METRICS.name),
        pace: Pace::of(&[]),
    };
    let ran = run_all(metrics::CASES, &bench).await;
    sum_up(METRICS, &ran, metrics::CASES.len(), bench.pace).remedy(SET_URL).on_fallback()
}

async fn on_server(site: &Site) -> Result<Finding, Trouble> {
    let client = site.line.take().await?;
    let pings = round_trips(&client).await?;
    let server = Server::new(client);
    let bench = Bench {
        back_end: Arc::new(metrics::OnServer::new(server.clone())) as Arc<dyn metrics::Metrics>,
        keys: Keys::new(METRICS.name),
        pace: Pace::of(&pings),
    };
    let ran = run_all(metrics::CASES, &bench).await;
    let denial = ran.iter().find_map(|ran| match &ran.ended {
        Err(Upset::Trouble(trouble)) if trouble.fault().is_denial() => Some(trouble),
        Ok(_) | Err(_) => None,
    });
    let finding = match denial {
        Some(trouble) => denied(trouble),
        None => sum_up(METRICS, &ran, metrics::CASES.len(), bench.pace),
    };
    let general = finding.remedy.as_deref() == Some(ONE_SERVER);
    let knows_no_better = finding.outcome == Outcome::Fail && general;
    let finding = if knows_no_better { finding.remedy(MEND) } else { finding };
    let receipt = Receipt { sent: server.sent(), ..Receipt::default() };
    Ok(finding.latency(median(&pings)).receipt(receipt))
}
