//! What people ask of the past, of files as they come.

use super::*;
use crate::domain::perf::{Arrivals, Ended, Generator, Latency, Load, Operation, PATIENCE, Record};
use crate::{
    domain::{
        Acceptance, CheckId, Finding, Journal, Policy, Severity, Snapshot, Tally, Turn, sample,
    },
    history::{gather, past, trim, write::EVIDENCE},
};

fn transition(at: i64, outcome: &'static str) -> Note {
    Note::Transition {
        check: "redis.lock".into(),
        at: Timestamp(at),
        outcome,
        summary: format!("said at {at}"),
    }
}

fn lock() -> CheckId {
    CheckId::try_from("redis.lock".to_owned()).unwrap()
}

#[tokio::test]
async fn of_a_check_its_runs_its_standing_and_its_turns() {
    let (_folder, path) = place();
    let mut file = opened(&path).await;
    let standing = Note::Standing {
        check: "redis.lock".into(),
        severity: Severity::Bad,
        since: Timestamp(3),
        blocked: Some(Timestamp(4)),
    };
    let mut notes = vec![standing, transition(1, "pass"), transition(3, "fail")];
    let marks = [Mark::Pass, Mark::Pass, Mark::Fail, Mark::Unknown];
    notes.extend(
        marks.into_iter().zip(1..).map(|(mark, at)| point("redis.lock", at, Some(mark), None)),
    );
    notes.push(point("redis.cache", 9, Some(Mark::Fail), None));
    write(&mut file, &notes).await.unwrap();
    let mut archive = Archive::open(&Place::File(path.clone())).await.unwrap();
    let annals = archive.annals(&lock()).await.unwrap();
    assert_eq!(annals.first, Some(Timestamp(1)));
    assert_eq!(annals.tally, Tally { pass: 2, fail: 1, unknown: 1, ..Tally::default() });
    assert_eq!(annals.stood.unwrap().blocked, Some(Timestamp(4)));
    let turn = |at, outcome: &str| Turn {
        at: Timestamp(at),
        outcome: outcome.into(),
        summary: format!("said at {at}"),
    };
    assert_eq!(annals.turns, [turn(3, "fail"), turn(1, "pass")], "the newest first");
    let other = CheckId::try_from("redis.queue".to_owned()).unwrap();
    assert_eq!(archive.annals(&other).await.unwrap(), crate::domain::Annals::default());
}

fn known() -> Snapshot {
    let mut check = sample::check("lock", 1, Finding::fail("held by two"));
    for n in 0..200 {
        check.measures.push(Duration::from_secs(n), 1.0);
    }
    let views = vec![Arc::new(sample::integration("redis", "Redis", vec![check]))];
    let mut ledger = crate::domain::Ledger::default();
    ledger.fold(&views, &Policy::default(), Duration::ZERO, NOW);
    Snapshot { wall: NOW, integrations: views, blockers: ledger.list(), ..Snapshot::default() }
}

#[tokio::test]
async fn a_run_is_told_with_what_it_knew_at_its_end() {
    let (_folder, path) = place();
    let mut file = opened(&path).await;
    write(&mut file, &[gather::evidence(&known()).unwrap()]).await.unwrap();
    let mut archive = Archive::open(&Place::File(path.clone())).await.unwrap();
    let runs = archive.runs().await.unwrap();
    assert_eq!((runs.len(), runs[0].name.as_str(), runs[0].evidence), (1, "0123456789ab", true));
    let read = archive.evidence("0123456789ab").await.unwrap().unwrap();
    assert_eq!(read.blockers, known().blockers);
    assert_eq!(read.journal, Journal::default());
    let check = read.check(&lock()).unwrap();
    assert_eq!(check.finding, known().check(&lock()).unwrap().finding);
    assert_eq!(check.measures.len(), 60, "no more than a report draws");
    assert_eq!(archive.evidence("no such run").await.unwrap(), None);
    assert_eq!(gather::evidence(&Snapshot::default()), None, "nothing is known yet");
}

#[tokio::test]
async fn evidence_is_bounded_and_the_newest_stays() {
    let (_folder, path) = place();
    let mut file = opened(&path).await;
    let note = |at| Note::Evidence { at: Timestamp(at), snapshot: "{}".into() };
    for at in 0..EVIDENCE + 3 {
        write_as(&mut file, &format!("run {at}"), &[note(at)]).await.unwrap();
    }
    let [count, oldest] = [
        number(&mut file, "SELECT count(*) FROM evidence").await,
        number(&mut file, "SELECT min(at) FROM evidence").await,
    ];
    assert_eq!((count, oldest), (EVIDENCE, 3));
    let mut archive = Archive::open(&Place::File(path.clone())).await.unwrap();
    let unread = archive.evidence(&format!("run {EVIDENCE}")).await.unwrap_err();
    assert_eq!(unread, "another version wrote the evidence of that run");
}

