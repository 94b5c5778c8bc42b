//! Locks that are broken on purpose, and the cases that notice.
use super::{
    super::{
        super::{Answer, Left, Shelf, case::endings},
        InProcess, Owner, Written,
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
    ExtendsTooLittle,
    DisownsItsHolder,
    TrustsTooLong,
    KeepsFencesForEver,
    ForgetsFences,
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

    fn extend<'a>(&'a self, key: &'a Key, token: &'a Token, ttl: Duration) -> Answer<'a, Owner> {
        Box::pin(async move {
            match self.1 {
                Flaw::LetsStrangersExtend => self.usurp(key, token, ttl),
                Flaw::NeverExtends => return Ok(Owner::Yes),
                Flaw::DisownsItsHolder => return Ok(Owner::No),
                Flaw::NeverExpires => return self.0.extend(key, token, ttl * 100).await,
                Flaw::ExtendsTooLittle => return self.0.extend(key, token, ttl / 2).await,
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

    fn trusted(&self, ttl: Duration) -> Duration {
        if self.has(Flaw::TrustsTooLong) { ttl * 2 } else { self.0.trusted(ttl) }
    }

    fn remembered<'a>(&'a self, key: &'a Key) -> Answer<'a, Left> {
        Box::pin(async move {
            match self.1 {
                Flaw::KeepsFencesForEver => Ok(Left::Forever),
                Flaw::ForgetsFences => {
                    self.0.shelves().fences.keep(key.as_str(), TTL);
                    self.0.remembered(key).await
                }
                _ => self.0.remembered(key).await,
            }
        })
    }

    fn left<'a>(&'a self, key: &'a Key) -> Answer<'a, Left> {
        Box::pin(async move {
            if self.has(Flaw::NeverExpires) { Ok(Left::Forever) } else { self.0.left(key).await }
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

const IDS: [&str; 11] = ["L1", "L2", "L3", "L4", "L5", "L6", "L7", "L8", "L9", "L10", "L11"];

#[tokio::test(start_paused = true)]
async fn the_stand_in_keeps_every_promise() {
    let ended = endings(CASES, Arc::new(InProcess::default())).await;
    assert_eq!(ended[..IDS.len()], IDS.map(|id| (id, "held")));
    assert_eq!(ended[IDS.len()..], [("L13", "moot"), ("L14", "moot")]);
}

#[tokio::test(start_paused = true)]
async fn every_flaw_is_noticed() {
    let cases = [
        (Flaw::LetsEverybodyIn, "L2"),
        (Flaw::LetsEverybodyIn, "L3"),
        (Flaw::LetsEverybodyIn, "L9"),
        (Flaw::LetsNobodyIn, "L1"),
        (Flaw::ShutsItsHolderOut, "L10"),
        (Flaw::LetsStrangersRelease, "L2"),
        (Flaw::LetsStrangersExtend, "L2"),
        (Flaw::LetsStrangersExtend, "L6"),
        (Flaw::ContendersProlongIt, "L2"),
        (Flaw::NeverExtends, "L2"),
        (Flaw::NeverExtends, "L3"),
        (Flaw::ExtendsTooLittle, "L3"),
        (Flaw::DisownsItsHolder, "L3"),
        (Flaw::TrustsTooLong, "L7"),
        (Flaw::KeepsFencesForEver, "L4"),
        (Flaw::ForgetsFences, "L4"),
        (Flaw::NeverReleases, "L4"),
        (Flaw::NeverReleases, "L9"),
        (Flaw::NeverReleases, "L11"),
        (Flaw::FenceStands, "L4"),
        (Flaw::FenceStartsAnew, "L4"),
        (Flaw::IgnoresTheFence, "L8"),
        (Flaw::RefusesAllWrites, "L8"),
        (Flaw::ExpiresEarly, "L1"),
        (Flaw::ExpiresEarly, "L3"),
        (Flaw::ExtendsTooLittle, "L5"),
        (Flaw::NeverExpires, "L5"),
        (Flaw::NeverExpires, "L1"),
    ];
    for (flaw, id) in cases {
        let ended = endings(CASES, Arc::new(Flawed(InProcess::default(), flaw))).await;
        assert!(ended.contains(&(id, "broken")), "{flaw:?}: {ended:?}");
    }
}
