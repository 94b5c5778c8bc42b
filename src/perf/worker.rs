//! One thread of clients: connects them, sends them off, watches over them.

use super::{
    alarm::Alarm,
    desk::{Desk, Pace, Shape, Span},
    plan::Moments,
    subject::{Broken, Client as _, Subject},
    trip::Trip,
    window::{Window, micros},
};
use crate::domain::perf::Load;
use rustix::time::{ClockId, clock_gettime};
use std::{collections::HashMap, io, rc::Rc, sync::Arc, time::Duration};
use tokio::{
    sync::{Semaphore, mpsc, watch},
    task::{AbortHandle, JoinSet},
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

/// How often a worker looks whether it still gets its time.
const BEAT: Duration = Duration::from_millis(10);
/// How often it tells what it counted. Whole seconds of the measurement are told apart.
pub(super) const TELL: Duration = Duration::from_millis(250);
/// Connections that one worker opens at once: more would overrun the backlog of a listener.
const DIALLING: usize = 64;
/// How long a connection may take to open.
const DIAL: Duration = Duration::from_secs(5);
/// Between two attempts to open one.
const REDIAL: Duration = Duration::from_millis(100);
/// Under which class those count.
const UNANSWERED: &str = "no answer";

/// What a worker tells.
#[derive(Debug)]
pub(super) enum News {
    /// All of its clients are connected.
    Ready,
    /// One of them cannot.
    Unfit(Broken),
    /// What it counted since it last told.
    Counted(u32, Box<Window>),
    /// What it counted last; there is nothing more to come.
    Done(u32, Box<Window>),
}

/// What a worker is told.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) number: u32,
    pub(super) load: Load,
    pub(super) seed: u64,
    /// When to begin, once that is known.
    pub(super) start: watch::Receiver<Option<Instant>>,
    pub(super) news: mpsc::Sender<News>,
    pub(super) cancel: CancellationToken,
    /// Whether its alarms are tokio's, which a test can pause.
    pub(super) coarse: bool,
}

impl Job {
    /// The share of this worker of something, the first ones taking one more.
    fn share(&self, whole: u64) -> u64 {
        let (threads, number) = (u64::from(self.load.threads), u64::from(self.number));
        whole / threads + u64::from(number < whole % threads)
    }

    fn seats(&self) -> usize {
        usize::try_from(self.share(self.load.clients.into())).unwrap_or(0)
    }

    fn alarm(&self) -> io::Result<Alarm> {
        if self.coarse { Ok(Alarm::Coarse) } else { Alarm::fine() }
    }

    fn desk(&self, begin: Instant, operations: usize) -> io::Result<Desk> {
        let measure = begin + self.load.warm_up;
        let end = self.load.duration.map(|duration| measure + duration);
        let moments = Moments::of(&self.load, self.number, self.load.threads, self.seed);
        let pace = match moments {
            Some(moments) => Pace::Plan((moments.peekable(), self.alarm()?).into()),
            None => Pace::Answers,
        };
        let shape = Shape {
            seats: self.seats(),
            depth: usize::try_from(self.load.depth).unwrap_or(1),
            operations,
            requests: self.load.requests.map(|whole| self.share(whole)),
        };
        Ok(Desk::new(Span { begin, measure, end }, pace, shape))
    }
}

/// Runs one worker to its end, within a `LocalSet`.
pub(super) async fn work<S: Subject>(subject: Arc<S>, mut job: Job) {
    let cancel = job.cancel.clone();
    let ready = tokio::select! {
        biased;
        () = cancel.cancelled() => return,
        ready = prepare(&subject, &mut job) => ready,
    };
    match ready {
        Ok((shift, clients, alarm)) => shift.run(clients, alarm).await,
        // Nobody listens any more: then nobody wants to know.
        Err(broken) => drop(job.news.send(News::Unfit(broken)).await),
    }
}

/// Connects every client and waits for the begin.
async fn prepare<S: Subject>(
    subject: &Arc<S>,
    job: &mut Job,
) -> Result<(Shift<S>, Vec<S::Client>, Alarm), Broken> {
    let clients = connect_all(&**subject, job.seats()).await?;
    let gone = |()| Broken::new("gone", "the test was given up");
    job.news.send(News::Ready).await.map_err(|_| gone(()))?;
    let begin = job.start.wait_for(Option::is_some).await.map(|begin| *begin);
    let begin = begin.map_err(|_| gone(()))?.unwrap_or_else(Instant::now);
    let untimed = |error| Broken::new("timer", &format!("this host gives no timer: {error}"));
    let desk = job.desk(begin, subject.operations().len()).map_err(untimed)?;
    let alarm = job.alarm().map_err(untimed)?;
    Ok((Shift::new(Arc::clone(subject), desk, job), clients, alarm))
}

/// Connects `seats` clients, some at a time.
async fn connect_all<S: Subject>(subject: &S, seats: usize) -> Result<Vec<S::Client>, Broken> {
    let gate = Semaphore::new(DIALLING);
    let dialled = (0..seats).map(|_| async {
        let _pass = gate.acquire().await;
        connect(subject).await
    });
    futures_util::future::try_join_all(dialled).await
}

