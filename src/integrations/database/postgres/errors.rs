use super::{
    Memory, Postgres,
    activity::{Errors, Log, Mistake, Stats, Window},
    first, queries,
};
use crate::integrations::database::{
    fault::{Fault, Kind},
    tally::Tally,
};
use std::{collections::VecDeque, time::Duration};
use tokio::time::Instant;

/// An error on purpose is a line in the server's log, so one an hour is enough.
const APART: Duration = Duration::from_hours(1);
/// Two runs closer to each other than this were asked for by hand, which earns one too.
const BY_HAND: Duration = Duration::from_secs(25);
/// But never more often than this.
const LEAST: Duration = Duration::from_secs(5);
/// How far back the counters are compared.
const WINDOW: Duration = Duration::from_mins(5);
/// Looks kept of that time.
const LOOKS: usize = 32;

/// What is kept from one look at the errors to the next.
#[derive(Default)]
pub(super) struct Looks {
    ran: Option<Instant>,
    mistaken: Option<Instant>,
    /// Ours among the rollbacks counted.
    own: u64,
    past: VecDeque<(Instant, Stats, u64)>,
}

impl Postgres {
    /// Makes a mistake where one is due, and reads what else went wrong.
    pub(super) async fn mistakes(&self) -> Result<Errors, Fault> {
        let canary = {
            let due = self.canary.lock().await.looks.due(Instant::now());
            if due { Some(self.mistake().await?) } else { None }
        };
        let now = self.stats().await?;
        let log = self.log().await?;
        let window = self.canary.lock().await.looks.look(Instant::now(), &now);
        Ok(Errors { canary, now, window, log })
    }

    async fn mistake(&self) -> Result<Mistake, Fault> {
        let (mut memory, mut session) = self.second().await?;
        let before = self.stats().await?;
        let mut tally = Tally::new(self.slow);
        let mut code = String::new();
        for sql in [queries::PING, queries::MISTAKE] {
            match Self::tried(&mut session, sql).await {
                Ok(rows) => tally.note(sql, rows, Duration::ZERO),
                Err(fault) if matches!(fault.kind, Kind::Statement) => {
                    tally.failed(&fault.code);
                    code = fault.code;
                }
                Err(fault) => return Err(fault),
            }
        }
        self.part(session).await;
        memory.looks.mistaken = Some(Instant::now());
        memory.looks.own += 1;
        drop(memory);
        let after = self.counted(&before, |now, then| now.rollbacks > then.rollbacks).await?;
        let (counted, fine) = (tally.errors.clone(), tally.statements);
        Ok(Mistake { code, counted, fine, rollbacks: after.rollbacks - before.rollbacks })
    }

    async fn log(&self) -> Result<Log, Fault> {
        let rows = self.read(queries::LOG.into()).await?;
        let line = first(&rows, queries::LOG, "")?;
        Ok(Log {
            collector: line.read("collector")?,
            destination: line.read("destination")?,
            statements: line.read("statements")?,
        })
    }
}

impl Memory {
    /// One of the rollbacks that the server counts is ours.
    pub(super) fn rolled_back(&mut self) {
        self.looks.own += 1;
    }
}

impl Looks {
    /// Whether a mistake is due at `now`.
    fn due(&mut self, now: Instant) -> bool {
        let since = |then: Option<Instant>| then.map(|then| now.saturating_duration_since(then));
        let by_hand = since(self.ran.replace(now)).is_some_and(|ago| ago < BY_HAND);
        match since(self.mistaken) {
            None => true,
            Some(ago) => ago >= APART || (by_hand && ago >= LEAST),
        }
    }

    /// How the counters moved within the window, up to `stats` at `now`.
    fn look(&mut self, now: Instant, stats: &Stats) -> Window {
        self.past.retain(|(at, then, _)| {
            now.saturating_duration_since(*at) <= WINDOW && stats.continues(then)
        });
        self.past.truncate(LOOKS);
        let window = match self.past.front() {
            None => Window::default(),
            Some((at, then, own)) => {
                moved(now.saturating_duration_since(*at), then, stats, self.own - own)
            }
        };
        self.past.push_back((now, stats.clone(), self.own));
        window
    }
}

fn moved(span: Duration, then: &Stats, now: &Stats, own: u64) -> Window {
    let by = |of: fn(&Stats) -> i64| (of(now) - of(then)).max(0).unsigned_abs();
    let rolled_back = by(|stats| stats.rollbacks).saturating_sub(own);
    Window {
        span,
        ended: by(|stats| stats.commits) + rolled_back,
        rolled_back,
        fatal: by(|stats| stats.fatal),
        conflicts: by(|stats| stats.conflicts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stats(commits: i64, rollbacks: i64) -> Stats {
        Stats { commits, rollbacks, ..Stats::default() }
    }

    #[tokio::test(start_paused = true)]
    async fn a_mistake_is_made_once_an_hour_and_by_hand() {
        let mut looks = Looks::default();
        let start = Instant::now();
        let mut due = |seconds: u64| {
            let now = start + Duration::from_secs(seconds);
            let due = looks.due(now);
            if due {
                looks.mistaken = Some(now);
            }
            due
        };
        assert!(due(0), "the first run");
        assert!(!due(30) && !due(60), "polls");
        assert!(due(70), "asked for by hand");
        assert!(!due(72), "the second attempt of a burst");
        assert!(!due(100) && !due(3660));
        assert!(due(3690), "an hour after the last one");
    }

    #[tokio::test(start_paused = true)]
    async fn the_window_leaves_our_own_rollbacks_out_and_starts_anew_after_a_reset() {
        let mut looks = Looks::default();
        let start = Instant::now();
        assert_eq!(looks.look(start, &stats(100, 10)), Window::default());
        looks.own += 1;
        let window = looks.look(start + Duration::from_secs(30), &stats(120, 14));
        assert_eq!((window.ended, window.rolled_back), (23, 3));
        assert_eq!(window.span, Duration::from_secs(30));
        let window = looks.look(start + Duration::from_secs(310), &stats(130, 14));
        assert_eq!(window.span, Duration::from_secs(280), "what is older than 5 min is forgotten");
        let reset = looks.look(start + Duration::from_secs(320), &stats(5, 0));
        assert_eq!(reset, Window::default(), "no rate is negative, and none is giant");
    }
}
