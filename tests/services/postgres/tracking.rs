//! What the server counts and notices, and why it may not.

use super::{
    cluster::{Edition, PLAIN, TRACKING},
    fact, need, on_both, pass, words,
};
use crate::database::{database, run, says};
use std::sync::atomic::{AtomicBool, Ordering};
use tminus::{
    domain::{FactValue, Outcome, Quantity},
    probe::Integration,
};

async fn a_healthy_server_passes_with_exact_counts(on: Edition) {
    let cluster = need!(on.shared());
    let role = cluster.role("healthy", "GRANT pg_read_all_stats TO healthy").await;
    let watched = database(Some(&role));
    assert_eq!(watched.target().name, format!("127.0.0.1:{}/postgres", cluster.port));

    let connect = run(&watched, "connect").await;
    assert_eq!(connect.outcome, Outcome::Pass, "{connect:?}");
    assert!(connect.summary.starts_with("PostgreSQL 1"), "{}", connect.summary);
    assert!(connect.latency.is_some());
    let phases: Vec<_> = connect.evidence.phases.iter().map(|phase| &*phase.name).collect();
    assert_eq!(phases, ["connect", "greet", "log in", "query", "room"]);
    assert_eq!(words(&connect, "role"), "healthy");
    assert_eq!(words(&connect, "in recovery"), "no");
    assert_eq!(words(&connect, "TLS"), "no");
    assert_eq!(words(&connect, "session guards"), "yes");

    for _ in 0..3 {
        let query = run(&watched, "query").await;
        assert_eq!(query.summary, "20 of 20 statements counted", "{query:?}");
        assert_eq!(query.evidence.reply, "20 calls, 20 rows");
    }
    let mut slow = run(&watched, "slow").await;
    while words(&slow, "seen") != "in flight, waiting for PgSleep" {
        // This host was late: it saw it just after it had ended.
        slow = run(&watched, "slow").await;
    }
    assert_eq!(slow.summary, "150ms noticed, 50ms not, limit 100ms", "{slow:?}");
    let FactValue::Quantity(Quantity::Time(booked)) = *fact(&slow, "pg_stat_statements") else {
        panic!("not booked: {slow:?}")
    };
    assert!((150..400).contains(&booked.as_millis()), "{slow:?}");
}

async fn a_poll_mints_no_fingerprints_of_its_own(on: Edition) {
    let cluster = need!(on.shared());
    let role = cluster.role("polled", "GRANT pg_read_all_stats TO polled").await;
    let watched = database(Some(&role));
    let count = "SELECT count(*) FROM pg_stat_statements JOIN pg_roles ON userid = pg_roles.oid \
                 WHERE rolname = 'polled'";
    let mut fingerprints = Vec::new();
    for _ in 0..3 {
        for name in ["connect", "query", "pool", "transactions", "slow"] {
            assert_eq!(run(&watched, name).await.outcome, Outcome::Pass);
        }
        run(&watched, "errors").await;
        fingerprints.push(cluster.number(count).await);
    }
    assert!(fingerprints[0] > 0 && fingerprints[0] < 32, "{fingerprints:?}");
    assert_eq!(fingerprints[1], fingerprints[0], "{fingerprints:?}");
    assert_eq!(fingerprints[2], fingerprints[0], "{fingerprints:?}");
}

async fn the_applications_own_health_checks_do_not_count_along(on: Edition) {
    let cluster = need!(on.shared());
    let url = cluster.role("shared_role", "GRANT pg_read_all_stats TO shared_role").await;
    let watched = database(Some(&url));
    let mut application = cluster.connect(&url).await;
    let done = AtomicBool::new(false);
    let pings = async {
        while !done.load(Ordering::Relaxed) {
            sqlx::raw_sql("SELECT 1").execute(&mut application).await.unwrap();
            sqlx::raw_sql("SELECT 1::int4 AS tminus_probe")
                .execute(&mut application)
                .await
                .unwrap();
        }
    };
    let checks = async {
        for _ in 0..5 {
            assert_eq!(says(&watched, "query").await, pass("20 of 20 statements counted"));
        }
        done.store(true, Ordering::Relaxed);
    };
    tokio::join!(pings, checks);
}

async fn evicted_statistics_are_a_warning_with_their_reason(on: Edition) {
    let cluster = need!(on.start(&[TRACKING[0], "pg_stat_statements.max=100"]));
    cluster.sql("CREATE EXTENSION pg_stat_statements").await;
    let url = cluster.role("crowd", "GRANT pg_read_all_stats TO crowd").await;
    let watched = database(Some(&url));
    assert_eq!(says(&watched, "query").await, pass("20 of 20 statements counted"));
    let distinct = |n: u32| format!("WITH cte_{n} AS (SELECT 1) SELECT * FROM cte_{n}");
    cluster.sql(&(0..300).map(distinct).collect::<Vec<_>>().join(";")).await;
    let finding = run(&watched, "query").await;
    assert_eq!(finding.outcome, Outcome::Warn, "{finding:?}");
    assert!(finding.summary.starts_with("statistics evicted since last look: "), "{finding:?}");
    assert!(finding.remedy.unwrap().contains("pg_stat_statements.max, now 100"));
    assert_eq!(says(&watched, "query").await, pass("20 of 20 statements counted"));
}

