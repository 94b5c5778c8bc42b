//! `tminus perf redis` beside `redis-benchmark`: the same commands to the same server,
//! in turn, client and server each pinned to a core of its own. Then a freeze of a
//! second, as both report it.
//!
//! `cargo bench --bench redis`. Wanted of redis-benchmark's rate: 1.1 without a
//! pipeline and 0.95 with one of 16, there at no more processor time a command. Each
//! figure is a median of pairs run one after the other, first one and then the other
//! first: other work on the machine then falls on both.
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
    process::{Child, Command, Stdio},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

const PORT: &str = "7399";
const URL: &str = "redis://127.0.0.1:7399";
/// With a pipeline the server is what is busy, and how fast it is changes from second to
/// second on a shared machine: short runs, and many of them, tell it from the clients.
const ONE_BY_ONE: Shape = Shape { pipeline: "1", commands: "100000", pairs: 9 };
const IN_SIXTEENS: Shape = Shape { pipeline: "16", commands: "300000", pairs: 25 };
const KEYS: u64 = 10_000;
/// As long as the keys of the test, so that both send and receive as many bytes.
const KEY: &str = "tminus:{0123456789ab}:0123456789ab:load:";

/// Seconds that keys live that are set; about as long as ours.
const LIVES: &str = "660";

fn main() {
    let server = Server::start();
    for shape in [ONE_BY_ONE, IN_SIXTEENS] {
        for mix in ["get", "set"] {
            compare(&server, mix, shape);
        }
    }
    freeze(&server);
}

/// What is sent in a run, and how many pairs of runs count.
#[derive(Clone, Copy)]
struct Shape {
    pipeline: &'static str,
    commands: &'static str,
    pairs: usize,
}

/// What one run found. Times of a processor are in µs a command.
#[derive(Clone, Copy, Default)]
struct Run {
    commands: f64,
    rate: f64,
    p50: f64,
    p95: f64,
    p99: f64,
    max: f64,
    client: f64,
    server: f64,
}

fn compare(server: &Server, mix: &str, Shape { pipeline, commands, pairs }: Shape) {
    let before = load();
    let usual = ["--mix", mix, "--pipeline", pipeline, "--requests", commands];
    let arguments = [&usual[..], &["--warm-up", "500ms"]].concat();
    let theirs = || {
        server.fill();
        server.timed(|| benchmark(mix, pipeline, commands))
    };
    let ours = || {
        server.clear();
        server.timed(|| tminus(&arguments))
    };
    // The first pair warms everything up and does not count.
    let pairs = (0..=pairs).map(|round| {
        if round % 2 == 0 {
            return (theirs(), ours());
        }
        let ours = ours();
        (theirs(), ours)
    });
    let (theirs, ours): (Vec<Run>, Vec<Run>) = pairs.skip(1).unzip();
    println!("\n{mix}, pipeline {pipeline}: medians of {} pairs", ours.len());
    println!("load of the machine {before} before, {} after", load());
    println!(
        "{:17}{:>10}{:>9}{:>9}{:>11}{:>11}",
        "", "per s", "p50 ms", "p99 ms", "client µs", "server µs"
    );
    for (name, runs) in [("redis-benchmark", &theirs), ("tminus", &ours)] {
        let of = |field: fn(&Run) -> f64| median(runs.iter().map(field));
        let (rate, p50, p99) = (of(|run| run.rate), of(|run| run.p50), of(|run| run.p99));
        let (client, server) = (of(|run| run.client), of(|run| run.server));
        println!("{name:17}{rate:>10.0}{p50:>9.3}{p99:>9.3}{client:>11.2}{server:>11.2}");
    }
    let ratios = |field: fn(&Run) -> f64| {
        let mut ratios: Vec<f64> =
            ours.iter().zip(&theirs).map(|(ours, theirs)| field(ours) / field(theirs)).collect();
        ratios.sort_by(f64::total_cmp);
        ratios
    };
    let (rates, client) = (ratios(|run| run.rate), ratios(|run| run.client));
    let (rate, client) = (median(rates.iter().copied()), median(client.into_iter()));
    println!("{rate:.2} of its rate {rates:.2?}, {client:.2} of its processor time a command");
}

fn benchmark(mix: &str, pipeline: &str, commands: &str) -> Run {
    let (keys, key) = (KEYS.to_string(), format!("{KEY}__rand_int__"));
    let mut command = pinned("redis-benchmark");
    command.args(["-p", PORT, "-c", "50", "-n", commands, "-P", pipeline, "-r", &keys, "--csv"]);
    let text = output(match mix {
        "get" => command.args(["GET", &key]),
        _ => command.args(["SET", &key, "xxx", "EX", LIVES]),
    });
    let line = text.lines().last().unwrap();
    // After the name: rps, avg, min, p50, p95, p99, max; milliseconds.
    let mut last: Vec<f64> = line
        .rsplit("\",\"")
        .take(7)
        .map(|field| field.trim_matches('"').parse().unwrap())
        .collect();
    last.reverse();
    Run {
        commands: commands.parse().unwrap(),
        rate: last[0],
        p50: last[3],
        p95: last[4],
        p99: last[5],
        max: last[6],
        ..Run::default()
    }
}

