//! Servers and sessions that go away in the middle, and disks that are full.

use super::{
    cluster::{Edition, TRACKING},
    need, on_both,
};
use crate::{
    database::{database, run, says, struck},
    support::Mounted,
};
use std::{
    fs,
    os::unix::fs::{MetadataExt, chown},
    time::Duration,
};
use tminus::domain::Outcome;
use tokio::time::sleep;

async fn a_session_that_is_ended_in_the_middle_is_told_and_replaced(on: Edition) {
    let cluster = need!(on.start(TRACKING));
    let watched = database(Some(&cluster.role("victim", "GRANT pg_monitor TO victim").await));
    assert_eq!(run(&watched, "connect").await.outcome, Outcome::Pass);
    let ended = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                 WHERE usename = 'victim' AND state = 'active' AND query LIKE '%pg_sleep%'";
    let slow = struck(
        || says(&watched, "slow"),
        async || {
            while cluster.number(ended).await == 0 {
                sleep(Duration::from_millis(5)).await;
            }
        },
    )
    .await;
    assert_eq!(slow, ("fail", "server ended the session (57P01)".into()));
    assert_eq!(run(&watched, "connect").await.outcome, Outcome::Pass);
    assert_ne!(run(&watched, "slow").await.outcome, Outcome::Fail);
}

async fn a_server_that_crashes_in_the_middle_is_told_and_found_again(on: Edition) {
    let mut cluster = need!(on.start(TRACKING));
    let watched = database(Some(&cluster.role("witness", "GRANT pg_monitor TO witness").await));
    assert_eq!(run(&watched, "connect").await.outcome, Outcome::Pass);
    let crash = async {
        sleep(Duration::from_millis(150)).await;
        cluster.crash();
    };
    let ((outcome, summary), ()) = tokio::join!(says(&watched, "pool"), crash);
    assert!(outcome == "fail" || outcome == "unknown", "{summary}");
    let (outcome, summary) = says(&watched, "connect").await;
    assert_eq!(outcome, "fail", "{summary}");
    assert!(summary.starts_with("connection refused by"), "{summary}");
    cluster.restart();
    assert_eq!(run(&watched, "connect").await.outcome, Outcome::Pass);
    assert_eq!(run(&watched, "transactions").await.outcome, Outcome::Pass);
}

async fn a_server_whose_disk_is_full_fails_at_the_write(on: Edition) {
    let cluster = need!(on.start(TRACKING));
    let url = cluster.role("crammed", "GRANT pg_monitor TO crammed").await;
    let Some(small) = Mounted::new("512k") else { return };
    let owner = fs::metadata(cluster.directory().join("data")).unwrap();
    chown(&small.path, Some(owner.uid()), Some(owner.gid())).unwrap();
    cluster.sql(&format!("CREATE TABLESPACE small LOCATION '{}'", small.path.display())).await;
    let grant = "GRANT CREATE ON TABLESPACE small TO crammed; \
                 ALTER ROLE crammed SET temp_tablespaces = small";
    cluster.sql(grant).await;
    let watched = database(Some(&url));
    assert_eq!(run(&watched, "transactions").await.outcome, Outcome::Pass);
    small.fill();
    let full = ("fail", "server's disk is full (53100)".to_owned());
    assert_eq!(says(&watched, "transactions").await, full);
    fs::remove_file(small.path.join("filler")).unwrap();
    assert_eq!(run(&watched, "transactions").await.outcome, Outcome::Pass);
}

on_both! {
    a_session_that_is_ended_in_the_middle_is_told_and_replaced,
    a_server_that_crashes_in_the_middle_is_told_and_found_again,
    a_server_whose_disk_is_full_fails_at_the_write,
}
