//! The checks as the engine runs them, against real processes and loopback servers.

use super::{judge::Memory, trend::Trend, *};
use crate::domain::{
    Baseline, Finding, Mark, Measured, Outcome, Quantity, Skip, Timestamp, Was, Word,
};
use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    process::{Child, ChildStdout, Command, Stdio, id},
    sync::Arc,
};
use tokio::time::Instant;
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

const MEMORY: usize = 0;
const TIMING: usize = 1;
const RESPONSE: usize = 2;
const EXPORT: usize = 3;

fn performance(settings: &str) -> Performance {
    let settings: Settings = toml::from_str(settings).unwrap();
    assert_eq!(settings.complaints(), []);
    Performance::new(IntegrationId::new("performance").unwrap(), settings)
}

async fn run(performance: &Performance, check: usize) -> Finding {
    let cx = Cx::default();
    performance.run(check, &cx).await.unwrap_or_else(Finding::from)
}

/// A process of ours. Killed when dropped.
struct Sleeper(Child);

impl Sleeper {
    fn start() -> Self {
        Self(Command::new("sleep").arg("60").stdin(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[tokio::test]
async fn nothing_configured_watches_the_console_and_says_so() {
    let own = performance("");
    let finding = run(&own, MEMORY).await;
    assert_eq!(finding.outcome, Outcome::Pass);
    assert!(finding.summary.starts_with("tminus itself: "), "{}", finding.summary);
    assert!(!finding.fallback);
    assert!(matches!(finding.measure, Some(Quantity::Bytes(1_000_000..))));
    let target = own.target();
    assert_eq!((&*target.name, target.provenance), ("this console itself", Provenance::Embedded));
}

#[tokio::test]
async fn a_process_is_watched_by_its_id_until_it_ends() {
    let mut sleeper = Sleeper::start();
    let watching = performance(&format!("pid = {}", sleeper.0.id()));
    let finding = run(&watching, MEMORY).await;
    assert_eq!(finding.outcome, Outcome::Pass, "{finding:?}");
    assert!(finding.evidence.asked.contains("sleep"), "{}", finding.evidence.asked);
    sleeper.0.kill().unwrap();
    sleeper.0.wait().unwrap();
    let gone = run(&watching, MEMORY).await;
    assert_eq!(gone.outcome, Outcome::Fail);
    assert_eq!(gone.summary, format!("no process with pid {}", sleeper.0.id()));
}

#[tokio::test]
async fn a_process_is_watched_by_its_port_until_that_is_closed() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let watching = performance(&format!("port = {port}"));
    assert_eq!(watching.target().name, format!("port {port}"));
    let finding = run(&watching, MEMORY).await;
    assert_eq!(finding.outcome, Outcome::Pass, "{finding:?}");
    assert!(finding.evidence.asked.contains(&id().to_string()));
    drop(listener);
    let closed = performance(&format!("port = {port}"));
    let nobody = format!("nobody listens on port {port}");
    let deadline = Instant::now() + Duration::from_secs(5);
    let finding = loop {
        // A process that another test is just starting holds it for a moment too.
        let finding = run(&closed, MEMORY).await;
        if finding.summary == nobody || Instant::now() > deadline {
            break finding;
        }
    };
    assert_eq!((finding.outcome, finding.summary), (Outcome::Fail, nobody));
}

#[tokio::test]
async fn memory_over_its_limit_fails() {
    let finding = run(&performance("memory_limit_mib = 1"), MEMORY).await;
    assert_eq!(finding.outcome, Outcome::Fail);
    assert!(finding.summary.ends_with(", limit 1.0 MiB"), "{}", finding.summary);
}

#[tokio::test]
async fn this_hosts_clocks_are_measured() {
    let finding = run(&performance(""), TIMING).await;
    // A busy host wakes late, which is what this check is there to tell.
    assert!(matches!(finding.outcome, Outcome::Pass | Outcome::Warn), "{finding:?}");
    assert!(finding.latency.is_some());
    let asked = run(&performance("url = 'http://127.0.0.1:1'"), TIMING).await;
    assert_eq!(asked.latency, None, "the app's answers are the latency then");
}

#[tokio::test]
async fn without_an_address_nothing_is_asked() {
    let finding = run(&performance(""), RESPONSE).await;
    assert_eq!(finding.outcome, Outcome::Skipped(Skip::NotApplicable));
    assert!(finding.remedy.is_some_and(|remedy| remedy.contains("url")));
}

#[tokio::test]
async fn an_app_that_answers_is_timed_and_one_that_fails_is_not_averaged_in() {
    let server = MockServer::start().await;
    let status = |code| Mock::given(any()).respond_with(ResponseTemplate::new(code));
    status(200).up_to_n_times(2).mount(&server).await;
    status(503).mount(&server).await;
    let url = format!("{}/health?key=hunter2", server.uri());
    let watching = performance(&format!("url = '{url}'\nresponse_limit = '3s'"));
    for _ in 0..2 {
        let finding = run(&watching, RESPONSE).await;
        assert_eq!(finding.outcome, Outcome::Pass, "{finding:?}");
        assert!(finding.summary.starts_with("200, average "), "{}", finding.summary);
        assert!(finding.latency.is_some());
    }
    let mut failed = run(&watching, RESPONSE).await;
    assert_eq!(failed.outcome, Outcome::Fail);
    assert_eq!(failed.summary, "answered 503, wanted 2xx");
    assert!(failed.evidence.asked.ends_with("/health"), "{}", failed.evidence.asked);
    assert!(!failed.texts_mut().any(|text| text.contains("hunter2")));
    let summary = watching.answers.lock().unwrap().summary();
    assert_eq!((summary.asked, summary.failed), (3, 1));
}

#[tokio::test]
async fn an_app_that_is_down_fails_with_what_was_asked() {
    let watching = performance("url = 'http://me:hunter2@127.0.0.1:1/health'");
    let mut finding = run(&watching, RESPONSE).await;
    assert_eq!(finding.outcome, Outcome::Fail);
    assert_eq!(finding.summary, "connection refused by 127.0.0.1:1");
    assert_eq!(finding.evidence.asked, "GET http://127.0.0.1:1/health");
    assert!(finding.remedy.is_some());
    assert!(!finding.texts_mut().any(|text| text.contains("hunter2")));
    assert_eq!(watching.target().name, "this console itself, 127.0.0.1:1");
}

/// A shell that keeps as many MiB more each time as it is told, and says when it has.
struct Hoarder {
    shell: Child,
    replies: BufReader<ChildStdout>,
}

impl Hoarder {
    fn start() -> Self {
        let script = "while read -r mib; do \
                      [ $mib -gt 0 ] && kept+=$(head -c ${mib}M /dev/zero | tr '\\0' x); \
                      echo done; done";
        let mut shell = Command::new("bash")
            .args(["-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let replies = BufReader::new(shell.stdout.take().unwrap());
        Self { shell, replies }
    }

    fn keep(&mut self, mib: u32) {
        writeln!(self.shell.stdin.as_mut().unwrap(), "{mib}").unwrap();
        let mut line = String::new();
        self.replies.read_line(&mut line).unwrap();
        assert_eq!(line, "done\n");
    }
}

impl Drop for Hoarder {
    fn drop(&mut self) {
        drop(self.shell.kill());
        drop(self.shell.wait());
    }
}

/// Real readings of a real process, of which only the time between them is not.
#[test]
fn a_process_that_hoards_is_told_from_one_that_does_not() {
    for (each, outcome, says) in [(1, Outcome::Warn, "growing "), (0, Outcome::Pass, "steady")] {
        let (mut hoarder, mut system) = (Hoarder::start(), process::empty().unwrap());
        let (mut track, start) = (Track::default(), Instant::now());
        let watched = Watched::Pid(hoarder.shell.id());
        hoarder.keep(10);
        for poll in 0..45 {
            hoarder.keep(each);
            let fresh = process::read(&mut system, hoarder.shell.id()).unwrap();
            let reading = process::Reading { up: Duration::from_mins(1), ..fresh };
            track.note(&reading, start + Duration::from_secs(5) * poll);
        }
        let reading = process::read(&mut system, hoarder.shell.id()).unwrap();
        let (kept, trend) = (track.samples().len(), Trend::of(track.samples()));
        let seen =
            Memory { watched: &watched, reading: &reading, kept, trend, restart: None, cpu: None };
        let finding = judge::memory(&seen, MemoryLimits { most: None, growth: 5 * 1024 * 1024 });
        assert_eq!(finding.outcome, outcome, "{finding:?}");
        assert!(finding.summary.contains(says), "{}", finding.summary);
    }
}

#[tokio::test]
async fn a_metric_that_the_baseline_had_is_missed_in_what_the_app_exports() {
    let server = MockServer::start().await;
    let exported = ResponseTemplate::new(200).set_body_string("# TYPE a counter\na_total 1\nb 2\n");
    Mock::given(any()).respond_with(exported).mount(&server).await;
    let url = server.uri().replace("//", "//me:hunter2@");
    let watching = performance(&format!("metrics = '{url}/metrics?key=hunter2'"));
    let mut finding = run(&watching, EXPORT).await;
    assert_eq!(
        (finding.outcome.clone(), &*finding.summary),
        (Outcome::Pass, "2 metrics, 2 samples")
    );
    assert_eq!(finding.names, ["a", "b"]);
    assert!(finding.evidence.asked.ends_with("/metrics") && finding.latency.is_some());
    assert!(!finding.texts_mut().any(|text| text.contains("hunter2")));
    assert_eq!(watching.target().provenance, Provenance::Configured);
    let was = |names: &[&str]| Was {
        check: watching.id().check("export"),
        mark: Mark::Pass,
        fallback: false,
        stood: false,
        summary: String::new(),
        measured: Measured::default(),
        names: names.iter().map(|name| (*name).to_owned()).collect(),
    };
    let before = Baseline {
        name: "v1".into(),
        at: Timestamp(0),
        host: String::new(),
        word: Word::Go,
        score: None,
        checks: vec![was(&["a", "b", "c"])],
    };
    let cx = Cx { before: Some(Arc::new(before)), ..Cx::default() };
    let finding = watching.run(EXPORT, &cx).await.unwrap();
    assert_eq!(
        (finding.outcome, &*finding.summary),
        (Outcome::Fail, "1 of 3 metrics gone since v1: c")
    );
}

#[tokio::test]
async fn without_an_address_no_metric_is_looked_for() {
    let finding = run(&performance(""), EXPORT).await;
    assert_eq!(finding.outcome, Outcome::Skipped(Skip::NotApplicable));
    let finding = run(&performance("metrics = 'http://127.0.0.1:1/'"), EXPORT).await;
    assert_eq!(finding.outcome, Outcome::Fail);
}
