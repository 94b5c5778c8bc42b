//! A light poll, and the full run that follows what it finds.

use super::*;
use crate::probe::Alarm;
use tokio::sync::Notify;

/// A target that is polled lightly and looked at in full each minute.
struct Target {
    id: IntegrationId,
    answers: Mutex<Finding>,
    asks_again: bool,
    lost: Notify,
    runs: Mutex<Vec<(usize, Instant)>>,
}

const CONNECT: usize = 0;
const FULL: [usize; 2] = [1, 2];

impl Target {
    fn new(asks_again: bool) -> Arc<Self> {
        Arc::new(Self {
            id: IntegrationId::new("fake").unwrap(),
            answers: Mutex::new(well("run 1")),
            asks_again,
            lost: Notify::new(),
            runs: Mutex::default(),
        })
    }

    fn answers(&self, finding: Finding) -> Instant {
        *self.answers.lock().unwrap() = finding;
        Instant::now()
    }

    /// When `check` ran after `since`, in milliseconds.
    fn ran(&self, check: usize, since: Instant) -> Vec<u128> {
        let runs = self.runs.lock().unwrap();
        let ours = runs.iter().filter(|(ran, at)| *ran == check && *at >= since);
        ours.map(|(_, at)| (*at - since).as_millis()).collect()
    }
}

fn well(gist: &str) -> Finding {
    Finding::pass("works").gist(gist)
}

impl Integration for Target {
    fn id(&self) -> &IntegrationId {
        &self.id
    }

    fn title(&self) -> &'static str {
        "Target"
    }

    fn target(&self) -> crate::domain::Target {
        crate::domain::Target { name: "nowhere".into(), provenance: Provenance::Configured }
    }

    fn checks(&self) -> Vec<CheckSpec> {
        let spec = |name, seconds, needs: Option<&'static str>| {
            let spec = sample::check(name, 1, Finding::pass("")).spec;
            let cadence = Cadence::Every(Duration::from_secs(seconds));
            CheckSpec { cadence, needs: needs.map(text), ..spec }
        };
        let need = Some("connect");
        vec![spec("connect", 5, None), spec("lock", 60, need), spec("queue", 60, need)]
    }

    fn run<'a>(&'a self, index: usize, _: &'a Cx) -> Run<'a> {
        self.runs.lock().unwrap().push((index, Instant::now()));
        let finding = self.answers.lock().unwrap().clone();
        Box::pin(async move {
            sleep(Duration::from_millis(if index == CONNECT { 10 } else { 1500 })).await;
            Ok(finding)
        })
    }

    fn alarm(&self) -> Alarm<'_> {
        Box::pin(async {
            self.lost.notified().await;
            CONNECT
        })
    }

    fn asks_again(&self) -> bool {
        self.asks_again
    }
}

fn watching(target: &Arc<Target>) -> (Engine, Handle) {
    let fake = Fake::new(&[]);
    let integrations: Vec<Arc<dyn Integration>> = vec![Arc::<Target>::clone(target)];
    Engine::start(Plan { integrations, ..plan(&fake) })
}

/// Milliseconds from `since` until `check` stands as said.
async fn stands(handle: &Handle, name: &str, word: &str, since: Instant) -> u128 {
    let mut snapshots = handle.snapshots.clone();
    let id = IntegrationId::new("fake").unwrap().check(name);
    let stood = snapshots.wait_for(|snapshot| {
        snapshot.check(&id).is_some_and(|check| check.outcome().word() == word)
    });
    timeout(Duration::from_secs(30), stood).await.unwrap().unwrap();
    since.elapsed().as_millis()
}

#[tokio::test(start_paused = true)]
async fn a_fault_is_confirmed_within_six_seconds_and_cleared_within_eight() {
    for moment in 0..10 {
        let target = Target::new(true);
        let (engine, handle) = watching(&target);
        sleep(Duration::from_millis(20_000 + 500 * moment)).await;
        let broke = target.answers(Finding::fail("refused").gist("refused"));
        assert!(stands(&handle, "connect", "fail", broke).await <= 6000);
        assert!(stands(&handle, "queue", "blocked", broke).await <= 6000, "and why, at once");
        assert_eq!(target.ran(FULL[0], broke), [], "nothing else was asked of it");
        sleep(Duration::from_secs(21)).await;
        let mended = target.answers(well("run 2"));
        for name in ["connect", "lock", "queue"] {
            let cleared = stands(&handle, name, "pass", mended).await;
            assert!(cleared <= 8000, "{name} took {cleared} ms");
        }
        assert!(engine.stop(Duration::from_secs(1)).await);
    }
}

