//! Sends the commands over three connections, so that what stalls one leaves the
//! others free. It measures; it decides nothing.

use super::{
    super::{
        Site,
        client::{Client, Purpose},
        info::Info,
        keys::Keys,
        reply::{count, list, text},
        server::Server,
        settings::Meant,
        topology::Turn,
        transport::Transport,
        trouble::Trouble,
        vitals::room,
    },
    Answer, COUNT, PROBES, Probe, Row, Seen,
    probes::{Lane, Names},
};
use crate::{domain::Receipt, probe::Stopwatch};
use futures_util::future::{join, join_all};
use redis::Value;
use std::{array, cmp, sync::Arc, time::Duration};
use tokio::time::{Instant, timeout};

/// How long connecting and greeting may take.
const DIAL: Duration = Duration::from_millis(850);
/// How long a command may take on a link of no length.
const PATIENCE: Duration = Duration::from_millis(400);
/// How long one may take on any link.
const LONGEST: Duration = Duration::from_millis(900);
/// How long removing the canaries may take. They end by themselves.
const CLEARING: Duration = Duration::from_millis(500);

const NOT_ALLOWED: &str = "not sent: writing is not allowed";
const ONLY_READ: &str = "not sent: a replica is meant";
pub(super) const NO_ROOM: &str = "not sent: it could push out a key";
const NOT_NOW: &str = "not sent";

/// What the commands that were sent came to.
pub(super) struct Asked {
    pub(super) row: Row,
    pub(super) receipt: Receipt,
    /// Where they were sent.
    pub(super) turn: Option<Turn>,
    /// Whether there were connections at all.
    pub(super) connected: bool,
}

/// One command's answer on the way to its place.
type Placed = (usize, Result<Value, Trouble>, Duration, Instant);
/// Connections to read, to write and to listen on, and where they lead.
struct Lanes {
    reads: Arc<Client>,
    writes: Arc<Client>,
    listener: Option<Arc<Client>>,
    turn: Turn,
}

/// Sends what is `wanted` and allowed, where an earlier turn led or where the next one does.
pub(super) async fn send(site: &Site, turn: Option<Turn>, wanted: fn(&Probe) -> bool) -> Asked {
    let began = Instant::now();
    let Lanes { reads, writes, listener, turn } = match lanes(site, turn, wanted).await {
        Ok(lanes) => lanes,
        Err(trouble) => return nothing(&trouble, began.elapsed()),
    };
    let keys = Keys::within("commands", &turn.slots);
    let names = Names::of(&keys);
    let patience = cmp::min(PATIENCE + began.elapsed() * 2, LONGEST);
    let on = |lane| {
        let fits = move |probe: &Probe| probe.lane == lane && wanted(probe);
        (0..COUNT).filter(move |at| fits(&PROBES[*at]))
    };
    let mut placed = ask(&reads, &names, on(Lane::Reads), patience).await;
    note_time(site, &reads, &placed);
    let held_back = held_back(site, &writes, &placed);
    let allowed = on(Lane::Writes).filter(|at| held_back.is_none() || !PROBES[*at].writes());
    let heard = async {
        match &listener {
            Some(client) => ask(client, &names, on(Lane::Listens), patience).await,
            None => Vec::new(),
        }
    };
    let (written, heard) = join(ask(&writes, &names, allowed, patience), heard).await;
    placed.extend(written.into_iter().chain(heard));
    touch(&names, &placed);
    let lanes = [Some(&reads), Some(&writes), listener.as_ref()].into_iter().flatten();
    let sent = lanes.map(|client| client.sent()).sum();
    let receipt = clear(writes, &keys, sent).await;
    Asked { row: row(placed, held_back, wanted), receipt, turn: Some(turn), connected: true }
}

/// A connection for each lane, the listening one only where it is wanted.
async fn lanes(
    site: &Site,
    turn: Option<Turn>,
    wanted: fn(&Probe) -> bool,
) -> Result<Lanes, Trouble> {
    // The first alone: a wrong password is to be tried once.
    let first = dial(&site.transport).await?;
    let turn = match turn {
        Some(turn) => turn,
        None => site.turn_from("commands", Arc::clone(&first)).await?,
    };
    let way = turn.way().unwrap_or(&site.transport);
    let leads_there = turn.is_shared() || first.place.as_ref() == Some(&way.address.place);
    let reads = if leads_there { first } else { dial(way).await? };
    let listens = PROBES.iter().any(|probe| wanted(probe) && probe.lane == Lane::Listens);
    let listener = async { if listens { dial(way).await.map(Some) } else { Ok(None) } };
    let (writes, listener) = join(dial(way), listener).await;
    Ok(Lanes { reads, writes: writes?, listener: listener?, turn })
}

