//! The checks that write: the cases of a service, run on the server or on the
//! in-process stand-in, and what they leave behind.

use super::{
    Back, Redis, Site,
    judge::median,
    keys::Keys,
    server::Server,
    services::{
        Bench, Case, Pace, Ran, Service, Spared, cache, excused, lacking, lock, queue, ratelimit,
        run_all, run_in_process, session, spared, sum_up,
    },
    settings::Meant,
    steps::Steps,
    topology::Turn,
    trouble::Trouble,
};
use crate::{
    domain::{Evidence, Finding, Quantity, Receipt, Skip},
    probe::{ProbeError, with_lag},
    units,
};
use std::sync::{Arc, PoisonError};
use tokio::time::Instant;

const NO_URL: &str = "no Redis configured, in-process stand-in";
pub(super) const SET_URL: &str = "set REDIS_URL, or `url` in [redis]";
const ALLOW: &str = "set `writes = true` in [redis], or pass --allow-writes; \
    the keys begin with tminus:, live 60 s at most and are removed";

const READ_ONLY: &str = "leave `replica` out to have what writes checked too";
/// What is asked before anything is written.
pub(super) const MADE_READY: &str = "PING, INFO, COMMAND INFO";
pub(super) const ANSWERED: &str = "an answer to each";

/// How a service is put to the test.
struct Trial<S: ?Sized + 'static> {
    service: Service,
    /// What may not be pushed out before its time, if so.
    keeps: Option<&'static str>,
    cases: &'static [Case<S>],
    on_server: fn(Server) -> Arc<S>,
    in_process: fn() -> Arc<S>,
}

const CACHE: Trial<dyn cache::Cache> = Trial {
    service: Service {
        name: "cache",
        proves: "1 load for 32 misses, expires on time",
        needs: &["eval", "hmget", "pttl", "hset", "pexpire", "set", "get", "del"],
        plain: ": hits only, no fills",
        spared: Some(Spared {
            refused: "fills refused",
            works: "hits work",
            proof: &["HMGET", "value"],
        }),
    },
    keeps: None,
    cases: cache::CASES,
    on_server: |server| Arc::new(cache::OnServer::new(server)),
    in_process: || Arc::new(cache::InProcess::default()),
};

const LOCK: Trial<dyn lock::Lock> = Trial {
    service: Service {
        name: "lock",
        proves: "excludes, renews, fences, expires on time",
        needs: &["eval", "get", "set", "incr", "pexpire", "pttl", "del", "hget", "hset"],
        plain: ": no lock can be held",
        spared: Some(Spared {
            refused: "acquire refused",
            works: "held locks stay",
            proof: &["PEXPIRE", "1"],
        }),
    },
    keeps: Some("locks"),
    cases: lock::CASES,
    on_server: |server| Arc::new(lock::OnServer::new(server)),
    in_process: || Arc::new(lock::InProcess::default()),
};

const SESSION: Trial<dyn session::Sessions> = Trial {
    service: Service {
        name: "session",
        proves: "slides, rotates, ends on time, stays ended",
        needs: &["eval", "hmget", "hget", "hset", "pexpire", "exists", "renamenx", "time", "del"],
        plain: ": no session can slide",
        spared: Some(Spared {
            refused: "create refused",
            works: "loads work",
            proof: &["PEXPIRE", "1"],
        }),
    },
    keeps: Some("sessions"),
    cases: session::CASES,
    on_server: |server| Arc::new(session::OnServer::new(server)),
    in_process: || Arc::new(session::InProcess::default()),
};

const RATELIMIT: Trial<dyn ratelimit::RateLimit> = Trial {
    service: Service {
        name: "ratelimit",
        proves: "exact in every window, refusals are free",
        needs: &["eval", "time", "zcount", "zrangebyscore", "zremrangebyscore", "zadd", "pexpire"],
        plain: ": no call can be counted",
        spared: None,
    },
    keeps: Some("counted calls"),
    cases: ratelimit::CASES,
    on_server: |server| Arc::new(ratelimit::OnServer::new(server)),
    in_process: || Arc::new(ratelimit::InProcess::default()),
};

const QUEUE: Trial<dyn queue::Queue> = Trial {
    service: Service {
        name: "queue",
        proves: "in order, leased, retried, then dead",
        needs: &["eval", "time", "zpopmin", "zadd", "zrem", "zscore", "hincrby", "hset", "hdel"],
        plain: ": no job can be taken",
        spared: Some(Spared {
            refused: "enqueue refused",
            works: "claim works",
            proof: &["ZPOPMIN"],
        }),
    },
    keeps: Some("jobs"),
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
            Back::Server(site) if !site.may_write => Ok(not_allowed()),
            Back::Server(site) if site.meant == Meant::Replica => {
                let says = "only read: a replica is meant";
                Ok(Finding::skipped(Skip::NotApplicable, says).remedy(READ_ONLY))
            }
            Back::Server(site) => Ok(on_server(trial, site).await),
        }
    }
}

async fn in_process<S: ?Sized + Send + Sync>(trial: &Trial<S>) -> Finding {
    let (back_end, keys) = ((trial.in_process)(), Keys::new(trial.service.name));
    let ran = run_in_process(trial.cases, back_end, keys).await;
    let pace = Pace::of(&[]);
    sum_up(trial.service, &ran, trial.cases.len(), pace).remedy(SET_URL).on_fallback()
}

