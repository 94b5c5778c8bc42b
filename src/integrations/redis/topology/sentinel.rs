//! Asking sentinels where the master is, and whether they could replace it.

use super::{
    super::{
        address::{Address, Place, at},
        client::{Client, Purpose},
        greeting::Role,
        reply::{fields, text},
        transport::Transport,
        trouble::Trouble,
    },
    guards::{Guard, Watched},
};
use crate::probe::{ProbeError, Stopwatch};
use futures_util::{
    future::join_all,
    stream::{FuturesUnordered, StreamExt as _},
};
use redis::{Cmd, Value};
use std::{
    cmp,
    collections::BTreeMap,
    pin::Pin,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};
use tokio::time::Instant;

/// How long a sentinel may take to say who is master.
const TELLING: Duration = Duration::from_millis(600);
/// Sentinels that must agree where there are as many: one may be cut off, and not know it.
const AGREEING: usize = 2;

type Asked<'a> = Pin<Box<dyn Future<Output = Result<Place, Trouble>> + Send + 'a>>;

/// The server that the sentinels call master, as soon as enough of them agree.
pub(crate) fn named_master(transport: &Transport, deadline: Instant) -> Asked<'_> {
    // Boxed, because asking a sentinel is opening a connection again.
    Box::pin(async move {
        let deadline = cmp::min(deadline, Instant::now() + TELLING);
        let all = &transport.sentinels;
        let needed = cmp::min(AGREEING, all.len());
        let mut asked: FuturesUnordered<_> =
            all.iter().map(|sentinel| master_of(transport, sentinel, deadline)).collect();
        let mut votes: BTreeMap<String, usize> = BTreeMap::new();
        let mut last = None;
        while let Some(answer) = asked.next().await {
            match answer {
                Ok(place) => {
                    let votes = votes.entry(place.to_string()).or_default();
                    *votes += 1;
                    if *votes >= needed {
                        return Ok(place);
                    }
                }
                Err(trouble) => last = Some(trouble),
            }
        }
        Err(undecided(&votes, all.len(), last))
    })
}

/// Why there is no master to go to.
fn undecided(votes: &BTreeMap<String, usize>, all: usize, last: Option<Trouble>) -> Trouble {
    let says = match (votes.len(), last) {
        (0, Some(trouble)) if all == 1 => return trouble,
        (0, Some(trouble)) => format!("no sentinel of {all} names a master: {}", said(&trouble)),
        (0 | 1, _) => format!("1 sentinel of {all} names a master, {AGREEING} must agree"),
        _ => {
            let named: Vec<&str> = votes.keys().map(String::as_str).collect();
            format!("the sentinels disagree: {}", named.join(" or "))
        }
    };
    Trouble::Reach(ProbeError::Unreachable(says))
}

pub(super) fn said(trouble: &Trouble) -> String {
    trouble.fault().says
}

async fn master_of(
    transport: &Transport,
    sentinel: &Address,
    deadline: Instant,
) -> Result<Place, Trouble> {
    let name = transport.address.place.to_string();
    let client = dial(transport, sentinel, deadline).await?;
    let ask = sentinel_cmd("GET-MASTER-ADDR-BY-NAME", &name);
    let answer = client.ask_by(&ask, deadline).await?;
    let Value::Array(parts) = &answer else { return Err(stranger(sentinel, &name)) };
    let told = |index: usize| parts.get(index).and_then(text);
    let port = told(1).and_then(|port| port.parse().ok());
    let (Some(host), Some(port)) = (told(0), port) else { return Err(stranger(sentinel, &name)) };
    let (host, port) = transport.announced.reach(&host, port);
    Ok(Place::new(&host, port, transport.address.place.is_encrypted()))
}

fn sentinel_cmd(what: &str, name: &str) -> Cmd {
    redis::cmd("SENTINEL").arg(what).arg(name).take()
}

fn stranger(sentinel: &Address, name: &str) -> Trouble {
    let says = format!("{} knows no master called {name}", sentinel.place);
    Trouble::Reach(ProbeError::Misconfigured(says))
}

