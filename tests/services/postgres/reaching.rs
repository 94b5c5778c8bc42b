//! Getting in, staying in, and leaving nothing behind.

use super::{
    cluster::{self, Edition, TRACKING},
    need, on_both, pass, words,
};
use crate::{
    database::{PASSWORD, database, hung, run, says},
    support::wait_until,
};
use std::{
    net::TcpStream,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};
use tminus::domain::Outcome;
use tokio::time::timeout;

async fn never_more_than_three_sessions_and_none_left(on: Edition) {
    let cluster = need!(on.shared());
    let role = cluster.role("counted", "GRANT pg_read_all_stats TO counted").await;
    let watched = database(Some(&role));
    let sessions = "SELECT count(*) FROM pg_stat_activity \
                    WHERE application_name LIKE 'tminus-%' AND usename = 'counted'";
    let done = AtomicBool::new(false);
    let sample = async {
        let mut admin = cluster.admin().await;
        let mut most = 0;
        while !done.load(Ordering::Relaxed) {
            most = cluster::scalar(&mut admin, sessions).await.max(most);
        }
        most
    };
    let checks = async {
        for _ in 0..6 {
            let all = tokio::join!(
                run(&watched, "connect"),
                run(&watched, "query"),
                run(&watched, "pool"),
                run(&watched, "transactions"),
                run(&watched, "slow")
            );
            for finding in [all.0, all.1, all.2, all.3, all.4] {
                assert_eq!(finding.outcome, Outcome::Pass, "{finding:?}");
            }
        }
        done.store(true, Ordering::Relaxed);
    };
    let (most, ()) = tokio::join!(sample, checks);
    assert!((2..=3).contains(&most), "{most}: the standing one and the two of a pool");
    assert_eq!(cluster.number(sessions).await, 1, "the standing one");
    drop(watched);
    cluster.until_zero(sessions).await;
}

async fn a_dropped_run_leaves_at_most_the_standing_session(on: Edition) {
    let cluster = need!(on.shared());
    let role = cluster.role("dropped", "GRANT pg_read_all_stats TO dropped").await;
    let watched = database(Some(&role));
    for millis in [1, 3, 10, 30, 120, 270] {
        for name in ["connect", "query", "pool", "transactions", "errors", "slow"] {
            let cut = timeout(Duration::from_millis(millis), run(&watched, name));
            drop(cut.await);
        }
    }
    cluster.until_zero("SELECT count(*) / 2 FROM pg_stat_activity WHERE usename = 'dropped'").await;
    for name in ["connect", "query", "slow"] {
        assert_eq!(run(&watched, name).await.outcome, Outcome::Pass);
    }
}

async fn each_closed_door_is_told_apart(on: Edition) {
    let cluster = need!(on.shared());
    let url = cluster.role("door", "").await;
    let port = cluster.port;
    let cases = [
        (url.replace(PASSWORD, "wrong"), "password refused for role door (28P01)"),
        (url.replace("/postgres", "/nowhere"), "database nowhere does not exist (3D000)"),
        (url.replace("door:", "nobody:"), "password refused for role nobody (28P01)"),
    ];
    for (url, summary) in cases {
        let began = Instant::now();
        assert_eq!(says(&database(Some(&url)), "connect").await, ("fail", summary.into()));
        assert!(began.elapsed() < Duration::from_secs(3));
    }
    cluster.sql("CREATE ROLE locked_out PASSWORD 'x'").await;
    let url = url.replace("door:", "locked_out:").replace(PASSWORD, "x");
    let summary = "role locked_out may not log in (28000)";
    assert_eq!(says(&database(Some(&url)), "connect").await, ("fail", summary.into()));
    let socket =
        format!("postgres://admin@/postgres?host={}&port={port}", cluster.directory().display());
    assert_eq!(run(&database(Some(&socket)), "connect").await.outcome, Outcome::Pass);
}

async fn a_full_server_is_full_for_whoever_is_outside_and_inside(on: Edition) {
    let cluster = need!(on.start(&[
        "max_connections=6",
        "superuser_reserved_connections=2",
        "shared_preload_libraries=pg_stat_statements",
    ]));
    let url = cluster.role("guest", "").await;
    let inside = database(Some(&url));
    assert_eq!(run(&inside, "connect").await.outcome, Outcome::Pass);
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(cluster.connect(&url).await);
    }
    let outside = database(Some(&url));
    let expected = ("fail", "server full, no connection left (53300)".to_owned());
    assert_eq!(says(&outside, "connect").await, expected);
    let expected = ("fail", "server full: 4 of 4 connections (53300)".to_owned());
    assert_eq!(says(&inside, "connect").await, expected);
    let remedy = run(&inside, "connect").await.remedy.unwrap();
    assert!(remedy.starts_with("guest holds 4: close idle connections"), "{remedy}");
    assert_eq!(says(&inside, "query").await.0, "fail");
    held.clear();
    cluster.until_zero("SELECT count(*) - 1 FROM pg_stat_activity WHERE usename = 'guest'").await;
    assert_eq!(run(&outside, "connect").await.outcome, Outcome::Pass);
}

