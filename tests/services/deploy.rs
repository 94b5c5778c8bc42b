//! A release as a pipeline sees it: a small app, a real Redis, three versions.

use crate::redis::Server;
use serde_json::Value;
use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpListener,
    process::Command,
    sync::{Arc, Mutex},
    thread,
};
use tempfile::TempDir;

/// An app that says its version and how it is. Its thread ends with the test.
#[derive(Clone)]
struct App {
    port: u16,
    /// Its version, and what it answers to a question after its health.
    serves: Arc<Mutex<(&'static str, u16)>>,
}

impl App {
    fn start(version: &'static str, health: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let app = Self { port, serves: Arc::new(Mutex::new((version, health))) };
        let serves = Arc::clone(&app.serves);
        thread::spawn(move || {
            for peer in listener.incoming() {
                let Ok(mut peer) = peer else { continue };
                let mut asked = [0; 512];
                let length = peer.read(&mut asked).unwrap_or(0);
                let health = asked[..length].starts_with(b"GET /health");
                let (version, status) = *serves.lock().unwrap();
                let (status, body) = if health { (status, "{}") } else { (200, version) };
                let answer = format!(
                    "HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
                    body.len()
                );
                // A client that has gone away has seen enough.
                let _gone = peer.write_all(answer.as_bytes());
            }
        });
        app
    }

    fn deploy(&self, version: &'static str, health: u16) {
        *self.serves.lock().unwrap() = (version, health);
    }
}

/// The program, the app and the Redis that it needs.
struct Release {
    home: TempDir,
    app: App,
    redis: Server,
}

impl Release {
    fn start() -> Option<Self> {
        let redis = Server::start(&[])?;
        let (home, app) = (tempfile::tempdir().unwrap(), App::start("v1", 500));
        let here = format!("http://127.0.0.1:{}", app.port);
        let config = format!(
            "[redis]\nurl = \"{}\"\n[performance]\nurl = \"{here}/health\"\n\
             [app]\nname = \"shop\"\nversion = {{ url = \"{here}/version\" }}\n\
             [checks.\"performance.response\"]\nclass = \"blocker\"\n",
            redis.url()
        );
        fs::write(home.path().join("tminus.toml"), config).unwrap();
        Some(Self { home, app, redis })
    }

    /// Runs the program: its exit code and what it printed.
    fn run(&self, line: &str) -> (i32, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tminus"));
        command.env_clear().env("HOME", self.home.path()).current_dir(self.home.path());
        let output = command.args(line.split_whitespace()).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    }

    fn check(&self, line: &str) -> (i32, Value) {
        let (code, text) =
            self.run(&format!("check redis performance.response --format json {line}"));
        (code, serde_json::from_str(&text).unwrap())
    }
}

/// The checks of the blockers that are new, or known.
fn told(document: &Value, new: bool) -> Vec<&str> {
    let blockers = document["blockers"].as_array().unwrap().iter();
    let blockers = blockers.filter(|it| it["class"] == "blocker" && it["new"] == new);
    blockers.map(|it| it["check"].as_str().unwrap()).collect()
}

#[test]
fn a_bad_version_is_told_from_what_was_bad_and_its_mending_is_go() {
    let Some(release) = Release::start() else { return };
    let (code, before) = release.check("");
    assert_eq!(
        (code, &before["app"]["version"], &before["deploy"]),
        (1, &"v1".into(), &Value::Null)
    );
    let (code, kept) = release.run("baseline save before redis performance.response");
    assert_eq!(code, 0, "{kept}");

    release.app.deploy("v2", 500);
    let _: () = release.redis.ask(&["CONFIG", "SET", "min-replicas-to-write", "1"]);
    let (code, bad) = release.check("--baseline before");
    assert_eq!((code, &bad["verdict"]["word"]), (1, &"NO-GO".into()));
    assert_eq!((&bad["deploy"]["version"], &bad["deploy"]["was"]), (&"v2".into(), &"v1".into()));
    assert_eq!(told(&bad, false), ["performance.response"]);
    let new = told(&bad, true);
    assert!(!new.is_empty() && new.iter().all(|check| check.starts_with("redis.")), "{new:?}");
    let reason = bad["verdict"]["reason"].as_str().unwrap();
    assert_eq!(reason, format!("{} blockers, {} new", new.len() + 1, new.len()));
    assert_eq!(release.run("baseline save bad redis performance.response").0, 0);
    let (code, diff) = release.run("diff before bad");
    assert!(code == 1 && diff.contains(&format!("new    {}", new[0])), "{diff}");

    release.app.deploy("v3", 200);
    let _: () = release.redis.ask(&["CONFIG", "SET", "min-replicas-to-write", "0"]);
    let (code, held) = release.check("--baseline before");
    assert_eq!(code, 3, "{held}");
    assert_eq!(held["verdict"]["reason"], "settling for 5m after the deploy");
    assert_eq!(held["deploy"]["version"], "v3");
    let (code, good) = release.check("--baseline before --since deploy --settle 1s --wait 2m");
    assert_eq!((code, &good["verdict"]["word"]), (0, &"GO".into()), "{}", good["verdict"]);
    assert_eq!(release.run("baseline save after redis performance.response").0, 0);
    let (code, diff) = release.run("diff before after");
    assert!(code == 0 && diff.contains("fixed  performance.response"), "{diff}");
}
