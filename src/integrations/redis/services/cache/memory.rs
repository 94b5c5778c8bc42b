use super::{
    super::{Answer, Left, Shelf, Token},
    Bid, Cache, Entry, Fill, Fresh, Key, Lead,
};
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// The stand-in: a cache that only this process sees.
#[derive(Debug, Default)]
pub(crate) struct InProcess(Mutex<Shelves>);

#[derive(Debug, Default)]
pub(super) struct Shelves {
    pub(super) values: Shelf<Stored>,
    pub(super) leads: Shelf<Token>,
}

/// A value, or that there is none; and what loading it takes.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) value: Option<Vec<u8>>,
    pub(super) cost: Duration,
}

impl InProcess {
    pub(super) fn shelves(&self) -> MutexGuard<'_, Shelves> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelves {
    fn look(&mut self, key: &str) -> Option<Entry> {
        let Stored { value, cost } = self.values.get(key)?.clone();
        Some(Entry { value, cost, left: self.values.left(key) })
    }

    fn lead(&mut self, key: &str, within: Duration, bid: (Token, Duration)) -> Bid {
        let (entry, (token, lease)) = (self.look(key), bid);
        let good = |entry: &Entry| matches!(entry.left, Left::For(left) if left > within);
        let lead = match self.leads.left(key) {
            _ if entry.as_ref().is_some_and(good) => Lead::Needless,
            Left::For(left) => Lead::Others(left),
            Left::Absent | Left::Forever => {
                self.leads.put(key, token.clone(), lease);
                Lead::Ours(token)
            }
        };
        Bid { entry, lead }
    }

    fn leads(&mut self, key: &str, lead: &Token) -> bool {
        self.leads.get(key).is_some_and(|leader| leader == lead)
    }

    pub(super) fn store(&mut self, key: &str, fresh: Fresh<'_>) {
        let stored = Stored { value: fresh.value.map(<[u8]>::to_vec), cost: fresh.cost };
        self.values.put(key, stored, fresh.keep);
    }

    fn fill(&mut self, key: &str, lead: &Token, fresh: Fresh<'_>) -> Fill {
        if !self.leads(key, lead) {
            return Fill::Refused;
        }
        self.store(key, fresh);
        self.leads.take(key);
        Fill::Stored
    }
}

impl Cache for InProcess {
    fn look<'a>(&'a self, key: &'a Key) -> Answer<'a, Option<Entry>> {
        Box::pin(async move { Ok(self.shelves().look(key.as_str())) })
    }

    fn lead<'a>(&'a self, key: &'a Key, within: Duration, lease: Duration) -> Answer<'a, Bid> {
        Box::pin(async move {
            let bid = (Token::new()?, lease);
            Ok(self.shelves().lead(key.as_str(), within, bid))
        })
    }

    fn fill<'a>(&'a self, key: &'a Key, lead: &'a Token, fresh: Fresh<'a>) -> Answer<'a, Fill> {
        Box::pin(async move { Ok(self.shelves().fill(key.as_str(), lead, fresh)) })
    }

    fn prolong<'a>(&'a self, key: &'a Key, lead: &'a Token, lease: Duration) -> Answer<'a, bool> {
        Box::pin(async move {
            let mut shelves = self.shelves();
            let leads = shelves.leads(key.as_str(), lead);
            if leads {
                shelves.leads.keep(key.as_str(), lease);
            }
            Ok(leads)
        })
    }

    fn give_up<'a>(&'a self, key: &'a Key, lead: &'a Token) -> Answer<'a, ()> {
        Box::pin(async move {
            let mut shelves = self.shelves();
            if shelves.leads(key.as_str(), lead) {
                shelves.leads.take(key.as_str());
            }
            Ok(())
        })
    }

    fn invalidate<'a>(&'a self, key: &'a Key) -> Answer<'a, ()> {
        Box::pin(async move {
            let mut shelves = self.shelves();
            shelves.values.take(key.as_str());
            shelves.leads.take(key.as_str());
            Ok(())
        })
    }
}