async fn tracking_that_is_off_is_named_with_its_remedy(on: Edition) {
    let cluster = need!(on.shared());
    let cases = [
        ("t_none", "pg_stat_statements.track", "none", "0 of 20: pg_stat_statements.track=none"),
        ("t_off", "compute_query_id", "off", "0 of 20: compute_query_id=off"),
    ];
    for (role, setting, value, summary) in cases {
        let grant = format!("GRANT pg_read_all_stats TO {role}");
        let url = cluster.role(role, &grant).await;
        cluster.sql(&format!("ALTER ROLE {role} SET {setting} = '{value}'")).await;
        let finding = run(&database(Some(&url)), "query").await;
        assert_eq!((finding.outcome.word(), finding.summary.as_str()), ("fail", summary));
        assert!(finding.remedy.unwrap().contains(setting));
    }
    let url = cluster.role("t_blind", "GRANT pg_read_all_stats TO t_blind").await;
    cluster.sql("ALTER ROLE t_blind SET track_activities = off").await;
    let watched = database(Some(&url));
    assert_eq!(
        says(&watched, "query").await,
        ("unknown", "track_activities=off hides our canary".into())
    );
    assert_eq!(
        says(&watched, "slow").await,
        ("fail", "track_activities=off hides slow statements".into())
    );
}

async fn a_module_that_is_loaded_but_not_created_here_is_said_so(on: Edition) {
    let cluster = need!(on.shared());
    cluster.sql("CREATE DATABASE bare").await;
    let url = cluster.role("u_bare", "GRANT pg_read_all_stats TO u_bare").await;
    let watched = database(Some(&url.replace("/postgres", "/bare")));
    for _ in 0..2 {
        let finding = run(&watched, "query").await;
        assert_eq!(finding.outcome, Outcome::Fail);
        assert_eq!(finding.summary, "pg_stat_statements not created in bare");
        let remedy = finding.remedy.unwrap();
        assert!(remedy.starts_with("CREATE EXTENSION pg_stat_statements in bare"), "{remedy}");
    }
    assert_eq!(run(&watched, "slow").await.outcome, Outcome::Pass, "the activity shows it");
    let create = "CREATE SCHEMA \"Odd Name\"; \
                  CREATE EXTENSION pg_stat_statements SCHEMA \"Odd Name\" VERSION '1.8'; \
                  GRANT USAGE ON SCHEMA \"Odd Name\" TO u_bare";
    cluster.sql_in("bare", create).await;
    let outdated = "pg_stat_statements here is older than 1.9";
    assert_eq!(says(&watched, "query").await, ("unknown", outdated.into()));
    cluster.sql_in("bare", "ALTER EXTENSION pg_stat_statements UPDATE").await;
    assert_eq!(says(&watched, "query").await, pass("20 of 20 statements counted"));
}

async fn a_module_that_is_not_preloaded_is_said_so(on: Edition) {
    let cluster = need!(on.start(PLAIN));
    let url = cluster.role("u_plain", "GRANT pg_read_all_stats TO u_plain").await;
    let watched = database(Some(&url));
    let finding = run(&watched, "query").await;
    assert_eq!(finding.outcome, Outcome::Fail);
    assert_eq!(finding.summary, "pg_stat_statements neither loaded nor created");
    cluster.sql("CREATE EXTENSION pg_stat_statements").await;
    for _ in 0..2 {
        let finding = run(&watched, "query").await;
        assert_eq!(finding.outcome, Outcome::Fail);
        assert_eq!(finding.summary, "pg_stat_statements is not preloaded (55000)");
        let remedy = finding.remedy.unwrap();
        assert!(remedy.contains("shared_preload_libraries") && remedy.contains("restart"));
    }
    assert_eq!(run(&watched, "slow").await.outcome, Outcome::Pass, "the activity shows it");
    let complaints = cluster.log().matches("must be loaded via").count();
    assert_eq!(complaints, 1, "the same error is not written into the log again and again");
}

async fn least_privilege_counts_exactly_and_asks_for_the_grant(on: Edition) {
    let cluster = need!(on.shared());
    let watched = database(Some(&cluster.role("lowly", "").await));
    assert_eq!(run(&watched, "connect").await.outcome, Outcome::Pass);
    let query = run(&watched, "query").await;
    assert_eq!(query.outcome, Outcome::Warn);
    assert_eq!(query.summary, "20 of 20 counted, others' text hidden");
    assert_eq!(query.remedy.as_deref(), Some("GRANT pg_read_all_stats TO lowly"));
    assert!(!format!("{query:?}").contains("<insufficient privilege>"));
    let slow = run(&watched, "slow").await;
    assert_eq!(slow.outcome, Outcome::Warn, "{slow:?}");
    assert_eq!(slow.remedy.as_deref(), Some("GRANT pg_read_all_stats TO lowly"));
}

async fn a_short_statement_timeout_is_not_a_broken_detection(on: Edition) {
    let cluster = need!(on.shared());
    let url = cluster.role("hasty", "GRANT pg_read_all_stats TO hasty").await;
    cluster.sql("ALTER ROLE hasty SET statement_timeout = '100ms'").await;
    let watched = database(Some(&url));
    assert_eq!(
        says(&watched, "slow").await,
        ("unknown", "canary blocked by statement_timeout=100ms".into())
    );
    assert_eq!(run(&watched, "connect").await.outcome, Outcome::Pass);
    assert_eq!(run(&watched, "query").await.outcome, Outcome::Pass);
}

on_both! {
    a_healthy_server_passes_with_exact_counts,
    a_poll_mints_no_fingerprints_of_its_own,
    the_applications_own_health_checks_do_not_count_along,
    evicted_statistics_are_a_warning_with_their_reason,
    tracking_that_is_off_is_named_with_its_remedy,
    a_module_that_is_loaded_but_not_created_here_is_said_so,
    a_module_that_is_not_preloaded_is_said_so,
    least_privilege_counts_exactly_and_asks_for_the_grant,
    a_short_statement_timeout_is_not_a_broken_detection,
}
