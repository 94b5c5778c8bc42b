//! The whole catalogue of this integration, one row per check.

use super::Redis;
use crate::{
    domain::{Cadence, CheckSpec, Class, Impact, Text, text},
    probe::Check,
};
use std::time::Duration;

/// What `connect` is called; the others need it.
pub(super) const CONNECT: &str = "connect";
/// Where it is in the table.
pub(super) const CONNECTS: usize = 0;

/// One row per check.
pub(super) const CHECKS: &[Check<Redis>] = &[
    Check {
        spec: CheckSpec {
            name: text(CONNECT),
            title: text("Connects, greets, answers PING"),
            hint: text("start the server, or correct the address in [redis]"),
            does: text(
                "Opens a connection, greets the server (HELLO or AUTH, CLIENT SETNAME) and sends \
                 PING and ROLE",
            ),
            risk: text(
                "nothing that is built on it works: caches miss, locks, sessions and queues stand \
                 still",
            ),
            cadence: Cadence::Every(Duration::from_secs(5)),
            timeout: Duration::from_secs(2),
            weight: 3,
            class: Class::Blocker,
            impact: Impact::ReadOnly,
            needs: None,
            graph: false,
        },
        run: |redis, _| Box::pin(redis.connect()),
    },
    Check {
        spec: CheckSpec {
            name: text("commands"),
            title: text("Commands: each of 15 that services use"),
            hint: text("read the evidence: which commands fail, and with which code"),
            does: text(
                "Sends each of the 15 commands that services use, on keys of our own that end \
                 within 60 s, and names each that fails with its code; between two full sets a \
                 lighter one of ten",
            ),
            risk: text(
                "a service fails at the first command that the server refuses or does not know",
            ),
            cadence: Cadence::Every(Duration::from_secs(5)),
            timeout: Duration::from_secs(4),
            weight: 1,
            class: Class::Blocker,
            impact: Impact::Writes,
            // It tells what is wrong where `connect` fails too, and shares its fault.
            needs: None,
            graph: false,
        },
        run: |redis, _| Box::pin(redis.commands()),
    },
    Check {
        spec: CheckSpec {
            name: text("instance"),
            title: text("Memory, clients, saves, replication"),
            hint: text("compare with redis-cli INFO, and mend what it names"),
            does: text(
                "Reads INFO, SLOWLOG GET and ten settings with CONFIG GET, and holds each against \
                 its limit",
            ),
            risk: text(
                "the server runs out of memory or connections, or loses what it did not save",
            ),
            cadence: Cadence::Every(Duration::from_secs(15)),
            timeout: Duration::from_secs(4),
            weight: 1,
            class: Class::Major,
            impact: Impact::ReadOnly,
            needs: NEEDS_CONNECT,
            graph: false,
        },
        run: |redis, _| Box::pin(redis.instance()),
    },
    Check {
        spec: CheckSpec {
            name: text("topology"),
            title: text("Topology: role, sentinels, slots"),
            hint: text("compare with redis-cli ROLE, CLUSTER INFO or SENTINEL MASTERS"),
            does: text(
                "Asks ROLE, or the cluster or the sentinels, who is master and who owns which slot, \
                 and whether they agree",
            ),
            risk: text("writes go to the wrong master, or at a failover nobody takes over"),
            cadence: Cadence::Every(Duration::from_secs(15)),
            timeout: Duration::from_secs(4),
            weight: 1,
            class: Class::Major,
            impact: Impact::ReadOnly,
            needs: NEEDS_CONNECT,
            graph: false,
        },
        run: |redis, _| Box::pin(redis.topology()),
    },
    Check {
        spec: service(
            "cache",
            "Cache: one load per miss, exact expiry",
            "Reads through a cache on keys of our own: many misses at once, stale values, late \
             fills, exact expiry. Sends a script, HMGET and PTTL",
            "when a key ends under load, every request goes to the origin at once",
        ),
        run: |redis, _| Box::pin(redis.cache()),
    },
    Check {
        spec: service(
            "lock",
            "Lock: one holder, rising fence",
            "Takes, contends for, renews, loses and releases locks of our own, and follows the \
             fence. Sends a script and PTTL",
            "two workers hold one lock and do the same work twice",
        ),
        run: |redis, _| Box::pin(redis.lock()),
    },
    Check {
        spec: service(
            "session",
            "Session: slides, ends, stays ended",
            "Begins, slides, ends and contends for sessions of our own. Sends a script and PTTL",
            "users are logged out too early, or stay logged in too long",
        ),
        run: |redis, _| Box::pin(redis.session()),
    },
    Check {
        spec: service(
            "ratelimit",
            "Rate limit: exact in every window",
            "Asks limiters of our own up to their limit and past it, on both sides of a window. \
             Sends a script and PTTL",
            "callers get more than they may, or are refused what is theirs",
        ),
        run: |redis, _| Box::pin(redis.ratelimit()),
    },
    Check {
        spec: service(
            "queue",
            "Queue: priorities, leases, retries",
            "Puts jobs of several priorities into queues of our own; claims, loses, retries and \
             buries them. Sends a script",
            "jobs are lost or run twice, or the urgent ones wait",
        ),
        run: |redis, _| Box::pin(redis.queue()),
    },
    Check {
        spec: service(
            "pubsub",
            "Pub/sub: each message once, gaps told",
            "Publishes to channels of our own and listens on connections of its own, by name and \
             by pattern, through a gap. Sends PUBLISH, SUBSCRIBE and PSUBSCRIBE",
            "subscribers miss messages, or hear them twice, and do not know it",
        ),
        run: |redis, _| Box::pin(redis.pubsub()),
    },
    Check {
        spec: CheckSpec {
            name: text("metrics"),
            title: text("Metrics: strict export, agrees with INFO"),
            hint: text("read the evidence: it names the promise that was broken"),
            does: text(
                "Renders INFO and TIME as Prometheus text, parses that strictly and holds it \
                 against INFO; asks a redis_exporter where one is configured",
            ),
            risk: text("dashboards and alerts about this server show wrong figures, or none"),
            cadence: Cadence::Every(Duration::from_mins(1)),
            timeout: Duration::from_secs(6),
            weight: 1,
            class: Class::Major,
            impact: Impact::ReadOnly,
            needs: NEEDS_CONNECT,
            graph: false,
        },
        run: |redis, _| Box::pin(redis.metrics()),
    },
];

const NEEDS_CONNECT: Option<Text> = Some(text(CONNECT));

/// The spec of a check that puts a service to the test.
const fn service(
    name: &'static str,
    title: &'static str,
    does: &'static str,
    risk: &'static str,
) -> CheckSpec {
    CheckSpec {
        name: text(name),
        title: text(title),
        hint: text("read the evidence: it names the promise that was broken"),
        does: text(does),
        risk: text(risk),
        cadence: Cadence::Every(Duration::from_mins(1)),
        // Dozens of answers one after another, each of which may be a fifth of a second away.
        timeout: Duration::from_secs(12),
        weight: 1,
        class: Class::Blocker,
        impact: Impact::Writes,
        needs: NEEDS_CONNECT,
        graph: false,
    }
}
