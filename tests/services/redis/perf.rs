//! `tminus perf redis` on real servers: what it counts, what it leaves, what stops it.

use super::Server;
use std::{path::PathBuf, time::Duration};
use tminus::{
    domain::{
        FactValue, IntegrationId,
        perf::{Arrivals, Ended, Progress, Record},
    },
    integrations::redis::Settings,
    perf::{
        Hindrance, Reins, Test as _, Untested,
        redis::{Asked, Mix, RedisTest},
    },
    probe::Safety,
    secret::Secret,
};
use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;

/// A small load: a busy machine must bear it.
fn small() -> Asked {
    Asked {
        clients: 4,
        keys: 700,
        warm_up: Duration::from_millis(50),
        duration: Duration::from_secs(30),
        ..Asked::default()
    }
}

fn test_of(url: &str, asked: Asked) -> RedisTest {
    let settings = Settings { url: Some(Secret::new(url)), ..Settings::default() };
    RedisTest::new(IntegrationId::new("redis").unwrap(), &settings, Safety::default(), asked)
}

fn reins() -> (Reins, watch::Receiver<Progress>) {
    Reins::new(CancellationToken::new())
}

async fn measured(url: &str, asked: Asked) -> Result<Record, Untested> {
    test_of(url, asked).run(&reins().0).await
}

fn word<'a>(record: &'a Record, name: &str) -> &'a str {
    let fact = record.facts.iter().find(|fact| fact.name == name).unwrap();
    let FactValue::Words(words) = &fact.value else { panic!("{name} is no word") };
    words
}

/// Nothing is left, and the server counted as we did.
fn assert_clean(server: &Server, record: &Record) {
    let receipt = record.receipt.unwrap();
    assert_eq!((receipt.left, receipt.written), (0, receipt.removed), "{record:?}");
    assert_eq!(server.keys(), []);
    assert_eq!(word(record, "counts agree"), "yes", "{:?}", record.facts);
}

#[tokio::test]
async fn every_command_is_counted_and_every_key_removed() {
    let Some(server) = Server::start(&[]) else { return };
    for (mix, pipeline, threads) in [(Mix::Get, 1, 1), (Mix::Set, 16, 2), (Mix::Mixed, 7, 1)] {
        let asked = Asked { mix, pipeline, threads, requests: Some(3001), ..small() };
        let record = measured(&server.url(), asked).await.unwrap();
        assert_eq!(record.ended, Ended::Complete);
        assert_eq!((record.total.succeeded, record.total.failed), (3001, 0), "{mix:?}");
        assert_eq!(record.total.latency.count, 3001);
        assert_clean(&server, &record);
        if mix == Mix::Mixed {
            let sets = record.operations.iter().find(|it| it.name == "SET").unwrap().succeeded;
            assert!((250..=350).contains(&sets), "{sets}");
        }
    }
}

#[tokio::test]
async fn sockets_passwords_and_databases_are_all_the_same_to_it() {
    let dir = tempfile::tempdir().unwrap();
    let socket: PathBuf = dir.path().join("redis.sock");
    let options = ["--unixsocket", socket.to_str().unwrap(), "--requirepass", "hunter2"];
    let Some(server) = Server::start(&options) else { return };
    let tcp = server.url().replace("redis://", "redis://:hunter2@") + "/2";
    let unix = format!("unix://{}?pass=hunter2&db=3", socket.display());
    for url in [tcp, unix] {
        let asked = Asked { requests: Some(500), size: 20_000, ..small() };
        let record = measured(&url, asked).await.unwrap();
        assert_eq!((record.total.succeeded, record.receipt.unwrap().left), (500, 0), "{record:?}");
        assert!(!format!("{record:?}").contains("hunter2"));
    }
    let untested = measured(&server.url(), small()).await.unwrap_err();
    assert_eq!(untested.why, Hindrance::Target, "{untested}");
}

