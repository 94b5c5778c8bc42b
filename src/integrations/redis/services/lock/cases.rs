//! What a lock must do, and how to find out whether it does.

use super::{
    super::{Bench, Case, Claim, Expiry, Held, Left, Needs, Token, Upset, watched},
    Acquired, Key, Lock, Owner, Written,
};
use crate::units;
use futures_util::future::join_all;
use std::time::Duration;

const TTL: Duration = Duration::from_millis(450);
/// Long enough for every step of a case, however slow the link.
const LONG: Duration = Duration::from_secs(20);
/// How many want a free lock at the same moment.
const RIVALS: usize = 8;

/// The cases, in the order to show them.
pub(crate) const CASES: &[Case<dyn Lock>] = &[
    Case {
        id: "L1",
        guarantee: "a free lock is held for the time asked",
        needs: Needs::Nothing,
        run: |bench| Box::pin(held(bench)),
    },
    Case {
        id: "L2",
        guarantee: "nobody but the holder gets, extends or frees it",
        needs: Needs::Nothing,
        run: |bench| Box::pin(exclusive(bench)),
    },
    Case {
        id: "L4",
        guarantee: "a released lock is free, the next fence higher",
        needs: Needs::Nothing,
        run: |bench| Box::pin(released(bench)),
    },
    Case {
        id: "L5",
        guarantee: "a lock whose holder is gone frees itself",
        needs: Needs::QuickLink,
        run: |bench| Box::pin(abandoned(bench)),
    },
    Case {
        id: "L8",
        guarantee: "a write under an old fence is refused",
        needs: Needs::Nothing,
        run: |bench| Box::pin(fenced(bench)),
    },
    Case {
        id: "L10",
        guarantee: "a repeated acquisition is the same one",
        needs: Needs::Nothing,
        run: |bench| Box::pin(repeated(bench)),
    },
];

/// Takes a lock that must be free: its fence, and until when it is held.
async fn taken(
    bench: &Bench<dyn Lock>,
    key: &Key,
    token: &Token,
    ttl: Duration,
) -> Result<(u64, Expiry), Upset> {
    let (acquired, set) = watched(bench.back_end.acquire(key, token, ttl)).await?;
    let claim = Claim {
        else_says: "a free lock is not given out",
        asked: "acquire a free lock",
        wanted: "held",
    };
    let Acquired::Held { fence } = acquired else { return Err(claim.fails(&acquired)) };
    Ok((fence, Expiry { set, ttl, slack: bench.pace.slack() }))
}

async fn fits(bench: &Bench<dyn Lock>, key: &Key, expiry: &Expiry) -> Result<(), Upset> {
    let (left, seen) = watched(bench.back_end.left(key)).await?;
    expiry.fits(seen, left)
}

