//! Polls without end leave nothing open behind them.

use super::*;
use futures_util::future::join_all;
use std::{env, fs};
use tokio::runtime::Handle;

/// Set for the process that has this test to itself: others open files as well.
const ALONE: &str = "TMINUS_TEST_ALONE";
const CYCLES: usize = 10_000;
const AT_ONCE: usize = 8;

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

fn tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_polls_leave_nothing_open() {
    if env::var_os(ALONE).is_none() {
        let name = "redis::leak::ten_thousand_polls_leave_nothing_open";
        let test = Command::new(env::current_exe().unwrap())
            .args(["--exact", name, "--nocapture"])
            .env(ALONE, "1")
            .status();
        assert!(test.unwrap().success());
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("redis.sock");
    // Through a socket in the file system, so that no port waits a minute for each.
    let Some(server) = Server::start(&["--unixsocket", path.to_str().unwrap()]) else { return };
    wait_until("the socket", || path.exists());
    let redis = watch(at(&format!("unix://{}", path.display())));
    let cx = Cx::default();
    let connect = redis.checks().iter().position(|spec| spec.name == "connect").unwrap();
    let clients = || {
        let list: String = server.ask(&["CLIENT", "LIST"]);
        list.lines().filter(|line| line.contains("name=tminus:")).count()
    };
    assert_ne!(run(&redis, "connect").await.outcome, Outcome::Fail);
    wait_until("one connection", || clients() == 1);
    let before = (descriptors(), tasks());
    let accepted = |stats: String| -> u64 {
        let line = stats.lines().find_map(|line| line.strip_prefix("total_connections_received:"));
        line.unwrap().trim().parse().unwrap()
    };
    let began = (accepted(server.ask(&["INFO", "stats"])), Instant::now());
    for _ in 0..CYCLES / AT_ONCE {
        for ended in join_all((0..AT_ONCE).map(|_| redis.run(connect, &cx))).await {
            assert_ne!(ended.unwrap_or_else(Finding::from).outcome, Outcome::Fail);
        }
    }
    eprintln!("{CYCLES} polls in {:?}", began.1.elapsed());
    assert!(accepted(server.ask(&["INFO", "stats"])) - began.0 >= CYCLES as u64);
    wait_until("as many as before", || {
        (clients(), descriptors(), tasks()) == (1, before.0, before.1)
    });
}
