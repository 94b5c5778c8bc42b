//! The part that talks to the server. It measures; [`judge`],
//! [`vitals`](super::vitals) and the services' own judge decide.

use super::{
    Back, Redis, Site,
    address::Place,
    client::{Client, Purpose, is_pong},
    greeting::Role,
    info::Info,
    judge::{self, Met},
    looking,
    reply::{odd, text},
    server::Server,
    trouble::Trouble,
};
use crate::{
    domain::{Cause, Finding, Quantity, Receipt},
    probe::{ProbeError, Stopwatch, with_lag},
};
use std::{mem, time::Duration};
use tokio::time::Instant;

/// How long `connect` takes at most, under its timeout: the finding of a hang has
/// to tell where it hung, which the timeout of a run cannot.
const CONNECT: Duration = Duration::from_millis(1800);
/// How often `PING` is timed. Its first answer alone tells of warming up.
const PINGS: usize = 3;

impl Redis {
    /// Greets the server on a fresh connection.
    pub(super) async fn connect(&self) -> Result<Finding, ProbeError> {
        match &self.back {
            Back::Misconfigured(says) => Err(ProbeError::Misconfigured(says.clone())),
            Back::StandIn => Ok(super::trials::stand_in().await),
            Back::Server(site) => {
                let mut watch = Stopwatch::start();
                let (met, lag) = with_lag(meet(site, &mut watch)).await;
                let mut finding = match met {
                    Ok((met, sent)) => {
                        // What the shared connection takes is nobody's in particular.
                        let sent = sent + site.line.upkeep();
                        judge::connect(&met, lag, self.ping_limit)
                            .receipt(Receipt { sent, ..Receipt::default() })
                    }
                    Err(trouble) => trouble.finding(judge::ASKED, judge::WANTED),
                };
                let evidence = watch.write_to(mem::take(&mut finding.evidence));
                let most = Quantity::Count(site.transport.crowd.most());
                let evidence = evidence.fact("address", &*site.name());
                let finding = finding.evidence(evidence.fact("connections at once, at most", most));
                Ok(site.line.steadiness(finding))
            }
        }
    }

    /// Reads and judges `INFO`.
    pub(super) async fn instance(&self) -> Result<Finding, ProbeError> {
        match &self.back {
            Back::Misconfigured(says) => Err(ProbeError::Misconfigured(says.clone())),
            Back::StandIn => Ok(super::trials::no_instance()),
            Back::Server(site) => Ok(match looking::look(site).await {
                Ok(finding) => finding,
                Err(trouble) => denied(&trouble),
            }),
        }
    }
}

/// What greeting it tells, and how many commands that took.
async fn meet(site: &Site, watch: &mut Stopwatch) -> Result<(Met, u64), Trouble> {
    let deadline = Instant::now() + CONNECT;
    let client = Client::dial(&site.transport, Purpose::Probe, watch, deadline).await?;
    let mut pings = Vec::with_capacity(PINGS);
    let mut refusal = None;
    for _ in 0..PINGS {
        let began = Instant::now();
        pings.push(match ping(&client, deadline).await {
            Err(trouble) if trouble.is_of_data() => {
                refusal = Some(trouble.fault());
                began.elapsed()
            }
            answered => answered?,
        });
    }
    watch.lap("ping");
    let role = match client.ask_by(&redis::cmd("ROLE"), deadline).await {
        Ok(answer) => Role::read(&answer),
        // A user need not be allowed to ask; the greeting tells it too.
        Err(trouble) if trouble.is_refusal() => client.greeting.role(),
        Err(trouble) => return Err(trouble),
    };
    watch.lap("role");
    // While it is there, its end is known at once.
    site.line.renew().await;
    let (address, place) = (&site.transport.address.place, client.place.as_ref());
    let is_elsewhere = |place: &&Place| *place != address && site.transport.sentinels.is_empty();
    let instead = place.filter(is_elsewhere).map(ToString::to_string);
    let (greeting, meant) = (client.greeting.clone(), site.meant);
    Ok((Met { greeting, role, pings, refusal, meant, instead }, client.sent()))
}

/// One timed `PING`.
pub(super) async fn ping(client: &Client, deadline: Instant) -> Result<Duration, Trouble> {
    let began = Instant::now();
    let answer = client.ask_by(&redis::cmd("PING"), deadline).await?;
    let took = began.elapsed();
    if is_pong(&answer) { Ok(took) } else { Err(odd("PONG", &answer)) }
}

/// What the server tells in `INFO`, or in one section of it.
pub(super) async fn info(server: &Server, section: Option<&str>) -> Result<Info, Trouble> {
    let answer = server.read(&redis::cmd("INFO").arg(section).take()).await?;
    text(&answer).map(|text| Info::parse(&text)).ok_or_else(|| odd("text", &answer))
}

/// A server that denies or lacks `INFO` is not to blame for that.
pub(super) fn denied(trouble: &Trouble) -> Finding {
    let finding = trouble.finding("INFO", "the state of the server");
    let fault = trouble.fault();
    if fault.is_denial() {
        let evidence = finding.evidence;
        Finding::unknown(Cause::NotPermitted, &fault.says).remedy(&fault.remedy).evidence(evidence)
    } else {
        finding
    }
}
