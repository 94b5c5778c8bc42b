//! Servers that are well.

use super::*;
use futures_util::future::join_all;
use std::collections::BTreeSet;
use tminus::domain::{Fact, Provenance, Receipt};

const ROOM: &[&str] = &["--maxmemory", "100mb", "--maxmemory-policy", "noeviction"];

/// Every command that a check may send. Anything else that a server counted is a bug.
const ALLOWED: &[&str] = &[
    "hello",
    "ping",
    "role",
    "info",
    "select",
    "client|setname",
    "auth",
    "publish",
    "subscribe",
    "psubscribe",
    "unsubscribe",
    "punsubscribe",
    "get",
    "pttl",
    "eval",
    "evalsha",
    "unlink",
    "exists",
    "command|info",
    "slowlog|get",
    "config|get",
    "xadd",
    "xreadgroup",
    "rpoplpush", // within scripts:
    "set",
    "del",
    "incr",
    "pexpire",
    "renamenx",
    "hget",
    "hset",
    "hmget",
    "time",
    "hdel",
    "hexists",
    "hincrby",
    "zadd",
    "zcount",
    "zpopmin",
    "zrangebyscore",
    "zrem",
    "zremrangebyscore",
    "zscore",
    "memory|usage",
];

fn facts(finding: &Finding) -> Vec<&str> {
    finding.evidence.facts.iter().map(|Fact { name, .. }| name.as_str()).collect()
}

#[tokio::test]
async fn every_check_passes_and_leaves_nothing_behind() {
    let Some(server) = Server::start(ROOM) else { return };
    let redis = watch(server.settings());
    assert_eq!(redis.target().name, server.name());
    assert_eq!(redis.target().provenance, Provenance::Configured);
    for spec in redis.checks() {
        let began = Instant::now();
        let finding = run_fairly(&redis, &spec.name).await;
        assert_well(&spec.name, &finding);
        assert!(!finding.fallback && finding.latency.is_some(), "{}", spec.name);
        assert!(finding.summary.chars().count() <= 45, "{} is too long", finding.summary);
        assert!(began.elapsed() < Duration::from_secs(3), "{} {:?}", spec.name, began.elapsed());
    }
    assert_eq!(server.keys(), [], "keys were left behind");
    assert_eq!(server.ask::<u64>(&["DBSIZE"]), 0);
}

#[tokio::test]
async fn the_phases_of_a_connection_are_told() {
    let Some(server) = Server::start(ROOM) else { return };
    let finding = run(&watch(server.settings()), "connect").await;
    let phases: Vec<_> = finding.evidence.phases.iter().map(|phase| phase.name.as_str()).collect();
    assert_eq!(phases, ["resolve", "connect", "hello", "ping", "role"]);
    for fact in ["product", "version", "mode", "role", "protocol", "address"] {
        assert!(facts(&finding).contains(&fact), "{fact} is missing");
    }
    assert!(finding.evidence.reply.contains("master"), "{}", finding.evidence.reply);
}

/// The conformance suite of the in-process back ends, on a real server.
#[tokio::test]
async fn every_guarantee_of_every_service_is_kept() {
    let Some(server) = Server::start(ROOM) else { return };
    let redis = watch(server.settings());
    let cases: [(&str, &[&str]); 5] = [
        ("cache", &["C1", "C2", "C3", "C4", "C5", "C6", "C7", "C8", "C9", "C10", "C11"]),
        (
            "lock",
            &["L1", "L2", "L3", "L4", "L5", "L6", "L7", "L8", "L9", "L10", "L11", "L13", "L14"],
        ),
        ("session", &["S1", "S2", "S3", "S4", "S5", "S6", "S7", "S8", "S10", "S11"]),
        ("ratelimit", &["R1", "R2", "R3", "R4", "R6", "R7", "R8"]),
        ("queue", &["Q1", "Q2", "Q3", "Q4", "Q5", "Q6", "Q7", "Q8", "Q9", "Q10", "Q11"]),
    ];
    for (name, ids) in cases {
        let finding = run_fairly(&redis, name).await;
        assert_well(name, &finding);
        let shown = facts(&finding);
        assert_eq!(shown[..ids.len()], *ids, "{name} did not run all of its cases");
        let Receipt { sent, written, removed, left } = finding.receipt;
        assert!(sent > 0 && written > 0, "{name}: {:?}", finding.receipt);
        assert_eq!((removed, left), (written, 0), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_harmless_commands_are_sent_on_few_named_connections() {
    let Some(server) = Server::start(ROOM) else { return };
    server.ask::<()>(&["CONFIG", "RESETSTAT"]);
    let redis = watch(server.settings());
    for finding in join_all(ALL.map(|name| run(&redis, name))).await {
        assert_ne!(finding.outcome, Outcome::Fail, "{}", finding.summary);
    }
    let clients: String = server.ask(&["CLIENT", "LIST"]);
    let ours = clients.lines().filter(|line| line.contains("name=tminus:")).count();
    assert_eq!(ours, 1, "the shared connection stays, that of `connect` does not:\n{clients}");
    let stats: String = server.ask(&["INFO", "commandstats"]);
    let sent: BTreeSet<_> = stats
        .lines()
        .filter_map(|line| line.strip_prefix("cmdstat_")?.split(':').next())
        // What the test itself asks.
        .filter(|command| !["config|resetstat", "client|list", "client|setinfo"].contains(command))
        .collect();
    let foreign: Vec<_> = sent.iter().filter(|sent| !ALLOWED.contains(sent)).collect();
    assert!(foreign.is_empty(), "sent: {foreign:?}");
    assert!(sent.contains("evalsha") && sent.contains("eval"), "scripts were run: {sent:?}");
    drop(redis);
    wait_until("the end of our connections", || {
        !server.ask::<String>(&["CLIENT", "LIST"]).contains("name=tminus:")
    });
}

#[tokio::test]
async fn a_server_without_hello_is_spoken_to_in_the_old_way() {
    let options = ["--rename-command", "HELLO", "", "--requirepass", "hunter2"];
    let Some(server) = Server::start(&[ROOM, &options].concat()) else { return };
    let redis = watch(at(&format!("redis://:hunter2@127.0.0.1:{}/2", server.port)));
    let finding = run(&redis, "connect").await;
    assert_eq!(finding.outcome, Outcome::Pass, "{}", finding.summary);
    let protocol = finding.evidence.facts.iter().find(|fact| fact.name == "protocol").unwrap();
    assert!(format!("{:?}", protocol.value).contains("RESP2"));
    for name in &ALL[1..] {
        let finding = run_fairly(&redis, name).await;
        assert_well(name, &finding);
    }
}

#[tokio::test]
async fn two_looks_compare_counters() {
    let Some(mut server) = Server::start(ROOM) else { return };
    let redis = watch(server.settings());
    let said = |finding: &Finding| {
        let fact = finding.evidence.facts.iter().find(|fact| fact.name == "counters");
        format!("{:?}", fact.unwrap().value)
    };
    assert!(said(&run(&redis, "instance").await).contains("first look"));
    assert!(said(&run(&redis, "instance").await).contains("compared with"));
    server.process.signal("KILL");
    server.process.0.wait().unwrap();
    server.restart();
    assert!(said(&run(&redis, "instance").await).contains("restarted"));
}

#[tokio::test]
async fn a_server_without_a_memory_limit_is_a_warning_and_no_more() {
    let Some(server) = Server::start(&[]) else { return };
    let finding = run(&watch(server.settings()), "instance").await;
    assert_is(&finding, &Outcome::Warn, "no maxmemory");
}
