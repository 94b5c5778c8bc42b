//! Servers that are broken, each in one way.

use super::*;

async fn assert_all_fail(redis: &Redis, names: &[&str], summary: &str) {
    for name in names {
        assert_fails(&run(redis, name).await, summary);
    }
}

#[tokio::test]
async fn a_wrong_and_a_missing_password_are_told_apart() {
    let Some(server) = Server::start(&["--requirepass", "hunter2"]) else { return };
    let missing = run(&watch(server.settings()), "connect").await;
    assert_fails(&missing, "a password is required (NOAUTH)");
    for login in [":hunter3", "app:hunter2"] {
        let redis = watch(at(&format!("redis://{login}@127.0.0.1:{}", server.port)));
        let wrong = run(&redis, "connect").await;
        assert_fails(&wrong, "user or password is wrong, or the user is off (WRONGPASS)");
        assert!(!format!("{wrong:?}").contains("hunter"), "a password got out");
    }
    let right = watch(at(&format!("redis://:hunter2@127.0.0.1:{}", server.port)));
    assert_eq!(run(&right, "connect").await.outcome, Outcome::Pass);
}

#[tokio::test]
async fn a_full_server_is_named_by_every_check_that_needs_room() {
    let options = ["--maxmemory", "1", "--maxmemory-policy", "noeviction"];
    let Some(server) = Server::start(&options) else { return };
    let redis = watch(server.settings());
    assert_eq!(run(&redis, "connect").await.outcome, Outcome::Pass, "PING knows nothing of it");
    assert_fails(&run(&redis, "instance").await, "memory ");
    for (name, says) in NEEDING_ROOM {
        let finding = run(&redis, name).await;
        assert_fails(&finding, says);
        assert_eq!((finding.receipt.written, finding.receipt.left), (0, 0), "{name}");
        assert!(finding.remedy.unwrap().starts_with("raise maxmemory"), "{name}");
    }
}

#[tokio::test]
async fn a_full_server_still_limits_rates() {
    let options = ["--maxmemory", "1", "--maxmemory-policy", "noeviction"];
    let Some(server) = Server::start(&options) else { return };
    let finding = run_fairly(&watch(server.settings()), "ratelimit").await;
    assert_eq!(finding.outcome, Outcome::Pass, "{}", finding.summary);
    assert_eq!(server.keys(), []);
}

/// The scripts of the queue as the check runs them, on jobs that were there before.
#[test]
fn a_full_server_still_drains_its_queue() {
    let script = include_str!("../../../src/integrations/redis/services/queue/queue.lua");
    let Some(server) = Server::start(&["--maxmemory-policy", "noeviction"]) else { return };
    let call = |what: &str, arguments: &[&str]| {
        let mut command = redis::cmd("EVAL");
        command.arg(script).arg(4).arg(&["jobs", "pending", "delayed", "active"]);
        command
            .arg(what)
            .arg("60000")
            .arg(arguments)
            .query::<redis::Value>(&mut server.connection())
    };
    let int = redis::Value::Int;
    for (id, delay) in [("waits", "0"), ("stalls", "0"), ("comes", "1")] {
        let added = call("add", &[id, "payload", "0", delay, "3", "0"]);
        assert_eq!(added, Ok(int(1)), "{id}");
    }
    server.ask::<()>(&["CONFIG", "SET", "maxmemory", "1"]);
    let refused = call("add", &["more", "payload", "0", "0", "3", "0"]).unwrap_err();
    assert_eq!(refused.code(), Some("OOM"), "{refused}");
    assert!(!server.ask::<bool>(&["HEXISTS", "jobs", "payload:more"]));
    let taken = |lease| call("take", &[lease, "silence"]).unwrap();
    let of = |id: &str, attempt| {
        let text = |text: &str| redis::Value::BulkString(text.into());
        redis::Value::Array(vec![text(id), text("payload"), int(attempt)])
    };
    let says = |what: &str, words: &[&str]| call(what, words).unwrap();
    let kept = redis::Value::Array(vec![int(1), int(0)]);
    assert_eq!(taken("60000"), of("waits", 1), "what waits is taken");
    assert_eq!(says("beat", &["waits", "1", "60000", ""]), kept);
    assert_eq!(says("fail", &["waits", "1", "0", "why"]), kept, "it is delayed by nothing");
    assert_eq!(taken("60000"), of("waits", 2), "what was delayed is taken");
    assert_eq!(says("done", &["waits", "2", "0", ""]), kept);
    assert_eq!(taken("1"), of("stalls", 1));
    std::thread::sleep(Duration::from_millis(20));
    assert_eq!(taken("60000"), of("stalls", 2), "what stalled is taken");
    assert_eq!(taken("60000"), of("comes", 1));
    assert_eq!(taken("60000"), redis::Value::Nil);
}

