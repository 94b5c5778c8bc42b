use super::ProbeError;
use crate::domain::{Cause, Finding};
use std::{cmp, time::Duration};
use tokio::{
    task::JoinError,
    time::{Instant, MissedTickBehavior, interval_at, sleep_until},
};
use tokio_util::sync::CancellationToken;

/// How often a run looks whether this host still gives it time.
const HEARTBEAT: Duration = Duration::from_millis(100);
/// A heartbeat later than this says that the host is starved.
const STARVED: Duration = Duration::from_millis(250);

/// Every way a run can end but for a panic, which [`Ending::of_panic`] adds.
#[derive(Clone, Debug, PartialEq)]
pub enum Ending {
    /// It came to a conclusion.
    Finding(Box<Finding>),
    /// Its time was over. `lag` is how late this host was at worst meanwhile.
    TimedOut {
        /// What it was allowed.
        allowed: Duration,
        /// The worst delay of our own heartbeat.
        lag: Duration,
    },
    /// It was stopped.
    Cancelled,
    /// It panicked, with this message.
    Panicked(String),
}

/// Runs `work` until it ends, its time is over or it is cancelled, whichever is first.
///
/// The work is dropped at the await point where it then is.
pub async fn isolate(
    work: impl Future<Output = Result<Finding, ProbeError>>,
    allowed: Duration,
    cancel: &CancellationToken,
) -> Ending {
    let deadline = Instant::now() + allowed;
    let mut heartbeat = interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut lag = Duration::ZERO;
    tokio::pin!(work);
    loop {
        tokio::select! {
            biased;
            () = cancel.cancelled() => return Ending::Cancelled,
            ended = &mut work => {
                return Ending::Finding(Box::new(ended.unwrap_or_else(Finding::from)));
            }
            () = sleep_until(deadline) => {
                let lag = cmp::max(lag, deadline.elapsed());
                return Ending::TimedOut { allowed, lag };
            }
            due = heartbeat.tick() => lag = cmp::max(lag, due.elapsed()),
        }
    }
}

impl Ending {
    /// What the end of a task that did not return means.
    pub fn of_panic(error: JoinError) -> Self {
        let Ok(panic) = error.try_into_panic() else { return Self::Cancelled };
        let text = panic
            .downcast_ref::<&str>()
            .map(ToString::to_string)
            .or_else(|| panic.downcast_ref::<String>().cloned());
        Self::Panicked(text.unwrap_or_else(|| "no message".into()))
    }
}

impl From<Ending> for Finding {
    fn from(ending: Ending) -> Self {
        match ending {
            Ending::Finding(finding) => *finding,
            Ending::TimedOut { allowed, lag } if lag > cmp::max(STARVED, allowed / 10) => {
                Self::unknown(Cause::Starved, &format!("this host was starved for {lag:.1?}"))
                    .remedy("give this host processor time, then re-check")
            }
            Ending::TimedOut { allowed, .. } => {
                Self::fail(&format!("no answer within {allowed:?}"))
            }
            Ending::Cancelled => Self::unknown(Cause::Cancelled, "stopped before it answered"),
            Ending::Panicked(text) => {
                Self::unknown(Cause::Panicked, &format!("the probe crashed: {text}"))
                    .remedy("report this as a bug of tminus; the target is not to blame")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Outcome;

    #[tokio::test(start_paused = true)]
    async fn the_first_end_wins() {
        let stop = CancellationToken::new();
        let quick = isolate(async { Ok(Finding::pass("ok")) }, HEARTBEAT, &stop).await;
        assert_eq!(Finding::from(quick).outcome, Outcome::Pass);
        let hung = isolate(std::future::pending(), Duration::from_secs(2), &stop).await;
        assert_eq!(hung, Ending::TimedOut { allowed: Duration::from_secs(2), lag: Duration::ZERO });
        stop.cancel();
        let stopped = isolate(std::future::pending(), HEARTBEAT, &stop).await;
        assert_eq!(stopped, Ending::Cancelled);
    }

    #[test]
    fn a_starved_host_does_not_blame_the_target() {
        let ending = |lag| Ending::TimedOut { allowed: Duration::from_secs(2), lag };
        let healthy = Finding::from(ending(Duration::from_millis(250)));
        assert_eq!(healthy.outcome, Outcome::Fail);
        let starved = Finding::from(ending(Duration::from_millis(251)));
        assert_eq!(starved.outcome, Outcome::Unknown(Cause::Starved));
    }
}
