//! Decides which check runs when. Pure: it is told the time.

use super::Begin;
use crate::domain::{Cadence, CheckSpec, IntegrationId, Trigger};
use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    time::Duration,
};
use tokio::time::Instant;

/// Runs of one integration at a time, so that it cannot take all of its server's connections.
const AT_ONCE: usize = 4;
/// The first runs wait until the first frame is on the screen.
const FIRST: Duration = Duration::from_millis(5);
/// And then start one after the other.
const STAGGER: Duration = Duration::from_millis(2);

/// The timetable of one integration.
#[derive(Debug)]
pub(super) struct Schedule {
    started: Instant,
    slots: Vec<Slot>,
    paused: bool,
}

#[derive(Debug)]
struct Slot {
    /// How often, and at which offset from the start.
    period: Option<(Duration, Duration)>,
    need: Option<usize>,
    running: bool,
    ever_ended: bool,
    due: Option<Instant>,
    /// Why it is due, where somebody asked.
    order: Option<Order>,
    /// What to do once the run under way has ended.
    next_order: Option<Order>,
}

/// Why a check is to run outside its timetable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Order {
    /// Who wants it.
    pub(super) trigger: Trigger,
}

/// A check to run now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Due {
    /// Its position.
    pub(super) check: usize,
    /// What started it.
    pub(super) trigger: Trigger,
    /// Whether the answer is to be confirmed at once.
    pub(super) burst: bool,
}

impl Schedule {
    /// Everything with a cadence is due shortly, one after the other; or, with
    /// [`Begin::WhenAsked`], nothing ever is by itself.
    pub(super) fn new(id: &IntegrationId, specs: &[CheckSpec], begin: Begin, now: Instant) -> Self {
        let slot = |(index, spec): (u32, &CheckSpec)| {
            let period = match (begin, spec.cadence) {
                (Begin::Polling, Cadence::Every(period)) => {
                    Some((period, offset(id, spec, period)))
                }
                (Begin::WhenAsked, _) | (_, Cadence::OnDemand) => None,
            };
            Slot {
                period,
                need: specs.iter().position(|other| Some(&other.name) == spec.needs.as_ref()),
                running: false,
                ever_ended: false,
                due: period.map(|_| now + FIRST + STAGGER * index),
                order: None,
                next_order: None,
            }
        };
        Self { started: now, slots: (0_u32..).zip(specs).map(slot).collect(), paused: false }
    }

    /// Stops or resumes what runs by itself.
    pub(super) fn pause(&mut self, paused: bool) {
        self.paused = paused;
    }

    /// Brings a check forward. One that is running runs once more afterwards.
    ///
    /// Says whether it has to wait for the run under way.
    pub(super) fn request(&mut self, check: usize, order: Order, now: Instant) -> bool {
        let slot = &mut self.slots[check];
        if slot.running {
            slot.next_order = Some(order);
            return true;
        }
        (slot.due, slot.order) = (Some(now), Some(order));
        let need = slot.need.filter(|need| !self.slots[*need].ever_ended);
        if let Some(need) = need {
            self.request(need, order, now);
        }
        false
    }

    /// Forgets what was asked about a check but has not begun.
    pub(super) fn call_off(&mut self, check: usize, now: Instant) {
        let started = self.started;
        let slot = &mut self.slots[check];
        slot.next_order = None;
        if slot.order.take().is_some() {
            slot.due = slot.next_turn(started, now);
        }
    }

    /// Marks what is due as running and returns it, what was asked for first.
    pub(super) fn take_due(&mut self, now: Instant) -> Vec<Due> {
        let running = self.slots.iter().filter(|slot| slot.running).count();
        let is_due = |index: &usize| {
            self.is_ready(*index) && self.slots[*index].due.is_some_and(|due| due <= now)
        };
        let mut taken: Vec<usize> = (0..self.slots.len()).filter(is_due).collect();
        taken.sort_by_key(|index| self.slots[*index].order.is_none());
        taken.truncate(AT_ONCE.saturating_sub(running));
        taken.into_iter().map(|index| self.slots[index].begin(index)).collect()
    }

    /// Notes that a run ended and when its check is due again.
    pub(super) fn ended(&mut self, check: usize, now: Instant) {
        let started = self.started;
        let slot = &mut self.slots[check];
        (slot.running, slot.ever_ended) = (false, true);
        slot.order = slot.next_order.take();
        slot.due = if slot.order.is_some() { Some(now) } else { slot.next_turn(started, now) };
    }

    /// When something can next begin, if anything can.
    ///
    /// What waits for a run to end, for its need or for room, is not counted: the
    /// end of that run is what wakes the supervisor.
    pub(super) fn next(&self) -> Option<Instant> {
        let running = self.slots.iter().filter(|slot| slot.running).count();
        if running >= AT_ONCE {
            return None;
        }
        let ready = (0..self.slots.len()).filter(|index| self.is_ready(*index));
        ready.filter_map(|index| self.slots[index].due).min()
    }

    /// The checks that need `check`.
    pub(super) fn dependents(&self, check: usize) -> Vec<usize> {
        let needs = |index: &usize| self.slots[*index].need == Some(check);
        (0..self.slots.len()).filter(needs).collect()
    }

    /// The check that `check` needs.
    pub(super) fn need(&self, check: usize) -> Option<usize> {
        self.slots[check].need
    }

    fn is_ready(&self, index: usize) -> bool {
        let slot = &self.slots[index];
        let need = slot.need.map(|need| &self.slots[need]);
        !slot.running
            && (slot.order.is_some() || !self.paused)
            && need.is_none_or(|need| need.ever_ended && !need.running && need.order.is_none())
    }
}

