//! Where the next run of a service takes place. In a cluster each master is one
//! server of many: every run proves one of them, and the next run another one.

use super::{
    super::{
        Site,
        client::{Client, Purpose},
        slots::Slots,
        transport::Transport,
        trouble::Trouble,
    },
    cluster,
    shards::Shard,
};
use crate::{
    domain::{Finding, Outcome},
    probe::Stopwatch,
    units,
};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};
use tokio::{sync::Mutex as Shared, time::Instant};

/// How long it may take to get at the master of a shard.
const DIAL: Duration = Duration::from_millis(1500);
/// Runs that begin within so much of each other share what was found out.
const AT_ONCE: Duration = Duration::from_millis(250);
/// How long it is kept in mind that there was a connection to a shard.
const FORGOTTEN: Duration = Duration::from_mins(10);
/// Doors to a cluster that are remembered.
const DOORS: usize = 8;
/// Other shards whose last run is shown beside that of this one.
const SHOWN: usize = 6;

/// What each service has gone through, and what runs at the same time share.
#[derive(Default)]
pub(crate) struct Turns {
    pasts: Mutex<HashMap<&'static str, Past>>,
    shards: Shared<Option<(Instant, Vec<Shard>)>>,
    lines: Shared<HashMap<String, (Instant, Line)>>,
}

/// A connection to a shard that may be open still, or why there is none.
type Line = Result<Weak<Client>, Trouble>;
/// A connection, and how many commands it took to get at it.
pub(crate) type Reached = (Arc<Client>, u64);

/// What a service has gone through.
#[derive(Default)]
struct Past {
    taken: usize,
    /// The shard on which it failed last; it is asked until it does not any more,
    /// so that a failure is confirmed and does not flap with the turn of others.
    failed: Option<String>,
    ended: BTreeMap<String, (Outcome, Instant)>,
}

/// Where a run of a service takes place.
pub(crate) struct Turn {
    service: &'static str,
    ground: Ground,
    /// How many commands it took to find out.
    asked: u64,
    /// The slots that its keys have to be in.
    pub(crate) slots: Slots,
    /// Where to listen for what is published.
    pub(crate) ear: Arc<Transport>,
}

enum Ground {
    /// The connection that all share.
    Shared(Arc<Client>),
    /// The master of a shard, on a connection of the run's own.
    Shard { way: Box<Transport>, name: String, says: String },
}

impl Site {
    /// Where the next run of `service` takes place.
    pub(crate) async fn turn(&self, service: &'static str) -> Result<Turn, Trouble> {
        self.turn_by(service, self.line.take().await?, Turns::choose).await
    }

    /// The same for who dials for himself: `client` knows the deployment.
    pub(crate) async fn turn_from(
        &self,
        service: &'static str,
        client: Arc<Client>,
    ) -> Result<Turn, Trouble> {
        self.turn_by(service, client, Turns::choose).await
    }

    /// The same for a service whose messages go through all masters: it speaks at
    /// one that is up, and listens at another one.
    pub(crate) async fn turn_of_two(&self, service: &'static str) -> Result<Turn, Trouble> {
        self.turn_by(service, self.line.take().await?, Turns::pair).await
    }

