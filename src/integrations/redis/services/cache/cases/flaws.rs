//! Caches that are broken on purpose, and the cases that notice.

use super::{
    super::{
        super::{super::trouble::Trouble, Answer, Left, Shelf, case::endings},
        Bid, Entry, InProcess,
    },
    *,
};
use std::sync::Arc;
use tokio::time::sleep;

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
    TakesAbsentForEmpty,
    ForgetsAbsence,
    HidesWhatIsThere,
    LeadsForEver,
    LeadsTooBriefly,
    KeepsTheLeadOnInvalidation,
    KeepsTheValueOnInvalidation,
    NeverGivesUp,
    NeverProlongs,
    ProlongsForAnybody,
    ForgetsTheCost,
    ExaggeratesTheCost,
}

#[derive(Default)]
struct Flawed(InProcess, Option<Flaw>);

impl Flawed {
    fn has(&self, flaw: Flaw) -> bool {
        self.1 == Some(flaw)
    }

    async fn found(&self, key: &Key) -> Result<Option<Entry>, Trouble> {
        if self.has(Flaw::Stalls) {
            sleep(Duration::from_millis(120)).await;
        }
        if self.has(Flaw::Forgets) {
            self.0.shelves().values = Shelf::default();
        }
        Ok(self.0.look(key).await?.map(|entry| self.spoilt(entry)))
    }

    fn spoilt(&self, mut entry: Entry) -> Entry {
        let value = entry.value.take();
        match self.1 {
            Some(Flaw::ForgetsTheCost) => entry.cost = Duration::ZERO,
            Some(Flaw::ExaggeratesTheCost) => entry.cost *= 2,
            Some(Flaw::LosesExpiry) => entry.left = Left::Forever,
            _ => {}
        }
        entry.value = match (self.1, value) {
            (Some(Flaw::ChangesBytes), Some(value)) => {
                Some(String::from_utf8_lossy(&value).into_owned().into_bytes())
            }
            (Some(Flaw::CutsAtNul), Some(value)) => {
                Some(value.split(|byte| *byte == 0).next().unwrap().into())
            }
            (Some(Flaw::TakesAbsentForEmpty), None) => Some(Vec::new()),
            (_, value) => value,
        };
        entry
    }

    async fn bid(&self, key: &Key, within: Duration, lease: Duration) -> Result<Bid, Trouble> {
        let lease = match self.1 {
            Some(Flaw::LeadsForEver) => lease * 100,
            Some(Flaw::LeadsTooBriefly) => lease / 3,
            _ => lease,
        };
        if self.has(Flaw::Stalls) {
            sleep(Duration::from_millis(120)).await;
        }
        let mut bid = self.0.lead(key, within, lease).await?;
        bid.entry = bid.entry.map(|entry| self.spoilt(entry));
        bid.lead = match bid.lead {
            Lead::Others(_) if self.has(Flaw::LetsAllLead) => Lead::Ours(Token::new()?),
            Lead::Ours(_) if self.has(Flaw::LetsNobodyLead) => Lead::Others(lease),
            lead => lead,
        };
        if self.has(Flaw::HidesWhatIsThere) && !matches!(bid.lead, Lead::Ours(_)) {
            bid.entry = None;
        }
        Ok(bid)
    }

    async fn filled(&self, key: &Key, lead: &Token, fresh: Fresh<'_>) -> Result<Fill, Trouble> {
        let keep = match self.1 {
            Some(Flaw::ExpiresEarly) => fresh.keep / 2,
            Some(Flaw::ExpiresLate) => fresh.keep * 2,
            _ => fresh.keep,
        };
        if self.has(Flaw::RefusesItsLeader) {
            return Ok(Fill::Refused);
        }
        if self.has(Flaw::ForgetsAbsence) && fresh.value.is_none() {
            return Ok(Fill::Stored);
        }
        let fresh = Fresh { keep, ..fresh };
        match self.0.fill(key, lead, fresh).await? {
            Fill::Refused if self.has(Flaw::TakesLateFills) => {
                self.0.shelves().store(key.as_str(), fresh);
                Ok(Fill::Stored)
            }
            fill => Ok(fill),
        }
    }

