#[cfg(test)]
mod tests;

use super::{
    super::super::trouble::Trouble,
    Cache, Entry, Fresh, Key, Lead, Left, Token,
    refresh::{Haste, average},
};
use crate::probe::Backoff;
use std::{
    collections::HashMap,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::OnceCell,
    time::{Instant, sleep, timeout},
};

/// How often a follower looks whether the leader is done.
const FIRST_LOOK: Duration = Duration::from_millis(20);
pub(super) const LAST_LOOK: Duration = Duration::from_millis(50);
/// What rounding to milliseconds may hide of a lease.
const GRAIN: Duration = Duration::from_millis(1);
/// How often a lead is prolonged: after each third of its lease, ten leases in all.
const MOST_RENEWALS: u32 = 30;

/// One process's way to a cache: readers of the same value share one flight to
/// it, and flights of several processes share one load.
///
/// A value past its time is still given out during its grace, to all but the one
/// who loads it anew. A cache in trouble costs its protection and no reader's value.
pub(super) struct ReadThrough {
    cache: Arc<dyn Cache>,
    /// Draws evenly, from above 0 to 1.
    random: fn() -> f64,
    flights: Mutex<HashMap<String, Flight>>,
}

/// How a flight ends, for everybody aboard.
type Landing = Result<Got, Missed>;
type Flight = Arc<OnceCell<Landing>>;

/// How long things may take and last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    /// How long a value is good, a tenth more or less.
    pub(super) ttl: Duration,
    /// How long it may be given out after that, while somebody loads it anew.
    pub(super) grace: Duration,
    /// How long it is remembered that there is no value.
    pub(super) absent: Duration,
    /// How long loading may take before somebody else takes the lead.
    pub(super) lease: Duration,
    /// How early a value is loaded anew; 1 is right for most, 0 is never early.
    pub(super) beta: f64,
}

/// What a reader got.
#[derive(Clone, Debug)]
pub(super) struct Got {
    /// The value, or that there is none.
    pub(super) value: Option<Arc<[u8]>>,
    pub(super) state: State,
    /// What kept the cache from doing its part.
    pub(super) trouble: Option<Trouble>,
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// From the cache, and good.
    Good,
    /// From the cache, past its time.
    Stale,
    /// Loaded.
    Loaded,
}

/// Why a reader got nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Missed {
    /// Loading failed, for this reason.
    Load(String),
    /// Somebody else had the lead for this long and brought nothing.
    Unled(Duration),
    /// This process is at fault.
    Ours(String),
}

/// How loading ends: with a value, with none, or badly.
pub(super) type Loaded = Result<Option<Vec<u8>>, String>;

/// What looking for a value came to.
enum Sought {
    Have(Got),
    /// Stale or soon to be, and ours to load anew.
    Renew(Got, Renewal),
    /// Missing, and ours to load.
    Load(Token),
    /// Missing, and somebody else's to load for this long.
    Wait(Duration),
}

/// A load by the leader.
struct Renewal {
    token: Token,
    /// What loading took before.
    cost: Duration,
}

impl Terms {
    /// How long an entry is still good.
    fn good_for(self, entry: &Entry) -> Duration {
        let Left::For(left) = entry.left else { return Duration::ZERO };
        // That there is no value has no grace.
        let grace = if entry.value.is_some() { self.grace } else { Duration::ZERO };
        left.saturating_sub(grace)
    }

    fn got(self, entry: &Entry) -> Got {
        let good = !self.good_for(entry).is_zero();
        let state = if good { State::Good } else { State::Stale };
        Got { value: entry.value.as_deref().map(Into::into), state, trouble: None }
    }
}

impl ReadThrough {
    pub(super) fn new(cache: Arc<dyn Cache>) -> Self {
        Self::drawing(cache, || 1.0 - fastrand::f64())
    }

    /// The same with another source of randomness.
    pub(super) fn drawing(cache: Arc<dyn Cache>, random: fn() -> f64) -> Self {
        Self { cache, random, flights: Mutex::default() }
    }

    /// The value of `key`, which `load` brings if nobody has it.
    ///
    /// Gives up after twice the lease. Readers of one flight share its error too;
    /// when the one that flies is dropped, another takes over.
    pub(super) async fn get<L, F>(&self, key: &Key, terms: Terms, load: L) -> Landing
    where
        L: Fn() -> F,
        F: Future<Output = Loaded>,
    {
        let (flight, mut renewal) = (self.board(key), None);
        let flying = async {
            let (landing, ours) = self.fly(key, terms, &load).await;
            renewal = ours;
            landing
        };
        let landing = flight.get_or_init(|| flying).await.clone();
        self.land(key, &flight);
        let Some(Renewal { token, cost }) = renewal else { return landing };
        // The others are served already. If loading fails, so are we.
        match self.fill(key, terms, (&token, Some(cost)), &load).await {
            Err(_) => landing,
            renewed => renewed,
        }
    }

