use super::{
    super::super::trouble::{Step, Trouble},
    Cache, Key, Look,
};
use crate::probe::{Backoff, ProbeError};
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
const LAST_LOOK: Duration = Duration::from_millis(50);

/// One process's way to a cache: readers of the same missing value share one
/// flight to it, and flights of several processes share one load.
pub(super) struct ReadThrough {
    cache: Arc<dyn Cache>,
    flights: Mutex<HashMap<String, Flight>>,
}

/// How a flight ends, for everybody aboard.
type Landing = Result<Arc<[u8]>, Trouble>;
type Flight = Arc<OnceCell<Landing>>;

/// How long things may take and last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    /// How long a value is kept.
    pub(super) ttl: Duration,
    /// How long loading may take before somebody else takes the lead.
    pub(super) lease: Duration,
}

impl ReadThrough {
    pub(super) fn new(cache: Arc<dyn Cache>) -> Self {
        Self { cache, flights: Mutex::default() }
    }

    /// The value of `key`, which `load` brings if nobody has it.
    ///
    /// Gives up after twice the lease. Readers of one flight share its error too;
    /// when the one that flies is dropped, another takes over.
    pub(super) async fn get<L, F>(&self, key: &Key, terms: Terms, load: L) -> Landing
    where
        L: Fn() -> F,
        F: Future<Output = Vec<u8>>,
    {
        let flight = self.board(key);
        let landing = flight.get_or_init(|| self.fly(key, terms, &load)).await.clone();
        self.land(key, &flight);
        landing
    }

    async fn fly<L, F>(&self, key: &Key, terms: Terms, load: &L) -> Landing
    where
        L: Fn() -> F,
        F: Future<Output = Vec<u8>>,
    {
        let patience = terms.lease * 2;
        let deadline = Instant::now() + patience;
        let pauses = Backoff::new(FIRST_LOOK, LAST_LOOK);
        for pause in pauses.map_err(|bad| Trouble::Reach(ProbeError::Local(bad.to_string())))? {
            match self.cache.look(key, terms.lease).await? {
                Look::Hit(value) => return Ok(value.into()),
                Look::Lead(token) => {
                    let value = load().await;
                    // Refused or stored: what was loaded is right for who asked for it.
                    self.cache.fill(key, &token, &value, terms.ttl).await?;
                    return Ok(value.into());
                }
                Look::Wait(left) => sleep(jittered(cmp::min(pause, left))).await,
            }
            if Instant::now() >= deadline {
                break;
            }
        }
        Err(Trouble::Late { step: Step::Answer, after: patience })
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

/// Half to all of `pause`, so that followers do not look in step.
fn jittered(pause: Duration) -> Duration {
    cmp::max(pause.mul_f64(0.5 + fastrand::f64() / 2.0), Duration::from_millis(1))
}
