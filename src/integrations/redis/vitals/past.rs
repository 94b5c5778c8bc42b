//! What earlier looks leave for the next one to compare with. Pure.

use super::Seen;
use crate::integrations::redis::info::{Info, KeyCount};
use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    time::Duration,
};
use tokio::time::Instant;

/// Keys of ours that a full run may have on the server at a time.
const OURS: u64 = 96;
/// Looks kept for a trend: ten minutes of them and some more.
const KEPT: usize = 60;
/// Looks in a row that may all find more blocked clients.
pub(super) const RISING: usize = 5;

/// What earlier looks leave for the next one to compare with.
#[derive(Debug, Default)]
pub(in crate::integrations::redis) struct Past {
    last: Option<(Info, Instant)>,
    /// Memory in use, oldest first, since the server started.
    pub(super) used: VecDeque<(Instant, u64)>,
    /// Clients that wait for something, oldest first.
    pub(super) blocked: VecDeque<u64>,
    /// Most replicas that were ever there.
    pub(super) replicas: usize,
    /// Whether it was a master once.
    pub(super) was_master: bool,
    /// The newest entry of the slow log.
    pub(super) slow: Option<i64>,
    /// Error replies that were ours by then, by code.
    ours: HashMap<String, u64>,
    restart: Option<Restart>,
    /// The server's settings, where they could be seen.
    settings: HashMap<String, String>,
    /// Questions that were refused; they are not asked again of this process.
    refused: BTreeSet<&'static str>,
}

/// When the server was seen to have started anew, and what it said of its keys
/// before and after.
#[derive(Clone, Copy, Debug)]
pub(super) struct Restart {
    pub(super) at: Instant,
    then: KeyCount,
    now: KeyCount,
}

impl Restart {
    /// What was lost by it. Our own keys come and go, and none of them lasts.
    pub(super) fn lost(self) -> Option<String> {
        let Self { then, now, .. } = self;
        if then.all > now.all + OURS {
            Some(format!("keys {} -> {}", then.all, now.all))
        } else if then.lasting > now.lasting {
            Some(format!("lasting keys {} -> {}", then.lasting, now.lasting))
        } else {
            None
        }
    }
}

/// How a counter moved since the look before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Growth {
    /// There was none, or the server has started anew since.
    Unknown,
    By(u64),
}

/// How a look is related to the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Since {
    FirstLook,
    Restart,
    LastLook,
}

impl Past {
    pub(super) fn since(&self, now: &Info) -> Since {
        let Some((last, _)) = &self.last else { return Since::FirstLook };
        let uptime = |info: &Info| info.count("uptime_in_seconds");
        let same = last.text("run_id") == now.text("run_id") && uptime(now) >= uptime(last);
        if same { Since::LastLook } else { Since::Restart }
    }

    /// What the look before told, if the server has run on since.
    pub(super) fn before(&self, now: &Info) -> Option<(&Info, Instant)> {
        let (last, at) = self.last.as_ref()?;
        (self.since(now) == Since::LastLook).then_some((last, *at))
    }

    /// The last restart: since the look before, or an earlier one.
    pub(super) fn restarted(&self, seen: &Seen) -> Option<Restart> {
        let before = self.last.as_ref().filter(|_| self.since(&seen.info) == Since::Restart);
        let restart = before.map(|(before, _)| {
            let (then, now) = (before.keys(), seen.info.keys());
            Restart { at: seen.at, then, now }
        });
        restart.or(self.restart)
    }

    /// How the counter `name` moved; `None` where there is no such counter. One that
    /// went back was reset by somebody.
    pub(super) fn growth(&self, now: &Info, name: &str) -> Option<Growth> {
        let count = now.count(name)?;
        let before = self.before(now).and_then(|(last, _)| last.count(name));
        let grown = before.and_then(|before| count.checked_sub(before));
        Some(grown.map_or(Growth::Unknown, Growth::By))
    }

    /// How long ago the look before was.
    pub(super) fn apart(&self, seen: &Seen) -> Option<Duration> {
        let (_, at) = self.before(&seen.info)?;
        Some(seen.at.saturating_duration_since(at))
    }