    async fn turn_by(
        &self,
        service: &'static str,
        client: Arc<Client>,
        choose: fn(&Turns, &'static str, &[Shard]) -> (usize, usize),
    ) -> Result<Turn, Trouble> {
        let is_cluster = client.is_cluster();
        let (shards, asked) =
            if is_cluster { self.shards(&client).await? } else { (Vec::new(), 0) };
        if is_cluster {
            self.remember(&shards);
        }
        let (mouth, ear) = choose(&self.turns, service, &shards);
        let (Some(shard), Some(ear)) = (shards.get(mouth), shards.get(ear)) else {
            // A cluster in which nobody has slots is for the server to complain about.
            let ear = Arc::clone(&self.transport);
            let ground = Ground::Shared(client);
            return Ok(Turn { service, ground, asked, slots: Slots::all(), ear });
        };
        let says = format!("{}, {}, {} of {}", shard.name(), shard.slots, mouth + 1, shards.len());
        let way = cluster::way(&self.transport, shard);
        Ok(Turn {
            service,
            ground: Ground::Shard { way: Box::new(way), name: shard.name(), says },
            asked,
            slots: shard.slots.clone(),
            ear: Arc::new(cluster::way(&self.transport, ear)),
        })
    }

    /// The shards of the cluster that `client` is a node of, asked for once for all runs
    /// that begin at the same time.
    pub(super) async fn shards(&self, client: &Client) -> Result<(Vec<Shard>, u64), Trouble> {
        let mut known = self.turns.shards.lock().await;
        if let Some((at, shards)) = known.as_ref()
            && at.elapsed() < AT_ONCE
        {
            return Ok((shards.clone(), 0));
        }
        let shards = cluster::shards(client).await?;
        *known = Some((Instant::now(), shards.clone()));
        Ok((shards, 1))
    }

    /// The connection to use in a turn: in a cluster one for all runs that are on the
    /// same shard at the same time.
    pub(crate) async fn client_of(&self, turn: &Turn) -> Result<Reached, Trouble> {
        let (way, name) = match &turn.ground {
            Ground::Shared(client) => return Ok((Arc::clone(client), turn.asked)),
            Ground::Shard { way, name, .. } => (way, name),
        };
        let mut lines = self.turns.lines.lock().await;
        match lines.get(name) {
            Some((_, Ok(line))) => {
                if let Some(client) = line.upgrade().filter(|client| !client.is_spent()) {
                    return Ok((client, turn.asked));
                }
            }
            Some((at, Err(trouble))) if at.elapsed() < AT_ONCE => return Err(trouble.clone()),
            Some((_, Err(_))) | None => {}
        }
        let (mut watch, deadline) = (Stopwatch::start(), Instant::now() + DIAL);
        let dialled = Client::dial(way, Purpose::Data, &mut watch, deadline).await.map(Arc::new);
        // Of shards that are no more nothing is kept.
        lines.retain(|_, (at, _)| at.elapsed() < FORGOTTEN);
        let line = dialled.as_ref().map(Arc::downgrade).map_err(Clone::clone);
        lines.insert(name.clone(), (Instant::now(), line));
        dialled.map(|client| (Arc::clone(&client), turn.asked + client.sent()))
    }

    /// The ways to all masters of the cluster that `client` is a node of.
    pub(crate) async fn masters(&self, client: &Client) -> Result<Vec<Transport>, Trouble> {
        let shards = cluster::shards(client).await?;
        Ok(shards.iter().map(|shard| cluster::way(&self.transport, shard)).collect())
    }

    /// Other doors to the same cluster, should the node of the address be away.
    pub(super) fn remember(&self, shards: &[Shard]) {
        let up = shards.iter().filter(|shard| !shard.is_down);
        let places = up.map(|shard| cluster::place(&self.transport, shard));
        let others = places.filter(|place| *place != self.transport.address.place);
        self.transport.remember(others.take(DOORS).collect());
    }
}

impl Turn {
    /// Whether it is on the connection that all share.
    pub(crate) fn is_shared(&self) -> bool {
        matches!(self.ground, Ground::Shared(_))
    }

    /// The way to the master of a shard, where it leads to one.
    pub(crate) fn way(&self) -> Option<&Transport> {
        match &self.ground {
            Ground::Shared(_) => None,
            Ground::Shard { way, .. } => Some(way),
        }
    }
}

impl Turns {
    /// Lets the next turn ask anew which shards there are: a slot has moved.
    pub(crate) async fn look_anew(&self) {
        *self.shards.lock().await = None;
    }

    /// The shard of the next run: one that failed, one that is known to be down, or
    /// the next one in turn.
    fn choose(&self, service: &'static str, shards: &[Shard]) -> (usize, usize) {
        let mut pasts = self.pasts();
        let past = pasts.entry(service).or_default();
        let failed = past.failed.as_deref();
        let at = shards.iter().position(|shard| failed == Some(&*shard.name()));
        let at = at.or_else(|| shards.iter().position(|shard| shard.is_down));
        let at = at.unwrap_or_else(|| past.next() % shards.len().max(1));
        (at, at)
    }

    /// The next pair of different shards that are up, each pair in its turn.
    fn pair(&self, service: &'static str, shards: &[Shard]) -> (usize, usize) {
        let up: Vec<usize> = (0..shards.len()).filter(|at| !shards[*at].is_down).collect();
        let turn = self.pasts().entry(service).or_default().next();
        let Some(mouth) = turn.checked_rem(up.len()) else { return (0, 0) };
        // Where there is but one, it hears itself.
        let further = (turn / up.len()).checked_rem(up.len() - 1).map_or(0, |step| step + 1);
        (up[mouth], up[(mouth + further) % up.len()])
    }

    /// Notes how a run ended, and adds where it took place to what it found.
    pub(crate) fn ended(&self, turn: &Turn, finding: Finding) -> Finding {
        let Ground::Shard { name, says, .. } = &turn.ground else { return finding };
        let mut pasts = self.pasts();
        let past = pasts.entry(turn.service).or_default();
        past.note(name, &finding.outcome);
        let evidence = finding.evidence.clone().fact("shard", says.as_str());
        let evidence = past.others(name).fold(evidence, |evidence, (other, said)| {
            evidence.fact(&format!("before, {other}"), &*said)
        });
        let is_named = finding.summary.contains(name.as_str());
        let blames = matches!(finding.outcome, Outcome::Fail | Outcome::Unknown(_));
        let summary = if blames && !is_named {
            format!("{name}: {}", finding.summary)
        } else {
            finding.summary.clone()
        };
        Finding { summary, ..finding }.evidence(evidence)
    }

