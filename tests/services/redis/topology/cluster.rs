//! Three masters that share the keys among them.

use super::{super::killed::output, *};
use std::collections::BTreeSet;
use tminus::perf::{
    Hindrance, Reins, Test as _,
    redis::{Asked, RedisTest},
};

const THIRDS: &[&[&str]] = &[&["0", "5460"], &["5461", "10922"], &["10923", "16383"]];

/// Servers that know each other; the first ones own all slots.
pub(in super::super) struct Cluster(pub(in super::super) Vec<Server>);

fn node() -> Option<Server> {
    let bus = free_port().to_string();
    Server::start(&[
        "--cluster-enabled",
        "yes",
        "--cluster-port",
        &bus,
        "--cluster-node-timeout",
        "1500",
        "--cluster-require-full-coverage",
        "no",
        "--maxmemory",
        "100mb",
        "--maxmemory-policy",
        "noeviction",
        "--repl-diskless-sync-delay",
        "0",
        "--repl-ping-replica-period",
        "1",
    ])
}

impl Cluster {
    fn start() -> Option<Self> {
        Self::of(THIRDS)
    }

    /// A cluster of as many masters as there are lists of ranges.
    pub(in super::super) fn of(ranges: &[&[&str]]) -> Option<Self> {
        let nodes: Vec<Server> = ranges.iter().map(|_| node()).collect::<Option<_>>()?;
        for ((node, ranges), epoch) in nodes.iter().zip(ranges).zip(["1", "2", "3"]) {
            node.ask::<()>(&[&["CLUSTER", "ADDSLOTSRANGE"], *ranges].concat());
            node.ask::<()>(&["CLUSTER", "SET-CONFIG-EPOCH", epoch]);
        }
        let cluster = Self(nodes);
        cluster.0[1..].iter().for_each(|node| cluster.meet(node));
        cluster.settle();
        Some(cluster)
    }

    /// Makes a node known to the first one.
    fn meet(&self, node: &Server) {
        let config: Vec<String> = node.ask(&["CONFIG", "GET", "cluster-port"]);
        let port = node.port.to_string();
        self.0[0].ask::<()>(&["CLUSTER", "MEET", "127.0.0.1", &port, &config[1]]);
    }

    fn settle(&self) {
        let known = format!("cluster_known_nodes:{}", self.0.len());
        wait_until("a cluster that is whole", || {
            self.0.iter().all(|node| {
                let info: String = node.ask(&["CLUSTER", "INFO"]);
                ["cluster_state:ok", "cluster_slots_ok:16384", &known]
                    .iter()
                    .all(|said| info.contains(said))
            })
        });
    }

    /// Gives a master a replica, which becomes the last node.
    pub(in super::super) fn replicate(&mut self, master: usize) {
        let replica = node().unwrap();
        self.meet(&replica);
        self.0.push(replica);
        self.settle();
        let (id, replica) = (self.0[master].ask::<String>(&["CLUSTER", "MYID"]), self.0.len() - 1);
        let replica = &self.0[replica];
        replica.ask::<()>(&["CLUSTER", "REPLICATE", &id]);
        wait_until("a replica that is up and known to all", || {
            let told: String = replica.ask(&["INFO", "replication"]);
            // Until its first sign of life it is told to be loading.
            let known = |node: &Server| {
                let shards = format!("{:?}", node.ask::<redis::Value>(&["CLUSTER", "SHARDS"]));
                shards.contains("\"replica\"") && !shards.contains("loading")
            };
            told.contains("master_link_status:up") && self.0.iter().all(known)
        });
    }

    fn place(&self, node: usize) -> String {
        format!("127.0.0.1:{}", self.0[node].port)
    }

    pub(in super::super) fn assert_no_keys(&self) {
        for node in &self.0 {
            assert_eq!(node.keys(), vec![]);
            // A replica counts a key that has ended until its master takes it down.
            wait_until("a node without a key", || node.ask::<u64>(&["DBSIZE"]) == 0);
        }
    }
}

