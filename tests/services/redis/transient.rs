//! Servers that come and go, hang and are slow; and runs that are stopped.

use super::*;
use crate::support::proxy::{Proxy, Way};
use tokio::time::timeout;

const ROOM: &[&str] = &["--maxmemory", "100mb", "--maxmemory-policy", "noeviction"];

#[tokio::test]
async fn a_stopped_process_is_hung_within_the_bound_and_comes_back() {
    let Some(server) = Server::start(ROOM) else { return };
    let redis = watch(server.settings());
    // The shared connection exists by now, and must not be trusted when it goes silent.
    assert_eq!(run_fairly(&redis, "lock").await.outcome, Outcome::Pass);
    server.process.signal("STOP");
    let began = Instant::now();
    assert_fails(&run(&redis, "connect").await, "hung: connected, no answer within ");
    assert!(began.elapsed() < Duration::from_millis(1500), "{:?}", began.elapsed());
    for name in ["instance", "lock"] {
        assert_fails(&run(&redis, name).await, "hung: connected, no answer within ");
    }
    server.process.signal("CONT");
    for name in ["connect", "instance", "lock"] {
        let finding = run_fairly(&redis, name).await;
        assert_well(name, &finding);
    }
}

#[tokio::test]
async fn a_killed_server_is_refused_and_recovers_when_it_is_back() {
    let Some(mut server) = Server::start(ROOM) else { return };
    let redis = watch(server.settings());
    assert_eq!(run_fairly(&redis, "cache").await.outcome, Outcome::Pass);
    server.process.signal("KILL");
    server.process.0.wait().unwrap();
    for name in ALL {
        let finding = run(&redis, name).await;
        assert_fails(&finding, &format!("connection refused by {}", server.name()));
        assert!(!finding.fallback, "the stand-in must not answer for a server that is away");
    }
    server.restart();
    for name in ALL {
        let finding = run_fairly(&redis, name).await;
        assert_well(name, &finding);
    }
}

#[tokio::test]
async fn our_connections_may_be_killed_between_runs() {
    let Some(server) = Server::start(ROOM) else { return };
    let redis = watch(server.settings());
    for _ in 0..3 {
        assert_well("instance", &run(&redis, "instance").await);
        server.ask::<u64>(&["CLIENT", "KILL", "TYPE", "normal"]);
    }
}

#[tokio::test]
async fn a_run_stopped_anywhere_leaves_only_keys_that_expire() {
    let Some(server) = Server::start(ROOM) else { return };
    let redis = watch(server.settings());
    let cx = Cx::default();
    let specs = redis.checks();
    let mut seen = 0;
    for step in 0..24_u64 {
        for name in WRITING {
            let index = specs.iter().position(|spec| spec.name == name).unwrap();
            let allowed = Duration::from_micros(300 * step * step);
            drop(timeout(allowed, redis.run(index, &cx)).await);
            for (key, left) in server.keys() {
                seen += 1;
                assert!((0..=60_000).contains(&left), "{key} lives for {left} ms");
            }
        }
    }
    assert!(seen > 0, "no run was stopped while it had keys, so this proved nothing");
}

/// A way on which each answer comes this much later.
async fn slow_way_to(port: u16, delay: Duration) -> Proxy {
    let proxy = Proxy::to(port).await;
    proxy.set(Way::Delayed(delay));
    proxy
}

#[tokio::test]
async fn a_slow_way_is_slow_and_breaks_no_promise() {
    let Some(server) = Server::start(ROOM) else { return };
    let way = slow_way_to(server.port, Duration::from_millis(80)).await;
    let mut settings = at(&format!("redis://127.0.0.1:{}", way.port));
    settings.ping_limit = Settings::default().ping_limit;
    let redis = watch(settings);
    assert_is(&run(&redis, "connect").await, &Outcome::Warn, "PING takes ");
    for name in WRITING {
        let finding = run(&redis, name).await;
        assert_is(&finding, &Outcome::Warn, "expiry not timed: round trip ");
        assert_eq!((finding.receipt.removed, finding.receipt.left), (finding.receipt.written, 0));
    }
    let heard = run(&redis, "pubsub").await;
    assert_eq!(heard.outcome, Outcome::Pass, "{}", heard.summary);
    assert_eq!(server.keys(), []);
}

#[tokio::test]
async fn a_brisk_way_is_timed_all_the_same() {
    let Some(server) = Server::start(ROOM) else { return };
    let way = slow_way_to(server.port, Duration::from_millis(16)).await;
    let redis = watch(at(&format!("redis://127.0.0.1:{}", way.port)));
    for name in [&["connect"][..], &WRITING, &["pubsub"]].concat() {
        let finding = run_fairly(&redis, name).await;
        assert_well(name, &finding);
    }
}
