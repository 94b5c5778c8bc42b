//! The monitoring stack against a real Prometheus and its own tools.

use crate::support::{Process, binary, free_port};
use reqwest::header::HeaderMap;
use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tminus::{
    contract::{BOUND, HISTOGRAM, Kind, METRICS, Metric},
    domain::{Finding, IntegrationId, Outcome},
    integrations::monitoring::{Monitoring, Settings},
    probe::{
        Cx, Integration,
        http::{Http, Limits},
    },
    secret::Secret,
};
use tokio::time::{sleep, timeout};

fn asset(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets").join(path)
}

/// A Prometheus that scrapes nothing, on its own port.
struct Server {
    process: Process,
    directory: TempDir,
    url: String,
}

impl Server {
    fn start(config: &str) -> Option<Self> {
        let prometheus = binary("prometheus")?;
        let directory = tempfile::tempdir().unwrap();
        let server = format!("127.0.0.1:{}", free_port());
        fs::write(directory.path().join("prometheus.yml"), config).unwrap();
        let process = Process::start(
            Command::new(prometheus)
                .current_dir(directory.path())
                .arg("--config.file=prometheus.yml")
                .arg("--storage.tsdb.path=storage")
                .arg(format!("--web.listen-address={server}")),
        );
        Some(Self { process, directory, url: format!("http://{server}") })
    }

    fn configure(&self, config: &str) {
        fs::write(self.directory.path().join("prometheus.yml"), config).unwrap();
        self.process.signal("HUP");
    }

    fn watched(&self) -> Monitoring {
        let settings = Settings { prometheus: Some(Secret::new(&*self.url)) };
        Monitoring::new(IntegrationId::new("monitoring").unwrap(), settings)
    }

    async fn query(&self, expr: &str) -> String {
        let url = format!("{}/api/v1/query", self.url);
        let url = url::Url::parse_with_params(&url, [("query", expr)]).unwrap();
        let limits = Limits { body: 100_000, total: Duration::from_secs(5) };
        Http::default().get(&url, HeaderMap::new(), limits).await.unwrap().text()
    }
}

/// One run as the engine does it: an error becomes a finding, and time is short.
async fn connect(monitoring: &Monitoring) -> Finding {
    let cx = Cx::default();
    let spec = &monitoring.checks()[0];
    assert_eq!(spec.name, "connect");
    match timeout(spec.timeout, monitoring.run(0, &cx)).await {
        Ok(ended) => ended.unwrap_or_else(Finding::from),
        Err(_) => Finding::fail("timed out"),
    }
}

async fn until(monitoring: &Monitoring, wanted: Outcome) -> Finding {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let finding = connect(monitoring).await;
        if finding.outcome == wanted {
            return finding;
        }
        assert!(Instant::now() < deadline, "never {wanted:?}; the last was {finding:?}");
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_followed_through_its_life() {
    let Some(server) = Server::start("global: {}\n") else { return };
    let monitoring = server.watched();
    let ready = until(&monitoring, Outcome::Pass).await;
    assert!(ready.summary.starts_with("Prometheus "), "{}", ready.summary);
    assert!(ready.latency.is_some_and(|took| took < Duration::from_secs(1)));

    server.configure("global: [broken\n");
    let stale = until(&monitoring, Outcome::Fail).await;
    assert_eq!(stale.summary, "its last reload failed; old rules are in use");
    server.configure("global: {}\n");
    until(&monitoring, Outcome::Pass).await;

    server.process.signal("STOP");
    let hung = connect(&monitoring).await;
    assert!(hung.summary.contains("did not answer within 2.5s"), "{}", hung.summary);
    server.process.signal("CONT");
    until(&monitoring, Outcome::Pass).await;

    server.process.signal("KILL");
    // A connection that the dying server had taken is reset first.
    let deadline = Instant::now() + Duration::from_secs(20);
    while !connect(&monitoring).await.summary.starts_with("connection refused by 127.0.0.1:") {
        assert!(Instant::now() < deadline, "the port of a killed server was never refused");
    }
    assert_eq!(connect(&monitoring).await.outcome, Outcome::Fail);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_server_takes_every_expression_that_ships() {
    let Some(server) = Server::start("global: {}\n") else { return };
    until(&server.watched(), Outcome::Pass).await;
    let mut asked = 0;
    for name in ["agent-overview", "system-health", "business-metrics", "cost-analysis"] {
        let text = fs::read_to_string(asset(&format!("grafana/{name}.json"))).unwrap();
        let dashboard: serde_json::Value = serde_json::from_str(&text).unwrap();
        let panels = dashboard["panels"].as_array().unwrap();
        for target in panels.iter().flat_map(|panel| panel["targets"].as_array().unwrap()) {
            let expr = target["expr"].as_str().unwrap();
            let expr = expr.replace("$__rate_interval", "1m").replace("$integration", ".+");
            let answer = server.query(&expr).await;
            assert!(answer.starts_with("{\"status\":\"success\""), "{name}: {expr}: {answer}");
            asked += 1;
        }
    }
    assert_eq!(asked, 20);
    assert!(server.query("sum(").await.contains("bad_data"), "a bad expression was taken");
}

fn promtool(arguments: &[&str], input: &str) -> Option<Output> {
    let mut child = Command::new(binary("promtool")?)
        .args(arguments)
        .current_dir(asset("rules"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    Some(child.wait_with_output().unwrap())
}

#[test]
fn promtool_takes_the_rules_and_each_fires_as_its_test_says() {
    let Some(checked) = promtool(&["check", "rules", "tminus.yml"], "") else { return };
    let says = String::from_utf8_lossy(&checked.stdout);
    assert!(checked.status.success() && says.contains("8 rules found"), "{checked:?}");
    let tested = promtool(&["test", "rules", "tminus_test.yml"], "").unwrap();
    assert!(tested.status.success(), "{tested:?}");
}

#[test]
fn promtool_finds_nothing_to_say_about_the_contract() {
    let Some(checked) = promtool(&["check", "metrics"], &exposition()) else { return };
    assert!(checked.status.success() && checked.stderr.is_empty(), "{checked:?}");
    let worse = exposition().replace("_seconds", "_milliseconds");
    let checked = promtool(&["check", "metrics"], &worse).unwrap();
    assert!(!checked.status.success(), "promtool found nothing wrong with milliseconds");
}

/// One series of every metric of the contract.
fn exposition() -> String {
    let one = |metric: &Metric| {
        let kind = match metric.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        let labels = metric.labels.iter().map(|label| {
            format!("{}=\"{}\"", label.name, label.values.first().copied().unwrap_or("redis"))
        });
        let labels = labels.collect::<Vec<_>>().join(",");
        let Metric { name, help, .. } = metric;
        let series = match metric.kind {
            Kind::Counter | Kind::Gauge => format!("{name}{{{labels}}} 1\n"),
            Kind::Histogram => {
                let [bucket, sum, count] = HISTOGRAM.map(|suffix| format!("{name}{suffix}"));
                let bound = format!("{labels},{BOUND}=\"+Inf\"");
                format!("{bucket}{{{bound}}} 1\n{sum}{{{labels}}} 1\n{count}{{{labels}}} 1\n")
            }
        };
        format!("# HELP {name} {help}\n# TYPE {name} {kind}\n{series}")
    };
    METRICS.iter().map(one).collect()
}
