//! From a deploy on only what is seen afterwards counts.

use super::*;
use crate::domain::{Baseline, Deploy, Past, PastDeploy, Rule};

const WALL: Timestamp = Timestamp(1_795_400_000_000);

fn of_app(fake: &Arc<Fake>, settle: u64) -> Plan {
    let policy = Policy { settle: Duration::from_secs(settle), ..Policy::default() };
    Plan { policy, app: Some("api".into()), began: Duration::from_hours(100_000), ..plan(fake) }
}

fn serves(handle: &Handle, version: &str) {
    handle.send(Command::Serves(version.into())).unwrap();
}

fn rule(handle: &Handle) -> (Rule, String) {
    let verdict = handle.snapshots.borrow().verdict.clone();
    (verdict.rule, verdict.reason)
}

fn version(handle: &Handle) -> Option<String> {
    handle.snapshots.borrow().deploy.clone()?.version
}

#[tokio::test(start_paused = true)]
async fn another_version_is_a_deploy_and_everything_is_looked_at_anew() {
    let slow = Does::Take(Duration::from_millis(800));
    let fake = Fake::new(&[("a", None, Does::Pass), ("b", None, slow)]);
    let (engine, handle) = Engine::start(of_app(&fake, 20));
    seconds(15).await;
    serves(&handle, "1");
    seconds(1).await;
    assert_eq!(rule(&handle).0, Rule::Clear);
    assert_eq!(version(&handle), None, "the first version that is seen is no deploy");
    let before = fake.runs(0);
    serves(&handle, "2");
    sleep(Duration::from_millis(400)).await;
    assert_eq!(rule(&handle), (Rule::Undecided, "1 check not run since the deploy".into()));
    assert_eq!(fake.runs(0), before + 1);
    assert_eq!(check(&handle, "b").freshness, Freshness::Stale);
    seconds(1).await;
    assert_eq!(rule(&handle), (Rule::Settling, "settling for 20s after the deploy".into()));
    seconds(17).await;
    assert_eq!(rule(&handle).0, Rule::Settling);
    seconds(3).await;
    assert_eq!(rule(&handle).0, Rule::Clear, "by the time alone");
    let snapshot = handle.snapshots.borrow().clone();
    let told: Vec<&str> = snapshot.journal.iter().map(|it| it.text.as_str()).collect();
    assert!(told.contains(&"deploy of api: 2, was 1"), "{told:?}");
    assert!(!told.iter().any(|it| it.starts_with("re-check")), "what passes on is no news");
    assert!(engine.stop(Duration::from_secs(1)).await);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_began_before_does_not_count() {
    let fake = Fake::new(&[("a", None, Does::Take(Duration::from_millis(1500)))]);
    let (engine, handle) = Engine::start(of_app(&fake, 0));
    seconds(15).await;
    serves(&handle, "1");
    handle.send(Command::Recheck(Selection::All)).unwrap();
    sleep(Duration::from_millis(500)).await;
    serves(&handle, "2");
    sleep(Duration::from_millis(1400)).await;
    assert_eq!(rule(&handle).0, Rule::Undecided, "it ended after the deploy, and began before");
    seconds(2).await;
    assert_eq!(rule(&handle).0, Rule::Clear);
    assert!(engine.stop(Duration::from_secs(1)).await);
}

#[tokio::test(start_paused = true)]
async fn what_passed_before_is_not_taken_for_what_is_about_to_fail() {
    let fake = Fake::new(&[("a", None, Does::Pass)]);
    let (engine, mut handle) = Engine::start(of_app(&fake, 0));
    seconds(15).await;
    serves(&handle, "1");
    seconds(1).await;
    fake.tell(0, Does::Fail);
    handle.snapshots.mark_unchanged();
    serves(&handle, "2");
    let mut rules = Vec::new();
    while rules.last() != Some(&Rule::Blocked) {
        handle.snapshots.changed().await.unwrap();
        rules.push(rule(&handle).0);
    }
    assert!(!rules.contains(&Rule::Clear), "{rules:?}");
    assert!(engine.stop(Duration::from_secs(1)).await);
}

fn against(handle: &Handle) -> Option<(String, usize)> {
    let baseline = handle.snapshots.borrow().baseline.clone()?;
    Some((baseline.name.clone(), baseline.stood()))
}

#[tokio::test(start_paused = true)]
async fn what_another_version_broke_is_told_from_what_was_broken() {
    let fake = Fake::new(&[("a", None, Does::Fail), ("b", None, Does::Pass)]);
    let (engine, handle) = Engine::start(of_app(&fake, 0));
    serves(&handle, "1");
    seconds(15).await;
    fake.tell(1, Does::Fail);
    serves(&handle, "2");
    seconds(5).await;
    assert_eq!(against(&handle), Some(("before 2".into(), 1)));
    assert_eq!(rule(&handle), (Rule::Blocked, "2 blockers, 1 new".into()));
    fake.tell(1, Does::Pass);
    serves(&handle, "3");
    seconds(5).await;
    assert_eq!(against(&handle), Some(("before 3".into(), 2)), "each deploy has its own");
    assert_eq!(rule(&handle), (Rule::Blocked, "1 blocker, 0 new".into()));
    assert!(engine.stop(Duration::from_secs(1)).await);
}

#[tokio::test(start_paused = true)]
async fn a_baseline_that_was_taken_for_a_deploy_is_kept_through_it() {
    let fake = Fake::new(&[("a", None, Does::Pass)]);
    let (engine, handle) = Engine::start(of_app(&fake, 0));
    serves(&handle, "1");
    seconds(15).await;
    let before = fake.runs(0);
    handle.send(Command::Baseline("now".into())).unwrap();
    seconds(2).await;
    assert_eq!(against(&handle), Some(("now".into(), 0)));
    assert_eq!(fake.runs(0), before + 1, "everything is looked at anew");
    assert!(handle.snapshots.borrow().deploy.is_some(), "what is seen before does not count");
    serves(&handle, "2");
    seconds(2).await;
    assert_eq!(against(&handle), Some(("now".into(), 0)));
    let told = handle.snapshots.borrow().journal.clone();
    let told: Vec<&str> = told.iter().map(|it| it.text.as_str()).collect();
    assert!(told.contains(&"baseline now: score 100, 0 in the way"), "{told:?}");
    let kept = handle.snapshots.borrow().baseline.clone().unwrap();
    assert!(engine.stop(Duration::from_secs(1)).await);
    let (engine, handle) = Engine::start(of_app(&fake, 0));
    let baseline = Some(Baseline::clone(&kept));
    handle.send(Command::Recall(Box::new(Past { baseline, ..Past::default() }))).unwrap();
    seconds(1).await;
    assert_eq!(against(&handle), Some(("now".into(), 0)), "the next session knows it");
    assert!(engine.stop(Duration::from_secs(1)).await);
}

#[tokio::test(start_paused = true)]
async fn a_deploy_outlives_the_session_that_saw_it() {
    let ago = |seconds: i64| Timestamp(WALL.0 - seconds * 1000);
    let past = |served: &str, at: i64| Past {
        served: vec![("other".into(), "9".into()), ("api".into(), served.into())],
        deploys: vec![PastDeploy {
            at: ago(at),
            app: Some("api".into()),
            version: Some("2".into()),
            was: Some("1".into()),
        }],
        ..Past::default()
    };
    // What is recalled, what is served, and which of them comes first.
    let cases = [
        ("2", 10, "2", Some("2"), Rule::Settling),
        ("2", 999, "2", Some("2"), Rule::Clear),
        ("2", 999, "3", Some("3"), Rule::Settling),
    ];
    for (served, at, now, expected, rules) in cases {
        for late in [false, true] {
            let fake = Fake::new(&[("a", None, Does::Pass)]);
            let (engine, handle) = Engine::start(of_app(&fake, 60));
            let recall = || handle.send(Command::Recall(Box::new(past(served, at)))).unwrap();
            if late {
                serves(&handle, now);
                seconds(2).await;
                recall();
            } else {
                recall();
                seconds(2).await;
                serves(&handle, now);
            }
            seconds(15).await;
            assert_eq!(version(&handle).as_deref(), expected, "{now} {late}");
            assert_eq!(rule(&handle).0, rules, "{now} {late}");
            assert!(engine.stop(Duration::from_secs(1)).await);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn when_somebody_says_when_it_was_the_version_is_only_its_name() {
    let fake = Fake::new(&[("a", None, Does::Pass)]);
    let mut plan = of_app(&fake, 600);
    let at = plan.began.checked_sub(Duration::from_secs(590)).unwrap();
    plan.policy.deploy = Some(Deploy { at, wall: WALL, version: None, was: None });
    let (engine, handle) = Engine::start(plan);
    let served = vec![("api".into(), "1".into())];
    handle.send(Command::Recall(Box::new(Past { served, ..Past::default() }))).unwrap();
    serves(&handle, "2");
    seconds(8).await;
    assert_eq!((version(&handle).as_deref(), rule(&handle).0), (Some("2"), Rule::Settling));
    seconds(8).await;
    assert_eq!(rule(&handle).0, Rule::Clear);
    serves(&handle, "3");
    seconds(2).await;
    assert_eq!((version(&handle).as_deref(), rule(&handle).0), (Some("3"), Rule::Settling));
    assert!(engine.stop(Duration::from_secs(1)).await);
}
