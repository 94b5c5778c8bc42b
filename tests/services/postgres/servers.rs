//! What a server tells of its health: each fault injected, and named.

use super::{
    cluster::{Cluster, Edition, TRACKING, scalar},
    need, on_both,
};
use crate::database::{database, run};
use sqlx::{Connection, Executor};
use std::time::{Duration, Instant};
use tminus::{
    domain::{Finding, Mark},
    integrations::database::Database,
};
use tokio::time::sleep;

/// Every setting that a healthy server has and a fresh one lacks.
const CARED: &[&str] = &[
    "shared_preload_libraries=pg_stat_statements",
    "statement_timeout=30s",
    "idle_in_transaction_session_timeout=10min",
    "max_prepared_transactions=2",
    "wal_level=logical",
    "deadlock_timeout=100ms",
];

/// The row of an aspect: its mark, and what was seen.
fn row<'a>(finding: &'a Finding, aspect: &str) -> (Mark, &'a str) {
    let grid = finding.evidence.grid.as_ref().unwrap();
    let row = grid.rows.iter().find(|row| row.cells[0] == aspect);
    let row = row.unwrap_or_else(|| panic!("no {aspect} in {finding:?}"));
    assert!(row.cells.iter().all(|cell| !cell.is_empty()), "{row:?}");
    (row.mark, &row.cells[1])
}

fn words<'a>(finding: &'a Finding, aspect: &str) -> &'a str {
    row(finding, aspect).1
}

fn is_bad(finding: &Finding, aspect: &str) -> bool {
    matches!(row(finding, aspect).0, Mark::Warn | Mark::Fail)
}

async fn watched(cluster: &Cluster) -> Database {
    database(Some(&cluster.role("observer", "GRANT pg_monitor TO observer").await))
}

/// Runs the check until the aspect says `part`: what is waited for takes its time.
async fn until(watched: &Database, aspect: &str, part: &str) -> Finding {
    let began = Instant::now();
    loop {
        let finding = run(watched, "server").await;
        if words(&finding, aspect).contains(part) {
            return finding;
        }
        assert!(began.elapsed() < Duration::from_mins(1), "never {part}: {finding:?}");
        sleep(Duration::from_millis(50)).await;
    }
}

async fn a_healthy_server_has_every_aspect_within_its_limits_but_its_age(on: Edition) {
    let cluster = need!(on.start(CARED));
    let watched = watched(&cluster).await;
    let began = Instant::now();
    let finding = run(&watched, "server").await;
    println!("healthy: {} in {:?}", finding.summary, began.elapsed());
    assert!(is_bad(&finding, "clock, uptime") && finding.remedy.is_some());
    // The disk is that of whoever runs the tests.
    let own = |name: &str| matches!(name, "clock, uptime" | "disk");
    let rows = &finding.evidence.grid.as_ref().unwrap().rows;
    assert_eq!(rows.len(), 18);
    for row in rows.iter().filter(|row| !own(&row.cells[0])) {
        assert_eq!(row.mark, Mark::Pass, "{row:?}");
    }
    assert!(words(&finding, "disk").contains(" free, log "), "{finding:?}");
    for (aspect, part) in [
        ("lock waits", "nobody waits"),
        ("idle in transaction", "none"),
        ("replication", "no replica"),
        ("archiver", "archive_mode=off"),
        ("timeouts", "no role of an application"),
        ("writable", "yes"),
    ] {
        assert!(words(&finding, aspect).starts_with(part), "{aspect}: {finding:?}");
    }
}

async fn the_root_of_a_chain_of_locks_is_named(on: Edition) {
    let cluster = need!(on.start(CARED));
    let watched = watched(&cluster).await;
    cluster.sql("CREATE TABLE stock (id int4 PRIMARY KEY, n int4); INSERT INTO stock VALUES (1, 1), (2, 2)").await;
    let (mut root, mut middle, mut last) =
        (cluster.admin().await, cluster.admin().await, cluster.admin().await);
    root.execute("SET application_name = 'importer'").await.unwrap();
    let pid = scalar(&mut root, "SELECT pg_backend_pid()").await;
    root.execute("BEGIN").await.unwrap();
    root.execute("UPDATE stock SET n = 0 WHERE id = 1").await.unwrap();
    middle.execute("BEGIN").await.unwrap();
    middle.execute("UPDATE stock SET n = 0 WHERE id = 2").await.unwrap();
    // The second keeps its transaction open, so that the third waits for it.
    let second = tokio::spawn(async move {
        drop(middle.execute("UPDATE stock SET n = 9 WHERE id = 1").await);
        middle
    });
    let third =
        tokio::spawn(
            async move { drop(last.execute("UPDATE stock SET n = 9 WHERE id = 2").await) },
        );
    let mut finding = until(&watched, "lock waits", "blocks 2").await;
    while !is_bad(&finding, "lock waits") {
        // For a second nobody minds.
        finding = run(&watched, "server").await;
    }
    let named = format!("pid {pid} (admin, importer, idle in transaction) blocks 2, ");
    assert!(words(&finding, "lock waits").starts_with(&named), "{finding:?}");
    println!("lock chain of 3: {}", finding.summary);
    root.execute("ROLLBACK").await.unwrap();
    drop(second.await.unwrap());
    third.await.unwrap();
    until(&watched, "lock waits", "nobody waits").await;
}

