//! What many readers at once cost, when all goes well and when it does not.

use super::{
    super::{
        super::{Bench, Claim, Expiry, Held, Upset, watched},
        Cache, Lead,
        read_through::{Got, LAST_LOOK, Loaded, Missed, ReadThrough, State, Terms},
    },
    LEASE, LOAD, LONG, lead, stored, value,
};
use crate::units;
use futures_util::future::join_all;
use std::{
    cmp,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::time::{Instant, sleep, sleep_until};

/// Readers that find nothing at the same time, half in each of two processes.
const READERS: usize = 32;
/// Readers that find a stale value at the same time, half in each of two processes.
const STALE_READERS: usize = 16;
/// Followers look every 50 ms at worst, and then have to be told.
const FOLLOWERS: Duration = Duration::from_millis(100);

const TERMS: Terms = Terms { ttl: LONG, grace: LONG, absent: LONG, lease: LONG, beta: 1.0 };

/// A slow thing behind the cache, which counts.
#[derive(Default)]
struct Slow {
    loads: AtomicUsize,
}

impl Slow {
    async fn load(&self) -> Loaded {
        self.loads.fetch_add(1, Relaxed);
        sleep(LOAD).await;
        Ok(Some(b"loaded".to_vec()))
    }

    /// It must have been asked once.
    fn once(&self, asked: &'static str) -> Result<(), Upset> {
        let claim =
            Claim { else_says: "a value was loaded more than once", asked, wanted: "1 load" };
        let loads = self.loads.load(Relaxed);
        claim.holds(loads == 1, &format_args!("{loads} loads"))
    }
}

/// What a reader got from a cache that did its part.
fn got(landing: Result<Got, Missed>, asked: &'static str) -> Result<Got, Upset> {
    match landing {
        Ok(Got { trouble: Some(trouble), .. }) => Err(trouble.into()),
        Ok(got) => Ok(got),
        Err(missed) => {
            let claim =
                Claim { else_says: "a reader was left without a value", asked, wanted: "a value" };
            Err(claim.fails(&missed))
        }
    }
}

fn two_processes(bench: &Bench<dyn Cache>) -> [ReadThrough; 2] {
    [0, 1].map(|_| ReadThrough::new(Arc::clone(&bench.back_end)))
}

pub(super) async fn stampede(bench: &Bench<dyn Cache>) -> Result<Held, Upset> {
    const ASKED: &str = "32 readers in 2 processes miss one value";
    let (key, slow, processes) = (bench.keys.key("c3"), Slow::default(), two_processes(bench));
    let began = Instant::now();
    // Few enough for all of a process to be on their way before the first one lands.
    let readers = processes.each_ref().map(|process| {
        join_all((0..READERS / 2).map(|_| process.get(&key, TERMS, || slow.load())))
    });
    let all = join_all(readers).await.into_iter().flatten().map(|landing| got(landing, ASKED));
    let values = all.collect::<Result<Vec<_>, _>>()?;
    let took = began.elapsed();
    slow.once(ASKED)?;
    let same =
        Claim { else_says: "readers of one value got several", asked: ASKED, wanted: "1 value" };
    same.holds(values.iter().all(|got| got.value.as_deref() == Some(b"loaded")), &values)?;
    let allowed = LOAD + FOLLOWERS + bench.pace.slack();
    let told = format!("{READERS} misses, 1 load, slowest {}", units::span(took));
    let slow = (took > allowed).then(|| format!("{told}, limit {}", units::span(allowed)));
    Ok(Held::saw(told).but_slow(slow))
}

pub(super) async fn stale(bench: &Bench<dyn Cache>) -> Result<Held, Upset> {
    const ASKED: &str = "16 readers in 2 processes find a stale value";
    let (key, slow, processes) = (bench.keys.key("c4"), Slow::default(), two_processes(bench));
    // As long as its grace: it is past its time from the beginning.
    stored(bench, &key, value(b"old", LONG)).await?;
    let began = Instant::now();
    let readers = (0..STALE_READERS).map(|reader| {
        let process = &processes[reader % 2];
        let (key, slow) = (&key, &slow);
        async move { (process.get(key, TERMS, || slow.load()).await, began.elapsed()) }
    });
    let all = join_all(readers).await.into_iter();
    let all = all.map(|(landing, took)| Ok((got(landing, ASKED)?, took)));
    let (renewed, stale): (Vec<_>, Vec<_>) = all
        .collect::<Result<Vec<_>, Upset>>()?
        .into_iter()
        .partition(|(got, _)| got.state == State::Loaded);
    slow.once(ASKED)?;
    let claim = Claim {
        else_says: "a stale value was not given out",
        asked: ASKED,
        wanted: "1 loads, 15 get the old value at once",
    };
    let old = stale.iter().all(|(got, _)| got.value.as_deref() == Some(b"old"));
    claim
        .holds(old && (renewed.len(), stale.len()) == (1, STALE_READERS - 1), &(renewed, &stale))?;
    let slowest = stale.iter().map(|(_, took)| *took).max().unwrap_or_default();
    let (told, limit) = (units::span(slowest), bench.pace.slack());
    let slow =
        (slowest > limit).then(|| format!("stale only after {told}, limit {}", units::span(limit)));
    Ok(Held::saw(format!("15 of 16 got the old value within {told}, 1 load")).but_slow(slow))
}

pub(super) async fn succeeded(bench: &Bench<dyn Cache>) -> Result<Held, Upset> {
    const ASKED: &str = "read a value whose leader is gone";
    let (key, slow, [process, _]) = (bench.keys.key("c5"), Slow::default(), two_processes(bench));
    let lease = cmp::max(LEASE, bench.pace.slack() * 3);
    let (_gone, set) = watched(lead(&*bench.back_end, &key, Duration::ZERO, lease)).await?;
    // Who comes late has to wait as well, and asks less often until then.
    sleep_until(set.from + lease * 2 / 3).await;
    got(process.get(&key, Terms { lease, ..TERMS }, || slow.load()).await, ASKED)?;
    let waited = set.from.elapsed().saturating_sub(LOAD);
    slow.once(ASKED)?;
    let expiry = Expiry { set, ttl: lease, slack: bench.pace.slack() };
    let claim = Claim {
        else_says: "a lead was taken from a leader in time",
        asked: ASKED,
        wanted: "no load before the lease is over",
    };
    let early = Instant::now() < expiry.earliest() + LOAD;
    claim.holds(!early, &format_args!("loaded after {waited:.0?}"))?;
    let told = format!("succeeded after {} of {}", units::span(waited), units::span(lease));
    let slow = (waited > lease + LAST_LOOK + expiry.slack).then(|| told.clone());
    Ok(Held::saw(told).but_slow(slow))
}

pub(super) async fn failed(bench: &Bench<dyn Cache>) -> Result<Held, Upset> {
    let (key, [process, _]) = (bench.keys.key("c8"), two_processes(bench));
    let landing = process.get(&key, TERMS, || async { Err("down".to_owned()) }).await;
    let claim = Claim {
        else_says: "a failed load left something behind",
        asked: "load badly, then ask for the lead",
        wanted: "the error, nothing kept, the lead free",
    };
    claim.holds(matches!(landing, Err(Missed::Load(_))), &landing)?;
    let next = bench.back_end.lead(&key, Duration::ZERO, LONG).await?;
    claim.holds(next.entry.is_none() && matches!(next.lead, Lead::Ours(_)), &next)?;
    Ok(Held::saw("nothing kept, the next reader may load at once"))
}