impl Slot {
    fn begin(&mut self, check: usize) -> Due {
        self.running = true;
        self.due = None;
        let order = self.order.take();
        let trigger = order.map_or(Trigger::Schedule, |order| order.trigger);
        Due { check, trigger, burst: order.is_some() }
    }

    /// The next turn on the timetable, at least half a period away. Missed ones are skipped.
    fn next_turn(&self, started: Instant, now: Instant) -> Option<Instant> {
        let (period, offset) = self.period?;
        let earliest = now + period / 2;
        let since = earliest.saturating_duration_since(started + offset);
        let turns = since.as_nanos().div_ceil(period.as_nanos().max(1));
        let turns = u32::try_from(turns).unwrap_or(u32::MAX);
        Some(started + offset + period * turns)
    }
}

/// Spreads checks over their cadence: fixed for a check, different between checks.
fn offset(id: &IntegrationId, spec: &CheckSpec, period: Duration) -> Duration {
    let mut hasher = DefaultHasher::new();
    (id.as_str(), &spec.name).hash(&mut hasher);
    let millis = u64::try_from(period.as_millis()).unwrap_or(u64::MAX).max(1);
    Duration::from_millis(hasher.finish() % millis)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Finding, sample};
    use proptest::prelude::*;

    const ASKED: Order = Order { trigger: Trigger::Asked };

    fn spec(name: &'static str, need: Option<&'static str>) -> CheckSpec {
        let spec = sample::check(name, 1, Finding::pass("")).spec; // every 10 s
        CheckSpec { needs: need.map(Into::into), ..spec }
    }

    fn schedule(specs: &[CheckSpec], begin: Begin) -> (Schedule, Instant) {
        let now = Instant::now();
        (Schedule::new(&IntegrationId::new("test").unwrap(), specs, begin, now), now)
    }

    fn taken(schedule: &mut Schedule, now: Instant) -> Vec<usize> {
        schedule.take_due(now).into_iter().map(|due| due.check).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn first_runs_are_staggered_and_at_most_four_at_once() {
        let names = ["a", "b", "c", "d", "e", "f"];
        let (mut schedule, start) = schedule(&names.map(|name| spec(name, None)), Begin::Polling);
        assert!(taken(&mut schedule, start).is_empty());
        assert_eq!(schedule.next(), Some(start + FIRST));
        assert_eq!(taken(&mut schedule, start + FIRST), [0]);
        let later = start + Duration::from_secs(1);
        assert_eq!(taken(&mut schedule, later), [1, 2, 3]);
        assert_eq!(schedule.next(), None, "there is no room until one ends");
        schedule.ended(0, later);
        assert_eq!(taken(&mut schedule, later), [4]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_check_waits_for_what_it_needs() {
        let specs = [spec("lock", Some("connect")), spec("connect", None)];
        let (mut schedule, start) = schedule(&specs, Begin::WhenAsked);
        assert_eq!(schedule.next(), None, "nothing runs by itself");
        schedule.request(0, ASKED, start);
        assert_eq!(taken(&mut schedule, start), [1], "what it needs goes first, unasked");
        assert_eq!(schedule.next(), None);
        schedule.ended(1, start);
        assert_eq!(taken(&mut schedule, start), [0]);
    }

    #[tokio::test(start_paused = true)]
    async fn asking_during_a_run_queues_one_more_and_never_two() {
        let (mut schedule, start) = schedule(&[spec("a", None)], Begin::WhenAsked);
        schedule.request(0, ASKED, start);
        assert_eq!(taken(&mut schedule, start), [0]);
        assert!(schedule.request(0, ASKED, start) && schedule.request(0, ASKED, start));
        schedule.ended(0, start);
        assert_eq!(taken(&mut schedule, start), [0]);
        schedule.ended(0, start);
        assert!(taken(&mut schedule, start).is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn while_paused_only_what_is_asked_for_runs() {
        let (mut schedule, start) = schedule(&[spec("a", None), spec("b", None)], Begin::Polling);
        schedule.pause(true);
        let later = start + Duration::from_mins(1);
        assert_eq!((taken(&mut schedule, later), schedule.next()), (vec![], None));
        schedule.request(1, ASKED, later);
        assert_eq!(taken(&mut schedule, later), [1]);
        schedule.pause(false);
        assert_eq!(taken(&mut schedule, later), [0]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_called_off_goes_back_to_its_timetable() {
        let (mut schedule, start) = schedule(&[spec("a", None)], Begin::Polling);
        taken(&mut schedule, start + FIRST);
        schedule.ended(0, start + FIRST);
        let due = schedule.next();
        schedule.request(0, ASKED, start + FIRST);
        schedule.call_off(0, start + FIRST);
        assert_eq!(schedule.next(), due);
        assert!(taken(&mut schedule, start + FIRST).is_empty());
    }

    proptest! {
        #[test]
        fn missed_turns_are_skipped_and_the_rhythm_is_kept(runs in prop::collection::vec(0_u64..60_000, 1..20)) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
            let _entered = runtime.enter();
            let (mut schedule, start) = schedule(&[spec("a", None)], Begin::Polling);
            let period = Duration::from_secs(10);
            let mut now = start + FIRST;
            let mut phases = Vec::new();
            for took in runs {
                prop_assert_eq!(taken(&mut schedule, now), vec![0]);
                let ended = now + Duration::from_millis(took);
                schedule.ended(0, ended);
                now = schedule.next().unwrap();
                prop_assert!(now >= ended + period / 2 && now <= ended + period / 2 + period);
                phases.push((now - start).as_millis() % period.as_millis());
            }
            prop_assert!(phases.windows(2).all(|pair| pair[0] == pair[1]));
        }
    }
}
