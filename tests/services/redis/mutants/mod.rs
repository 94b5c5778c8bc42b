//! The scripts on a real server, each with one line broken: a proxy alters them on their
//! way there. For every one the case is named that has to notice.

mod lines;

use super::{topology::fact, *};
use futures_util::{StreamExt as _, stream};
use lines::{CACHE, LOCK, Mutant, QUEUE, RATE_LIMIT, SESSION};
use std::collections::BTreeSet;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy},
    net::{TcpListener, TcpStream as Tcp},
};
use tokio_util::task::AbortOnDropHandle;

/// Broken servers that are looked at at the same time.
const AT_ONCE: usize = 4;
/// How often, should this host be too busy to tell.
const ATTEMPTS: usize = 6;

/// A port that leads to a server and on the way puts other words for some, which take
/// as many bytes.
async fn altering(server: u16, from: &'static str, to: &str) -> (u16, AbortOnDropHandle<()>) {
    let to = format!("{to:<width$}", width = from.len());
    assert_eq!(to.len(), from.len(), "{from:?} has no room for {to:?}");
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let carrying = tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let to = to.clone();
            // Each ends with its connection.
            tokio::spawn(
                async move { carry(client, server, from.as_bytes(), to.as_bytes()).await },
            );
        }
    });
    (port, AbortOnDropHandle::new(carrying))
}

async fn carry(client: Tcp, server: u16, from: &[u8], to: &[u8]) -> std::io::Result<()> {
    let server = Tcp::connect(("127.0.0.1", server)).await?;
    let ((mut said, mut hears), (mut answers, mut asked)) =
        (client.into_split(), server.into_split());
    let answering = async { copy(&mut answers, &mut hears).await.map(drop) };
    let asking = async {
        let (mut held, mut came) = (Vec::new(), vec![0; 16 * 1024]);
        loop {
            let count = said.read(&mut came).await?;
            if count == 0 {
                return Ok(());
            }
            held.extend_from_slice(&came[..count]);
            while let Some(at) = held.windows(from.len()).position(|part| part == from) {
                held[at..at + from.len()].copy_from_slice(to);
            }
            // The last bytes may be the beginning of what is looked for.
            let kept = (1..from.len()).rev().find(|part| held.ends_with(&from[..*part]));
            let ready = held.len() - kept.unwrap_or(0);
            asked.write_all(&held[..ready]).await?;
            held.drain(..ready);
        }
    };
    tokio::select! {
        ended = answering => ended,
        ended = asking => ended,
    }
}

/// What the case makes of a broken script, and whether that is what it has to.
async fn noticed(server: &Server, check: &str, (from, to, case, says): Mutant) -> String {
    let (port, _proxy) = altering(server.port, from, to).await;
    let mut told = String::new();
    for _ in 0..ATTEMPTS {
        let finding = run(&watch(at(&format!("redis://127.0.0.1:{port}"))), check).await;
        told = fact(&finding, case).unwrap_or(finding.summary);
        if matches!(finding.outcome, Outcome::Fail | Outcome::Warn) && told.starts_with(says) {
            return format!("{case:<4} {says:<50} {from} -> {to}");
        }
    }
    panic!("{check}: {case} does not notice that {from:?} became {to:?}: {told}");
}

/// `breakable` are the cases that a script can break: all but those of our own clock, of
/// chance, of what is refused before it is sent, and of what the server says of itself.
async fn all_noticed(check: &'static str, script: &str, mutants: &[Mutant], breakable: &[&str]) {
    let Some(server) = Server::start(&["--maxmemory", "100mb"]) else { return };
    let noticing = mutants.iter().map(|mutant| {
        assert!(script.contains(mutant.0), "{check} does not say {:?}", mutant.0);
        noticed(&server, check, *mutant)
    });
    let noticed: Vec<String> = stream::iter(noticing).buffered(AT_ONCE).collect().await;
    eprintln!("{check}: {} of {} noticed\n{}", noticed.len(), mutants.len(), noticed.join("\n"));
    let cases: BTreeSet<_> = mutants.iter().map(|mutant| mutant.2).collect();
    assert_eq!(cases, breakable.iter().copied().collect(), "{check}");
}

macro_rules! script {
    ($path:literal) => {
        include_str!(concat!("../../../../src/integrations/redis/services/", $path))
    };
}

#[tokio::test]
async fn a_broken_cache_is_noticed() {
    all_noticed(
        "cache",
        script!("cache/cache.lua"),
        CACHE,
        &["C1", "C2", "C3", "C4", "C5", "C6", "C7", "C8", "C10"],
    )
    .await;
}

#[tokio::test]
async fn a_broken_lock_is_noticed() {
    all_noticed(
        "lock",
        script!("lock/lock.lua"),
        LOCK,
        &["L1", "L2", "L3", "L4", "L5", "L6", "L8", "L9", "L10", "L11"],
    )
    .await;
}

#[tokio::test]
async fn a_broken_session_is_noticed() {
    all_noticed(
        "session",
        script!("session/session.lua"),
        SESSION,
        &["S1", "S2", "S3", "S4", "S5", "S6", "S7", "S8", "S11"],
    )
    .await;
}

#[tokio::test]
async fn a_broken_rate_limit_is_noticed() {
    all_noticed(
        "ratelimit",
        script!("ratelimit/server.rs"),
        RATE_LIMIT,
        &["R1", "R2", "R3", "R4", "R6", "R7", "R8"],
    )
    .await;
}

#[tokio::test]
async fn a_broken_queue_is_noticed() {
    all_noticed(
        "queue",
        script!("queue/queue.lua"),
        QUEUE,
        &["Q1", "Q2", "Q3", "Q4", "Q5", "Q6", "Q7", "Q8"],
    )
    .await;
}
