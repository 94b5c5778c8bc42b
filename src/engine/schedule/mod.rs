//! Decides which check runs when. Pure: it is told the time.

use super::Begin;
use crate::domain::{Cadence, CheckSpec, IntegrationId, Trigger};
use std::{
    cmp,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    time::Duration,
};
use tokio::time::Instant;

/// The first runs wait until the first frame is on the screen.
const FIRST: Duration = Duration::from_millis(5);
/// And then start one after the other.
const STAGGER: Duration = Duration::from_millis(2);

/// What happens between two turns starts the same check at most this often.
const STIRRED: Duration = Duration::from_secs(5);
/// Between the end of a run and the next turn, at least.
const BREATH: Duration = Duration::from_millis(100);
/// Turns that are further apart than this are shifted at random,
const LONG: Duration = Duration::from_secs(30);
/// by this part of a period either way, so that two are a tenth closer or further
/// apart at most and nothing else that is periodic is met each time.
const SHIFT: f64 = 0.05;

/// The timetable of one integration.
#[derive(Debug)]
pub(super) struct Schedule {
    started: Instant,
    /// What the shifts are drawn from.
    seed: u64,
    slots: Vec<Slot>,
    /// Runs at a time. What others need is not counted: its answer ends their waiting.
    at_once: usize,
    paused: bool,
}

