//! The same on the newest PostgreSQL: its catalogues differ, what is said does not.

use super::{cluster::Cluster, need, pass};
use crate::database::{PASSWORD, database, run, says};
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
    let cluster = need!(Cluster::newest(SETTINGS));
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
async fn what_hides_statements_is_named_on_the_newest_release_too() {
    let cluster = need!(Cluster::newest(SETTINGS));
    let grant = |role: &str| format!("GRANT pg_monitor TO {role}");
    let watched = database(Some(&cluster.role("early", &grant("early")).await));
    let missing = ("fail", "pg_stat_statements not created in postgres".to_owned());
    assert_eq!(says(&watched, "query").await, missing);
    cluster.sql("CREATE EXTENSION pg_stat_statements").await;
    assert_eq!(says(&watched, "query").await, pass("20 of 20 statements counted"));
    let cases = [
        ("n_none", "pg_stat_statements.track", "none", "0 of 20: pg_stat_statements.track=none"),
        ("n_off", "compute_query_id", "off", "0 of 20: compute_query_id=off"),
    ];
    for (role, setting, value, summary) in cases {
        let url = cluster.role(role, &grant(role)).await;
        cluster.sql(&format!("ALTER ROLE {role} SET {setting} = '{value}'")).await;
        assert_eq!(says(&database(Some(&url)), "query").await, ("fail", summary.into()));
    }
    let blind = cluster.role("n_blind", &grant("n_blind")).await;
    cluster.sql("ALTER ROLE n_blind SET track_activities = off").await;
    let hidden = ("fail", "track_activities=off hides open transactions".to_owned());
    assert_eq!(says(&database(Some(&blind)), "transactions").await, hidden);
    let slow = ("fail", "track_activities=off hides slow statements".to_owned());
    assert_eq!(says(&database(Some(&blind)), "slow").await, slow);
    let hasty = cluster.role("n_hasty", &grant("n_hasty")).await;
    cluster.sql("ALTER ROLE n_hasty SET statement_timeout = '100ms'").await;
    let blocked = ("unknown", "canary blocked by statement_timeout=100ms".to_owned());
    assert_eq!(says(&database(Some(&hasty)), "slow").await, blocked);
    let wrong = blind.replace(PASSWORD, "wrong");
    let refused = ("fail", "password refused for role n_blind (28P01)".to_owned());
    assert_eq!(says(&database(Some(&wrong)), "connect").await, refused);
}

#[tokio::test]
async fn a_full_server_still_lets_in_who_may_use_what_is_reserved() {
    let few = ["max_connections=7", "superuser_reserved_connections=2", "reserved_connections=2"];
    let cluster = need!(Cluster::newest(&few));
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
