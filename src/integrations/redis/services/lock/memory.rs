use super::{
    super::{super::keys::CEILING, Answer, Left, Shelf, Token},
    Acquired, Key, Lock, Owner, Written,
};
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// The stand-in: a lock that excludes only within this process.
#[derive(Debug, Default)]
pub(crate) struct InProcess(Mutex<Shelves>);

#[derive(Debug, Default)]
pub(super) struct Shelves {
    pub(super) holders: Shelf<Token>,
    pub(super) fences: Shelf<u64>,
    pub(super) guarded: Shelf<(u64, Vec<u8>)>,
}

impl InProcess {
    pub(super) fn shelves(&self) -> MutexGuard<'_, Shelves> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelves {
    fn acquire(&mut self, key: &str, token: &Token, ttl: Duration) -> Acquired {
        match (self.holders.get(key).cloned(), self.holders.left(key)) {
            (Some(holder), _) if holder == *token => {
                self.holders.keep(key, ttl);
                Acquired::Held { fence: self.fences.get(key).map_or(0, |fence| *fence) }
            }
            (Some(_), Left::For(left)) => Acquired::Busy { left },
            _ => {
                let fence = self.fences.get(key).map_or(1, |last| *last + 1);
                self.fences.put(key, fence, CEILING);
                self.holders.put(key, token.clone(), ttl);
                Acquired::Held { fence }
            }
        }
    }

    fn owner(&mut self, key: &str, token: &Token) -> Owner {
        match self.holders.get(key) {
            Some(holder) if holder == token => Owner::Yes,
            Some(_) | None => Owner::No,
        }
    }

    fn write(&mut self, key: &str, fence: u64, value: &[u8], ttl: Duration) -> Written {
        if self.guarded.get(key).is_some_and(|(highest, _)| fence < *highest) {
            return Written::Refused;
        }
        self.guarded.put(key, (fence, value.to_vec()), ttl);
        Written::Accepted
    }
}

impl Lock for InProcess {
    fn acquire<'a>(
        &'a self,
        key: &'a Key,
        token: &'a Token,
        ttl: Duration,
    ) -> Answer<'a, Acquired> {
        Box::pin(async move { Ok(self.shelves().acquire(key.as_str(), token, ttl)) })
    }

    fn extend<'a>(&'a self, key: &'a Key, token: &'a Token, ttl: Duration) -> Answer<'a, Owner> {
        Box::pin(async move {
            let mut shelves = self.shelves();
            let owner = shelves.owner(key.as_str(), token);
            if owner == Owner::Yes {
                shelves.holders.keep(key.as_str(), ttl);
            }
            Ok(owner)
        })
    }

    fn release<'a>(&'a self, key: &'a Key, token: &'a Token) -> Answer<'a, Owner> {
        Box::pin(async move {
            let mut shelves = self.shelves();
            let owner = shelves.owner(key.as_str(), token);
            if owner == Owner::Yes {
                shelves.holders.take(key.as_str());
            }
            Ok(owner)
        })
    }

    fn remembered<'a>(&'a self, key: &'a Key) -> Answer<'a, Left> {
        Box::pin(async move { Ok(self.shelves().fences.left(key.as_str())) })
    }

    fn left<'a>(&'a self, key: &'a Key) -> Answer<'a, Left> {
        Box::pin(async move { Ok(self.shelves().holders.left(key.as_str())) })
    }

    fn write<'a>(
        &'a self,
        key: &'a Key,
        fence: u64,
        value: &'a [u8],
        ttl: Duration,
    ) -> Answer<'a, Written> {
        Box::pin(async move { Ok(self.shelves().write(key.as_str(), fence, value, ttl)) })
    }
}