#[tokio::test(start_paused = true)]
async fn the_full_run_follows_whatever_the_light_poll_tells_anew() {
    let target = Target::new(true);
    let (engine, handle) = watching(&target);
    seconds(20).await;
    let changed = target.answers(well("run 2"));
    seconds(20).await;
    for check in FULL {
        let ran = target.ran(check, changed);
        assert!(ran.len() == 1 && ran[0] <= 5010, "{check} ran at {ran:?}");
    }
    assert_eq!(*check(&handle, "lock").outcome(), Outcome::Pass);
    // Each poll tells something else: the full run still keeps its distance.
    let since = Instant::now();
    for run in 0..60 {
        target.answers(well(&format!("run {run}")));
        seconds(1).await;
    }
    let ran = target.ran(FULL[0], since);
    assert!(ran.windows(2).all(|pair| pair[1] - pair[0] >= 5000), "{ran:?}");
    assert!((11..=13).contains(&ran.len()), "{ran:?}");
    assert!(engine.stop(Duration::from_secs(1)).await);
}

#[tokio::test(start_paused = true)]
async fn what_is_noticed_between_two_polls_brings_both_forward() {
    let target = Target::new(true);
    let (engine, handle) = watching(&target);
    sleep(Duration::from_millis(21_234)).await;
    let since = Instant::now();
    target.lost.notify_one();
    sleep(Duration::from_millis(100)).await;
    assert_eq!(target.ran(CONNECT, since), [0]);
    assert_eq!((target.ran(FULL[0], since), target.ran(FULL[1], since)), (vec![10], vec![10]));
    // One that never stops is heard every five seconds.
    for _ in 0..400 {
        target.lost.notify_one();
        sleep(Duration::from_millis(100)).await;
    }
    assert!((8..=9).contains(&target.ran(FULL[0], since).len()), "{:?}", target.ran(1, since));
    handle.send(Command::Pause).unwrap();
    seconds(3).await;
    let since = Instant::now();
    target.lost.notify_one();
    seconds(30).await;
    assert_eq!(target.ran(CONNECT, since), [], "nothing runs by itself while paused");
    assert!(engine.stop(Duration::from_secs(1)).await);
}

#[tokio::test(start_paused = true)]
async fn who_pays_for_each_question_is_asked_again_a_turn_later() {
    let target = Target::new(false);
    let (engine, handle) = watching(&target);
    seconds(20).await;
    let broke = target.answers(Finding::fail("refused"));
    stands(&handle, "connect", "fail", broke).await;
    let ran = target.ran(CONNECT, broke);
    assert_eq!(ran.len(), 2);
    assert_eq!(ran[1] - ran[0], 5000);
    assert!(engine.stop(Duration::from_secs(1)).await);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_leaves_no_doubt_is_not_asked_for_twice() {
    let target = Target::new(true);
    let (engine, handle) = watching(&target);
    seconds(20).await;
    let refused = target.answers(Finding::fail("wrong password").for_certain());
    assert!(stands(&handle, "connect", "fail", refused).await <= 5010);
    seconds(30).await;
    let ran = target.ran(CONNECT, refused);
    assert!(ran.windows(2).all(|pair| pair[1] - pair[0] == 5000), "no storm: {ran:?}");
    assert!(engine.stop(Duration::from_secs(1)).await);
}

#[tokio::test(start_paused = true)]
async fn no_more_than_four_runs_of_an_integration_at_once() {
    let names = ["a", "b", "c", "d", "e", "f", "g"];
    let slow = Does::Take(Duration::from_secs(1));
    let fake = Fake::new(&names.map(|name| (name, None, slow)));
    let (engine, handle) = start(&fake);
    seconds(9).await;
    handle.send(Command::Recheck(Selection::All)).unwrap();
    seconds(9).await;
    assert_eq!(fake.most_at_once.load(Ordering::SeqCst), 4);
    assert!((0..7).all(|index| fake.runs(index) >= 2), "and every one had its turn");
    assert!(engine.stop(Duration::from_secs(1)).await);
}