async fn a_deadlock_is_seen_at_the_next_look(on: Edition) {
    let cluster = need!(on.start(CARED));
    let watched = watched(&cluster).await;
    cluster.sql("CREATE TABLE pair (id int4 PRIMARY KEY, n int4); INSERT INTO pair VALUES (1, 1), (2, 2)").await;
    let first = run(&watched, "server").await;
    assert!(words(&first, "deadlocks").starts_with("first look"), "{first:?}");
    let (mut one, mut other) = (cluster.admin().await, cluster.admin().await);
    one.execute("BEGIN; UPDATE pair SET n = 0 WHERE id = 1").await.unwrap();
    other.execute("BEGIN; UPDATE pair SET n = 0 WHERE id = 2").await.unwrap();
    let (first, second) = tokio::join!(
        one.execute("UPDATE pair SET n = 0 WHERE id = 2"),
        other.execute("UPDATE pair SET n = 0 WHERE id = 1")
    );
    assert!(first.is_err() != second.is_err(), "one of the two was undone");
    one.close().await.unwrap();
    other.close().await.unwrap();
    let finding = until(&watched, "deadlocks", "1 in ").await;
    println!("deadlock: {}", finding.summary);
    assert!(is_bad(&finding, "deadlocks"), "{finding:?}");
}

async fn what_is_left_open_or_unread_or_unfinished_is_told(on: Edition) {
    let cluster = need!(on.start(CARED));
    let watched = watched(&cluster).await;
    let mut idle = cluster.admin().await;
    idle.execute("SET application_name = 'forgetful'").await.unwrap();
    idle.execute("BEGIN; SELECT count(*) FROM pg_class").await.unwrap();
    let finding = until(&watched, "idle in transaction", "forgetful").await;
    assert!(words(&finding, "idle in transaction").contains("xmin "), "{finding:?}");
    let mut prepared = cluster.admin().await;
    prepared
        .execute("BEGIN; CREATE TABLE half (n int4); PREPARE TRANSACTION 'orphan'")
        .await
        .unwrap();
    let finding = until(&watched, "prepared transaction", "xmin").await;
    assert!(words(&finding, "prepared transaction").contains("admin, orphan"), "{finding:?}");
    cluster.sql("SELECT pg_create_physical_replication_slot('reader', true)").await;
    let finding = until(&watched, "replication slots", "reader keeps").await;
    assert!(words(&finding, "replication slots").contains("1 inactive, reserved"), "{finding:?}");
    assert!(is_bad(&finding, "replication slots"), "{finding:?}");
    println!("inactive slot: {}", words(&finding, "replication slots"));
    prepared.execute("ROLLBACK PREPARED 'orphan'").await.unwrap();
    idle.execute("ROLLBACK").await.unwrap();
    until(&watched, "idle in transaction", "none").await;
}

async fn a_sequence_near_its_end_and_a_role_without_timeout_are_told(on: Edition) {
    let cluster = need!(on.start(CARED));
    let watched = watched(&cluster).await;
    cluster.sql("CREATE TABLE orders (id serial PRIMARY KEY); SELECT setval('orders_id_seq', 2100000000)").await;
    let hidden = run(&watched, "server").await;
    assert!(words(&hidden, "sequences").starts_with("1 hidden: GRANT SELECT"), "{hidden:?}");
    cluster.sql("GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO observer").await;
    let finding = run(&watched, "server").await;
    assert_eq!(finding.outcome.word(), "fail");
    assert!(words(&finding, "sequences").starts_with("public.orders_id_seq: 97 %"), "{finding:?}");
    assert!(is_bad(&finding, "sequences"), "{finding:?}");
    println!("sequence: {}", finding.summary);
    cluster.sql("ALTER SEQUENCE orders_id_seq AS bigint").await;
    let still = run(&watched, "server").await;
    assert!(words(&still, "sequences").contains("97 %"), "the column is still int4: {still:?}");
    cluster.sql("SELECT setval('orders_id_seq', 1)").await;
    cluster.role("careless", "ALTER ROLE careless SET statement_timeout = 0").await;
    let finding = run(&watched, "server").await;
    let timeouts = words(&finding, "timeouts");
    assert!(timeouts.starts_with("none for 1 of 1 roles: statement_timeout"), "{timeouts}");
    cluster.sql("ALTER ROLE careless RESET statement_timeout").await;
    let finding = run(&watched, "server").await;
    assert!(words(&finding, "timeouts").starts_with("all set"), "{finding:?}");
}

async fn an_archive_that_fails_and_a_vacuum_that_is_off_are_told(on: Edition) {
    let settings = ["archive_mode=on", "archive_command=false", "autovacuum=off", TRACKING[0]];
    let cluster = need!(on.start(&settings));
    let watched = watched(&cluster).await;
    cluster.sql("CREATE TABLE filler (n int4); SELECT pg_switch_wal()").await;
    let finding = until(&watched, "archiver", "last attempt failed").await;
    assert_eq!(finding.outcome.word(), "fail");
    assert!(words(&finding, "vacuum").starts_with("autovacuum=off"), "{finding:?}");
    println!("archiver: {}", finding.summary);
}

async fn without_the_grant_nothing_is_claimed_and_no_error_logged(on: Edition) {
    let cluster = need!(on.start(CARED));
    let watched = database(Some(&cluster.role("nobody_much", "").await));
    let finding = run(&watched, "server").await;
    let hidden = words(&finding, "idle in transaction");
    assert!(hidden.starts_with("hidden from this role"), "{finding:?}");
    assert!(!cluster.log().contains("ERROR"), "{}", cluster.log());
}

on_both! {
    a_healthy_server_has_every_aspect_within_its_limits_but_its_age,
    the_root_of_a_chain_of_locks_is_named,
    a_deadlock_is_seen_at_the_next_look,
    what_is_left_open_or_unread_or_unfinished_is_told,
    a_sequence_near_its_end_and_a_role_without_timeout_are_told,
    an_archive_that_fails_and_a_vacuum_that_is_off_are_told,
    without_the_grant_nothing_is_claimed_and_no_error_logged,
}
