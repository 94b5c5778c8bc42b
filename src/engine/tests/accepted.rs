//! Somebody answers for a blocker while the engine runs.

use super::*;
use crate::domain::{Acceptance, Topic};
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
