//! The check of the whole: it measures, the judges beside it decide.

use super::{
    super::{
        Back, Redis, Site,
        client::{Client, Purpose},
        greeting::Role,
        trials::no_instance,
        trouble::Trouble,
    },
    cluster, guards, members, role,
    sentinel::{self, said},
};
use crate::{
    domain::{Cause, Evidence, Finding, Receipt},
    probe::{ProbeError, Stopwatch},
};
use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};
use tokio::time::Instant;

/// How long it may take to get at the master that sentinels name.
const REACH: Duration = Duration::from_millis(1800);

impl Redis {
    /// Judges what stands behind the address.
    pub(in super::super) async fn topology(&self) -> Result<Finding, ProbeError> {
        match &self.back {
            Back::Misconfigured(says) => Err(ProbeError::Misconfigured(says.clone())),
            Back::StandIn => Ok(no_instance()),
            Back::Server(site) => {
                let began = Instant::now();
                let sent = AtomicU64::new(0);
                let finding = look(site, &sent).await.unwrap_or_else(|trouble| untold(&trouble));
                let receipt = Receipt { sent: sent.into_inner(), ..Receipt::default() };
                Ok(finding.latency(began.elapsed()).receipt(receipt))
            }
        }
    }
}

/// Looks, counting in `sent` what that takes.
async fn look(site: &Site, sent: &AtomicU64) -> Result<Finding, Trouble> {
    if !site.transport.sentinels.is_empty() {
        return Ok(guarded(site, sent).await);
    }
    let client = site.line.take().await?;
    if client.is_cluster() {
        let (shards, asked) = site.shards(&client).await?;
        sent.fetch_add(asked, Relaxed);
        site.remember(&shards);
        let all = shards.len();
        let members = cluster::survey(&site.transport, shards, sent).await;
        return Ok(members::judge(&members, all));
    }
    if site.cluster {
        return Ok(no_cluster());
    }
    sent.fetch_add(1, Relaxed);
    let role = match client.ask(&redis::cmd("ROLE")).await {
        Ok(answer) => Role::read(&answer),
        Err(Trouble::Reply { .. }) => client.greeting.role(),
        Err(trouble) => return Err(trouble),
    };
    Ok(role::judge(role.as_ref(), site.meant))
}

async fn guarded(site: &Site, sent: &AtomicU64) -> Finding {
    let guards = sentinel::survey(&site.transport, sent).await;
    let (mut watch, deadline) = (Stopwatch::start(), Instant::now() + REACH);
    let reached = Client::dial(&site.transport, Purpose::Probe, &mut watch, deadline).await;
    let reached = match reached {
        Ok(client) => {
            sent.fetch_add(client.sent(), Relaxed);
            Ok(client.place.as_ref().map(ToString::to_string).unwrap_or_default())
        }
        Err(trouble) => Err(said(&trouble)),
    };
    guards::judge(&guards, &reached, site.transport.moved().as_ref())
}

fn no_cluster() -> Finding {
    let evidence = Evidence::default().asked("HELLO 3").wanted("mode cluster").reply("another one");
    Finding::fail("a single server, a cluster is meant")
        .remedy("give the address of a node of the cluster, or leave `cluster` out")
        .evidence(evidence)
}

/// A user who may not ask is not told, and the cluster not to blame.
fn untold(trouble: &Trouble) -> Finding {
    let finding = trouble.finding(role::ASKED, "the role, or the shards of a cluster");
    let fault = trouble.fault();
    if fault.is_denial() {
        let evidence = finding.evidence;
        Finding::unknown(Cause::NotPermitted, &fault.says).remedy(&fault.remedy).evidence(evidence)
    } else {
        finding
    }
}
