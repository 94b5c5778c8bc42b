//! What the checks of a full run need to know first: asked by one, told to all.

use super::{
    Site,
    checks::info,
    client::{Client, is_pong, unanswered},
    reply::odd,
    server::Server,
    services::{Commands, KEEP_ALL, Pace, Scene, Upset},
    topology::Reached,
    trouble::Trouble,
    vitals::room,
};
use crate::domain::{Cause, Evidence, Finding};
use std::{
    ptr,
    sync::{Arc, Weak},
    time::Duration,
};
use tokio::{
    sync::Mutex,
    time::{Instant, timeout},
};

/// How many round trips the pace of a link is taken from.
const PINGS: usize = 3;
/// How long they may take together.
const PACING: Duration = Duration::from_secs(2);
/// How long what was learnt may be told to the others of the same run, of which not all
/// begin at once.
const FRESH: Duration = Duration::from_secs(1);

/// Every command that a service uses, in scripts or without. A server that lacks
/// one of them cannot have that service.
const COMMANDS: &[&str] = &[
    "eval",
    "get",
    "set",
    "del",
    "incr",
    "pttl",
    "pexpire",
    "exists",
    "renamenx",
    "time",
    "hget",
    "hset",
    "hmget",
    "hdel",
    "hexists",
    "hincrby",
    "zadd",
    "zrem",
    "zcount",
    "zscore",
    "zpopmin",
    "zrangebyscore",
    "zremrangebyscore",
    "publish",
    "subscribe",
    "psubscribe",
    "unsubscribe",
    "punsubscribe",
];

/// What was learnt last.
#[derive(Default)]
pub(super) struct Readiness(Mutex<Option<(Instant, Ready)>>);

/// A connection that answers, how fast, and what the server says of itself.
#[derive(Clone)]
pub(super) struct Ready {
    client: Weak<Client>,
    pub(super) pings: Vec<Duration>,
    pub(super) scene: Arc<Scene>,
}

impl Site {
    /// What other checks have found out about the server.
    fn told(&self) -> Scene {
        Scene { notices: self.notices(), skew: self.skew(Instant::now()), ..Scene::default() }
    }

    /// Makes ready for a run on a connection: the server as it sees it, and what is known
    /// of it.
    pub(super) async fn ready(&self, (client, took): Reached) -> Result<(Server, Ready), Trouble> {
        let server = Server::new(Arc::clone(&client));
        (0..took).for_each(|_| server.tally().sends(0));
        let mut latest = self.readiness.0.lock().await;
        let fresh =
            latest.as_ref().filter(|(at, ready)| at.elapsed() < FRESH && ready.is_of(&client));
        if let Some((_, ready)) = fresh {
            let ready = ready.clone();
            if ready.pace().is_quick() {
                return Ok((server, ready));
            }
            // A moment that was slow is not told to others: each measures anew, side by side.
            drop(latest);
            let pings = round_trips(&server, PINGS).await?;
            return Ok((server, Ready { pings, ..ready }));
        }
        let before = latest.take().map(|(_, ready)| ready);
        let ready = made_ready(&server, &client, before, self.told()).await?;
        *latest = Some((Instant::now(), ready.clone()));
        Ok((server, ready))
    }
}

impl Ready {
    /// Whether it was found out on this connection.
    fn is_of(&self, client: &Arc<Client>) -> bool {
        ptr::eq(self.client.as_ptr(), Arc::as_ptr(client))
    }

    pub(super) fn pace(&self) -> Pace {
        Pace::of(&self.pings)
    }

    /// The finding where nothing may be written now. What the server pushed out of late is
    /// lost for sure to who relies on it, which is `keeps`; nothing more can be told.
    pub(super) fn no_room(&self, keeps: Option<&str>) -> Option<Finding> {
        // Without leave to look, the server's own limit is what protects it.
        let says = room(self.scene.info.as_ref()?).err()?;
        if let Some(Err(Upset::Broken(lost))) = keeps.map(|what| self.scene.keeps(what)) {
            let evidence = Evidence::default().asked(lost.asked).wanted(&lost.wanted);
            let finding = Finding::fail(&lost.says).remedy(KEEP_ALL);
            return Some(finding.evidence(evidence.reply(&lost.got).fact("writes", &*says)));
        }
        let evidence = Evidence::default().asked("INFO memory").wanted("room").reply(&says);
        let finding = Finding::unknown(Cause::NoSamples, &says)
            .remedy("make room, then re-check; writing now could push out a key of yours")
            .evidence(evidence);
        Some(finding)
    }
}

