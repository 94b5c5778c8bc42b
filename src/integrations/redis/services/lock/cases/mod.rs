//! What a lock must do, and how to find out whether it does.

mod basics;
#[cfg(test)]
#[expect(clippy::wildcard_enum_match_arm, reason = "a flaw concerns one thing")]
mod flaws;
mod kept;
mod shared;

use super::{
    super::{
        Bench, Case, Claim, Expiry, Needs, Scene, Token, Upset,
        case::{CLOCK, KEEP_ALL, ONE_SERVER, SLEW},
        fairly, scene, watched,
    },
    Acquired, Key, Lock,
    hold::{Hold, Taken, Terms},
};
use std::time::Duration;

const TTL: Duration = Duration::from_millis(450);
/// Long enough for every step of a case, however slow the link.
const LONG: Duration = Duration::from_secs(20);
/// How many want a free lock at the same moment.
const RIVALS: usize = 3;

/// The cases, in the order to show them.
pub(crate) const CASES: &[Case<dyn Lock>] = &[
    Case {
        id: "L1",
        guarantee: "a free lock is held for the time asked",
        remedy: ONE_SERVER,
        needs: Needs::Nothing,
        run: |bench| Box::pin(basics::held(bench)),
    },
    Case {
        id: "L2",
        guarantee: "nobody but the holder gets, extends or frees it",
        remedy: ONE_SERVER,
        needs: Needs::Nothing,
        run: |bench| Box::pin(basics::exclusive(bench)),
    },
    Case {
        id: "L3",
        guarantee: "a lock that is kept outlives its time, held by one",
        remedy: CLOCK,
        needs: Needs::QuickLink,
        run: |bench| Box::pin(fairly(bench.pace, kept::kept(bench))),
    },
    Case {
        id: "L4",
        guarantee: "a released lock is free, the next fence higher",
        remedy: ONE_SERVER,
        needs: Needs::Nothing,
        run: |bench| Box::pin(basics::released(bench)),
    },
    Case {
        id: "L5",
        guarantee: "a lock whose holder is gone frees itself",
        remedy: CLOCK,
        needs: Needs::QuickLink,
        run: |bench| Box::pin(fairly(bench.pace, kept::abandoned(bench))),
    },
    Case {
        id: "L6",
        guarantee: "a holder whose lock is another's is told",
        remedy: ONE_SERVER,
        needs: Needs::QuickLink,
        run: |bench| Box::pin(fairly(bench.pace, kept::taken_away(bench))),
    },
    Case {
        id: "L7",
        guarantee: "a holder that slept too long knows before it asks",
        remedy: ONE_SERVER,
        needs: Needs::QuickLink,
        run: |bench| Box::pin(fairly(bench.pace, kept::overslept(bench))),
    },
    Case {
        id: "L8",
        guarantee: "a write under an old fence is refused",
        remedy: ONE_SERVER,
        needs: Needs::Nothing,
        run: |bench| Box::pin(basics::fenced(bench)),
    },
    Case {
        id: "L9",
        guarantee: "no two of 3 are ever inside",
        remedy: ONE_SERVER,
        needs: Needs::Nothing,
        run: |bench| Box::pin(shared::counted(bench)),
    },
    Case {
        id: "L10",
        guarantee: "a repeated acquisition is the same one",
        remedy: ONE_SERVER,
        needs: Needs::Nothing,
        run: |bench| Box::pin(basics::repeated(bench)),
    },
    Case {
        id: "L11",
        guarantee: "who is stopped while taking it does not keep it",
        remedy: ONE_SERVER,
        needs: Needs::Nothing,
        run: |bench| Box::pin(fairly(bench.pace, shared::dropped(bench))),
    },
    Case {
        id: "L13",
        guarantee: "no lock is pushed out",
        remedy: KEEP_ALL,
        needs: Needs::Nothing,
        run: |bench| {
            Box::pin(async { scene::of(bench.scene.as_deref(), |scene| scene.keeps("locks")) })
        },
    },
    Case {
        id: "L14",
        guarantee: "no lock ends by a step of the clock",
        remedy: SLEW,
        needs: Needs::Nothing,
        run: |bench| Box::pin(async { scene::of(bench.scene.as_deref(), Scene::runs_steadily) }),
    },
];

const NOT_GIVEN: Claim = Claim {
    else_says: "a free lock is not given out",
    asked: "acquire a free lock",
    wanted: "held",
};

/// Takes a lock that must be free: its fence, and until when it is held.
async fn taken(
    bench: &Bench<dyn Lock>,
    key: &Key,
    token: &Token,
    ttl: Duration,
) -> Result<(u64, Expiry), Upset> {
    let (acquired, set) = watched(bench.back_end.acquire(key, token, ttl)).await?;
    let Acquired::Held { fence } = acquired else { return Err(NOT_GIVEN.fails(&acquired)) };
    Ok((fence, Expiry { set, ttl, slack: bench.pace.slack() }))
}

async fn fits(bench: &Bench<dyn Lock>, key: &Key, expiry: &Expiry) -> Result<(), Upset> {
    let (left, seen) = watched(bench.back_end.left(key)).await?;
    expiry.fits(seen, left)
}

/// Takes a lock that must be free, and keeps it.
async fn kept_hold(bench: &Bench<dyn Lock>, key: &Key, ttl: Duration) -> Result<Hold, Upset> {
    match Hold::take(&bench.back_end, key, Terms::of(ttl)).await? {
        Taken::Held(hold) => Ok(hold),
        Taken::Busy => Err(NOT_GIVEN.fails(&Taken::Busy)),
    }
}
