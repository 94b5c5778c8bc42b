//! What one console keeps and another one knows.

use super::*;
use crate::postgres::cluster::{Edition, PLAIN};
use std::thread;

/// On the installed PostgreSQL and on the newest one.
async fn what_is_kept_outlives_its_session(edition: Edition) {
    let Some(cluster) = edition.start(PLAIN) else { return };
    let url = database(&cluster, "ops", &minimum("ops")).await;
    let (here, there) = (Home::at(&url), Home::at(&url));
    let standing = |home: &Home| {
        let (code, json) = home.run("check apis --format json");
        assert_eq!(code, 1, "{json}");
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        json["blockers"][0]["standing_seconds"].as_f64().unwrap()
    };
    standing(&here);
    thread::sleep(Duration::from_millis(1100));
    // A host that is busy may have to begin without the past; it stays as old as it is.
    let ages: Vec<f64> = (0..30)
        .map(|_| standing(&there))
        .scan(0.0, |last, age| {
            (*last < 1.0).then(|| {
                *last = age;
                age
            })
        })
        .collect();
    assert!(ages.last().is_some_and(|age| *age >= 1.0), "{ages:?}");
    assert_eq!(here.run("baseline save before resilience.backoff").0, 0);
    assert_eq!(there.run("baseline save after resilience.backoff").0, 0);
    let (code, listed) = here.run("baseline list");
    assert!(code == 0 && listed.lines().count() == 2, "{listed}");
    let (code, diff) = there.run("diff before after");
    assert_eq!(code, 0, "{diff}");
    let (_, fresh) = here.run("report --from last --format json");
    let (_, again) = there.run("report --from last --format json");
    assert!(fresh.len() > 1000 && fresh == again, "{fresh}");
    let (_, explained) = there.run("explain apis.openai_key");
    assert!(explained.contains("fail"), "{explained}");
    let (_, doctor) = here.run("doctor");
    assert!(doctor.contains("history") && doctor.contains("whole"), "{doctor}");
    let gone = here.run("baseline rm before");
    assert_eq!(gone.0, 0, "{}", gone.1);
    for home in [&here, &there] {
        assert!(!home.0.path().join(".local/state/tminus/history.db").exists());
    }
    let elsewhere = "SELECT count(*) FROM pg_tables
        WHERE schemaname NOT IN ('tminus', 'pg_catalog', 'information_schema')";
    assert_eq!(number(&cluster, "ops", elsewhere).await, 0);
    until(&cluster, "ops", SESSIONS, |sessions| sessions == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_outlives_its_session_installed() {
    what_is_kept_outlives_its_session(Edition::Installed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_outlives_its_session_newest() {
    what_is_kept_outlives_its_session(Edition::Newest).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_that_begin_and_write_at_once_do_not_clash() {
    let Some(cluster) = Edition::Installed.start(PLAIN) else { return };
    let url = database(&cluster, "ops", "").await;
    // One that may make the schema itself.
    cluster.sql("GRANT CREATE ON DATABASE ops TO ops").await;
    let homes: Vec<Home> = (0..4).map(|_| Home::at(&url)).collect();
    let started: Vec<Child> = homes.iter().map(|home| home.spawn("check apis")).collect();
    for mut child in started {
        assert_eq!(child.wait().unwrap().code(), Some(1));
    }
    let mut consoles: Vec<Console> =
        ["a", "b", "c"].map(|run| Console::start(&url, run, 200)).into_iter().collect();
    for console in &mut consoles {
        console.recalled().await;
    }
    for _ in 0..200 {
        consoles.iter_mut().for_each(Console::event);
        sleep(Duration::from_millis(10)).await;
    }
    let most = number(&cluster, "ops", SESSIONS).await;
    assert!(most <= 3, "{most} connections of three consoles");
    for console in consoles {
        console.stop().await;
    }
    let each = "SELECT count(*) FROM (SELECT run FROM tminus.event JOIN tminus.run ON run = run.id
        WHERE name IN ('a', 'b', 'c') GROUP BY run
        HAVING count(*) = 200 AND count(DISTINCT text) = 200) AS whole";
    assert_eq!(number(&cluster, "ops", each).await, 3);
    assert_eq!(number(&cluster, "ops", "SELECT count(*) FROM tminus.layout").await, 1);
    let runs = number(&cluster, "ops", "SELECT count(*) FROM tminus.run").await;
    assert!((4..=7).contains(&runs), "{runs}: of a run that was over before, none");
    let log = cluster.log();
    assert!(!log.contains("deadlock") && !log.contains("duplicate key"), "{log}");
}

/// A point every ten minutes of ninety days, and an event of 8 kB for each of them.
const NINETY_DAYS: &str = "INSERT INTO tminus.series (name) VALUES ('redis.lock');
    INSERT INTO tminus.point SELECT 1, (extract(epoch FROM now()) * 1000)::bigint - n * 600000::bigint,
        n % 3, n % 5 FROM generate_series(1, 90 * 144) AS n;
    INSERT INTO tminus.event (run, at, text) SELECT 0,
        (extract(epoch FROM now()) * 1000)::bigint - n * 600000::bigint,
        (SELECT string_agg(md5((n * 1000 + i)::text), '') FROM generate_series(1, 30) AS i)
        FROM generate_series(1, 90 * 144) AS n";

#[tokio::test(flavor = "multi_thread")]
async fn two_roll_up_at_once_and_nothing_is_lost_or_counted_twice() {
    const RUNS: &str = "SELECT (SELECT count(*) FROM tminus.point)
        + (SELECT coalesce(sum(passed + warned + failed + unknown + skipped), 0)::bigint
            FROM tminus.rollup)";
    const VALUES: &str = "SELECT (SELECT coalesce(sum(value), 0) FROM tminus.point)::bigint
        + round((SELECT coalesce(sum(mean * n), 0) FROM tminus.rollup))::bigint";
    let Some(cluster) = Edition::Installed.start(PLAIN) else { return };
    let roomy = database(&cluster, "roomy", &minimum("roomy")).await;
    let small = database(&cluster, "small", &minimum("small")).await;
    for (url, name) in [(&roomy, "roomy"), (&small, "small")] {
        let mut first = Console::start(url, "first", 200);
        first.recalled().await;
        first.stop().await;
        cluster.sql_in(name, NINETY_DAYS).await;
    }
    let before = (number(&cluster, "roomy", RUNS).await, number(&cluster, "roomy", VALUES).await);
    let mut consoles = [
        Console::start(&roomy, "a", 200),
        Console::start(&roomy, "b", 200),
        Console::start(&small, "c", 4),
    ];
    for console in &mut consoles {
        console.recalled().await;
    }
    // They trim a minute after they began.
    let rolled = "SELECT count(DISTINCT step) FROM tminus.rollup";
    until(&cluster, "roomy", rolled, |steps| steps == 3).await;
    let after = (number(&cluster, "roomy", RUNS).await, number(&cluster, "roomy", VALUES).await);
    assert_eq!((before.0, after), (90 * 144, before));
    let events = "SELECT count(*) FROM tminus.event";
    assert_eq!(number(&cluster, "roomy", events).await, 90 * 144);
    until(&cluster, "small", events, |left| left < 6000).await;
    assert!(number(&cluster, "small", events).await > 1000, "the newest stay");
    for console in consoles {
        console.stop().await;
    }
    let oldest = "SELECT ((extract(epoch FROM now()) * 1000 - min(at)) / 86400000)::bigint
        FROM tminus.event";
    assert!(number(&cluster, "small", oldest).await < 60, "the oldest went");
    assert!(!cluster.log().contains("ERROR"), "{}", cluster.log());
}
