//! `tminus perf scale` on servers of which the limit is known.

use std::{net::SocketAddr, sync::Arc, time::Duration};
use tminus::{
    domain::{
        IntegrationId, Word,
        perf::{Decline, Ended, Record},
    },
    integrations::performance::Settings,
    perf::{
        Hindrance, Reins, Test as _,
        load::{self, Profile},
        render,
        scale::{Asked, ScaleTest},
    },
    probe::Safety,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinSet,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

/// How long the server works on a request.
const WORK: Duration = Duration::from_millis(20);

/// A server that works on so many requests at once and lets all others queue.
struct Limited {
    address: SocketAddr,
    _task: JoinSet<()>,
}

impl Limited {
    /// Answers 503 to whoever comes when `refuses` are connected.
    async fn start(permits: usize, refuses: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let gate = Arc::new(Semaphore::new(permits));
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut served = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                while served.try_join_next().is_some() {}
                let full = served.len() >= refuses;
                served.spawn(serve(stream, Arc::clone(&gate), full));
            }
        });
        Self { address, _task: task }
    }

    fn test(&self, asked: Asked) -> ScaleTest {
        let id = IntegrationId::new("performance").unwrap();
        let url = format!("http://{}/", self.address);
        ScaleTest::new(&id, Some(&url), &Settings::default(), Safety::default(), asked)
    }
}

async fn serve(mut stream: TcpStream, gate: Arc<Semaphore>, full: bool) {
    let mut bytes = [0; 4096];
    let answer: &[u8] = if full {
        b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
    } else {
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    };
    while stream.read(&mut bytes).await.is_ok_and(|read| read > 0) {
        let Ok(permit) = gate.acquire().await else { return };
        sleep(WORK).await;
        drop(permit);
        if stream.write_all(answer).await.is_err() {
            return;
        }
    }
}

fn asked(steps: &[u32], duration: u64) -> Asked {
    let load = load::Asked {
        clients: 64,
        warm_up: Duration::from_millis(200),
        duration: Duration::from_secs(duration),
        ..load::Asked::of(Profile::Closed)
    };
    Asked { load, steps: steps.to_vec(), max_p95: Some(Duration::from_millis(500)) }
}

async fn measured(server: &Limited, asked: Asked) -> Record {
    server.test(asked).run(&Reins::new(CancellationToken::new()).0).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plateau_of_a_server_that_works_on_four_at_once_is_found() {
    let server = Limited::start(4, usize::MAX).await;
    let record = measured(&server, asked(&[1, 2, 3, 4, 6, 8, 16, 32], 2)).await;
    let text = render::human(&record);
    let scale = record.scale.as_ref().unwrap();
    let clients: Vec<u32> = scale.steps.iter().map(|step| step.clients).collect();
    assert_eq!(clients, [1, 2, 3, 4, 6, 8, 16, 32], "{text}");
    assert_eq!((record.total.failed, &record.ended), (0, &Ended::Complete), "{text}");
    let fit = scale.fit.as_ref().unwrap();
    let optimum = fit.optimum.unwrap().at;
    assert!((3.0..5.5).contains(&optimum), "{text}");
    // Two seconds have no five parts, so nobody may claim a decline.
    assert!(!matches!(scale.decline, Decline::Seen { .. }), "{text}");
    let slo = scale.slo.unwrap();
    // With 32 a request waits for seven others: 160 ms and the timers' slack.
    assert!(slo.clients >= 1.0, "{text}");
    assert!(scale.drift.len() == 2 && text.contains("optimum"), "{text}");
    assert_eq!(render::csv(&record).lines().count(), 9);
    let read: Record = serde_json::from_str(&render::json(&record)).unwrap();
    // A number of JSON may differ in its last digit.
    assert_eq!(render::csv(&read), render::csv(&record));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guard_stops_it_and_what_is_measured_stands() {
    let server = Limited::start(64, 20).await;
    // The step with 64 is refused more than any guard allows; few steps give no curve.
    let record = measured(&server, asked(&[1, 64], 2)).await;
    let Ended::Stopped(why) = &record.ended else { panic!("{:?}", record.ended) };
    assert!(why.starts_with("with 64 clients: ") && why.contains("503"), "{why}");
    let scale = record.scale.as_ref().unwrap();
    assert_eq!((scale.steps.len(), scale.fit.is_none(), scale.planned), (1, true, 2));
    assert!(record.total.failed > 0);
    assert_eq!(record.verdict().0, Word::NoGo);
    assert!(render::human(&record).contains("STOPPED"));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_stops_it_has_the_steps_that_are_done() {
    let server = Limited::start(4, usize::MAX).await;
    let test = server.test(asked(&[1, 2, 4], 2));
    let (reins, mut progress) = Reins::new(CancellationToken::new());
    let stop = async {
        progress
            .wait_for(|now| now.steps.len() == 1 && now.elapsed > Duration::ZERO)
            .await
            .unwrap();
        reins.cancel.cancel();
        Instant::now()
    };
    let both = async { tokio::join!(test.run(&reins), stop) };
    let (record, stopped) = tokio::time::timeout(Duration::from_mins(1), both).await.unwrap();
    assert!(stopped.elapsed() < Duration::from_secs(5), "a busy machine's second");
    let record = record.unwrap();
    assert_eq!((&record.ended, record.verdict().0), (&Ended::Aborted, Word::Hold));
    assert_eq!(record.scale.unwrap().steps.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_reached_or_makes_no_sense_has_no_result() {
    let server = Limited::start(4, usize::MAX).await;
    let wrong = server.test(asked(&[1, 65], 2));
    let refused = wrong.run(&Reins::new(CancellationToken::new()).0).await.unwrap_err();
    assert_eq!(refused.why, Hindrance::Refused);
    assert!(refused.says.contains("--clients 64"), "{refused}");
    let gone = Limited { address: "127.0.0.1:1".parse().unwrap(), _task: JoinSet::new() };
    let test = gone.test(asked(&[1, 2], 2));
    let unreachable = test.run(&Reins::new(CancellationToken::new()).0).await.unwrap_err();
    assert_eq!(unreachable.why, Hindrance::Target, "{unreachable}");
}