/// Whether it was waited for until the end: what came before on a busy machine is part of that.
fn is_late(summary: &str) -> bool {
    ["no answer within 1.", "no answer within 2."].iter().any(|says| summary.contains(says))
}

async fn stopped_hung_and_restarted_are_seen_within_their_time(on: Edition) {
    let mut cluster = need!(on.start(TRACKING));
    let watched = database(Some(&cluster.role("steady", "").await));
    assert_eq!(run(&watched, "connect").await.outcome, Outcome::Pass);

    cluster.signal("STOP");
    let (outcome, summary) = hung(&watched, "connect").await;
    assert_eq!(outcome, "fail", "{summary}");
    assert!(is_late(&summary), "{summary}");
    let (outcome, summary) = hung(&watched, "query").await;
    assert!(outcome == "fail" && is_late(&summary), "{summary}");
    cluster.signal("CONT");
    assert_eq!(run(&watched, "connect").await.outcome, Outcome::Pass);

    let pid = cluster
        .number("SELECT pid FROM pg_stat_activity WHERE application_name = 'tminus-probe'")
        .await;
    cluster::signal(pid, "STOP");
    let (outcome, summary) = hung(&watched, "connect").await;
    cluster::signal(pid, "CONT");
    assert!(outcome == "fail" && is_late(&summary), "{summary}");
    assert_eq!(run(&watched, "connect").await.outcome, Outcome::Pass);

    cluster.stop();
    let began = Instant::now();
    let (outcome, summary) = says(&watched, "connect").await;
    assert!(began.elapsed() < Duration::from_secs(3));
    assert!(outcome == "fail" && summary.starts_with("connection refused by"), "{summary}");

    cluster.restart();
    assert_eq!(run(&watched, "connect").await.outcome, Outcome::Pass);
    cluster.stop();
    cluster.restart();
    assert_eq!(run(&watched, "connect").await.outcome, Outcome::Pass, "a stale session is renewed");
    drop(watched);
}

async fn a_standby_is_named_and_one_that_takes_nobody_is_starting(on: Edition) {
    let mut cluster = need!(on.start(TRACKING));
    let url = cluster.role("reader", "GRANT pg_read_all_stats TO reader").await;
    cluster.sql("CREATE EXTENSION pg_stat_statements").await;
    let watched = database(Some(&url));
    cluster.stop();
    cluster.write("standby.signal", "");
    cluster.restart();
    let connect = run(&watched, "connect").await;
    assert_eq!(connect.outcome, Outcome::Pass, "{connect:?}");
    assert!(connect.summary.contains(" standby answers in"), "{}", connect.summary);
    assert_eq!(words(&connect, "in recovery"), "yes");
    assert_eq!(says(&watched, "query").await, pass("20 of 20 statements counted"));
    assert_eq!(run(&watched, "slow").await.outcome, Outcome::Pass);
    cluster.stop();
    cluster.write("postgresql.auto.conf", "hot_standby = off\n");
    cluster.spawn();
    let began = Instant::now();
    wait_until("the server answers at all", || {
        TcpStream::connect(("127.0.0.1", cluster.port)).is_ok()
    });
    let expected = ("fail", "server is starting up (57P03)".to_owned());
    while says(&watched, "connect").await != expected {
        assert!(began.elapsed() < Duration::from_mins(1), "never said that it starts up");
    }
}

async fn a_read_only_default_is_reported(on: Edition) {
    let cluster = need!(on.shared());
    let url = cluster.role("quiet", "").await;
    let before = run(&database(Some(&url)), "connect").await;
    assert_eq!(words(&before, "read-only by default"), "no");
    cluster.sql("ALTER ROLE quiet SET default_transaction_read_only = on").await;
    let after = run(&database(Some(&url)), "connect").await;
    assert_eq!(words(&after, "read-only by default"), "yes");
    let watched = database(Some(&url));
    assert_eq!(run(&watched, "query").await.outcome, Outcome::Warn);
}

on_both! {
    never_more_than_three_sessions_and_none_left,
    a_dropped_run_leaves_at_most_the_standing_session,
    each_closed_door_is_told_apart,
    a_full_server_is_full_for_whoever_is_outside_and_inside,
    stopped_hung_and_restarted_are_seen_within_their_time,
    a_standby_is_named_and_one_that_takes_nobody_is_starting,
    a_read_only_default_is_reported,
}
