//! Servers that are away, hang, or are reached slowly.

use super::*;
use crate::support::proxy::{Proxy, Way};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_1_a_server_that_is_stopped() {
    let Some(mut server) = Server::start(ROOM) else { return };
    let mut watch = Watch::healthy(server.settings()).await;
    let row = Row::new("1", "server killed", (6, 8))
        .wants(&CONNECTS, ("fail", "connection refused by 127.0.0.1"), "start the server")
        .blocks()
        .polled();
    let server_ = std::cell::RefCell::new(&mut server);
    let kill = async || server_.borrow_mut().kill();
    watch.goes_through(row, kill, async || server_.borrow_mut().restart()).await;
    watch.end(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_2_a_process_that_is_stopped_and_a_way_into_nothing() {
    let Some(server) = Server::start(ROOM) else { return };
    let proxy = Proxy::to(server.port).await;
    let mut watch = Watch::healthy(at(&format!("redis://127.0.0.1:{}", proxy.port))).await;
    let row = |fault| {
        Row::new("2", fault, (7, 8))
            .wants(&CONNECTS, ("fail", "hung: connected, no answer within "), "SLOWLOG")
            .blocks()
            .polled()
    };
    let stop = async || server.process.signal("STOP");
    watch.goes_through(row("SIGSTOP"), stop, async || server.process.signal("CONT")).await;
    let (freeze, thaw) = (async || proxy.set(Way::Frozen), async || proxy.set(Way::Open));
    watch.goes_through(row("frozen TCP"), freeze, thaw).await;
    let lose = async || proxy.set(Way::Lost);
    // Those that are there stay lost: only new connections find the server.
    let mend = async || proxy.set_new(Way::Open);
    watch.goes_through(row("black-holed TCP"), lose, mend).await;
    watch.end(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_3_every_answer_200_ms_later() {
    let Some(server) = Server::start(ROOM) else { return };
    let proxy = Proxy::to(server.port).await;
    let mut settings = at(&format!("redis://127.0.0.1:{}", proxy.port));
    settings.ping_limit = Duration::from_millis(50);
    let mut watch = Watch::healthy(settings).await;
    let row = Row::new("3", "+200 ms per reply", (6, 6))
        .wants(&["connect"], ("warn", "PING takes "), "network")
        .wants(&WRITING, ("warn", "expiry not timed: round trip "), "nearer")
        .polled();
    let slow = async || proxy.set(Way::Delayed(Duration::from_millis(200)));
    watch.goes_through(row, slow, async || proxy.set(Way::Open)).await;
    watch.end(&server).await;
}
