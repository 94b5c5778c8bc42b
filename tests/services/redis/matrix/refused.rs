//! Servers that answer, and refuse.

use super::*;

/// What a fault that stops writes must leave alone is not named.
fn refuses(row: Row, says: &'static str, remedy: &'static str) -> Row {
    row.wants(&[&["commands"][..], &WRITING].concat(), ("fail", says), remedy)
}

fn set(server: &Server, what: &str, value: &str) {
    server.ask::<()>(&["CONFIG", "SET", what, value]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_13_memory_is_full() {
    let Some(server) = Server::start(ROOM) else { return };
    let mut watch = Watch::healthy(server.settings()).await;
    let row = Row::new("13", "maxmemory 1, noeviction", (6, 8))
        .wants(&["instance"], ("fail", "memory "), "remove keys")
        .wants(
            &["commands"],
            ("fail", "memory is full, writes are refused (OOM)"),
            "raise maxmemory",
        )
        .polled();
    let row = NEEDING_ROOM
        .iter()
        .fold(row, |row, (name, says)| row.wants(&[*name], ("fail", says), "raise maxmemory"));
    let fill = async || set(&server, "maxmemory", "1");
    watch.goes_through(row, fill, async || set(&server, "maxmemory", "100mb")).await;
    watch.end(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_15_to_17_replicas_that_are_none_and_some_that_are_missing() {
    let Some(server) = Server::start(ROOM) else { return };
    let mut watch = Watch::healthy(server.settings()).await;
    let row = Row::new("15", "REPLICAOF elsewhere", (6, 8))
        .wants(&["connect"], ("warn", "read-only replica of 127.0.0.1:1"), "address of the master")
        .wants(&["instance"], ("fail", "link to the master is down"), "")
        .wants(&["topology"], ("fail", "a replica of 127.0.0.1:1, a master is meant"), "replica");
    let row = refuses(row, "a read-only replica answers (READONLY)", "address of the master");
    let promote = async || server.ask::<()>(&["REPLICAOF", "NO", "ONE"]);
    let demote = async || server.ask::<()>(&["REPLICAOF", "127.0.0.1", "1"]);
    watch.goes_through(row.polled(), demote, promote).await;

    let row = Row::new("16", "replica, stale data refused", (6, 8))
        .wants(&["instance"], ("fail", "link to the master is down"), "")
        .wants(&["topology"], ("fail", "a replica of 127.0.0.1:1, a master is meant"), "replica")
        .wants(&["connect"], ("warn", "a replica that has lost its master (MASTERDOWN)"), "");
    let row = refuses(row, "a replica that has lost its master (MASTERDOWN)", "mend the link");
    let demote = async || {
        set(&server, "replica-serve-stale-data", "no");
        server.ask::<()>(&["REPLICAOF", "127.0.0.1", "1"]);
    };
    watch.goes_through(row, demote, promote).await;

    let row = Row::new("17", "min-replicas-to-write 1, none there", (6, 8)).wants(
        &["instance"],
        ("fail", "0 of 1 replicas that writes need"),
        "the replica's log",
    );
    let row = refuses(row, "too few replicas to accept writes (NOREPLICAS)", "bring the replicas");
    let want = async || set(&server, "min-replicas-to-write", "1");
    watch.goes_through(row, want, async || set(&server, "min-replicas-to-write", "0")).await;
    watch.end(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_18_a_save_has_failed() {
    let Some(server) = Server::start(ROOM) else { return };
    let mut watch = Watch::healthy(server.settings()).await;
    let obstacle = server.dir.path().join("dump.rdb");
    let row = Row::new("18", "last bgsave failed", (6, 8))
        .wants(&["instance"], ("fail", "last save: err, writes may stop"), "")
        .wants(
            &["connect"],
            ("warn", "the last save failed, writes are refused (MISCONF)"),
            "disk",
        );
    let row = refuses(row, "the last save failed, writes are refused (MISCONF)", "free disk space");
    let saved = |word: &str| {
        let status = format!("rdb_last_bgsave_status:{word}");
        wait_until("a save", || server.ask::<String>(&["INFO", "persistence"]).contains(&status));
    };
    let fail = async || {
        set(&server, "save", "3600 1");
        std::fs::create_dir(&obstacle).unwrap();
        server.ask::<()>(&["BGSAVE"]);
        saved("err");
    };
    let mend = async || {
        std::fs::remove_dir(&obstacle).unwrap();
        server.ask::<()>(&["BGSAVE"]);
        saved("ok");
    };
    watch.goes_through(row.polled(), fail, mend).await;
    watch.end(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_21_and_22_clients_are_paused() {
    let Some(server) = Server::start(ROOM) else { return };
    let mut watch = Watch::healthy(server.settings()).await;
    let row = Row::new("21", "CLIENT PAUSE WRITE", (6, 6))
        .wants(&["commands"], ("fail", "writes are paused: none within "), "CLIENT UNPAUSE")
        .wants(&WRITING, ("fail", "writes are paused: none within "), "CLIENT UNPAUSE")
        .wants(&["pubsub"], ("fail", "writes are paused: none within "), "CLIENT UNPAUSE")
        .polled();
    let pause = async || server.ask::<()>(&["CLIENT", "PAUSE", "200000", "WRITE"]);
    let unpause = async || server.ask::<()>(&["CLIENT", "UNPAUSE"]);
    watch.goes_through(row, pause, unpause).await;

    let row = Row::new("22", "CLIENT PAUSE ALL, 15 s", (7, 6))
        .wants(&CONNECTS, ("fail", "hung: connected, no answer within "), "")
        .blocks()
        .polled();
    // It ends by itself, for nobody can ask for its end.
    let pause = async || server.ask::<()>(&["CLIENT", "PAUSE", "15000", "ALL"]);
    watch.goes_through(row, pause, async || wait_until("the end", || server.answers())).await;
    watch.end(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_5_every_connection_is_taken() {
    let Some(server) = Server::start(ROOM) else { return };
    let mut watch = Watch::healthy(server.settings()).await;
    let mut admin = server.connection();
    let row = Row::new("5", "maxclients reached", (6, 8))
        .wants(&CONNECTS, ("fail", "all client connections are taken"), "raise maxclients")
        .blocks()
        .polled();
    let mut allow = |most: &str| {
        redis::cmd("CONFIG").arg(&["SET", "maxclients", most]).query::<()>(&mut admin).unwrap();
    };
    allow("1");
    watch.goes_through(row, async || {}, async || allow("1000")).await;
    watch.end(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_20_a_script_that_does_not_end() {
    let Some(server) = Server::start(&[ROOM, &["--lua-time-limit", "50"]].concat()) else { return };
    let mut watch = Watch::healthy(server.settings()).await;
    let row = Row::new("20", "endless script", (6, 6))
        .wants(&CONNECTS, ("fail", "busy with a script that does not end (BUSY)"), "SCRIPT KILL")
        .blocks();
    let mut hog = server.connection();
    let endless = std::thread::spawn(move || {
        let script = "while redis.call('GET', 'stop') == false do end";
        redis::cmd("EVAL").arg(script).arg(0).query::<()>(&mut hog)
    });
    // Nobody but its owner ends it: that is the test here, and never a check.
    let kill = async || server.ask::<()>(&["SCRIPT", "KILL"]);
    watch.goes_through(row, async || {}, kill).await;
    assert!(endless.join().unwrap().is_err());
    watch.end(&server).await;
}
