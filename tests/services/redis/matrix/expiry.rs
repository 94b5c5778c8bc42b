//! Servers that take down late, or never, what has ended, and that announce it or not.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_31_nothing_ends_in_the_background() {
    let options = [ROOM, &["--enable-debug-command", "yes"]].concat();
    let Some(server) = Server::start(&options) else { return };
    let mut watch = Watch::healthy(server.settings()).await;
    let row = Row::new("31", "active expiry off", (63, 63)).wants(
        &["session", "instance"],
        ("warn", "background expiry: 0 of 8 keys in "),
        "DEBUG SET-ACTIVE-EXPIRE 1",
    );
    let switch = |to| server.ask::<()>(&["DEBUG", "SET-ACTIVE-EXPIRE", to]);
    watch.goes_through(row, async || switch("0"), async || switch("1")).await;
    watch.end(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_32_a_hundred_thousand_keys_are_to_end() {
    let options = [ROOM, &["--notify-keyspace-events", "Ex"]].concat();
    let Some(server) = Server::start(&options) else { return };
    let settings = Settings { key_events: true, ..server.settings() };
    let mut watch = Watch::healthy(settings).await;
    let row = Row::new("32", "100 k keys with a TTL, events needed", (63, 63))
        .wants(&["instance"], ("warn", "expiry backlog: keys end up to 8m2"), "spread the times")
        .wants(&["pubsub", "session"], ("warn", "ends are told up to 8m2"), "active-expire-effort");
    let each = |what: &str| {
        let mut connection = server.connection();
        // A few at a time, or it would be a slow command that is reported.
        for thousand in 0..100 {
            let (first, last) = (thousand * 1000 + 1, (thousand + 1) * 1000);
            let script = format!("for i = {first}, {last} do redis.call({what}) end");
            redis::cmd("EVAL").arg(script).arg(0).query::<()>(&mut connection).unwrap();
        }
    };
    let fill = async || each("'SET', 'k' .. i, '', 'EX', 3600");
    watch.goes_through(row, fill, async || each("'UNLINK', 'k' .. i")).await;
    watch.end(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_33_key_events_are_off() {
    let options = [ROOM, &["--notify-keyspace-events", "Ex"]].concat();
    let Some(server) = Server::start(&options) else { return };
    let switch = |to| server.ask::<()>(&["CONFIG", "SET", "notify-keyspace-events", to]);
    let settings = Settings { key_events: true, ..server.settings() };
    let mut watch = Watch::healthy(settings).await;
    let heard = fact(standing(&watch.seen(), "pubsub"), "P8").unwrap();
    assert!(heard.starts_with("told ") && heard.contains("after the end"), "{heard}");
    let row = Row::new("33", "notify-keyspace-events '', needed", (63, 63))
        .wants(
            &["pubsub"],
            ("fail", "no end of a key is told: key events off"),
            "notify-keyspace-events Ex",
        )
        .wants(
            &["session"],
            ("warn", "nobody is told of sessions that end"),
            "notify-keyspace-events Ex",
        )
        .wants(&["instance"], ("warn", "key events off and needed"), "notify-keyspace-events Ex");
    watch.goes_through(row, async || switch(""), async || switch("Kx")).await;
    watch.end(&server).await;

    let mut watch = Watch::healthy(server.settings()).await;
    let row = Row::new("33", "notify-keyspace-events '', nobody needs it", (63, 63));
    watch.stays(row, async || switch("")).await;
    let seen = watch.seen();
    assert_eq!(fact(standing(&seen, "pubsub"), "P8").unwrap(), "key events off, not needed");
    watch.end(&server).await;
}
