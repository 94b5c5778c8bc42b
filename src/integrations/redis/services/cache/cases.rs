//! What a cache must do, and how to find out whether it does.

use super::{
    super::{Bench, Case, Claim, Expiry, Held, Needs, Token, Upset, watched},
    Cache, Fill, Key, Look,
    read_through::{ReadThrough, Terms},
};
use crate::units;
use futures_util::future::join_all;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::time::{Instant, sleep, sleep_until};

const TTL: Duration = Duration::from_millis(300);
const LEASE: Duration = Duration::from_millis(150);
/// How long the slow thing behind the cache takes.
const LOAD: Duration = Duration::from_millis(40);
/// A lease that no load outlives.
const LONG_LEASE: Duration = Duration::from_secs(2);
/// Readers that find nothing at the same time, half in each of two processes.
const READERS: usize = 32;
/// Followers look every 50 ms at worst, and then have to be told.
const FOLLOWERS: Duration = Duration::from_millis(100);

/// The cases, in the order to show them.
pub(crate) const CASES: &[Case<dyn Cache>] = &[
    Case {
        id: "C1",
        guarantee: "4 KiB of any bytes come back unchanged",
        needs: Needs::Nothing,
        run: |bench| Box::pin(round_trip(bench)),
    },
    Case {
        id: "C3",
        guarantee: "32 simultaneous misses cause one load",
        needs: Needs::Nothing,
        run: |bench| Box::pin(stampede(bench)),
    },
    Case {
        id: "C6",
        guarantee: "a leader that comes too late is refused",
        needs: Needs::QuickLink,
        run: |bench| Box::pin(late_fill(bench)),
    },
    Case {
        id: "C10",
        guarantee: "a value expires neither early nor late",
        needs: Needs::QuickLink,
        run: |bench| Box::pin(expiry(bench)),
    },
];

/// Every byte there is, line ends, a NUL and UTF-8, sixteen times over.
fn awkward() -> Vec<u8> {
    let every = (0..=u8::MAX).collect::<Vec<u8>>();
    let mut bytes = every.repeat(16);
    let text = "\r\n\0$-1\r\n*3 grüße, 你好 \u{202e}";
    bytes[..text.len()].copy_from_slice(text.as_bytes());
    bytes
}

async fn lead(cache: &dyn Cache, key: &Key, lease: Duration) -> Result<Token, Upset> {
    let found = cache.look(key, lease).await?;
    if let Look::Lead(token) = found {
        return Ok(token);
    }
    let claim = Claim {
        else_says: "nobody may load a missing value",
        asked: "look for a value that nobody loads",
        wanted: "nothing, and the lead",
    };
    Err(claim.fails(&found))
}

/// Fills a value in as the leader; its time to live begins.
async fn stored(
    bench: &Bench<dyn Cache>,
    key: &Key,
    value: &[u8],
    ttl: Duration,
) -> Result<Expiry, Upset> {
    let cache = &*bench.back_end;
    let token = lead(cache, key, LONG_LEASE).await?;
    let (fill, set) = watched(cache.fill(key, &token, value, ttl)).await?;
    let claim = Claim {
        else_says: "the leader's value was refused",
        asked: "fill in a value as its leader",
        wanted: "stored",
    };
    claim.holds(fill == Fill::Stored, &fill)?;
    Ok(Expiry { set, ttl, slack: bench.pace.slack() })
}

async fn round_trip(bench: &Bench<dyn Cache>) -> Result<Held, Upset> {
    let (cache, key) = (&*bench.back_end, bench.keys.key("c1"));
    let value = awkward();
    let expiry = stored(bench, &key, &value, bench.pace.ttl(TTL)).await?;
    let (found, seen) = watched(cache.look(&key, LEASE)).await?;
    let Look::Hit(bytes) = &found else { return Err(expiry.missing(seen)) };
    let claim = Claim {
        else_says: "the bytes came back changed",
        asked: "read back 4 KiB of any bytes",
        wanted: "the same bytes",
    };
    let differs = bytes.iter().zip(&value).position(|(got, sent)| got != sent);
    claim.holds(*bytes == value, &(found, "first difference at", differs))?;
    let (left, seen) = watched(cache.left(&key)).await?;
    expiry.fits(seen, left)?;
    Ok(Held::saw(format!("4 KiB unchanged, read in {}", units::span(seen.to - seen.from))))
}

