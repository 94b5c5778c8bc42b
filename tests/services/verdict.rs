//! The program itself against real servers: the four exit codes, and the console
//! saying the same of the same state.

use crate::{
    postgres::cluster::{Cluster, Edition},
    redis::Server,
};
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use serde_json::Value;
use std::{
    fs,
    io::Read as _,
    path::PathBuf,
    process::{Command, Output},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::path};

/// In every configuration of these tests, and in no output.
const KEY: &str = "sk-marker-Qz81xw";

/// Real servers behind every blocker, and a home without anything else.
struct Staging {
    home: TempDir,
    redis: Server,
    _postgres: Arc<Cluster>,
    _providers: MockServer,
    config: String,
}

impl Staging {
    /// `None` where a server is not installed.
    async fn start(role: &str) -> Option<Self> {
        let postgres = Edition::Installed.shared()?;
        let url = postgres.role(role, &format!("GRANT pg_read_all_stats TO {role}")).await;
        let redis = Server::start(&[])?;
        let providers = providers().await;
        let config = format!(
            "[redis]\nurl = \"{}\"\n[database]\nurl = \"{url}\"\nconnect_limit = \"500ms\"\n\
             [apis.openai]\nkey = \"{KEY}\"\nurl = \"{base}/v1\"\n\
             [apis.google]\nkey = \"{KEY}\"\nurl = \"{base}/v1beta\"\n",
            redis.url(),
            base = providers.uri()
        );
        let home = tempfile::tempdir().unwrap();
        Some(Self { home, redis, _postgres: postgres, _providers: providers, config })
    }

    fn file(&self, further: &str) -> PathBuf {
        let file = self.home.path().join("tminus.toml");
        fs::write(&file, format!("{}{further}", self.config)).unwrap();
        file
    }

    /// `tminus check --format json` with `further` lines of configuration.
    fn check(&self, further: &str) -> (i32, Value) {
        let file = self.file(further);
        let output = tminus(&self.home)
            .args(["check", "--format", "json", "--config"])
            .arg(file)
            .output()
            .unwrap();
        assert_no_secret(&output);
        let text = String::from_utf8(output.stdout).unwrap();
        (output.status.code().unwrap(), serde_json::from_str(&text).unwrap_or_default())
    }
}

/// The program in an environment of its own.
fn tminus(home: &TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tminus"));
    command
        .env_clear()
        .env("HOME", home.path())
        .env("TERM", "xterm-256color")
        .env("LANG", "C.UTF-8");
    command.current_dir(home.path());
    command
}

fn assert_no_secret(output: &Output) {
    for text in [&output.stdout, &output.stderr] {
        let text = String::from_utf8_lossy(text);
        for secret in [KEY, crate::database::PASSWORD] {
            assert!(!text.contains(secret), "{secret} is in {text}");
        }
    }
}

/// `OpenAI` and Google AI as they answer to a key that they accept.
async fn providers() -> MockServer {
    let server = MockServer::start().await;
    let models = serde_json::json!({"object": "list", "data": [{"id": "gpt"}]});
    let openai = ResponseTemplate::new(200).set_body_json(models);
    Mock::given(path("/v1/models")).respond_with(openai).mount(&server).await;
    let models = serde_json::json!({"models": [{"name": "models/gemini"}]});
    let google = ResponseTemplate::new(200).set_body_json(models);
    Mock::given(path("/v1beta/models")).respond_with(google).mount(&server).await;
    server
}

/// Row 1 of the console with the same configuration, once it shows `word`.
fn console_shows(home: &TempDir, file: &PathBuf, word: &str) {
    let size = PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 };
    let pair = native_pty_system().openpty(size).unwrap();
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_tminus"));
    command.env_clear();
    for (name, value) in [("TERM", "xterm-256color"), ("LANG", "C.UTF-8")] {
        command.env(name, value);
    }
    command.env("HOME", home.path());
    command.cwd(home.path());
    command.arg("--config");
    command.arg(file);
    let mut child = pair.slave.spawn_command(command).unwrap();
    let screen =
        Arc::new(Mutex::new(vt100::Parser::new(24.try_into().unwrap(), 80.try_into().unwrap(), 0)));
    let (mut output, seen) = (pair.master.try_clone_reader().unwrap(), Arc::clone(&screen));
    thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(n @ 1..) = output.read(&mut bytes) {
            seen.lock().unwrap().process(&bytes[..n]);
        }
    });
    let mut keys = pair.master.take_writer().unwrap();
    let deadline = Instant::now() + Duration::from_mins(1);
    let mut asks_again = Instant::now() + Duration::from_secs(10);
    let wanted = format!(" {word} ");
    loop {
        let shown = screen.lock().unwrap().screen().contents();
        if shown.starts_with(&wanted) {
            break;
        }
        assert!(Instant::now() < deadline, "row 1 never said {word}:\n{shown}");
        if Instant::now() > asks_again {
            // What this host was too busy to see in time is looked at again in a minute, or now.
            keys.write_all(b"R").unwrap();
            asks_again = Instant::now() + Duration::from_secs(10);
        }
        thread::sleep(Duration::from_millis(50));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn real_servers_and_accepted_keys_are_go_and_exit_0() {
    let Some(staging) = Staging::start("go_role").await else { return };
    let (code, report) = staging.check("");
    assert_eq!((code, report["verdict"]["word"].as_str()), (0, Some("GO")), "{report:#}");
    console_shows(&staging.home, &staging.file(""), "GO");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_configured_is_no_go_and_exit_1() {
    let home = tempfile::tempdir().unwrap();
    let output = tminus(&home).args(["check", "--format", "json"]).output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(report["verdict"]["word"].as_str(), Some("NO-GO"), "{report:#}");
    let file = home.path().join("tminus.toml");
    fs::write(&file, "").unwrap();
    console_shows(&home, &file, "NO-GO");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_configuration_is_no_verdict_and_exit_2() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("tminus.toml");
    fs::write(&file, format!("[redis]\nurll = \"redis://:{KEY}@h\"\n[verdict]\nmin_score = 700\n"))
        .unwrap();
    for arguments in [&["check"][..], &[]] {
        let output = tminus(&home).args(arguments).arg("--config").arg(&file).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty());
        assert_no_secret(&output);
        let says = String::from_utf8(output.stderr).unwrap();
        for part in ["tminus.toml:2", "urll", "did you mean", "min_score"] {
            assert!(says.contains(part), "{part} is not in {says}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn too_little_known_is_hold_and_exit_3() {
    let Some(staging) = Staging::start("hold_role").await else { return };
    let strict = "[verdict]\nmin_coverage = 100\n";
    let (code, report) = staging.check(strict);
    assert_eq!((code, report["verdict"]["word"].as_str()), (3, Some("HOLD")), "{report:#}");
    assert_eq!(report["verdict"]["rule"].as_u64(), Some(3));
    console_shows(&staging.home, &staging.file(strict), "HOLD");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_dies_turns_go_into_no_go_and_back() {
    let Some(mut staging) = Staging::start("dies_role").await else { return };
    assert_eq!(staging.check("").0, 0);
    staging.redis.kill();
    let (code, report) = staging.check("");
    assert_eq!(code, 1, "{report:#}");
    let because = report["verdict"]["because"].to_string();
    assert!(because.contains("redis.connect"), "{because}");
    staging.redis.restart();
    assert_eq!(staging.check("").0, 0, "and GO again");
}