    /// How many error replies of this code were ours by the look before.
    pub(super) fn ours(&self, code: &str) -> u64 {
        self.ours.get(code).copied().unwrap_or(0)
    }

    /// A setting as it was at the last look, if it could be seen.
    pub(in crate::integrations::redis) fn setting(&self, name: &str) -> Option<&str> {
        self.settings.get(name).map(String::as_str)
    }

    pub(in crate::integrations::redis) fn may_ask(&self, question: &'static str) -> bool {
        !self.refused.contains(question)
    }

    pub(in crate::integrations::redis) fn was_refused(&mut self, question: &'static str) {
        self.refused.insert(question);
    }

    /// Keeps what the next look compares with.
    pub(in crate::integrations::redis) fn remember(&mut self, seen: &Seen) {
        let info = &seen.info;
        self.restart = self.restarted(seen);
        if self.since(info) == Since::Restart {
            (self.used, self.blocked, self.refused) = Default::default();
            self.slow = None;
        }
        if let Some(used) = info.count("used_memory") {
            self.used.push_back((seen.at, used));
        }
        if let Some(blocked) = info.count("blocked_clients") {
            self.blocked.push_back(blocked);
        }
        self.used.drain(..self.used.len().saturating_sub(KEPT));
        self.blocked.drain(..self.blocked.len().saturating_sub(RISING));
        self.replicas = self.replicas.max(info.replicas().len());
        self.was_master |= info.text("role") == Some("master");
        let newest = seen.slow.iter().flatten().map(|entry| entry.id).max();
        self.slow = newest.or(self.slow).or(seen.slow.as_ref().map(|_| -1));
        self.settings = seen.config.clone().unwrap_or_default();
        self.ours.clone_from(&seen.ours);
        self.last = Some((info.clone(), seen.at));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(text: &str) -> Seen {
        Seen::of(Info::parse(text))
    }

    #[tokio::test]
    async fn counters_are_compared_within_one_life_of_the_server() {
        let mut past = Past::default();
        let now = |text: &str| Info::parse(text);
        let growth = |past: &Past, text: &str| past.growth(&now(text), "evicted_keys");
        let first = "run_id:a\nuptime_in_seconds:9\nevicted_keys:7";
        assert_eq!(past.since(&now(first)), Since::FirstLook);
        assert_eq!(growth(&past, first), Some(Growth::Unknown));
        past.remember(&seen(first));
        assert_eq!(growth(&past, first), Some(Growth::By(0)));
        let of = |rest: &str| growth(&past, &format!("{rest}\nevicted_keys:9"));
        assert_eq!(of("run_id:a\nuptime_in_seconds:10"), Some(Growth::By(2)));
        assert_eq!(of("run_id:b\nuptime_in_seconds:10"), Some(Growth::Unknown), "another process");
        assert_eq!(of("run_id:a\nuptime_in_seconds:8"), Some(Growth::Unknown), "it started anew");
        let reset = growth(&past, "run_id:a\nuptime_in_seconds:9\nevicted_keys:6");
        assert_eq!(reset, Some(Growth::Unknown), "CONFIG RESETSTAT");
        assert_eq!(growth(&past, "run_id:a\nuptime_in_seconds:9"), None, "absent is not zero");
    }

    #[tokio::test]
    async fn what_was_refused_is_asked_again_of_another_process_only() {
        let mut past = Past::default();
        past.remember(&seen("run_id:a"));
        past.was_refused("SLOWLOG");
        past.remember(&seen("run_id:a"));
        assert!(!past.may_ask("SLOWLOG") && past.may_ask("CONFIG"));
        past.remember(&seen("run_id:b"));
        assert!(past.may_ask("SLOWLOG"));
    }

    #[tokio::test]
    async fn what_is_kept_is_bounded() {
        let mut past = Past::default();
        for n in 0..200 {
            past.remember(&seen(&format!("run_id:a\nused_memory:{n}\nblocked_clients:{n}")));
        }
        assert_eq!((past.used.len(), past.blocked.len()), (KEPT, RISING));
    }
}
