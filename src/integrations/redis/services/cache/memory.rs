use super::{
    super::{Answer, Left, Shelf, Token},
    Cache, Fill, Key, Look,
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
    pub(super) values: Shelf<Vec<u8>>,
    pub(super) leads: Shelf<Token>,
}

impl InProcess {
    pub(super) fn shelves(&self) -> MutexGuard<'_, Shelves> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelves {
    fn look(&mut self, key: &str, token: Token, lease: Duration) -> Look {
        if let Some(value) = self.values.get(key) {
            return Look::Hit(value.clone());
        }
        match self.leads.left(key) {
            Left::For(left) => Look::Wait(left),
            Left::Absent | Left::Forever => {
                self.leads.put(key, token.clone(), lease);
                Look::Lead(token)
            }
        }
    }

    fn fill(&mut self, key: &str, lead: &Token, value: &[u8], ttl: Duration) -> Fill {
        if self.leads.get(key).is_none_or(|leader| leader != lead) {
            return Fill::Refused;
        }
        self.values.put(key, value.to_vec(), ttl);
        self.leads.take(key);
        Fill::Stored
    }
}

impl Cache for InProcess {
    fn look<'a>(&'a self, key: &'a Key, lease: Duration) -> Answer<'a, Look> {
        Box::pin(async move { Ok(self.shelves().look(key.as_str(), Token::new()?, lease)) })
    }

    fn fill<'a>(
        &'a self,
        key: &'a Key,
        lead: &'a Token,
        value: &'a [u8],
        ttl: Duration,
    ) -> Answer<'a, Fill> {
        Box::pin(async move { Ok(self.shelves().fill(key.as_str(), lead, value, ttl)) })
    }

    fn left<'a>(&'a self, key: &'a Key) -> Answer<'a, Left> {
        Box::pin(async move { Ok(self.shelves().values.left(key.as_str())) })
    }
}
