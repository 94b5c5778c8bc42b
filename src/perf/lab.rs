//! Runs the tests that somebody at a console starts, one at a time.

use super::{
    Reins, Test, Untested,
    against::{compare, is_comparable, unlike},
};
use crate::domain::perf::{Board, Ended, Entry, Order, Progress, Record, Running};
use std::{
    future::{Future, ready},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::{mpsc, watch},
    task::{JoinError, JoinHandle, JoinSet},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

/// Orders waiting to be followed.
const ORDERS: usize = 8;

/// The two ends that a console holds.
#[derive(Clone, Debug)]
pub struct LabHandle {
    /// The newest board.
    pub boards: watch::Receiver<Arc<Board>>,
    orders: mpsc::Sender<Order>,
}

impl LabHandle {
    /// Joins the two ends. The lab makes one; a test can too.
    pub fn new(boards: watch::Receiver<Arc<Board>>, orders: mpsc::Sender<Order>) -> Self {
        Self { boards, orders }
    }

    /// Hands over an order without waiting; says whether it was taken.
    pub fn send(&self, order: Order) -> bool {
        self.orders.try_send(order).is_ok()
    }
}

/// A started lab. It owns whatever test runs.
#[derive(Debug)]
pub struct Lab {
    cancel: CancellationToken,
    /// Returns whether nothing is left of any test.
    task: JoinHandle<bool>,
}

impl Lab {
    /// Makes `tests` ready to be started. Must be called within a runtime.
    pub fn start(tests: Vec<Arc<dyn Test>>) -> (Self, LabHandle) {
        Self::start_after(tests, ready(Vec::new()))
    }

    /// The same, with results of earlier tests to compare with, the newest first, as soon
    /// as they are there.
    pub fn start_after(
        tests: Vec<Arc<dyn Test>>,
        earlier: impl Future<Output = Vec<Record>> + Send + 'static,
    ) -> (Self, LabHandle) {
        let cancel = CancellationToken::new();
        let (orders, received) = mpsc::channel(ORDERS);
        let entry = |test: &Arc<dyn Test>| Entry {
            offer: test.offer(),
            last: None,
            before: None,
            failed: None,
        };
        let board = Board { tests: tests.iter().map(entry).collect(), running: None };
        let (publish, boards) = watch::channel(Arc::new(board.clone()));
        let (cancelled, past) = (cancel.clone(), Vec::new());
        let bench = Bench { tests, board, publish, cancel: cancelled, clean: true, past };
        let task = tokio::spawn(bench.run(received, earlier));
        (Self { cancel, task }, LabHandle::new(boards, orders))
    }

    /// Stops the test that runs, and lets it tidy up for no longer than `grace`.
    ///
    /// Returns whether it did so in time, and nothing is left of any test on its target.
    pub async fn stop(mut self, grace: Duration) -> bool {
        self.cancel.cancel();
        let clean = timeout(grace, &mut self.task).await;
        self.task.abort();
        matches!(clean, Ok(Ok(true)))
    }
}

/// The one task that owns the board.
struct Bench {
    tests: Vec<Arc<dyn Test>>,
    board: Board,
    publish: watch::Sender<Arc<Board>>,
    cancel: CancellationToken,
    /// Whether nothing is left of the tests that ended.
    clean: bool,
    /// Results from before, the newest first.
    past: Vec<Record>,
}

/// A test under way: a task of its own, so that a crash of it stays there.
struct UnderWay {
    task: JoinSet<Result<Record, Untested>>,
    cancel: CancellationToken,
    progress: watch::Receiver<Progress>,
}

impl UnderWay {
    /// The next that is heard of it: how far it is, or how it ended.
    async fn news(&mut self) -> News {
        let Self { task, progress, .. } = self;
        tokio::select! {
            biased;
            ended = task.join_next() => News::Ended(ended.map(Box::new)),
            Ok(()) = progress.changed() => News::Progress(Box::new(progress.borrow_and_update().clone())),
        }
    }
}

/// How a test's task ended.
type End = Result<Result<Record, Untested>, JoinError>;

enum News {
    Progress(Box<Progress>),
    Ended(Option<Box<End>>),
}

impl Bench {
    async fn run(
        mut self,
        mut orders: mpsc::Receiver<Order>,
        past: impl Future<Output = Vec<Record>>,
    ) -> bool {
        tokio::pin!(past);
        let mut waiting = true;
        let cancel = self.cancel.clone();
        let (mut under_way, mut open): (Option<UnderWay>, bool) = (None, true);
        loop {
            if under_way.is_none() && (cancel.is_cancelled() || !open) {
                return self.clean;
            }
            tokio::select! {
                biased;
                () = cancel.cancelled(), if under_way.is_none() => return self.clean,
                found = &mut past, if waiting => (self.past, waiting) = (found, false),
                order = orders.recv(), if open => match order {
                    Some(order) => self.follow(&order, &mut under_way),
                    None => open = false,
                },
                news = heard(&mut under_way) => match news {
                    News::Progress(progress) => self.show(*progress),
                    News::Ended(ended) => {
                        under_way = None;
                        self.conclude(ended);
                    }
                },
            }
            self.publish.send_replace(Arc::new(self.board.clone()));
        }
    }

    fn follow(&mut self, order: &Order, under_way: &mut Option<UnderWay>) {
        match (order, under_way.as_ref()) {
            (Order::Start(test), None) => *under_way = self.start(test),
            (Order::Abort, Some(running)) => {
                running.cancel.cancel();
                if let Some(running) = &mut self.board.running {
                    running.aborting = true;
                }
            }
            (Order::Start(_), Some(_)) | (Order::Abort, None) => {}
        }
    }

    fn start(&mut self, name: &str) -> Option<UnderWay> {
        let at = self.board.tests.iter().position(|entry| entry.offer.test == name)?;
        let entry = self.board.tests.get_mut(at).filter(|entry| entry.offer.refused.is_none())?;
        entry.failed = None;
        let (test, cancel) = (Arc::clone(self.tests.get(at)?), self.cancel.child_token());
        let (reins, progress) = Reins::new(cancel.clone());
        let mut task = JoinSet::new();
        task.spawn(async move { test.run(&reins).await });
        let progressed = Progress::default();
        self.board.running =
            Some(Running { test: name.into(), progress: progressed, aborting: false });
        Some(UnderWay { task, cancel, progress })
    }

    fn show(&mut self, progress: Progress) {
        if let Some(running) = &mut self.board.running {
            running.progress = progress;
        }
    }

    /// Keeps what a test found beside what it found before.
    fn conclude(&mut self, ended: Option<Box<End>>) {
        let Some(running) = self.board.running.take() else { return };
        let entry = self.board.tests.iter_mut().find(|entry| entry.offer.test == running.test);
        let (Some(entry), Some(ended)) = (entry, ended) else { return };
        let left = match &*ended {
            Ok(Ok(record)) => record.receipt.map_or(0, |receipt| receipt.left),
            Ok(Err(untested)) => untested.left,
            // Nobody tidied up.
            Err(_) => u64::MAX,
        };
        self.clean &= left == 0;
        match *ended {
            Ok(Ok(mut record)) => {
                entry.before = entry.last.take();
                // What was found since the console is there counts before what was kept.
                let known = entry.before.iter().map(|it| &**it).chain(&self.past);
                let mut like =
                    known.filter(|it| is_comparable(it) && unlike(it, &record).is_empty());
                let earlier = like.find(|it| it.ended == Ended::Complete);
                let against = earlier.filter(|_| is_comparable(&record));
                record.against = against.map(|earlier| Box::new(compare(earlier, &record)));
                entry.last = Some(Arc::new(record));
            }
            Ok(Err(untested)) => entry.failed = Some(untested.to_string()),
            Err(_) => entry.failed = Some("the test itself crashed; the log says where".into()),
        }
    }
}

/// The next that is heard of a test; nothing ever, where none runs.
async fn heard(under_way: &mut Option<UnderWay>) -> News {
    match under_way {
        Some(under_way) => under_way.news().await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::perf::{Block, Offer, Phase, Refusal},
        perf::{Testing, render::sample},
    };

    /// Measures until it is told to stop; what is called `crash` crashes.
    struct Fake(&'static str);

    impl Test for Fake {
        fn offer(&self) -> Offer {
            let refused = || Refusal { why: "it is remote".into(), hint: "allow it".into() };
            Offer {
                test: self.0.into(),
                title: "Fake".into(),
                target: "here".into(),
                load: "none".into(),
                does: Vec::new(),
                writes: true,
                takes: Duration::from_secs(1),
                refused: (self.0 == "remote").then(refused),
            }
        }

        fn run<'a>(&'a self, reins: &'a Reins) -> Testing<'a> {
            Box::pin(async move {
                assert_ne!(self.0, "crash", "it crashes on purpose");
                reins.say(Phase::Measuring);
                reins.cancel.cancelled().await;
                let within = [Some(Duration::from_millis(2)); 3];
                let (mean, per_second, failed) = (Duration::from_millis(2), 9.0, 0.0);
                let blocks = vec![Block { mean, per_second, within, failed }; 10];
                Ok(Record { ended: Ended::Aborted, blocks, ..sample::record() })
            })
        }
    }

    fn lab() -> (Lab, LabHandle) {
        Lab::start(vec![Arc::new(Fake("one")), Arc::new(Fake("remote")), Arc::new(Fake("crash"))])
    }

    async fn board(handle: &mut LabHandle, met: impl FnMut(&Arc<Board>) -> bool) -> Arc<Board> {
        let seen = timeout(Duration::from_mins(1), handle.boards.wait_for(met)).await;
        Arc::clone(&seen.unwrap().unwrap())
    }

    #[tokio::test]
    async fn a_test_runs_ends_and_its_result_is_kept_beside_the_last() {
        let (lab, mut handle) = lab();
        for round in 1..=2 {
            assert!(handle.send(Order::Start("one".into())));
            let measures = |board: &Arc<Board>| {
                board.running("one").is_some_and(|it| it.progress.phase == Phase::Measuring)
            };
            board(&mut handle, measures).await;
            assert!(handle.send(Order::Start("remote".into())), "a second is not started");
            handle.send(Order::Abort);
            let ended = board(&mut handle, |board| board.running.is_none()).await;
            let entry = ended.entry("one").unwrap();
            assert_eq!((entry.last.is_some(), entry.before.is_some()), (true, round == 2));
        }
        assert!(lab.stop(Duration::from_secs(5)).await);
    }

    #[tokio::test]
    async fn what_is_refused_does_not_start_and_a_crash_stays_there() {
        let (lab, mut handle) = lab();
        handle.send(Order::Start("remote".into()));
        handle.send(Order::Start("nothing".into()));
        handle.send(Order::Start("crash".into()));
        let crashed =
            |board: &Arc<Board>| board.entry("crash").is_some_and(|entry| entry.failed.is_some());
        let board = board(&mut handle, crashed).await;
        assert!(board.running.is_none() && board.entry("remote").unwrap().last.is_none());
        assert!(!lab.stop(Duration::from_secs(5)).await, "nobody tidied up after the crash");
    }

    #[tokio::test]
    async fn what_was_kept_is_compared_with() {
        let blocks = vec![
            Block {
                mean: Duration::from_millis(1),
                per_second: 9.0,
                within: [Some(Duration::from_millis(1)); 3],
                failed: 0.0,
            };
            10
        ];
        let kept = Record { blocks, ..sample::record() };
        let part = Record { ended: Ended::Aborted, ..kept.clone() };
        let tests: Vec<Arc<dyn Test>> = vec![Arc::new(Fake("one"))];
        let (lab, mut handle) = Lab::start_after(tests, ready(vec![part, kept]));
        handle.send(Order::Start("one".into()));
        board(&mut handle, |board| board.running.is_some()).await;
        handle.send(Order::Abort);
        let ended = board(&mut handle, |board| board.running.is_none()).await;
        let found = ended.entry("one").unwrap().last.clone().unwrap();
        assert_eq!(found.against.as_ref().unwrap().before, Some(sample::record().began));
        assert!(ended.entry("one").unwrap().before.is_none(), "it is of no test of this console");
        assert!(lab.stop(Duration::from_secs(5)).await);
    }

    #[tokio::test]
    async fn whoever_ends_the_lab_ends_the_test() {
        let (lab, mut handle) = lab();
        handle.send(Order::Start("one".into()));
        board(&mut handle, |board| board.running.is_some()).await;
        assert!(lab.stop(Duration::from_secs(5)).await);
        assert!(handle.boards.borrow().entry("one").unwrap().last.is_some());
    }
}
