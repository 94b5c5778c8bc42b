//! A release as a pipeline sees it: a small app, a real Redis, three versions; and an app
//! whose bad version only measurements tell from the good one.

use crate::{
    redis::Server,
    shop::{Shop, Version},
};
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

    fn run(&self, line: &str) -> (i32, String) {
        tminus(&self.home, line)
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

/// The good version, the bad one, and its mending.
const GOOD: Version = Version { name: "v1", millis: 5, is_bad: false };
const BAD: Version = Version { name: "v2", millis: 60, is_bad: true };
const MENDED: Version = Version { name: "v3", millis: 5, is_bad: false };

/// Runs the program in `home`: its exit code and what it printed.
fn tminus(home: &TempDir, line: &str) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tminus"));
    command.env_clear().env("HOME", home.path()).current_dir(home.path());
    let output = command.args(line.split_whitespace()).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

/// What has moved for the worse: the check, what of it, and how many times.
fn worse(document: &Value) -> Vec<(String, String, f64)> {
    let moved = document["shifts"]["moved"].as_array().unwrap().iter();
    let worse = moved.filter(|it| it["worse"] == true).map(|it| {
        let word = |key: &str| it[key].as_str().unwrap().to_owned();
        let number = |key: &str| it[key].as_f64().unwrap();
        (word("check"), word("gauge"), number("after") / number("before"))
    });
    worse.collect()
}

#[test]
fn a_version_that_is_slower_leaks_and_lost_a_metric_is_no_go_until_it_is_mended() {
    let (home, mut shop) = (tempfile::tempdir().unwrap(), Shop::start(GOOD));
    let (here, port) = (shop.url(), shop.port());
    // Loose where a busy host would be taken for the app: that it is slower is measured.
    let config = format!(
        "[performance]\nport = {port}\nurl = \"{here}/\"\nmetrics = \"{here}/metrics\"\n\
         memory_limit_mib = 48\nresponse_limit = \"3s\"\n\
         [app]\nname = \"shop\"\nversion = {{ url = \"{here}/version\" }}\n\
         [checks.\"performance.timing\"]\nweight = 0\nclass = \"info\"\n"
    );
    fs::write(home.path().join("tminus.toml"), config).unwrap();
    assert_eq!(tminus(&home, "check performance").0, 0);
    let (code, kept) = tminus(&home, "baseline save before performance");
    assert_eq!(code, 0, "{kept}");

    shop.deploy(BAD);
    let line = "check performance --baseline before --settle 1s --format json";
    // Long enough that the memory is read again once all pages were asked for.
    let (code, text) = tminus(&home, &format!("{line} --wait 15s"));
    let bad: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, &bad["verdict"]["rule"]), (1, &4.into()), "{}", bad["verdict"]);
    assert_eq!(bad["deploy"]["version"], "v2");
    let mut because: Vec<&str> = bad["verdict"]["because"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it.as_str().unwrap())
        .collect();
    because.sort_unstable();
    assert_eq!(because, ["performance.export", "performance.memory"]);
    let blockers = bad["blockers"].as_array().unwrap();
    let export = blockers.iter().find(|it| it["check"] == "performance.export").unwrap();
    assert_eq!(export["new"], true);
    let gone = "1 of 3 metrics gone since before: shop_orders_total";
    assert_eq!(export["summary"], gone);
    let worse = worse(&bad);
    let by = |check: &str, gauge: &str| {
        let found = worse.iter().find(|it| it.0 == check && it.1 == gauge);
        found.unwrap_or_else(|| panic!("{check} {gauge} in {}", bad["shifts"])).2
    };
    assert!(by("performance.response", "latency") > 1.5, "{worse:?}");
    assert!(by("performance.memory", "memory") > 1.5, "{worse:?}");
    assert_eq!(tminus(&home, "baseline save bad performance").0, 0);
    let (code, diff) = tminus(&home, "diff before bad");
    let told = |what: &str| diff.lines().any(|line| line == what);
    assert!(code == 1 && told("gone   performance.export           shop_orders_total"), "{diff}");
    assert!(diff.contains("new    performance.memory "), "{diff}");
    assert!(diff.contains("worse  performance.response         latency "), "{diff}");

    shop.deploy(MENDED);
    let (code, text) = tminus(&home, &format!("{line} --wait 2m"));
    let good: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, &good["verdict"]["word"]), (0, &"GO".into()), "{}", good["verdict"]);
    assert_eq!(good["deploy"]["version"], "v3");
    assert_eq!(tminus(&home, "baseline save after performance").0, 0);
    let (code, diff) = tminus(&home, "diff bad after");
    let fixed = |check: &str| diff.lines().any(|it| it.starts_with("fixed") && it.contains(check));
    assert!(code == 0 && fixed("performance.memory"), "{diff}");
}
