//! What was known before, so that the whole screen can be looked at as it was.

use crate::domain::{Event, IntegrationView, Series, Snapshot};
use std::{collections::VecDeque, mem, sync::Arc, time::Duration};

/// Moments that are kept,
const KEPT: usize = 120;
/// and the time between two where nothing happens.
const BETWEEN: Duration = Duration::from_secs(5);

/// The newest moments. Their series are not kept: the newest snapshot has them all.
#[derive(Clone, Debug, Default)]
pub(super) struct Past {
    kept: VecDeque<Arc<Snapshot>>,
    /// The views that the last one was made of, and what was made of them.
    made: Vec<(Arc<IntegrationView>, Arc<IntegrationView>)>,
}

impl Past {
    /// Keeps `live`, if it is worth a moment of its own: something has happened, or time went by.
    pub(super) fn keep(&mut self, live: &Snapshot) {
        if let Some(last) = self.kept.back() {
            let soon = live.at.saturating_sub(last.at) < BETWEEN;
            if soon && newest(last) == newest(live) {
                return;
            }
        }
        if self.kept.len() == KEPT {
            self.kept.pop_front();
        }
        let before = mem::take(&mut self.made);
        for view in &live.integrations {
            let known = before.iter().find(|(from, _)| Arc::ptr_eq(from, view));
            let made = known.map_or_else(|| Arc::new(bare(view)), |(_, made)| Arc::clone(made));
            self.made.push((Arc::clone(view), made));
        }
        let integrations = self.made.iter().map(|(_, made)| Arc::clone(made)).collect();
        self.kept.push_back(Arc::new(Snapshot { integrations, ..live.clone() }));
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.kept.len()
    }

    /// The place of the newest that is no newer than `at`.
    pub(super) fn place(&self, at: Duration) -> Option<usize> {
        self.kept.iter().rposition(|kept| kept.at <= at)
    }

    /// The places at which an event is the newest for the first time, in their order.
    pub(super) fn events(&self) -> impl DoubleEndedIterator<Item = usize> + '_ {
        (1..self.kept.len()).filter(|at| newest(&self.kept[*at]) != newest(&self.kept[*at - 1]))
    }

    /// Everything as it was at `place`, with as much of the series of `live` as there was then.
    pub(super) fn at(&self, place: usize, live: &Snapshot) -> Option<Arc<Snapshot>> {
        let mut then = Snapshot::clone(self.kept.get(place)?);
        let at = then.at;
        for view in &mut then.integrations {
            let Some(now) = live.integration(&view.id) else { continue };
            let view = Arc::make_mut(view);
            view.latency = until(&now.latency, at);
            for check in &mut view.checks {
                if let Some(now) = now.checks.iter().find(|it| it.id == check.id) {
                    check.measures = until(&now.measures, at);
                }
            }
        }
        Some(Arc::new(then))
    }
}

fn newest(snapshot: &Snapshot) -> Option<&Event> {
    snapshot.journal.iter().next_back()
}

/// The same without its series.
fn bare(view: &IntegrationView) -> IntegrationView {
    let mut view = view.clone();
    view.latency = Series::default();
    for check in &mut view.checks {
        check.measures = Series::default();
    }
    view
}

fn until(series: &Series, at: Duration) -> Series {
    let mut then = Series::default();
    for sample in series.iter().take_while(|sample| sample.at <= at) {
        then.push(sample.at, sample.value);
    }
    then
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{domain::Mark, tui::sample};

    /// A snapshot a second later each, with an event at those seconds.
    pub(in crate::tui) fn lived(seconds: u64, events: &[u64]) -> (Past, Snapshot) {
        let mut past = Past::default();
        let mut live = sample::snapshot();
        let began = live.at;
        for second in 0..seconds {
            live.at = began + Duration::from_secs(second);
            live.seq += 1;
            if second % 10 == 0 {
                let view = Arc::make_mut(&mut live.integrations[0]);
                view.latency.push(live.at, 0.5);
            }
            if events.contains(&second) {
                live.journal.push(Event {
                    at: live.at,
                    wall: live.wall,
                    check: None,
                    mark: Some(Mark::Fail),
                    text: format!("event {second}"),
                });
            }
            past.keep(&live);
        }
        (past, live)
    }

    #[test]
    fn a_moment_is_kept_every_few_seconds_and_whenever_something_happens() {
        let (past, live) = lived(21, &[3, 4, 17]);
        // 0, then the events 3 and 4, 9, 14, the event 17.
        assert_eq!(past.len(), 6);
        assert_eq!(past.events().collect::<Vec<_>>(), [1, 2, 5]);
        assert_eq!(past.place(live.at), Some(5));
        assert_eq!(past.place(Duration::ZERO), None);
    }

    #[test]
    fn what_is_kept_is_bounded_and_shares_what_did_not_change() {
        let (past, _) = lived(2000, &[]);
        assert_eq!(past.len(), KEPT);
        let last: Vec<_> = past.kept.iter().rev().take(2).collect();
        let same = Arc::ptr_eq(&last[0].integrations[1], &last[1].integrations[1]);
        assert!(same, "a view that did not change is kept once");
        assert!(past.kept.iter().all(|kept| kept.integrations[0].latency.iter().len() == 0));
    }

    #[test]
    fn the_past_has_the_series_that_there_were_and_nothing_of_later() {
        let (past, live) = lived(60, &[]);
        let then = past.at(3, &live).unwrap();
        assert_eq!(then.at, live.at.saturating_sub(Duration::from_secs(59 - 15)));
        let series = |snapshot: &Snapshot| snapshot.integrations[0].latency.iter().len();
        assert!(series(&then) > 0 && series(&then) < series(&live));
        let last = then.integrations[0].latency.iter().next_back().unwrap();
        assert!(last.at <= then.at);
        assert!(past.at(99, &live).is_none());
    }
}
