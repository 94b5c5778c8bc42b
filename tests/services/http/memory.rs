//! `tminus perf memory` on a server that leaks, on one that does not, and on worse ones.

use crate::support::{Process, binary, free_port};
use std::{
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
    time::Duration,
};
use tminus::{
    domain::{
        IntegrationId, Word,
        perf::{Ended, Judged, Leak, Record},
    },
    integrations::performance::Settings,
    perf::{
        Hindrance, Reins, Test as _, Untested,
        memory::{Asked, MemoryTest},
        render,
    },
    probe::Safety,
    secret::Secret,
};
use tokio_util::sync::CancellationToken;

/// What a request leaves behind on a server that leaks.
const LEAK: f64 = 12_288.0;

/// A server of its own, and its port.
pub(super) struct Server {
    process: Process,
    port: u16,
}

impl Server {
    pub(super) fn start(manner: &str) -> Option<Self> {
        let python = binary("python3")?;
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/services/http/memory.py");
        let mut command = Command::new(python);
        let command = command.args([script, manner]).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut process = Process(command.stderr(Stdio::null()).spawn().unwrap());
        // It says its port as soon as it listens.
        let mut line = String::new();
        BufReader::new(process.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Some(Self { process, port: line.trim().parse().unwrap() })
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    fn test(&self, asked: Asked) -> MemoryTest {
        let id = IntegrationId::new("performance").unwrap();
        let settings = Settings::default();
        MemoryTest::new(&id, Some(&self.url()), &settings, Safety::default(), asked)
    }

    /// The same, with its heap read off its metrics.
    fn exported(&self) -> Asked {
        let metrics = Some(Secret::new(format!("{}metrics", self.url())));
        Asked { metrics, heap: Some("app_heap_bytes{part=\"all\"}".into()), ..Asked::default() }
    }

    async fn measured(&self, asked: Asked) -> Result<Record, Untested> {
        self.test(asked).run(&Reins::new(CancellationToken::new()).0).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leak_is_found_with_its_rate() {
    let Some(server) = Server::start("leaks") else { return };
    let record = server.measured(Asked::default()).await.unwrap();
    let text = render::human(&record);
    let memory = record.memory.as_ref().unwrap();
    assert_eq!((memory.found, record.verdict().0), (Leak::Leaks, Word::NoGo), "{text}");
    let trend = memory.trend.unwrap();
    assert!((trend.per_operation / LEAK - 1.0).abs() < 0.1, "{text}");
    assert_eq!((memory.readings.len(), memory.floors.len()), (1000, 20), "two stages: {text}");
    assert!(memory.measure.contains(&server.process.0.id().to_string()), "{text}");
    assert!(memory.room.as_ref().unwrap().operations.unwrap() > 0, "{text}");
    assert!(text.contains("it leaks +12.") || text.contains("it leaks +11."), "{text}");
    let read: Record = serde_json::from_str(&render::json(&record)).unwrap();
    assert_eq!(render::csv(&read), render::csv(&record));
    assert_eq!(render::csv(&record).lines().count(), 21);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_warms_up_and_makes_garbage_does_not_leak() {
    let Some(server) = Server::start("healthy") else { return };
    let record = server.measured(Asked::default()).await.unwrap();
    let text = render::human(&record);
    let memory = record.memory.as_ref().unwrap();
    assert!(memory.found.is_none(), "{text}");
    assert_eq!((record.goals[0].judged, record.verdict().0), (Judged::Pass, Word::Go), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_heap_is_preferred_and_its_process_is_watched_beside_it() {
    let Some(server) = Server::start("leaks") else { return };
    let record = server.measured(server.exported()).await.unwrap();
    let (text, memory) = (render::human(&record), record.memory.as_ref().unwrap());
    assert_eq!((memory.found, record.verdict().0), (Leak::Leaks, Word::NoGo), "{text}");
    let rate = memory.trend.unwrap().per_operation;
    assert!((rate - LEAK).abs() < 1.0, "the heap is exact: {text}");
    assert!(memory.measure.starts_with("heap, app_heap_bytes") && memory.process.is_some());
    // The heap is flat and the process grows: that is no pass.
    let Some(server) = Server::start("retains") else { return };
    let record = server.measured(server.exported()).await.unwrap();
    let (text, memory) = (render::human(&record), record.memory.as_ref().unwrap());
    assert_eq!((memory.found, record.verdict().0), (Leak::Retained, Word::Hold), "{text}");
    assert!(memory.process.unwrap().per_operation > LEAK * 0.9, "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ends_it_early_is_said_and_never_passes() {
    let Some(server) = Server::start("dies") else { return };
    let record = server.measured(Asked::default()).await.unwrap();
    let Ended::Stopped(why) = &record.ended else { panic!("{:?}", record.ended) };
    assert!(why.starts_with("after 119 operations: ") && why.ends_with(" ended"), "{why}");
    let memory = record.memory.as_ref().unwrap();
    assert_eq!((memory.found, record.verdict().0), (Leak::Unknown, Word::NoGo));
    assert_eq!((memory.readings.len(), record.goals[0].judged), (119, Judged::Undecided));
    assert!(memory.doubts[0].contains("119 of 500"), "{:?}", memory.doubts);

    let Some(server) = Server::start("refuses") else { return };
    let record = server.measured(Asked::default()).await.unwrap();
    let Ended::Stopped(why) = &record.ended else { panic!("{:?}", record.ended) };
    assert!(why.contains("failed, most: status 500"), "{why}");
    assert_eq!(record.verdict().0, Word::NoGo);

    let Some(server) = Server::start("healthy") else { return };
    let test = server.test(Asked { operations: 100_000, ..Asked::default() });
    let (reins, mut progress) = Reins::new(CancellationToken::new());
    let stop = async {
        progress.wait_for(|now| now.succeeded > 50).await.unwrap();
        reins.cancel.cancel();
    };
    let both = async { tokio::join!(test.run(&reins), stop) };
    let (record, ()) = tokio::time::timeout(Duration::from_mins(1), both).await.unwrap();
    let record = record.unwrap();
    assert_eq!((&record.ended, record.verdict().0), (&Ended::Aborted, Word::Hold));
    assert_eq!(record.memory.unwrap().found, Leak::Unknown);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_or_makes_no_sense_has_no_result() {
    let Some(server) = Server::start("healthy") else { return };
    let why = |asked| async { server.measured(asked).await.unwrap_err() };
    let few = why(Asked { operations: 9, ..Asked::default() }).await;
    assert_eq!((few.why, few.says.contains("--operations is 9")), (Hindrance::Refused, true));
    let none = why(Asked { heap: Some("other".into()), ..server.exported() }).await;
    assert_eq!(none.why, Hindrance::Target);
    assert!(none.says.ends_with("/metrics exports no other"), "{none}");
    let nobody = why(Asked { pid: Some(u32::MAX / 4), ..Asked::default() }).await;
    assert!(nobody.says.contains("no process with pid") && nobody.hint.is_some(), "{nobody}");
    let mut gone = Server { process: Process::start(&mut Command::new("true")), port: free_port() };
    gone.process.0.wait().unwrap();
    let gone = gone.measured(Asked::default()).await.unwrap_err();
    assert!(gone.says.contains("nobody listens on port"), "{gone}");
}

/// Twenty runs of each: `cargo test --test services twenty -- --ignored --nocapture`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes some minutes; a run of each is in the tests above"]
async fn twenty_of_each() {
    println!(
        "{:8}{:>4}  {:>22}{:>14}{:>8}{:>8}",
        "server", "run", "found", "bytes/op", "off", "ops"
    );
    let mut wrong = 0;
    for manner in ["leaks", "healthy"] {
        for run in 1..=20 {
            let Some(server) = Server::start(manner) else { return };
            let record = server.measured(Asked::default()).await.unwrap();
            let memory = record.memory.unwrap();
            let (rate, count) = (memory.trend.unwrap().per_operation, memory.readings.len());
            let off = (rate / LEAK - 1.0) * 100.0;
            let leaks = manner == "leaks";
            let off_by = if leaks { format!("{off:+.1} %") } else { String::new() };
            println!(
                "{manner:8}{run:>4}  {:>22}{rate:>14.0}{off_by:>8}{count:>8}",
                format!("{:?}", memory.found)
            );
            let right = if leaks {
                memory.found == Leak::Leaks && off.abs() < 10.0
            } else {
                memory.found.is_none()
            };
            wrong += u32::from(!right);
        }
    }
    assert_eq!(wrong, 0, "of forty");
}
