//! A lock that is kept by a watchdog, and knows by its own clock when it is not.

#[cfg(test)]
mod tests;

use super::{
    super::{super::keys::CEILING, super::trouble::Trouble, Token, Window, watched},
    Acquired, Key, Lock, Owner,
};
use crate::probe::Backoff;
use std::{
    cmp, fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    runtime,
    time::{Instant, sleep_until, timeout_at},
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

/// How long a lock may be kept in all: a holder that hangs must not hang the others.
const LONGEST: Duration = Duration::from_mins(10);

/// How a lock is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    /// How long it outlives its holder, 60 s at most. Renewed after a third of it.
    pub(super) ttl: Duration,
    /// How long it is renewed at most.
    pub(super) longest: Duration,
}

/// Why a lock is held no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    /// The server says that it is not ours.
    Taken,
    /// It could not be renewed in time.
    Lapsed,
    /// It was held as long as allowed.
    Expended,
}

/// How taking a lock ended.
#[derive(Debug)]
pub(super) enum Taken {
    /// It is held.
    Held(Hold),
    /// Somebody else has it.
    Busy,
}

/// A lock held by this process. Released when dropped, also while it is being taken.
#[derive(Debug)]
pub(super) struct Hold {
    grip: Grip,
    tenure: Arc<Tenure>,
    fence: u64,
    watchdog: Option<AbortOnDropHandle<()>>,
}

/// Which lock, and as whom.
#[derive(Clone)]
struct Stake {
    lock: Arc<dyn Lock>,
    key: Key,
    token: Token,
}

/// What has to be given back.
#[derive(Debug)]
struct Grip {
    stake: Stake,
    /// Whether the server may think that we hold it.
    may_hold: bool,
}

/// What the holder and its watchdog share.
#[derive(Debug)]
struct Tenure {
    stake: Stake,
    terms: Terms,
    began: Instant,
    state: Mutex<State>,
    lost: CancellationToken,
}

#[derive(Debug)]
struct State {
    renewed: Window,
    renewals: u32,
    /// Whether a renewal was sent that was not granted yet: it may still arrive.
    on_its_way: bool,
    loss: Option<Loss>,
}

impl Terms {
    /// Kept for as long as any lock may be.
    pub(super) fn of(ttl: Duration) -> Self {
        Self { ttl: cmp::min(ttl, CEILING), longest: LONGEST }
    }
}

impl Hold {
    /// Takes a lock if it is free, and keeps it until the hold is dropped.
    pub(super) async fn take(
        lock: &Arc<dyn Lock>,
        key: &Key,
        terms: Terms,
    ) -> Result<Taken, Trouble> {
        let mut taken = Self::take_unwatched(lock, key, terms).await?;
        if let Taken::Held(hold) = &mut taken {
            hold.watchdog = Some(AbortOnDropHandle::new(tokio::spawn(hold.watchdog())));
        }
        Ok(taken)
    }

    /// The same, with [`watchdog`](Self::watchdog) left to the caller to run.
    pub(super) async fn take_unwatched(
        lock: &Arc<dyn Lock>,
        key: &Key,
        terms: Terms,
    ) -> Result<Taken, Trouble> {
        let stake = Stake { lock: Arc::clone(lock), key: key.clone(), token: Token::new()? };
        // Before anything is sent: to be dropped while it is taken must give it back, too.
        let mut grip = Grip { stake: stake.clone(), may_hold: true };
        let acquiring = watched(stake.lock.acquire(&stake.key, &stake.token, terms.ttl)).await;
        let (fence, renewed) = match acquiring {
            Ok((Acquired::Held { fence }, window)) => (fence, window),
            Ok((Acquired::Busy { .. }, _)) => {
                grip.may_hold = false;
                return Ok(Taken::Busy);
            }
            Err(trouble) => {
                grip.may_hold = !trouble.is_refusal();
                return Err(trouble);
            }
        };
        let tenure = Arc::new(Tenure {
            stake,
            terms,
            began: renewed.from,
            state: Mutex::new(State { renewed, renewals: 0, on_its_way: false, loss: None }),
            lost: CancellationToken::new(),
        });
        Ok(Taken::Held(Self { grip, tenure, fence, watchdog: None }))
    }

    /// What renews it. Ends when it is lost.
    pub(super) fn watchdog(&self) -> impl Future<Output = ()> + Send + use<> {
        let tenure = Arc::clone(&self.tenure);
        async move {
            let loss = tenure.keep().await;
            tenure.lose(loss);
        }
    }

