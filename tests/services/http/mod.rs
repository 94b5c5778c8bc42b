//! `tminus perf load` on servers that behave well and badly: what it counts, what it
//! says of it, and that nothing of it ever passes for good.

mod memory;
mod program;
mod rude;
mod scale;
mod tls;

use rude::{GOOD, Manner, Rude};
use std::{sync::Arc, time::Duration};
use tminus::{
    domain::{
        FactValue, IntegrationId, Quantity, Word,
        perf::{Arrivals, Board, Ended, Judged, Order, Progress, Record},
    },
    integrations::performance::Settings,
    perf::{
        Hindrance, Lab, Reins, Test as _, Untested,
        goals::Goals,
        load::{Asked, LoadTest, Profile, Request},
    },
    probe::Safety,
    secret::Secret,
};
use tokio::{sync::watch, time::sleep};
use tokio_util::sync::CancellationToken;

/// A small load: a busy machine must bear it.
fn small(requests: u64) -> Asked {
    let (clients, requests, warm_up) = (4, Some(requests), Duration::ZERO);
    Asked { clients, requests, warm_up, ..Asked::of(Profile::Closed) }
}

fn test_of(url: &str, asked: Asked) -> LoadTest {
    let id = IntegrationId::new("performance").unwrap();
    LoadTest::new(&id, Some(url), &Settings::default(), Safety::default(), asked)
}

fn reins() -> (Reins, watch::Receiver<Progress>) {
    Reins::new(CancellationToken::new())
}

async fn measured(url: &str, asked: Asked) -> Result<Record, Untested> {
    test_of(url, asked).run(&reins().0).await
}

