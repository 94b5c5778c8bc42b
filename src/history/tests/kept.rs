//! The whole of it: an engine's ends on one side, a file on the other.

use super::*;
use crate::{
    domain::{
        App, Baseline, CheckView, Deploy, Finding, Ledger, Past, Policy, Severity, Snapshot, Topic,
        sample,
    },
    engine::Command,
};
use tokio::sync::mpsc;

const BEGAN: Duration = Duration::from_hours(9_000);

/// The other ends of a history.
struct Ends {
    snapshots: watch::Sender<Arc<Snapshot>>,
    commands: mpsc::Receiver<Command>,
}

impl Ends {
    async fn command(&mut self) -> Command {
        let waited = timeout(Duration::from_mins(1), self.commands.recv()).await;
        waited.unwrap().unwrap()
    }

    async fn recalled(&mut self) -> Past {
        let command = self.command().await;
        let Command::Recall(past) = command else { panic!("{command:?}") };
        *past
    }

    async fn told(&mut self) -> String {
        let command = self.command().await;
        let Command::Tell(notice) = command else { panic!("{command:?}") };
        assert_eq!(notice.topic, Topic::History);
        notice.says
    }
}

fn start(path: &Path) -> (History, Ends) {
    let (snapshots, newest) = watch::channel(Arc::new(Snapshot::default()));
    let (sender, commands) = mpsc::channel(32);
    let bounds = Bounds { age: Duration::from_hours(9_000), bytes: 200 << 20 };
    let now = || NOW.after(Duration::from_mins(1));
    let keeping = Keeping { place: Place::File(path.into()), bounds, writer: writer(), now };
    let history = History::start(keeping, Handle::new(newest, sender), None);
    (history, Ends { snapshots, commands })
}

/// One failing check that ran `runs` times, `second` seconds after the start.
fn snapshot(second: u64, runs: u64) -> Arc<Snapshot> {
    let at = BEGAN + Duration::from_secs(second);
    let finding = Finding::fail("held by nobody").latency(Duration::from_millis(250));
    let mut check: CheckView = sample::check("lock", 1, finding);
    (check.runs, check.ended, check.since) = (runs, Some(at), BEGAN);
    for _ in 0..runs {
        check.note(Mark::Fail);
    }
    check.measures.push(at, 2.5);
    let mut view = sample::integration("redis", "Redis", vec![check]);
    view.latency.push(at, 0.25);
    let views = vec![Arc::new(view)];
    let wall = NOW.after(Duration::from_secs(second));
    let mut ledger = Ledger::default();
    ledger.fold(&views, &Policy::default(), at, wall);
    let blockers = ledger.list();
    Arc::new(Snapshot {
        at,
        wall,
        began: BEGAN,
        integrations: views,
        blockers,
        ..Snapshot::default()
    })
}

#[tokio::test]
async fn what_one_session_saw_the_next_one_knows() {
    let (_folder, path) = place();
    let (history, mut ends) = start(&path);
    assert_eq!(ends.recalled().await, Past::default(), "there was nothing before");
    ends.snapshots.send_replace(snapshot(10, 2));
    ends.snapshots.send_replace(snapshot(20, 3));
    assert!(history.stop(Duration::from_mins(1)).await);
    let (history, mut ends) = start(&path);
    let past = ends.recalled().await;
    let [lock] = &past.checks[..] else { panic!("{past:?}") };
    assert_eq!((lock.check.as_str(), lock.strip.len()), ("redis.lock", 3));
    let stood = lock.stood.unwrap();
    assert_eq!((stood.severity, stood.since, stood.blocked), (Severity::Bad, NOW, Some(NOW)));
    let last = (NOW.after(Duration::from_secs(20)), 2.5);
    assert_eq!(lock.measures.last(), Some(&last));
    let [(id, latencies)] = &past.latencies[..] else { panic!("{past:?}") };
    assert_eq!((id.as_str(), latencies.last()), ("redis", Some(&(last.0, 0.25))));
    assert!(history.stop(Duration::from_mins(1)).await);
}

#[tokio::test]
async fn the_last_deploy_of_each_app_is_known_to_the_next_session() {
    let (_folder, path) = place();
    let deployed = |app: Option<&str>, second: u64, version: Option<&str>| {
        let wall = NOW.after(Duration::from_secs(second));
        let version = version.map(ToOwned::to_owned);
        let app = app.map(|name| App { name: name.into(), version: version.clone() });
        let deploy = Deploy { at: BEGAN, wall, version, was: None };
        let plain = snapshot(second, 1);
        let baseline = Some(Arc::new(Baseline::of(&format!("at {second}"), &plain)));
        Arc::new(Snapshot { app, deploy: Some(deploy), baseline, ..Snapshot::clone(&plain) })
    };
    let sessions = [
        deployed(Some("api"), 1, Some("1")),
        deployed(Some("api"), 2, Some("2")),
        deployed(Some("web"), 3, Some("9")),
        deployed(None, 4, None),
        deployed(None, 4000, None), // the clock was set back since
    ];
    for session in sessions {
        let (history, mut ends) = start(&path);
        ends.recalled().await;
        ends.snapshots.send_replace(session);
        assert!(history.stop(Duration::from_mins(1)).await);
    }
    let (history, mut ends) = start(&path);
    let past = ends.recalled().await;
    let mut served = past.served;
    served.sort();
    assert_eq!(served, [("api".into(), "2".into()), ("web".into(), "9".into())]);
    let told = past.deploys.iter().map(|it| (it.app.as_deref(), it.version.as_deref(), it.at.0));
    let second = |n: i64| NOW.0 + n * 1000;
    let expected = [
        (None, None, second(4)),
        (Some("web"), Some("9"), second(3)),
        (Some("api"), Some("2"), second(2)),
    ];
    assert_eq!(told.collect::<Vec<_>>(), expected);
    assert_eq!(past.baseline.map(|it| it.name), Some("at 4".into()));
    assert!(history.stop(Duration::from_mins(1)).await);
}