async fn made_ready(
    server: &Server,
    client: &Arc<Client>,
    before: Option<Ready>,
    told: Scene,
) -> Result<Ready, Trouble> {
    let pings = round_trips(server, PINGS).await?;
    let scene = Arc::new(scene(server, client, before.as_ref(), told).await?);
    Ok(Ready { client: Arc::downgrade(client), pings, scene })
}

/// What round trips take now.
pub(super) async fn round_trips(server: &Server, times: usize) -> Result<Vec<Duration>, Trouble> {
    let pings = async {
        let mut pings = Vec::with_capacity(times);
        for _ in 0..times {
            let began = Instant::now();
            match server.read(&redis::cmd("PING")).await {
                Ok(answer) if is_pong(&answer) => {}
                Ok(answer) => return Err(odd("PONG", &answer)),
                // To refuse takes as long as to answer.
                Err(trouble) if trouble.is_of_data() => {}
                Err(trouble) => return Err(trouble),
            }
            pings.push(began.elapsed());
        }
        Ok(pings)
    };
    let began = Instant::now();
    timeout(PACING, pings).await.unwrap_or_else(|_| Err(unanswered(PACING, began.elapsed())))
}

/// What the server says of itself; its commands are asked for once per connection.
async fn scene(
    server: &Server,
    client: &Arc<Client>,
    before: Option<&Ready>,
    told: Scene,
) -> Result<Scene, Trouble> {
    let info = permitted(info(server, None).await)?;
    let same = before.filter(|before| before.is_of(client));
    let commands = if let Some(same) = same {
        same.scene.commands.clone()
    } else {
        let ask = redis::cmd("COMMAND").arg("INFO").arg(COMMANDS).take();
        permitted(server.read(&ask).await)?.map(|answer| Commands::read(&answer))
    };
    let before = before.and_then(|before| before.scene.info.clone());
    Ok(Scene { info, before, commands, ..told })
}

/// What the server told, or nothing where it will not tell.
fn permitted<T>(answer: Result<T, Trouble>) -> Result<Option<T>, Trouble> {
    match answer {
        Ok(told) => Ok(Some(told)),
        Err(trouble) if trouble.is_refusal() && trouble.fault().is_denial() => Ok(None),
        Err(trouble) => Err(trouble),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::info::Info, *};
    use crate::domain::Outcome;

    #[test]
    fn a_full_server_loses_what_it_pushed_out_and_the_rest_is_not_tried() {
        let told = |evicted: u64, used: u64| {
            Some(Info::parse(&format!(
                "run_id:a\nused_memory:{used}\nmaxmemory:100\nmaxmemory_policy:allkeys-random\n\
                 evicted_keys:{evicted}"
            )))
        };
        let finding = |evicted, used, keeps| {
            let scene =
                Scene { info: told(evicted, used), before: told(7, 50), ..Scene::default() };
            let ready = Ready { client: Weak::new(), pings: Vec::new(), scene: Arc::new(scene) };
            ready.no_room(keeps).map(|finding| (finding.outcome, finding.summary))
        };
        assert_eq!(finding(9, 94, Some("locks")), None, "it has room: the service is tried");
        let lost = Some((Outcome::Fail, "2 keys were pushed out since the last run".to_owned()));
        assert_eq!(finding(9, 99, Some("locks")), lost);
        let untried = "not tried: memory 99 % full, a write evicts".to_owned();
        let untried = Some((Outcome::Unknown(Cause::NoSamples), untried));
        assert_eq!(finding(7, 99, Some("locks")), untried, "nothing was pushed out");
        assert_eq!(finding(9, 99, None), untried, "a cache may push out");
    }
}
