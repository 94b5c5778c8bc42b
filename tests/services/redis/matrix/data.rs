//! Servers that start, start anew, and throw things out.

use super::{
    again::{Again, send},
    *,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_19_a_server_that_loads() {
    let options = [ROOM, &["--key-load-delay", "2500"]].concat();
    let Some(mut server) = Server::start(&options) else { return };
    let mut watch = Watch::healthy(server.settings()).await;
    let fill = "for i = 1, 6000 do redis.call('SET', 'k' .. i, string.rep('x', 2000)) end";
    server.ask::<()>(&["EVAL", fill, "0"]);
    server.ask::<()>(&["SAVE"]);
    server.kill();
    server.options.extend(["--loading-process-events-interval-bytes", "1024"].map(Into::into));
    server.restart();
    let row = Row::new("19", "loading", (6, 6))
        .wants(&CONNECTS, ("fail", "starting: loading its data (LOADING)"), "wait")
        .blocks();
    let loaded = || server.ask::<String>(&["INFO", "persistence"]).contains("\nloading:0");
    watch.goes_through(row, async || {}, async || wait_until("its data", loaded)).await;
    watch.end(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_14_keys_are_evicted_under_load() {
    let Some(server) = Server::start(ROOM) else { return };
    let mut watch = Watch::healthy(server.settings()).await;
    let set = |what: &str, value: &str| server.ask::<()>(&["CONFIG", "SET", what, value]);
    let row = Row::new("14", "evictions under load", (6, 63))
        .wants(&["instance"], ("fail", ""), "")
        .wants(&["lock", "session", "ratelimit", "queue"], ("fail", "pushed out"), "noeviction")
        .wants(&["cache"], ("unknown", "not tried: memory "), "make room")
        .may_suffer(&["commands", "pubsub", "metrics"]);
    let load = std::cell::RefCell::new(None);
    let overfill = async || {
        set("maxmemory-policy", "allkeys-random");
        let info: String = server.ask(&["INFO", "memory"]);
        let used = info.lines().find_map(|line| line.strip_prefix("used_memory:")).unwrap();
        set("maxmemory", &(used.trim().parse::<u64>().unwrap() + (8 << 20)).to_string());
        let fill = "for i = 1, 8000 do redis.call('SET', 'k' .. i, string.rep('x', 2000)) end";
        let act = |connection: &mut Connection| send(connection, &["EVAL", fill, "0"]);
        *load.borrow_mut() = Some(Again::every(Duration::from_millis(50), &server, act));
    };
    let room = async || {
        drop(load.take());
        set("maxmemory", "100mb");
        set("maxmemory-policy", "noeviction");
    };
    watch.goes_through(row, overfill, room).await;
    watch.end(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_40_a_restart_loses_what_was_not_saved() {
    let Some(mut server) = Server::start(ROOM) else { return };
    for key in ["a", "b", "c"] {
        server.ask::<()>(&["SET", key, "x"]);
    }
    let mut watch = Watch::healthy(server.settings()).await;
    let row = Row::new("40", "restart without persistence", (6, 8))
        .wants(&["instance"], ("warn", "s ago, lasting keys 3 -> 0"), "server's log")
        .may_suffer(&ALL)
        .polled();
    let restart = async || {
        server.kill();
        server.restart();
    };
    watch.shows(row, restart).await;
    // And then it is over.
    let row = Row::new("40", "", (8, 0));
    watch.until(&row, "recovery", FIRST, |seen| views(seen).all(is_fine)).await;
    watch.end(&server).await;
}
