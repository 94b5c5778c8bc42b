//! Publishing and subscribing on servers that are well and on servers that are not.

use super::*;
use tminus::domain::{Fact, Receipt};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_case_holds_and_nothing_is_stored() {
    let Some(server) = Server::start(&[]) else { return };
    let redis = watch(server.settings());
    let began = Instant::now();
    let finding = run_fairly(&redis, "pubsub").await;
    assert_is(&finding, &Outcome::Pass, "each message once, in order, gaps told");
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    let facts = finding.evidence.facts.iter().map(|Fact { name, .. }| name.as_str());
    let ids = ["P1", "P2", "P3", "P4", "P6", "P7", "P10"];
    assert_eq!(facts.take(ids.len()).collect::<Vec<_>>(), ids);
    let Receipt { sent, written, removed, left } = finding.receipt;
    assert!((40..80).contains(&sent), "{sent} commands");
    assert_eq!((written, removed, left), (0, 0, 0));
    assert_eq!(server.ask::<u64>(&["DBSIZE"]), 0);
    wait_until("the end of our listening connections", || {
        !server.ask::<String>(&["CLIENT", "LIST"]).contains("name=tminus:sub")
    });
}

#[tokio::test]
async fn what_stops_writes_does_not_stop_messages() {
    let full = ["--maxmemory", "1", "--maxmemory-policy", "noeviction"];
    let alone = ["--min-replicas-to-write", "1"];
    let replica = ["--replicaof", "127.0.0.1", "1"];
    for options in [&full[..], &alone[..], &replica[..]] {
        let Some(server) = Server::start(options) else { return };
        let finding = run_fairly(&watch(server.settings()), "pubsub").await;
        assert_eq!(finding.outcome, Outcome::Pass, "{options:?}: {}", finding.summary);
    }
}

#[tokio::test]
async fn an_older_protocol_will_do() {
    let options = ["--rename-command", "HELLO", "", "--requirepass", "hunter2"];
    let Some(server) = Server::start(&options) else { return };
    let redis = watch(at(&format!("redis://:hunter2@127.0.0.1:{}/2", server.port)));
    assert_eq!(run_fairly(&redis, "pubsub").await.outcome, Outcome::Pass);
}

#[tokio::test]
async fn a_user_without_our_channels_is_told_which_right() {
    let Some(server) = Server::start(&[]) else { return };
    let rights = "ACL SETUSER app on >hunter2 resetchannels ~* +@all";
    server.ask::<()>(&rights.split(' ').collect::<Vec<_>>());
    let redis = watch(at(&format!("redis://app:hunter2@127.0.0.1:{}", server.port)));
    let finding = run(&redis, "pubsub").await;
    assert_fails(&finding, "the user may not use our channels (NOPERM)");
    assert_eq!(
        finding.remedy.as_deref(),
        Some("grant it: ACL SETUSER <user> allchannels, which patterns need")
    );
    // A pattern is allowed by its very text, and ours are new in each run.
    server.ask::<()>(&["ACL", "SETUSER", "app", "&tminus:*"]);
    assert_eq!(run(&redis, "pubsub").await.outcome, Outcome::Fail);
    server.ask::<()>(&["ACL", "SETUSER", "app", "allchannels"]);
    assert_eq!(run_fairly(&redis, "pubsub").await.outcome, Outcome::Pass);
}

#[tokio::test]
async fn a_server_whose_writes_are_paused_holds_messages_back() {
    let Some(server) = Server::start(&[]) else { return };
    server.ask::<()>(&["CLIENT", "PAUSE", "20000", "WRITE"]);
    let redis = watch(server.settings());
    assert_eq!(run(&redis, "connect").await.outcome, Outcome::Pass, "PING knows nothing of it");
    assert_fails(&run(&redis, "pubsub").await, "writes are paused: none within ");
    server.ask::<()>(&["CLIENT", "UNPAUSE"]);
    assert_eq!(run_fairly(&redis, "pubsub").await.outcome, Outcome::Pass);
}

#[tokio::test]
async fn a_server_that_cuts_listeners_off_is_found_out() {
    let Some(server) = Server::start(&["--client-output-buffer-limit", "pubsub 1kb 0 0"]) else {
        return;
    };
    let finding = run(&watch(server.settings()), "pubsub").await;
    assert_fails(&finding, "messages were lost, doubled or changed");
    assert!(finding.evidence.asked.starts_with("P2: "), "{}", finding.evidence.asked);
    assert!(finding.evidence.reply.contains("Away"), "the gap is told: {}", finding.evidence.reply);
    assert!(finding.remedy.unwrap().contains("client-output-buffer-limit"));
}
