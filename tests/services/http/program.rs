//! The program itself: what it prints, and how it ends.

use super::{GOOD, Manner, Rude};
use crate::support::Process;
use std::{
    io::Read as _,
    path::Path,
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};
use tokio::task::spawn_blocking;

fn program(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tminus"));
    command.env_clear().env("HOME", home).current_dir(home).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// `tminus perf load` with these words, run to its end.
async fn ended(url: &str, words: &str) -> Output {
    let (url, words) = (url.to_owned(), words.to_owned());
    let run = move || {
        let home = tempfile::tempdir().unwrap();
        let mut command = program(home.path());
        command.args(["perf", "load", &url]).args(words.split_whitespace()).output().unwrap()
    };
    spawn_blocking(run).await.unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_exit_code_is_the_verdict() {
    let server = Rude::start(Manner::Says(GOOD.into())).await;
    let url = server.url();
    let refused = format!("http://127.0.0.1:{}/", crate::support::free_port());
    let count = "--profile closed --warm-up 1ms --clients 4 --requests";
    for (url, words, code, says) in [
        (&*url, format!("{count} 400 --max-p99 5s --max-errors 1%"), 0, "GO: kept: p99, errors"),
        (&url, format!("{count} 400 --max-p99 5s --min-rate 1000000"), 1, "NO-GO: missed: rate"),
        (&url, format!("{count} 40 --max-p99 5s"), 3, "HOLD: undecided: p99"),
        (&url, format!("{count} 40 --expect 3xx"), 1, "status 200"),
        (&url, "--profile smoke --max-mean 5s --min-rate 1".into(), 0, "mind       rate and mean"),
        (&url, "--profile smoke --clients 9".into(), 2, "--profile closed"),
        (&url, "--profile soak --duration 1m".into(), 2, "2m at least"),
        (&url, "--rate 10 --min-rate 10".into(), 2, "plan for more"),
        (&url, "-H nothing".into(), 2, "Name: value"),
        (&url, "-H @nowhere".into(), 2, "nowhere"),
        ("http://192.0.2.1/", "--requests 1".into(), 2, "not on this machine"),
        (&refused, "--profile smoke".into(), 1, "connection refused"),
    ] {
        // The cost of the machine may make it slow, which the goals about time allow for.
        let output = ended(url, &words).await;
        let said = text(&output.stdout) + &text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{words}: {said}");
        assert!(said.contains(says), "{words}: {said}");
    }
}

/// `tminus perf memory` with these words, run to its end.
async fn weighed(server: &super::memory::Server, words: &str) -> Output {
    let words = format!("perf memory {} {words}", server.url());
    let run = move || {
        let home = tempfile::tempdir().unwrap();
        program(home.path()).args(words.split_whitespace()).output().unwrap()
    };
    spawn_blocking(run).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn whether_it_leaks_is_the_exit_code() {
    for (manner, words, code, says) in [
        ("leaks", "", 1, "NO-GO: missed: growth"),
        ("healthy", "--format json", 0, "\"judged\": \"pass\""),
        ("healthy", "--operations 10", 2, "between 200 and 100000"),
        ("healthy", "--max-growth 5", 2, "write a size as"),
        ("healthy", "--pid 4000000000", 1, "no process with pid"),
    ] {
        let Some(server) = super::memory::Server::start(manner) else { return };
        let output = weighed(&server, words).await;
        let said = text(&output.stdout) + &text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{words}: {said}");
        assert!(said.contains(says), "{words}: {said}");
    }
}

/// A result with so many parts, each with a p50 and p99 around these milliseconds.
fn with_parts(found: &serde_json::Value, count: u32, millis: f64) -> serde_json::Value {
    let part = |n: u32| {
        let time = millis * (1.0 + f64::from(n % 4) / 100.0) / 1e3;
        let within = [time, time * 2.0, time * 3.0];
        serde_json::json!({
            "mean_seconds": time, "per_second": 500.0, "within_seconds": within, "failed": 0.0
        })
    };
    let mut found = found.clone();
    found["blocks"] = (0..count).map(part).collect();
    found["generator"]["limits"] = serde_json::json!([]);
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn two_results_are_compared_and_unlike_ones_are_refused() {
    let server = Rude::start(Manner::Says(GOOD.into())).await;
    let count = "--profile closed --warm-up 1ms --clients 2 --requests 40 --format json";
    let output = ended(&server.url(), count).await;
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let home = tempfile::tempdir().unwrap();
    let wider = {
        let mut wider = with_parts(&found, 10, 10.0);
        wider["load"]["clients"] = 3.into();
        wider
    };
    for (name, result) in [
        ("then", with_parts(&found, 10, 10.0)),
        ("same", with_parts(&found, 10, 10.1)),
        ("slow", with_parts(&found, 10, 14.0)),
        ("few", with_parts(&found, 9, 10.0)),
        ("wider", wider),
        ("other", serde_json::json!({"version": 1})),
    ] {
        std::fs::write(home.path().join(name), result.to_string()).unwrap();
    }
    for (words, code, says) in [
        ("then same", 0, "GO, nothing is worse"),
        ("then slow", 1, "NO-GO, worse: p50, p95, p99"),
        ("then few", 3, "has 9 parts of the 10"),
        ("then wider", 2, "clients: 2, then 3"),
        ("then other", 2, "cannot be read"),
        ("then", 2, "no such result"),
        ("--list", 0, ""),
    ] {
        let mut command = program(home.path());
        command.args(["perf", "compare"]).args(words.split_whitespace());
        let output = command.output().unwrap();
        let said = text(&output.stdout) + &text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{words}: {said}");
        assert!(said.contains(says), "{words}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_run_is_kept_and_found_again() {
    let server = Rude::start(Manner::Says(GOOD.into())).await;
    let home = tempfile::tempdir().unwrap();
    let run = |words: String| {
        let mut command = program(home.path());
        command.args(["perf"]).args(words.split_whitespace());
        let output = command.output().unwrap();
        (output.status.code(), text(&output.stdout) + &text(&output.stderr))
    };
    let load =
        format!("load {} --profile closed --warm-up 1ms --clients 2 --requests 40", server.url());
    tokio::task::block_in_place(|| {
        let (code, said) = run("compare".into());
        assert!(code == Some(2) && said.contains("no such result"), "{said}");
        assert_eq!(run(load.clone()).0, Some(0));
        let (code, said) = run("compare".into());
        assert!(code == Some(2) && said.contains("is like it"), "{said}");
        assert_eq!(run(load.clone()).0, Some(0));
        let (code, said) = run("compare".into());
        assert!(code == Some(3) && said.contains("parts of the 10"), "{said}");
        let (code, said) = run("compare --list".into());
        assert_eq!((code, said.matches("closed").count()), (Some(0), 2), "{said}");
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_and_bodies_come_from_files_and_are_never_shown() {
    let server = Rude::start(Manner::Says(GOOD.into())).await;
    let home = tempfile::tempdir().unwrap();
    let fields = home.path().join("fields");
    std::fs::write(&fields, "Authorization: Bearer hunter2\n\nX-A: b\n").unwrap();
    let words = format!(
        "--profile closed --warm-up 1ms --clients 1 --requests 9 --format json -H @{}",
        fields.display()
    );
    let output = ended(&server.url().replace("http://", "http://me:hunter2@"), &words).await;
    let said = text(&output.stdout) + &text(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(!said.contains("hunter2") && said.contains("\"succeeded\": 9"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_ends_it_with_a_part_of_a_result() {
    let server = Rude::start(Manner::Says(GOOD.into())).await;
    let home = tempfile::tempdir().unwrap();
    let mut command = program(home.path());
    command.args(["perf", "load", &server.url(), "--duration", "10m", "--format", "json"]);
    command.args(["--warm-up", "1ms", "--rate", "100", "--clients", "4"]);
    let mut running = Process(command.spawn().unwrap());
    let deadline = Instant::now() + Duration::from_mins(1);
    while server.asked() < 20 {
        assert!(running.0.try_wait().unwrap().is_none() && Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let pid = running.0.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let ended = spawn_blocking(move || {
        let mut said = String::new();
        running.0.stdout.take().unwrap().read_to_string(&mut said).unwrap();
        (running.0.wait().unwrap().code(), said)
    });
    let (code, said) = ended.await.unwrap();
    assert_eq!(code, Some(130), "{said}");
    assert!(said.contains("\"how\": \"aborted\""), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn too_few_descriptors_say_nothing_about_the_server() {
    let server = Rude::start(Manner::Says(GOOD.into())).await;
    let url = server.url();
    let run = move || {
        let home = tempfile::tempdir().unwrap();
        let mut command = Command::new("bash");
        command.env_clear().env("HOME", home.path()).current_dir(home.path());
        let script = format!(
            "ulimit -n 150; exec {} perf load {url} --profile smoke",
            env!("CARGO_BIN_EXE_tminus")
        );
        command.args(["-c", &script]).output().unwrap()
    };
    let output = spawn_blocking(run).await.unwrap();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(
        said.contains("100 connections need 200 descriptors") && said.contains("150"),
        "{said}"
    );
}