    async fn fly<L, F>(&self, key: &Key, terms: Terms, load: &L) -> (Landing, Option<Renewal>)
    where
        L: Fn() -> F,
        F: Future<Output = Loaded>,
    {
        let (began, patience) = (Instant::now(), terms.lease * 2);
        let pauses = match Backoff::new(FIRST_LOOK, LAST_LOOK) {
            Ok(pauses) => pauses,
            Err(bad) => return (Err(Missed::Ours(bad.to_string())), None),
        };
        let mut sought = self.seek(key, terms).await;
        for pause in pauses {
            match sought {
                Err(trouble) => return (uncached(trouble, load).await, None),
                Ok(Sought::Have(got)) => return (Ok(got), None),
                Ok(Sought::Renew(got, renewal)) => return (Ok(got), Some(renewal)),
                Ok(Sought::Load(token)) => {
                    return (self.fill(key, terms, (&token, None), load).await, None);
                }
                // The last wait before a lease is over is not cut into ever smaller ones.
                Ok(Sought::Wait(left)) if left < pause => sleep(left + GRAIN).await,
                Ok(Sought::Wait(_)) => sleep(self.jittered(pause)).await,
            }
            if began.elapsed() >= patience {
                break;
            }
            sought = self.bid(key, terms, None).await;
        }
        (Err(Missed::Unled(patience)), None)
    }

    /// Looks, and asks for the lead where there is something to load.
    async fn seek(&self, key: &Key, terms: Terms) -> Result<Sought, Trouble> {
        let seen = self.cache.look(key).await?;
        if let Some(entry) = &seen {
            let (good, most) = (terms.good_for(entry), terms.ttl / 2);
            let haste = Haste { cost: entry.cost, beta: terms.beta, most };
            if !good.is_zero() && !haste.is_due(good, (self.random)()) {
                return Ok(Sought::Have(terms.got(entry)));
            }
        }
        self.bid(key, terms, seen).await
    }

    /// Asks for the lead, to load what was `seen` anew.
    async fn bid(&self, key: &Key, terms: Terms, seen: Option<Entry>) -> Result<Sought, Trouble> {
        let within = match seen.as_ref().map(|entry| entry.left) {
            Some(Left::For(left)) => left,
            Some(Left::Forever | Left::Absent) | None => Duration::ZERO,
        };
        let bid = match (self.cache.lead(key, within, terms.lease).await, seen) {
            (Ok(bid), _) => bid,
            // What we have seen will do.
            (Err(trouble), Some(entry)) => {
                return Ok(Sought::Have(Got { trouble: Some(trouble), ..terms.got(&entry) }));
            }
            (Err(trouble), None) => return Err(trouble),
        };
        Ok(match (bid.lead, bid.entry) {
            (Lead::Ours(token), Some(entry)) => {
                Sought::Renew(terms.got(&entry), Renewal { token, cost: entry.cost })
            }
            (Lead::Ours(token), None) => Sought::Load(token),
            (Lead::Others(_) | Lead::Needless, Some(entry)) => Sought::Have(terms.got(&entry)),
            (Lead::Others(left), None) => Sought::Wait(left),
            (Lead::Needless, None) => Sought::Wait(Duration::ZERO),
        })
    }

    /// Loads as the leader, who may know what it took before.
    async fn fill<L, F>(
        &self,
        key: &Key,
        terms: Terms,
        (token, before): (&Token, Option<Duration>),
        load: &L,
    ) -> Landing
    where
        L: Fn() -> F,
        F: Future<Output = Loaded>,
    {
        let began = Instant::now();
        match self.led(key, terms, token, load()).await {
            Ok(value) => {
                let cost = average(before, began.elapsed());
                let keep = match &value {
                    Some(_) => terms.ttl.mul_f64(0.9 + (self.random)() / 5.0) + terms.grace,
                    None => terms.absent,
                };
                let fresh = Fresh { value: value.as_deref(), cost, keep };
                // Refused or stored: what was loaded is right for who asked for it.
                let trouble = self.cache.fill(key, token, fresh).await.err();
                Ok(Got { value: value.map(Into::into), state: State::Loaded, trouble })
            }
            Err(reason) => {
                // Nothing is kept, and the next one may try at once; if this does
                // not get through, when the lease is over.
                drop(self.cache.give_up(key, token).await);
                Err(Missed::Load(reason))
            }
        }
    }

    /// Waits for a load, and keeps the lead meanwhile: a leader that is slow and at
    /// work must not be joined by a second one. One that hangs loses it in the end.
    async fn led(
        &self,
        key: &Key,
        terms: Terms,
        token: &Token,
        load: impl Future<Output = Loaded>,
    ) -> Loaded {
        let mut load = pin!(load);
        for _ in 0..MOST_RENEWALS {
            if let Ok(loaded) = timeout(terms.lease / 3, &mut load).await {
                return loaded;
            }
            // Without an answer the lead may still be ours; if it is another's, no more is asked.
            if let Ok(false) = self.cache.prolong(key, token, terms.lease).await {
                break;
            }
        }
        load.await
    }

    /// Half to all of `pause`, so that followers do not look in step.
    fn jittered(&self, pause: Duration) -> Duration {
        pause.mul_f64(0.5 + (self.random)() / 2.0)
    }

    fn board(&self, key: &Key) -> Flight {
        let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(flights.entry(key.as_str().to_owned()).or_default())
    }

    fn land(&self, key: &Key, flight: &Flight) {
        let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        if flights.get(key.as_str()).is_some_and(|current| Arc::ptr_eq(current, flight)) {
            flights.remove(key.as_str());
        }
    }
}

/// Loads past a cache that is in trouble.
async fn uncached<L, F>(trouble: Trouble, load: &L) -> Landing
where
    L: Fn() -> F,
    F: Future<Output = Loaded>,
{
    let value = load().await.map_err(Missed::Load)?.map(Into::into);
    Ok(Got { value, state: State::Loaded, trouble: Some(trouble) })
}
