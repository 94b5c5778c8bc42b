//! The checks that write: the cases of a service, run on the server or on the
//! in-process stand-in, and what they leave behind.

use super::{
    Back, Redis, Site,
    checks::{info, ping},
    client::Client,
    judge::median,
    keys::Keys,
    server::Server,
    services::{
        Bench, Case, Pace, Service, cache, lock, queue, ratelimit, run_all, session, sum_up,
    },
    trouble::Trouble,
    vitals::room,
};
use crate::{
    domain::{Cause, Evidence, Finding, Skip},
    probe::ProbeError,
};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// How many round trips the pace of a link is taken from.
const PINGS: usize = 7;
/// How long they may take together.
const PACING: Duration = Duration::from_secs(2);

const NO_URL: &str = "no Redis configured, in-process stand-in";
pub(super) const SET_URL: &str = "set REDIS_URL, or `url` in [redis]";
const ALLOW: &str = "set `writes = true` in [redis], or pass --allow-writes; \
    the keys begin with tminus:, live 60 s at most and are removed";

/// How a service is put to the test.
struct Trial<S: ?Sized + 'static> {
    service: Service,
    cases: &'static [Case<S>],
    on_server: fn(Server) -> Arc<S>,
    in_process: fn() -> Arc<S>,
}

const CACHE: Trial<dyn cache::Cache> = Trial {
    service: Service { name: "cache", proves: "1 load for 32 misses, expires on time" },
    cases: cache::CASES,
    on_server: |server| Arc::new(cache::OnServer::new(server)),
    in_process: || Arc::new(cache::InProcess::default()),
};

const LOCK: Trial<dyn lock::Lock> = Trial {
    service: Service { name: "lock", proves: "excludes, renews, fences, expires on time" },
    cases: lock::CASES,
    on_server: |server| Arc::new(lock::OnServer::new(server)),
    in_process: || Arc::new(lock::InProcess::default()),
};

const SESSION: Trial<dyn session::Sessions> = Trial {
    service: Service { name: "session", proves: "slides, rotates, ends on time, stays ended" },
    cases: session::CASES,
    on_server: |server| Arc::new(session::OnServer::new(server)),
    in_process: || Arc::new(session::InProcess::default()),
};

const RATELIMIT: Trial<dyn ratelimit::RateLimit> = Trial {
    service: Service { name: "ratelimit", proves: "exact in every window, refusals are free" },
    cases: ratelimit::CASES,
    on_server: |server| Arc::new(ratelimit::OnServer::new(server)),
    in_process: || Arc::new(ratelimit::InProcess::default()),
};

const QUEUE: Trial<dyn queue::Queue> = Trial {
    service: Service { name: "queue", proves: "in order, leased, retried, then dead" },
    cases: queue::CASES,
    on_server: |server| Arc::new(queue::OnServer::new(server)),
    in_process: || Arc::new(queue::InProcess::default()),
};

impl Redis {
    /// Puts the cache to the test.
    pub(super) async fn cache(&self) -> Result<Finding, ProbeError> {
        self.try_out(&CACHE).await
    }

    /// Puts the lock to the test.
    pub(super) async fn lock(&self) -> Result<Finding, ProbeError> {
        self.try_out(&LOCK).await
    }

    /// Puts the sessions to the test.
    pub(super) async fn session(&self) -> Result<Finding, ProbeError> {
        self.try_out(&SESSION).await
    }

    /// Puts the rate limit to the test.
    pub(super) async fn ratelimit(&self) -> Result<Finding, ProbeError> {
        self.try_out(&RATELIMIT).await
    }

    /// Puts the job queue to the test.
    pub(super) async fn queue(&self) -> Result<Finding, ProbeError> {
        self.try_out(&QUEUE).await
    }

