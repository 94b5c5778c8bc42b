//! MariaDB, healthy and in each of the states that it fails in.

/// Starts or shares a server, or leaves the test where there is none to start.
macro_rules! need {
    ($server:expr) => {
        match $server {
            Some(server) => server,
            None => return,
        }
    };
}

mod lost;
pub(crate) mod server;

use self::server::{COUNTING, LEAST, PLAIN, Server};
use crate::{
    database::{PASSWORD, database, hung, run, says},
    support::wait_until,
};
use sqlx::{Connection as _, Executor as _};
use std::{net::TcpStream, time::Duration};
use tminus::{
    domain::{FactValue, Finding, Mark, Outcome, PoolTrouble},
    probe::Integration,
    units,
};
use tokio::time::{sleep, timeout};

const CHECKS: [&str; 7] = ["connect", "query", "pool", "transactions", "errors", "slow", "server"];

fn pass(summary: &str) -> (&'static str, String) {
    ("pass", summary.to_owned())
}

fn words(finding: &Finding, name: &str) -> String {
    let fact = finding.evidence.facts.iter().find(|fact| fact.name == name);
    match &fact.unwrap_or_else(|| panic!("no {name} in {finding:?}")).value {
        FactValue::Words(words) => words.clone(),
        FactValue::Quantity(quantity) => units::quantity(*quantity),
    }
}

/// The mark and the text of one row of the server's aspects.
fn aspect(finding: &Finding, what: &str) -> (Mark, String) {
    let grid = finding.evidence.grid.as_ref();
    let grid = grid.unwrap_or_else(|| panic!("no aspects in {finding:?}"));
    let row = grid.rows.iter().find(|row| row.cells[0] == what);
    let row = row.unwrap_or_else(|| panic!("no {what} in {finding:?}"));
    (row.mark, row.cells[1].clone())
}

#[tokio::test]
async fn a_healthy_server_passes_with_exact_counts() {
    let server = need!(Server::shared());
    let url = server.account("healthy", LEAST).await;
    let watched = database(Some(&url));
    assert_eq!(watched.target().name, format!("127.0.0.1:{}/shop", server.port));
    let connect = run(&watched, "connect").await;
    assert_eq!(connect.outcome, Outcome::Pass, "{connect:?}");
    assert!(connect.summary.starts_with("MariaDB 1"), "{}", connect.summary);
    assert_eq!(words(&connect, "account"), "'healthy'@'127.0.0.1'");
    assert_eq!(words(&connect, "session guards"), "yes");
    for _ in 0..3 {
        let query = run(&watched, "query").await;
        assert_eq!(query.summary, "20 of 20 statements counted", "{query:?}");
        assert_eq!(query.evidence.reply, "20 calls, 20 rows");
    }
    let pool = run(&watched, "pool").await;
    assert!(pool.summary.starts_with("pool of 2 adds up"), "{pool:?}");
    assert_eq!(words(&pool, "held, server"), "2");
    let figures = pool.pool.unwrap();
    assert_eq!((figures.most, figures.size, figures.used, figures.waits.count()), (2, 0, 0, 2));
    assert_eq!(figures.refused_for(PoolTrouble::Pool), 1, "the third acquire");
    let transactions = run(&watched, "transactions").await;
    assert_eq!(transactions.summary, "open, rolled back and committed seen", "{transactions:?}");
    assert_eq!(words(&transactions, "rows after COMMIT"), "1");
    let errors = run(&watched, "errors").await;
    assert_eq!(errors.outcome, Outcome::Pass, "{errors:?}");
    assert_eq!(errors.evidence.reply, "error 1109; the server counts 1");
    let slow = says(&watched, "slow").await;
    assert_eq!(slow, pass("150ms noticed, 50ms not, limit 100ms"));
    let health = run(&watched, "server").await;
    assert_eq!(aspect(&health, "lock waits"), (Mark::Pass, "nobody waits".into()));
    assert_eq!(aspect(&health, "replication").0, Mark::Pass);
    assert_eq!(aspect(&health, "timeouts"), (Mark::Warn, "max_statement_time = 0".into()));
}

#[tokio::test]
async fn each_closed_door_is_told_apart() {
    let server = need!(Server::shared());
    let url = server.account("door", "").await;
    let cases = [
        (url.replace(PASSWORD, "wrong"), "password refused for account door (1045)"),
        (url.replace("/shop", "/mysql"), "door may not enter mysql (1044)"),
        (url.replace("door:", "nobody:"), "password refused for account nobody (1045)"),
        (format!("{url}?ssl-mode=REQUIRED"), "no TLS with"),
    ];
    for (url, summary) in cases {
        let (word, said) = says(&database(Some(&url)), "connect").await;
        assert!(word == "fail" && said.starts_with(summary), "{word} {said}");
    }
    let socket = format!("mysql://root@localhost/shop?socket={}", server.socket());
    assert_eq!(run(&database(Some(&socket)), "connect").await.outcome, Outcome::Pass);
}