    async fn invalidated(&self, key: &Key) -> Result<(), Trouble> {
        match self.1 {
            Some(Flaw::KeepsTheLeadOnInvalidation) => {
                self.0.shelves().values.take(key.as_str());
            }
            Some(Flaw::KeepsTheValueOnInvalidation) => {
                self.0.shelves().leads.take(key.as_str());
            }
            _ => self.0.invalidate(key).await?,
        }
        Ok(())
    }
}

impl Cache for Flawed {
    fn look<'a>(&'a self, key: &'a Key) -> Answer<'a, Option<Entry>> {
        Box::pin(self.found(key))
    }

    fn lead<'a>(&'a self, key: &'a Key, within: Duration, lease: Duration) -> Answer<'a, Bid> {
        Box::pin(self.bid(key, within, lease))
    }

    fn fill<'a>(&'a self, key: &'a Key, lead: &'a Token, fresh: Fresh<'a>) -> Answer<'a, Fill> {
        Box::pin(self.filled(key, lead, fresh))
    }

    fn prolong<'a>(&'a self, key: &'a Key, lead: &'a Token, lease: Duration) -> Answer<'a, bool> {
        Box::pin(async move {
            match self.1 {
                Some(Flaw::NeverProlongs | Flaw::ProlongsForAnybody) => Ok(true),
                _ => self.0.prolong(key, lead, lease).await,
            }
        })
    }

    fn give_up<'a>(&'a self, key: &'a Key, lead: &'a Token) -> Answer<'a, ()> {
        Box::pin(async move {
            if self.has(Flaw::NeverGivesUp) { Ok(()) } else { self.0.give_up(key, lead).await }
        })
    }

    fn invalidate<'a>(&'a self, key: &'a Key) -> Answer<'a, ()> {
        Box::pin(self.invalidated(key))
    }
}

async fn broken(flaw: Option<Flaw>) -> Vec<(&'static str, &'static str)> {
    let mut ended = endings(CASES, Arc::new(Flawed(InProcess::default(), flaw))).await;
    ended.retain(|(_, word)| !["held", "moot"].contains(word));
    ended
}

#[tokio::test(start_paused = true)]
async fn the_stand_in_keeps_every_promise() {
    let ended = endings(CASES, Arc::new(InProcess::default())).await;
    let ids = ["C1", "C2", "C3", "C4", "C5", "C6", "C7", "C8", "C9", "C10"];
    assert_eq!(ended[..ids.len()], ids.map(|id| (id, "held")));
    assert_eq!(ended[ids.len()..], [("C11", "moot")]);
    assert_eq!(broken(None).await, []);
}

#[tokio::test(start_paused = true)]
async fn every_flaw_is_noticed() {
    let cases = [
        (Flaw::ChangesBytes, "C1"),
        (Flaw::CutsAtNul, "C1"),
        (Flaw::LosesExpiry, "C1"),
        (Flaw::LetsAllLead, "C3"),
        (Flaw::LetsAllLead, "C4"),
        (Flaw::LetsNobodyLead, "C1"),
        (Flaw::RefusesItsLeader, "C1"),
        (Flaw::TakesLateFills, "C6"),
        (Flaw::TakesLateFills, "C7"),
        (Flaw::ExpiresEarly, "C10"),
        (Flaw::ExpiresLate, "C10"),
        (Flaw::Forgets, "C1"),
        (Flaw::TakesAbsentForEmpty, "C2"),
        (Flaw::ForgetsAbsence, "C2"),
        (Flaw::HidesWhatIsThere, "C4"),
        (Flaw::LeadsForEver, "C5"),
        (Flaw::LeadsTooBriefly, "C5"),
        (Flaw::KeepsTheLeadOnInvalidation, "C7"),
        (Flaw::KeepsTheValueOnInvalidation, "C7"),
        (Flaw::NeverGivesUp, "C8"),
        (Flaw::NeverProlongs, "C6"),
        (Flaw::ProlongsForAnybody, "C6"),
        (Flaw::ForgetsTheCost, "C1"),
        (Flaw::ExaggeratesTheCost, "C1"),
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
