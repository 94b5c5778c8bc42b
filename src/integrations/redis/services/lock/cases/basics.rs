//! What a lock owes to who holds it and to who does not.

use super::{
    super::{
        super::{super::keys::CEILING, Bench, Claim, Expiry, Held, Left, Token, Upset, watched},
        Acquired, Key, Lock, Owner, Written,
    },
    LONG, RIVALS, TTL, fits, taken,
};
use crate::units;
use futures_util::future::join_all;

pub(super) async fn held(bench: &Bench<dyn Lock>) -> Result<Held, Upset> {
    let (key, token) = (bench.keys.key("l1"), Token::new()?);
    let (fence, expiry) = taken(bench, &key, &token, bench.pace.ttl(TTL)).await?;
    let claim = Claim {
        else_says: "an acquisition came without a fence",
        asked: "acquire a free lock",
        wanted: "a fence of 1 or more",
    };
    claim.holds(fence >= 1, &fence)?;
    fits(bench, &key, &expiry).await?;
    let took = expiry.set.to - expiry.set.from;
    Ok(Held::saw(format!("held for {}, taken in {}", units::span(expiry.ttl), units::span(took))))
}

pub(super) async fn exclusive(bench: &Bench<dyn Lock>) -> Result<Held, Upset> {
    let (lock, key) = (&*bench.back_end, bench.keys.key("l2"));
    let tokens = (0..RIVALS).map(|_| Token::new()).collect::<Result<Vec<_>, _>>()?;
    let tries = tokens.iter().map(|token| lock.acquire(&key, token, LONG));
    let all = async { join_all(tries).await.into_iter().collect::<Result<Vec<_>, _>>() };
    let (tries, set) = watched(all).await?;
    let winners: Vec<usize> =
        (0..RIVALS).filter(|rival| matches!(tries[*rival], Acquired::Held { .. })).collect();
    let one = Claim {
        else_says: "a lock has several holders, or none",
        asked: "3 rivals acquire a free lock at once",
        wanted: "1 holder",
    };
    let [winner] = winners[..] else { return Err(one.fails(&tries)) };
    let expiry = Expiry { set, ttl: LONG, slack: bench.pace.slack() };
    intrude(bench, &key, &tokens[(winner + 1) % RIVALS], &expiry).await?;
    let (owner, set) = watched(lock.extend(&key, &tokens[winner], LONG * 2)).await?;
    let holder = Claim {
        else_says: "the holder cannot extend its lock",
        asked: "extend by the holder",
        wanted: "extended",
    };
    holder.holds(owner == Owner::Yes, &owner)?;
    fits(bench, &key, &Expiry { set, ttl: LONG * 2, ..expiry }).await?;
    Ok(Held::saw(format!("1 of {RIVALS} rivals let in, the others turned away")))
}

/// What somebody else tries must fail and leave no trace.
async fn intrude(
    bench: &Bench<dyn Lock>,
    key: &Key,
    other: &Token,
    expiry: &Expiry,
) -> Result<(), Upset> {
    let lock = &*bench.back_end;
    let (again, seen) = watched(lock.acquire(key, other, LONG)).await?;
    let second = Claim {
        else_says: "a second holder was let in",
        asked: "acquire a lock that is held",
        wanted: "busy, and for how long",
    };
    let Acquired::Busy { left } = again else { return Err(second.fails(&again)) };
    expiry.fits(seen, Left::For(left))?;
    let stranger = Claim {
        else_says: "a stranger could end or prolong a lock",
        asked: "release and extend with another token",
        wanted: "not the holder, and nothing changed",
    };
    let did = (lock.release(key, other).await?, lock.extend(key, other, LONG * 3).await?);
    stranger.holds(did == (Owner::No, Owner::No), &did)?;
    fits(bench, key, expiry).await
}

pub(super) async fn released(bench: &Bench<dyn Lock>) -> Result<Held, Upset> {
    let (lock, key) = (&*bench.back_end, bench.keys.key("l4"));
    let (first, second) = (Token::new()?, Token::new()?);
    let (earlier, _) = taken(bench, &key, &first, LONG).await?;
    let owner = lock.release(&key, &first).await?;
    let (next, set) = watched(lock.acquire(&key, &second, LONG)).await?;
    let freed = Claim {
        else_says: "a released lock is not free",
        asked: "release by the holder, acquire by another",
        wanted: "released, then held",
    };
    let (Owner::Yes, Acquired::Held { fence: later }) = (owner, next) else {
        return Err(freed.fails(&(owner, next)));
    };
    let rises = Claim {
        else_says: "the fence does not rise",
        asked: "acquire after a release",
        wanted: "a fence above the one before",
    };
    rises.holds(later > earlier, &(earlier, later))?;
    let (left, seen) = watched(lock.remembered(&key)).await?;
    Expiry { set, ttl: CEILING, slack: bench.pace.slack() }.fits(seen, left)?;
    let remembered = units::span(CEILING);
    Ok(Held::saw(format!("fence {earlier}, then {later}, remembered for {remembered}")))
}

pub(super) async fn fenced(bench: &Bench<dyn Lock>) -> Result<Held, Upset> {
    let (lock, guarded) = (&*bench.back_end, bench.keys.key("l8"));
    let claim = Claim {
        else_says: "a write under an old fence got through",
        asked: "write under fence 8, under 7, under 8",
        wanted: "accepted, refused, accepted",
    };
    let mut did = Vec::new();
    for fence in [8, 7, 8] {
        did.push(lock.write(&guarded, fence, b"value", LONG).await?);
    }
    claim.holds(did == [Written::Accepted, Written::Refused, Written::Accepted], &did)?;
    Ok(Held::saw("fence 7 refused after 8"))
}

pub(super) async fn repeated(bench: &Bench<dyn Lock>) -> Result<Held, Upset> {
    let (lock, key, token) = (&*bench.back_end, bench.keys.key("l10"), Token::new()?);
    let (fence, _) = taken(bench, &key, &token, LONG).await?;
    let again = lock.acquire(&key, &token, LONG).await?;
    let claim = Claim {
        else_says: "a holder is shut out by its own lock",
        asked: "acquire twice with one token",
        wanted: "held, with the same fence",
    };
    claim.holds(again == Acquired::Held { fence }, &(fence, again))?;
    Ok(Held::saw(format!("fence {fence} both times")))
}