#[tokio::test]
async fn a_server_that_counts_nothing_fails_with_the_remedy() {
    let server = need!(Server::start(PLAIN));
    let watched = database(Some(&server.account("plain", LEAST).await));
    let query = run(&watched, "query").await;
    assert_eq!(query.outcome, Outcome::Fail);
    assert_eq!(query.summary, "performance_schema is off: nothing is counted");
    let remedy = query.remedy.unwrap();
    assert!(remedy.contains("performance_schema = ON under [mysqld]"), "{remedy}");
    assert!(remedy.contains("slow_query_log = ON with long_query_time = 0.1"), "{remedy}");
    let slow = run(&watched, "slow").await;
    assert_eq!(slow.outcome, Outcome::Fail);
    assert_eq!(slow.summary, "performance_schema and slow log are blind");
    assert!(slow.remedy.unwrap().contains("performance_schema = ON"));
    let errors = says(&watched, "errors").await;
    assert_eq!(errors, ("warn", "counted here; the server counts no errors".into()));
    for name in ["connect", "pool", "transactions"] {
        assert_eq!(run(&watched, name).await.outcome, Outcome::Pass, "{name}");
    }
    server.sql("SET GLOBAL slow_query_log = ON; SET GLOBAL long_query_time = 0.1").await;
    let slow = says(&watched, "slow").await;
    assert_eq!(slow, pass("150ms noticed, 50ms not, limit 100ms"), "the log sees it");
}

#[tokio::test]
async fn a_slow_log_that_begins_at_ten_seconds_is_a_warning() {
    let server = need!(Server::start(&[COUNTING[0]]));
    let watched = database(Some(&server.account("late", LEAST).await));
    let slow = run(&watched, "slow").await;
    assert_eq!(slow.outcome, Outcome::Warn, "{slow:?}");
    assert_eq!(slow.summary, "long_query_time of 10s is above 100ms");
    assert!(slow.remedy.unwrap().starts_with("SET GLOBAL long_query_time = 0.1"));
    server
        .sql(
            "UPDATE performance_schema.setup_consumers SET ENABLED = 'NO' \
                WHERE NAME = 'statements_digest'",
        )
        .await;
    let query = says(&watched, "query").await;
    assert_eq!(query, ("fail", "0 of 20: statements_digest is off".into()));
}

#[tokio::test]
async fn a_read_only_server_is_said_to_be_though_temporary_tables_work() {
    let server = need!(Server::start(&[COUNTING[0], COUNTING[1], "read-only=1"]));
    let watched = database(Some(&server.account("reader", LEAST).await));
    let transactions = run(&watched, "transactions").await;
    assert_eq!(transactions.outcome, Outcome::Warn, "{transactions:?}");
    assert_eq!(transactions.summary, "read_only = 1: applications cannot write");
    assert_eq!(words(&transactions, "rows after COMMIT"), "1", "the temporary table takes them");
    let health = run(&watched, "server").await;
    assert_eq!(aspect(&health, "writable"), (Mark::Warn, "read_only = 1".into()));
}

#[tokio::test]
async fn what_the_account_may_not_see_is_unknown_with_the_grant() {
    let server = need!(Server::shared());
    let watched = database(Some(&server.account("lowly", "").await));
    assert_eq!(run(&watched, "connect").await.outcome, Outcome::Pass);
    for name in ["query", "slow", "errors"] {
        let finding = run(&watched, name).await;
        assert!(matches!(finding.outcome, Outcome::Unknown(_)), "{name}: {finding:?}");
        let remedy = finding.remedy.unwrap();
        assert_eq!(remedy, "GRANT SELECT ON performance_schema.* TO 'lowly'@'127.0.0.1'");
    }
    let transactions = run(&watched, "transactions").await;
    assert!(matches!(transactions.outcome, Outcome::Unknown(_)), "{transactions:?}");
    assert_eq!(transactions.remedy.unwrap(), "GRANT PROCESS ON *.* TO 'lowly'@'127.0.0.1'");
    let health = run(&watched, "server").await;
    let hidden = "hidden from this role".to_owned();
    assert_eq!(aspect(&health, "lock waits"), (Mark::Unknown, hidden.clone()));
    assert_eq!(aspect(&health, "replication"), (Mark::Unknown, hidden));
    let granted = "GRANT PROCESS ON *.* TO {}; GRANT SELECT ON performance_schema.* TO {}";
    let partly = database(Some(&server.account("partly", granted).await));
    let finding = run(&partly, "transactions").await;
    assert_eq!(finding.summary, "counted, but may not try to write", "{finding:?}");
    let grant = "GRANT CREATE TEMPORARY TABLES ON `shop`.* TO 'partly'@'127.0.0.1'";
    assert_eq!(finding.remedy.as_deref(), Some(grant));
}

