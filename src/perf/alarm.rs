//! Waits that end on time: tokio's own timers are a millisecond coarse.

use std::io;
use tokio::time::Instant;

/// Wakes one waiter at a time, within some 50 µs where the system has a timer for it.
#[derive(Debug)]
pub(super) enum Alarm {
    /// A timer of the kernel.
    #[cfg(target_os = "linux")]
    Fine(fine::Timer),
    /// Tokio's timers, which a test can pause.
    Coarse,
}

impl Alarm {
    /// The finest there is. Needs a runtime.
    pub(super) fn fine() -> io::Result<Self> {
        #[cfg(target_os = "linux")]
        return fine::Timer::new().map(Self::Fine);
        #[cfg(not(target_os = "linux"))]
        Ok(Self::Coarse)
    }

    /// Waits until `moment`; not at all if that is over.
    pub(super) async fn until(&self, moment: Instant) {
        match self {
            #[cfg(target_os = "linux")]
            Self::Fine(timer) => {
                if timer.until(moment).await.is_err() {
                    // Without that timer the plan is kept less well, and the lag says so.
                    tokio::time::sleep_until(moment).await;
                }
            }
            Self::Coarse => tokio::time::sleep_until(moment).await,
        }
    }
}

#[cfg(target_os = "linux")]
mod fine {
    use rustix::{
        io::read,
        time::{
            Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
            timerfd_settime,
        },
    };
    use std::{io, os::fd::OwnedFd};
    use tokio::{
        io::{Interest, unix::AsyncFd},
        time::Instant,
    };

    #[derive(Debug)]
    pub(in super::super) struct Timer(AsyncFd<OwnedFd>);

    impl Timer {
        pub(super) fn new() -> io::Result<Self> {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let fd = timerfd_create(TimerfdClockId::Monotonic, flags)?;
            #[expect(deprecated, reason = "an OwnedFd is its own, all that the new one asks for")]
            AsyncFd::with_interest(fd, Interest::READABLE).map(Self)
        }

        pub(super) async fn until(&self, moment: Instant) -> io::Result<()> {
            loop {
                let left = moment.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return Ok(());
                }
                let once = Itimerspec {
                    it_interval: Timespec { tv_sec: 0, tv_nsec: 0 },
                    it_value: Timespec {
                        tv_sec: left.as_secs().try_into().unwrap_or(i64::MAX),
                        tv_nsec: left.subsec_nanos().into(),
                    },
                };
                timerfd_settime(self.0.get_ref(), TimerfdTimerFlags::empty(), &once)?;
                self.0
                    .async_io(Interest::READABLE, |fd| {
                        read(fd, &mut [0_u8; 8]).map_err(io::Error::from)
                    })
                    .await?;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn an_alarm_never_rings_early_and_a_past_one_at_once() {
        let alarm = Alarm::fine().unwrap();
        alarm.until(Instant::now()).await;
        for micros in [1, 300, 5000] {
            let moment = Instant::now() + Duration::from_micros(micros);
            alarm.until(moment).await;
            assert!(Instant::now() >= moment);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_coarse_one_keeps_to_a_paused_clock() {
        let moment = Instant::now() + Duration::from_hours(1);
        Alarm::Coarse.until(moment).await;
        assert_eq!(Instant::now(), moment);
    }
}
