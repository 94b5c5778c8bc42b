//! When something must be there, when it must be gone, and when we cannot tell.

use super::{Broken, Left, Upset, case::CLOCK};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// A server rounds times to milliseconds and may read its clock once per event.
const GRAIN: Duration = Duration::from_millis(5);

/// When something happened on the other side: after `from`, before `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) from: Instant,
    pub(crate) to: Instant,
}

/// Does `work` and tells when.
pub(crate) async fn watched<T, E>(
    work: impl Future<Output = Result<T, E>>,
) -> Result<(T, Window), E> {
    let from = Instant::now();
    let done = work.await?;
    Ok((done, Window { from, to: Instant::now() }))
}

/// Something that was given `ttl` to live.
///
/// We know only between which moments it was given, and between which moments a
/// look at it took place. So each assertion is made of the two moments that
/// prove most, and a look that proves nothing is [`Upset::Missed`]: a host that
/// is too busy to look in time must not blame the server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expiry {
    /// When it was given.
    pub(crate) set: Window,
    /// What it was given.
    pub(crate) ttl: Duration,
    /// How late it may be.
    pub(crate) slack: Duration,
}

impl Expiry {
    /// Waits until it is about to expire: one slack before.
    pub(crate) async fn nearly(&self) {
        sleep_until(self.set.from + self.ttl.saturating_sub(self.slack)).await;
    }

    /// Waits until it must be gone: one slack after.
    pub(crate) async fn over(&self) {
        sleep_until(self.latest()).await;
    }

    /// The first moment at which it may be gone.
    pub(crate) fn earliest(&self) -> Instant {
        self.set.from + self.ttl.saturating_sub(GRAIN)
    }

    /// The first moment at which it must be gone.
    pub(crate) fn latest(&self) -> Instant {
        self.set.to + self.ttl + self.slack
    }

    /// It must still be there when looked at.
    pub(crate) fn there(&self, seen: Window, there: bool) -> Result<(), Upset> {
        match there {
            true if seen.from >= self.latest() => Err(self.late(seen)),
            true => Ok(()),
            false => Err(self.missing(seen)),
        }
    }

    /// What it means that it was not there.
    pub(crate) fn missing(&self, seen: Window) -> Upset {
        if seen.to < self.earliest() {
            self.early(seen)
        } else {
            Upset::Missed("looked too late to see it before it expired")
        }
    }

    /// It must be gone when looked at, and [`over`](Self::over) was waited for.
    pub(crate) fn gone(&self, seen: Window, there: bool) -> Result<(), Upset> {
        if there { Err(self.late(seen)) } else { Ok(()) }
    }

    /// What is said to be left must fit what was given.
    pub(crate) fn fits(&self, seen: Window, left: Left) -> Result<(), Upset> {
        let shortest = (self.set.from + self.ttl).saturating_duration_since(seen.to + self.slack);
        let longest = (self.set.to + self.ttl + GRAIN).saturating_duration_since(seen.from);
        match left {
            Left::For(left) if (shortest..=longest).contains(&left) => Ok(()),
            Left::Absent => Err(self.missing(seen)),
            Left::Forever | Left::For(_) => Err(Upset::Broken(Broken {
                says: match left {
                    Left::Forever => "the time to live was lost".into(),
                    Left::Absent | Left::For(_) => "the time to live is wrong".into(),
                },
                asked: "PTTL",
                wanted: format!("{shortest:.0?} to {longest:.0?}"),
                got: format!("{left:?}"),
                remedy: Some(CLOCK),
            })),
        }
    }

    fn early(&self, seen: Window) -> Upset {
        let after = seen.to.saturating_duration_since(self.set.from);
        self.broken(format!("gone after {after:.0?} of {:.0?}", self.ttl), "gone")
    }

    fn late(&self, seen: Window) -> Upset {
        let after = seen.from.saturating_duration_since(self.set.to);
        self.broken(format!("there after {after:.0?} of {:.0?}", self.ttl), "still there")
    }

    fn broken(&self, says: String, got: &str) -> Upset {
        Upset::Broken(Broken {
            says,
            asked: "is it there?",
            wanted: format!("there until {:.0?}, gone {:.0?} later", self.ttl, self.slack),
            got: got.into(),
            remedy: Some(CLOCK),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// Given 400 ms at some moment of the first 10 ms; 50 ms of slack.
    fn expiry(start: Instant) -> Expiry {
        Expiry { set: Window { from: start, to: start + ms(10) }, ttl: ms(400), slack: ms(50) }
    }

    fn word(judged: &Result<(), Upset>) -> &'static str {
        match judged {
            Ok(()) => "ok",
            Err(Upset::Broken(_)) => "broken",
            Err(Upset::Missed(_)) => "missed",
            Err(Upset::Trouble(_)) => "trouble",
            Err(Upset::Moot(_)) => "moot",
        }
    }

    #[tokio::test(start_paused = true)]
    async fn being_there_is_judged_at_both_limits() {
        let start = Instant::now();
        let seen = |from, to| Window { from: start + ms(from), to: start + ms(to) };
        let cases = [
            (seen(340, 350), true, "ok"),
            (seen(340, 394), false, "broken"),
            (seen(340, 395), false, "missed"), // it may just have expired
            (seen(500, 510), false, "missed"), // we slept too long
            (seen(459, 470), true, "ok"),
            (seen(460, 470), true, "broken"),
        ];
        for (window, there, expected) in cases {
            assert_eq!(word(&expiry(start).there(window, there)), expected, "{window:?} {there}");
        }
        assert_eq!(word(&expiry(start).gone(seen(460, 470), true)), "broken");
        assert_eq!(word(&expiry(start).gone(seen(460, 470), false)), "ok");
    }

    #[tokio::test(start_paused = true)]
    async fn a_time_to_live_is_judged_from_both_sides() {
        let start = Instant::now();
        let seen = Window { from: start + ms(100), to: start + ms(120) };
        let cases = [
            (Left::For(ms(229)), "broken"),
            (Left::For(ms(230)), "ok"),
            (Left::For(ms(315)), "ok"),
            (Left::For(ms(316)), "broken"),
            (Left::Forever, "broken"),
            (Left::Absent, "broken"),
        ];
        for (left, expected) in cases {
            assert_eq!(word(&expiry(start).fits(seen, left)), expected, "{left:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_ends_on_either_side_of_the_end() {
        let start = Instant::now();
        expiry(start).nearly().await;
        assert_eq!(start.elapsed(), ms(350));
        expiry(start).over().await;
        assert_eq!(start.elapsed(), ms(460));
    }
}