#[tokio::test]
async fn a_file_of_an_older_version_goes_on_with_all_that_is_in_it() {
    let (_folder, path) = place();
    let mut file = opened(&path).await;
    write(&mut file, &[point("redis", NOW.0, None, Some(1.0))]).await.unwrap();
    let old = "DROP TABLE served; DROP TABLE deploy";
    sqlx::raw_sql(old).execute(sqlite(&mut file)).await.unwrap();
    drop(file);
    let (history, mut ends) = start(&path);
    assert_eq!(ends.recalled().await.latencies.len(), 1);
    assert!(history.stop(Duration::from_mins(1)).await);
    let mut file = opened(&path).await;
    assert!(file.aside.is_none());
    assert_eq!(number(&mut file, "SELECT count(*) FROM deploy").await, 0);
}

#[tokio::test]
async fn a_note_is_in_the_file_within_a_second_or_so_without_any_end() {
    let (_folder, path) = place();
    let (history, mut ends) = start(&path);
    ends.recalled().await;
    ends.snapshots.send_replace(snapshot(10, 2));
    let mut other = opened(&path).await;
    let mut runs = 0;
    for _ in 0..1200 {
        runs = number(&mut other, "SELECT count(mark) FROM point").await;
        if runs == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(runs, 2);
    drop(history); // as a kill would
}

#[tokio::test]
async fn where_nothing_can_be_kept_that_is_told_and_nothing_else_happens() {
    let (_history, mut ends) = start(Path::new("/proc/tminus/history.db"));
    assert_eq!(ends.recalled().await, Past::default());
    let told = ends.told().await;
    assert!(told.starts_with("the history is not kept: "), "{told}");
    assert!(told.ends_with("(/proc/tminus/history.db)"), "{told}");
}

#[tokio::test]
async fn what_was_put_aside_is_told_with_its_new_name() {
    let (_folder, path) = place();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, "no database").unwrap();
    let (history, mut ends) = start(&path);
    let told = ends.told().await;
    assert!(told.starts_with("the file is damaged, so the history begins anew: "), "{told}");
    assert!(told.contains("history.db.damaged-"), "{told}");
    assert_eq!(ends.recalled().await, Past::default());
    assert!(history.stop(Duration::from_mins(1)).await);
}

#[tokio::test]
async fn a_disk_without_room_is_a_trouble_of_its_own_and_passes() {
    let (_folder, path) = place();
    let mut file = opened(&path).await;
    let mut pen = Pen::begin(&mut file.link, &writer(), NOW).await.unwrap();
    let full = number(&mut file, "PRAGMA page_count").await;
    let limit = |pages: i64| sqlx::AssertSqlSafe(format!("PRAGMA max_page_count = {pages}"));
    sqlx::query(limit(full)).execute(sqlite(&mut file)).await.unwrap();
    let event = |n: i64| Note::Event {
        at: Timestamp(n),
        check: Some("redis.lock".into()),
        mark: None,
        text: "x".repeat(3000),
    };
    let many: Vec<Note> = (0..50).map(event).collect();
    assert_eq!(pen.write(&mut file.link, &many, NOW).await, Err(Trouble::Full));
    drop(file);
    let mut file = opened(&path).await; // with room for more
    assert_eq!(number(&mut file, "SELECT count(*) FROM event").await, 0, "all or none");
    write(&mut file, &many).await.unwrap();
    assert_eq!(number(&mut file, "SELECT count(*) FROM event").await, 50);
}

#[tokio::test]
async fn what_is_written_again_is_there_once() {
    let (_folder, path) = place();
    let mut file = opened(&path).await;
    let at = Timestamp(NOW.0);
    let check = || "redis.lock".to_owned();
    let standing = |severity, since| Note::Standing {
        check: check(),
        severity,
        since: Timestamp(since),
        blocked: Some(Timestamp(since)),
    };
    let notes = [
        point("redis.lock", NOW.0, Some(Mark::Fail), None),
        Note::Transition { check: check(), at, outcome: "fail", summary: "held".into() },
        Note::Event { at, check: None, mark: None, text: "deployed".into() },
        Note::Test { at, test: "redis".into(), record: "{}".into() },
        standing(Severity::Bad, 5),
    ];
    for _ in 0..2 {
        write(&mut file, &notes).await.unwrap();
    }
    let all = "SELECT (SELECT count(*) FROM point) * 1000 + (SELECT count(*) FROM transition) * 100
        + (SELECT count(*) FROM event) * 10 + (SELECT count(*) FROM test)";
    assert_eq!(number(&mut file, all).await, 1111);
    // Who began without the past does not make it younger; what has changed begins anew.
    let since = "SELECT since * 100 + blocked FROM standing";
    for (note, expected) in [
        (standing(Severity::Bad, 7), 505),
        (standing(Severity::Bad, 4), 404),
        (standing(Severity::Unclear, 9), 909),
    ] {
        write(&mut file, &[note]).await.unwrap();
        assert_eq!(number(&mut file, since).await, expected);
    }
}
