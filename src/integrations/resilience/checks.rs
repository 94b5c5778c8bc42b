//! Injects the faults and watches what becomes of them; [`judge`] decides.

use super::{
    Resilience, judge,
    judge::{Attempts, Circuit, Cut, Panics, Retries, Timeouts},
    loopback::{Moody, exchange, own_trouble, silence},
};
use crate::{
    domain::Finding,
    probe::{
        Backoff, Breaker, BreakerConfig, BreakerState, CallEnd, Cx, Ending, ProbeError, isolate,
        retry, with_lag,
    },
};
use std::{
    future, panic,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

/// What a run may take that is expected to end by itself.
const AMPLE: Duration = Duration::from_secs(2);
/// When the injected panic comes.
const CRASH_AFTER: Duration = Duration::from_millis(1);
/// How long its neighbours run, so that they are under way when it comes.
const CALM_FOR: Duration = Duration::from_millis(5);
/// The deadline that a hung run is given.
const ALLOWED: Duration = Duration::from_millis(50);
/// When the run with an ample deadline is told to stop.
const STOP_AFTER: Duration = Duration::from_millis(10);
/// Until when the server waits to see its caller let go.
const WATCHED: Duration = Duration::from_secs(1);
/// Calls that must show the breaker's next state, or it does not come.
const PATIENCE: usize = 20;
/// Calls made while the breaker is open.
const KNOCKS: u64 = 4;

impl Resilience {
    /// Panics in one of three tasks, the way that a broken check would.
    pub(super) async fn panics(&self, _cx: &Cx) -> Result<Finding, ProbeError> {
        let (seen, lag) = with_lag(inject_panic()).await;
        Ok(judge::panics(&seen, lag))
    }

    /// Lets runs hang: past their deadline, until they are stopped, on a socket.
    pub(super) async fn timeout(&self, _cx: &Cx) -> Result<Finding, ProbeError> {
        let (seen, lag) = with_lag(inject_hang()).await;
        Ok(judge::timeout(&seen?, lag))
    }

    /// Takes a breaker through its states against a server that fails on command.
    pub(super) async fn breaker(&self, _cx: &Cx) -> Result<Finding, ProbeError> {
        let (seen, lag) = with_lag(drive_breaker(judge::CONFIG)).await;
        Ok(judge::breaker(&seen?, lag))
    }

    /// Retries against a server that keeps failing, then one that recovers.
    pub(super) async fn backoff(&self, _cx: &Cx) -> Result<Finding, ProbeError> {
        let (seen, lag) = with_lag(drive_retries()).await;
        Ok(judge::backoff(&seen?, lag))
    }
}

/// Runs work as the engine runs a check.
fn run(
    work: impl Future<Output = Result<Finding, ProbeError>> + Send + 'static,
    allowed: Duration,
    stop: CancellationToken,
) -> AbortOnDropHandle<Ending> {
    AbortOnDropHandle::new(tokio::spawn(async move { isolate(work, allowed, &stop).await }))
}

async fn ending(run: AbortOnDropHandle<Ending>) -> Ending {
    run.await.unwrap_or_else(Ending::of_panic)
}

async fn calm() -> Result<Finding, ProbeError> {
    sleep(CALM_FOR).await;
    Ok(Finding::pass("calm"))
}

/// Unwinds like a panic and without the panic hook, which would write a
/// message of this drill to the terminal or the log.
async fn crash(message: String) -> Result<Finding, ProbeError> {
    sleep(CRASH_AFTER).await;
    panic::resume_unwind(Box::new(message))
}

async fn inject_panic() -> Panics {
    let start = |work| run(work, AMPLE, CancellationToken::new());
    let message = format!("injected fault {:08x}", fastrand::u32(..));
    let before = start(calm());
    let crashing = run(crash(message.clone()), AMPLE, CancellationToken::new());
    let after = start(calm());
    let crashed = ending(crashing).await;
    let siblings = [ending(before).await, ending(after).await];
    let next = ending(start(calm())).await;
    Panics { message, crashed, siblings, next }
}

/// Notes that it was dropped.
struct Guard(Arc<AtomicBool>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Cuts a run that would never end, by its deadline or by `stop`.
async fn cut(allowed: Duration, stop: CancellationToken) -> Cut {
    let dropped = Arc::new(AtomicBool::new(false));
    let guard = Guard(Arc::clone(&dropped));
    let hung = async move {
        let _guard = guard;
        future::pending().await
    };
    let began = Instant::now();
    let ending = ending(run(hung, allowed, stop)).await;
    Cut { ending, took: began.elapsed(), dropped: dropped.load(Ordering::SeqCst) }
}

async fn inject_hang() -> Result<Timeouts, ProbeError> {
    let deadline = cut(ALLOWED, CancellationToken::new()).await;
    let stop = CancellationToken::new();
    let stopped = {
        let stopping = async {
            sleep(STOP_AFTER).await;
            stop.cancel();
        };
        tokio::join!(cut(AMPLE, stop.clone()), stopping).0
    };
    let released = hang_on_a_socket().await?;
    Ok(Timeouts { allowed: ALLOWED, deadline, stop_after: STOP_AFTER, stopped, released })
}

/// How long after its deadline a run let go of a server that never answers.
async fn hang_on_a_socket() -> Result<Option<Duration>, ProbeError> {
    let (address, server) = silence().await?;
    let due = Instant::now() + ALLOWED;
    let call = async move {
        exchange(address).await.map_err(|error| own_trouble(&error))?;
        Ok(Finding::pass("answered"))
    };
    let asking = run(call, ALLOWED, CancellationToken::new());
    let left = timeout(ALLOWED + WATCHED, server).await;
    if let Ending::Finding(finding) = ending(asking).await {
        return Err(ProbeError::Local(finding.summary));
    }
    match left {
        Ok(Ok(Ok(at))) => Ok(Some(at.saturating_duration_since(due))),
        Ok(Ok(Err(error))) => Err(own_trouble(&error)),
        Ok(Err(_)) | Err(_) => Ok(None),
    }
}

/// One call through the breaker: whether it was let through.
async fn call_through(breaker: &mut Breaker, server: &Moody) -> Result<bool, ProbeError> {
    let Ok(permit) = breaker.admit(Instant::now()) else { return Ok(false) };
    let end = if server.call().await? { CallEnd::Good } else { CallEnd::Failed };
    breaker.record(permit, end, Instant::now());
    Ok(true)
}

/// Calls until the breaker is as wanted: how many calls that took.
async fn call_until(
    breaker: &mut Breaker,
    server: &Moody,
    wanted: impl Fn(BreakerState) -> bool,
) -> Result<Option<usize>, ProbeError> {
    for calls in 1..=PATIENCE {
        call_through(breaker, server).await?;
        if wanted(breaker.state()) {
            return Ok(Some(calls));
        }
    }
    Ok(None)
}

/// Sleeps until the moment at which an open breaker says that it tries again.
async fn wait_out(breaker: &Breaker) {
    if let BreakerState::Open { retry_at } = breaker.state() {
        sleep_until(retry_at).await;
    }
}

/// From the last call that reached the server until the first after the
/// breaker's wait; `None` if that one did not come.
async fn silence_of(breaker: &mut Breaker, server: &Moody) -> Result<Option<Duration>, ProbeError> {
    let before = server.arrivals();
    wait_out(breaker).await;
    call_through(breaker, server).await?;
    let next = server.arrivals().get(before.len()).copied();
    Ok(before.last().zip(next).map(|(last, next)| next - *last))
}

async fn drive_breaker(config: BreakerConfig) -> Result<Circuit, ProbeError> {
    let server = Moody::start().await?;
    let mut breaker = Breaker::new(config).map_err(|bad| ProbeError::Local(bad.to_string()))?;
    let is_open = |state| matches!(state, BreakerState::Open { .. });
    server.reset_next(usize::MAX);
    let opened_after = call_until(&mut breaker, &server, is_open).await?;

    let reached = server.arrivals().len();
    for _ in 0..KNOCKS {
        call_through(&mut breaker, &server).await?;
    }
    let rejected = breaker.rejected();
    let leaked = server.arrivals().len() - reached;

    let first = silence_of(&mut breaker, &server).await?;
    server.reset_next(0);
    let second = silence_of(&mut breaker, &server).await?;
    let closed = |state| state == BreakerState::Closed;
    // The call that ended the second silence was the first good one.
    let closed_after = call_until(&mut breaker, &server, closed).await?.map(|calls| calls + 1);
    let silences = [first, second];
    Ok(Circuit { opened_after, knocks: KNOCKS, rejected, leaked, silences, closed_after })
}

async fn drive_retries() -> Result<Retries, ProbeError> {
    let ceilings = Backoff::new(judge::FIRST_DELAY, judge::LONGEST_DELAY)
        .map_err(|bad| ProbeError::Local(bad.to_string()))?;
    let delays = judge::TRIES - 1;
    let plan: Vec<Duration> = ceilings.clone().full_jitter(fastrand::f64).take(delays).collect();
    let ceilings = ceilings.take(delays).collect();
    let hopeless = attempts(&plan, usize::MAX).await?;
    let recovering = attempts(&plan, judge::RESETS).await?;
    Ok(Retries { ceilings, plan, hopeless, recovering })
}

/// Retries by `plan` against a server that resets so many calls first.
async fn attempts(plan: &[Duration], resets: usize) -> Result<Attempts, ProbeError> {
    let server = Moody::start().await?;
    server.reset_next(resets);
    let answer = retry(plan.iter().copied(), || try_once(&server)).await;
    if let Err(own @ ProbeError::Local(_)) = answer {
        return Err(own);
    }
    let arrivals = server.arrivals();
    let gaps = arrivals.windows(2).map(|pair| pair[1] - pair[0]).collect();
    Ok(Attempts { tries: arrivals.len(), gaps, answered: answer.is_ok() })
}

async fn try_once(server: &Moody) -> Result<(), ProbeError> {
    if server.call().await? {
        Ok(())
    } else {
        Err(ProbeError::Unreachable("the server reset the call".into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{IntegrationId, Outcome},
        probe::Integration as _,
    };

    /// Real sockets and real time: a busy host may make it unknown, never a failure.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn our_own_machinery_holds() {
        let own = Resilience::new(IntegrationId::new("resilience").unwrap());
        let cx = Cx::default();
        for (index, spec) in own.checks().iter().enumerate() {
            let began = Instant::now();
            let finding = own.run(index, &cx).await.unwrap();
            let holds = matches!(finding.outcome, Outcome::Pass | Outcome::Unknown(_));
            assert!(holds, "{}: {finding:?}", spec.name);
            assert!(began.elapsed() < spec.timeout, "{} took too long", spec.name);
        }
    }

    #[tokio::test]
    async fn a_breaker_that_never_opens_is_seen() {
        let deaf = BreakerConfig { min_calls: 100, window: 100, ..judge::CONFIG };
        let seen = drive_breaker(deaf).await.unwrap();
        assert_eq!((seen.opened_after, seen.leaked, seen.rejected), (None, 4, 0));
        assert_eq!(judge::breaker(&seen, Duration::ZERO).outcome, Outcome::Fail);
    }
}
