//! Runs the checks and publishes what they found.
//!
//! ```text
//! Command ──▶ engine ──▶ supervisor (one per integration) ──▶ run (one per check)
//!                ▲                    │
//!                └──── Update ◀───────┘
//!                │
//!                └──▶ watch<Arc<Snapshot>> ──▶ any number of readers
//! ```
//!
//! One task owns the state, so no lock guards it. Readers see whole snapshots
//! and can be as slow as they like: a watch channel keeps only the newest.

mod command;
mod deploy;
mod hysteresis;
mod orders;
mod pool;
mod recall;
mod schedule;
mod state;
mod supervisor;

pub use command::{Command, Refused, Selection};

use crate::{
    domain::{
        Baseline, CheckId, CheckSpec, Class, Finding, Flags, Notice, Pending, Policy, Snapshot,
        Timestamp, Trigger,
    },
    probe::Integration,
    secret::Redactor,
};
use pool::Pool;
use state::{Now, State};
use std::{future::pending, sync::Arc, time::Duration};
use supervisor::Surroundings;
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
    time::{Instant, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

/// Commands waiting to be handled. A person cannot type faster than this drains.
const COMMANDS: usize = 32;
/// What follows a deploy: nothing from before it counts.
const ALL_ANEW: Command = Command::Recheck(Selection::All);
/// Results waiting to be folded in. Supervisors wait when it is full.
const UPDATES: usize = 256;

/// The two ends a reader holds. A local engine and a remote one both come as this.
#[derive(Clone, Debug)]
pub struct Handle {
    /// The newest snapshot.
    pub snapshots: watch::Receiver<Arc<Snapshot>>,
    commands: mpsc::Sender<Command>,
}

impl Handle {
    /// Joins the two ends. The engine makes one; a test or a remote reader can too.
    pub fn new(snapshots: watch::Receiver<Arc<Snapshot>>, commands: mpsc::Sender<Command>) -> Self {
        Self { snapshots, commands }
    }

    /// Hands over a command without waiting.
    pub fn send(&self, command: Command) -> Result<(), Refused> {
        self.commands.try_send(command).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Refused::Busy,
            mpsc::error::TrySendError::Closed(_) => Refused::Stopped,
        })
    }
}

/// How an engine begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// Run every check at its cadence, the first time shortly after the start.
    Polling,
    /// Run only what is asked for.
    WhenAsked,
}

/// What the user wants different about a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// Which.
    pub check: CheckId,
    /// Its weight in the verdict.
    pub class: Option<Class>,
    /// Its weight in the score, 0 to 10.
    pub weight: Option<u8>,
}

impl Override {
    /// Makes of `spec`, that of the check `id`, what the user wants.
    pub fn apply(all: &[Self], id: &CheckId, spec: &mut CheckSpec) {
        for change in all.iter().filter(|change| change.check == *id) {
            spec.class = change.class.unwrap_or(spec.class);
            spec.weight = change.weight.unwrap_or(spec.weight);
        }
    }
}

/// Everything that an engine is started with.
pub struct Plan {
    /// What to watch, in the order to show it.
    pub integrations: Vec<Arc<dyn Integration>>,
    /// What the verdict is judged by.
    pub policy: Policy,
    /// The name of what is deployed, if anybody will say which version it serves.
    pub app: Option<String>,
    /// What the user wants different.
    pub overrides: Vec<Override>,
    /// Takes the secrets out of every finding before anybody sees it.
    pub redactor: Redactor,
    /// What the user has to know from the start.
    pub notices: Vec<Notice>,
    /// The name of this host.
    pub host: String,
    /// When it starts on its own scale of time: so far back can it place what earlier
    /// sessions saw.
    pub began: Duration,
    /// Reads the wall clock; a test passes a constant.
    pub now: fn() -> Timestamp,
    /// Whether to poll.
    pub begin: Begin,
}

/// What is known of a check after a run.
#[derive(Clone, Debug)]
struct Standing {
    finding: Option<Arc<Finding>>,
    pending: Option<Pending>,
    flags: Flags,
}

/// What a supervisor tells the engine about one of its checks, by position.
#[derive(Clone, Debug)]
enum Update {
    Started {
        check: usize,
        trigger: Trigger,
    },
    /// Asked for while it runs: it will run once more.
    Queued {
        check: usize,
    },
    Ended {
        check: usize,
        trigger: Trigger,
        took: Duration,
        attempt: u8,
        /// Whether no further attempt follows.
        last: bool,
        raw: Arc<Finding>,
        standing: Standing,
    },
}

/// A started engine.
#[derive(Debug)]
pub struct Engine {
    cancel: CancellationToken,
    task: JoinHandle<()>,
}