fn tminus(arguments: &[&str]) -> Run {
    let mut command = pinned(env!("CARGO_BIN_EXE_tminus"));
    command.env("REDIS_URL", URL).args(["perf", "redis", "--format", "json"]).args(arguments);
    let found: Value = serde_json::from_str(&output(&mut command)).unwrap();
    let (total, latency) = (&found["total"], &found["total"]["latency"]);
    let at = |share| quantile(&found, share);
    Run {
        commands: found["receipt"]["sent"].as_f64().unwrap(),
        rate: total["per_second"].as_f64().unwrap(),
        p50: at(0.5),
        p95: at(0.95),
        p99: at(0.99),
        max: latency["max_seconds"].as_f64().unwrap() * 1e3,
        ..Run::default()
    }
}

/// What a freeze of a second in the middle of ten looks like to both.
fn freeze(server: &Server) {
    println!("\na freeze of 1 s in the middle of 10 s, ms");
    println!("{:17}{:>9}{:>9}{:>9}{:>9}", "", "p50", "p95", "p99", "max");
    let shown = |name: &str, run: Run, pause: JoinHandle<()>| {
        pause.join().unwrap();
        let Run { p50, p95, p99, max, .. } = run;
        println!("{name:17}{p50:>9.2}{p95:>9.2}{p99:>9.2}{max:>9.0}");
    };
    server.fill();
    let commands = format!("{:.0}", benchmark("get", "1", "100000").rate * 9.0);
    let pause = server.pause_in(Duration::from_secs(5));
    shown("redis-benchmark", benchmark("get", "1", &commands), pause);
    let usual = ["--mix", "get", "--duration", "10s", "--warm-up", "1s"];
    let pause = server.pause_in(Duration::from_secs(6));
    shown("tminus, closed", tminus(&usual), pause);
    let pause = server.pause_in(Duration::from_secs(6));
    shown("tminus, 1000/s", tminus(&[&usual[..], &["--rate", "1000"]].concat()), pause);
}

/// A redis-server of our own that keeps nothing. Ends when dropped.
struct Server(Child, tempfile::TempDir);

impl Server {
    fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut command = Command::new("taskset");
        command.args(["-c", "0", "redis-server", "--port", PORT, "--save", ""]);
        command.args(["--appendonly", "no", "--enable-debug-command", "no", "--dir"]);
        let child = command.arg(dir.path()).stdout(Stdio::null()).spawn().unwrap();
        let server = Self(child, dir);
        let began = Instant::now();
        while redis::Client::open(URL).unwrap().get_connection().is_err() {
            assert!(began.elapsed() < Duration::from_secs(10), "redis-server does not start");
            thread::sleep(Duration::from_millis(20));
        }
        server
    }

    /// Removes what the run before left: keys of others cost the server's caches, too.
    fn clear(&self) {
        redis::cmd("FLUSHALL").exec(&mut self.connection()).unwrap();
    }

    /// Writes what redis-benchmark reads or overwrites, with a time to live: our own test
    /// has such keys from its fill, and the server looks that time up at each command.
    fn fill(&self) {
        self.clear();
        let mut pipe = redis::pipe();
        for number in 0..KEYS {
            let set = pipe.cmd("SET").arg(format!("{KEY}{number:012}"));
            set.arg("xxx").arg("EX").arg(LIVES).ignore();
        }
        pipe.query::<()>(&mut self.connection()).unwrap();
    }

    fn connection(&self) -> redis::Connection {
        assert!(self.0.id() > 0);
        redis::Client::open(URL).unwrap().get_connection().unwrap()
    }

    /// Stands still for a second, in a while.
    fn pause_in(&self, after: Duration) -> JoinHandle<()> {
        let pid = self.0.id().to_string();
        let signal = move |name: &str| {
            assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
        };
        thread::spawn(move || {
            thread::sleep(after);
            signal("-STOP");
            thread::sleep(Duration::from_secs(1));
            signal("-CONT");
        })
    }

    /// Runs a client, and adds what both sides took of the processor.
    fn timed(&self, run: impl FnOnce() -> Run) -> Run {
        let (client, server) = (waited_for(), processor(&self.0.id().to_string(), 14));
        let run = run();
        let server = processor(&self.0.id().to_string(), 14) - server;
        let client = waited_for() - client;
        Run { client: client / run.commands, server: server / run.commands, ..run }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
        assert!(self.1.path().exists());
    }
}