async fn stampede(bench: &Bench<dyn Cache>) -> Result<Held, Upset> {
    let (key, loads) = (bench.keys.key("c3"), AtomicUsize::new(0));
    let processes = [0, 1].map(|_| ReadThrough::new(Arc::clone(&bench.back_end)));
    let terms = Terms { ttl: LONG_LEASE, lease: LONG_LEASE };
    let load = || async {
        loads.fetch_add(1, Relaxed);
        sleep(LOAD).await;
        b"loaded".to_vec()
    };
    let began = Instant::now();
    let readers = (0..READERS).map(|reader| processes[reader % 2].get(&key, terms, load));
    let values = join_all(readers).await.into_iter().collect::<Result<Vec<_>, _>>()?;
    let took = began.elapsed();
    let loads = loads.load(Relaxed);
    let once = Claim {
        else_says: "a missing value was loaded more than once",
        asked: "32 readers in 2 processes miss one value",
        wanted: "1 load",
    };
    once.holds(loads == 1, &format_args!("{loads} loads"))?;
    let same = Claim { else_says: "readers of one value got several", wanted: "1 value", ..once };
    same.holds(values.iter().all(|value| **value == *b"loaded"), &values)?;
    let allowed = LOAD + FOLLOWERS + bench.pace.slack();
    let told = format!("{READERS} misses, 1 load, slowest {}", units::span(took));
    let slow = (took > allowed).then(|| format!("{told}, limit {}", units::span(allowed)));
    Ok(Held { saw: told, slow })
}

async fn late_fill(bench: &Bench<dyn Cache>) -> Result<Held, Upset> {
    let (cache, key) = (&*bench.back_end, bench.keys.key("c6"));
    let lease = bench.pace.ttl(LEASE);
    let (slow, set) = watched(lead(cache, &key, lease)).await?;
    Expiry { set, ttl: lease, slack: bench.pace.slack() }.over().await;
    stored(bench, &key, b"newer", LONG_LEASE).await?;
    let fill = cache.fill(&key, &slow, b"older", LONG_LEASE).await?;
    let claim = Claim {
        else_says: "a late leader overwrote a newer value",
        asked: "fill in a value after the lease is over",
        wanted: "refused, and the newer value unchanged",
    };
    claim.holds(fill == Fill::Refused, &fill)?;
    let found = cache.look(&key, LEASE).await?;
    claim.holds(found == Look::Hit(b"newer".to_vec()), &found)?;
    Ok(Held::saw(format!("refused after a lease of {}", units::span(lease))))
}

async fn expiry(bench: &Bench<dyn Cache>) -> Result<Held, Upset> {
    let (cache, key) = (&*bench.back_end, bench.keys.key("c10"));
    let expiry = stored(bench, &key, b"short", bench.pace.ttl(TTL)).await?;
    let there = |found: &Look| matches!(found, Look::Hit(_));
    expiry.nearly().await;
    let (found, seen) = watched(cache.look(&key, LEASE)).await?;
    expiry.there(seen, there(&found))?;
    sleep_until(expiry.latest()).await;
    let (found, seen) = watched(cache.look(&key, LEASE)).await?;
    expiry.gone(seen, there(&found))?;
    let (ttl, slack) = (units::span(expiry.ttl), units::span(expiry.slack));
    Ok(Held::saw(format!("there before {ttl}, gone {slack} after")))
}

#[cfg(test)]
#[expect(clippy::wildcard_enum_match_arm, reason = "a flaw concerns one thing")]
mod tests {
    use super::{
        super::{
            super::{super::trouble::Trouble, Answer, Left, Shelf, case::endings},
            InProcess,
        },
        *,
    };

    /// What a broken cache may get wrong.
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Flaw {
        ChangesBytes,
        CutsAtNul,
        LosesExpiry,
        LetsAllLead,
        LetsNobodyLead,
        RefusesItsLeader,
        TakesLateFills,
        ExpiresEarly,
        ExpiresLate,
        Forgets,
        Stalls,
    }

