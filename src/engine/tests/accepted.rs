//! Somebody answers for a blocker while the engine runs.

use super::*;
use crate::domain::{Acceptance, Past, Policy, Topic};
use std::sync::atomic::AtomicI64;

/// The wall clock of this test, in milliseconds.
static WALL: AtomicI64 = AtomicI64::new(1_795_400_000_000);

#[tokio::test(start_paused = true)]
async fn an_acceptance_holds_until_its_end_and_both_are_told() {
    let fake = Fake::new(&[("a", None, Does::Fail)]);
    let now = || Timestamp(WALL.load(Ordering::SeqCst));
    let (engine, handle) = Engine::start(Plan { now, ..plan(&fake) });
    seconds(1).await;
    let word = || handle.snapshots.borrow().verdict.word;
    assert_eq!(word(), Word::NoGo);
    let acceptance = Acceptance {
        check: fake.id.check("a"),
        pattern: None,
        reason: "mended tonight".into(),
        owner: Some("anna".into()),
        until: now().after(Duration::from_mins(5)),
    };
    handle.send(Command::Accept(acceptance)).unwrap();
    seconds(1).await;
    assert_eq!((word(), handle.snapshots.borrow().verdict.accepted), (Word::Go, 1));
    assert_eq!(check(&handle, "a").finding.outcome, Outcome::Fail, "and nothing else");
    let answered = handle.snapshots.borrow().answered.clone();
    assert_eq!(answered.len(), 1, "for the history");
    WALL.fetch_add(300_000, Ordering::SeqCst);
    seconds(300).await;
    assert_eq!(word(), Word::NoGo);
    let snapshot = handle.snapshots.borrow().clone();
    let told: Vec<&str> = snapshot.journal.iter().map(|event| event.text.as_str()).collect();
    assert!(told.contains(&"accepted by anna: mended tonight"), "{told:?}");
    assert!(told.contains(&"its acceptance has ended"), "{told:?}");
    let says = "the acceptance of fake.a has ended, and no longer counts";
    let notice = Notice { topic: Topic::Acceptance, says: says.into() };
    assert_eq!(snapshot.notices, [notice]);
    assert!(engine.stop(Duration::from_secs(1)).await);
}

/// When the engines of the following tests start, on the wall.
const STARTED: Timestamp = Timestamp(1_795_400_000_000);

fn known(fake: &Fake, name: &str, hours: i64) -> Acceptance {
    Acceptance {
        check: fake.id.check(name),
        pattern: None,
        reason: format!("{name} is mended tonight"),
        owner: None,
        until: Timestamp(STARTED.0 + hours * 3_600_000),
    }
}

#[tokio::test(start_paused = true)]
async fn what_an_earlier_session_accepted_goes_on_and_what_is_over_is_told() {
    let fake = Fake::new(&[("a", None, Does::Fail), ("b", None, Does::Fail)]);
    let (engine, handle) = Engine::start(Plan { now: || STARTED, ..plan(&fake) });
    let recall =
        |accepted| handle.send(Command::Recall(Box::new(Past { accepted, ..Past::default() })));
    recall(vec![known(&fake, "a", 1), known(&fake, "gone", 1), known(&fake, "b", -1)]).unwrap();
    seconds(1).await;
    let snapshot = handle.snapshots.borrow().clone();
    let open: Vec<&str> =
        snapshot.blockers.iter().filter(|it| it.is_open()).map(|it| it.check.name()).collect();
    assert_eq!((open, snapshot.verdict.accepted), (vec!["b"], 1));
    let told: Vec<&str> = snapshot.notices.iter().map(|it| it.says.as_str()).collect();
    assert_eq!(told, ["the acceptance of fake.b has ended, and no longer counts"]);
    assert!(snapshot.answered.is_empty(), "it is kept already");
    assert!(engine.stop(Duration::from_secs(1)).await);
}

#[tokio::test(start_paused = true)]
async fn what_is_said_now_or_in_the_file_counts_more_than_what_was_kept() {
    let fake = Fake::new(&[("a", None, Does::Fail), ("b", None, Does::Fail)]);
    let in_file = Acceptance { reason: "it is in the file".into(), ..known(&fake, "b", 2) };
    let policy = Policy { accepted: vec![in_file], ..Policy::default() };
    let (engine, handle) = Engine::start(Plan { policy, now: || STARTED, ..plan(&fake) });
    handle.send(Command::Accept(known(&fake, "a", 0))).unwrap();
    let accepted = vec![known(&fake, "a", 1), known(&fake, "b", 1)];
    handle.send(Command::Recall(Box::new(Past { accepted, ..Past::default() }))).unwrap();
    seconds(1).await;
    let snapshot = handle.snapshots.borrow().clone();
    let of = |name: &str| {
        let blocker = snapshot.blockers.iter().find(|it| it.check.name() == name).unwrap();
        blocker.accepted.as_ref().map(|it| it.reason.as_str())
    };
    assert_eq!((of("a"), of("b")), (None, Some("it is in the file")), "a was taken back");
    let told: Vec<&str> = snapshot.journal.iter().map(|event| event.text.as_str()).collect();
    assert!(told.contains(&"not accepted any more: a is mended tonight"), "{told:?}");
    assert!(engine.stop(Duration::from_secs(1)).await);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_was_set_back_makes_no_acceptance_longer() {
    let fake = Fake::new(&[("a", None, Does::Fail)]);
    let (engine, handle) = Engine::start(Plan { now: || STARTED, ..plan(&fake) });
    let accepted = vec![known(&fake, "a", 30 * 24 + 1)];
    handle.send(Command::Recall(Box::new(Past { accepted, ..Past::default() }))).unwrap();
    seconds(1).await;
    let snapshot = handle.snapshots.borrow().clone();
    assert_eq!(snapshot.verdict.word, Word::NoGo);
    assert!(snapshot.notices[0].says.contains("since the clock was set back"));
    assert!(engine.stop(Duration::from_secs(1)).await);
}
