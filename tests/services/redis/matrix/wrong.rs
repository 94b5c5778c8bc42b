//! What is not the server that was meant, or none at all.

use super::{super::hostile::impostor, *};
use crate::support::proxy::Proxy;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_4_and_5_somebody_else_answers() {
    let Some(server) = Server::start(ROOM) else { return };
    let proxy = Proxy::to(server.port).await;
    let mut watch = Watch::healthy(at(&format!("redis://127.0.0.1:{}", proxy.port))).await;
    let others: [(_, _, &[u8], bool, _, _); 3] = [
        (
            "4",
            "port speaks HTTP",
            b"HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n",
            true,
            "not Redis: it says \"HTTP/1.1 400 Bad Request",
            "the port is Redis'",
        ),
        ("4", "port hangs up", b"", true, "it closed the connection", "the port is Redis'"),
        (
            "5",
            "protected mode",
            b"-DENIED Redis is running in protected mode because protected mode is enabled\r\n",
            false,
            "protected mode refuses other hosts (DENIED)",
            "set a password or an ACL",
        ),
    ];
    for (number, fault, says, waits, summary, remedy) in others {
        let (port, _) = impostor(says, 1, waits);
        let row =
            Row::new(number, fault, (6, 8)).wants(&CONNECTS, ("fail", summary), remedy).blocks();
        let lead = async || proxy.lead_to(port);
        watch.goes_through(row, lead, async || proxy.lead_to(server.port)).await;
    }
    watch.end(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_4_43_and_44_nobody_nothing_and_hands_off() {
    let row = Row::new("4", "name does not resolve", (6, 8))
        .wants(&CONNECTS, ("fail", "no-such-host.invalid does not resolve"), "")
        .blocks();
    let mut watch = Watch::start(at("redis://no-such-host.invalid"));
    watch.begins(row).await;

    let mut watch = Watch::start(Settings::default());
    let row = Row::new("43", "no Redis configured", (3, 0))
        .wants(&["connect"], ("pass", "no Redis configured, in-process stand-in"), "set REDIS_URL")
        .wants(&WRITING, ("pass", ""), "set REDIS_URL");
    watch.begins(row).await;
    let seen = watch.seen();
    assert!(views(&seen).all(|view| view.finding.fallback), "{}", described(&seen));
    assert_eq!(seen.integrations[0].score.as_ref().unwrap().percent, 75);
    assert_eq!(seen.verdict.word.as_str(), "NO-GO");

    let Some(server) = Server::start(ROOM) else { return };
    let mut settings = server.settings();
    settings.writes = Some(false);
    let mut watch = Watch::start(settings);
    let row = Row::new("44", "only to be looked at", (3, 0))
        .wants(&["connect", "commands", "metrics"], ("pass", ""), "")
        .wants(&WRITING, ("skipped", "not allowed to write there"), "writes = true")
        .wants(&["pubsub"], ("skipped", "not allowed to publish there"), "writes = true");
    watch.begins(row).await;
    let stats: String = server.ask(&["INFO", "keyspace"]);
    assert!(!stats.contains("db0"), "{stats}");
    watch.end(&server).await;
}
