//! The export for Prometheus, of servers that are well and of those that tell little.

use super::*;
use tminus::domain::{Fact, Receipt};

#[tokio::test]
async fn the_export_agrees_with_info_and_nothing_is_written() {
    let Some(server) = Server::start(&[]) else { return };
    let redis = watch(server.settings());
    let began = Instant::now();
    let finding = run_fairly(&redis, "metrics").await;
    assert_is(&finding, &Outcome::Pass, "strict export, agrees with INFO");
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    let facts = finding.evidence.facts.iter().map(|Fact { name, .. }| name.as_str());
    let ids = ["M2", "M3", "M4", "M5", "M6", "M7", "M8"];
    assert_eq!(facts.take(ids.len()).collect::<Vec<_>>(), ids);
    let Receipt { sent, written, removed, left } = finding.receipt;
    assert!((15..30).contains(&sent), "{sent} commands");
    assert_eq!((written, removed, left), (0, 0, 0));
    assert_eq!(server.ask::<u64>(&["DBSIZE"]), 0);
}

#[tokio::test]
async fn a_server_under_load_is_still_described_rightly() {
    let Some(server) = Server::start(&[]) else { return };
    let mut load = server.connection();
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    let busy = std::thread::spawn(move || {
        while !stopped.is_cancelled() {
            redis::cmd("SET").arg("somebodys").arg("value").query::<()>(&mut load).unwrap();
            redis::cmd("GET").arg("nobodys").query::<Option<String>>(&mut load).unwrap();
        }
    });
    let redis = watch(server.settings());
    for _ in 0..10 {
        let finding = run_fairly(&redis, "metrics").await;
        assert_eq!(finding.outcome, Outcome::Pass, "{}", finding.summary);
    }
    stop.cancel();
    busy.join().unwrap();
}

#[tokio::test]
async fn without_info_there_is_nothing_to_export() {
    let Some(server) = Server::start(&[]) else { return };
    let rights = "ACL SETUSER app on >hunter2 +@all -info";
    server.ask::<()>(&rights.split(' ').collect::<Vec<_>>());
    let redis = watch(at(&format!("redis://app:hunter2@127.0.0.1:{}", server.port)));
    let finding = run(&redis, "metrics").await;
    let expected = "the user may not run INFO (NOPERM)";
    assert_is(&finding, &Outcome::Unknown(Cause::NotPermitted), expected);
}

#[tokio::test]
async fn a_full_server_and_a_replica_are_described_all_the_same() {
    let full = ["--maxmemory", "1", "--maxmemory-policy", "noeviction"];
    for options in [&full[..], &["--replicaof", "127.0.0.1", "1"]] {
        let Some(server) = Server::start(options) else { return };
        let finding = run_fairly(&watch(server.settings()), "metrics").await;
        assert_eq!(finding.outcome, Outcome::Pass, "{options:?}: {}", finding.summary);
    }
}