impl Engine {
    /// Starts watching. Must be called within a Tokio runtime.
    pub fn start(plan: Plan) -> (Self, Handle) {
        let cancel = CancellationToken::new();
        let (commands, command_rx) = mpsc::channel(COMMANDS);
        let mut state = State::new(&plan);
        let clock = Clock { started: Instant::now(), began: plan.began, wall: plan.now };
        let (publish, snapshots) = watch::channel(Arc::new(state.snapshot(clock.now())));
        let before = watch::Sender::new(plan.policy.against.clone());
        let machine = Machine { state, clock, publish, before };
        let task = tokio::spawn(machine.run(plan, command_rx, cancel.clone()));
        (Self { cancel, task }, Handle { snapshots, commands })
    }

    /// Stops every run and waits for them, but no longer than `grace`.
    ///
    /// Returns whether everything stopped by itself in time.
    pub async fn stop(mut self, grace: Duration) -> bool {
        self.cancel.cancel();
        let in_time = timeout(grace, &mut self.task).await.is_ok();
        self.task.abort();
        in_time
    }
}

/// Both clocks of an engine.
#[derive(Clone, Copy)]
struct Clock {
    started: Instant,
    began: Duration,
    wall: fn() -> Timestamp,
}

impl Clock {
    fn now(self) -> Now {
        Now { at: self.began + self.started.elapsed(), wall: (self.wall)() }
    }

    /// The moment of tokio's clock that `at` is.
    fn instant(self, at: Duration) -> Instant {
        self.started + at.saturating_sub(self.began)
    }
}

/// The one task that owns the state.
struct Machine {
    state: State,
    clock: Clock,
    publish: watch::Sender<Arc<Snapshot>>,
    /// What is compared with, for those that run the checks.
    before: watch::Sender<Option<Arc<Baseline>>>,
}

impl Machine {
    async fn run(
        mut self,
        plan: Plan,
        mut commands: mpsc::Receiver<Command>,
        cancel: CancellationToken,
    ) {
        let (updates, mut update_rx) = mpsc::channel(UPDATES);
        let Plan { integrations, redactor, begin, .. } = plan;
        let before = self.before.subscribe();
        let around = Surroundings { updates, cancel: cancel.clone(), redactor, begin, before };
        let mut pool = Pool::start(integrations, around);
        let mut open = true;
        loop {
            let change = self.state.next_change(self.clock.now());
            tokio::select! {
                biased;
                command = commands.recv(), if open => match command {
                    Some(command) => self.command(&command, &pool),
                    None => open = false, // every reader is gone; the checks go on
                },
                Some((place, update)) = update_rx.recv() => {
                    self.state.apply(place, update, self.clock.now());
                    while let Ok((place, update)) = update_rx.try_recv() {
                        self.state.apply(place, update, self.clock.now());
                    }
                }
                died = pool.died() => match died {
                    Some((place, why)) => {
                        tracing::error!(integration = place, %why, "a supervisor crashed");
                        self.state.lost(place, &why, self.clock.now());
                    }
                    None => break, // every supervisor has ended
                },
                () = until(change.map(|at| self.clock.instant(at))) => {}
            }
            self.publish.send_replace(Arc::new(self.state.snapshot(self.clock.now())));
        }
    }

    fn command(&mut self, command: &Command, pool: &Pool) {
        match command {
            Command::Pause => self.state.pause(true, self.clock.now()),
            Command::Resume => self.state.pause(false, self.clock.now()),
            Command::Accept(acceptance) => {
                self.state.accept(acceptance.clone(), self.clock.now());
            }
            Command::Recall(past) => {
                let deployed = self.state.recall(past, self.clock.now());
                self.compare();
                if deployed {
                    pool.pass_on(&ALL_ANEW);
                }
            }
            Command::Baseline(name) => {
                self.state.baseline(name, self.clock.now());
                self.compare();
                pool.pass_on(&ALL_ANEW);
            }
            Command::Serves(version) => {
                if self.state.serves(version, self.clock.now()) {
                    self.compare();
                    pool.pass_on(&ALL_ANEW);
                }
            }
            Command::Tell(notice) => self.state.tell(notice.clone(), self.clock.now()),
            Command::Untell(topic) => self.state.untell(*topic),
            Command::Recheck(_) | Command::Sample(_) | Command::Cancel(_) => {}
        }
        pool.pass_on(command);
    }

    /// Lets the runs from now on know what is compared with.
    fn compare(&self) {
        self.before.send_replace(self.state.policy.against.clone());
    }
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => pending().await,
    }
}

#[cfg(test)]
mod tests;
