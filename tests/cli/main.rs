//! The program as a person or a pipeline meets it, in an environment of its own.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test of a process, in real time"
)]

mod accept;
mod baseline;
mod config;
mod deploy;
mod doctor;
mod explain;
mod formats;
mod history;
mod init;
mod report;
mod schema;
mod screenshot;

use assert_cmd::cargo::cargo_bin;
use std::{
    fs,
    io::{Read as _, Write as _},
    net::{Ipv4Addr, TcpListener, TcpStream},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// Part of every secret that a test plants.
const CANARY: &str = "hunter2";

/// A home with nothing in it, and a working directory below it.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("work")).unwrap();
        Self(home)
    }

    /// One with that file in the working directory.
    fn with(file: &str) -> Self {
        let home = Self::new();
        fs::write(home.file(), file).unwrap();
        fs::set_permissions(home.file(), fs::Permissions::from_mode(0o600)).unwrap();
        home
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("work/tminus.toml")
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(cargo_bin!("tminus"));
        command.args(line.split_whitespace()).env_clear().env("HOME", self.0.path());
        command.env("TZ", "UTC").env("PATH", "/usr/bin:/bin");
        command.current_dir(self.0.path().join("work")).stdin(Stdio::null());
        command
    }

    fn run(&self, line: &str) -> Ran {
        Ran::of(self.command(line).output().unwrap(), self)
    }

    /// Starts it with its output kept.
    fn spawn(&self, line: &str) -> Child {
        let mut command = self.command(line);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    fn log(&self) -> PathBuf {
        self.0.path().join(".local/state/tminus/tminus.log")
    }
}

/// What came of a run, with the home's path as `~`.
struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Ran {
    fn of(output: Output, home: &Home) -> Self {
        let text = |bytes: Vec<u8>| {
            let path = home.0.path().to_string_lossy().into_owned();
            String::from_utf8(bytes).unwrap().replace(&path, "~")
        };
        let Some(code) = output.status.code() else { panic!("it was killed: {output:?}") };
        Self { code, out: text(output.stdout), err: text(output.stderr) }
    }
}