#[tokio::test]
async fn nothing_is_written_where_it_would_push_something_out() {
    let options = ["--maxmemory", "1gb", "--maxmemory-policy", "allkeys-lru"];
    let Some(server) = Server::start(&options) else { return };
    let info: String = server.ask(&["INFO", "memory"]);
    let used = info.lines().find_map(|line| line.strip_prefix("used_memory:")).unwrap();
    let limit = used.trim().parse::<u64>().unwrap() * 101 / 100;
    server.ask::<()>(&["CONFIG", "SET", "maxmemory", &limit.to_string()]);
    let redis = watch(server.settings());
    for name in WRITING {
        let finding = run(&redis, name).await;
        assert_is(&finding, &Outcome::Unknown(Cause::NoSamples), "not tried: memory ");
    }
    assert_eq!(server.keys(), []);
}

#[tokio::test]
async fn a_replica_is_a_warning_and_fails_what_writes() {
    let Some(master) = Server::start(&[]) else { return };
    let of = ["--replicaof", "127.0.0.1", &master.port.to_string()];
    let options = [&of[..], &["--maxmemory", "100mb"]].concat();
    let Some(replica) = Server::start(&options) else { return };
    let info = |replica: &Server| replica.ask::<String>(&["INFO", "replication"]);
    wait_until("a link", || info(&replica).contains("master_link_status:up"));
    let redis = watch(replica.settings());
    let connected = run(&redis, "connect").await;
    assert_is(
        &connected,
        &Outcome::Warn,
        &format!("read-only replica of 127.0.0.1:{}", master.port),
    );
    assert_well("instance", &run(&redis, "instance").await);
    assert_all_fail(&redis, &WRITING, "a read-only replica answers (READONLY)").await;
    drop(master);
    wait_until("a lost link", || info(&replica).contains("master_link_status:down"));
    assert_fails(&run(&redis, "instance").await, "link to the master is down");
}

#[tokio::test]
async fn a_replica_that_must_not_serve_old_data_says_so() {
    let options = ["--replicaof", "127.0.0.1", "1", "--replica-serve-stale-data", "no"];
    let Some(replica) = Server::start(&options) else { return };
    let finding = run(&watch(replica.settings()), "cache").await;
    assert_fails(&finding, "a replica that has lost its master (MASTERDOWN)");
}

#[tokio::test]
async fn too_few_replicas_refuse_writes() {
    let options = ["--min-replicas-to-write", "1", "--maxmemory", "100mb"];
    let Some(server) = Server::start(&options) else { return };
    let redis = watch(server.settings());
    assert_all_fail(&redis, &WRITING, "too few replicas to accept writes (NOREPLICAS)").await;
}

#[tokio::test]
async fn a_failed_save_stops_even_ping() {
    // A pipe cannot be synced to, so that every save to it fails.
    let Some(server) = Server::start(&["--maxmemory", "100mb"]) else { return };
    server.ask::<()>(&["CONFIG", "SET", "save", "1 1"]);
    server.ask::<()>(&["SET", "somebodys", "value"]);
    std::fs::create_dir(server.dir.path().join("dump.rdb")).unwrap();
    server.ask::<()>(&["BGSAVE"]);
    let info = || server.ask::<String>(&["INFO", "persistence"]);
    wait_until("a failed save", || info().contains("rdb_last_bgsave_status:err"));
    let redis = watch(server.settings());
    let says = "the last save failed, writes are refused (MISCONF)";
    assert_is(&run(&redis, "connect").await, &Outcome::Warn, says);
    assert_fails(&run(&redis, "instance").await, "last save: err, writes may stop");
    assert_all_fail(&redis, &WRITING, says).await;
    for name in ["pubsub", "metrics"] {
        let finding = run_fairly(&redis, name).await;
        assert_eq!(finding.outcome, Outcome::Pass, "{name}: {}", finding.summary);
    }
}

#[tokio::test]
async fn all_connections_taken_is_told_from_a_refusal() {
    let Some(server) = Server::start(&["--maxclients", "1"]) else { return };
    let client = Client::open(server.url()).unwrap();
    let mut the_only_one = None;
    wait_until("the one connection", || {
        the_only_one = client.get_connection().ok();
        the_only_one.is_some()
    });
    let finding = run(&watch(server.settings()), "connect").await;
    assert_fails(&finding, "all client connections are taken");
}

