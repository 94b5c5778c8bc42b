//! The server's clock beside ours, from one look to the next. Pure.

use super::{Aspect, Grade, Row};
use crate::units;
use jiff::SignedDuration;
use std::{cmp, time::Duration};
use tokio::time::Instant;

/// A jump below this is taken for the doing of NTP or of the network.
const STEP: Duration = Duration::from_millis(250);
/// A clock that differs by more is a warning.
const OFFSET: Duration = Duration::from_secs(1);
/// How long a step counts: until every key that was there has ended.
const RECENT: Duration = Duration::from_mins(1);
pub(super) const CLOCK: Aspect = Aspect {
    name: "clock",
    limit: "1.0s; a step 250ms",
    why: "keys end by it: a jump ends locks and sessions early, or late",
    see: "TIME",
    remedy: "let NTP slew the server's clock, and never step it",
};
/// How many times the uncertainty of a reading a jump must exceed.
const DOUBT: u32 = 3;

/// What the server's `TIME` said, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    /// The server's time, since 1970.
    pub(crate) server: Duration,
    /// Ours at the same moment, since 1970.
    pub(crate) wall: Duration,
    /// That moment on the clock that nobody sets: half-way between question and answer.
    pub(crate) at: Instant,
    /// How wrong that may be: half of the round trip.
    pub(crate) error: Duration,
}

/// The server's clock was set while we looked: keys with a time to live ended that
/// much too early, or will end that much too late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// By how much, forwards or back.
    pub(crate) by: SignedDuration,
    /// When it was seen.
    pub(crate) at: Instant,
}

/// Tells a clock that was set from one that runs.
#[derive(Debug)]
pub(crate) struct ClockWatch {
    /// Whether the server runs on this host, and so by the same wall clock.
    local: bool,
    last: Option<Reading>,
    step: Option<Step>,
}

impl ClockWatch {
    /// For a server that runs on this host, or on another.
    pub(crate) fn beside(local: bool) -> Self {
        Self { local, last: None, step: None }
    }

    /// Takes a reading; whether the clock was set since the one before.
    pub(crate) fn observe(&mut self, now: Reading) -> Option<Step> {
        let step = self.last.and_then(|last| step(&last, &now, self.local));
        self.last = Some(now);
        self.step = step.or(self.step);
        step
    }

    /// The newest step, if it was seen at most `span` before `now`.
    pub(crate) fn step_within(&self, now: Instant, span: Duration) -> Option<Step> {
        self.step.filter(|step| now.saturating_duration_since(step.at) <= span)
    }

    /// What is to be judged of it at `now`.
    pub(crate) fn skew(&self, now: Instant) -> Skew {
        Skew { offset: self.offset(), step: self.step_within(now, RECENT) }
    }

    /// How far the server's clock is ahead of ours, and how wrong that may be.
    pub(crate) fn offset(&self) -> Option<(SignedDuration, Duration)> {
        self.last.map(|last| (between(last.wall, last.server), last.error))
    }
}

/// How the server's clock stands to ours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Skew {
    /// How far it is ahead, and how wrong that may be.
    pub(crate) offset: Option<(SignedDuration, Duration)>,
    /// A step of late.
    pub(crate) step: Option<Step>,
}

impl Skew {
    /// `None` where nobody has looked yet.
    pub(super) fn row(&self) -> Option<Row> {
        let (offset, error) = self.offset?;
        let told = signed(offset);
        let limit = units::span(OFFSET);
        let (grade, says) = match self.step {
            Some(step) => (Grade::Fail, format!("server clock was set by {}", step.size())),
            None if offset.unsigned_abs() > OFFSET + error => {
                (Grade::Warn, format!("server clock is off by {told}, limit {limit}"))
            }
            None => (Grade::Fine, told),
        };
        Some(Row::new(&CLOCK, grade, says))
    }
}

impl Step {
    /// `+60s`, `-1.5s`.
    pub(crate) fn size(&self) -> String {
        signed(self.by)
    }
}

/// A span with its sign.
pub(super) fn signed(span: SignedDuration) -> String {
    let sign = if span.is_negative() { '-' } else { '+' };
    format!("{sign}{}", units::span(span.unsigned_abs()))
}

