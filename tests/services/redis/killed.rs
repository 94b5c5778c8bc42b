//! Runs that are killed, dropped or frozen, and the cleaning after them.

use super::*;
use serde_json::Value;
use std::{
    fs,
    process::{Child, Output, Stdio},
    thread::sleep,
};
use tokio::time::timeout;

const ROOM: &[&str] = &["--maxmemory", "100mb", "--maxmemory-policy", "noeviction"];

/// Runs to be killed in the middle, how many run at the same time, and at how many to give up.
const KILLS: usize = 20;
const AT_ONCE: usize = 5;
const LAUNCHES: usize = 100;

/// The program in a home of its own, looking at one server.
pub(super) fn tminus(home: &Path, url: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tminus"));
    command.env_clear().env("HOME", home).env("REDIS_URL", url).current_dir(home);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn spawned(home: &Path, url: &str, arguments: &[&str]) -> Child {
    tminus(home, url, arguments).spawn().unwrap()
}

pub(super) fn output(home: &Path, url: &str, arguments: &[&str]) -> Output {
    tminus(home, url, arguments).stdout(Stdio::piped()).output().unwrap()
}

fn signal(child: &Child, name: &str) {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
}

/// The names of the runs that have an entry in the state directory.
fn entries(home: &Path) -> Vec<String> {
    let runs = fs::read_dir(home.join(".local/state/tminus/runs"));
    let names = runs.into_iter().flatten().map(|entry| entry.unwrap().path());
    let whole = names.filter(|path| path.extension().is_some_and(|end| end == "json"));
    whole.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

/// How many keys of ours there are; each has to expire.
fn expiring(server: &Server) -> usize {
    let keys = server.keys();
    for (key, left) in &keys {
        assert!((0..=60_000).contains(left), "{key} lives for {left} ms");
    }
    keys.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn runs_killed_or_dropped_anywhere_leave_nothing_a_minute_later() {
    let Some(server) = Server::start(ROOM) else { return };
    let home = tempfile::tempdir().unwrap();
    let (mut seen, mut launched) = (0, 0);
    // A run that ends well takes its entry away: one that stays was killed in the middle.
    while entries(home.path()).len() < KILLS {
        assert!(launched < LAUNCHES, "{launched} runs and too few of them killed");
        let more = (KILLS - entries(home.path()).len()).min(AT_ONCE);
        let check = |_| spawned(home.path(), &server.url(), &["check", "redis"]);
        let mut runs: Vec<Child> = (0..more).map(check).collect();
        launched += more;
        for child in &mut runs {
            sleep(Duration::from_millis(fastrand::u64(..400)));
            seen += expiring(&server);
            drop(child.kill());
            drop(child.wait());
            seen += expiring(&server);
        }
    }
    let killed = entries(home.path()).len();
    let redis = watch(server.settings());
    let cx = Cx::default();
    for _ in 0..50 {
        let index = fastrand::usize(..redis.checks().len());
        let allowed = Duration::from_micros(fastrand::u64(..1_000_000));
        drop(timeout(allowed, redis.run(index, &cx)).await);
        seen += expiring(&server);
    }
    drop(redis);
    assert!(seen > 0, "nothing was killed while it had keys, so this proved nothing");
    wait_until("the end of all connections", || {
        !server.ask::<String>(&["CLIENT", "LIST"]).contains("name=tminus:")
    });
    let began = Instant::now();
    let left = expiring(&server);
    while expiring(&server) > 0 {
        assert!(began.elapsed() < Duration::from_secs(62), "{:?}", server.keys());
        sleep(Duration::from_millis(500));
    }
    eprintln!(
        "{launched} runs, {killed} killed in the middle, 50 dropped: {seen} keys seen, 0 without \
         a time to live, {left} after the last, 0 after {:.0?}",
        began.elapsed()
    );
    assert_eq!(killed, KILLS, "each killed in the middle of its run");
}

#[test]
fn cleaning_removes_what_the_dead_left_and_nothing_of_the_living() {
    let Some(server) = Server::start(ROOM) else { return };
    let home = tempfile::tempdir().unwrap();
    let (home, url) = (home.path(), server.url());
    // Without keys for the APIs it is never GO, so this one goes on.
    let mut living = spawned(home, &url, &["check", "--wait", "5m"]);
    wait_until("the entry of a run", || entries(home).len() == 1);
    let id = entries(home).remove(0);
    let mut killed = spawned(home, &url, &["check", "redis"]);
    wait_until("a second entry", || entries(home).len() == 2);
    drop(killed.kill());
    drop(killed.wait());
    let dead = entries(home).into_iter().find(|entry| *entry != id).unwrap();
    let tag = "0123456789ab";
    let key = |run: &str| format!("tminus:{{{tag}}}:{run}:lock:l1");
    let (of_living, of_dead) = (key(&id), key(&dead));
    let (of_nobody, elsewhere) = (key("ffffffffffff"), key("eeeeeeeeeeee"));
    for name in [of_living.as_str(), &of_dead, &of_nobody, "tminus:settings"] {
        server.ask::<()>(&["SET", name, "x"]);
    }
    server.ask::<()>(&["SET", &elsewhere, "x", "EX", "50"]);

    let cleaned = output(home, &url, &["clean", "--format", "json"]);
    assert_eq!(cleaned.status.code(), Some(0), "{cleaned:?}");
    let receipt: Value = serde_json::from_slice(&cleaned.stdout).unwrap();
    let sweep = &receipt["receipts"][0]["sweep"];
    assert!(sweep["removed"].as_u64().unwrap() >= 2 && sweep["left"] == 0, "{receipt}");
    assert!(sweep["living"].as_u64().unwrap() >= 1, "{receipt}");
    assert_eq!(receipt["killed"][0]["run"], *dead);
    assert_eq!(receipt["killed"][0]["cleaned"], true);
    let exist = |name: &str| server.ask::<u64>(&["EXISTS", name]) == 1;
    assert!(!exist(&of_dead) && !exist(&of_nobody), "a key that never expires is nobody's wish");
    assert!(exist(&of_living) && exist(&elsewhere) && exist("tminus:settings"));
    assert_eq!(entries(home), [id], "the dead run is forgotten");

    drop(living.kill());
    drop(living.wait());
    let told = tminus(home, &url, &["check", "redis.connect"]).stderr(Stdio::piped()).output();
    let told = String::from_utf8(told.unwrap().stderr).unwrap();
    assert!(told.contains("1 earlier run was killed: `tminus clean`"), "{told}");
    let cleaned = output(home, &url, &["clean"]);
    assert_eq!(cleaned.status.code(), Some(0));
    assert!(!exist(&of_living) && entries(home).is_empty());
    assert!(String::from_utf8(cleaned.stdout).unwrap().contains("nothing is left of it"));
}

/// Starts a test of 30 s with 500 keys, which live a minute longer, and waits for the keys.
fn loading(home: &Path, server: &Server) -> Child {
    let test =
        spawned(home, &server.url(), &["perf", "redis", "--keys", "500", "--duration", "30s"]);
    wait_until("the keys of the test", || server.ask::<u64>(&["DBSIZE"]) == 500);
    test
}

#[test]
fn a_killed_performance_test_leaves_what_expires_and_is_cleaned() {
    let Some(server) = Server::start(ROOM) else { return };
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let mut test = loading(home, &server);
    drop(test.kill());
    drop(test.wait());
    let keys = server.keys();
    assert_eq!((keys.len(), entries(home).len()), (500, 1));
    for (key, left) in keys {
        assert!((0..=92_000).contains(&left), "{key} lives for {left} ms");
    }
    let cleaned = output(home, &server.url(), &["clean"]);
    assert!(String::from_utf8(cleaned.stdout).unwrap().contains("500 of 500 removed, 0 left"));
    assert_eq!((server.keys().len(), entries(home).len()), (0, 0));
}

#[test]
fn an_interrupted_performance_test_tidies_up_unless_it_is_told_twice() {
    let Some(server) = Server::start(ROOM) else { return };
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let mut test = loading(home, &server);
    signal(&test, "INT");
    assert_eq!(test.wait().unwrap().code(), Some(130));
    assert_eq!((server.keys().len(), entries(home).len()), (0, 0));

    let mut test = loading(home, &server);
    server.process.signal("STOP");
    signal(&test, "TERM");
    sleep(Duration::from_millis(300));
    assert_eq!(test.try_wait().unwrap(), None, "it waits for the server to remove its keys");
    let told = Instant::now();
    signal(&test, "INT");
    assert_eq!(test.wait().unwrap().code(), Some(143));
    let took = told.elapsed();
    server.process.signal("CONT");
    assert!(took < Duration::from_secs(3), "{took:?}");
    assert_eq!(entries(home).len(), 1, "whoever cleans knows of it");
}

#[test]
fn nobody_cleans_where_nobody_may_write_or_nothing_answers() {
    let home = tempfile::tempdir().unwrap();
    let remote = output(home.path(), "redis://192.0.2.1", &["clean"]);
    assert_eq!(remote.status.code(), Some(0));
    assert!(String::from_utf8(remote.stdout).unwrap().contains("pass --allow-writes"));
    let away = output(home.path(), "redis://127.0.0.1:1", &["clean"]);
    assert_eq!(away.status.code(), Some(3));
    assert!(String::from_utf8(away.stdout).unwrap().contains("connection refused"));
}

#[test]
fn who_ends_well_leaves_no_entry_and_no_key() {
    let Some(server) = Server::start(ROOM) else { return };
    let home = tempfile::tempdir().unwrap();
    assert!(output(home.path(), &server.url(), &["check", "redis"]).status.code().is_some());
    assert_eq!((entries(home.path()), server.keys()), (vec![], vec![]));
    // Interrupted in the middle, it still has two seconds to tidy up.
    let mut child = spawned(home.path(), &server.url(), &["check", "redis"]);
    wait_until("keys, or the end", || {
        !server.keys().is_empty() || child.try_wait().unwrap().is_some()
    });
    if child.try_wait().unwrap().is_none() {
        signal(&child, "INT");
    }
    child.wait().unwrap();
    assert_eq!((entries(home.path()), server.keys()), (vec![], vec![]));
}

#[test]
fn a_console_that_was_frozen_blames_nobody() {
    let Some(server) = Server::start(ROOM) else { return };
    let home = tempfile::tempdir().unwrap();
    // Without those that look at the server's clients, which come and go here.
    let checks = WRITING.map(|name| format!("redis.{name}"));
    let look = || {
        let mut arguments = vec!["check", "--format", "json"];
        arguments.extend(checks.iter().map(String::as_str));
        let mut command = tminus(home.path(), &server.url(), &arguments);
        command.stdout(Stdio::piped()).spawn().unwrap()
    };
    let frozen: Vec<Child> = (0..6).map(|_| look()).collect();
    for child in &frozen {
        sleep(Duration::from_millis(fastrand::u64(50..300)));
        signal(child, "STOP");
    }
    // Longer than any key of theirs is leased for, and than any check may take.
    sleep(Duration::from_millis(6500));
    for child in &frozen {
        signal(child, "CONT");
    }
    let mut starved = 0;
    for child in frozen {
        let json = child.wait_with_output().unwrap().stdout;
        let looked: Value = serde_json::from_slice(&json).unwrap();
        for check in looked["integrations"][0]["checks"].as_array().unwrap() {
            assert_ne!(check["outcome"], "fail", "{check}");
            starved += u32::from(check["outcome"] == "unknown");
        }
    }
    assert!(starved > 0, "none was frozen in the middle of a run, so this proved nothing");
}