async fn held(bench: &Bench<dyn Lock>) -> Result<Held, Upset> {
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

async fn exclusive(bench: &Bench<dyn Lock>) -> Result<Held, Upset> {
    let (lock, key) = (&*bench.back_end, bench.keys.key("l2"));
    let tokens = (0..RIVALS).map(|_| Token::new()).collect::<Result<Vec<_>, _>>()?;
    let tries = tokens.iter().map(|token| lock.acquire(&key, token, LONG));
    let all = async { join_all(tries).await.into_iter().collect::<Result<Vec<_>, _>>() };
    let (tries, set) = watched(all).await?;
    let winners: Vec<usize> =
        (0..RIVALS).filter(|rival| matches!(tries[*rival], Acquired::Held { .. })).collect();
    let one = Claim {
        else_says: "a lock has several holders, or none",
        asked: "8 rivals acquire a free lock at once",
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

async fn released(bench: &Bench<dyn Lock>) -> Result<Held, Upset> {
    let (lock, key) = (&*bench.back_end, bench.keys.key("l4"));
    let (first, second) = (Token::new()?, Token::new()?);
    let (earlier, _) = taken(bench, &key, &first, LONG).await?;
    let owner = lock.release(&key, &first).await?;
    let left = lock.left(&key).await?;
    let freed = Claim {
        else_says: "a released lock is not free",
        asked: "release by the holder",
        wanted: "released, and the key gone",
    };
    freed.holds((owner, left) == (Owner::Yes, Left::Absent), &(owner, left))?;
    let (later, _) = taken(bench, &key, &second, LONG).await?;
    let rises = Claim {
        else_says: "the fence does not rise",
        asked: "acquire after a release",
        wanted: "a fence above the one before",
    };
    rises.holds(later > earlier, &(earlier, later))?;
    let again = lock.release(&key, &first).await?;
    let gone = Claim {
        else_says: "a former holder freed another's lock",
        asked: "release again by the former holder",
        wanted: "not the holder",
    };
    gone.holds(again == Owner::No, &again)?;
    Ok(Held::saw(format!("fence {earlier}, then {later}")))
}

async fn abandoned(bench: &Bench<dyn Lock>) -> Result<Held, Upset> {
    let (lock, key) = (&*bench.back_end, bench.keys.key("l5"));
    let (earlier, expiry) = taken(bench, &key, &Token::new()?, bench.pace.ttl(TTL)).await?;
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

async fn fenced(bench: &Bench<dyn Lock>) -> Result<Held, Upset> {
    let (lock, key) = (&*bench.back_end, bench.keys.key("l8"));
    let (first, guarded) = (Token::new()?, bench.keys.key("l8-guarded"));
    let (older, _) = taken(bench, &key, &first, LONG).await?;
    lock.release(&key, &first).await?;
    let (newer, _) = taken(bench, &key, &Token::new()?, LONG).await?;
    let claim = Claim {
        else_says: "a write under an old fence got through",
        asked: "write under the new fence, the old, the new",
        wanted: "accepted, refused, accepted",
    };
    let mut did = Vec::new();
    for fence in [newer, older, newer] {
        did.push(lock.write(&guarded, fence, b"value", LONG).await?);
    }
    claim.holds(did == [Written::Accepted, Written::Refused, Written::Accepted], &did)?;
    Ok(Held::saw(format!("fence {older} refused after {newer}")))
}

async fn repeated(bench: &Bench<dyn Lock>) -> Result<Held, Upset> {
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

#[cfg(test)]
#[expect(clippy::wildcard_enum_match_arm, reason = "a flaw concerns one thing")]
mod tests {
    use super::{
        super::{
            super::{Answer, Shelf, case::endings},
            InProcess,
        },
        *,
    };
    use std::sync::Arc;

    /// What a broken lock may get wrong.
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Flaw {
        LetsEverybodyIn,
        LetsNobodyIn,
        ShutsItsHolderOut,
        LetsStrangersRelease,
        LetsStrangersExtend,
        ContendersProlongIt,
        NeverExtends,
        NeverReleases,
        FenceStands,
        FenceStartsAnew,
        IgnoresTheFence,
        RefusesAllWrites,
        ExpiresEarly,
        NeverExpires,
    }

    struct Flawed(InProcess, Flaw);

    impl Flawed {
        fn has(&self, flaw: Flaw) -> bool {
            self.1 == flaw
        }

        /// Makes `token` the holder, as a back end does that does not ask who it is.
        fn usurp(&self, key: &Key, token: &Token, ttl: Duration) {
            self.0.shelves().holders.put(key.as_str(), token.clone(), ttl);
        }
    }

    impl Lock for Flawed {
        fn acquire<'a>(
            &'a self,
            key: &'a Key,
            token: &'a Token,
            ttl: Duration,
        ) -> Answer<'a, Acquired> {
            Box::pin(async move {
                let holder = self.0.shelves().holders.get(key.as_str()).cloned();
                match self.1 {
                    Flaw::LetsEverybodyIn => self.usurp(key, token, ttl),
                    Flaw::LetsNobodyIn => return Ok(Acquired::Busy { left: ttl }),
                    Flaw::ShutsItsHolderOut if holder.as_ref() == Some(token) => {
                        return Ok(Acquired::Busy { left: ttl });
                    }
                    Flaw::ContendersProlongIt => {
                        self.0.shelves().holders.keep(key.as_str(), ttl * 2);
                    }
                    Flaw::FenceStartsAnew => self.0.shelves().fences = Shelf::default(),
                    _ => {}
                }
                let ttl = match self.1 {
                    Flaw::ExpiresEarly => ttl / 2,
                    Flaw::NeverExpires => ttl * 100,
                    _ => ttl,
                };
                match self.0.acquire(key, token, ttl).await? {
                    Acquired::Held { .. } if self.has(Flaw::FenceStands) => {
                        Ok(Acquired::Held { fence: 1 })
                    }
                    acquired => Ok(acquired),
                }
            })
        }

        fn extend<'a>(
            &'a self,
            key: &'a Key,
            token: &'a Token,
            ttl: Duration,
        ) -> Answer<'a, Owner> {
            Box::pin(async move {
                match self.1 {
                    Flaw::LetsStrangersExtend => self.usurp(key, token, ttl),
                    Flaw::NeverExtends => return Ok(Owner::Yes),
                    _ => {}
                }
                self.0.extend(key, token, ttl).await
            })
        }

        fn release<'a>(&'a self, key: &'a Key, token: &'a Token) -> Answer<'a, Owner> {
            Box::pin(async move {
                match self.1 {
                    Flaw::LetsStrangersRelease => self.usurp(key, token, LONG),
                    Flaw::NeverReleases => return Ok(Owner::Yes),
                    _ => {}
                }
                self.0.release(key, token).await
            })
        }

        fn left<'a>(&'a self, key: &'a Key) -> Answer<'a, Left> {
            Box::pin(async move {
                if self.has(Flaw::NeverExpires) {
                    Ok(Left::Forever)
                } else {
                    self.0.left(key).await
                }
            })
        }

        fn write<'a>(
            &'a self,
            key: &'a Key,
            fence: u64,
            value: &'a [u8],
            ttl: Duration,
        ) -> Answer<'a, Written> {
            Box::pin(async move {
                match self.1 {
                    Flaw::IgnoresTheFence => Ok(Written::Accepted),
                    Flaw::RefusesAllWrites => Ok(Written::Refused),
                    _ => self.0.write(key, fence, value, ttl).await,
                }
            })
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_stand_in_keeps_every_promise() {
        let ended = endings(CASES, Arc::new(InProcess::default())).await;
        assert_eq!(ended, ["L1", "L2", "L4", "L5", "L8", "L10"].map(|id| (id, "held")));
    }

    #[tokio::test(start_paused = true)]
    async fn every_flaw_is_noticed() {
        let cases = [
            (Flaw::LetsEverybodyIn, "L2"),
            (Flaw::LetsNobodyIn, "L1"),
            (Flaw::ShutsItsHolderOut, "L10"),
            (Flaw::LetsStrangersRelease, "L2"),
            (Flaw::LetsStrangersRelease, "L4"),
            (Flaw::LetsStrangersExtend, "L2"),
            (Flaw::ContendersProlongIt, "L2"),
            (Flaw::NeverExtends, "L2"),
            (Flaw::NeverReleases, "L4"),
            (Flaw::FenceStands, "L4"),
            (Flaw::FenceStartsAnew, "L4"),
            (Flaw::IgnoresTheFence, "L8"),
            (Flaw::RefusesAllWrites, "L8"),
            (Flaw::ExpiresEarly, "L5"),
            (Flaw::NeverExpires, "L5"),
            (Flaw::NeverExpires, "L1"),
        ];
        for (flaw, id) in cases {
            let ended = endings(CASES, Arc::new(Flawed(InProcess::default(), flaw))).await;
            assert!(ended.contains(&(id, "broken")), "{flaw:?}: {ended:?}");
        }
    }
}
