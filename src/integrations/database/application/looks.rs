//! What changed on a page between looks at it. Pure: it is told the time.

use super::names::{Figure, Figures, Key, Reading};
use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};
use tokio::time::Instant;

/// How far back a look counts; the last one counts however old it is.
const WINDOW: Duration = Duration::from_mins(5);
/// How many are kept.
const MOST: usize = 16;

/// The last looks at a page.
#[derive(Debug, Default)]
pub(super) struct Looks {
    seen: VecDeque<Look>,
}

#[derive(Debug)]
struct Look {
    at: Instant,
    queries: Figures,
    pools: BTreeMap<Key, Figures>,
}

/// What came since the first of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Growth {
    pub(super) span: Duration,
    pub(super) queries: Figures,
    /// Of the pools that were there already.
    pub(super) pools: BTreeMap<Key, Figures>,
    /// For how long requests have waited for a pool at every look.
    pub(super) waiting: BTreeMap<Key, Duration>,
}

impl Looks {
    /// Takes in one more; tells what came since, unless there is nothing to compare it with.
    pub(super) fn note(&mut self, at: Instant, reading: &Reading) -> Option<Growth> {
        let is_old = |look: &Look| at.duration_since(look.at) > WINDOW;
        while self.seen.len() > 1 && self.seen.front().is_some_and(is_old) {
            self.seen.pop_front();
        }
        if self.seen.back().is_some_and(|last| restarted(last, reading)) {
            self.seen.clear();
        }
        let growth = self.seen.front().map(|first| self.since(first, at, reading));
        if self.seen.len() == MOST {
            self.seen.pop_front();
        }
        let (queries, pools) = (reading.queries.clone(), reading.pools.clone());
        self.seen.push_back(Look { at, queries, pools });
        growth
    }

    fn since(&self, first: &Look, at: Instant, reading: &Reading) -> Growth {
        let grown =
            |(key, now): (&Key, &Figures)| Some((key.clone(), now.since(first.pools.get(key)?)));
        let waiting = reading.pools.iter().filter(|(_, pool)| waits(pool));
        let waiting = waiting.map(|(key, _)| (key.clone(), self.waited(key, at)));
        Growth {
            span: at.duration_since(first.at),
            queries: reading.queries.since(&first.queries),
            pools: reading.pools.iter().filter_map(grown).collect(),
            waiting: waiting.collect(),
        }
    }

    /// Since when every look saw somebody wait for `key`.
    fn waited(&self, key: &Key, at: Instant) -> Duration {
        let looks = self.seen.iter().rev();
        let looks = looks.take_while(|look| look.pools.get(key).is_some_and(waits));
        looks.last().map_or(Duration::ZERO, |look| at.duration_since(look.at))
    }
}

fn waits(pool: &Figures) -> bool {
    pool.get(Figure::Pending).is_some_and(|pending| pending > 0.0)
}

/// Whether it counts from the beginning again.
fn restarted(last: &Look, reading: &Reading) -> bool {
    let fell =
        |(key, now): (&Key, &Figures)| last.pools.get(key).is_some_and(|then| now.fell(then));
    reading.queries.fell(&last.queries) || reading.pools.iter().any(fell)
}

#[cfg(test)]
mod tests {
    use super::{
        super::names::{Tongue, is_ours},
        *,
    };
    use crate::probe::exposition::page;

    fn reading(queries: u32, timeouts: Option<u32>, pending: u32) -> Reading {
        let timeouts = timeouts.map(|it| format!("hikaricp_connections_timeout_total {it}\n"));
        let text = format!(
            "db_client_operation_duration_seconds_count {queries}\n\
             hikaricp_connections_pending {pending}\n{}",
            timeouts.unwrap_or_default()
        );
        Reading::of(&page(&text, is_ours).unwrap())
    }

    fn key() -> Key {
        (Tongue::Hikari, String::new())
    }

    const fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    #[tokio::test(start_paused = true)]
    async fn growth_is_told_from_the_first_look_within_the_window() {
        let (start, mut looks) = (Instant::now(), Looks::default());
        assert_eq!(looks.note(start, &reading(5, None, 0)), None, "nothing to compare with");
        let growth = looks.note(start + secs(60), &reading(9, Some(2), 1)).unwrap();
        assert_eq!((growth.span, growth.queries.get(Figure::Queries)), (secs(60), Some(4.0)));
        let timeouts = |growth: &Growth| growth.pools[&key()].get(Figure::Timeouts);
        assert_eq!(timeouts(&growth), Some(2.0), "the first timeout brings the series");
        let growth = looks.note(start + secs(300), &reading(9, Some(2), 0)).unwrap();
        assert_eq!((growth.span, timeouts(&growth)), (secs(300), Some(2.0)));
        let growth = looks.note(start + secs(301), &reading(9, Some(2), 0)).unwrap();
        assert_eq!((growth.span, timeouts(&growth)), (secs(241), Some(0.0)));
        let growth = looks.note(start + secs(9000), &reading(9, Some(3), 0)).unwrap();
        assert_eq!((growth.span, timeouts(&growth)), (secs(8699), Some(1.0)), "the last counts");
    }

    #[tokio::test(start_paused = true)]
    async fn a_restart_is_no_growth_and_looks_are_bounded() {
        let (start, mut looks) = (Instant::now(), Looks::default());
        looks.note(start, &reading(5, Some(5), 0));
        assert_eq!(looks.note(start + secs(1), &reading(4, Some(5), 0)), None, "queries fell");
        assert_eq!(looks.note(start + secs(2), &reading(4, Some(4), 0)), None, "timeouts fell");
        for more in 3..100 {
            assert!(looks.note(start + secs(more), &reading(4, Some(4), 0)).is_some());
        }
        assert_eq!(looks.seen.len(), MOST);
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_counts_from_the_first_look_in_a_row() {
        let (start, mut looks) = (Instant::now(), Looks::default());
        let mut waiting = |at, pending| {
            let growth = looks.note(start + secs(at), &reading(1, None, pending));
            growth.and_then(|growth| growth.waiting.get(&key()).copied())
        };
        assert_eq!(waiting(0, 1), None);
        assert_eq!(waiting(10, 1), Some(secs(10)));
        assert_eq!(waiting(20, 0), None);
        assert_eq!(waiting(30, 1), Some(secs(0)), "begun since the last look");
        assert_eq!(waiting(45, 2), Some(secs(15)));
    }
}