async fn dial(transport: &Transport) -> Result<Arc<Client>, Trouble> {
    let deadline = Instant::now() + DIAL;
    let mut watch = Stopwatch::start();
    Client::dial(transport, Purpose::Probe, &mut watch, deadline).await.map(Arc::new)
}

/// No command was sent, for the same trouble.
fn nothing(trouble: &Trouble, took: Duration) -> Asked {
    let at = Instant::now();
    let row = array::from_fn(|_| Seen { answer: Answer::Failed(trouble.clone()), took, at });
    Asked { row, receipt: Receipt::default(), turn: None, connected: false }
}

/// Sends the commands at these places in one go, each with its own time to answer.
async fn ask(
    client: &Client,
    names: &Names,
    places: impl Iterator<Item = usize>,
    patience: Duration,
) -> Vec<Placed> {
    let deadline = Instant::now() + patience;
    let asked = places.map(|at| async move {
        let began = Instant::now();
        let answer = client.ask_by(&(PROBES[at].cmd)(names), deadline).await;
        (at, answer, began.elapsed(), began)
    });
    join_all(asked).await
}

/// Why nothing may be written now, if so.
fn held_back(site: &Site, client: &Client, placed: &[Placed]) -> Option<&'static str> {
    if site.meant == Meant::Replica {
        return Some(ONLY_READ);
    }
    if !site.may_write_to(client) {
        return Some(NOT_ALLOWED);
    }
    let told = placed.iter().find(|(at, ..)| PROBES[*at].name == "INFO")?;
    let info = Info::parse(&text(told.1.as_ref().ok()?)?);
    room(&info).err().map(|_| NO_ROOM)
}

/// Lets the clock be watched by what `TIME` said.
fn note_time(site: &Site, client: &Client, placed: &[Placed]) {
    let told = placed.iter().find(|(at, ..)| PROBES[*at].name == "TIME");
    let Some((_, Ok(time), took, began)) = told else { return };
    if let Some(server) = since_1970(time) {
        site.note_time(client, server, (*began, *took));
    }
}

/// What `TIME` answers: seconds and microseconds, as texts.
fn since_1970(time: &Value) -> Option<Duration> {
    let [seconds, micros] = list::<2>(time.clone()).ok()?.map(|value| number(&value));
    Some(Duration::from_secs(seconds?) + Duration::from_micros(micros?))
}

fn number(value: &Value) -> Option<u64> {
    count(value).ok().or_else(|| text(value)?.parse().ok())
}

/// Remembers the keys that may have been written.
fn touch(names: &Names, placed: &[Placed]) {
    for (at, answer, ..) in placed {
        let refused = answer.as_ref().is_err_and(Trouble::is_refusal);
        if let Some(key) = PROBES[*at].written(names).filter(|_| !refused) {
            key.touch();
        }
    }
}

async fn clear(client: Arc<Client>, keys: &Keys, sent: u64) -> Receipt {
    let server = Server::new(client);
    (0..sent).for_each(|_| server.tally().sends(0));
    let written = u64::try_from(keys.touched().len()).unwrap_or(u64::MAX);
    let uncleared = Receipt { sent: server.tally().sent(), written, ..Receipt::default() };
    timeout(CLEARING, server.clear(keys)).await.unwrap_or(uncleared)
}

/// The answers in their places.
fn row(placed: Vec<Placed>, held_back: Option<&'static str>, wanted: fn(&Probe) -> bool) -> Row {
    let now = Instant::now();
    let mut row: Row = array::from_fn(|at| {
        let why = held_back.filter(|_| wanted(&PROBES[at])).unwrap_or(NOT_NOW);
        Seen { answer: Answer::NotSent(why), took: Duration::ZERO, at: now }
    });
    for (at, answer, took, began) in placed {
        let answer = match answer {
            Ok(_) => Answer::Done,
            Err(Trouble::Reply { code, .. }) if code == PROBES[at].fine => Answer::Done,
            Err(trouble) => Answer::Failed(trouble.out_of_script()),
        };
        row[at] = Seen { answer, took, at: began };
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_read_as_servers_send_it() {
        let bulk = |text: &str| Value::BulkString(text.into());
        let time = Value::Array(vec![bulk("1795442852"), bulk("250000")]);
        assert_eq!(since_1970(&time), Some(Duration::from_millis(1_795_442_852_250)));
        assert_eq!(since_1970(&Value::Array(vec![bulk("x"), bulk("1")])), None);
        assert_eq!(since_1970(&Value::Okay), None);
    }
}
