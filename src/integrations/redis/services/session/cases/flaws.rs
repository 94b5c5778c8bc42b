//! Stores that are broken on purpose, and the cases that notice.

use super::{
    super::{
        super::{Answer, Left, case::endings},
        InProcess, Rotated, Saved, Session,
    },
    *,
};
use std::sync::Arc;
use tokio::time::Instant;

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
    RotationCopies,
    RotationBeginsAnew,
    RotationForgetsTheEnd,
    RotationOverwrites,
    RotationForgetsTheVersion,
    TakesNothingDown,
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

    fn rotate<'a>(&'a self, from: &'a Key, to: &'a Key) -> Answer<'a, Rotated> {
        Box::pin(async move {
            if self.1 == Flaw::RotationOverwrites {
                self.0.destroy(to).await?;
            }
            let rotated = self.0.rotate(from, to).await?;
            if rotated != Rotated::Moved {
                return Ok(rotated);
            }
            let mut entries = self.0.shelf();
            match self.1 {
                Flaw::RotationCopies => {
                    let entry = entries.get(to.as_str()).unwrap().clone();
                    entries.put(from.as_str(), entry, LONG.idle);
                }
                Flaw::RotationBeginsAnew => {
                    entries.get(to.as_str()).unwrap().end = Instant::now() + LONG.idle;
                }
                Flaw::RotationForgetsTheEnd => {
                    entries.keep(to.as_str(), Duration::from_secs(9999));
                }
                Flaw::RotationForgetsTheVersion => {
                    entries.get(to.as_str()).unwrap().session.version = 1;
                }
                _ => {}
            }
            Ok(rotated)
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

    fn leave<'a>(&'a self, keys: &'a [Key], life: Duration) -> Answer<'a, ()> {
        self.0.leave(keys, life)
    }

    fn lingering<'a>(&'a self, keys: &'a [Key]) -> Answer<'a, Option<u64>> {
        Box::pin(async move {
            match self.1 {
                Flaw::TakesNothingDown => Ok(u64::try_from(keys.len()).ok()),
                _ => self.0.lingering(keys).await,
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
    let held = ["S1", "S2", "S3", "S4", "S5", "S6", "S7", "S8"].map(|id| (id, "held"));
    assert_eq!(ended[..held.len()], held);
    assert_eq!(ended[held.len()..], [("S10", "moot"), ("S11", "moot"), ("S12", "moot")]);
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
        (Flaw::RotationCopies, "S7"),
        (Flaw::RotationBeginsAnew, "S7"),
        (Flaw::RotationOverwrites, "S7"),
        (Flaw::RotationForgetsTheVersion, "S7"),
        (Flaw::RotationForgetsTheEnd, "S7"),
    ];
    for (flaw, id) in cases {
        let ended = endings(CASES, Arc::new(Flawed(InProcess::default(), flaw))).await;
        assert!(ended.contains(&(id, "broken")), "{flaw:?}: {ended:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_takes_nothing_down_is_a_hazard() {
    let store = Arc::new(Flawed(InProcess::default(), Flaw::TakesNothingDown)) as Arc<dyn Sessions>;
    let keys = super::super::super::super::keys::Keys::new("test");
    let ran = super::super::super::run_in_process(CASES, store, keys).await;
    let unseen = ran.iter().find(|ran| ran.id == UNSEEN).unwrap();
    let hazard = unseen.ended.as_ref().unwrap().hazard.as_deref();
    assert_eq!(hazard, Some("background expiry: 0 of 8 keys in 1.5s"));
}
