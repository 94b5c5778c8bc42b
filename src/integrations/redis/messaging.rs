//! The check of pub/sub. It stores nothing, so that it needs no room; and it
//! listens on a connection of its own.

use super::{
    Back, Redis, Site,
    judge::median,
    keys::Keys,
    server::Server,
    services::{Bench, ONE_SERVER, Pace, Service, pubsub, run_all, sum_up},
    trials::{SET_URL, round_trips},
    trouble::Trouble,
};
use crate::{
    domain::{Finding, Outcome, Receipt, Skip},
    probe::ProbeError,
};
use std::sync::Arc;

const PUBSUB: Service =
    Service { name: "pubsub", proves: "each message once, in order, gaps told" };

const ALLOW: &str = "set `writes = true` in [redis], or pass --allow-writes; \
    the channels begin with tminus:, and nothing is stored";

/// What to do about a promise that was broken.
const MEND: &str = "look at client-output-buffer-limit pubsub, at proxies in between, \
    and in the server's log for listeners that it cut off";

impl Redis {
    /// Puts publishing and subscribing to the test.
    pub(super) async fn pubsub(&self) -> Result<Finding, ProbeError> {
        match &self.back {
            Back::Misconfigured(says) => Err(ProbeError::Misconfigured(says.clone())),
            Back::StandIn => Ok(in_process().await),
            // Who listens to everything hears what we publish.
            Back::Server(site) if !site.may_write => {
                Ok(Finding::skipped(Skip::NotAllowed, "not allowed to publish there").remedy(ALLOW))
            }
            Back::Server(site) => Ok(on_server(site)
                .await
                .unwrap_or_else(|trouble| trouble.finding("PING", "seven answers"))),
        }
    }
}

async fn in_process() -> Finding {
    let bench = Bench {
        back_end: Arc::new(pubsub::InProcess::default()) as Arc<dyn pubsub::PubSub>,
        keys: Keys::new(PUBSUB.name),
        pace: Pace::of(&[]),
    };
    let ran = run_all(pubsub::CASES, &bench).await;
    sum_up(PUBSUB, &ran, pubsub::CASES.len(), bench.pace).remedy(SET_URL).on_fallback()
}

async fn on_server(site: &Site) -> Result<Finding, Trouble> {
    let client = site.line.take().await?;
    let pings = round_trips(&client).await?;
    let server = Server::new(client);
    let back_end = pubsub::OnServer::new(server.clone(), Arc::clone(&site.transport));
    let bench = Bench {
        back_end: Arc::new(back_end) as Arc<dyn pubsub::PubSub>,
        keys: Keys::new(PUBSUB.name),
        pace: Pace::of(&pings),
    };
    let ran = run_all(pubsub::CASES, &bench).await;
    let finding = sum_up(PUBSUB, &ran, pubsub::CASES.len(), bench.pace);
    let general = finding.remedy.as_deref() == Some(ONE_SERVER);
    let knows_no_better = finding.outcome == Outcome::Fail && general;
    let finding = if knows_no_better { finding.remedy(MEND) } else { finding };
    let channels = format!("tminus:{}:*", bench.keys.run());
    let evidence = finding.evidence.clone().fact("channels", &*channels);
    let receipt = Receipt { sent: server.sent(), ..Receipt::default() };
    Ok(finding.evidence(evidence).latency(median(&pings)).receipt(receipt))
}
