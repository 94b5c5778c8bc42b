//! The command vector under every fault that it is to name.

use super::*;

/// The commands that did not pass, with what they said.
fn failed(finding: &Finding) -> Vec<String> {
    let rows = &finding.evidence.grid.as_ref().unwrap().rows;
    let failed = rows.iter().filter(|row| row.mark != Mark::Pass);
    failed.map(|row| format!("{} {}", row.cells[0], row.cells[1])).collect()
}

fn pattern(finding: &Finding) -> String {
    let fact = finding.evidence.facts.iter().find(|fact| fact.name == "pattern of");
    fact.map(|fact| format!("{:?}", fact.value)).unwrap_or_default()
}

/// Runs the check and wants a fault, named by its measured pattern.
async fn assert_named(server: &Server, says: &str, fault: &str) -> Finding {
    let finding = run(&watch(server.settings()), "commands").await;
    assert_fails(&finding, says);
    assert_eq!(finding.fault.as_deref(), Some(fault));
    assert!(!pattern(&finding).contains("no fault that is known"), "{:?}", failed(&finding));
    assert_eq!(finding.receipt.left, 0);
    finding
}

#[tokio::test]
async fn a_healthy_server_carries_all_of_them_out() {
    let Some(server) = Server::start(&[]) else { return };
    let redis = watch(server.settings());
    let finding = run(&redis, "commands").await;
    assert_is(&finding, &Outcome::Pass, "15 commands carried out");
    assert_eq!(failed(&finding), [""; 0]);
    // Three connections are greeted, and two keys removed and looked for.
    let receipt = finding.receipt;
    assert_eq!((receipt.sent, receipt.written, receipt.removed, receipt.left), (20, 2, 2, 0));
    let light = run(&redis, "commands").await;
    assert_is(&light, &Outcome::Pass, "15 commands carried out");
    assert_eq!(light.receipt.sent, 10, "between two full vectors there is a light one");
    assert_eq!(server.keys(), []);
}

#[tokio::test]
async fn what_a_light_vector_finds_is_looked_at_in_full() {
    let Some(server) = Server::start(&["--maxmemory-policy", "noeviction"]) else { return };
    let redis = watch(server.settings());
    assert_eq!(run(&redis, "commands").await.outcome, Outcome::Pass);
    server.ask::<()>(&["CONFIG", "SET", "maxmemory", "1"]);
    let full = run(&redis, "commands").await;
    assert_fails(&full, "memory is full, writes are refused (OOM)");
    assert_eq!(failed(&full), ["SET OOM", "EVAL write OOM", "RPOPLPUSH OOM", "XADD OOM"]);
    server.ask::<()>(&["CONFIG", "SET", "maxmemory", "0"]);
    assert_eq!(run(&redis, "commands").await.outcome, Outcome::Pass);
}

#[tokio::test]
async fn a_replica_is_named_with_and_without_its_master() {
    let Some(master) = Server::start(&[]) else { return };
    let port = master.port.to_string();
    let Some(replica) = Server::start(&["--replicaof", "127.0.0.1", &port]) else { return };
    let info = |server: &Server| server.ask::<String>(&["INFO", "replication"]);
    wait_until("a link", || info(&replica).contains("master_link_status:up"));
    assert_named(&replica, "a read-only replica answers (READONLY)", "wrong-role").await;
    replica.ask::<()>(&["CONFIG", "SET", "replica-serve-stale-data", "no"]);
    drop(master);
    wait_until("a lost link", || info(&replica).contains("master_link_status:down"));
    let says = "a replica that has lost its master (MASTERDOWN)";
    assert_named(&replica, says, "stale-replica").await;
}

#[tokio::test]
async fn refused_writes_are_named() {
    let Some(server) = Server::start(&["--min-replicas-to-write", "1"]) else { return };
    let says = "too few replicas to accept writes (NOREPLICAS)";
    assert_named(&server, says, "durability-gate").await;
    let Some(server) = Server::start(&["--cluster-enabled", "yes"]) else { return };
    assert_named(&server, "the cluster is down (CLUSTERDOWN)", "cluster").await;
    let Some(server) = Server::start(&["--requirepass", "hunter2"]) else { return };
    assert_named(&server, "a password is required (NOAUTH)", "credentials").await;
}

#[tokio::test]
async fn paused_writes_are_told_from_a_process_that_hangs() {
    let Some(server) = Server::start(&[]) else { return };
    server.ask::<()>(&["CLIENT", "PAUSE", "60000", "WRITE"]);
    assert_named(&server, "writes are paused", "paused").await;
    server.ask::<()>(&["CLIENT", "UNPAUSE"]);
    server.process.signal("STOP");
    let began = Instant::now();
    let finding = run(&watch(server.settings()), "commands").await;
    let took = began.elapsed();
    server.process.signal("CONT");
    assert_fails(&finding, "hung: connected, no answer within");
    assert_eq!(finding.fault.as_deref(), Some("hung"));
    eprintln!("a hung server cost {took:?}");
}

#[tokio::test]
async fn a_server_that_loads_is_named() {
    let Some(mut server) = Server::start(&["--key-load-delay", "2000"]) else { return };
    let fill = "for i = 1, 5000 do redis.call('SET', 'k' .. i, string.rep('x', 2000)) end";
    server.ask::<()>(&["EVAL", fill, "0"]);
    server.ask::<()>(&["SAVE"]);
    server.kill();
    server.options.extend(["--loading-process-events-interval-bytes", "1024"].map(Into::into));
    server.restart();
    assert_named(&server, "starting: loading its data (LOADING)", "starting").await;
}

#[tokio::test]
async fn where_writing_is_not_allowed_only_reading_commands_are_sent() {
    let Some(server) = Server::start(&[]) else { return };
    let mut settings = server.settings();
    settings.writes = Some(false);
    let finding = run(&watch(settings), "commands").await;
    assert_is(&finding, &Outcome::Pass, "6 of 15 carried out, no writes sent");
    assert_eq!(failed(&finding).len(), 9);
    assert!(failed(&finding).iter().all(|row| row.ends_with("not sent")));
    assert_eq!(finding.receipt.written, 0);
}
