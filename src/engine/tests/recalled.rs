//! What earlier sessions saw.

use super::*;
use crate::domain::{Mark, Past, PastCheck, PastEvent, Severity, Stood};

const DAY: Duration = Duration::from_hours(24);
/// When every engine of the tests starts, on the wall.
const WALL: Timestamp = Timestamp(1_795_400_000_000);

fn ago(span: Duration) -> Timestamp {
    Timestamp(WALL.0 - i64::try_from(span.as_millis()).unwrap())
}

fn past(fake: &Fake) -> Past {
    let check = |name: &str, severity| PastCheck {
        check: fake.id.check(name),
        stood: Some(Stood { severity, since: ago(3 * DAY), blocked: Some(ago(3 * DAY)) }),
        strip: vec![Mark::Fail; 99],
        measures: Vec::new(),
    };
    let gone = PastCheck { check: fake.id.check("gone"), ..check("a", Severity::Bad) };
    let event = PastEvent {
        at: ago(Duration::from_mins(1)),
        check: None,
        mark: None,
        text: "long before".into(),
    };
    Past {
        checks: vec![check("a", Severity::Bad), check("b", Severity::Bad), gone],
        latencies: vec![(fake.id.clone(), vec![(ago(Duration::from_secs(30)), 0.5)])],
        events: vec![event],
        ..Past::default()
    }
}

#[tokio::test(start_paused = true)]
async fn ages_and_graphs_go_on_where_an_earlier_session_ended() {
    for late in [0, 15] {
        let fake = Fake::new(&[("a", None, Does::Fail), ("b", None, Does::Pass)]);
        let (engine, handle) = Engine::start(Plan { began: 400 * DAY, ..plan(&fake) });
        seconds(late).await;
        handle.send(Command::Recall(Box::new(past(&fake)))).unwrap();
        seconds(15).await;
        let snapshot = handle.snapshots.borrow().clone();
        let blocker = &snapshot.blockers[0];
        let age = |since: Duration| snapshot.at.saturating_sub(since).as_secs() / 86_400;
        assert_eq!((blocker.check.name(), age(blocker.since)), ("a", 3), "{late}");
        assert_eq!((age(check(&handle, "a").since), age(check(&handle, "b").since)), (3, 0));
        assert_eq!(check(&handle, "a").strip.len(), 60);
        assert_eq!(snapshot.integrations[0].latency.len(), 1);
        let told: Vec<&str> =
            snapshot.journal.after(None, snapshot.began).map(|it| it.text.as_str()).collect();
        assert!(!told.contains(&"long before"), "{told:?}");
        assert_eq!(snapshot.journal.iter().next().unwrap().text, "long before");
        assert!(engine.stop(Duration::from_secs(1)).await);
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_was_set_back_makes_nothing_older_or_younger_than_now() {
    let fake = Fake::new(&[("a", None, Does::Fail)]);
    let (engine, handle) = Engine::start(Plan { began: 400 * DAY, ..plan(&fake) });
    let mut future = past(&fake);
    for known in &mut future.checks {
        let since = WALL.after(DAY);
        known.stood = Some(Stood { severity: Severity::Bad, since, blocked: Some(since) });
    }
    handle.send(Command::Recall(Box::new(future))).unwrap();
    seconds(5).await;
    let snapshot = handle.snapshots.borrow().clone();
    let age = snapshot.at.saturating_sub(snapshot.blockers[0].since);
    assert!(age <= Duration::from_secs(5) && snapshot.blockers[0].since <= snapshot.at);
    assert!(engine.stop(Duration::from_secs(1)).await);
}

#[tokio::test(start_paused = true)]
async fn a_notice_stands_until_it_does_not_hold_any_more() {
    let fake = Fake::new(&[("a", None, Does::Pass)]);
    let (engine, handle) = start(&fake);
    let tell = |says: &str| {
        let notice = Notice { topic: crate::domain::Topic::History, says: says.into() };
        handle.send(Command::Tell(notice)).unwrap();
    };
    tell("the disk is full");
    tell("the disk is slow");
    seconds(1).await;
    let notices = || handle.snapshots.borrow().notices.clone();
    assert_eq!((notices().len(), notices()[0].says.as_str()), (1, "the disk is slow"));
    handle.send(Command::Untell(crate::domain::Topic::History)).unwrap();
    seconds(1).await;
    assert!(notices().is_empty());
    assert!(engine.stop(Duration::from_secs(1)).await);
}
