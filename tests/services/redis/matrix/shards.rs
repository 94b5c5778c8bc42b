//! Clusters: one that is taken for a single server, and one whose slots move.

use super::{super::topology::cluster::Cluster, *};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_26_a_cluster_is_taken_for_a_single_server() {
    let Some(mut cluster) = Cluster::of(&[&["0", "0"], &["1", "16383"]]) else { return };
    // Of what says that it is one nothing is left, as behind some proxies.
    let hidden = ["--rename-command", "HELLO", "", "--rename-command", "CLUSTER", ""];
    let door = &mut cluster.0[0];
    door.kill();
    door.options.extend(hidden.map(Into::into));
    door.restart();
    let told = || {
        let told = redis::cmd("GET").arg("k").query::<()>(&mut door.connection());
        told.is_err_and(|error| error.code() == Some("MOVED"))
    };
    wait_until("a node that knows the others", told);
    let mut watch = Watch::start(door.settings());
    let row = Row::new("26", "cluster that hides that it is one", (6, 0)).wants(
        &[&["commands"][..], &WRITING].concat(),
        ("fail", "a cluster: the slot is on 127.0.0.1:"),
        "a single server, or of a proxy",
    );
    watch.begins(row).await;
    watch.end(&cluster.0[0]).await;
    assert_eq!(cluster.0[1].ask::<u64>(&["DBSIZE"]), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_28_a_slot_moves() {
    let Some(mut cluster) = Cluster::of(&[&["0", "8191"], &["8192", "16383"]]) else { return };
    for master in 0..2 {
        cluster.replicate(master);
    }
    let (from, to) = (&cluster.0[0], &cluster.0[1]);
    let mut watch = Watch::healthy(from.settings()).await;
    let row = Row::new("28", "slot migrating", (6, 0)).wants(
        &["topology"],
        ("warn", "migrating: slot 77 "),
        "let the resharding end",
    );
    let id = |node: &Server| node.ask::<String>(&["CLUSTER", "MYID"]);
    let migrate = async || {
        to.ask::<()>(&["CLUSTER", "SETSLOT", "77", "IMPORTING", &id(from)]);
        from.ask::<()>(&["CLUSTER", "SETSLOT", "77", "MIGRATING", &id(to)]);
    };
    let settle = async || {
        for node in [from, to] {
            node.ask::<()>(&["CLUSTER", "SETSLOT", "77", "STABLE"]);
        }
    };
    watch.goes_through(row, migrate, settle).await;
    watch.end(from).await;
    for node in &cluster.0 {
        nothing_left(&mut node.connection()).await;
    }
}
