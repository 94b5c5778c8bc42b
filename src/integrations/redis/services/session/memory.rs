use super::{
    super::{super::keys::CEILING, Answer, Left, Shelf},
    Created, Key, Life, Rotated, Saved, Session, Sessions,
};
use std::{
    cmp,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// The stand-in: sessions that end with this process.
#[derive(Debug, Default)]
pub(crate) struct InProcess(Mutex<Shelf<Entry>>);

#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) session: Session,
    pub(super) idle: Duration,
    pub(super) end: Instant,
}

impl InProcess {
    pub(super) fn shelf(&self) -> MutexGuard<'_, Shelf<Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelf<Entry> {
    fn begin(&mut self, key: &str, data: &[u8], life: Life) -> Created {
        if self.get(key).is_some() {
            return Created::Exists;
        }
        let session = Session { data: data.to_vec(), version: 1 };
        let absolute = cmp::min(life.absolute, CEILING);
        let entry = Entry { session, idle: life.idle, end: Instant::now() + absolute };
        self.put(key, entry, cmp::min(life.idle, absolute));
        Created::Fresh
    }

    fn load(&mut self, key: &str) -> Option<Session> {
        let entry = self.get(key)?;
        let (session, idle, end) = (entry.session.clone(), entry.idle, entry.end);
        let left = cmp::min(idle, end.saturating_duration_since(Instant::now()));
        self.keep(key, left);
        Some(session)
    }

    fn save(&mut self, key: &str, version: u64, data: &[u8]) -> Saved {
        let Some(entry) = self.get(key) else { return Saved::Gone };
        if entry.session.version != version {
            return Saved::Conflict;
        }
        entry.session = Session { data: data.to_vec(), version: version + 1 };
        Saved::Stored
    }

    pub(super) fn rotate(&mut self, from: &str, to: &str) -> Rotated {
        let Left::For(left) = self.left(from) else { return Rotated::Gone };
        if self.get(to).is_some() {
            return Rotated::Exists;
        }
        self.take(from).map_or(Rotated::Gone, |entry| {
            self.put(to, entry, left);
            Rotated::Moved
        })
    }
}

impl Sessions for InProcess {
    fn create<'a>(&'a self, key: &'a Key, data: &'a [u8], life: Life) -> Answer<'a, Created> {
        Box::pin(async move { Ok(self.shelf().begin(key.as_str(), data, life)) })
    }

    fn load<'a>(&'a self, key: &'a Key) -> Answer<'a, Option<Session>> {
        Box::pin(async move { Ok(self.shelf().load(key.as_str())) })
    }

    fn save<'a>(&'a self, key: &'a Key, version: u64, data: &'a [u8]) -> Answer<'a, Saved> {
        Box::pin(async move { Ok(self.shelf().save(key.as_str(), version, data)) })
    }

    fn rotate<'a>(&'a self, from: &'a Key, to: &'a Key) -> Answer<'a, Rotated> {
        Box::pin(async move { Ok(self.shelf().rotate(from.as_str(), to.as_str())) })
    }

    fn destroy<'a>(&'a self, key: &'a Key) -> Answer<'a, ()> {
        Box::pin(async move {
            self.shelf().take(key.as_str());
            Ok(())
        })
    }

    fn leave<'a>(&'a self, keys: &'a [Key], life: Duration) -> Answer<'a, ()> {
        Box::pin(async move {
            let life = Life { idle: life, absolute: life };
            for key in keys {
                self.shelf().begin(key.as_str(), b"", life);
            }
            Ok(())
        })
    }

    /// The stand-in takes down what has ended when it is asked for, and promises no more.
    fn lingering<'a>(&'a self, _keys: &'a [Key]) -> Answer<'a, Option<u64>> {
        Box::pin(async { Ok(None) })
    }

    fn left<'a>(&'a self, key: &'a Key) -> Answer<'a, Left> {
        Box::pin(async move { Ok(self.shelf().left(key.as_str())) })
    }
}
