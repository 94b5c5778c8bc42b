//! `tminus perf load` beside `oha` and `wrk`: the same requests to the same nginx, in
//! turn, client and server each pinned to a core of its own. Then the lag of an open plan,
//! what memory it takes, and stops of half a second and of two as each reports them.
//!
//! `cargo bench --bench load`. Wanted: 1.3 of oha's rate at 0.75 of its processor time a
//! request, 0.95 of wrk's rate, 0.9 of oha's time for 1000 requests as a whole process.
//! Each figure is a median of ratios within a round, and rounds begin with another one
//! in turn: other work on the machine then falls on all. `OHA` names oha where it is not
//! on the path; without it or wrk that column is missing.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program for the console"
)]

mod side;

use serde_json::Value;
use side::{load, median, output, pinned, processor, quantile, waited_for};
use std::{
    env, fs,
    process::{Child, Command, Stdio},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

const PORT: &str = "7398";
const URL: &str = "http://127.0.0.1:7398/";
/// The first round warms everything up and does not count.
const ROUNDS: usize = 8;
const SHORT: usize = 16;

fn main() {
    let server = Server::start();
    println!("load of the machine {} before", load());
    let tools: Vec<Tool> = Tool::all().into_iter().filter(|tool| tool.is_there()).collect();
    compare(&server, "closed, 100 connections, 4 s", &tools, ROUNDS, Tool::sustained);
    let short: Vec<Tool> = tools.iter().copied().filter(|tool| *tool != Tool::Wrk).collect();
    compare(&server, "1000 requests, 100 users", &short, SHORT, Tool::short);
    plan();
    memory();
    for stop in [500, 2000] {
        stopped(&server, &tools, stop);
    }
    println!("load of the machine {} after", load());
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tool {
    Oha,
    Wrk,
    Tminus,
}

/// What one run found.
#[derive(Clone, Copy, Default)]
struct Run {
    requests: f64,
    rate: f64,
    p50: f64,
    p99: f64,
    max: f64,
    /// Processor time of the client, and of the server, in µs a request.
    client: f64,
    server: f64,
    /// Of the whole process, in ms.
    wall: f64,
}

impl Tool {
    fn all() -> [Self; 3] {
        [Self::Oha, Self::Wrk, Self::Tminus]
    }

    fn program(self) -> String {
        match self {
            Self::Oha => env::var("OHA").unwrap_or_else(|_| "oha".into()),
            Self::Wrk => "wrk".into(),
            Self::Tminus => env!("CARGO_BIN_EXE_tminus").into(),
        }
    }

    fn is_there(self) -> bool {
        let found = Command::new(self.program())
            .arg("-h")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        if found.is_err() {
            println!("{self:?} is not there: nothing is compared with it");
        }
        found.is_ok()
    }

    fn sustained(self) -> Run {
        self.run(match self {
            Self::Oha => &["-z", "4s", "-c", "100"],
            Self::Wrk => &["-d", "4s", "-c", "100", "-t", "1"],
            Self::Tminus => &["--profile", "closed", "--warm-up", "1ms", "--duration", "4s"],
        })
    }

    fn short(self) -> Run {
        self.run(match self {
            Self::Oha => &["-n", "1000", "-c", "100"],
            Self::Wrk => &[],
            Self::Tminus => &["--profile", "smoke", "--max-mean", "5s", "--min-rate", "1"],
        })
    }

    fn run(self, words: &[&str]) -> Run {
        let mut command = pinned(&self.program());
        match self {
            Self::Oha => command.args(["--no-tui", "--output-format", "json"]).args(words).arg(URL),
            Self::Wrk => command.arg("--latency").args(words).arg(URL),
            Self::Tminus => command.args(["perf", "load", URL, "--format", "json"]).args(words),
        };
        let text = output(&mut command);
        match self {
            Self::Oha => of_oha(&serde_json::from_str(&text).unwrap()),
            Self::Wrk => of_wrk(&text),
            Self::Tminus => of_ours(&serde_json::from_str(&text).unwrap()),
        }
    }
}

fn of_oha(found: &Value) -> Run {
    let time = |name: &str| found["latencyPercentiles"][name].as_f64().unwrap() * 1e3;
    let codes = found["statusCodeDistribution"].as_object().unwrap();
    Run {
        requests: codes.values().filter_map(Value::as_f64).sum(),
        rate: found["summary"]["requestsPerSec"].as_f64().unwrap(),
        p50: time("p50"),
        p99: time("p99"),
        max: found["summary"]["slowest"].as_f64().unwrap() * 1e3,
        ..Run::default()
    }
}

fn of_wrk(text: &str) -> Run {
    let after = |word: &str| {
        let mut words = text.split_whitespace().skip_while(|it| *it != word).skip(1);
        words.next().unwrap().to_owned()
    };
    let requests = text.split(" requests in").next().unwrap().rsplit('\n').next().unwrap().trim();
    let max = text.lines().find(|line| line.trim_start().starts_with("Latency  ")).unwrap();
    Run {
        requests: requests.parse().unwrap(),
        rate: after("Requests/sec:").parse().unwrap(),
        p50: millis(&after("50%")),
        p99: millis(&after("99%")),
        max: millis(max.split_whitespace().nth(3).unwrap()),
        ..Run::default()
    }
}

/// What wrk writes as `1.20ms`.
fn millis(time: &str) -> f64 {
    let (number, unit) = time.split_at(time.find(char::is_alphabetic).unwrap());
    let factor = match unit {
        "us" => 1e-3,
        "ms" => 1.0,
        _ => 1e3,
    };
    number.parse::<f64>().unwrap() * factor
}

fn of_ours(found: &Value) -> Run {
    let total = &found["total"];
    Run {
        requests: total["succeeded"].as_f64().unwrap(),
        rate: total["per_second"].as_f64().unwrap(),
        p50: quantile(found, 0.5),
        p99: quantile(found, 0.99),
        max: total["latency"]["max_seconds"].as_f64().unwrap() * 1e3,
        ..Run::default()
    }
}

fn compare(server: &Server, what: &str, tools: &[Tool], rounds: usize, run: fn(Tool) -> Run) {
    let mut found: Vec<Vec<Run>> = vec![Vec::new(); tools.len()];
    for round in 0..rounds {
        for turn in 0..tools.len() {
            let at = (round + turn) % tools.len();
            let one = server.timed(|| run(tools[at]));
            if round > 0 {
                found[at].push(one);
            }
        }
    }
    println!("\n{what}: medians of {} rounds", rounds - 1);
    println!(
        "{:8}{:>10}{:>9}{:>9}{:>11}{:>11}{:>9}",
        "", "per s", "p50 ms", "p99 ms", "client µs", "server µs", "wall ms"
    );
    for (tool, runs) in tools.iter().zip(&found) {
        let of = |field: fn(&Run) -> f64| median(runs.iter().map(field));
        let (rate, p50, p99) = (of(|run| run.rate), of(|run| run.p50), of(|run| run.p99));
        let (client, server, wall) =
            (of(|run| run.client), of(|run| run.server), of(|run| run.wall));
        println!(
            "{:8}{rate:>10.0}{p50:>9.2}{p99:>9.2}{client:>11.1}{server:>11.1}{wall:>9.0}",
            format!("{tool:?}")
        );
    }
    let Some((ours, theirs)) = found.split_last() else { return };
    for (tool, theirs) in tools.iter().zip(theirs) {
        let ratio = |field: fn(&Run) -> f64| {
            median(ours.iter().zip(theirs).map(|(ours, theirs)| field(ours) / field(theirs)))
        };
        let (rate, client, wall) =
            (ratio(|run| run.rate), ratio(|run| run.client), ratio(|run| run.wall));
        println!(
            "ours to {tool:?}: {rate:.2} of the rate, {client:.2} of the processor time a request, {wall:.2} of the wall time"
        );
    }
}

/// How punctually a plan is kept.
fn plan() {
    let mut command = pinned(env!("CARGO_BIN_EXE_tminus"));
    command.args(["perf", "load", URL, "--format", "json", "--rate", "500"]);
    let found: Value =
        serde_json::from_str(&output(command.args(["--warm-up", "1s", "--duration", "10s"])))
            .unwrap();
    let lag = found["kept"]["lag"]["quantiles"].as_array().unwrap();
    let at = |share: f64| {
        let wanted = lag.iter().find(|it| it["share"].as_f64() == Some(share)).unwrap();
        wanted["seconds"].as_f64().unwrap() * 1e3
    };
    let max = found["kept"]["lag"]["max_seconds"].as_f64().unwrap() * 1e3;
    let busy = found["generator"]["busiest"].as_f64().unwrap() * 100.0;
    let (p50, p99) = (quantile(&found, 0.5), quantile(&found, 0.99));
    println!(
        "\nopen, 500/s: send lag p50 {:.3} ms, p99 {:.3} ms, max {max:.2} ms, {busy:.1} % of a core; \
         latency p50 {p50:.2} ms, p99 {p99:.2} ms",
        at(0.5),
        at(0.99)
    );
}

/// The most memory that it had.
fn memory() {
    for (clients, most) in [("100", 40), ("10000", 150)] {
        let mut command = pinned(env!("CARGO_BIN_EXE_tminus"));
        command.args(["perf", "load", URL, "--profile", "closed", "--clients", clients]);
        command.args(["--warm-up", "1ms", "--duration", "4s", "--format", "csv"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let mut peak = 0;
        while child.try_wait().unwrap().is_none() {
            let status =
                fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
            let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
            peak = peak.max(kib.unwrap_or(0));
            thread::sleep(Duration::from_millis(20));
        }
        println!("{clients} connections: {} MiB at most, wanted under {most}", peak / 1024);
    }
}

/// What a stop of so many milliseconds in the middle of ten seconds looks like to each.
///
/// Whoever falls due in it waits for its end, so that the true times need no measuring:
/// one in a hundred requests is as many as fall due in a tenth of a second.
fn stopped(server: &Server, tools: &[Tool], stop: u64) {
    println!(
        "\na stop of {stop} ms in 10 s at 2000/s, ms: the true p99 is {}, the max {stop}",
        stop - 100
    );
    let shown = |name: &str, tool: Tool, words: &[&str]| {
        if tools.contains(&tool) {
            let pause = server.pause(Duration::from_millis(stop));
            let Run { p50, p99, max, .. } = tool.run(words);
            pause.join().unwrap();
            println!("{name:32}p50 {p50:>7.2}  p99 {p99:>7.2}  max {max:>6.0}");
        }
    };
    let plan = ["--rate", "2000", "--warm-up", "1ms", "--duration", "10s"];
    shown("tminus --rate 2000", Tool::Tminus, &plan);
    let closed = ["--profile", "closed", "--warm-up", "1ms", "--duration", "10s"];
    shown("tminus --profile closed", Tool::Tminus, &closed);
    let theirs = ["-z", "10s", "-c", "100", "-q", "2000"];
    shown("oha -q 2000", Tool::Oha, &theirs);
    let corrected = [&theirs[..], &["--latency-correction"]].concat();
    shown("oha -q 2000 --latency-correction", Tool::Oha, &corrected);
    shown("wrk", Tool::Wrk, &["-d", "10s", "-c", "100", "-t", "1"]);
}

/// An nginx of our own with one worker. Ends when dropped.
struct Server {
    child: Child,
    folder: tempfile::TempDir,
}

impl Server {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = format!(
            "daemon off; master_process off; worker_processes 1; pid nginx.pid;\n\
             worker_rlimit_nofile 30000; error_log stderr crit;\n\
             events {{ worker_connections 20000; }}\n\
             http {{ access_log off; keepalive_requests 1000000000; client_body_temp_path b;\n\
             proxy_temp_path p; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;\n\
             server {{ listen 127.0.0.1:{PORT} backlog=4096; location / {{ return 200 \"ok\\n\"; }} }} }}\n"
        );
        fs::write(folder.path().join("nginx.conf"), config).unwrap();
        let mut command = Command::new("taskset");
        command.args(["-c", "0", "nginx", "-c", "nginx.conf", "-e", "stderr", "-p"]);
        let child = command.arg(folder.path()).stderr(Stdio::null()).spawn().unwrap();
        let server = Self { child, folder };
        let began = Instant::now();
        while std::net::TcpStream::connect(format!("127.0.0.1:{PORT}")).is_err() {
            assert!(began.elapsed() < Duration::from_secs(10), "nginx does not start");
            thread::sleep(Duration::from_millis(20));
        }
        server
    }

    /// Stands still for so long, in a while.
    fn pause(&self, stop: Duration) -> JoinHandle<()> {
        let pid = self.child.id().to_string();
        let signal = move |name: &str| {
            assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
        };
        thread::spawn(move || {
            thread::sleep(Duration::from_secs(4));
            signal("-STOP");
            thread::sleep(stop);
            signal("-CONT");
        })
    }

    /// Runs a client, and adds what both sides took of the processor.
    fn timed(&self, run: impl FnOnce() -> Run) -> Run {
        let pid = self.child.id().to_string();
        let (client, server, began) = (waited_for(), processor(&pid, 14), Instant::now());
        let run = run();
        let wall = began.elapsed().as_secs_f64() * 1e3;
        let server = (processor(&pid, 14) - server) / run.requests;
        Run { client: (waited_for() - client) / run.requests, server, wall, ..run }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        assert!(self.folder.path().exists());
    }
}
