//! What goes wrong in the middle, and what is the user's and stays as it was.

use super::{
    CHECKS, aspect,
    server::{COUNTING, LEAST, Server},
};
use crate::database::{database, run, says, struck};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
use std::{env, time::Duration};
use tminus::{
    domain::{Mark, Outcome},
    probe::Integration as _,
};
use tokio::time::sleep;

/// Rounds of every check; `TMINUS_ROUNDS` asks for more.
const ROUNDS: usize = 10;

#[tokio::test]
async fn a_session_that_is_ended_in_the_middle_is_told_and_replaced() {
    let server = need!(Server::shared());
    let watched = database(Some(&server.account("victim", LEAST).await));
    assert_eq!(run(&watched, "connect").await.outcome, Outcome::Pass);
    let sleeping = "SELECT CAST(COALESCE(MAX(ID), 0) AS SIGNED) \
                    FROM information_schema.PROCESSLIST \
                    WHERE USER = 'victim' AND STATE = 'User sleep'";
    let end = async || {
        let mut admin = server.admin().await;
        loop {
            let id: i64 = sqlx::query_scalar(sleeping).fetch_one(&mut admin).await.unwrap();
            // It may have ended by itself meanwhile; then the next one is met.
            let kill = AssertSqlSafe(format!("KILL {id}"));
            if id > 0 && admin.execute(kill).await.is_ok() {
                return admin.close().await.unwrap();
            }
            sleep(Duration::from_millis(5)).await;
        }
    };
    let (outcome, summary) = struck(|| says(&watched, "slow"), end).await;
    assert_eq!(outcome, "fail", "{summary}");
    assert_eq!(run(&watched, "connect").await.outcome, Outcome::Pass);
    assert_ne!(run(&watched, "slow").await.outcome, Outcome::Fail);
}

#[tokio::test]
async fn a_server_that_crashes_in_the_middle_is_told_and_found_again() {
    let mut server = need!(Server::start(COUNTING));
    let watched = database(Some(&server.account("witness", LEAST).await));
    assert_eq!(run(&watched, "connect").await.outcome, Outcome::Pass);
    let crash = async {
        sleep(Duration::from_millis(50)).await;
        server.crash();
    };
    let ((outcome, summary), ()) = tokio::join!(says(&watched, "slow"), crash);
    assert!(outcome == "fail" || outcome == "unknown", "{summary}");
    let (outcome, summary) = says(&watched, "connect").await;
    assert_eq!(outcome, "fail", "{summary}");
    assert!(summary.starts_with("connection refused by"), "{summary}");
    server.restart();
    assert_eq!(run(&watched, "connect").await.outcome, Outcome::Pass);
    assert_eq!(run(&watched, "transactions").await.outcome, Outcome::Pass);
}

#[tokio::test]
async fn a_deadlock_is_counted_and_is_a_warning() {
    let server = need!(Server::start(COUNTING));
    let rows = "CREATE TABLE shop.pair (id INT PRIMARY KEY, n INT) ENGINE = InnoDB; \
                INSERT INTO shop.pair VALUES (1, 1), (2, 2)";
    server.sql(rows).await;
    let watched = database(Some(&server.account("umpire", LEAST).await));
    let health = run(&watched, "server").await;
    assert_eq!(aspect(&health, "deadlocks"), (Mark::Pass, "first look".into()));
    let (mut one, mut other) = (server.admin().await, server.admin().await);
    for (link, id) in [(&mut one, 1), (&mut other, 2)] {
        link.execute("START TRANSACTION").await.unwrap();
        let take = format!("UPDATE pair SET n = 0 WHERE id = {id}");
        link.execute(AssertSqlSafe(take)).await.unwrap();
    }
    let (first, second) = tokio::join!(
        one.execute("UPDATE pair SET n = 0 WHERE id = 2"),
        other.execute("UPDATE pair SET n = 0 WHERE id = 1"),
    );
    assert!(first.is_err() != second.is_err(), "one of them is the victim");
    let (mark, seen) = aspect(&run(&watched, "server").await, "deadlocks");
    assert!(mark == Mark::Warn && seen.starts_with("1 in "), "{seen}");
    for link in [one, other] {
        link.close().await.unwrap();
    }
}

#[tokio::test]
async fn digests_that_find_no_room_are_a_warning_with_the_reason() {
    let server = need!(Server::start(&[COUNTING[0], "performance-schema-digests-size=5"]));
    for n in 0..10 {
        server.sql(&format!("SELECT 1 AS alias_{n}")).await;
    }
    let watched = database(Some(&server.account("squeezed", LEAST).await));
    let query = run(&watched, "query").await;
    assert_eq!(query.outcome, Outcome::Warn, "{query:?}");
    assert!(query.summary.starts_with("no room among 5 digests, "), "{}", query.summary);
    assert!(query.remedy.unwrap().starts_with("raise performance_schema_digests_size"));
}

/// Rows, definitions, grants and accounts as text; the temporary tables of a check are in none.
const SNAPSHOT: [&str; 4] = [
    "SELECT MD5(GROUP_CONCAT(CONCAT_WS(',', id, what) ORDER BY id)) FROM shop.orders",
    "SELECT GROUP_CONCAT(CONCAT_WS(',', TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, COLUMN_TYPE) \
     ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION) FROM information_schema.COLUMNS \
     WHERE TABLE_SCHEMA NOT IN ('information_schema', 'performance_schema', 'mysql', 'sys')",
    "SELECT CONCAT_WS(',', AUTO_INCREMENT, UPDATE_TIME) \
     FROM information_schema.TABLES WHERE TABLE_NAME = 'orders'",
    "SELECT GROUP_CONCAT(CONCAT(GRANTEE, PRIVILEGE_TYPE) ORDER BY GRANTEE, PRIVILEGE_TYPE) \
     FROM information_schema.USER_PRIVILEGES",
];

async fn snapshot(server: &Server) -> Vec<String> {
    let mut admin = server.admin().await;
    let mut all = Vec::new();
    admin.execute("SET SESSION group_concat_max_len = 10000000").await.unwrap();
    for sql in SNAPSHOT {
        all.push(sqlx::query_scalar(sql).fetch_one(&mut admin).await.unwrap());
    }
    admin.close().await.unwrap();
    all
}

#[tokio::test]
async fn round_after_round_the_checks_leave_everything_as_it_was() {
    let server = need!(Server::start(COUNTING));
    let seed = "CREATE TABLE shop.orders (id INT AUTO_INCREMENT PRIMARY KEY, what TEXT NOT NULL) \
                ENGINE = InnoDB; \
                INSERT INTO shop.orders (what) SELECT MD5(seq) FROM seq_1_to_500";
    server.sql(seed).await;
    let url = server.account("least", LEAST).await;
    let before = snapshot(&server).await;
    let watched = database(Some(&url));
    let asked = env::var("TMINUS_ROUNDS").ok().and_then(|rounds| rounds.parse().ok());
    for round in 0..asked.unwrap_or(ROUNDS) {
        // The slow canary takes the time of a round once more, and writes as little.
        for name in CHECKS.into_iter().filter(|name| *name != "slow" || round % 10 == 0) {
            let finding = run(&watched, name).await;
            assert!(matches!(finding.outcome.word(), "pass" | "warn"), "{round}: {finding:?}");
            assert_eq!(finding.receipt.left, 0);
        }
    }
    // `application` asks the application, not the server.
    assert_eq!(watched.checks().len(), CHECKS.len() + 1, "every other check took part");
    drop(watched);
    assert_eq!(snapshot(&server).await, before);
    let sessions = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = 'least'";
    server.until_zero(sessions).await;
}
