//! A host that has no time: it blames nobody.

use super::*;
use std::{
    env, fs,
    process::{Command as Program, Stdio},
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
};

/// Full runs, where `HEALTHY_RUNS` does not ask for more.
const RUNS: u64 = 12;
/// How many want the processor beside us, for each that there is.
const BURNERS: usize = 4;
/// Moments at which our own process is frozen.
const MOMENTS: u64 = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_healthy_server_never_fails_however_busy_this_host_is() {
    let Some(server) = Server::start(ROOM) else { return };
    let runs = env::var("HEALTHY_RUNS").map_or(RUNS, |runs| runs.parse().unwrap());
    let mut watch = Watch::healthy(server.settings()).await;
    let (stop, cores) =
        (Arc::new(AtomicBool::new(false)), thread::available_parallelism().unwrap());
    let burner = |_| {
        let stop = Arc::clone(&stop);
        thread::spawn(move || while !stop.load(Relaxed) {})
    };
    let burners: Vec<_> = (0..cores.get() * BURNERS).map(burner).collect();
    let row = Row::new("iii", "4 x oversubscription", (0, 0));
    let allowed = Duration::from_secs(20 * runs);
    let began = Moment::now();
    watch.until(&row, "end", allowed, |seen| views(seen).all(|view| view.runs >= runs)).await;
    stop.store(true, Relaxed);
    for burner in burners {
        burner.join().unwrap();
    }
    let seen = watch.seen();
    let sum = |of: fn(&CheckView) -> u64| views(&seen).map(of).sum::<u64>();
    eprintln!(
        "| iii | {runs} full runs at 4 x oversubscription in {:.0} s | {} pass, {} warn, {} unknown, {} fail |",
        began.elapsed().as_secs_f64(),
        sum(|view| view.tally.pass),
        sum(|view| view.tally.warn),
        sum(|view| view.tally.unknown),
        sum(|view| view.tally.fail),
    );
    assert_eq!(sum(|view| view.tally.fail), 0, "{:?}\n{}", watch.blamed(), described(&seen));
    watch.end(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_37_a_frozen_console_blames_nobody() {
    let Some(server) = Server::start(ROOM) else { return };
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("tminus.toml");
    fs::write(&file, format!("[redis]\nurl = \"{}\"\n", server.url())).unwrap();
    for moment in 0..MOMENTS {
        let mut command = Program::new(env!("CARGO_BIN_EXE_tminus"));
        command.env_clear().env("HOME", home.path()).current_dir(home.path());
        command.args(["check", "redis", "--format", "json", "--config"]).arg(&file);
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let signal = |name: &str| {
            let pid = child.id().to_string();
            Program::new("kill").args([name, &pid]).status().unwrap();
        };
        thread::sleep(Duration::from_millis(150 + 250 * moment));
        signal("-STOP");
        thread::sleep(Duration::from_millis(1500));
        signal("-CONT");
        let resumed = Moment::now();
        let output = child.wait_with_output().unwrap();
        let report = String::from_utf8(output.stdout).unwrap();
        let failed = report.contains("\"is\": \"fail\"") || report.contains("\"is\":\"fail\"");
        eprintln!(
            "| 37 | console frozen for 1.5 s, {} ms after its start | exit code {:?}, {:.1} s later |",
            150 + 250 * moment,
            output.status.code(),
            resumed.elapsed().as_secs_f64()
        );
        assert!(report.contains("redis.lock") && !failed, "{report}");
    }
    nothing_left(&mut server.connection()).await;
}