#[tokio::test]
async fn a_freeze_shows_in_a_plan_and_hides_in_a_closed_loop() {
    let Some(server) = Server::start(&[]) else { return };
    let mut found = Vec::new();
    for arrivals in [Arrivals::Constant { rate: 400.0 }, Arrivals::Closed] {
        let asked = Asked { arrivals, mix: Mix::Get, duration: Duration::from_secs(3), ..small() };
        let (reins, mut progress) = reins();
        let test = test_of(&server.url(), asked);
        let frozen = async {
            progress.wait_for(|progress| progress.succeeded > 0).await.unwrap();
            server.ask::<()>(&["CLIENT", "PAUSE", "900", "ALL"]);
        };
        found.push(tokio::join!(test.run(&reins), frozen).0.unwrap().total.latency);
    }
    // Three tenths of the plan wait, evenly between 900 ms and nothing.
    let [open, closed] = [&found[0], &found[1]];
    let at = |latency: &tminus::domain::perf::Latency, share| latency.at(share).as_millis();
    assert!((300..1500).contains(&at(open, 0.9)), "{open:?}");
    assert!(at(open, 0.99) > 600, "{open:?}");
    assert!(at(closed, 0.9) < at(open, 0.9) / 2, "{closed:?}");
    assert!(closed.max.as_millis() > 600, "only the longest betrays it: {closed:?}");
}

#[tokio::test]
async fn a_server_that_fills_up_or_refuses_is_left_alone() {
    let Some(server) = Server::start(&[]) else { return };
    let (reins, mut progress) = reins();
    let test = test_of(&server.url(), Asked { mix: Mix::Set, ..small() });
    let refusing = async {
        progress.wait_for(|progress| progress.succeeded > 0).await.unwrap();
        server.ask::<()>(&["CONFIG", "SET", "maxmemory", "1mb"]);
    };
    let record = tokio::join!(test.run(&reins), refusing).0.unwrap();
    let Ended::Stopped(why) = &record.ended else { panic!("{:?}", record.ended) };
    assert!(why.contains("OOM") || why.contains("limit 80 %"), "{why}");
    assert_eq!(record.receipt.unwrap().left, 0);
    let untested = measured(&server.url(), small()).await.unwrap_err();
    assert!(untested.says.starts_with("the keys of the test do not fit"), "{untested}");
}

#[tokio::test]
async fn drawn_reins_end_it_soon_and_leave_nothing() {
    let Some(server) = Server::start(&[]) else { return };
    let (reins, mut progress) = reins();
    let test = test_of(&server.url(), small());
    let drawn = async {
        progress.wait_for(|progress| progress.succeeded > 0).await.unwrap();
        reins.cancel.cancel();
        Instant::now()
    };
    let (record, drawn) = tokio::join!(test.run(&reins), drawn);
    let (record, took) = (record.unwrap(), drawn.elapsed());
    assert_eq!(record.ended, Ended::Aborted);
    assert!(took < Duration::from_secs(10), "{took:?}");
    assert!(record.total.succeeded > 0);
    assert_eq!((record.receipt.unwrap().left, server.keys().len()), (0, 0));
}

#[tokio::test]
async fn a_server_that_dies_ends_the_test_and_not_us() {
    let Some(server) = Server::start(&[]) else { return };
    let (reins, mut progress) = reins();
    let test = test_of(&server.url(), small());
    let dying = async {
        progress.wait_for(|progress| progress.succeeded > 0).await.unwrap();
        server.process.signal("KILL");
    };
    let record = tokio::join!(test.run(&reins), dying).0.unwrap();
    assert!(matches!(record.ended, Ended::Stopped(_)), "{:?}", record.ended);
    assert!(record.receipt.unwrap().left > 0, "nobody can tell: then all are");
}

#[tokio::test]
async fn where_nothing_may_be_written_nothing_is_left() {
    let Some(server) = Server::start(&["--replicaof", "127.0.0.1 1"]) else { return };
    for mix in [Mix::Mixed, Mix::Set] {
        let untested = measured(&server.url(), Asked { mix, ..small() }).await.unwrap_err();
        assert!(untested.says.contains("READONLY"), "{untested}");
        assert_eq!((untested.why, untested.left), (Hindrance::Target, 0));
    }
}
