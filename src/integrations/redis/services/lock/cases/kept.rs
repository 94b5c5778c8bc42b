//! What a lock owes to a holder that keeps it, and to the others when it does not.

use super::{
    super::{
        super::{Bench, Claim, Expiry, Held, Token, Upset, watched},
        Acquired, Key, Lock, Owner,
        hold::{Hold, Loss, Taken, Terms},
    },
    LONG, NOT_GIVEN, TTL, kept_hold,
};
use crate::units;
use futures_util::FutureExt as _;
use std::{cmp, time::Duration};
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// When to look, in twelfths of its time: before the first renewal, and after it would
/// have ended
/// shortly before a renewal and shortly after.
const LOOKS: [u32; 3] = [3, 19, 26];

/// Looks at a lock that is kept until it outlived its first time twice.
pub(super) async fn kept(bench: &Bench<dyn Lock>) -> Result<Held, Upset> {
    let (key, ttl) = (bench.keys.key("l3"), bench.pace.ttl(TTL));
    let hold = kept_hold(bench, &key, ttl).await?;
    let (other, began) = (Token::new()?, hold.renewed().0.from);
    let mut least = ttl;
    for look in LOOKS {
        sleep_until(began + ttl * look / 12).await;
        least = cmp::min(least, contend(bench, &key, &hold, &other).await?);
    }
    let (held_for, (_, renewals)) = (began.elapsed(), hold.renewed());
    let still = Claim {
        else_says: "a lock was lost while it was kept",
        asked: "renew a lock for twice its time",
        wanted: "held all the time",
    };
    still.holds(hold.is_held(), &hold.loss())?;
    let owner = hold.release().await?;
    still.holds(owner == Owner::Yes, &owner)?;
    let saw = format!(
        "kept for {}, renewed {renewals} times, never under {}",
        units::span(held_for),
        units::span(least)
    );
    // Six thirds and one on the way; one may be late.
    let slow = (!(5..=7).contains(&renewals)).then(|| format!("{renewals} renewals, not 6"));
    Ok(Held::saw(saw).but_slow(slow))
}

/// Tries to get at a lock that is kept; what was left of it then.
async fn contend(
    bench: &Bench<dyn Lock>,
    key: &Key,
    hold: &Hold,
    other: &Token,
) -> Result<Duration, Upset> {
    let ttl = bench.pace.ttl(TTL);
    let (promised, _) = hold.renewed();
    let (tried, seen) = watched(bench.back_end.acquire(key, other, LONG)).await?;
    let alone = Claim {
        else_says: "a kept lock was given to another",
        asked: "acquire a lock that is kept",
        wanted: "busy",
    };
    let Acquired::Busy { left } = tried else { return Err(alone.fails(&(tried, hold.loss()))) };
    let least = (promised.from + ttl).saturating_duration_since(seen.to + bench.pace.slack());
    let renewed = Claim {
        else_says: "a renewal did not prolong the lock",
        asked: "the time left of a lock that is kept",
        wanted: "what the last renewal promised",
    };
    renewed.holds(left >= least, &(left, least))?;
    Ok(left)
}

/// A holder that renewed and is then killed.
pub(super) async fn abandoned(bench: &Bench<dyn Lock>) -> Result<Held, Upset> {
    let (lock, key, ttl) = (&*bench.back_end, bench.keys.key("l5"), bench.pace.ttl(TTL));
    let hold = kept_hold(bench, &key, ttl).await?;
    sleep(ttl / 2).await;
    let earlier = hold.fence();
    let Some(set) = hold.abandon() else {
        return Err(Upset::Missed("a renewal was on its way when the holder was killed"));
    };
    let expiry = Expiry { set, ttl, slack: bench.pace.slack() };
    let other = Token::new()?;
    expiry.nearly().await;
    let (early, seen) = watched(lock.acquire(&key, &other, LONG)).await?;
    expiry.there(seen, matches!(early, Acquired::Busy { .. }))?;
    expiry.over().await;
    let (late, seen) = watched(lock.acquire(&key, &other, LONG)).await?;
    expiry.gone(seen, matches!(late, Acquired::Busy { .. }))?;
    let rises = Claim {
        else_says: "the fence does not rise",
        asked: "acquire after the holder's time is over",
        wanted: "a fence above the one before",
    };
    rises.holds(matches!(late, Acquired::Held { fence } if fence > earlier), &(earlier, late))?;
    let (ttl, slack) = (units::span(expiry.ttl), units::span(expiry.slack));
    Ok(Held::saw(format!("held before {ttl}, free {slack} after")))
}

/// Somebody else has the key: it was removed or pushed out, and taken anew.
pub(super) async fn taken_away(bench: &Bench<dyn Lock>) -> Result<Held, Upset> {
    let (lock, key, ttl) = (&*bench.back_end, bench.keys.key("l6"), bench.pace.ttl(TTL));
    let (hold, intruder) = (kept_hold(bench, &key, ttl).await?, Token::new()?);
    lock.release(&key, hold.token()).await?;
    let taking = lock.acquire(&key, &intruder, LONG).await?;
    let Acquired::Held { fence } = taking else { return Err(NOT_GIVEN.fails(&taking)) };
    let began = Instant::now();
    let signal = timeout(ttl + bench.pace.slack(), hold.lost().cancelled()).await;
    let (took, allowed) = (began.elapsed(), ttl / 3 + bench.pace.slack());
    let told = Claim {
        else_says: "a holder is not told of its loss",
        asked: "renew a lock that is another's",
        wanted: "not the holder, and held no more",
    };
    let loss = hold.loss();
    told.holds(signal.is_ok() && loss.is_some() && !hold.is_held(), &loss)?;
    let owner = hold.release().await?;
    let again = lock.acquire(&key, &intruder, LONG).await?;
    let intact = Claim {
        else_says: "a former holder freed another's lock",
        asked: "release by who has lost it",
        wanted: "not the holder, and nothing changed",
    };
    let unchanged = (owner, again) == (Owner::No, Acquired::Held { fence });
    intact.holds(unchanged, &(owner, again))?;
    let saw = format!("told after {}", units::span(took));
    let slow = (took > allowed || loss != Some(Loss::Taken))
        .then(|| format!("{saw}, limit {}", units::span(allowed)));
    Ok(Held::saw(saw).but_slow(slow))
}

/// A holder whose watchdog does not run for longer than the lock lasts.
pub(super) async fn overslept(bench: &Bench<dyn Lock>) -> Result<Held, Upset> {
    let (key, ttl) = (bench.keys.key("l7"), bench.pace.ttl(TTL));
    let taken = Hold::take_unwatched(&bench.back_end, &key, Terms::of(ttl)).await?;
    let Taken::Held(hold) = taken else { return Err(NOT_GIVEN.fails(&taken)) };
    sleep(ttl * 3 / 2).await;
    let trusts = hold.is_held();
    let knows = Claim {
        else_says: "a holder trusts a lock that has expired",
        asked: "is it held, after 1.5 times its time?",
        wanted: "no, before anything is asked",
    };
    knows.holds(!trusts, &trusts)?;
    let ended = hold.watchdog().now_or_never();
    let signal = (ended, hold.lost().is_cancelled(), hold.loss(), hold.renewed().1);
    knows.holds(signal == (Some(()), true, Some(Loss::Lapsed), 0), &signal)?;
    Ok(Held::saw(format!("knew after {} without asking", units::span(ttl * 3 / 2))))
}