/// Runs a service until it was on all of these shards, and held on each.
async fn on_each(redis: &Redis, name: &str, shards: &BTreeSet<String>) -> Receipt {
    let (mut seen, mut receipt) = (BTreeSet::new(), Receipt::default());
    for _ in 0..12 {
        let finding = run_fairly(redis, name).await;
        assert_eq!(finding.outcome, Outcome::Pass, "{name}: {}", finding.summary);
        let shard = fact(&finding, "shard").unwrap();
        seen.insert(shard.split(',').next().unwrap().to_owned());
        receipt = receipt.and(finding.receipt);
        if seen == *shards {
            return receipt;
        }
    }
    panic!("{name} was on {seen:?} only");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_service_proves_every_master_in_turn() {
    let Some(cluster) = Cluster::start() else { return };
    let redis = watch(cluster.0[0].settings());
    let findings = full_run("cluster", &redis).await;
    assert_passes(&findings, &["topology"]);
    assert!(findings[0].1.summary.contains("cluster"), "{}", findings[0].1.summary);
    let topology = &findings.iter().find(|(name, _)| *name == "topology").unwrap().1;
    assert_is(topology, &Outcome::Warn, "3 of 3 shards without a replica");
    let shards: BTreeSet<_> = (0..3).map(|node| cluster.place(node)).collect();
    for shard in &shards {
        assert!(fact(topology, shard).unwrap().contains("state ok, 16384 assigned"));
    }
    let receipts = join_all(WRITING.map(|name| on_each(&redis, name, &shards))).await;
    for (name, Receipt { sent, written, removed, left }) in WRITING.iter().zip(receipts) {
        assert!(sent > 0 && written > 0, "{name}");
        assert_eq!((removed, left), (written, 0), "{name}");
    }
    for node in &cluster.0 {
        let stats: String = node.ask(&["INFO", "commandstats"]);
        assert!(stats.contains("cmdstat_evalsha"), "a master was left out:\n{stats}");
    }
    cluster.assert_no_keys();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_go_from_one_master_to_another() {
    let Some(cluster) = Cluster::start() else { return };
    let redis = watch(cluster.0[0].settings());
    let mut pairs = BTreeSet::new();
    for _ in 0..2 {
        let finding = run_fairly(&redis, "pubsub").await;
        assert_eq!(finding.outcome, Outcome::Pass, "{}", finding.summary);
        let shard = fact(&finding, "shard").unwrap();
        let heard = fact(&finding, "listening at").unwrap();
        assert!(!shard.starts_with(&heard), "{shard} hears itself");
        pairs.insert((shard, heard));
    }
    assert_eq!(pairs.len(), 2, "{pairs:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_that_dies_alone_is_named_and_the_others_go_on() {
    let Some(mut cluster) = Cluster::start() else { return };
    let redis = watch(cluster.0[0].settings());
    assert_eq!(run(&redis, "topology").await.outcome, Outcome::Warn);
    let dead = cluster.place(1);
    let began = Instant::now();
    cluster.0[1].kill();
    // Its shard is the second in turn, and the first where that run was one of a busy host.
    let first = run_fairly(&redis, "ratelimit").await;
    if first.outcome != Outcome::Pass {
        assert_fails(&first, &format!("connection refused by {dead}"));
    }
    for _ in 0..2 {
        let finding = run(&redis, "ratelimit").await;
        assert_fails(&finding, &format!("connection refused by {dead}"));
        assert!(fact(&finding, "shard").unwrap().contains("5461-10922, 2 of 3"));
    }
    assert_fails(&run(&redis, "topology").await, &format!("connection refused by {dead}"));
    eprintln!("killed shard: named after {:?}", began.elapsed());
    wait_until("a cluster that knows", || {
        cluster.0[0].ask::<String>(&["CLUSTER", "NODES"]).contains("master,fail ")
    });
    for name in ["connect", "pubsub"] {
        let finding = run_fairly(&redis, name).await;
        assert_eq!(finding.outcome, Outcome::Pass, "{name}: {}", finding.summary);
    }
    cluster.0[1].restart();
    cluster.settle();
    for _ in 0..2 {
        let finding = run_fairly(&redis, "ratelimit").await;
        assert_eq!(finding.outcome, Outcome::Pass, "{}", finding.summary);
    }
    cluster.assert_no_keys();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_node_of_the_address_may_die_when_others_are_known() {
    let Some(mut cluster) = Cluster::start() else { return };
    cluster.replicate(2);
    let redis = watch(cluster.0[2].settings());
    assert_is(&run(&redis, "topology").await, &Outcome::Warn, "2 of 3 shards without a replica");
    cluster.0[2].kill();
    let replica = cluster.place(3);
    wait_until("the replica's promotion", || {
        cluster.0[3].ask::<String>(&["INFO", "replication"]).contains("role:master")
    });
    wait_until("a cluster that knows it", || {
        [0, 1, 3].iter().all(|node| {
            let info: String = cluster.0[*node].ask(&["CLUSTER", "INFO"]);
            info.contains("cluster_slots_ok:16384")
        })
    });
    assert_is(&run(&redis, "connect").await, &Outcome::Warn, "its address is away, 127.0.0.1:");
    let shards = BTreeSet::from([cluster.place(0), cluster.place(1), replica]);
    on_each(&redis, "ratelimit", &shards).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slot_that_moves_is_told_and_harms_nothing() {
    let Some(cluster) = Cluster::start() else { return };
    let redis = watch(cluster.0[0].settings());
    let id = |node: usize| cluster.0[node].ask::<String>(&["CLUSTER", "MYID"]);
    let (from, to) = (id(0), id(1));
    cluster.0[1].ask::<()>(&["CLUSTER", "SETSLOT", "77", "IMPORTING", &from]);
    cluster.0[0].ask::<()>(&["CLUSTER", "SETSLOT", "77", "MIGRATING", &to]);
    let topology = run(&redis, "topology").await;
    let expected = format!("migrating: slot 77 leaves for {}", cluster.place(1));
    assert_is(&topology, &Outcome::Warn, &expected);
    assert_eq!(run_fairly(&redis, "lock").await.outcome, Outcome::Pass);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_whose_slot_moves_is_taken_anew_elsewhere() {
    let Some(cluster) = Cluster::of(&[&["0", "0"], &["1", "16383"]]) else { return };
    let redis = watch(cluster.0[0].settings());
    let target: String = cluster.0[1].ask(&["CLUSTER", "MYID"]);
    // Whatever is not there any more is asked of the other node: the only slot of all.
    cluster.0[0].ask::<()>(&["CLUSTER", "SETSLOT", "0", "MIGRATING", &target]);
    let finding = run_fairly(&redis, "ratelimit").await;
    assert_eq!(finding.outcome, Outcome::Pass, "{}", finding.summary);
    assert_eq!(fact(&finding, "migrating").unwrap(), "a slot moved under a first attempt");
    assert!(fact(&finding, "shard").unwrap().starts_with(&cluster.place(1)));
    assert_eq!(finding.receipt.left, 0);
    cluster.assert_no_keys();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_without_hello_is_recognised_all_the_same() {
    let bus = free_port().to_string();
    let options =
        ["--cluster-enabled", "yes", "--cluster-port", &bus, "--rename-command", "HELLO", ""];
    let Some(server) = Server::start(&options) else { return };
    server.ask::<()>(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]);
    wait_until("a cluster of one", || {
        server.ask::<String>(&["CLUSTER", "INFO"]).contains("cluster_state:ok")
    });
    let redis = watch(server.settings());
    let finding = run_fairly(&redis, "lock").await;
    assert_eq!(finding.outcome, Outcome::Pass, "{}", finding.summary);
    assert!(fact(&finding, "shard").unwrap().ends_with("slots 0-16383, 1 of 1"));
}

#[test]
fn cleaning_sweeps_every_master() {
    let Some(mut cluster) = Cluster::start() else { return };
    let home = tempfile::tempdir().unwrap();
    // A key of nobody's that never expires, on each of them.
    let leave = |node: &Server| {
        let name = |tag: u64| format!("tminus:{{{tag:012x}}}:ffffffffffff:lock:l1");
        let set = |tag: &u64| {
            let set = redis::cmd("SET").arg(name(*tag)).arg("x").take();
            set.query::<()>(&mut node.connection()).is_ok()
        };
        assert!((0..100).any(|tag| set(&tag)));
    };
    let clean = |door: &Server| output(home.path(), &door.url(), &["clean", "--format", "json"]);
    cluster.0.iter().for_each(leave);
    let cleaned = clean(&cluster.0[0]);
    assert_eq!(cleaned.status.code(), Some(0), "{cleaned:?}");
    let receipt: serde_json::Value = serde_json::from_slice(&cleaned.stdout).unwrap();
    let sweep = &receipt["receipts"][0]["sweep"];
    let [looked, removed, left] = ["looked", "removed", "left"].map(|name| sweep[name].as_u64());
    assert_eq!([looked, removed, left], [Some(3), Some(3), Some(0)], "{receipt}");
    cluster.assert_no_keys();
    // What is away is named, and the others are swept all the same.
    cluster.0.iter().for_each(leave);
    let dead = cluster.place(1);
    cluster.0[1].kill();
    let cleaned = clean(&cluster.0[0]);
    assert_eq!(cleaned.status.code(), Some(3), "{cleaned:?}");
    let told = String::from_utf8(cleaned.stdout).unwrap();
    assert!(told.contains(&format!("connection refused by {dead}")), "{told}");
    for alive in [&cluster.0[0], &cluster.0[2]] {
        assert_eq!(alive.keys(), []);
    }
}

#[tokio::test]
async fn a_node_of_a_cluster_is_not_put_under_load() {
    let Some(cluster) = Cluster::start() else { return };
    let settings = Settings { load: Some(true), ..cluster.0[0].settings() };
    let id = IntegrationId::new("redis").unwrap();
    let test = RedisTest::new(id, &settings, Safety::default(), Asked::default());
    let (reins, _progress) = Reins::new(CancellationToken::new());
    let untested = test.run(&reins).await.unwrap_err();
    assert_eq!(untested.why, Hindrance::Refused);
    assert!(untested.says.contains("a node of a cluster"), "{}", untested.says);
    assert!(untested.hint.unwrap().contains("MOVED"));
    cluster.assert_no_keys();
}
