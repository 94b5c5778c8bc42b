//! What is wrong with the server is told, and stops nothing.

use super::*;
use crate::postgres::cluster::{Edition, PLAIN};
use std::{thread, time::Instant};

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_while_the_server_is_away_is_kept_when_it_is_back() {
    let Some(mut cluster) = Edition::Installed.start(PLAIN) else { return };
    let url = database(&cluster, "ops", &minimum("ops")).await;
    let mut console = Console::start(&url, "a", 200);
    assert_eq!(console.recalled().await, Past::default());
    console.events(100).await;
    cluster.crash();
    console.events(100).await;
    let says = console.says().await;
    assert!(says.starts_with("the history is not kept: "), "{says}");
    assert!(says.ends_with(&format!("(127.0.0.1:{}/ops)", cluster.port)), "{says}");
    cluster.restart();
    console.events(100).await;
    loop {
        let told = console.told().await;
        if told == Told::Untell(Topic::History) {
            break;
        }
        // While it starts it may say so.
        let Told::Tell(notice) = told else { panic!("{told:?}") };
        assert!(notice.says.starts_with("the history is not kept: "), "{}", notice.says);
    }
    console.stop().await;
    let once = "SELECT count(*) FROM (SELECT text FROM tminus.event GROUP BY text) AS each";
    assert_eq!(number(&cluster, "ops", once).await, 300);
    assert_eq!(number(&cluster, "ops", "SELECT count(*) FROM tminus.event").await, 300);
    assert_eq!(number(&cluster, "ops", "SELECT count(*) FROM tminus.run").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_was_away_at_the_start_is_read_when_it_comes() {
    let Some(mut cluster) = Edition::Installed.start(PLAIN) else { return };
    let url = database(&cluster, "ops", &minimum("ops")).await;
    let mut first = Console::start(&url, "a", 200);
    first.recalled().await;
    first.events(3).await;
    first.stop().await;
    cluster.stop();
    let mut console = Console::start(&url, "b", 200);
    assert_eq!(console.recalled().await, Past::default());
    let says = console.says().await;
    assert!(says.contains("connection refused"), "{says}");
    console.event();
    cluster.restart();
    let past = loop {
        let told = console.told().await;
        if let Told::Recall(past) = told {
            break past;
        }
        assert!(matches!(told, Told::Tell(_)), "{told:?}");
    };
    assert_eq!(past.events.len(), 3);
    console.stop().await;
    assert_eq!(number(&cluster, "ops", "SELECT count(*) FROM tminus.event").await, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_holds_nothing_up() {
    let Some(cluster) = Edition::Installed.start(PLAIN) else { return };
    let url = database(&cluster, "ops", &minimum("ops")).await;
    cluster.signal("STOP");
    let (home, began) = (Home::at(&url), Instant::now());
    let (code, said) = home.run("check resilience.backoff");
    cluster.signal("CONT");
    assert_eq!(code, 0, "{said}");
    assert!(began.elapsed() < Duration::from_mins(1), "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_reason_why_it_cannot_be_kept_is_told_as_what_it_is() {
    let Some(cluster) = Edition::Installed.start(PLAIN) else { return };
    let reader = "CREATE ROLE reader LOGIN PASSWORD 'hunter2-Zq9'; GRANT USAGE ON SCHEMA tminus
        TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA tminus TO reader";
    let url = database(&cluster, "ops", &minimum("ops")).await;
    let mut owner = Console::start(&url, "a", 200);
    owner.recalled().await;
    owner.events(3).await;
    owner.stop().await;
    cluster.sql_in("ops", reader).await;
    let mut console = Console::start(&url.replace("//ops:", "//reader:"), "b", 200);
    assert_eq!(console.recalled().await.events.len(), 3, "what may be read is read");
    assert!(console.says().await.contains("this user may not write there"));
    drop(console);

    let bare = database(&cluster, "bare", "").await;
    let foreign = "CREATE SCHEMA tminus AUTHORIZATION strange; CREATE TABLE tminus.theirs (a int)";
    let strange = database(&cluster, "strange", foreign).await;
    cluster.sql_in("ops", "UPDATE tminus.layout SET version = 99").await;
    let nowhere = format!("{}/nowhere", bare.rsplit_once('/').unwrap().0);
    let cases = [
        (bare.as_str(), "the role may not make the schema tminus, which is not there"),
        (&strange, "it is not ours"),
        (&url, "a newer version wrote it"),
        (&nowhere, "the server has no such database"),
        (&url.replace("//ops:", "//nobody:"), "the server does not let this role in"),
    ];
    for (url, why) in cases {
        let mut console = Console::start(url, "c", 200);
        assert_eq!(console.recalled().await, Past::default(), "{why}");
        let says = console.says().await;
        assert!(says.starts_with(&format!("the history is not kept: {why} (")), "{says}");
        let home = Home::at(url);
        assert_eq!(home.run("check resilience.backoff").0, 0, "and the verdict is what it is");
        let (code, said) = home.run("baseline list");
        assert!(code == 2 && said.contains(why), "{said}");
        let (_, doctor) = home.run("doctor");
        assert!(doctor.contains("cannot be read: "), "{doctor}");
    }
    assert_eq!(number(&cluster, "ops", "SELECT count(*) FROM tminus.run").await, 1);
    assert_eq!(number(&cluster, "strange", "SELECT count(*) FROM tminus.theirs").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_at_any_moment_leaves_nothing_behind_and_all_that_was_kept() {
    let Some(cluster) = Edition::Installed.start(PLAIN) else { return };
    let url = database(&cluster, "ops", &minimum("ops")).await;
    let home = Home::at(&url);
    for n in 0..10 {
        let mut child = home.spawn("check --wait 10m");
        // Spread over opening, the first batch and those after it.
        thread::sleep(Duration::from_millis(40 + n * n * 25));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    until(&cluster, "ops", SESSIONS, |sessions| sessions == 0).await;
    assert_eq!(home.run("check resilience").0, 0);
    let orphans = "SELECT count(*) FROM tminus.point LEFT JOIN tminus.series ON series = id
        WHERE id IS NULL";
    assert_eq!(number(&cluster, "ops", orphans).await, 0);
    let runs = number(&cluster, "ops", "SELECT count(*) FROM tminus.run").await;
    let points = number(&cluster, "ops", "SELECT count(*) FROM tminus.point").await;
    assert!((2..=11).contains(&runs) && points > 0, "{runs} runs, {points} points");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_that_is_stopped_in_its_turn_does_not_keep_the_others_from_theirs() {
    let Some(cluster) = Edition::Installed.start(PLAIN) else { return };
    let url = database(&cluster, "ops", &minimum("ops")).await;
    let mut console = Console::start(&url, "a", 200);
    console.recalled().await;
    // As somebody would hold the turn who was stopped in the middle of a batch.
    let mut stopped = cluster.admin_in("ops").await;
    let turn = "BEGIN; SET idle_in_transaction_session_timeout = '10s';
        SELECT pg_advisory_xact_lock(128013269103987)";
    sqlx::raw_sql(turn).execute(&mut stopped).await.unwrap();
    console.event();
    let says = console.says().await;
    assert!(says.contains("another process holds it"), "{says}");
    let told = console.told().await;
    assert!(matches!(told, Told::Untell(Topic::History)), "{told:?}");
    console.stop().await;
    assert_eq!(number(&cluster, "ops", "SELECT count(*) FROM tminus.event").await, 1);
}