/// A step of the server's clock between two readings.
///
/// A host that sleeps stops its monotonic clock and no other: a distant server
/// then seems to have jumped with our own wall clock, and did not.
fn step(last: &Reading, now: &Reading, local: bool) -> Option<Step> {
    let passed = now.at.saturating_duration_since(last.at);
    let limit = cmp::max(STEP, cmp::max(last.error, now.error) * DOUBT);
    let beyond = |span: SignedDuration| span.unsigned_abs() > limit;
    let by = between(last.server + passed, now.server);
    let alone = between(last.wall, last.server) - between(now.wall, now.server);
    (beyond(by) && (local || beyond(alone))).then_some(Step { by, at: now.at })
}

/// From `from` to `to`, negative where it leads back.
fn between(from: Duration, to: Duration) -> SignedDuration {
    let signed = |span: Duration| SignedDuration::try_from(span).unwrap_or(SignedDuration::MAX);
    signed(to) - signed(from)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EPOCH: Duration = Duration::from_secs(1_795_442_852);

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// What a watch makes of a second look 5 s after the first, the server's clock
    /// and our own having moved on by so many milliseconds.
    fn seen(local: bool, server: u64, wall: u64, error: u64) -> Option<String> {
        let mut watch = ClockWatch::beside(local);
        let at = Instant::now();
        let error = ms(error);
        let first = Reading { server: EPOCH, wall: EPOCH, at, error };
        assert_eq!(watch.observe(first), None, "one look compares with nothing");
        let then = at + ms(5000);
        let second =
            Reading { server: EPOCH + ms(server), wall: EPOCH + ms(wall), at: then, error };
        let step = watch.observe(second);
        assert_eq!(watch.step_within(then + ms(60_000), ms(60_000)), step);
        assert_eq!(watch.step_within(then + ms(60_001), ms(60_000)), None);
        step.map(|step| step.size())
    }

    #[tokio::test]
    async fn a_step_is_told_from_a_clock_that_runs() {
        let cases = [
            (5000, 1, None),
            (5250, 1, None),
            (5251, 1, Some("+251ms")),
            (4750, 1, None),
            (4749, 1, Some("-251ms")),
            (5300, 100, None),
            (5301, 100, Some("+301ms")),
            (65_000, 1, Some("+1m00s")),
            (0, 1, Some("-5.0s")),
        ];
        for (server, error, expected) in cases {
            let found = seen(false, server, 5000, error);
            assert_eq!(found.as_deref(), expected, "{server} ms, give or take {error} ms");
        }
    }

    #[tokio::test]
    async fn a_host_that_slept_does_not_blame_a_distant_server() {
        assert_eq!(seen(false, 65_000, 65_000, 1), None);
        assert_eq!(seen(true, 65_000, 65_000, 1).as_deref(), Some("+1m00s"), "keys ended early");
        assert_eq!(seen(false, 5000, 65_000, 1), None, "our clock alone was set");
    }

    #[tokio::test]
    async fn a_clock_is_judged_by_its_steps_and_its_offset() {
        let at = Instant::now();
        let of = |millis: i64, step| {
            let offset = Some((SignedDuration::from_millis(millis), ms(5)));
            let row = Skew { offset, step }.row().unwrap();
            (row.grade, row.says)
        };
        assert_eq!(of(1005, None), (Grade::Fine, "+1.0s".into()));
        assert_eq!(of(-1006, None).0, Grade::Warn);
        assert_eq!(of(-5000, None).1, "server clock is off by -5.0s, limit 1.0s");
        let step = Step { by: SignedDuration::from_secs(60), at };
        assert_eq!(of(0, Some(step)), (Grade::Fail, "server clock was set by +1m00s".into()));
        assert_eq!(Skew::default().row(), None);
    }

    #[tokio::test]
    async fn the_offset_is_that_of_the_newest_reading() {
        let mut watch = ClockWatch::beside(false);
        assert_eq!(watch.offset(), None);
        let at = Instant::now();
        let wall = EPOCH + ms(1500);
        watch.observe(Reading { server: EPOCH, wall, at, error: ms(2) });
        let (offset, error) = watch.offset().unwrap();
        assert_eq!((signed(offset), error), ("-1.5s".to_owned(), ms(2)));
    }
}
