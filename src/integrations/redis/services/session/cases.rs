//! What a store of sessions must do, and how to find out whether it does.

use super::{
    super::{Bench, Case, Claim, Expiry, Held, Left, Needs, Token, Upset, watched},
    Created, Key, Life, Saved, Session, Sessions,
};
use crate::units;
use std::{cmp, time::Duration};
use tokio::time::{Instant, sleep, sleep_until};

const IDLE: Duration = Duration::from_millis(200);
/// Long enough for every step of a case, however slow the link.
const LONG: Life = Life { idle: Duration::from_secs(20), absolute: Duration::from_secs(40) };
const DATA: &[u8] = b"user=7\0\xff\r\n";

/// The cases, in the order to show them.
pub(crate) const CASES: &[Case<dyn Sessions>] = &[
    Case {
        id: "S1",
        guarantee: "a session begins once",
        needs: Needs::Nothing,
        run: |bench| Box::pin(begins(bench)),
    },
    Case {
        id: "S2",
        guarantee: "using a session prolongs it",
        needs: Needs::Nothing,
        run: |bench| Box::pin(slides(bench)),
    },
    Case {
        id: "S3",
        guarantee: "an unused session ends on time",
        needs: Needs::QuickLink,
        run: |bench| Box::pin(idles_out(bench)),
    },
    Case {
        id: "S4",
        guarantee: "a used session ends at its absolute end",
        needs: Needs::QuickLink,
        run: |bench| Box::pin(ends(bench)),
    },
    Case {
        id: "S5",
        guarantee: "what has ended does not come back",
        needs: Needs::QuickLink,
        run: |bench| Box::pin(stays_dead(bench)),
    },
    Case {
        id: "S6",
        guarantee: "of two writers one is told of the other",
        needs: Needs::Nothing,
        run: |bench| Box::pin(conflicts(bench)),
    },
    Case {
        id: "S8",
        guarantee: "no session is ever without an end",
        needs: Needs::Nothing,
        run: |bench| Box::pin(never_immortal(bench)),
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

async fn begins(bench: &Bench<dyn Sessions>) -> Result<Held, Upset> {
    let (sessions, key) = (&*bench.back_end, key(bench)?);
    let expiry = begun(bench, &key, LONG).await?;
    let again = sessions.create(&key, b"intruder", LONG).await?;
    let claim = Claim {
        else_says: "a session was begun twice",
        asked: "create a session that exists",
        wanted: "refused, and the first unchanged",
    };
    claim.holds(again == Created::Exists, &again)?;
    let (found, seen) = watched(sessions.load(&key)).await?;
    let Some(session) = found else { return Err(expiry.missing(seen)) };
    claim.holds(session == Session { data: DATA.into(), version: 1 }, &session)?;
    Ok(Held::saw("the second time it is refused"))
}

async fn slides(bench: &Bench<dyn Sessions>) -> Result<Held, Upset> {
    let (sessions, key) = (&*bench.back_end, key(bench)?);
    let expiry = begun(bench, &key, LONG).await?;
    // Longer than the slack, or a session that does not slide would pass.
    sleep(bench.pace.slack() * 2).await;
    let (found, used) = watched(sessions.load(&key)).await?;
    if found.is_none() {
        return Err(expiry.missing(used));
    }
    let (left, seen) = watched(sessions.left(&key)).await?;
    Expiry { set: used, ..expiry }.fits(seen, left)?;
    Ok(Held::saw(format!("back to {} after a use", units::span(LONG.idle))))
}

/// A life that can be waited for.
fn short(bench: &Bench<dyn Sessions>) -> Life {
    let idle = bench.pace.ttl(IDLE);
    Life { idle, absolute: idle * 5 / 2 }
}

async fn idles_out(bench: &Bench<dyn Sessions>) -> Result<Held, Upset> {
    let (sessions, key) = (&*bench.back_end, key(bench)?);
    let expiry = begun(bench, &key, short(bench)).await?;
    expiry.nearly().await;
    let (left, seen) = watched(sessions.left(&key)).await?;
    expiry.fits(seen, left)?;
    expiry.over().await;
    let (found, seen) = watched(sessions.load(&key)).await?;
    expiry.gone(seen, found.is_some())?;
    let (ttl, slack) = (units::span(expiry.ttl), units::span(expiry.slack));
    Ok(Held::saw(format!("there before {ttl}, gone {slack} after")))
}

async fn ends(bench: &Bench<dyn Sessions>) -> Result<Held, Upset> {
    let (sessions, key, life) = (&*bench.back_end, key(bench)?, short(bench));
    let mut idle = begun(bench, &key, life).await?;
    let absolute = Expiry { ttl: life.absolute, ..idle };
    let mut uses = 0;
    loop {
        sleep_until(cmp::min(idle.set.from + life.idle / 2, absolute.latest())).await;
        let (found, seen) = watched(sessions.load(&key)).await?;
        match found {
            Some(_) => absolute.there(seen, true)?,
            None if seen.to >= absolute.earliest() => break,
            // Not its end yet: either its idle time was cut short, or we came too late to use it.
            None => return Err(idle.missing(seen)),
        }
        idle.set = seen;
        uses += 1;
    }
    let lived = Instant::now() - absolute.set.from;
    let (lived, end) = (units::span(lived), units::span(life.absolute));
    Ok(Held::saw(format!("gone after {lived} of {end}, used {uses} times")))
}

async fn stays_dead(bench: &Bench<dyn Sessions>) -> Result<Held, Upset> {
    let (sessions, destroyed, expired) = (&*bench.back_end, key(bench)?, key(bench)?);
    let expiry = begun(bench, &expired, short(bench)).await?;
    begun(bench, &destroyed, LONG).await?;
    sessions.destroy(&destroyed).await?;
    expiry.over().await;
    let claim = Claim {
        else_says: "a save brought an ended session back",
        asked: "save after the end",
        wanted: "gone, and no key",
    };
    for key in [&destroyed, &expired] {
        let saved = sessions.save(key, 1, b"back").await?;
        let left = sessions.left(key).await?;
        claim.holds((saved, left) == (Saved::Gone, Left::Absent), &(saved, left))?;
    }
    Ok(Held::saw("saves after destruction and after expiry change nothing"))
}

async fn conflicts(bench: &Bench<dyn Sessions>) -> Result<Held, Upset> {
    let (sessions, key) = (&*bench.back_end, key(bench)?);
    let expiry = begun(bench, &key, LONG).await?;
    let first = sessions.save(&key, 1, b"first").await?;
    let second = sessions.save(&key, 1, b"second").await?;
    let claim = Claim {
        else_says: "a writer overwrote another unawares",
        asked: "two saves of one version",
        wanted: "saved, then a conflict, the first kept",
    };
    claim.holds((first, second) == (Saved::Stored, Saved::Conflict), &(first, second))?;
    let (found, seen) = watched(sessions.load(&key)).await?;
    let Some(session) = found else { return Err(expiry.missing(seen)) };
    claim.holds(session == Session { data: b"first".into(), version: 2 }, &session)?;
    Ok(Held::saw("the second save is a conflict"))
}

async fn never_immortal(bench: &Bench<dyn Sessions>) -> Result<Held, Upset> {
    let (sessions, key) = (&*bench.back_end, key(bench)?);
    let mut expiry = begun(bench, &key, LONG).await?;
    let (left, seen) = watched(sessions.left(&key)).await?;
    expiry.fits(seen, left)?;
    let (_, used) = watched(sessions.load(&key)).await?;
    expiry.set = used;
    let (left, seen) = watched(sessions.left(&key)).await?;
    expiry.fits(seen, left)?;
    sessions.save(&key, 1, b"saved").await?;
    let (left, seen) = watched(sessions.left(&key)).await?;
    expiry.fits(seen, left)?;
    Ok(Held::saw("an end after create, load and save"))
}

#[cfg(test)]
#[expect(clippy::wildcard_enum_match_arm, reason = "a flaw concerns one thing")]
mod tests {
    use super::{
        super::{
            super::{Answer, case::endings},
            InProcess,
        },
        *,
    };
    use std::sync::Arc;

    /// What a broken store may get wrong.
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Flaw {
        BeginsTwice,
        ChangesData,
        NeverSlides,
        SlidesForEver,
        EndsEarly,
        IdlesForEver,
        Resurrects,
        LastWriterWins,
        DestroysNothing,
        LosesItsEndOnSave,
    }

    struct Flawed(InProcess, Flaw);

    impl Flawed {
        /// Puts the session there, whatever was there before.
        async fn force(&self, key: &Key, data: &[u8], life: Life) {
            self.0.destroy(key).await.unwrap();
            self.0.create(key, data, life).await.unwrap();
        }
    }

    impl Sessions for Flawed {
        fn create<'a>(&'a self, key: &'a Key, data: &'a [u8], life: Life) -> Answer<'a, Created> {
            Box::pin(async move {
                let life = match self.1 {
                    Flaw::EndsEarly => Life { absolute: life.absolute / 2, ..life },
                    Flaw::SlidesForEver => Life { absolute: LONG.absolute, ..life },
                    Flaw::IdlesForEver => Life { idle: life.absolute, ..life },
                    _ => life,
                };
                if self.1 == Flaw::BeginsTwice {
                    self.force(key, data, life).await;
                    return Ok(Created::Fresh);
                }
                self.0.create(key, data, life).await
            })
        }

        fn load<'a>(&'a self, key: &'a Key) -> Answer<'a, Option<Session>> {
            Box::pin(async move {
                let before = self.0.left(key).await?;
                let mut found = self.0.load(key).await?;
                match (self.1, before, &mut found) {
                    (Flaw::NeverSlides, Left::For(left), _) => {
                        self.0.shelf().keep(key.as_str(), left);
                    }
                    (Flaw::ChangesData, _, Some(session)) => session.data.retain(|byte| *byte != 0),
                    _ => {}
                }
                Ok(found)
            })
        }

        fn save<'a>(&'a self, key: &'a Key, version: u64, data: &'a [u8]) -> Answer<'a, Saved> {
            Box::pin(async move {
                match (self.1, self.0.save(key, version, data).await?) {
                    (Flaw::Resurrects, Saved::Gone) => {
                        self.force(key, data, LONG).await;
                        Ok(Saved::Stored)
                    }
                    (Flaw::LastWriterWins, Saved::Conflict) => {
                        self.0.save(key, version + 1, data).await
                    }
                    (Flaw::LosesItsEndOnSave, saved) => {
                        self.0.shelf().keep(key.as_str(), Duration::from_secs(9999));
                        Ok(saved)
                    }
                    (_, saved) => Ok(saved),
                }
            })
        }

        fn destroy<'a>(&'a self, key: &'a Key) -> Answer<'a, ()> {
            Box::pin(async move {
                match self.1 {
                    Flaw::DestroysNothing => Ok(()),
                    _ => self.0.destroy(key).await,
                }
            })
        }

        fn left<'a>(&'a self, key: &'a Key) -> Answer<'a, Left> {
            self.0.left(key)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_stand_in_keeps_every_promise() {
        let ended = endings(CASES, Arc::new(InProcess::default())).await;
        let held = ["S1", "S2", "S3", "S4", "S5", "S6", "S8"].map(|id| (id, "held"));
        assert_eq!(ended, held);
    }

    #[tokio::test(start_paused = true)]
    async fn every_flaw_is_noticed() {
        let cases = [
            (Flaw::BeginsTwice, "S1"),
            (Flaw::ChangesData, "S1"),
            (Flaw::NeverSlides, "S2"),
            (Flaw::NeverSlides, "S4"),
            (Flaw::SlidesForEver, "S4"),
            (Flaw::EndsEarly, "S4"),
            (Flaw::IdlesForEver, "S3"),
            (Flaw::Resurrects, "S5"),
            (Flaw::LastWriterWins, "S6"),
            (Flaw::DestroysNothing, "S5"),
            (Flaw::LosesItsEndOnSave, "S8"),
        ];
        for (flaw, id) in cases {
            let ended = endings(CASES, Arc::new(Flawed(InProcess::default(), flaw))).await;
            assert!(ended.contains(&(id, "broken")), "{flaw:?}: {ended:?}");
        }
    }
}
