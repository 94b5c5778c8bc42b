//! What happens in the middle of a run.

use super::{
    again::{Again, send},
    *,
};
use crate::support::proxy::{Proxy, Way};

/// Ends every connection but the one that asks.
fn kill_all(connection: &mut Connection) {
    for kind in ["normal", "pubsub"] {
        send(connection, &["CLIENT", "KILL", "TYPE", kind]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_23_and_24_our_connections_are_killed() {
    let Some(server) = Server::start(ROOM) else { return };
    let mut watch = Watch::healthy(server.settings()).await;
    let row = Row::new("23", "CLIENT KILL of all ours, once", (6, 0)).polled();
    watch.stays(row, async || kill_all(&mut server.connection())).await;

    let row = Row::new("24", "CLIENT KILL of all ours every 300 ms", (6, 10))
        .wants(&["connect"], ("warn", "flapping: reconnected "), "who closes")
        .wants(&WRITING, ("fail", "the connection was closed in mid-run"), "who closes")
        .wants(&["pubsub"], ("fail", ""), "")
        .may_suffer(&["commands", "instance", "topology", "metrics"]);
    let again = std::cell::RefCell::new(None);
    let begin = async || {
        *again.borrow_mut() = Some(Again::every(Duration::from_millis(300), &server, kill_all));
    };
    watch.goes_through(row, begin, async || drop(again.take())).await;
    watch.end(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_38_and_39_everything_is_flushed() {
    let Some(server) = Server::start(ROOM) else { return };
    let mut watch = Watch::healthy(server.settings()).await;
    let flush = |what: &'static [&'static str]| {
        Again::every(Duration::from_millis(20), &server, move |connection| send(connection, what))
    };
    let row = Row::new("39", "SCRIPT FLUSH in mid-run", (0, 0));
    let scripts = std::cell::RefCell::new(None);
    let begin = async || *scripts.borrow_mut() = Some(flush(&["SCRIPT", "FLUSH"]));
    watch.stays(row, begin).await;
    drop(scripts);

    let row = Row::new("38", "FLUSHALL in mid-run", (3, 3)).wants(&WRITING, ("fail", ""), "flush");
    let keys = std::cell::RefCell::new(None);
    let begin = async || *keys.borrow_mut() = Some(flush(&["FLUSHALL"]));
    watch.goes_through(row, begin, async || drop(keys.take())).await;
    watch.end(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_36_an_intruder_takes_every_lock() {
    let Some(server) = Server::start(ROOM) else { return };
    let mut watch = Watch::healthy(server.settings()).await;
    let row =
        Row::new("36", "foreign SET over lock keys", (3, 3)).wants(&["lock"], ("fail", ""), "");
    let intruder = std::cell::RefCell::new(None);
    let begin = async || {
        let act = |connection: &mut Connection| {
            for (key, _) in keys_over(connection) {
                if key.contains(":lock:") && !key.ends_with(":f") {
                    send(connection, &["SET", &key, "intruder", "XX", "KEEPTTL"]);
                }
            }
        };
        *intruder.borrow_mut() = Some(Again::every(Duration::from_millis(20), &server, act));
    };
    watch.goes_through(row, begin, async || drop(intruder.take())).await;
    watch.end(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_34_and_35_listeners_are_cut_off_and_forgotten() {
    let Some(server) = Server::start(ROOM) else { return };
    let proxy = Proxy::to(server.port).await;
    let mut watch = Watch::healthy(at(&format!("redis://127.0.0.1:{}", proxy.port))).await;
    let limit = |limit: &str| {
        server.ask::<()>(&["CONFIG", "SET", "client-output-buffer-limit", limit]);
    };
    let row = Row::new("34", "output buffer of listeners 1 kB", (10, 1)).wants(
        &["pubsub"],
        ("fail", "messages were lost"),
        "client-output-buffer-limit",
    );
    let narrow = async || limit("pubsub 1kb 0 0");
    watch.goes_through(row, narrow, async || limit("pubsub 32mb 8mb 60")).await;

    let row = Row::new("35", "listeners half open", (10, 1)).wants(&["pubsub"], ("fail", ""), "");
    let forget = async || proxy.forget(Some("SUBSCRIBE"));
    watch.goes_through(row, forget, async || proxy.forget(None)).await;
    proxy.set(Way::Cut);
    watch.end(&server).await;
}
