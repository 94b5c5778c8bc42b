//! A master, its replica, and three sentinels that look after them.

use super::*;
use std::fs;

const ROOM: &[&str] = &[
    "--maxmemory",
    "100mb",
    "--maxmemory-policy",
    "noeviction",
    "--repl-diskless-sync-delay",
    "0",
];

struct Guarded {
    master: Server,
    replica: Server,
    sentinels: Vec<(Process, u16, TempDir)>,
}

fn sentinel(master: u16) -> Option<(Process, u16, TempDir)> {
    let (dir, port) = (tempfile::tempdir().unwrap(), free_port());
    let config = format!(
        "port {port}\nbind 127.0.0.1\nsentinel monitor mymaster 127.0.0.1 {master} 2\n\
         sentinel down-after-milliseconds mymaster 1000\nsentinel failover-timeout mymaster 5000\n"
    );
    fs::write(dir.path().join("sentinel.conf"), config).unwrap();
    let mut command = Command::new(binary("redis-server")?);
    command.current_dir(dir.path()).args(["sentinel.conf", "--sentinel"]);
    Some((Process::start(&mut command), port, dir))
}

fn ask<T: FromRedisValue>(port: u16, words: &[&str]) -> Option<T> {
    let client = Client::open(format!("redis://127.0.0.1:{port}")).unwrap();
    let mut connection = client.get_connection().ok()?;
    redis::cmd(words[0]).arg(&words[1..]).query(&mut connection).ok()
}

impl Guarded {
    fn start() -> Option<Self> {
        let master = Server::start(ROOM)?;
        let port = master.port.to_string();
        let replica = Server::start(&[ROOM, &["--replicaof", "127.0.0.1", &port]].concat())?;
        wait_until("a replica that is up", || {
            replica.ask::<String>(&["INFO", "replication"]).contains("master_link_status:up")
        });
        let sentinels = (0..3).map(|_| sentinel(master.port)).collect::<Option<_>>()?;
        let guarded = Self { master, replica, sentinels };
        wait_until("sentinels that know each other", || guarded.are_complete());
        Some(guarded)
    }

    fn are_complete(&self) -> bool {
        self.sentinels.iter().all(|(_, port, _)| {
            let told: Option<Vec<String>> = ask(*port, &["SENTINEL", "MASTER", "mymaster"]);
            let told = told.unwrap_or_default();
            let said = |name: &str| {
                told.chunks_exact(2).find(|pair| pair[0] == name).map(|pair| pair[1].as_str())
            };
            (said("num-other-sentinels"), said("num-slaves"), said("flags"))
                == (Some("2"), Some("1"), Some("master"))
        })
    }

