//! What a cache must do, and how to find out whether it does.

#[cfg(test)]
#[expect(clippy::wildcard_enum_match_arm, reason = "a flaw concerns one thing")]
mod flaws;
mod flights;
mod leads;
mod plain;

use super::{
    super::{
        Bench, Case, Claim, Expiry, Needs, Scene, Token, Upset,
        case::{CLOCK, NO_PROXY, ONE_SERVER},
        fairly, scene, watched,
    },
    Cache, Fill, Fresh, Key, Lead,
};
use std::time::Duration;

const TTL: Duration = Duration::from_millis(300);
const LEASE: Duration = Duration::from_millis(150);
/// How long the slow thing behind the cache takes.
const LOAD: Duration = Duration::from_millis(40);
/// A lease that no load outlives, and a time to live that no case does.
const LONG: Duration = Duration::from_secs(2);

/// The cases, in the order to show them.
pub(crate) const CASES: &[Case<dyn Cache>] = &[
    Case {
        id: "C1",
        guarantee: "4 KiB of any bytes come back unchanged",
        remedy: NO_PROXY,
        needs: Needs::Nothing,
        run: |bench| Box::pin(plain::round_trip(bench)),
    },
    Case {
        id: "C2",
        guarantee: "a value known to be absent is not a missing one",
        remedy: ONE_SERVER,
        needs: Needs::Nothing,
        run: |bench| Box::pin(plain::absent(bench)),
    },
    Case {
        id: "C3",
        guarantee: "32 simultaneous misses cause one load",
        remedy: "make sure that all clients reach one master; a proxy that repeats commands breaks leases",
        needs: Needs::Nothing,
        run: |bench| Box::pin(flights::stampede(bench)),
    },
    Case {
        id: "C4",
        guarantee: "while one renews a stale value the others get it",
        remedy: ONE_SERVER,
        needs: Needs::QuickLink,
        run: |bench| Box::pin(fairly(bench.pace, flights::stale(bench))),
    },
    Case {
        id: "C5",
        guarantee: "a leader that never fills is succeeded",
        remedy: CLOCK,
        needs: Needs::QuickLink,
        run: |bench| Box::pin(fairly(bench.pace, flights::succeeded(bench))),
    },
    Case {
        id: "C6",
        guarantee: "a leader that comes too late is refused",
        remedy: ONE_SERVER,
        needs: Needs::QuickLink,
        run: |bench| Box::pin(leads::late_fill(bench)),
    },
    Case {
        id: "C7",
        guarantee: "a load under way does not undo an invalidation",
        remedy: ONE_SERVER,
        needs: Needs::Nothing,
        run: |bench| Box::pin(leads::invalidated(bench)),
    },
    Case {
        id: "C8",
        guarantee: "a failed load is not kept and blocks nobody",
        remedy: ONE_SERVER,
        needs: Needs::Nothing,
        run: |bench| Box::pin(flights::failed(bench)),
    },
    Case {
        id: "C9",
        guarantee: "dear values are renewed early, by their cost",
        remedy: ONE_SERVER,
        needs: Needs::Nothing,
        run: |_| Box::pin(async { leads::early() }),
    },
    Case {
        id: "C10",
        guarantee: "a value expires neither early nor late",
        remedy: CLOCK,
        needs: Needs::QuickLink,
        run: |bench| Box::pin(plain::expiry(bench)),
    },
    Case {
        id: "C11",
        guarantee: "there is room for what is new",
        remedy: "choose allkeys-lfu or allkeys-lru, or raise maxmemory",
        needs: Needs::Nothing,
        run: |bench| Box::pin(async { scene::of(bench.scene.as_deref(), Scene::makes_room) }),
    },
];

/// Takes the lead, which must be free, over a value with at most `within` left.
async fn lead(
    cache: &dyn Cache,
    key: &Key,
    within: Duration,
    lease: Duration,
) -> Result<Token, Upset> {
    let bid = cache.lead(key, within, lease).await?;
    if let Lead::Ours(token) = bid.lead {
        return Ok(token);
    }
    let claim = Claim {
        else_says: "nobody may load a missing value",
        asked: "ask for a lead that nobody has",
        wanted: "the lead",
    };
    Err(claim.fails(&bid))
}

/// A value that was dear to load, to be kept this long.
fn value(bytes: &[u8], keep: Duration) -> Fresh<'_> {
    Fresh { value: Some(bytes), cost: LOAD, keep }
}

/// Fills something in as the leader; its time to live begins.
async fn stored(bench: &Bench<dyn Cache>, key: &Key, fresh: Fresh<'_>) -> Result<Expiry, Upset> {
    let cache = &*bench.back_end;
    let token = lead(cache, key, Duration::ZERO, LONG).await?;
    let (fill, set) = watched(cache.fill(key, &token, fresh)).await?;
    let claim = Claim {
        else_says: "the leader's value was refused",
        asked: "fill in a value as its leader",
        wanted: "stored",
    };
    claim.holds(fill == Fill::Stored, &fill)?;
    Ok(Expiry { set, ttl: fresh.keep, slack: bench.pace.slack() })
}
