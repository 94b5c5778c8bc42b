//! A throw-away pool whose every number is known beforehand, on any database.

use super::fault::{Fault, Kind};
use crate::{
    domain::PoolTrouble,
    probe::pool::{self, NoConnection, PoolMeter, WatchedPool},
};
use sqlx::{Connection, Database, pool::PoolOptions};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// Connections of the pool.
pub(super) const SIZE: u32 = 2;
/// How long an acquire may wait; the second is for a database that is far away.
pub(super) const PATIENCE: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(1)];
/// For what the pool does by itself: taking connections back, closing them.
const SETTLE: Duration = Duration::from_secs(1);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(2);

/// What the pool said of itself at each step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Accounts {
    /// With both connections held.
    pub(super) held: Count,
    /// How long an acquire may wait.
    pub(super) patience: Duration,
    /// What came of asking for one more.
    pub(super) third: Third,
    /// With both given back.
    pub(super) returned: Count,
    /// After it was closed.
    pub(super) closed: Count,
    /// The slower of the two acquires, a new session included.
    pub(super) acquire: Duration,
}

/// What a pool says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Count {
    /// Connections that it has.
    pub(super) open: u32,
    /// Those that nobody holds.
    pub(super) idle: u32,
}

/// What came of asking a used-up pool for a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Third {
    /// It gave up after this time, as it should.
    TimedOut(Duration),
    /// It had one.
    Got,
    /// It failed in another way.
    Failed,
}

/// A pool with both of its connections held.
pub(super) struct Held<DB: Database> {
    pool: WatchedPool<DB>,
    /// The two connections.
    pub(super) links: [pool::Held<DB>; 2],
    patience: Duration,
    acquire: Duration,
}

type Options<DB> = <<DB as Database>::Connection as Connection>::Options;

/// Opens a pool that `meter` counts, and takes all that it has.
pub(super) async fn hold<DB: Database>(
    options: Options<DB>,
    patience: Duration,
    meter: &PoolMeter,
) -> Result<Held<DB>, NoConnection> {
    let settings = PoolOptions::<DB>::new()
        .max_connections(SIZE)
        .min_connections(0)
        .acquire_timeout(patience)
        .idle_timeout(None)
        .max_lifetime(None);
    let pool = WatchedPool::new(settings, options, meter.clone());
    let began = Instant::now();
    let first = pool.acquire().await?;
    let between = Instant::now();
    let second = pool.acquire().await?;
    let acquire = (between - began).max(between.elapsed());
    Ok(Held { pool, links: [first, second], patience, acquire })
}

impl<DB: Database> Held<DB> {
    /// Asks for one more while all are held, gives them back, closes the pool.
    pub(super) async fn account(self) -> Accounts {
        let Self { pool, links, patience, acquire } = self;
        let held = count(&pool);
        let third = third(&pool).await;
        drop(links);
        settle(&pool, |count| count.idle == SIZE).await;
        let returned = count(&pool);
        // What does not close in time is counted below.
        drop(timeout(SETTLE, pool.close()).await);
        settle(&pool, |count| count.open == 0).await;
        Accounts { held, patience, third, returned, closed: count(&pool), acquire }
    }
}

/// What to say where a pool gave up, though whoever asks for a single connection gets one.
pub(super) fn gave_up(lets_in: &str) -> Fault {
    let says = format!("our own pool gave up, though the {lets_in}");
    Fault::new(Kind::Local, "acquire", says, "give this host processor time, then re-check")
}

fn count<DB: Database>(pool: &WatchedPool<DB>) -> Count {
    let figures = pool.figures();
    Count { open: figures.size, idle: figures.idle }
}

async fn third<DB: Database>(pool: &WatchedPool<DB>) -> Third {
    match pool.acquire().await {
        Ok(_) => Third::Got,
        Err(none) if none.why == PoolTrouble::Pool => Third::TimedOut(none.waited),
        Err(_) => Third::Failed,
    }
}

/// Waits until the pool has done what it does by itself, but not for ever.
async fn settle<DB: Database>(pool: &WatchedPool<DB>, done: impl Fn(Count) -> bool) {
    let deadline = Instant::now() + SETTLE;
    while !done(count(pool)) && Instant::now() < deadline {
        sleep(PAUSE).await;
    }
}
