//! A server whose clock is set while it is watched.

use super::*;
use crate::support::clock::Clock;

/// What says so itself.
const STEPPED: [&str; 3] = ["instance", "lock", "session"];
/// Whatever was under way with a time to live ended too early, or ends too late.
const TIMED: &[&str] = &["cache", "lock", "session", "ratelimit", "queue", "pubsub", "metrics"];

/// A server that goes by a clock of the test's.
fn start(clock: &Clock) -> Option<Server> {
    let (dir, port) = (tempfile::tempdir().unwrap(), free_port());
    let options: Vec<_> = ROOM.iter().map(ToString::to_string).collect();
    let mut command = command(&binary("redis-server")?, port, dir.path(), &options);
    clock.govern(&mut command);
    let server = Server { process: Process::start(&mut command), port, dir, options };
    wait_until("an answer of redis-server", || server.answers());
    Some(server)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_29_and_30_the_clock_is_set() {
    let Some(clock) = Clock::new() else { return };
    let Some(server) = start(&clock) else { return };
    let mut watch = Watch::healthy(server.settings()).await;
    let row = Row::new("29", "server clock +60 s", (6, 0))
        .wants(&STEPPED, ("fail", "server clock was set by +"), "NTP")
        .may_suffer(TIMED);
    watch.shows(row, async || clock.set_ahead(Duration::from_mins(1))).await;
    let row = Row::new("30", "server clock -60 s", (6, 0))
        .wants(&STEPPED, ("fail", "server clock was set by -"), "NTP")
        .may_suffer(TIMED);
    watch.shows(row, async || clock.set_ahead(Duration::ZERO)).await;
    // What the runs in between left lives two minutes by this clock.
    clock.set_ahead(Duration::from_mins(2));
    watch.end(&server).await;
}