#[tokio::test]
async fn a_script_that_does_not_end_is_named() {
    let Some(server) = Server::start(&["--lua-time-limit", "50"]) else { return };
    let mut hog = server.connection();
    let endless = std::thread::spawn(move || {
        let script = "while redis.call('GET', 'stop') == false do end";
        redis::cmd("EVAL").arg(script).arg(0).query::<()>(&mut hog)
    });
    let redis = watch(server.settings());
    let mut finding = run(&redis, "connect").await;
    for _ in 0..20 {
        if finding.summary.contains("(BUSY)") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        finding = run(&redis, "connect").await;
    }
    assert_fails(&finding, "busy with a script that does not end (BUSY)");
    // Nobody but its owner ends it: that is the test here, and never a check.
    server.ask::<()>(&["SCRIPT", "KILL"]);
    assert!(endless.join().unwrap().is_err());
    assert_eq!(run(&redis, "connect").await.outcome, Outcome::Pass);
}

#[tokio::test]
async fn a_loading_server_is_starting_and_not_broken() {
    let Some(mut server) = Server::start(&["--key-load-delay", "2000"]) else { return };
    let fill = "for i = 1, 5000 do redis.call('SET', 'k' .. i, string.rep('x', 2000)) end";
    server.ask::<()>(&["EVAL", fill, "0"]);
    server.ask::<()>(&["SAVE"]);
    server.process.signal("KILL");
    server.process.0.wait().unwrap();
    server.options.extend(["--loading-process-events-interval-bytes", "1024"].map(Into::into));
    server.restart();
    let redis = watch(server.settings());
    assert_fails(&run(&redis, "connect").await, "starting: loading its data (LOADING)");
    assert_fails(&run(&redis, "instance").await, "starting: loading its data");
}

#[tokio::test]
async fn a_cluster_without_its_slots_is_down() {
    let Some(server) = Server::start(&["--cluster-enabled", "yes"]) else { return };
    let redis = watch(server.settings());
    assert_eq!(run(&redis, "connect").await.outcome, Outcome::Pass);
    assert_all_fail(&redis, &WRITING, "the cluster is down (CLUSTERDOWN)").await;
}

#[tokio::test]
async fn a_database_that_does_not_exist_is_named() {
    let Some(server) = Server::start(&["--databases", "4"]) else { return };
    let redis = watch(at(&format!("{}/4", server.url())));
    assert_fails(&run(&redis, "connect").await, "no such database number");
    let redis = watch(at(&format!("{}/3", server.url())));
    assert_eq!(run(&redis, "connect").await.outcome, Outcome::Pass);
}

#[tokio::test]
async fn a_missing_command_is_named() {
    let without = |command: &str| {
        let options = ["--maxmemory", "100mb", "--rename-command", command, ""];
        Server::start(&options).map(|server| (watch(server.settings()), server))
    };
    let Some((redis, server)) = without("EVAL") else { return };
    for name in WRITING {
        let finding = run(&redis, name).await;
        assert_is(&finding, &Outcome::Skipped(Skip::NotApplicable), "it does not know EVAL: ");
        assert!(finding.remedy.unwrap().contains("rename-command"), "{name}");
    }
    for name in ["pubsub", "metrics"] {
        assert_eq!(run_fairly(&redis, name).await.outcome, Outcome::Pass, "{name}");
    }
    assert_eq!(server.keys(), []);
    let Some((redis, _server)) = without("PSUBSCRIBE") else { return };
    let finding = run(&redis, "pubsub").await;
    let expected = "it does not know PSUBSCRIBE";
    assert_is(&finding, &Outcome::Skipped(Skip::NotApplicable), expected);
    // The text of a script will do where its digest may not be called.
    let Some((redis, _server)) = without("EVALSHA") else { return };
    for name in WRITING {
        assert_eq!(run_fairly(&redis, name).await.outcome, Outcome::Pass, "{name}");
    }
}

#[tokio::test]
async fn a_command_missing_behind_a_proxy_that_does_not_say_so_is_named_too() {
    let rights = "ACL SETUSER app on >hunter2 ~* allchannels +@all -command";
    let Some(server) = Server::start(&["--maxmemory", "100mb", "--rename-command", "EVAL", ""])
    else {
        return;
    };
    server.ask::<()>(&rights.split(' ').collect::<Vec<_>>());
    let redis = watch(at(&format!("redis://app:hunter2@127.0.0.1:{}", server.port)));
    let finding = run(&redis, "lock").await;
    let expected = "it does not know EVAL: no lock can be held";
    assert_is(&finding, &Outcome::Skipped(Skip::NotApplicable), expected);
    assert_eq!(finding.receipt.written, 0);
}