    /// Whether it may be relied on now, by our own clock and without asking.
    /// Once it may not, it never may again.
    pub(super) fn is_held(&self) -> bool {
        if let Err(loss) = self.tenure.in_time() {
            self.tenure.lose(loss);
        }
        self.loss().is_none()
    }

    /// Is cancelled when it is lost: what it protects must be left alone from then on.
    pub(super) fn lost(&self) -> &CancellationToken {
        &self.tenure.lost
    }

    /// Why it was lost, if it was.
    pub(super) fn loss(&self) -> Option<Loss> {
        self.tenure.state().loss
    }

    /// The number to write under.
    pub(super) fn fence(&self) -> u64 {
        self.fence
    }

    /// Whose it is.
    pub(super) fn token(&self) -> &Token {
        &self.grip.stake.token
    }

    /// When it was last taken or renewed, and how often it was renewed.
    pub(super) fn renewed(&self) -> (Window, u32) {
        let state = self.tenure.state();
        (state.renewed, state.renewals)
    }

    /// Gives it back.
    pub(super) async fn release(mut self) -> Result<Owner, Trouble> {
        self.watchdog = None;
        let owner = self.grip.stake.release().await?;
        self.grip.may_hold = false;
        Ok(owner)
    }

    /// Leaves it as a holder does that is killed: it expires. When it was last renewed,
    /// unless a renewal is on its way, which may be carried out at any later moment.
    pub(super) fn abandon(mut self) -> Option<Window> {
        self.watchdog = None;
        self.grip.may_hold = false;
        let state = self.tenure.state();
        (!state.on_its_way).then_some(state.renewed)
    }
}

impl Stake {
    async fn release(&self) -> Result<Owner, Trouble> {
        self.lock.release(&self.key, &self.token).await
    }
}

impl fmt::Debug for Stake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} by {:?}", self.key.as_str(), self.token)
    }
}

impl Drop for Grip {
    fn drop(&mut self) {
        // Outside of a runtime there is nothing left to send with: it expires.
        if let (true, Ok(runtime)) = (self.may_hold, runtime::Handle::try_current()) {
            let stake = self.stake.clone();
            // Whether it worked is nobody's to know any more; if not, it expires.
            runtime.spawn(async move { drop(stake.release().await) });
        }
    }
}

impl State {
    fn renew(&mut self, window: Window) {
        self.renewed = window;
        self.renewals += 1;
        self.on_its_way = false;
    }
}

impl Tenure {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lose(&self, loss: Loss) {
        self.state().loss.get_or_insert(loss);
        self.lost.cancel();
    }

    /// Until when it may be relied on, if it is not renewed.
    fn until(&self) -> Instant {
        let lapses = self.state().renewed.from + self.stake.lock.trusted(self.terms.ttl);
        cmp::min(lapses, self.began + self.terms.longest)
    }

    fn in_time(&self) -> Result<(), Loss> {
        match Instant::now() {
            now if now >= self.began + self.terms.longest => Err(Loss::Expended),
            now if now >= self.until() => Err(Loss::Lapsed),
            _ => Ok(()),
        }
    }

    /// Renews it whenever a third of its time is over.
    async fn keep(&self) -> Loss {
        loop {
            let due = self.state().renewed.from + self.terms.ttl / 3;
            sleep_until(cmp::min(due, self.until())).await;
            if let Err(loss) = self.renew().await {
                return loss;
            }
        }
    }

    /// Renews it once, in as many attempts as fit into the time that is left.
    async fn renew(&self) -> Result<(), Loss> {
        let (stake, ttl) = (&self.stake, self.terms.ttl);
        for pause in Backoff::new(ttl / 24, ttl / 6).map_err(|_| Loss::Lapsed)? {
            // After a pause of this process the lock may be another's: look before asking.
            self.in_time()?;
            let deadline = cmp::min(Instant::now() + ttl / 6, self.until());
            self.state().on_its_way = true;
            let attempt = watched(stake.lock.extend(&stake.key, &stake.token, ttl));
            match timeout_at(deadline, attempt).await {
                Ok(Ok((Owner::Yes, window))) => {
                    // An answer that was read too late renews nothing: we said "lost" meanwhile.
                    self.in_time()?;
                    self.state().renew(window);
                    return Ok(());
                }
                Ok(Ok((Owner::No, _))) => return Err(Loss::Taken),
                Ok(Err(_)) | Err(_) => {
                    sleep_until(cmp::min(Instant::now() + pause, self.until())).await;
                }
            }
        }
        Err(Loss::Lapsed)
    }
}
