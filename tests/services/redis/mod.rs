//! The integration `redis` against real servers, against servers that are made
//! to fail, and against what is no server at all.

mod acl;
mod broken;
mod budget;
mod commands;
mod healthy;
mod hostile;
mod killed;
mod leak;
mod matrix;
mod metrics;
mod mutants;
mod perf;
mod pubsub;
mod socket;
mod tls;
mod topology;
mod transient;

use crate::support::{Process, binary, free_port, wait_until};
use redis::{Client, Connection, FromRedisValue};
use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tminus::{
    domain::{Cause, Finding, IntegrationId, Mark, Outcome, Skip},
    integrations::redis::{Duty, Redis, Settings},
    probe::{Cx, Integration as _, Safety, isolate},
    secret::Secret,
};
use tokio_util::sync::CancellationToken;

/// All checks.
const ALL: [&str; 11] = [
    "connect",
    "commands",
    "instance",
    "topology",
    "cache",
    "lock",
    "session",
    "ratelimit",
    "queue",
    "pubsub",
    "metrics",
];
/// The checks that write.
const WRITING: [&str; 5] = ["cache", "lock", "session", "ratelimit", "queue"];
/// Those of them that a full server cannot pass, and what is said then.
const NEEDING_ROOM: [(&str, &str); 4] = [
    ("cache", "fills refused: memory full; hits work"),
    ("lock", "acquire refused: memory full; held locks stay"),
    ("session", "create refused: memory full; loads work"),
    ("queue", "enqueue refused: memory full; claim works"),
];

/// A redis-server of our own. Ends when dropped.
pub(crate) struct Server {
    process: Process,
    port: u16,
    dir: TempDir,
    options: Vec<String>,
}

impl Server {
    /// Starts one and waits until it answers something; `None` where it is not installed.
    pub(crate) fn start(options: &[&str]) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let options = options.iter().map(ToString::to_string).collect();
        Self::start_in(dir, free_port(), options)
    }

    fn start_in(dir: TempDir, port: u16, options: Vec<String>) -> Option<Self> {
        let binary = binary("redis-server")?;
        let process = Process::start(&mut command(&binary, port, dir.path(), &options));
        let server = Self { process, port, dir, options };
        wait_until("an answer of redis-server", || server.answers());
        Some(server)
    }

    /// Ends its process as a crash would.
    pub(crate) fn kill(&mut self) {
        self.process.signal("KILL");
        wait_until("the end of redis-server", || !self.answers());
    }

    /// The same server once more, after its process has ended.
    pub(crate) fn restart(&mut self) {
        let path = binary("redis-server").unwrap();
        self.process =
            Process::start(&mut command(&path, self.port, self.dir.path(), &self.options));
        wait_until("an answer after the restart", || self.answers());
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// What it is called where it is shown.
    fn name(&self) -> String {
        format!("127.0.0.1:{}/0", self.port)
    }

    fn answers(&self) -> bool {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) else {
            return false;
        };
        stream.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
        stream.write_all(b"PING\r\n").is_ok() && stream.read(&mut [0; 8]).is_ok_and(|n| n > 0)
    }

    fn connection(&self) -> Connection {
        Client::open(self.url()).unwrap().get_connection().unwrap()
    }

    /// Asks it what the test wants to know or to change.
    pub(crate) fn ask<T: FromRedisValue>(&self, words: &[&str]) -> T {
        let mut command = redis::cmd(words[0]);
        command.arg(&words[1..]).query(&mut self.connection()).unwrap()
    }

    /// The keys of ours that are there, with their times to live.
    fn keys(&self) -> Vec<(String, i64)> {
        keys_over(&mut self.connection())
    }

    fn settings(&self) -> Settings {
        at(&self.url())
    }
}

/// The keys of ours, as somebody who may see them all does.
fn keys_over(connection: &mut Connection) -> Vec<(String, i64)> {
    let keys: Vec<String> = redis::cmd("KEYS").arg("tminus:*").query(connection).unwrap();
    let mut left = |key: &String| redis::cmd("PTTL").arg(key).query(connection).unwrap();
    let lives: Vec<i64> = keys.iter().map(&mut left).collect();
    // One may expire between the two questions.
    keys.into_iter().zip(lives).filter(|(_, left)| *left != -2).collect()
}