async fn dial(
    transport: &Transport,
    sentinel: &Address,
    deadline: Instant,
) -> Result<Client, Trouble> {
    let way = transport.to(sentinel.clone());
    Client::dial(&way, Purpose::Probe, &mut Stopwatch::start(), deadline).await
}

/// Makes sure that what was named master is one, and notes where it is.
pub(super) async fn confirm(
    client: &Client,
    transport: &Transport,
    deadline: Instant,
) -> Result<(), Trouble> {
    let Some(place) = &client.place else { return Ok(()) };
    if let Place::Master { .. } = &transport.address.place {
        let role = match client.greeting.role() {
            Some(role) => Some(role),
            None => Role::read(&client.ask_by(&redis::cmd("ROLE"), deadline).await?),
        };
        if !matches!(role, Some(Role::Master { .. })) {
            let says = format!("the sentinels name {place}, which is no master");
            return Err(Trouble::Reach(ProbeError::Unreachable(says)));
        }
    }
    transport.arrived(place);
    Ok(())
}

/// What every sentinel says about the master.
pub(super) async fn survey(transport: &Transport, sent: &AtomicU64) -> Vec<Guard> {
    let deadline = Instant::now() + TELLING * 2;
    let asked = transport.sentinels.iter().map(|sentinel| async move {
        let told = watched(transport, sentinel, deadline, sent).await;
        Guard { name: sentinel.place.to_string(), told: told.map_err(|trouble| said(&trouble)) }
    });
    join_all(asked).await
}

async fn watched(
    transport: &Transport,
    sentinel: &Address,
    deadline: Instant,
    sent: &AtomicU64,
) -> Result<Watched, Trouble> {
    let name = transport.address.place.to_string();
    let client = dial(transport, sentinel, deadline).await?;
    let answer = match client.ask_by(&sentinel_cmd("MASTER", &name), deadline).await {
        Err(Trouble::Reply { text, .. }) if text.contains("No such master") => {
            return Err(stranger(sentinel, &name));
        }
        answered => answered?,
    };
    let quorum = match client.ask_by(&sentinel_cmd("CKQUORUM", &name), deadline).await {
        Ok(_) => Ok(()),
        Err(Trouble::Reply { text, .. }) => Err(text),
        Err(trouble) => return Err(trouble),
    };
    sent.fetch_add(client.sent(), Relaxed);
    let told: BTreeMap<String, Value> = fields(&answer).into_iter().collect();
    let said = |name: &str| told.get(name).and_then(text);
    let count = |name: &str| said(name).and_then(|text| text.parse().ok());
    let host = said("ip").unwrap_or_default();
    let (host, port) =
        transport.announced.reach(&host, count("port").unwrap_or(0).try_into().unwrap_or(0));
    Ok(Watched {
        master: at(&host, port),
        flags: said("flags").unwrap_or_default(),
        others: count("num-other-sentinels").unwrap_or(0),
        needed: count("quorum").unwrap_or(0),
        replicas: count("num-slaves").unwrap_or(0),
        quorum,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_agreement_it_is_said_who_said_what() {
        let says = |votes: &[(&str, usize)], all, last| {
            let votes = votes.iter().map(|(name, votes)| ((*name).to_owned(), *votes)).collect();
            said(&undecided(&votes, all, last))
        };
        assert_eq!(
            says(&[("a:1", 1)], 3, Some(Trouble::Closed)),
            "1 sentinel of 3 names a master, 2 must agree"
        );
        assert_eq!(says(&[("a:1", 1), ("b:2", 1)], 2, None), "the sentinels disagree: a:1 or b:2");
        let none = says(&[], 2, Some(Trouble::of_line("NOAUTH Authentication required.")));
        assert_eq!(none, "no sentinel of 2 names a master: a password is required (NOAUTH)");
        assert_eq!(says(&[], 1, Some(Trouble::TooLong)), said(&Trouble::TooLong));
    }
}