    #[derive(Default)]
    struct Flawed(InProcess, Option<Flaw>);

    impl Flawed {
        fn has(&self, flaw: Flaw) -> bool {
            self.1 == Some(flaw)
        }

        async fn found(&self, key: &Key, lease: Duration) -> Result<Look, Trouble> {
            if self.has(Flaw::Stalls) {
                sleep(Duration::from_millis(120)).await;
            }
            if self.has(Flaw::Forgets) {
                self.0.shelves().values = Shelf::default();
            }
            Ok(match self.0.look(key, lease).await? {
                Look::Hit(value) if self.has(Flaw::ChangesBytes) => {
                    Look::Hit(String::from_utf8_lossy(&value).into_owned().into_bytes())
                }
                Look::Hit(value) if self.has(Flaw::CutsAtNul) => {
                    Look::Hit(value.split(|byte| *byte == 0).next().unwrap().into())
                }
                Look::Wait(_) if self.has(Flaw::LetsAllLead) => Look::Lead(Token::new()?),
                Look::Lead(_) if self.has(Flaw::LetsNobodyLead) => Look::Wait(lease),
                found => found,
            })
        }
    }

    impl Cache for Flawed {
        fn look<'a>(&'a self, key: &'a Key, lease: Duration) -> Answer<'a, Look> {
            Box::pin(self.found(key, lease))
        }

        fn fill<'a>(
            &'a self,
            key: &'a Key,
            lead: &'a Token,
            value: &'a [u8],
            ttl: Duration,
        ) -> Answer<'a, Fill> {
            Box::pin(async move {
                let ttl = match self.1 {
                    Some(Flaw::ExpiresEarly) => ttl / 2,
                    Some(Flaw::ExpiresLate) => ttl * 2,
                    _ => ttl,
                };
                if self.has(Flaw::RefusesItsLeader) {
                    return Ok(Fill::Refused);
                }
                match self.0.fill(key, lead, value, ttl).await? {
                    Fill::Refused if self.has(Flaw::TakesLateFills) => {
                        self.0.shelves().values.put(key.as_str(), value.into(), ttl);
                        Ok(Fill::Stored)
                    }
                    fill => Ok(fill),
                }
            })
        }

        fn left<'a>(&'a self, key: &'a Key) -> Answer<'a, Left> {
            Box::pin(async move {
                if self.has(Flaw::LosesExpiry) { Ok(Left::Forever) } else { self.0.left(key).await }
            })
        }
    }

    async fn broken(flaw: Option<Flaw>) -> Vec<(&'static str, &'static str)> {
        let mut ended = endings(CASES, Arc::new(Flawed(InProcess::default(), flaw))).await;
        ended.retain(|(_, word)| *word != "held");
        ended
    }

    #[tokio::test(start_paused = true)]
    async fn the_stand_in_keeps_every_promise() {
        let ended = endings(CASES, Arc::new(InProcess::default())).await;
        let held = ["C1", "C3", "C6", "C10"].map(|id| (id, "held"));
        assert_eq!(ended, held);
        assert_eq!(broken(None).await, []);
    }

    #[tokio::test(start_paused = true)]
    async fn every_flaw_is_noticed() {
        let cases = [
            (Flaw::ChangesBytes, "C1"),
            (Flaw::CutsAtNul, "C1"),
            (Flaw::LosesExpiry, "C1"),
            (Flaw::LetsAllLead, "C3"),
            (Flaw::LetsNobodyLead, "C1"),
            (Flaw::RefusesItsLeader, "C1"),
            (Flaw::TakesLateFills, "C6"),
            (Flaw::ExpiresEarly, "C10"),
            (Flaw::ExpiresLate, "C10"),
            (Flaw::Forgets, "C1"),
        ];
        for (flaw, id) in cases {
            let broken = broken(Some(flaw)).await;
            assert!(broken.contains(&(id, "broken")), "{flaw:?}: {broken:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_stall_of_ours_is_never_a_broken_promise() {
        let ended = broken(Some(Flaw::Stalls)).await;
        assert_eq!(ended, [("C10", "missed")]);
    }
}
