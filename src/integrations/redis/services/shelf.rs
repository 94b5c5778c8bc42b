use super::Left;
use std::{collections::HashMap, time::Duration};
use tokio::time::Instant;

/// Values that go away by themselves: the in-process back ends' keyspace.
///
/// What has expired is never seen again, but is taken down only by the next look
/// at the same key. A shelf lives no longer than the run that made it.
#[derive(Debug)]
pub(crate) struct Shelf<T>(HashMap<String, (T, Instant)>);

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<T> Shelf<T> {
    /// Puts `value` up for `ttl`, in place of what was there.
    pub(crate) fn put(&mut self, key: &str, value: T, ttl: Duration) {
        self.0.insert(key.into(), (value, Instant::now() + ttl));
    }

    /// What is there now.
    pub(crate) fn get(&mut self, key: &str) -> Option<&mut T> {
        self.drop_expired(key);
        self.0.get_mut(key).map(|(value, _)| value)
    }

    /// Takes it down.
    pub(crate) fn take(&mut self, key: &str) -> Option<T> {
        self.drop_expired(key);
        self.0.remove(key).map(|(value, _)| value)
    }

    /// Lets what is there live for `ttl` from now on.
    pub(crate) fn keep(&mut self, key: &str, ttl: Duration) {
        if let Some((_, expires)) = self.0.get_mut(key) {
            *expires = Instant::now() + ttl;
        }
    }

    /// How long it will be there.
    pub(crate) fn left(&mut self, key: &str) -> Left {
        self.drop_expired(key);
        match self.0.get(key) {
            Some((_, expires)) => Left::For(expires.saturating_duration_since(Instant::now())),
            None => Left::Absent,
        }
    }

    fn drop_expired(&mut self, key: &str) {
        if self.0.get(key).is_some_and(|(_, expires)| *expires <= Instant::now()) {
            self.0.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::sleep;

    const TTL: Duration = Duration::from_millis(100);

    #[tokio::test(start_paused = true)]
    async fn a_value_is_there_until_its_time_and_not_after() {
        let mut shelf = Shelf::default();
        shelf.put("a", 1, TTL);
        sleep(Duration::from_millis(99)).await;
        assert_eq!(shelf.get("a"), Some(&mut 1));
        assert_eq!(shelf.left("a"), Left::For(Duration::from_millis(1)));
        sleep(Duration::from_millis(1)).await;
        assert_eq!(shelf.get("a"), None);
        assert_eq!(shelf.left("a"), Left::Absent);
    }

    #[tokio::test(start_paused = true)]
    async fn a_value_can_be_kept_and_taken() {
        let mut shelf = Shelf::default();
        shelf.put("a", 1, TTL);
        sleep(TTL / 2).await;
        shelf.keep("a", TTL);
        assert_eq!(shelf.left("a"), Left::For(TTL));
        assert_eq!((shelf.take("a"), shelf.take("a")), (Some(1), None));
    }
}