fn command(binary: &Path, port: u16, dir: &Path, options: &[String]) -> Command {
    let mut command = Command::new(binary);
    command.current_dir(dir).args(["--port", &port.to_string(), "--bind", "127.0.0.1"]);
    command.args(["--save", "", "--appendonly", "no", "--daemonize", "no"]).args(options);
    command
}

/// With a limit that a busy host keeps to as well: how it is judged is tested without a server.
fn at(url: &str) -> Settings {
    let ping_limit = Duration::from_millis(200);
    // What our servers hold need not outlast them.
    let roles = vec![Duty::Cache];
    Settings { url: Some(Secret::new(url)), ping_limit, roles, ..Settings::default() }
}

fn watch(settings: Settings) -> Redis {
    Redis::new(IntegrationId::new("redis").unwrap(), settings, Safety::default())
}

/// Runs a check as the engine does: with its timeout, and every end a finding.
async fn run(redis: &Redis, name: &str) -> Finding {
    let cx = Cx::default();
    let specs = redis.checks();
    let index = specs.iter().position(|spec| spec.name == name).unwrap();
    let began = Instant::now();
    let ending = isolate(redis.run(index, &cx), specs[index].timeout, &cx.cancel).await;
    let finding = Finding::from(ending);
    let allowed = specs[index].timeout + Duration::from_millis(500);
    assert!(began.elapsed() < allowed, "{name} took {:?}", began.elapsed());
    well_formed(name, &finding);
    finding
}

/// Runs a check until this host gave it the time that it needs to be exact.
async fn run_fairly(redis: &Redis, name: &str) -> Finding {
    for _ in 0..10 {
        let finding = run(redis, name).await;
        match finding.outcome {
            Outcome::Warn if name == "instance" => return finding,
            Outcome::Warn | Outcome::Unknown(Cause::Starved) => {
                eprintln!("{name} once more: {}", finding.summary);
            }
            Outcome::Pass | Outcome::Fail | Outcome::Blocked(_) | Outcome::Skipped(_) => {
                return finding;
            }
            Outcome::Unknown(_) => return finding,
        }
    }
    panic!("this host is too busy to run {name}");
}

/// What must be so of every finding, however hostile the server.
fn well_formed(name: &str, finding: &Finding) {
    let mut copy = finding.clone();
    for text in copy.texts_mut() {
        assert!(!text.chars().any(char::is_control), "{name} lets through {text:?}");
        assert!(text.chars().count() < 3000, "{name} says far too much");
    }
    assert!(!finding.summary.is_empty(), "{name} says nothing");
    if matches!(finding.outcome, Outcome::Fail | Outcome::Unknown(_)) {
        assert!(finding.remedy.is_some(), "{name} does not say what to do: {finding:?}");
        assert!(!finding.evidence.asked.is_empty(), "{name} does not say what it asked");
        assert!(!finding.evidence.wanted.is_empty(), "{name} does not say what it wanted");
        assert!(!finding.evidence.reply.is_empty(), "{name} does not say what came");
    }
}

/// The check passes. The servers that there are to test with may be past their support,
/// which is a warning, and the only one.
#[track_caller]
fn assert_well(name: &str, finding: &Finding) {
    let rows = finding.evidence.grid.iter().flat_map(|grid| &grid.rows);
    let mut bad = rows.filter(|row| matches!(row.mark, Mark::Warn | Mark::Fail));
    let old = name == "instance" && bad.all(|row| row.cells[0] == "version");
    assert!(
        finding.outcome == Outcome::Pass || (finding.outcome == Outcome::Warn && old),
        "{name}: {}",
        finding.summary
    );
}

#[track_caller]
fn assert_is(finding: &Finding, outcome: &Outcome, summary: &str) {
    assert_eq!(finding.outcome, *outcome, "{}", finding.summary);
    assert!(
        finding.summary.starts_with(summary),
        "{:?} does not begin with {summary:?}",
        finding.summary
    );
}

#[track_caller]
fn assert_fails(finding: &Finding, summary: &str) {
    assert_is(finding, &Outcome::Fail, summary);
}
