//! What only the newest PostgreSQL has, and all that it has to pass in health.

use super::{cluster::Edition, need};
use crate::database::{database, run, says};
use tminus::domain::{Mark, Outcome};

const SETTINGS: &[&str] = &[
    "shared_preload_libraries=pg_stat_statements",
    "logging_collector=on",
    "log_destination=jsonlog",
    "statement_timeout=30s",
    "idle_in_transaction_session_timeout=10min",
];

#[tokio::test]
async fn every_check_holds_on_the_newest_release() {
    let cluster = need!(Edition::Newest.start(SETTINGS));
    cluster.sql("CREATE EXTENSION pg_stat_statements").await;
    let url = cluster.role("modern", "GRANT pg_monitor TO modern").await;
    let watched = database(Some(&url));
    let connect = run(&watched, "connect").await;
    assert!(connect.summary.starts_with("PostgreSQL 18."), "{connect:?}");
    for name in ["connect", "query", "pool", "transactions", "errors", "slow"] {
        let finding = run(&watched, name).await;
        assert_eq!(finding.outcome, Outcome::Pass, "{name}: {finding:?}");
    }
    let server = run(&watched, "server").await;
    let rows = server.evidence.grid.as_ref().unwrap().rows.iter();
    let own = |name: &str| matches!(name, "clock, uptime" | "disk");
    for row in rows.filter(|row| !own(&row.cells[0])) {
        assert_eq!(row.mark, Mark::Pass, "{row:?}");
    }
}

#[tokio::test]
async fn a_full_server_still_lets_in_who_may_use_what_is_reserved() {
    let few = ["max_connections=7", "superuser_reserved_connections=2", "reserved_connections=2"];
    let cluster = need!(Edition::Newest.start(&few));
    let guest = cluster.role("guest", "GRANT pg_monitor TO guest").await;
    let grant = "GRANT pg_monitor, pg_use_reserved_connections TO warden";
    let warden = cluster.role("warden", grant).await;
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(cluster.connect(&guest).await);
    }
    let full = ("fail", "server full, no connection left (53300)".to_owned());
    assert_eq!(says(&database(Some(&guest)), "connect").await, full);
    let inside = database(Some(&warden));
    let connect = run(&inside, "connect").await;
    assert_eq!(connect.outcome, Outcome::Warn, "{connect:?}");
    assert!(connect.summary.ends_with("connections taken, rest reserved"), "{connect:?}");
    let (outcome, summary) = says(&inside, "pool").await;
    assert_eq!(outcome, "fail", "{summary}");
    assert!(summary.starts_with("server: ") && summary.ends_with("connections taken"), "{summary}");
    drop(held);
}
