use super::{
    super::super::trouble::Trouble,
    Cache, Entry, Fresh, Key, Lead, Left, Token,
    refresh::{Haste, average},
};
use crate::probe::Backoff;
use std::{
    cmp,
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::OnceCell,
    time::{Instant, sleep},
};

/// How often a follower looks whether the leader is done.
const FIRST_LOOK: Duration = Duration::from_millis(5);
pub(super) const LAST_LOOK: Duration = Duration::from_millis(50);

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
                Ok(Sought::Wait(left)) => sleep(self.jittered(cmp::min(pause, left))).await,
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
        match load().await {
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

    /// Half to all of `pause`, so that followers do not look in step.
    fn jittered(&self, pause: Duration) -> Duration {
        cmp::max(pause.mul_f64(0.5 + (self.random)() / 2.0), Duration::from_millis(1))
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

#[cfg(test)]
mod tests {
    use super::{
        super::{super::super::keys::Keys, InProcess},
        *,
    };
    use std::cell::Cell;

    const LOAD: Duration = Duration::from_millis(100);
    const TERMS: Terms = Terms {
        ttl: Duration::from_secs(10),
        grace: Duration::from_secs(5),
        absent: Duration::from_secs(1),
        lease: Duration::from_secs(1),
        beta: 1.0,
    };

    /// What the next load brings.
    type Brings = Result<Option<&'static str>, &'static str>;

    /// What a reader sees who comes so many milliseconds later, with what the next load brings.
    async fn seen(random: fn() -> f64, steps: &[(u64, Brings)]) -> Vec<String> {
        let (key, loads) = (Keys::new("test").key("read"), Cell::new(0));
        let reader = ReadThrough::drawing(Arc::new(InProcess::default()), random);
        let mut seen = Vec::new();
        for (wait, brings) in steps {
            sleep(Duration::from_millis(*wait)).await;
            let load = || async {
                loads.set(loads.get() + 1);
                sleep(LOAD).await;
                brings.map(|value| value.map(Into::into)).map_err(Into::into)
            };
            seen.push(match reader.get(&key, TERMS, load).await {
                Ok(Got { value, state, trouble: None }) => {
                    let value = value.as_deref().map(String::from_utf8_lossy);
                    format!("{} {state:?} {}", value.as_deref().unwrap_or("-"), loads.get())
                }
                other => format!("{other:?} {}", loads.get()),
            });
        }
        seen
    }

    #[tokio::test(start_paused = true)]
    async fn a_value_is_good_then_renewed_then_gone() {
        // A draw of 1 is never early, and makes the time to live 11 s.
        let steps = [
            (0, Ok(Some("a"))),
            (10_999, Ok(Some("b"))),
            (2, Ok(Some("b"))),
            (16_001, Ok(Some("c"))),
        ];
        let expected = ["a Loaded 1", "a Good 1", "b Loaded 2", "c Loaded 3"];
        assert_eq!(seen(|| 1.0, &steps).await, expected);
    }

    #[tokio::test(start_paused = true)]
    async fn a_lucky_draw_renews_early_but_not_before_half_of_its_time() {
        // A draw of almost nothing makes the time to live 9 s, of which 5 s are the last half.
        let steps = [(0, Ok(Some("a"))), (3999, Ok(Some("b"))), (2, Ok(Some("b")))];
        assert_eq!(seen(|| 1e-99, &steps).await, ["a Loaded 1", "a Good 1", "b Loaded 2"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_load_is_not_kept_and_leaves_what_is_there() {
        let bad = || Err("down");
        let steps = [(0, bad()), (0, Ok(Some("a"))), (11_001, bad()), (0, Ok(Some("b")))];
        let expected = ["Err(Load(\"down\")) 1", "a Loaded 2", "a Stale 3", "b Loaded 4"];
        assert_eq!(seen(|| 1.0, &steps).await, expected);
    }

    #[tokio::test(start_paused = true)]
    async fn that_there_is_none_is_remembered_for_its_own_time() {
        let steps = [(0, Ok(None)), (999, Ok(Some("a"))), (1, Ok(Some("a")))];
        assert_eq!(seen(|| 1.0, &steps).await, ["- Loaded 1", "- Good 1", "a Loaded 2"]);
    }
}
