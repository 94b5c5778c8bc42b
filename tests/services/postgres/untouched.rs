//! The user's own: as it was, after all that the least role may do.

use super::{
    cluster::{Cluster, Edition},
    need,
};
use crate::database::{database, run};
use sqlx::{AssertSqlSafe, Row};
use std::{
    env,
    time::{Duration, Instant},
};

/// What README.md tells to grant, and nothing else.
const LEAST: &str = "GRANT pg_monitor TO least; GRANT CONNECT, TEMPORARY ON DATABASE shop TO least; \
                     ALTER ROLE least CONNECTION LIMIT 10";
/// Rounds of every check; `TMINUS_ROUNDS` asks for more.
const ROUNDS: usize = 40;

/// Everything of the user's, as text: definitions, rows, owners, grants, sizes of the catalogue.
const SNAPSHOT: [&str; 6] = [
    "SELECT string_agg(t::text, ';' ORDER BY id) FROM orders t",
    "SELECT string_agg(t::text, ';' ORDER BY id) FROM lines t",
    "SELECT string_agg(concat_ws(',', nspname, relname, relkind, relowner, relacl::text), ';' \
     ORDER BY c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace \
     WHERE nspname NOT IN ('pg_toast') AND nspname NOT LIKE 'pg_temp%' \
     AND nspname NOT LIKE 'pg_toast_temp%'",
    "SELECT string_agg(concat_ws(',', attrelid::regclass, attname, atttypid), ';' \
     ORDER BY attrelid, attnum) FROM pg_attribute WHERE attrelid >= 16384",
    "SELECT string_agg(concat_ws(',', rolname, rolconfig::text, rolconnlimit), ';' ORDER BY oid) \
     FROM pg_roles",
    "SELECT last_value::text || ',' || is_called FROM orders_id_seq",
];

async fn snapshot(cluster: &Cluster) -> Vec<String> {
    let mut admin = cluster.admin_in("shop").await;
    let mut all = Vec::new();
    for sql in SNAPSHOT {
        let row = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_one(&mut admin).await.unwrap();
        all.push(row.get::<String, _>(0));
    }
    all
}

#[tokio::test]
async fn round_after_round_the_checks_leave_everything_as_it_was() {
    let cluster = need!(Edition::Installed.start(super::cluster::TRACKING));
    cluster
        .sql("CREATE DATABASE shop; REVOKE CONNECT, TEMPORARY ON DATABASE shop FROM PUBLIC")
        .await;
    let seed = "CREATE EXTENSION pg_stat_statements; \
        CREATE TABLE orders (id serial PRIMARY KEY, what text NOT NULL); \
        CREATE TABLE lines (id int4 PRIMARY KEY, orders int4 REFERENCES orders, n int4); \
        INSERT INTO orders (what) SELECT md5(n::text) FROM generate_series(1, 500) n; \
        INSERT INTO lines SELECT n, n % 500 + 1, n FROM generate_series(1, 1000) n";
    cluster.sql_in("shop", seed).await;
    let url = cluster.role("least", LEAST).await.replace("/postgres", "/shop");
    let before = snapshot(&cluster).await;
    let watched = database(Some(&url));
    let asked = env::var("TMINUS_ROUNDS").ok().and_then(|rounds| rounds.parse().ok());
    let rounds = asked.unwrap_or(ROUNDS);
    let began = Instant::now();
    for round in 0..rounds {
        for name in ["connect", "query", "pool", "transactions", "errors", "server"] {
            let finding = run(&watched, name).await;
            let word = finding.outcome.word();
            // The disk is that of whoever runs the tests.
            let holds = word == "pass" || word == "warn" || name == "server" && word == "fail";
            assert!(holds, "{round} {name}: {finding:?}");
            assert_eq!(finding.receipt.left, 0);
        }
        if round % 20 == 0 {
            let slow = run(&watched, "slow").await;
            assert_ne!(slow.outcome.word(), "fail", "{slow:?}");
        }
    }
    println!("{rounds} rounds in {:?}", began.elapsed());
    drop(watched);
    assert_eq!(snapshot(&cluster).await, before);
    let left = "SELECT count(*) FROM pg_class WHERE relname LIKE 'tminus%'";
    assert_eq!(cluster.number(left).await, 0);
    cluster.until_zero("SELECT count(*) FROM pg_stat_activity WHERE usename = 'least'").await;
    let mut admin = cluster.admin_in("shop").await;
    let minted = "SELECT count(*) FROM pg_stat_statements JOIN pg_roles ON userid = pg_roles.oid \
                  WHERE rolname = 'least'";
    let minted = super::cluster::scalar(&mut admin, minted).await;
    assert!(minted < 48, "{minted} fingerprints");
    let compiled = "SELECT coalesce(sum(jit_functions), 0)::int8 FROM pg_stat_statements \
                    JOIN pg_roles ON userid = pg_roles.oid WHERE rolname = 'least'";
    let compiled = super::cluster::scalar(&mut admin, compiled).await;
    assert_eq!(compiled, 0, "to compile a statement costs more than to run it");
    assert!(began.elapsed() < Duration::from_mins(10));
}

#[tokio::test]
async fn all_checks_of_one_database_take_less_than_two_seconds() {
    let cluster = need!(Edition::Installed.shared());
    let watched = database(Some(&cluster.role("timed", "GRANT pg_monitor TO timed").await));
    run(&watched, "connect").await;
    let mut quickest = Duration::MAX;
    for _ in 0..5 {
        let began = Instant::now();
        for name in ["connect", "query", "pool", "transactions", "errors", "slow", "server"] {
            let at = Instant::now();
            let finding = run(&watched, name).await;
            println!(
                "{name:<13} {:<8} {:>4} ms  {}",
                finding.outcome.word(),
                at.elapsed().as_millis(),
                finding.summary
            );
        }
        quickest = quickest.min(began.elapsed());
    }
    println!("all seven: {quickest:?}");
    assert!(quickest < Duration::from_secs(4), "{quickest:?} on a busy machine; 2 s on a free one");
}
