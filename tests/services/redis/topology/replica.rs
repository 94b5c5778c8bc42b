//! Servers that follow a master.

use super::*;
use tminus::domain::Skip;

const ROOM: &[&str] = &["--maxmemory", "100mb", "--maxmemory-policy", "noeviction"];

/// A master, and a replica whose link to it is up.
fn start() -> Option<(Server, Server)> {
    let master = Server::start(&[ROOM, &["--repl-diskless-sync-delay", "0"]].concat())?;
    let port = master.port.to_string();
    let replica = Server::start(&[ROOM, &["--replicaof", "127.0.0.1", &port]].concat())?;
    wait_until("a replica that is up", || {
        replica.ask::<String>(&["INFO", "replication"]).contains("master_link_status:up")
    });
    Some((master, replica))
}

#[tokio::test]
async fn a_replica_in_the_place_of_a_master_fails_what_writes() {
    let Some((master, replica)) = start() else { return };
    let redis = watch(replica.settings());
    let expected = format!("read-only replica of {}", master.name().trim_end_matches("/0"));
    assert_is(&run(&redis, "connect").await, &Outcome::Warn, &expected);
    assert_fails(&run(&redis, "topology").await, "a replica of 127.0.0.1:");
    for name in WRITING {
        let finding = run(&redis, name).await;
        assert_fails(&finding, "a read-only replica answers (READONLY)");
        assert!(finding.remedy.unwrap().contains("master"), "{name}");
    }
    let of_master = run(&watch(master.settings()), "topology").await;
    assert_is(&of_master, &Outcome::Pass, "a master of 1 replica");
}

#[tokio::test]
async fn a_replica_that_is_meant_is_read_and_no_more() {
    let Some((master, replica)) = start() else { return };
    let settings = Settings { replica: true, ..replica.settings() };
    let redis = watch(settings);
    let findings = full_run("replica", &redis).await;
    for (name, finding) in &findings {
        if WRITING.contains(name) {
            let skipped = Outcome::Skipped(Skip::NotApplicable);
            assert_eq!(finding.outcome, skipped, "{name}: {}", finding.summary);
        } else {
            assert_well(name, finding);
        }
    }
    assert_eq!((replica.keys(), master.keys()), (vec![], vec![]));
    // It was promoted: nothing reads behind a master any more.
    replica.ask::<()>(&["REPLICAOF", "NO", "ONE"]);
    assert_fails(&run(&redis, "topology").await, "a master, a replica is meant");
}

#[tokio::test]
async fn a_replica_that_lost_its_master_says_so() {
    let Some((mut master, replica)) = start() else { return };
    master.kill();
    wait_until("a replica that is alone", || {
        replica.ask::<String>(&["INFO", "replication"]).contains("master_link_status:down")
    });
    let redis = watch(Settings { replica: true, ..replica.settings() });
    assert_fails(&run(&redis, "topology").await, "its link to 127.0.0.1:");
}

#[tokio::test]
async fn a_cluster_that_is_no_cluster_is_told() {
    let Some(server) = Server::start(ROOM) else { return };
    let redis = watch(Settings { cluster: true, ..server.settings() });
    assert_fails(&run(&redis, "topology").await, "a single server, a cluster is meant");
    assert_passes(&full_run("standalone", &watch(server.settings())).await, &[]);
}