    fn pasts(&self) -> MutexGuard<'_, HashMap<&'static str, Past>> {
        self.pasts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Past {
    fn next(&mut self) -> usize {
        let turn = self.taken;
        self.taken = turn.wrapping_add(1);
        turn
    }

    fn note(&mut self, shard: &str, outcome: &Outcome) {
        match outcome {
            Outcome::Fail => self.failed = Some(shard.to_owned()),
            Outcome::Pass | Outcome::Warn => self.failed = None,
            // Says nothing about the shard.
            Outcome::Unknown(_) | Outcome::Blocked(_) | Outcome::Skipped(_) => {}
        }
        self.ended.insert(shard.to_owned(), (outcome.clone(), Instant::now()));
        if self.ended.len() > 2 * SHOWN {
            let oldest = self.ended.iter().min_by_key(|(_, (_, at))| *at);
            let oldest = oldest.map(|(name, _)| name.clone());
            self.ended.retain(|name, _| Some(name) != oldest.as_ref());
        }
    }

    /// How the last run on other shards ended.
    fn others<'a>(&'a self, shard: &'a str) -> impl Iterator<Item = (&'a str, String)> {
        let others = self.ended.iter().filter(move |(name, _)| *name != shard).take(SHOWN);
        others.map(|(name, (outcome, at))| {
            (name.as_str(), format!("{}, {} ago", word(outcome), units::age(at.elapsed())))
        })
    }
}

fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => "held",
        Outcome::Warn => "held, with a warning",
        Outcome::Fail => "failed",
        Outcome::Unknown(_) | Outcome::Blocked(_) | Outcome::Skipped(_) => "not told",
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::super::{address::Address, topology::Entrance},
        *,
    };
    use crate::secret::Secret;
    use std::collections::BTreeSet;

    fn shards(down: &[u16]) -> Vec<Shard> {
        let shard = |port: u16| Shard {
            host: "a".into(),
            port,
            slots: Slots::of([(port, port)]),
            replicas: 0,
            is_down: down.contains(&port),
        };
        (1..=3).map(shard).collect()
    }

    fn turn(at: usize) -> Turn {
        let address = Address::parse(&Secret::new("redis://a")).unwrap();
        let way = || Transport::new(Entrance::of(address.clone()), None);
        let name = shards(&[])[at].name();
        let ground = Ground::Shard { way: Box::new(way()), says: format!("{name}, slot 1"), name };
        Turn { service: "lock", ground, asked: 0, slots: Slots::all(), ear: Arc::new(way()) }
    }

    #[tokio::test]
    async fn each_service_goes_round_by_itself() {
        let turns = Turns::default();
        let next = |service| turns.choose(service, &shards(&[])).0;
        assert_eq!([next("lock"), next("lock"), next("cache")], [0, 1, 0]);
        assert_eq!([next("lock"), next("lock"), next("cache")], [2, 0, 1]);
    }

    #[tokio::test]
    async fn a_shard_that_failed_is_asked_until_it_holds() {
        let turns = Turns::default();
        let next = || turns.choose("lock", &shards(&[])).0;
        assert_eq!(next(), 0);
        let failed = turns.ended(&turn(1), Finding::fail("connection refused"));
        assert_eq!(failed.summary, "a:2: connection refused");
        assert_eq!([next(), next()], [1, 1]);
        turns.ended(&turn(1), Finding::unknown(crate::domain::Cause::Starved, "late"));
        assert_eq!(next(), 1, "a run that tells nothing clears nothing");
        let held = turns.ended(&turn(1), Finding::pass("excludes"));
        assert_eq!(held.summary, "excludes");
        assert_eq!([next(), next()], [1, 2]);
    }

    #[tokio::test]
    async fn a_shard_that_is_down_comes_first_and_hears_no_messages() {
        let turns = Turns::default();
        assert_eq!(turns.choose("lock", &shards(&[3])).0, 2);
        let pairs: BTreeSet<_> = (0..4).map(|_| turns.pair("pubsub", &shards(&[3]))).collect();
        assert_eq!(pairs, BTreeSet::from([(0, 1), (1, 0)]));
    }

    #[tokio::test]
    async fn every_pair_of_masters_has_its_turn() {
        let turns = Turns::default();
        let pairs: BTreeSet<_> = (0..6).map(|_| turns.pair("pubsub", &shards(&[]))).collect();
        assert_eq!(pairs.len(), 6);
        assert!(pairs.iter().all(|(mouth, ear)| mouth != ear));
        let alone = &shards(&[])[..1];
        assert_eq!(turns.pair("pubsub", alone), (0, 0));
        assert_eq!(turns.pair("pubsub", &shards(&[1, 2, 3])), (0, 0));
    }

    #[tokio::test]
    async fn what_other_shards_said_last_is_shown() {
        let turns = Turns::default();
        turns.ended(&turn(0), Finding::pass("excludes"));
        let second = turns.ended(&turn(1), Finding::fail("a:2 is gone"));
        assert_eq!(second.summary, "a:2 is gone", "it is named once");
        let facts = second.evidence.facts;
        let told: Vec<_> = facts.iter().map(|fact| fact.name.as_str()).collect();
        assert_eq!(told, ["shard", "before, a:1"]);
        assert!(format!("{:?}", facts[1].value).contains("held, 0s ago"));
    }
}
