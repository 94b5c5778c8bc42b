//! From a plan to figures: starts the workers, collects, guards, ends.

use super::{
    figures::Figures,
    guard::Guards,
    subject::{Broken, Subject},
    tally::Tally,
    worker::{Job, News, work},
};
use crate::domain::perf::{Ended, Load, Phase, Progress};
use std::{fmt, future::Future, sync::Arc, time::Duration};
use tokio::{
    runtime::Builder,
    sync::{mpsc, watch},
    task::{LocalSet, spawn_blocking},
    time::{Instant, MissedTickBehavior, interval, sleep},
};
use tokio_util::sync::{CancellationToken, DropGuard};

/// How often progress is told.
const TICK: Duration = Duration::from_millis(250);
/// How often the subject looks after its target.
const LOOK: Duration = Duration::from_secs(1);
/// Between the last connection and the first operation.
const LEAD: Duration = Duration::from_millis(5);
/// What workers may have told that is not yet added up. They wait when it is full.
const NEWS: usize = 64;
/// Threads of clients, at most.
pub const THREADS: u32 = 64;

/// The reins of a running test, in the hand of whoever started it.
#[derive(Clone, Debug)]
pub struct Reins {
    /// Ends it within a second.
    pub cancel: CancellationToken,
    /// How far it is; the newest only.
    pub progress: watch::Sender<Progress>,
}

impl Reins {
    /// Reins, and the place to read the progress from.
    pub fn new(cancel: CancellationToken) -> (Self, watch::Receiver<Progress>) {
        let (progress, shown) = watch::channel(Progress::default());
        (Self { cancel, progress }, shown)
    }

    /// Says what the test does, where nothing is counted.
    pub fn say(&self, phase: Phase) {
        self.progress.send_modify(|progress| {
            (progress.phase, progress.elapsed, progress.of) = (phase, Duration::ZERO, None);
        });
    }
}

/// Why there are no figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failed {
    /// A client cannot connect, for this reason.
    Unfit(String),
    /// This host lacks what a client takes.
    Short(String),
    /// It was stopped before anything began.
    Aborted,
    /// A thread of clients ended by itself: a bug of ours.
    Lost,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unfit(why) | Self::Short(why) => f.write_str(why),
            Self::Aborted => f.write_str("stopped before anything was measured"),
            Self::Lost => f.write_str("a thread of clients crashed"),
        }
    }
}

impl std::error::Error for Failed {}

impl From<Broken> for Failed {
    fn from(broken: Broken) -> Self {
        if broken.ours { Self::Short(broken.says) } else { Self::Unfit(broken.says) }
    }
}

/// Puts `load` on `subject` and returns what that took.
///
/// It ends by itself as the load says, when a guard says so, and within a second
/// when the reins are drawn; then the figures are of what was measured until then.
/// Dropping it ends the workers too.
///
/// # Errors
///
/// [`Failed`], when nothing could be measured at all.
pub async fn run<S: Subject>(
    subject: Arc<S>,
    load: &Load,
    guards: Guards,
    reins: &Reins,
) -> Result<Figures, Failed> {
    let load =
        Load { threads: load.threads.clamp(1, THREADS.min(load.clients.max(1))), ..load.clone() };
    let (start, news, jobs, _guard) = orders(&load, reins, Alarms::Fine);
    for job in jobs {
        let subject = Arc::clone(&subject);
        // A runtime of its own on a thread of its own. It ends when its job does.
        drop(spawn_blocking(move || {
            let runtime = Builder::new_current_thread().enable_all().build();
            if let Ok(runtime) = runtime {
                LocalSet::new().block_on(&runtime, work(subject, job));
            }
        }));
    }
    collect(&*subject, Collecting { load, guards, start, news }, reins).await
}

/// Which alarms the workers use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Alarms {
    Fine,
    /// For a paused clock.
    Coarse,
}

/// What each worker is told, and the ends that the collector holds.
fn orders(
    load: &Load,
    reins: &Reins,
    alarms: Alarms,
) -> (watch::Sender<Option<Instant>>, mpsc::Receiver<News>, Vec<Job>, DropGuard) {
    let (start, begin) = watch::channel(None);
    let (told, news) = mpsc::channel(NEWS);
    // Whatever ends the collector ends the workers.
    let cancel = reins.cancel.child_token();
    let seed = fastrand::u64(..);
    let job = |number| Job {
        number,
        load: load.clone(),
        seed,
        start: begin.clone(),
        news: told.clone(),
        cancel: cancel.clone(),
        coarse: alarms == Alarms::Coarse,
    };
    (start, news, (0..load.threads).map(job).collect(), cancel.drop_guard())
}

/// What the collector works with.
struct Collecting {
    load: Load,
    guards: Guards,
    start: watch::Sender<Option<Instant>>,
    news: mpsc::Receiver<News>,
}

async fn collect<S: Subject>(
    subject: &S,
    mut with: Collecting,
    reins: &Reins,
) -> Result<Figures, Failed> {
    gather(&mut with, reins).await?;
    let begin = Instant::now() + LEAD;
    with.start.send_replace(Some(begin));
    let names = subject.operations();
    let mut tally = Tally::new(&with.load, names.len(), begin);
    let ended = watch_over(&mut with, &mut tally, reins, looks(subject)).await?;
    reins.say(Phase::Finishing);
    Ok(tally.conclude(&names, ended))
}

/// Waits until every worker's clients are connected.
async fn gather(with: &mut Collecting, reins: &Reins) -> Result<(), Failed> {
    for _ in 0..with.load.threads {
        tokio::select! {
            biased;
            () = reins.cancel.cancelled() => return Err(Failed::Aborted),
            news = with.news.recv() => match news {
                Some(News::Ready) => {}
                Some(News::Unfit(broken)) => return Err(broken.into()),
                Some(News::Counted(..) | News::Done(..)) | None => return Err(Failed::Lost),
            },
        }
    }
    Ok(())
}

/// Adds up until every worker is done, somebody stops it or a guard does.
async fn watch_over(
    with: &mut Collecting,
    tally: &mut Tally,
    reins: &Reins,
    looks: impl Future<Output = String>,
) -> Result<Ended, Failed> {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut working = with.load.threads;
    tokio::pin!(looks);
    while working > 0 {
        tokio::select! {
            biased;
            () = reins.cancel.cancelled() => return Ok(Ended::Aborted),
            why = &mut looks => return Ok(Ended::Stopped(why)),
            news = with.news.recv() => match news {
                Some(News::Counted(worker, window)) => tally.add(worker, &window),
                Some(News::Done(worker, window)) => {
                    tally.add(worker, &window);
                    working -= 1;
                }
                Some(News::Ready) => {}
                Some(News::Unfit(broken)) => return Err(broken.into()),
                None => return Err(Failed::Lost),
            },
            _ = ticks.tick() => {
                tally.tick();
                reins.progress.send_replace(tally.progress());
                let (well, failed, most) = tally.last_second();
                if let Some(why) = with.guards.judge(well, failed, most.as_deref()) {
                    return Ok(Ended::Stopped(why));
                }
            }
        }
    }
    Ok(Ended::Complete)
}

/// Looks after the target until that gives a reason to stop.
async fn looks<S: Subject>(subject: &S) -> String {
    loop {
        sleep(LOOK).await;
        if let Err(why) = subject.look().await {
            return why;
        }
    }
}

#[cfg(test)]
mod tests;