fn counted(record: &Record, name: &str) -> u64 {
    let fact = record.facts.iter().find(|fact| fact.name == name);
    match fact.map(|fact| &fact.value) {
        Some(FactValue::Quantity(Quantity::Count(count))) => *count,
        Some(FactValue::Quantity(_) | FactValue::Words(_)) => panic!("{name} is no count"),
        None => 0,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_is_counted_and_connections_are_kept() {
    let server = Rude::start(Manner::Says(GOOD.into())).await;
    for (threads, method) in [(1, "GET"), (2, "POST")] {
        let before = server.asked();
        let request = Request { method: method.into(), ..Request::default() };
        let goals =
            Goals { within: [None, None, Some(Duration::from_secs(5))], ..Goals::default() };
        let asked = Asked { threads, request, goals, ..small(500) };
        let record = measured(&server.url(), asked).await.unwrap();
        assert_eq!((record.total.succeeded, record.total.failed), (500, 0), "{record:?}");
        assert_eq!((server.asked() - before, &*record.total.name), (500, method));
        assert_eq!(counted(&record, "connections opened"), 4);
        assert_eq!(counted(&record, "status 2xx"), 500);
        assert_eq!(record.goals[0].judged, Judged::Pass, "{:?}", record.goals);
        assert_eq!(record.verdict().0, Word::Go);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_for_each_request_is_one_for_each() {
    let close = GOOD.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
    let server = Rude::start(Manner::Leaves(close)).await;
    let fresh = Asked { fresh: true, ..small(100) };
    let record = measured(&server.url(), fresh).await.unwrap();
    assert_eq!((record.total.succeeded, record.total.failed), (100, 0), "{record:?}");
    assert_eq!(counted(&record, "connections opened"), 104, "four to see that there are any");
    // Also whoever keeps connections opens a new one when it was told to.
    let record = measured(&server.url(), small(100)).await.unwrap();
    assert_eq!((record.total.succeeded, record.total.failed), (100, 0), "{record:?}");
    assert!((100..=104).contains(&counted(&record, "connections opened")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_closed_meanwhile_is_asked_again_if_it_may_be() {
    let server = Rude::start(Manner::Tires(10)).await;
    let record = measured(&server.url(), small(200)).await.unwrap();
    assert_eq!((record.total.succeeded, record.total.failed), (200, 0), "{:?}", record.errors);
    let again = counted(&record, "sent again on a new connection");
    assert!((16..=20).contains(&again), "{again}");
    let request = Request { method: "POST".into(), ..Request::default() };
    let record = measured(&server.url(), Asked { request, ..small(200) }).await.unwrap();
    assert!(record.total.failed > 0, "a POST may have done what it should");
    assert_eq!(counted(&record, "sent again on a new connection"), 0);
    assert_eq!(record.verdict().0, Word::NoGo);
}

/// Each way of behaving badly: the class it is counted under.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_wrong_has_its_class_and_never_passes() {
    let says = |text: &str| Manner::Says(text.into());
    let leaves = |text: &str| Manner::Leaves(text.into());
    let cases = [
        (says("HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n"), "status 500"),
        (says("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"), "status 404"),
        (says("HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"), "redirect 302"),
        (Manner::Resets, "reset"),
        (leaves(""), "closed"),
        (Manner::Hangs, "no answer"),
        (Manner::Drips(GOOD.into(), Duration::from_millis(40)), "no answer"),
        (leaves("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok"), "wrong length"),
        (says("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nok"), "wrong length"),
        (says("HTTP/1.1 200 OK\r\nContent-Length: one\r\n\r\nok"), "wrong length"),
        (
            leaves("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n"),
            "wrong length",
        ),
        (leaves("HTTP/1.1 200 OK\r\nContent-Le"), "wrong length"),
        (says("-ERR unknown command\r\n"), "malformed"),
        (says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), "malformed"),
        (says("HTTP/1.1 101 Switching Protocols\r\n\r\n"), "malformed"),
    ];
    for (manner, class) in cases {
        let server = Rude::start(manner).await;
        let goals = Goals { errors: Some(0.5), ..Goals::default() };
        let asked = Asked { timeout: Duration::from_millis(300), goals, ..small(8) };
        let record = measured(&server.url(), asked).await.unwrap();
        assert_eq!(record.errors.keys().collect::<Vec<_>>(), [class], "{record:?}");
        assert_eq!((record.total.succeeded, record.total.failed), (0, 8), "{class}");
        assert_eq!(record.verdict().0, Word::NoGo, "{class}: {:?}", record.goals);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_server_is_slow_and_a_refusing_one_is_not_tested() {
    let server = Rude::start(Manner::Drips(GOOD.into(), Duration::from_millis(2))).await;
    let record = measured(&server.url(), small(8)).await.unwrap();
    assert_eq!(record.total.succeeded, 8, "{record:?}");
    assert!(record.total.latency.min >= Duration::from_millis(80), "{record:?}");
    let port = crate::support::free_port();
    let untested = measured(&format!("http://127.0.0.1:{port}/"), small(8)).await.unwrap_err();
    assert_eq!(untested.why, Hindrance::Target);
    assert_eq!(untested.says, format!("connection refused by 127.0.0.1:{port}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_for_less_is_left_alone() {
    let slow = "HTTP/1.1 429 Slow down\r\nRetry-After: 30\r\nContent-Length: 0\r\n\r\n";
    let server = Rude::start(Manner::Says(slow.into())).await;
    let requests = None;
    let asked = Asked { requests, duration: Duration::from_mins(1), ..small(1) };
    let goals = Goals { errors: Some(1.0), ..Goals::default() };
    let record = measured(&server.url(), Asked { goals, ..asked }).await.unwrap();
    let Ended::Stopped(why) = &record.ended else { panic!("{:?}", record.ended) };
    assert!(why.contains("are 429, Retry-After: 30 s"), "{why}");
    assert_eq!(record.verdict().0, Word::NoGo);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_fails_is_left_alone_within_a_second() {
    let bad = "HTTP/1.1 503 Later\r\nContent-Length: 0\r\n\r\n";
    let server = Rude::start(Manner::Drips(bad.into(), Duration::from_micros(1))).await;
    let asked = Asked { requests: None, duration: Duration::from_mins(1), ..small(1) };
    let record = measured(&server.url(), asked).await.unwrap();
    let Ended::Stopped(why) = &record.ended else { panic!("{:?}", record.ended) };
    assert!(why.ends_with("limit 20 %, most: status 503"), "{why}");
}

/// Half a second of silence in three: a sixth of the plan waits, evenly up to that.
#[tokio::test(flavor = "multi_thread")]
async fn a_silence_shows_in_a_plan_and_hides_in_a_closed_loop() {
    let server = Rude::start(Manner::Drips(GOOD.into(), Duration::ZERO)).await;
    let mut found = Vec::new();
    for profile in [Profile::Standard, Profile::Closed] {
        let arrivals = match profile {
            Profile::Standard => Arrivals::Constant { rate: 200.0 },
            Profile::Smoke | Profile::Closed | Profile::Soak => Arrivals::Closed,
        };
        let p99 =
            Goals { within: [None, None, Some(Duration::from_millis(300))], ..Goals::default() };
        let (duration, goals) = (Duration::from_secs(3), p99);
        let asked = Asked { profile, arrivals, requests: None, duration, goals, ..small(1) };
        let (reins, mut progress) = reins();
        let test = test_of(&server.url(), asked);
        let frozen = async {
            progress.wait_for(|progress| progress.succeeded > 0).await.unwrap();
            server.frozen.send_replace(true);
            sleep(Duration::from_millis(500)).await;
            server.frozen.send_replace(false);
        };
        found.push(tokio::join!(test.run(&reins), frozen).0.unwrap());
    }
    let [open, closed] = [&found[0], &found[1]].map(|record| &record.total.latency);
    let at = |latency: &tminus::domain::perf::Latency, share| latency.at(share).as_millis();
    assert!(at(open, 0.9) >= 150, "{open:?}");
    assert!(at(open, 0.99) >= 400 && open.max.as_millis() >= 480, "{open:?}");
    assert!(at(closed, 0.9) < at(open, 0.9) / 2, "{closed:?}");
    assert!(closed.max.as_millis() >= 480, "only the longest betrays it: {closed:?}");
    assert_ne!(found[0].goals[0].judged, Judged::Pass, "{:?}", found[0].goals);
    assert_ne!(found[0].verdict().0, Word::Go);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_stops_it_has_a_part_of_a_result_at_once() {
    let server = Rude::start(Manner::Says(GOOD.into())).await;
    let goals = Goals { within: [Some(Duration::from_secs(5)), None, None], ..Goals::default() };
    let asked = Asked { requests: None, duration: Duration::from_mins(1), goals, ..small(1) };
    let (reins, mut progress) = reins();
    let cancel = reins.cancel.clone();
    let test = test_of(&server.url(), asked);
    let stopped = async {
        progress.wait_for(|progress| progress.succeeded > 0).await.unwrap();
        cancel.cancel();
    };
    let (record, ()) = tokio::join!(test.run(&reins), stopped);
    let record = record.unwrap();
    assert_eq!(record.ended, Ended::Aborted);
    assert_eq!((record.goals[0].judged, record.verdict().0), (Judged::Undecided, Word::Hold));
    assert!(record.total.succeeded > 0 && record.measured < Duration::from_secs(30));
}

/// As from the console: offered, asked for, live, kept beside the one before, aborted.
#[tokio::test(flavor = "multi_thread")]
async fn a_console_starts_it_sees_it_run_and_keeps_what_it_found() {
    let server = Rude::start(Manner::Says(GOOD.into())).await;
    let settings = Settings { url: Some(Secret::new(server.url())), ..Settings::default() };
    let id = IntegrationId::named("performance", "shop").unwrap();
    let asked = Asked { requests: None, duration: Duration::from_mins(10), ..small(1) };
    let test = LoadTest::new(&id, None, &settings, Safety::default(), asked);
    let (lab, mut handle) = Lab::start(vec![Arc::new(test)]);
    for round in 1..=2 {
        assert!(handle.send(Order::Start("load/shop".into())));
        let runs = |board: &Arc<Board>| {
            board.running("load/shop").is_some_and(|it| it.progress.succeeded > 0)
        };
        let board = Arc::clone(&handle.boards.wait_for(runs).await.unwrap());
        let progress = &board.running("load/shop").unwrap().progress;
        assert!(!progress.bars.is_empty() && progress.clients == 4, "{progress:?}");
        assert!(handle.send(Order::Abort));
        let rests = handle.boards.wait_for(|board| board.running.is_none()).await;
        let rests = Arc::clone(&rests.unwrap());
        let entry = rests.entry("load/shop").unwrap();
        let last = entry.last.as_ref().unwrap();
        assert_eq!((&last.ended, last.verdict().0), (&Ended::Aborted, Word::Hold));
        assert_eq!(entry.before.is_some(), round == 2);
    }
    assert!(lab.stop(Duration::from_secs(10)).await, "nothing is left of it");
}
