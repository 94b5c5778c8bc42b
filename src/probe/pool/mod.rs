//! A pool of database connections, watched.
//!
//! The driver's own pool says how many connections it has and how many are
//! idle, and nothing of who waits, how long, and why somebody got none. It
//! also hides the reason: for a full, a starting and an absent server alike it
//! tries again until its time is over and then says only that time is over.
//! [`WatchedPool`] measures around it, and asks the server itself once when
//! that happens.

mod meter;
mod trouble;

pub use meter::{Holding, PoolMeter, Waiting};

use crate::domain::{PoolFigures, PoolTrouble};
use sqlx::{
    ConnectOptions as _, Connection, Database, Pool,
    pool::{PoolConnection, PoolOptions},
};
use std::{
    ops::{Deref, DerefMut},
    time::Duration,
};
use tokio::time::timeout;

/// How long at most the server itself is asked after the pool gave up: a pool that was too
/// impatient for it must not be mistaken for a server that does not answer.
const ASKING: Duration = Duration::from_secs(2);

/// A pool whose every acquire is measured.
///
/// ```no_run
/// # async fn shown(link: sqlx::postgres::PgConnectOptions) {
/// use tminus::probe::pool::{PoolMeter, WatchedPool};
///
/// let meter = PoolMeter::default();
/// let pool = WatchedPool::<sqlx::Postgres>::new(Default::default(), link, meter.clone());
/// match pool.acquire().await {
///     Ok(_held) => println!("{} in use", meter.count().used),
///     Err(none) => println!("none within {:?}: {}", none.waited, none.why.word()),
/// }
/// # }
/// ```
#[derive(Debug)]
pub struct WatchedPool<DB: Database> {
    pool: Pool<DB>,
    meter: PoolMeter,
}

/// A connection out of a [`WatchedPool`], given back when dropped.
#[derive(Debug)]
pub struct Held<DB: Database> {
    link: PoolConnection<DB>,
    _holding: Holding,
}

/// Nobody got a connection.
#[derive(Debug)]
pub struct NoConnection {
    /// Why.
    pub why: PoolTrouble,
    /// For how long it was tried.
    pub waited: Duration,
    /// What the driver said, or the server when it was asked itself. It may
    /// hold names and a statement: nothing to show as it is.
    pub error: sqlx::Error,
}

impl<DB: Database> WatchedPool<DB> {
    /// Opens nothing before the first acquire. Needs a runtime, in which the
    /// driver looks after idle connections.
    pub fn new(
        options: PoolOptions<DB>,
        link: <DB::Connection as Connection>::Options,
        meter: PoolMeter,
    ) -> Self {
        let pool = options.connect_lazy_with(link);
        meter.sized(pool.options().get_max_connections(), 0, 0);
        Self { pool, meter }
    }

    /// A connection, within the acquire timeout that the pool was given. Only to
    /// learn why there was none it may take up to two seconds longer.
    pub async fn acquire(&self) -> Result<Held<DB>, NoConnection> {
        let waiting = self.meter.wait();
        let ended = self.pool.acquire().await;
        let waited = waiting.began().elapsed();
        let error = match ended {
            Ok(link) => return Ok(Held { link, _holding: waiting.got() }),
            Err(error) => error,
        };
        let (why, error) = match trouble::of(&error) {
            Some(why) => (why, error),
            None => self.reason(error).await,
        };
        waiting.refused(why);
        Err(NoConnection { why, waited, error })
    }

    /// Why the pool's time was over.
    async fn reason(&self, error: sqlx::Error) -> (PoolTrouble, sqlx::Error) {
        if self.meter.count().used >= self.pool.options().get_max_connections() {
            return (PoolTrouble::Pool, error);
        }
        match timeout(ASKING, self.pool.connect_options().connect()).await {
            // The server lets others in, so it was the pool that was too slow.
            Ok(Ok(link)) => {
                // Whether it says goodbye properly is of no interest any more.
                drop(timeout(ASKING, link.close()).await);
                (PoolTrouble::Pool, error)
            }
            Ok(Err(said)) => (trouble::of(&said).unwrap_or(PoolTrouble::Other), said),
            Err(_) => (PoolTrouble::Network, error),
        }
    }

    /// How the pool stands, and what came of asking it so far.
    pub fn figures(&self) -> PoolFigures {
        let idle = u32::try_from(self.pool.num_idle()).unwrap_or(u32::MAX);
        let most = self.pool.options().get_max_connections();
        self.meter.sized(most, self.pool.size(), idle)
    }

    /// Closes the connections that nobody holds and waits for the others.
    pub async fn close(&self) {
        self.pool.close().await;
        self.figures();
    }
}

impl<DB: Database> Deref for Held<DB> {
    type Target = PoolConnection<DB>;