fn record(target: &str, began: i64) -> Record {
    let total = Operation {
        name: "all".into(),
        succeeded: 1,
        failed: 0,
        per_second: 1.0,
        latency: Latency::default(),
        service: None,
    };
    Record {
        version: 1,
        test: "redis".into(),
        target: target.into(),
        profile: String::new(),
        host: String::new(),
        blocks: Vec::new(),
        drift: None,
        against: None,
        began: Timestamp(began),
        load: Load {
            arrivals: Arrivals::Closed,
            clients: 1,
            depth: 1,
            threads: 1,
            warm_up: Duration::ZERO,
            duration: None,
            requests: Some(1),
            timeout: PATIENCE,
        },
        ended: Ended::Complete,
        measured: Duration::from_secs(1),
        total,
        operations: Vec::new(),
        errors: std::collections::BTreeMap::new(),
        kept: None,
        generator: Generator::default(),
        seconds: Vec::new(),
        goals: Vec::new(),
        notes: Vec::new(),
        facts: Vec::new(),
        receipt: None,
        scale: None,
        memory: None,
    }
}

#[tokio::test]
async fn of_each_test_on_each_target_the_last_before_then() {
    let (_folder, path) = place();
    let mut file = opened(&path).await;
    let notes = [("a", 1), ("a", 5), ("b", 2), ("a", 9)].map(|(target, at)| Note::Test {
        at: Timestamp(at),
        test: "redis".into(),
        record: serde_json::to_string(&record(target, at)).unwrap(),
    });
    write(&mut file, &notes).await.unwrap();
    let mut archive = Archive::open(&Place::File(path.clone())).await.unwrap();
    let last = archive.tests(Timestamp(6)).await.unwrap();
    assert_eq!(last, [record("a", 5), record("b", 2)]);
}

#[tokio::test]
async fn a_file_is_read_as_it_is_and_nothing_is_put_aside() {
    let (_folder, path) = place();
    assert!(Archive::open(&Place::File(path.clone())).await.is_err(), "there is none");
    assert!(!path.exists(), "and none is made");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, "no database".repeat(100)).unwrap();
    assert_eq!(
        Archive::open(&Place::File(path.clone())).await.err().unwrap(),
        "the file is damaged"
    );
    assert!(path.exists());
    fs::remove_file(&path).unwrap();
    let mut file = opened(&path).await;
    write(&mut file, &[transition(1, "pass")]).await.unwrap();
    let mut archive = Archive::open(&Place::File(path.clone())).await.unwrap();
    let condition = archive.condition().await.unwrap();
    assert_eq!((condition.runs, condition.oldest, condition.damage), (1, Some(NOW), None));
    assert!(condition.bytes > 4096);
}

#[tokio::test]
async fn a_file_from_before_there_was_evidence_gets_a_place_for_it() {
    let (_folder, path) = place();
    let mut file = opened(&path).await;
    write(&mut file, &[]).await.unwrap();
    sqlx::query("DROP TABLE evidence").execute(sqlite(&mut file)).await.unwrap();
    drop(file);
    let mut archive = Archive::open(&Place::File(path.clone())).await.unwrap();
    assert_eq!(archive.evidence("0123456789ab").await.unwrap(), None);
    assert!(!archive.runs().await.unwrap()[0].evidence);
    drop(archive);
    let mut file = opened(&path).await;
    write(&mut file, &[gather::evidence(&known()).unwrap()]).await.unwrap();
}

#[tokio::test]
async fn who_answers_for_what_is_kept_until_a_day_after_its_end() {
    let (_folder, path) = place();
    let mut file = opened(&path).await;
    let hour = Duration::from_hours(1);
    let accepted = |name: &str, reason: &str, until: Timestamp| Acceptance {
        check: CheckId::try_from(name.to_owned()).unwrap(),
        pattern: None,
        reason: reason.into(),
        owner: Some("anna".into()),
        until,
    };
    let mut snapshot = known();
    let mut gatherer = gather::Gatherer::default();
    let mut file_notes = Vec::new();
    for answered in [
        vec![accepted("redis.lock", "not used here", NOW.after(hour))],
        vec![
            accepted("redis.lock", "still not used", NOW.after(2 * hour)),
            accepted("redis.queue", "mended \u{202e}tonight", NOW.after(hour)),
            accepted("redis.cache", "mended tonight", NOW.after(hour)),
        ],
        vec![accepted("redis.cache", "it is needed", NOW)],
    ] {
        snapshot.answered = answered;
        let notes = gatherer.gather(&snapshot);
        file_notes.extend(notes.into_iter().filter(|it| matches!(it, Note::Accepted { .. })));
        assert!(!gatherer.gather(&snapshot).iter().any(|it| matches!(it, Note::Accepted { .. })));
    }
    assert_eq!(file_notes.len(), 5);
    write(&mut file, &file_notes).await.unwrap();
    let at = async |file: &mut Opened, now| past::read(&mut file.link, now).await.unwrap().accepted;
    let expected = [
        accepted("redis.lock", "still not used", NOW.after(2 * hour)),
        accepted("redis.queue", "mended <U+202E>tonight", NOW.after(hour)),
    ];
    assert_eq!(at(&mut file, NOW).await, expected, "one was taken back");
    assert_eq!(at(&mut file, NOW.after(24 * hour)).await, expected, "one has ended, and is told");
    assert_eq!(at(&mut file, NOW.after(25 * hour)).await, expected[..1]);
    let bounds = Bounds { age: 9000 * hour, bytes: 200 << 20 };
    trim::trim(&mut file.link, bounds, NOW.after(26 * hour)).await.unwrap();
    assert_eq!(number(&mut file, "SELECT count(*) FROM accepted").await, 1);
}
