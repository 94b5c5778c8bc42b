//! What a cluster consists of, and how each of its masters sees it.

use super::{
    super::{
        address::Place,
        client::{Client, Purpose},
        reply::{odd, text},
        transport::Transport,
        trouble::Trouble,
    },
    members::Member,
    sentinel::said,
    shards::{Reading, Shard, View},
};
use crate::probe::Stopwatch;
use futures_util::future::join_all;
use redis::{Cmd, Value};
use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};
use tokio::time::Instant;

/// How long a master may take to tell its view.
const TELLING: Duration = Duration::from_millis(1500);
/// Masters that are asked in one look.
pub(super) const ASKED_AT_ONCE: usize = 20;

/// The shards that have slots, of the cluster that `client` is a node of.
pub(crate) async fn shards(client: &Client) -> Result<Vec<Shard>, Trouble> {
    let place = client.place.as_ref();
    let asked = place.map(Place::host).unwrap_or_default();
    let encrypted = place.is_some_and(Place::is_encrypted);
    let reading = Reading { asked: &asked, encrypted };
    Ok(match client.ask(&cluster_cmd("SHARDS")).await {
        Ok(answer) => reading.shards(&answer),
        // Redis before 7.0, and some proxies.
        Err(trouble) if trouble.is_refusal() => {
            reading.slots(&client.ask(&cluster_cmd("SLOTS")).await?)
        }
        Err(trouble) => return Err(trouble),
    })
}

fn cluster_cmd(what: &str) -> Cmd {
    redis::cmd("CLUSTER").arg(what).take()
}

/// The way to the master of a shard.
pub(crate) fn way(transport: &Transport, shard: &Shard) -> Transport {
    transport.to(transport.address.at(place(transport, shard)))
}

/// Where the master of a shard can be reached.
pub(crate) fn place(transport: &Transport, shard: &Shard) -> Place {
    let (host, port) = transport.announced.reach(&shard.host, shard.port);
    Place::new(&host, port, transport.address.place.is_encrypted())
}

/// Whether a node is part of a cluster, where its greeting did not say.
pub(crate) async fn tells_of_one(client: &Client, deadline: Instant) -> bool {
    let answer = client.ask_by(&cluster_cmd("INFO"), deadline).await;
    answer.is_ok_and(|answer| text(&answer).is_some_and(|text| text.contains("cluster_state")))
}

/// How the masters of `shards` see the cluster, each asked for itself.
pub(super) async fn survey(
    transport: &Transport,
    shards: Vec<Shard>,
    sent: &AtomicU64,
) -> Vec<Member> {
    let deadline = Instant::now() + TELLING;
    let asked = shards.into_iter().take(ASKED_AT_ONCE).map(|shard| async move {
        let view = view(transport, &shard, deadline, sent).await;
        Member { shard, view: view.map_err(|trouble| said(&trouble)) }
    });
    join_all(asked).await
}

async fn view(
    transport: &Transport,
    shard: &Shard,
    deadline: Instant,
    sent: &AtomicU64,
) -> Result<View, Trouble> {
    let way = way(transport, shard);
    let client = Client::dial(&way, Purpose::Probe, &mut Stopwatch::start(), deadline).await?;
    let info = words(&client, "INFO", deadline).await?;
    let nodes = match words(&client, "NODES", deadline).await {
        // What moves is worth knowing, and not worth a right that a user need not have.
        Err(trouble) if trouble.is_refusal() => String::new(),
        told => told?,
    };
    sent.fetch_add(client.sent(), Relaxed);
    Ok(View::read(&info, &nodes))
}

async fn words(client: &Client, what: &str, deadline: Instant) -> Result<String, Trouble> {
    let answer: Value = client.ask_by(&cluster_cmd(what), deadline).await?;
    text(&answer).ok_or_else(|| odd("text", &answer))
}