#[tokio::test]
async fn a_full_server_is_full_and_who_holds_it_is_counted() {
    let server = need!(Server::start(&["max-connections=11"]));
    let url = server.account("crowd", LEAST).await;
    let watched = database(Some(&url));
    assert_eq!(run(&watched, "pool").await.outcome, Outcome::Pass);
    let mut held = Vec::new();
    for _ in 0..10 {
        held.push(server.connect(&url).await);
    }
    let connect = says(&watched, "connect").await;
    assert_eq!(connect, ("fail", "server full: 11 of 11 connections (1040)".into()));
    let pool = says(&watched, "pool").await;
    assert_eq!(pool, ("fail", "server: 11 of 11 connections taken".into()));
    let outside = says(&database(Some(&url)), "connect").await;
    assert_eq!(outside, ("fail", "server full, no connection left (1040)".into()));
    for link in held {
        link.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_lock_wait_names_the_root_blocker_and_an_idle_transaction_its_session() {
    let server = need!(Server::start(COUNTING));
    server
        .sql(
            "CREATE TABLE shop.stock (id INT PRIMARY KEY, n INT) ENGINE = InnoDB; \
              INSERT INTO shop.stock VALUES (1, 1)",
        )
        .await;
    let watched = database(Some(&server.account("guard", LEAST).await));
    let mut blocker = server.admin().await;
    blocker.execute("START TRANSACTION").await.unwrap();
    blocker.execute("UPDATE stock SET n = 2 WHERE id = 1").await.unwrap();
    let mut waiters = Vec::new();
    for _ in 0..2 {
        let mut link = server.admin().await;
        waiters.push(tokio::spawn(async move {
            link.execute("UPDATE stock SET n = 3 WHERE id = 1").await.unwrap();
            link.close().await.unwrap();
        }));
    }
    let waiting = "SELECT COUNT(*) - 2 FROM information_schema.INNODB_TRX \
                   WHERE trx_state = 'LOCK WAIT'";
    server.until_zero(waiting).await;
    let mut health = run(&watched, "server").await;
    while aspect(&health, "lock waits").0 == Mark::Pass {
        // The server counts waits in whole seconds, and one is still fine.
        sleep(Duration::from_millis(200)).await;
        health = run(&watched, "server").await;
    }
    let (mark, seen) = aspect(&health, "lock waits");
    assert!(mark == Mark::Warn && seen.contains("blocks 2"), "{seen}");
    let (_, idle) = aspect(&health, "idle in transaction");
    assert!(idle.contains("(root) for"), "{idle}");
    blocker.execute("ROLLBACK").await.unwrap();
    blocker.close().await.unwrap();
    for waiter in waiters {
        waiter.await.unwrap();
    }
}

#[tokio::test]
async fn a_server_is_followed_through_its_life() {
    let mut server = need!(Server::start(COUNTING));
    let watched = database(Some(&server.account("faithful", LEAST).await));
    assert_eq!(run(&watched, "connect").await.outcome, Outcome::Pass);
    server.signal("STOP");
    let (word, said) = hung(&watched, "connect").await;
    assert!(word == "fail" && said.contains("no answer within"), "{said}");
    server.signal("CONT");
    assert_eq!(run(&watched, "query").await.outcome, Outcome::Pass);
    server.stop();
    let port = server.port;
    wait_until("the port is closed", || TcpStream::connect(("127.0.0.1", port)).is_err());
    let (word, said) = says(&watched, "connect").await;
    assert!(word == "fail" && said.starts_with("connection refused by 127.0.0.1:"), "{said}");
    server.restart();
    assert_eq!(run(&watched, "connect").await.outcome, Outcome::Pass);
    assert_eq!(run(&watched, "query").await.outcome, Outcome::Pass, "the standing one is renewed");
}

#[tokio::test]
async fn no_session_table_or_aborted_visit_is_left() {
    let server = need!(Server::shared());
    let watched = database(Some(&server.account("tidy", LEAST).await));
    let aborted = "SHOW GLOBAL STATUS LIKE 'Aborted_connects'";
    assert_eq!(run(&watched, "connect").await.outcome, Outcome::Pass);
    for millis in [1, 3, 10, 30, 120, 270] {
        for name in CHECKS {
            drop(timeout(Duration::from_millis(millis), run(&watched, name)).await);
        }
    }
    for _ in 0..3 {
        for name in CHECKS {
            run(&watched, name).await;
        }
    }
    let sessions = "SELECT COUNT(*) - 1 FROM information_schema.PROCESSLIST WHERE USER = 'tidy'";
    server.until_zero(sessions).await;
    let before = server.number(aborted).await;
    for _ in 0..5 {
        assert_eq!(run(&watched, "connect").await.outcome, Outcome::Pass);
    }
    assert_eq!(server.number(aborted).await, before, "who is known is not greeted again");
    let sessions = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = 'tidy'";
    drop(watched);
    server.until_zero(sessions).await;
    server
        .until_zero(
            "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_NAME LIKE 'tminus%'",
        )
        .await;
}
