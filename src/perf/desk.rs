//! What the clients of one worker share: the plan, who is under way, and the count.

use super::{
    alarm::Alarm,
    gauge::Gauge,
    number::count,
    plan::Moments,
    subject::Broken,
    trip::Flight,
    window::{Window, micros},
};
use std::{
    cell::{Cell, RefCell, RefMut},
    cmp,
    iter::Peekable,
    mem,
};
use tokio::{
    sync::Mutex,
    time::{Duration, Instant},
};

/// Under which class those count that never began, because no client was free.
const MISSED: &str = "never began";
/// How long after the end those may still begin whose moment was before it.
const LAST_CALL: Duration = Duration::from_millis(500);

/// The moments of one test.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    /// When the first operation begins.
    pub(super) begin: Instant,
    /// From when on operations are measured.
    pub(super) measure: Instant,
    /// From when on none begins any more, if time ends the test.
    pub(super) end: Option<Instant>,
}

/// What decides when an operation begins.
#[derive(Debug)]
pub(super) enum Pace {
    /// The answer to the last one.
    Answers,
    /// A plan. Whoever holds it waits for the next moment; the others wait for him.
    Plan(Mutex<(Peekable<Moments>, Alarm)>),
}

/// How much one worker does.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) seats: usize,
    /// Operations that a client begins at once, at most.
    pub(super) depth: usize,
    /// Kinds of operations.
    pub(super) operations: usize,
    /// Measured operations that end the test, if a number does.
    pub(super) requests: Option<u64>,
}

/// A client that waits for the next moment of the plan.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    seat: usize,
    /// Since when it has nothing else to do.
    free: Instant,
}

/// What the clients of one worker share. They run on one thread: nothing here is
/// locked, except the plan while somebody waits for its next moment.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) span: Span,
    pace: Pace,
    shape: Shape,
    /// Measured operations that may still begin, if a number ends the test.
    left: Cell<Option<u64>>,
    flights: RefCell<Vec<Flight>>,
    window: RefCell<Window>,
    gauge: Gauge,
}

impl Desk {
    pub(super) fn new(span: Span, pace: Pace, shape: Shape) -> Self {
        let mut flights = Vec::new();
        flights.resize_with(shape.seats, Flight::default);
        Self {
            span,
            shape,
            left: Cell::new(shape.requests),
            flights: RefCell::new(flights),
            window: RefCell::new(Window::new(shape.operations, matches!(pace, Pace::Plan(_)))),
            gauge: Gauge::new(span.measure),
            pace,
        }
    }

    /// Whether nothing begins at `at` or later.
    pub(super) fn is_over(&self, at: Instant) -> bool {
        self.left.get() == Some(0) || self.span.end.is_some_and(|end| at >= end)
    }

