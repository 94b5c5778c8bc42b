//! What a store of sessions must do, and how to find out whether it does.

mod changes;
#[cfg(test)]
#[expect(clippy::wildcard_enum_match_arm, reason = "a flaw concerns one thing")]
mod flaws;
mod times;
mod unseen;

pub(crate) use unseen::LINGERS;

use super::{
    super::{
        Bench, Case, Claim, Expiry, Needs, Scene, Token, Upset,
        case::{CLOCK, KEEP_ALL, NO_PROXY, ONE_SERVER, SLEW},
        fairly, scene, watched,
    },
    Created, Key, Life, Sessions,
};
use std::{cmp, time::Duration};

const IDLE: Duration = Duration::from_millis(200);
/// Long enough for every step of a case, however slow the link.
const LONG: Life = Life { idle: Duration::from_secs(20), absolute: Duration::from_secs(40) };
const DATA: &[u8] = b"user=7\0\xff\r\n";

/// The case that finds out about the server as a whole, and not about its sessions.
pub(crate) const UNSEEN: &str = "S11";

/// The cases, in the order to show them.
pub(crate) const CASES: &[Case<dyn Sessions>] = &[
    Case {
        id: "S1",
        guarantee: "a session begins once",
        remedy: NO_PROXY,
        needs: Needs::Nothing,
        run: |bench| Box::pin(changes::begins(bench)),
    },
    Case {
        id: "S2",
        guarantee: "using a session prolongs it",
        remedy: ONE_SERVER,
        needs: Needs::Nothing,
        run: |bench| Box::pin(times::slides(bench)),
    },
    Case {
        id: "S3",
        guarantee: "an unused session ends on time",
        remedy: CLOCK,
        needs: Needs::QuickLink,
        run: |bench| Box::pin(times::idles_out(bench)),
    },
    Case {
        id: "S4",
        guarantee: "a used session ends at its absolute end",
        remedy: CLOCK,
        needs: Needs::QuickLink,
        run: |bench| Box::pin(times::ends(bench)),
    },
    Case {
        id: "S5",
        guarantee: "what has ended does not come back",
        remedy: ONE_SERVER,
        needs: Needs::QuickLink,
        run: |bench| Box::pin(changes::stays_dead(bench)),
    },
    Case {
        id: "S6",
        guarantee: "of two writers one is told of the other",
        remedy: ONE_SERVER,
        needs: Needs::Nothing,
        run: |bench| Box::pin(changes::conflicts(bench)),
    },
    Case {
        id: "S7",
        guarantee: "a session that changes its key keeps its end",
        remedy: ONE_SERVER,
        needs: Needs::Nothing,
        run: |bench| Box::pin(changes::rotates(bench)),
    },
    Case {
        id: "S8",
        guarantee: "a save leaves the end where it is",
        remedy: ONE_SERVER,
        needs: Needs::Nothing,
        run: |bench| Box::pin(changes::never_immortal(bench)),
    },
    Case {
        id: "S10",
        guarantee: "no session is pushed out",
        remedy: KEEP_ALL,
        needs: Needs::Nothing,
        run: |bench| {
            Box::pin(async { scene::of(bench.scene.as_deref(), |scene| scene.keeps("sessions")) })
        },
    },
    Case {
        id: UNSEEN,
        guarantee: "what nobody asks for goes by itself",
        remedy: "DEBUG SET-ACTIVE-EXPIRE 1; CONFIG SET active-expire-effort 10, \
            notify-keyspace-events Ex",
        needs: Needs::QuickLink,
        run: |bench| Box::pin(fairly(bench.pace, unseen::goes(bench))),
    },
    Case {
        id: "S12",
        guarantee: "no session ends by a step of the clock",
        remedy: SLEW,
        needs: Needs::Nothing,
        run: |bench| Box::pin(async { scene::of(bench.scene.as_deref(), Scene::runs_steadily) }),
    },
];

/// A key that nobody can guess, as that of a session must be.
fn key(bench: &Bench<dyn Sessions>) -> Result<Key, Upset> {
    Ok(bench.keys.key(&Token::new()?.to_id()))
}

/// Begins a session that must not be there yet. The window is when.
async fn begun(bench: &Bench<dyn Sessions>, key: &Key, life: Life) -> Result<Expiry, Upset> {
    let (created, set) = watched(bench.back_end.create(key, DATA, life)).await?;
    let claim =
        Claim { else_says: "a session cannot begin", asked: "create a session", wanted: "created" };
    claim.holds(created == Created::Fresh, &created)?;
    Ok(Expiry { set, ttl: cmp::min(life.idle, life.absolute), slack: bench.pace.slack() })
}

/// A life that can be waited for.
fn short(bench: &Bench<dyn Sessions>) -> Life {
    let idle = bench.pace.ttl(IDLE);
    Life { idle, absolute: idle * 5 / 2 }
}