fn signal(child: &Child, name: &str) {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

#[track_caller]
fn wait_until<T>(what: &str, mut met: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(found) = met() {
            return found;
        }
        assert!(Instant::now() < deadline, "never came: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn each_verdict_has_its_exit_code_whatever_the_format() {
    let go = Home::new();
    let no_go = Home::new();
    let hold = Home::with("[checks.\"monitoring.connect\"]\nclass = \"blocker\"");
    for format in ["human", "json", "junit", "tap", "markdown", "github", "nagios"] {
        let line = |selection: &str| format!("check {selection} --format {format}");
        assert_eq!(go.run(&line("resilience")).code, 0, "{format}");
        assert_eq!(no_go.run(&line("apis")).code, 1, "{format}");
        assert_eq!(no_go.run(&line("nothing")).code, 2, "{format}");
        assert_eq!(hold.run(&line("monitoring.connect")).code, 3, "{format}");
    }
}

#[test]
fn load_is_refused_where_it_is_not_allowed() {
    let home = Home::new();
    let run = |url: Option<&str>, line: &str| {
        let mut command = home.command(line);
        command.envs(url.map(|url| ("REDIS_URL", url)));
        Ran::of(command.output().unwrap(), &home)
    };
    let remote = run(Some("redis://:hunter2@192.0.2.1"), "perf redis");
    assert_eq!((remote.code, remote.out.as_str()), (2, ""));
    assert!(remote.err.contains("192.0.2.1:6379/0 is not on this machine"), "{}", remote.err);
    assert!(remote.err.contains("--allow-load") && !remote.err.contains(CANARY), "{}", remote.err);
    assert_eq!(run(None, "perf redis").code, 2, "there is nothing to test");
    let nobody = Some("redis://127.0.0.1:1");
    assert_eq!(run(nobody, "perf redis --clients 0").code, 2);
    let away = run(nobody, "perf redis");
    assert_eq!(away.code, 1);
    assert!(away.err.contains("connection refused by 127.0.0.1:1/0"), "{}", away.err);
}

#[test]
fn a_database_is_put_under_load_where_that_is_allowed() {
    let home = Home::new();
    let run = |url: Option<&str>, line: &str| {
        let mut command = home.command(line);
        command.envs(url.map(|url| ("DATABASE_URL", url)));
        Ran::of(command.output().unwrap(), &home)
    };
    let remote = run(Some("postgres://app:hunter2@192.0.2.1/app"), "perf db");
    assert_eq!((remote.code, remote.out.as_str()), (2, ""));
    assert!(remote.err.contains("192.0.2.1:5432/app is not on this machine"), "{}", remote.err);
    assert!(remote.err.contains("--allow-load") && !remote.err.contains(CANARY), "{}", remote.err);
    assert_eq!(run(None, "perf db --mix 0,0,0,0").code, 2);
    assert_eq!(run(None, "perf db --mix 1,2,3").code, 2);
    assert_eq!(run(Some("sqlite:///nowhere/app.db"), "perf db").code, 1);
    let brief = "perf db --clients 2 --rows 10 --no-steps --duration 200ms --warm-up 10ms";
    let embedded = run(None, brief);
    assert_eq!(embedded.code, 0, "{} {}", embedded.out, embedded.err);
    assert!(embedded.out.contains("counts agree: yes"), "{}", embedded.out);
}

#[test]
fn without_a_terminal_it_looks_once() {
    let ran = Home::new().run("");
    assert_eq!((ran.code, ran.err.as_str()), (1, ""));
    assert!(ran.out.lines().last().unwrap().starts_with("VERDICT  NO-GO  rule 2, "), "{}", ran.out);
    for id in ["redis", "database", "monitoring", "apis", "performance", "resilience"] {
        assert!(ran.out.lines().any(|line| line.starts_with(id)), "{id} is not in\n{}", ran.out);
    }
}

#[test]
fn each_format_is_what_it_says() {
    let home = Home::new();
    let json: serde_json::Value =
        serde_json::from_str(&home.run("check resilience --format json").out).unwrap();
    assert_eq!((&json["verdict"]["word"], &json["schema_version"]), (&"GO".into(), &1.into()));
    let junit = home.run("check resilience --format junit").out;
    let report = quick_junit::Report::deserialize_from_str(&junit).unwrap();
    assert_eq!((report.tests, report.failures, report.errors), (5, 0, 0));
    let colored = home.run("check resilience --color always").out;
    assert!(colored.contains("\u{1b}[32mGO\u{1b}[0m"), "{colored}");
    assert!(!home.run("check resilience").out.contains('\u{1b}'));
}

#[test]
fn several_formats_go_to_several_places() {
    let home = Home::new();
    let summary = home.0.path().join("summary.md");
    let mut check = home.command(
        "check resilience --format junit=out.xml --format github --format markdown=out.md",
    );
    check.env("GITHUB_STEP_SUMMARY", &summary);
    let ran = Ran::of(check.output().unwrap(), &home);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert!(ran.out.starts_with("::notice title=T-minus%3A GO::rule 5, "), "{}", ran.out);
    let read = |path: &Path| fs::read_to_string(path).unwrap();
    let work = home.0.path().join("work");
    assert!(read(&work.join("out.xml")).starts_with("<?xml"));
    assert_eq!(read(&work.join("out.md")), read(&summary));
    for (line, word) in [
        ("check resilience --format tap --format json", "2 formats would share"),
        ("check resilience --format tap=none/x", "none/x: "),
        ("check --format tapp", "did you mean tap?"),
    ] {
        let ran = home.run(line);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{line}: {}", ran.err);
        assert!(ran.err.contains(word), "{line}: {}", ran.err);
    }
}

#[test]
fn a_pipeline_chooses_how_strict_it_is_and_whose_codes_it_reads() {
    let home = Home::with("[checks.\"apis.openai_key\"]\nclass = \"minor\"");
    let code = |line: &str| home.run(&format!("check {line}")).code;
    assert_eq!(code("resilience --strict"), 0);
    assert_eq!(code("apis.openai_key resilience"), 0, "it is on the checklist only");
    assert_eq!(code("apis.openai_key resilience --strict"), 4);
    assert_eq!(code("apis.openai_key resilience --min-score 100"), 1);
    assert_eq!(code("apis.openai_key resilience --exit-style nagios"), 1);
    assert_eq!(code("redis.connect --exit-style nagios"), 2);
    assert_eq!(code("nothing --exit-style nagios"), 3, "an error is UNKNOWN there");
    assert_eq!(code("resilience --exit-style nagios --format nagios"), 0);
}

#[test]
fn the_list_names_every_check_that_a_run_would_have() {
    let home = Home::new();
    let check = home.run("check --format json").out;
    let check: serde_json::Value = serde_json::from_str(&check).unwrap();
    let all = check["integrations"].as_array().unwrap().iter();
    let all = all.flat_map(|it| it["checks"].as_array().unwrap());
    let ids: Vec<&str> = all.map(|check| check["id"].as_str().unwrap()).collect();
    let list: serde_json::Value =
        serde_json::from_str(&home.run("list --format json").out).unwrap();
    let listed = list.as_array().unwrap().iter();
    assert_eq!(listed.map(|it| it["id"].as_str().unwrap()).collect::<Vec<_>>(), ids);
    assert_eq!(home.run("list redis.lock").out.lines().count(), 3, "a title and what lock needs");
}

#[test]
fn a_wrong_command_line_is_one_sentence_and_no_verdict() {
    let home = Home::new();
    for (line, word) in [
        ("chekc", "a similar subcommand exists: 'check'"),
        ("check databse", "did you mean database?"),
        ("check --wait soon", "write it as 30s, 5m or 1h"),
        ("check --metrics-listen here", "invalid"),
        ("-c none.toml", "none.toml: cannot be read: it does not exist"),
        ("-c .", ".: cannot be read: it is a directory"),
    ] {
        let ran = home.run(line);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{line}");
        assert!(ran.err.contains(word), "{line}: {}", ran.err);
    }
}

#[test]
fn a_log_that_cannot_be_written_stops_nothing() {
    let home = Home::new();
    for (place, word) in
        [("/dev/full", "the disk is full"), ("/none/t.log", "its folder does not exist")]
    {
        let ran = home.run(&format!("check resilience --log-file {place}"));
        assert_eq!(ran.code, 0);
        assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
        assert!(ran.err.contains(word), "{}", ran.err);
    }
    let mut blocked = home.command("check resilience");
    let ran = Ran::of(blocked.env("XDG_STATE_HOME", "/dev/null").output().unwrap(), &home);
    assert_eq!((ran.code, ran.err.lines().count()), (0, 1), "{}", ran.err);
}

#[test]
fn no_secret_is_in_anything_that_it_writes() {
    let port = free_port();
    let closed = format!("127.0.0.1:{port}");
    let home = Home::with(&format!(
        "[monitoring]\nprometheus = \"http://u:hunter2-prom@{closed}\"\n\
         [performance]\nurl = \"http://u:hunter2-app@{closed}/?token=hunter2-token\"\n\
         [apis.openai]\nurl = \"http://{closed}\"\n[apis.google]\nurl = \"http://{closed}\"\n\
         [apis.github]\nurl = \"http://{closed}\"\nkey = \"hunter2-github\"\n"
    ));
    for line in ["check", "check --format json", "check --format junit", "config show"] {
        let mut command = home.command(line);
        command
            .env("TMINUS_LOG", "trace,hyper=trace,reqwest=trace,sqlx=trace,redis=trace")
            .env("REDIS_URL", format!("redis://u:hunter2-redis@{closed}"))
            .env("DATABASE_URL", format!("postgres://u:hunter2-db@{closed}/app"))
            .env("OPENAI_API_KEY", "hunter2-openai")
            .env("GEMINI_API_KEY", "hunter2-gemini");
        let ran = Ran::of(command.output().unwrap(), &home);
        assert!(!ran.out.contains(CANARY), "{line}: {}", ran.out);
        assert!(!ran.err.contains(CANARY), "{line}: {}", ran.err);
    }
    let log = fs::read_to_string(home.log()).unwrap();
    assert!(log.lines().count() > 3, "nothing was logged: {log}");
    assert!(!log.contains(CANARY) && !log.contains('\u{1b}'), "{log}");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o077;
    assert_eq!((mode(&home.log()), mode(home.log().parent().unwrap())), (0, 0));
}

#[test]
fn a_signal_ends_it_with_its_own_code_and_without_a_verdict() {
    for (name, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        let home = Home::new();
        let mut child = home.spawn("check --wait 10m");
        let mut first = [0; 1];
        // It says how it stands once it has looked.
        child.stderr.as_mut().unwrap().read_exact(&mut first).unwrap();
        let began = Instant::now();
        signal(&child, name);
        let ran = Ran::of(child.wait_with_output().unwrap(), &home);
        assert_eq!((ran.code, ran.out.as_str()), (code, ""), "{}", ran.err);
        assert!(ran.err.ends_with("interrupted, so there is no verdict\n"), "{}", ran.err);
        assert!(began.elapsed() < Duration::from_secs(4), "it took its time to go");
    }
}

#[test]
fn a_reader_that_has_gone_away_is_no_error() {
    let home = Home::new();
    let mut child = home.spawn("check resilience --format json");
    drop(child.stdout.take());
    let ran = Ran::of(child.wait_with_output().unwrap(), &home);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
}

#[test]
fn metrics_are_served_beside_a_long_look() {
    let home = Home::new();
    let port = free_port();
    let child = home.spawn(&format!("check redis --wait 10m --metrics-listen 127.0.0.1:{port}"));
    let scraped = wait_until("a scrape with a verdict", || {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()?;
        stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        answer.contains("tminus_verdict{word=\"no_go\"} 1").then_some(answer)
    });
    assert!(scraped.contains("tminus_integration_status{integration=\"redis\""), "{scraped}");
    let second = home.run(&format!("check resilience --metrics-listen 127.0.0.1:{port}"));
    assert_eq!(second.code, 2);
    assert!(second.err.contains("another program listens there"), "{}", second.err);
    signal(&child, "TERM");
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(143));
}