    /// What is counted, to be told apart from what is to come.
    pub(super) fn window(&self) -> RefMut<'_, Window> {
        self.window.borrow_mut()
    }

    /// What was counted since the last time.
    pub(super) fn take_window(&self) -> Window {
        let empty = Window::new(self.shape.operations, matches!(self.pace, Pace::Plan(_)));
        let mut window = mem::replace(&mut *self.window.borrow_mut(), empty);
        (window.in_flight, window.flown) = self.gauge.take(Instant::now());
        window
    }

    /// Waits until `seat` may begin something; says whether it may.
    pub(super) async fn depart(&self, seat: usize) -> bool {
        match &self.pace {
            Pace::Answers => self.depart_now(seat),
            Pace::Plan(plan) => {
                let free = Instant::now();
                let (moments, alarm) = &mut *plan.lock().await;
                self.depart_by(moments, alarm, Waiting { seat, free }).await
            }
        }
    }

    fn depart_now(&self, seat: usize) -> bool {
        let mut flights = self.flights.borrow_mut();
        let flight = &mut flights[seat];
        let now = flight.back.take().unwrap_or_else(Instant::now);
        let many = if self.is_over(now) { 0 } else { self.allowed(now, self.shape.depth) };
        flight.due.clear();
        flight.due.resize(many, now);
        self.take_off(flight, now)
    }

    async fn depart_by(
        &self,
        plan: &mut Peekable<Moments>,
        alarm: &Alarm,
        waiting: Waiting,
    ) -> bool {
        let asked = Instant::now();
        if self.span.end.is_some_and(|end| asked > end + LAST_CALL) {
            return false;
        }
        let Some(first) = self.next_planned(plan) else { return false };
        // A client was there before the moment: what delays it from now on is our doing.
        let in_time = waiting.free <= first;
        alarm.until(first).await;
        let now = Instant::now();
        let mut flights = self.flights.borrow_mut();
        let flight = &mut flights[waiting.seat];
        flight.due.clear();
        flight.due.push(first);
        while flight.due.len() < self.shape.depth
            && plan.peek().is_some_and(|at| self.span.begin + *at <= now)
            && let Some(next) = self.next_planned(plan)
        {
            flight.due.push(next);
        }
        let measured = flight.due.iter().filter(|due| **due >= self.span.measure).count();
        let mut window = self.window.borrow_mut();
        window.planned += count(measured);
        match &mut window.lag {
            Some(lag) if in_time && measured > 0 => lag.record(micros(now - first)),
            Some(_) if in_time => {}
            Some(_) | None => window.late += count(measured),
        }
        self.take_off(flight, now)
    }

    /// Takes the next moment of the plan, if it lies within the test.
    fn next_planned(&self, plan: &mut Peekable<Moments>) -> Option<Instant> {
        let at = self.span.begin + *plan.peek()?;
        if self.is_over(at) || self.allowed(at, 1) == 0 {
            return None;
        }
        plan.next();
        Some(at)
    }

    /// How many of `wanted` operations, due at `at`, the number of the test lets begin.
    fn allowed(&self, at: Instant, wanted: usize) -> usize {
        let Some(left) = self.left.get().filter(|_| at >= self.span.measure) else { return wanted };
        let many = cmp::min(left, count(wanted));
        self.left.set(Some(left - many));
        usize::try_from(many).unwrap_or(wanted)
    }

    fn take_off(&self, flight: &mut Flight, now: Instant) -> bool {
        flight.landed = 0;
        flight.left = (!flight.due.is_empty()).then_some(now);
        self.gauge.rise(now, count(flight.due.len()));
        flight.left.is_some()
    }

    /// How many operations of `seat` are under way.
    pub(super) fn open(&self, seat: usize) -> usize {
        self.flights.borrow()[seat].open()
    }

    /// The next `many` operations of `seat` ended well.
    pub(super) fn ended(&self, seat: usize, operation: usize, many: usize) {
        if many == 0 {
            return;
        }
        let now = Instant::now();
        let window = &mut *self.window.borrow_mut();
        self.land(seat, now, many, |due, left| {
            if due < self.span.measure {
                window.warm += 1;
            } else if let Some(times) = window.times.get_mut(operation) {
                times.record(micros(now.saturating_duration_since(due)));
                if let Some(service) = &mut window.service {
                    service.record(micros(now.saturating_duration_since(left)));
                }
            }
        });
    }

    /// The next operation of `seat` failed.
    pub(super) fn failed(&self, seat: usize, operation: usize, class: &str) {
        let window = &mut *self.window.borrow_mut();
        self.land(seat, Instant::now(), 1, |due, _| {
            if due < self.span.measure {
                window.warm += 1;
            } else {
                window.fail(operation, class, 1);
            }
        });
    }

    /// Whatever `seat` has under way is given up.
    pub(super) fn give_up(&self, seat: usize, broken: &Broken) {
        let now = Instant::now();
        let window = &mut *self.window.borrow_mut();
        self.land(seat, now, usize::MAX, |due, _| {
            if due < self.span.measure {
                window.warm += 1;
            } else {
                window.fail(usize::MAX, &broken.class, 1);
                window.ours += u64::from(broken.ours);
                window.waited.record(micros(now.saturating_duration_since(due)));
            }
        });
        self.flights.borrow_mut()[seat].back = None;
    }

    /// An operation that could not even be sent, for want of a connection.
    pub(super) fn unsent(&self, broken: &Broken) {
        if Instant::now() >= self.span.measure {
            let mut window = self.window.borrow_mut();
            window.fail(usize::MAX, &broken.class, 1);
            window.ours += u64::from(broken.ours);
        }
    }

    /// What the plan still holds will never begin: it waited from its moment to now.
    pub(super) fn give_up_plan(&self) {
        let (Pace::Plan(plan), Some(_)) = (&self.pace, self.span.end) else { return };
        let Ok(mut plan) = plan.try_lock() else { return };
        let now = Instant::now();
        while let Some(at) = self.next_planned(&mut plan.0) {
            if at >= self.span.measure {
                let window = &mut *self.window.borrow_mut();
                window.planned += 1;
                window.missed += 1;
                window.fail(usize::MAX, MISSED, 1);
                window.waited.record(micros(now.saturating_duration_since(at)));
            }
        }
    }

    /// The seats whose operations left more than `limit` ago.
    pub(super) fn stuck(&self, limit: Duration) -> Vec<usize> {
        let now = Instant::now();
        let flights = self.flights.borrow();
        let late = |flight: &Flight| flight.left.is_some_and(|left| now - left > limit);
        (0..flights.len()).filter(|seat| late(&flights[*seat])).collect()
    }

    /// Calls `each` for the next `many` operations of `seat` at most, with the moments at
    /// which it was to begin and at which it left.
    fn land(&self, seat: usize, now: Instant, many: usize, mut each: impl FnMut(Instant, Instant)) {
        let flight = &mut self.flights.borrow_mut()[seat];
        let Some(left) = flight.left else { return };
        let many = cmp::min(many, flight.open());
        flight.due[flight.landed..][..many].iter().for_each(|due| each(*due, left));
        flight.landed += many;
        if flight.open() == 0 {
            (flight.left, flight.back) = (None, Some(now));
        }
        self.gauge.sink(now, count(many));
    }
}