fn not_allowed() -> Finding {
    Finding::skipped(Skip::NotAllowed, "not allowed to write there").remedy(ALLOW)
}

async fn on_server<S: ?Sized + Send + Sync>(trial: &Trial<S>, site: &Site) -> Finding {
    let untold = |trouble: Trouble| trouble.finding(MADE_READY, ANSWERED);
    let mut first: Option<Receipt> = None;
    loop {
        let turn = match site.turn(trial.service.name).await {
            Ok(turn) => turn,
            Err(trouble) => return untold(trouble),
        };
        let (finding, redirected) = match in_turn(trial, site, &turn).await {
            Ok(ended) => ended,
            Err(trouble) => (untold(trouble), false),
        };
        match first {
            None if redirected => {
                site.turns.look_anew().await;
                first = Some(finding.receipt);
            }
            None => return site.turns.ended(&turn, finding),
            Some(receipt) => {
                let (evidence, receipt) = (finding.evidence.clone(), finding.receipt.and(receipt));
                let evidence = evidence.fact("migrating", "a slot moved under a first attempt");
                return site.turns.ended(&turn, finding.evidence(evidence).receipt(receipt));
            }
        }
    }
}

/// A run where its turn is, and whether its slot was moving or had moved.
async fn in_turn<S: ?Sized + Send + Sync>(
    trial: &Trial<S>,
    site: &Site,
    turn: &Turn,
) -> Result<(Finding, bool), Trouble> {
    let reached = site.client_of(turn).await?;
    if !site.may_write_to(&reached.0) {
        return Ok((not_allowed(), false));
    }
    let (server, ready) = site.ready(reached).await?;
    let (service, pace) = (trial.service, ready.pace());
    let commands = ready.scene.commands.as_ref();
    if let Some(command) = commands.and_then(|known| known.lack(service.needs)) {
        return Ok((lacking(service, command), false));
    }
    if let Some(full) = ready.no_room(trial.keeps) {
        return Ok((full, false));
    }
    let keys = Keys::within(service.name, &turn.slots);
    let set_up = |steps: &Steps| Bench {
        back_end: (trial.on_server)(server.noting(steps)),
        keys: keys.clone(),
        pace,
        scene: Some(Arc::clone(&ready.scene)),
    };
    let (ran, lag) = with_lag(run_all(trial.cases, pace, set_up)).await;
    let ran = excused(ran, lag);
    let mut finding = sum_up(service, &ran, trial.cases.len(), pace);
    site.note_lingering(&ran);
    if let Some(spared) = spared(service, &ran) {
        finding = full(&server, &keys, spared, finding).await;
    }
    let receipt = server.clear(&keys).await;
    let evidence = finding.evidence.clone().fact("keys", keys.prefix());
    let evidence = account(evidence, &server, receipt);
    let finding = finding.evidence(evidence).latency(median(&ready.pings)).receipt(receipt);
    Ok((finding, ran.iter().any(Ran::is_redirected)))
}

impl Site {
    /// Lets the instance be judged by what a service found out about keys that have ended.
    fn note_lingering(&self, ran: &[Ran]) {
        let told = ran.iter().find(|ran| ran.id == session::UNSEEN);
        if let Some(Ok(held)) = told.map(|ran| &ran.ended) {
            let mut lingering = self.lingering.lock().unwrap_or_else(PoisonError::into_inner);
            let hazard = held.hazard.clone().filter(|says| says.starts_with(session::LINGERS));
            *lingering = Some(hazard.map_or_else(|| Ok(held.saw.clone()), Err));
        }
    }
}

/// Says what a full server spares, if a command proves it.
async fn full(server: &Server, keys: &Keys, spared: Spared, finding: Finding) -> Finding {
    let [name, rest @ ..] = spared.proof else { return finding };
    // Nobody made this key: whatever is done to it writes nothing.
    let proof = redis::cmd(name).arg(keys.key("nobodys").as_str()).arg(rest).take();
    if server.read(&proof).await.is_err() {
        return finding;
    }
    let summary = format!("{}: memory full; {}", spared.refused, spared.works);
    let evidence = finding.evidence.clone().fact("proof", &*format!("{name} is carried out"));
    Finding { summary, ..finding }.evidence(evidence)
}

/// Adds what the run cost its server.
pub(super) fn account(evidence: Evidence, server: &Server, receipt: Receipt) -> Evidence {
    let (tally, Receipt { sent, written, removed, left }) = (server.tally(), receipt);
    let told = format!(
        "{sent} commands, {}, {written} keys, {removed} removed, {left} left",
        units::bytes(tally.bytes()),
    );
    evidence
        .fact("receipt", &*told)
        .fact("longest TTL", Quantity::Time(tally.longest()))
        .fact("connections", Quantity::Count(tally.most_open()))
}

/// `connect` where there is nothing to connect to: whether the stand-in works.
pub(super) async fn stand_in() -> Finding {
    let (first, began) = (&CACHE.cases[..1], Instant::now());
    let ran = run_in_process(first, (CACHE.in_process)(), Keys::new("connect")).await;
    let service = Service { name: "the stand-in", proves: NO_URL, ..CACHE.service };
    let pace = Pace::of(&[]);
    sum_up(service, &ran, first.len(), pace).latency(began.elapsed()).remedy(SET_URL).on_fallback()
}

/// `instance` where there is none.
pub(super) fn no_instance() -> Finding {
    Finding::skipped(Skip::NotApplicable, "no instance to look at").remedy(SET_URL).on_fallback()
}