#[derive(Debug)]
struct Slot {
    /// How often, and at which offset from the start.
    period: Option<(Duration, Duration)>,
    need: Option<usize>,
    running: bool,
    ever_ended: bool,
    /// When it was last brought forward by what happened, or is going to be.
    stirred: Option<Instant>,
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

impl Order {
    /// Nobody asked: what happened makes it worth a look.
    pub(super) const UNASKED: Self = Self { trigger: Trigger::Schedule };
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
    pub(super) fn new(
        id: &IntegrationId,
        specs: &[CheckSpec],
        begin: Begin,
        seed: u64,
        now: Instant,
    ) -> Self {
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
                stirred: None,
                due: period.map(|_| now + FIRST + STAGGER * index),
                order: None,
                next_order: None,
            }
        };
        let slots = (0_u32..).zip(specs).map(slot).collect();
        Self { started: now, seed, slots, at_once: usize::MAX, paused: false }
    }

    /// Lets no more than so many run at a time.
    pub(super) fn at_most(self, at_once: usize) -> Self {
        Self { at_once, ..self }
    }

    /// Stops or resumes what runs by itself.
    pub(super) fn pause(&mut self, paused: bool) {
        self.paused = paused;
        if paused {
            for slot in &mut self.slots {
                let asked = |order: &Order| order.trigger == Trigger::Asked;
                slot.order = slot.order.filter(asked);
                slot.next_order = slot.next_order.filter(asked);
            }
        }
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

    /// Brings a check forward because of what happened, though at most once per 5 s
    /// and not while paused.
    pub(super) fn stir(&mut self, check: usize, now: Instant) {
        let slot = &mut self.slots[check];
        if self.paused {
            return;
        }
        if slot.running {
            slot.next_order.get_or_insert(Order::UNASKED);
            return;
        }
        let order = *slot.order.get_or_insert(Order::UNASKED);
        let at = slot.moment_for(order, now);
        slot.due = Some(slot.due.map_or(at, |due| cmp::min(due, at)));
    }

    /// Forgets what was asked about a check but has not begun.
    pub(super) fn call_off(&mut self, check: usize, now: Instant) {
        let (started, seed) = (self.started, self.seed);
        let slot = &mut self.slots[check];
        slot.next_order = None;
        if slot.order.take().is_some() {
            slot.due = slot.next_turn(started, seed, now);
        }
    }

    /// Marks what is due as running and returns it, what was asked for first.
    pub(super) fn take_due(&mut self, now: Instant) -> Vec<Due> {
        let is_due = |index: &usize| {
            self.is_ready(*index) && self.slots[*index].due.is_some_and(|due| due <= now)
        };
        let due = (0..self.slots.len()).filter(is_due);
        let (mut taken, mut others): (Vec<_>, Vec<_>) = due.partition(|due| self.is_needed(*due));
        others.sort_by_key(|index| self.slots[*index].order.is_none());
        others.truncate(self.room());
        taken.extend(others);
        taken.into_iter().map(|index| self.slots[index].begin(index, now)).collect()
    }

    /// Notes that a run ended and when its check is due again.
    pub(super) fn ended(&mut self, check: usize, now: Instant) {
        let (started, seed) = (self.started, self.seed);
        let slot = &mut self.slots[check];
        (slot.running, slot.ever_ended) = (false, true);
        slot.order = slot.next_order.take();
        slot.due = match slot.order {
            Some(order) => Some(slot.moment_for(order, now)),
            None => slot.next_turn(started, seed, now),
        };
    }

    /// When something can next begin, if anything can.
    ///
    /// What waits for a run to end, for its need or for room, is not counted: the
    /// end of that run is what wakes the supervisor.
    pub(super) fn next(&self) -> Option<Instant> {
        let full = self.room() == 0;
        let can_begin = |index: &usize| self.is_ready(*index) && (!full || self.is_needed(*index));
        let ready = (0..self.slots.len()).filter(can_begin);
        ready.filter_map(|index| self.slots[index].due).min()
    }

    /// How many more may begin of those that nothing needs.
    fn room(&self) -> usize {
        let counts = |index: &usize| self.slots[*index].running && !self.is_needed(*index);
        self.at_once.saturating_sub((0..self.slots.len()).filter(counts).count())
    }

    fn is_needed(&self, check: usize) -> bool {
        self.slots.iter().any(|slot| slot.need == Some(check))
    }

    /// The checks that need `check`.
    pub(super) fn dependents(&self, check: usize) -> Vec<usize> {
        let needs = |index: &usize| self.slots[*index].need == Some(check);
        (0..self.slots.len()).filter(needs).collect()
    }

    /// The checks that share the need of `check` and are looked at less often: what it
    /// sees first, they are about to see. One that needs nothing speaks for all that do.
    pub(super) fn followers(&self, check: usize) -> Vec<usize> {
        let of = |index: usize| (self.slots[index].need, self.slots[index].period);
        let (need, period) = of(check);
        let follows = |index: &usize| {
            let (theirs, later) = of(*index);
            theirs.is_some()
                && (need.is_none() || theirs == need)
                && later.map(length) > period.map(length)
        };
        (0..self.slots.len()).filter(follows).collect()
    }

    /// Brings forward what `checks` need, for their answers may follow from its own.
    pub(super) fn request_needs(&mut self, checks: &[usize], now: Instant) {
        for check in checks {
            let need = self.slots[*check].need;
            let idle =
                |need: &usize| !self.slots[*need].running && self.slots[*need].order.is_none();
            if let Some(need) = need.filter(idle) {
                self.request(need, Order::UNASKED, now);
            }
        }
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
    fn begin(&mut self, check: usize, now: Instant) -> Due {
        self.running = true;
        self.due = None;
        let order = self.order.take();
        if order.is_some_and(|order| order.trigger == Trigger::Schedule) {
            self.stirred = Some(now);
        }
        let trigger = order.map_or(Trigger::Schedule, |order| order.trigger);
        Due { check, trigger, burst: order.is_some() }
    }

    /// When an order can be carried out: at once, if somebody asked.
    fn moment_for(&self, order: Order, now: Instant) -> Instant {
        match (order.trigger, self.stirred) {
            (Trigger::Schedule, Some(last)) => cmp::max(now, last + STIRRED),
            (Trigger::Schedule, None) | (Trigger::Asked, _) => now,
        }
    }

    /// The next turn on the timetable. Missed ones are skipped, and long ones that come
    /// less than half a period after the last run; a short one is what finds a fault, and
    /// is never further away than its period.
    fn next_turn(&self, started: Instant, seed: u64, now: Instant) -> Option<Instant> {
        let (period, offset) = self.period?;
        let earliest = now + if period < LONG { BREATH } else { period / 2 };
        let since = earliest.saturating_duration_since(started + offset);
        let turns = since.as_nanos().div_ceil(period.as_nanos().max(1));
        let turns = u32::try_from(turns).unwrap_or(u32::MAX);
        let turn = started + offset + period * turns;
        if period < LONG {
            return Some(turn);
        }
        let span = period.mul_f64(SHIFT);
        Some(turn - span + span.mul_f64(2.0 * share(seed ^ u64::from(turns))))
    }
}

fn length((period, _): (Duration, Duration)) -> Duration {
    period
}

/// A share from 0.0 to 1.0 that looks drawn at random.
fn share(seed: u64) -> f64 {
    fastrand::Rng::with_seed(seed).f64()
}

/// Spreads checks over their cadence: fixed for a check, different between checks.
fn offset(id: &IntegrationId, spec: &CheckSpec, period: Duration) -> Duration {
    let mut hasher = DefaultHasher::new();
    (id.as_str(), &spec.name).hash(&mut hasher);
    let millis = u64::try_from(period.as_millis()).unwrap_or(u64::MAX).max(1);
    Duration::from_millis(hasher.finish() % millis)
}

#[cfg(test)]
mod tests;