async fn connect<S: Subject>(subject: &S) -> Result<S::Client, Broken> {
    let late = |_| Broken::new("late", "a connection took longer than 5 s");
    timeout(DIAL, subject.connect()).await.map_err(late)?
}

/// A worker at work.
struct Shift<S: Subject> {
    subject: Arc<S>,
    desk: Rc<Desk>,
    number: u32,
    news: mpsc::Sender<News>,
    cancel: CancellationToken,
    timeout: Duration,
    tasks: JoinSet<()>,
    seats: HashMap<usize, AbortHandle>,
    /// Processor time of this thread when it was last told, once the measurement began.
    cpu: Option<Duration>,
    /// How often it should have told by now.
    told: u128,
}

impl<S: Subject> Shift<S> {
    fn new(subject: Arc<S>, desk: Desk, job: &Job) -> Self {
        Self {
            subject,
            desk: Rc::new(desk),
            number: job.number,
            news: job.news.clone(),
            cancel: job.cancel.clone(),
            timeout: job.load.timeout,
            tasks: JoinSet::new(),
            seats: HashMap::new(),
            cpu: None,
            told: 0,
        }
    }

    async fn run(mut self, clients: Vec<S::Client>, alarm: Alarm) {
        for (seat, client) in clients.into_iter().enumerate() {
            self.seat(seat, Some(client));
        }
        let cancel = self.cancel.clone();
        let mut due = Instant::now() + BEAT;
        loop {
            tokio::select! {
                biased;
                () = cancel.cancelled() => break,
                () = alarm.until(due) => due = self.beat(due),
                ended = self.tasks.join_next() => match ended {
                    Some(_) => {}
                    None => break,
                },
            }
        }
        self.tasks.shutdown().await;
        if !cancel.is_cancelled() {
            self.desk.give_up_plan();
        }
        let last = Box::new(self.count());
        // Nobody listens any more: then nobody wants to know.
        drop(self.news.send(News::Done(self.number, last)).await);
    }

    /// Sends a client off, with a connection or in need of one.
    fn seat(&mut self, seat: usize, client: Option<S::Client>) {
        let life = live(Arc::clone(&self.subject), Rc::clone(&self.desk), seat, client);
        let handle = self.tasks.spawn_local(life);
        self.seats.insert(seat, handle);
    }

    /// Looks after everything; returns when to look again.
    fn beat(&mut self, due: Instant) -> Instant {
        let now = Instant::now();
        if now >= self.desk.span.measure {
            self.desk.window().beats.record(micros(now - due));
            self.cpu.get_or_insert_with(cpu);
        }
        let Span { begin, measure, .. } = self.desk.span;
        let spans = [(begin, now.min(measure)), (measure, now)];
        let times = |(from, to): (Instant, Instant)| {
            to.saturating_duration_since(from).as_millis() / TELL.as_millis()
        };
        let times = spans.map(times).iter().sum();
        if times > self.told {
            self.told = times;
            self.free_stuck();
            if let Ok(place) = self.news.clone().try_reserve() {
                place.send(News::Counted(self.number, Box::new(self.count())));
            }
        }
        now + BEAT
    }

    /// Gives up what is never answered, and its connection with it.
    fn free_stuck(&mut self) {
        for seat in self.desk.stuck(self.timeout) {
            if let Some(task) = self.seats.remove(&seat) {
                task.abort();
            }
            self.desk.give_up(seat, &Broken::new(UNANSWERED, ""));
            if !self.desk.is_over(Instant::now()) {
                self.seat(seat, None);
            }
        }
    }

    fn count(&mut self) -> Window {
        let mut window = self.desk.take_window();
        if let Some(before) = self.cpu {
            let now = cpu();
            window.cpu = now.saturating_sub(before);
            self.cpu = Some(now);
        }
        window
    }
}

/// One client from its connection to the end of the test, with new connections in between.
async fn live<S: Subject>(
    subject: Arc<S>,
    desk: Rc<Desk>,
    seat: usize,
    mut client: Option<S::Client>,
) {
    sleep_until(desk.span.begin).await;
    loop {
        let mut connected = match client.take() {
            Some(connected) => connected,
            None if desk.is_over(Instant::now()) => return,
            None => match connect(&*subject).await {
                Ok(connected) => connected,
                Err(broken) => {
                    desk.unsent(&broken);
                    sleep(REDIAL).await;
                    continue;
                }
            },
        };
        loop {
            if !desk.depart(seat).await {
                return;
            }
            let ended = connected.trip(&mut Trip::new(&desk, seat)).await;
            if let Err(broken) = ended {
                desk.give_up(seat, &broken);
                break;
            }
            if desk.open(seat) > 0 {
                desk.give_up(seat, &Broken::new(UNANSWERED, ""));
            }
        }
    }
}

/// Processor time of this thread.
fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or(0))
}