    async fn try_out<S: ?Sized + Send + Sync>(
        &self,
        trial: &Trial<S>,
    ) -> Result<Finding, ProbeError> {
        match &self.back {
            Back::Misconfigured(says) => Err(ProbeError::Misconfigured(says.clone())),
            Back::StandIn => Ok(in_process(trial).await),
            Back::Server(site) if !site.may_write => {
                Ok(Finding::skipped(Skip::NotAllowed, "not allowed to write there").remedy(ALLOW))
            }
            Back::Server(site) => Ok(on_server(trial, site)
                .await
                .unwrap_or_else(|trouble| trouble.finding("PING, INFO memory", "two answers"))),
        }
    }
}

async fn in_process<S: ?Sized + Send + Sync>(trial: &Trial<S>) -> Finding {
    let pace = Pace::of(&[]);
    let bench = Bench { back_end: (trial.in_process)(), keys: Keys::new(trial.service.name), pace };
    let ran = run_all(trial.cases, &bench).await;
    sum_up(trial.service, &ran, trial.cases.len(), pace).remedy(SET_URL).on_fallback()
}

async fn on_server<S: ?Sized + Send + Sync>(
    trial: &Trial<S>,
    site: &Site,
) -> Result<Finding, Trouble> {
    let client = site.line.take().await?;
    let pings = round_trips(&client).await?;
    let server = Server::new(client);
    if let Err(full) = has_room(&server).await? {
        return Ok(full);
    }
    let (keys, pace) = (Keys::new(trial.service.name), Pace::of(&pings));
    let bench = Bench { back_end: (trial.on_server)(server.clone()), keys, pace };
    let ran = run_all(trial.cases, &bench).await;
    let finding = sum_up(trial.service, &ran, trial.cases.len(), pace);
    let evidence = finding.evidence.clone().fact("keys", bench.keys.prefix());
    let receipt = server.clear(&bench.keys).await;
    Ok(finding.evidence(evidence).latency(median(&pings)).receipt(receipt))
}

/// What round trips take now. To refuse takes as long as to answer.
pub(super) async fn round_trips(client: &Client) -> Result<Vec<Duration>, Trouble> {
    let deadline = Instant::now() + PACING;
    let mut pings = Vec::with_capacity(PINGS);
    for _ in 0..PINGS {
        let began = Instant::now();
        pings.push(match ping(client, deadline).await {
            Err(trouble) if trouble.is_of_data() => began.elapsed(),
            answered => answered?,
        });
    }
    Ok(pings)
}

/// A server on which nothing may be written now, if it is one.
async fn has_room(server: &Server) -> Result<Result<(), Finding>, Trouble> {
    let info = match info(server, Some("memory")).await {
        Ok(info) => info,
        // Without leave to look, the server's own limit is what protects it.
        Err(trouble) if trouble.is_refusal() && trouble.fault().is_denial() => return Ok(Ok(())),
        Err(trouble) => return Err(trouble),
    };
    Ok(room(&info).map_err(|says| {
        let evidence = Evidence::default().asked("INFO memory").wanted("room").reply(&says);
        Finding::unknown(Cause::NoSamples, &says)
            .remedy("make room, then re-check; writing now could push out a key of yours")
            .evidence(evidence)
    }))
}

/// `connect` where there is nothing to connect to: whether the stand-in works.
pub(super) async fn stand_in() -> Finding {
    let pace = Pace::of(&[]);
    let bench = Bench { back_end: (CACHE.in_process)(), keys: Keys::new("connect"), pace };
    let first = &CACHE.cases[..1];
    let began = Instant::now();
    let ran = run_all(first, &bench).await;
    let service = Service { name: "the stand-in", proves: NO_URL };
    sum_up(service, &ran, first.len(), pace).latency(began.elapsed()).remedy(SET_URL).on_fallback()
}

/// `instance` where there is none.
pub(super) fn no_instance() -> Finding {
    Finding::skipped(Skip::NotApplicable, "no instance to look at").remedy(SET_URL).on_fallback()
}
