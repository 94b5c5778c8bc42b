use super::{
    super::{super::keys::milliseconds, Answer, Left, Shelf},
    Key, Rate, RateLimit, Ruling,
};
use std::{
    iter,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// The stand-in: limits that only this process keeps to.
#[derive(Clone, Debug, Default)]
pub(crate) struct InProcess(Arc<Mutex<Shelf<Log>>>);

/// When calls were let through, in order.
pub(super) type Log = Vec<Instant>;

impl InProcess {
    pub(super) fn logs(&self) -> MutexGuard<'_, Shelf<Log>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelf<Log> {
    fn rule(&mut self, key: &str, calls: usize, rate: Rate) -> Ruling {
        if calls > rate.calls {
            return Ruling::Never;
        }
        let (now, window) = (Instant::now(), Duration::from_millis(milliseconds(rate.window)));
        let log = self.get(key).map(|log| log.as_slice()).unwrap_or_default();
        let mut log: Log = log.iter().copied().filter(|call| now - *call < window).collect();
        let remaining = rate.calls.saturating_sub(log.len());
        if let Some(over) = calls.checked_sub(remaining + 1) {
            // What has to leave the window first: one more call than `over`.
            let last = log.get(over + log.len().saturating_sub(rate.calls)).copied();
            let retry_after = last.map_or(window, |last| last + window - now);
            return Ruling::Refused { remaining, retry_after };
        }
        if calls > 0 {
            log.extend(iter::repeat_n(now, calls));
            self.put(key, log, window);
        }
        Ruling::Admitted { remaining: remaining - calls }
    }
}

impl RateLimit for InProcess {
    fn ask<'a>(&'a self, key: &'a Key, calls: usize, rate: Rate) -> Answer<'a, Ruling> {
        Box::pin(async move { Ok(self.logs().rule(key.as_str(), calls, rate)) })
    }

    fn left<'a>(&'a self, key: &'a Key) -> Answer<'a, Left> {
        Box::pin(async move { Ok(self.logs().left(key.as_str())) })
    }

    fn peer(&self) -> Arc<dyn RateLimit> {
        Arc::new(self.clone())
    }
}