    fn settings(&self) -> Settings {
        let sentinels = self.sentinels.iter();
        let sentinels = sentinels.map(|(_, port, _)| format!("127.0.0.1:{port}")).collect();
        Settings { url: None, sentinels, master: Some("mymaster".into()), ..at("redis://x") }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_master_is_found_and_passes_every_check() {
    let Some(guarded) = Guarded::start() else { return };
    let redis = watch(guarded.settings());
    assert_eq!(redis.target().name, "mymaster/0 via 3 sentinels");
    let findings = full_run("sentinel", &redis).await;
    assert_passes(&findings, &[]);
    let topology = &findings.iter().find(|(name, _)| *name == "topology").unwrap().1;
    let expected = format!("master 127.0.0.1:{}, 3 of 3 sentinels", guarded.master.port);
    assert_eq!(topology.summary, expected);
    assert_eq!(guarded.master.keys(), []);
    let hosts: Vec<_> = guarded.settings().sentinels;
    let url = format!("redis-sentinel://{}/mymaster/2", hosts.join(","));
    let connect = run(&watch(at(&url)), "connect").await;
    assert_eq!(connect.outcome, Outcome::Pass, "{}", connect.summary);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failover_costs_a_run_and_is_told() {
    let Some(mut guarded) = Guarded::start() else { return };
    let redis = watch(guarded.settings());
    for name in ["ratelimit", "topology"] {
        let finding = run_fairly(&redis, name).await;
        assert_eq!(finding.outcome, Outcome::Pass, "{name}: {}", finding.summary);
    }
    let began = Instant::now();
    guarded.master.kill();
    assert_eq!(run(&redis, "ratelimit").await.outcome, Outcome::Fail);
    wait_until("the promotion", || {
        let told: Option<String> = ask(guarded.replica.port, &["INFO", "replication"]);
        told.is_some_and(|told| told.contains("role:master"))
    });
    let promoted = began.elapsed();
    let settled = || async { run(&redis, "connect").await.outcome == Outcome::Pass };
    while !settled().await {
        assert!(promoted + Duration::from_secs(20) > began.elapsed(), "never found again");
    }
    eprintln!("failover: promoted after {promoted:?}, found after {:?}", began.elapsed());
    let after = run_fairly(&redis, "ratelimit").await;
    assert_eq!(after.outcome, Outcome::Pass, "{}", after.summary);
    let topology = run(&redis, "topology").await;
    let moved = fact(&topology, "last move").unwrap();
    let (from, to) = (guarded.master.port, guarded.replica.port);
    assert!(moved.starts_with(&format!("127.0.0.1:{from} to 127.0.0.1:{to}, ")), "{moved}");
    assert!(topology.evidence.reply.contains("master moved from"), "{}", topology.evidence.reply);
    assert_ne!(topology.outcome, Outcome::Pass, "it is news: {}", topology.summary);
    assert_eq!(guarded.replica.keys(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_that_was_demoted_is_left_for_the_new_one() {
    let Some(guarded) = Guarded::start() else { return };
    let redis = watch(guarded.settings());
    assert_eq!(run_fairly(&redis, "ratelimit").await.outcome, Outcome::Pass);
    ask::<()>(guarded.sentinels[0].1, &["SENTINEL", "FAILOVER", "mymaster"]);
    // The sentinels cut off whoever is connected meanwhile, this test included.
    let is = |server: &Server, role: &str| {
        let told: Option<String> = ask(server.port, &["INFO", "replication"]);
        told.is_some_and(|told| told.contains(role))
    };
    wait_until("the promotion", || is(&guarded.replica, "role:master"));
    wait_until("the demotion", || is(&guarded.master, "role:slave"));
    let mut failed = 0;
    loop {
        let finding = run_fairly(&redis, "ratelimit").await;
        if finding.outcome == Outcome::Pass {
            break;
        }
        failed += 1;
        assert!(failed < 20, "{}", finding.summary);
    }
    eprintln!("demotion: {failed} failing runs");
    wait_until("no key on either", || {
        [&guarded.master, &guarded.replica].iter().all(|at| ask(at.port, &["DBSIZE"]) == Some(0))
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sentinels_that_are_away_or_know_nothing_are_named() {
    let Some(mut guarded) = Guarded::start() else { return };
    let settings = guarded.settings();
    let other = Settings { master: Some("other".into()), ..settings.clone() };
    let finding = run(&watch(other), "connect").await;
    assert_fails(&finding, "no sentinel of 3 names a master: 127.0.0.1:");
    assert!(finding.summary.ends_with("knows no master called other"), "{}", finding.summary);
    let redis = watch(settings);
    let lost = guarded.sentinels.pop().unwrap();
    drop(lost);
    let finding = run(&redis, "topology").await;
    assert!(matches!(finding.outcome, Outcome::Warn | Outcome::Fail), "{}", finding.summary);
    assert!(finding.evidence.reply.contains("connection refused"), "{}", finding.evidence.reply);
    assert_eq!(run(&redis, "connect").await.outcome, Outcome::Pass);
    drop(guarded.sentinels.pop());
    assert_fails(&run(&redis, "connect").await, "1 sentinel of 3 names a master, 2 must agree");
    let port = guarded.master.port;
    let single = Settings { sentinels: vec![format!("127.0.0.1:{port}")], ..guarded.settings() };
    assert_fails(&run(&watch(single), "connect").await, "it does not know SENTINEL");
}
