//! Pools, transactions and errors: what the server sees of each, and why it may not.

use super::{
    cluster::{Edition, PLAIN, TRACKING},
    fact, need, on_both, words,
};
use crate::database::{database, run, says};
use tminus::domain::{FactValue, Finding, Outcome, Quantity};

fn count(finding: &Finding, name: &str) -> u64 {
    let FactValue::Quantity(Quantity::Count(count)) = fact(finding, name) else {
        panic!("{name} is no count: {finding:?}")
    };
    *count
}

async fn a_pool_is_counted_alike_on_both_sides(on: Edition) {
    let cluster = need!(on.shared());
    let watched = database(Some(&cluster.role("pooled", "GRANT pg_monitor TO pooled").await));
    let pool = run(&watched, "pool").await;
    assert_eq!(pool.outcome, Outcome::Pass, "{pool:?}");
    assert!(pool.summary.starts_with("pool of 2 adds up, "), "{}", pool.summary);
    assert_eq!(count(&pool, "held, server"), 2);
    assert_eq!(count(&pool, "open when closed, server"), 0);
    assert!(words(&pool, "third, here").starts_with("refused after "));
    cluster
        .until_zero("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tminus-pool'")
        .await;
}

async fn a_limit_of_the_role_counts_like_one_of_the_server(on: Edition) {
    let cluster = need!(on.start(TRACKING));
    let grant = "GRANT pg_monitor TO narrow; ALTER ROLE narrow CONNECTION LIMIT 4";
    let url = cluster.role("narrow", grant).await;
    let watched = database(Some(&url));
    assert_eq!(run(&watched, "connect").await.outcome, Outcome::Pass);
    let held = (cluster.connect(&url).await, cluster.connect(&url).await);
    let expected = ("unknown", "role narrow: 3 of 4 taken, no room to try".to_owned());
    assert_eq!(says(&watched, "pool").await, expected);
    let other = database(Some(&cluster.role("wide", "GRANT pg_monitor TO wide").await));
    assert_eq!(run(&other, "pool").await.outcome, Outcome::Pass, "that role's limit is not ours");
    let third = cluster.connect(&url).await;
    let expected = ("fail", "role narrow: 4 of 4 connections taken".to_owned());
    assert_eq!(says(&watched, "pool").await, expected);
    let outside = database(Some(&url));
    let expected = ("fail", "role narrow has no connection left (53300)".to_owned());
    assert_eq!(says(&outside, "connect").await, expected);
    drop((held, third));
}

async fn transactions_are_seen_open_and_known_when_ended(on: Edition) {
    let cluster = need!(on.shared());
    let watched = database(Some(&cluster.role("acid", "GRANT pg_monitor TO acid").await));
    let finding = run(&watched, "transactions").await;
    assert_eq!(finding.summary, "seen open, rolled back, committed", "{finding:?}");
    assert_eq!(words(&finding, "known as"), "aborted, committed");
    assert!(count(&finding, "rollbacks, server") >= 1);
    assert_eq!((finding.receipt.written, finding.receipt.left), (2, 0));
    let tables = "SELECT count(*) FROM pg_class WHERE relname = 'tminus_probe'";
    assert_eq!(cluster.number(tables).await, 0);
}

async fn a_role_that_may_not_write_is_told_the_grant(on: Edition) {
    let cluster = need!(on.shared());
    cluster.sql("CREATE DATABASE strict; REVOKE TEMPORARY ON DATABASE strict FROM PUBLIC").await;
    let url = cluster.role("templess", "GRANT pg_monitor TO templess").await;
    let watched = database(Some(&url.replace("/postgres", "/strict")));
    let finding = run(&watched, "transactions").await;
    assert_eq!(finding.outcome, Outcome::Warn, "{finding:?}");
    let grant = "GRANT TEMPORARY ON DATABASE strict TO templess";
    assert_eq!(finding.remedy.as_deref(), Some(grant));
    cluster.sql(grant).await;
    assert_eq!(run(&watched, "transactions").await.outcome, Outcome::Pass);
    cluster.sql("ALTER DATABASE strict SET default_transaction_read_only = on").await;
    let fresh = database(Some(&url.replace("/postgres", "/strict")));
    let finding = run(&fresh, "transactions").await;
    assert_eq!(finding.summary, "default_transaction_read_only=on, not written");
    assert_eq!(finding.receipt.written, 0);
}

async fn an_error_made_on_purpose_is_counted_once_an_hour(on: Edition) {
    let settings = [TRACKING[0], "logging_collector=on", "log_destination=jsonlog"];
    let cluster = need!(on.start(&settings));
    let watched = database(Some(&cluster.role("clumsy", "GRANT pg_monitor TO clumsy").await));
    let first = run(&watched, "errors").await;
    assert_eq!(first.outcome, Outcome::Pass, "{first:?}");
    assert!(first.summary.starts_with("error counted, "), "{}", first.summary);
    assert_eq!(count(&first, "errors of class 22, here"), 1);
    assert!(count(&first, "rollbacks for it, server") >= 1);
    for _ in 0..3 {
        let again = run(&watched, "errors").await;
        assert!(words(&again, "error on purpose").starts_with("not due"), "{again:?}");
    }
}

async fn without_a_log_no_error_has_a_name(on: Edition) {
    let cluster = need!(on.shared());
    let watched = database(Some(&cluster.role("mute", "GRANT pg_monitor TO mute").await));
    let expected = ("warn", "no log tells which errors: collector off".to_owned());
    assert_eq!(says(&watched, "errors").await, expected);
    let remedy = run(&watched, "errors").await.remedy.unwrap();
    assert!(remedy.contains("logging_collector = on"), "{remedy}");
}

async fn counters_that_stand_still_are_named_with_their_setting(on: Edition) {
    let cluster = need!(on.start(PLAIN));
    let url = cluster.role("frozen", "GRANT pg_monitor TO frozen").await;
    cluster.sql("ALTER SYSTEM SET track_counts = off; SELECT pg_reload_conf()").await;
    let off = ("fail", "track_counts=off: nothing is counted".to_owned());
    let mut said = says(&database(Some(&url)), "transactions").await;
    for _ in 0..50 {
        if said == off {
            break;
        }
        said = says(&database(Some(&url)), "transactions").await;
    }
    assert_eq!(said, off);
    let errors = says(&database(Some(&url)), "errors").await;
    assert_eq!(errors, ("fail", "track_counts=off: no error is counted".into()));
    cluster.sql("ALTER ROLE frozen SET track_activities = off").await;
    cluster.sql("ALTER SYSTEM RESET track_counts; SELECT pg_reload_conf()").await;
    let hidden = ("fail", "track_activities=off hides open transactions".to_owned());
    let mut said = says(&database(Some(&url)), "transactions").await;
    for _ in 0..50 {
        if said == hidden {
            break;
        }
        said = says(&database(Some(&url)), "transactions").await;
    }
    assert_eq!(said, hidden);
}

on_both! {
    a_pool_is_counted_alike_on_both_sides,
    a_limit_of_the_role_counts_like_one_of_the_server,
    transactions_are_seen_open_and_known_when_ended,
    a_role_that_may_not_write_is_told_the_grant,
    an_error_made_on_purpose_is_counted_once_an_hour,
    without_a_log_no_error_has_a_name,
    counters_that_stand_still_are_named_with_their_setting,
}
