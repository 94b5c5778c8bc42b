//! The check of pub/sub. What it stores, and only where key events are on, is gone at
//! once, so that it needs no room; and it listens on connections of its own.

use super::{
    Back, Redis, Site,
    judge::median,
    keys::Keys,
    looking::key_events,
    ready::Ready,
    server::Server,
    services::{
        Bench, Held, Pace, Ran, Scene, Service, Upset, lacking, pubsub, run_all, run_in_process,
        sum_up,
    },
    steps::Steps,
    topology::Turn,
    trials::{ANSWERED, MADE_READY, SET_URL, account},
    trouble::Trouble,
};
use crate::{
    domain::{Finding, Skip},
    probe::ProbeError,
};
use std::sync::Arc;

const PUBSUB: Service = Service {
    name: "pubsub",
    proves: "each message once, in order, gaps told",
    needs: &["publish", "subscribe", "psubscribe", "unsubscribe", "punsubscribe"],
    plain: "",
    spared: None,
};

const ALLOW: &str = "set `writes = true` in [redis], or pass --allow-writes; \
    the channels begin with tminus:, and nothing is stored but, where key events are on, \
    one key for 100ms";

impl Redis {
    /// Puts publishing and subscribing to the test.
    pub(super) async fn pubsub(&self) -> Result<Finding, ProbeError> {
        match &self.back {
            Back::Misconfigured(says) => Err(ProbeError::Misconfigured(says.clone())),
            Back::StandIn => Ok(in_process().await),
            // Who listens to everything hears what we publish.
            Back::Server(site) if !site.may_write => Ok(not_allowed()),
            Back::Server(site) => {
                let untold = |trouble: Trouble| trouble.finding(MADE_READY, ANSWERED);
                let turn = match site.turn_of_two(PUBSUB.name).await {
                    Ok(turn) => turn,
                    Err(trouble) => return Ok(untold(trouble)),
                };
                let finding = on_server(site, &turn).await.unwrap_or_else(untold);
                Ok(site.turns.ended(&turn, finding))
            }
        }
    }
}

fn not_allowed() -> Finding {
    Finding::skipped(Skip::NotAllowed, "not allowed to publish there").remedy(ALLOW)
}

async fn in_process() -> Finding {
    let back_end = Arc::new(pubsub::InProcess::default()) as Arc<dyn pubsub::PubSub>;
    let ran = run_in_process(pubsub::CASES, back_end, Keys::new(PUBSUB.name)).await;
    sum_up(PUBSUB, &ran, pubsub::CASES.len(), Pace::of(&[])).remedy(SET_URL).on_fallback()
}

async fn on_server(site: &Site, turn: &Turn) -> Result<Finding, Trouble> {
    let reached = site.client_of(turn).await?;
    if !site.may_write_to(&reached.0) {
        return Ok(not_allowed());
    }
    let spoken = reached.0.place.clone();
    let (server, ready) = site.ready(reached).await?;
    let (keys, pace) = (Keys::new(PUBSUB.name), ready.pace());
    let commands = ready.scene.commands.as_ref();
    if let Some(command) = commands.and_then(|known| known.lack(PUBSUB.needs)) {
        return Ok(lacking(PUBSUB, command));
    }
    let scene = Arc::new(scene_with_events(site, &server, &ready).await?);
    let back_end = pubsub::OnServer::new(server.clone(), Arc::clone(&turn.ear));
    let set_up = |steps: &Steps| Bench {
        back_end: Arc::new(back_end.seen_by(server.noting(steps))) as Arc<dyn pubsub::PubSub>,
        keys: keys.clone(),
        pace,
        scene: Some(Arc::clone(&scene)),
    };
    let ran = site.excused(run_all(pubsub::CASES, pace, set_up).await);
    let finding = sum_up(PUBSUB, &ran, pubsub::CASES.len(), pace);
    let channels = format!("tminus:{}:*", keys.run());
    let receipt = server.clear(&keys).await;
    let evidence = finding.evidence.clone().fact("channels", &*channels);
    let evidence = match &turn.ear.address.place {
        heard if Some(heard) == spoken.as_ref() => evidence,
        heard => evidence.fact("listening at", &*heard.to_string()),
    };
    let evidence = account(evidence, &server, receipt);
    Ok(finding.evidence(evidence).latency(median(&ready.pings)).receipt(receipt))
}

/// What the server says of itself, and whether it announces ends of keys: that is asked
/// here where the look at the instance has not found it out yet.
async fn scene_with_events(site: &Site, server: &Server, ready: &Ready) -> Result<Scene, Trouble> {
    let mut scene = (*ready.scene).clone();
    scene.notices = site.notices();
    if scene.notices.setting.is_none() && !server.is_cluster() {
        scene.notices.setting = key_events(site, server).await?;
    }
    Ok(scene)
}

impl Site {
    /// A user who may not hear of ends of keys can do everything else.
    fn excused(&self, mut ran: Vec<Ran>) -> Vec<Ran> {
        for ran in ran.iter_mut().filter(|ran| ran.id == pubsub::ENDS) {
            if let Err(Upset::Trouble(trouble)) = &ran.ended
                && trouble.is_refusal()
            {
                let says = format!("not told of keys that end: {}", trouble.fault().says);
                let hazard = self.key_events.then(|| says.clone());
                ran.ended = Ok(Held::saw(says).but_for(hazard));
            }
        }
        ran
    }
}