    fn deref(&self) -> &PoolConnection<DB> {
        &self.link
    }
}

impl<DB: Database> DerefMut for Held<DB> {
    fn deref_mut(&mut self) -> &mut PoolConnection<DB> {
        &mut self.link
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::{
        Sqlite,
        postgres::{PgConnectOptions, PgSslMode, Postgres},
        sqlite::SqliteConnectOptions,
    };
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
        task::yield_now,
        time::{pause, resume, sleep},
    };

    const PATIENCE: Duration = Duration::from_millis(250);

    fn embedded(most: u32, patience: Duration) -> WatchedPool<Sqlite> {
        let options = PoolOptions::new().max_connections(most).acquire_timeout(patience);
        WatchedPool::new(options, SqliteConnectOptions::new(), PoolMeter::default())
    }

    /// A pool towards a server of the test's own at `port`.
    fn remote(port: u16) -> WatchedPool<Postgres> {
        let link = PgConnectOptions::new_without_pgpass()
            .host("127.0.0.1")
            .port(port)
            .username("app")
            .ssl_mode(PgSslMode::Disable);
        let options = PoolOptions::new().max_connections(2).acquire_timeout(PATIENCE);
        WatchedPool::new(options, link, PoolMeter::default())
    }

    #[tokio::test]
    async fn a_real_pool_is_accounted_for_exactly() {
        let pool = embedded(2, Duration::from_mins(1));
        let stands = |pool: &WatchedPool<Sqlite>| {
            let PoolFigures { most, size, idle, used, waiters, .. } = pool.figures();
            (most, size, idle, used, waiters)
        };
        assert_eq!(stands(&pool), (2, 0, 0, 0, 0));
        let first = pool.acquire().await.unwrap();
        let second = pool.acquire().await.unwrap();
        assert_eq!(stands(&pool), (2, 2, 0, 2, 0));
        pause();
        let none = pool.acquire().await.unwrap_err();
        resume();
        assert_eq!((none.why, none.waited.as_secs()), (PoolTrouble::Pool, 60));
        drop((first, second));
        // The driver gives them back in tasks of its own.
        while pool.figures().idle < 2 {
            yield_now().await;
        }
        assert_eq!(stands(&pool), (2, 2, 2, 0, 0));
        pool.close().await;
        let figures = pool.figures();
        assert_eq!((figures.size, figures.idle), (0, 0));
        assert_eq!((figures.waits.count(), figures.refused), (2, [1, 0, 0, 0, 0, 0]));
    }

    #[tokio::test]
    async fn who_waits_is_seen_waiting_and_the_wait_is_counted() {
        let pool = embedded(1, Duration::from_mins(1));
        let held = pool.acquire().await.unwrap();
        pause();
        let letting_go = async {
            sleep(Duration::from_millis(40)).await;
            assert_eq!(pool.figures().waiters, 1);
            // Giving it back takes real work in the driver's own thread.
            resume();
            drop(held);
        };
        let before = pool.figures().waits.total();
        let (got, ()) = tokio::join!(pool.acquire(), letting_go);
        assert!(got.is_ok() && pool.figures().waiters == 0);
        assert!(pool.figures().waits.total() >= before + Duration::from_millis(40));
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_is_not_an_exhausted_pool() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let pool = remote(listener.local_addr().unwrap().port());
        drop(listener);
        let none = pool.acquire().await.unwrap_err();
        assert_eq!(none.why, PoolTrouble::Network, "{none:?}");
        assert_eq!(pool.figures().refused_for(PoolTrouble::Network), 1);
    }

    #[tokio::test]
    async fn a_full_and_a_starting_server_are_told_apart() {
        for (code, why) in [
            ("53300", PoolTrouble::ServerFull),
            ("57P03", PoolTrouble::Starting),
            ("28P01", PoolTrouble::Auth),
        ] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let pool = remote(listener.local_addr().unwrap().port());
            let server = async {
                loop {
                    let (mut stream, _) = listener.accept().await.unwrap();
                    let mut startup = [0; 8];
                    stream.read_exact(&mut startup).await.unwrap();
                    let body = format!("SFATAL\0VFATAL\0C{code}\0Mno\0\0");
                    let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
                    let answer = [b"E".as_slice(), &length, body.as_bytes()].concat();
                    stream.write_all(&answer).await.unwrap();
                }
            };
            let none = tokio::select! {
                ended = pool.acquire() => ended.unwrap_err(),
                () = server => unreachable!(),
            };
            assert_eq!(none.why, why, "{code}: {none:?}");
        }
    }

    #[tokio::test]
    async fn a_server_that_says_nothing_is_given_up_in_time() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let pool = remote(listener.local_addr().unwrap().port());
        let none = pool.acquire().await.unwrap_err();
        assert_eq!(none.why, PoolTrouble::Network, "{none:?}");
    }
}
