use super::{
    MySql, STATEMENT, first,
    measured::{Pooled, Seen},
    queries,
};
use crate::{
    domain::PoolTrouble,
    integrations::database::{
        fault::Fault,
        pooling::{self, Accounts, Held, PATIENCE, SIZE},
    },
    probe::pool,
};
use sqlx::Row as _;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// For the server to let go of closed sessions.
const GONE: Duration = Duration::from_secs(1);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(5);
/// Sessions left to others while the pool is tried out.
const SPARED: u64 = 1;

impl MySql {
    /// Tries out a pool, and looks at it from the standing session.
    pub(super) async fn pooled(&self) -> Result<Pooled, Fault> {
        let _memory = self.canary.lock().await;
        let used = self.status(queries::THREADS).await?;
        let room = self.read(queries::ROOM).await?;
        let own_session = room.identity.own;
        let room = first(&room.rows, queries::ROOM)?;
        let (most, own_most): (u64, u64) = (room.number("most")?, room.number("own_most")?);
        let sessions = self.read(queries::SESSIONS).await?;
        let sessions = first(&sessions.rows, queries::SESSIONS)?;
        // Whom a full server refuses is counted too, until he is gone.
        let server = (used.min(most), most);
        let account = match own_most {
            0 => None,
            most => Some((sessions.number("own")?, most)),
        };
        let spare = |(used, most): (u64, u64)| used + u64::from(SIZE) + SPARED <= most;
        let room = spare(server) && account.is_none_or(spare);
        let trial = if room { Some(self.trial().await?) } else { None };
        Ok(Pooled { server, account, trial, stale: sessions.number("stale")?, own_session })
    }

    /// The pool's account of itself, and the server's.
    async fn trial(&self) -> Result<(Accounts, Seen), Fault> {
        let mut held = self.hold().await?;
        let mut ids = Vec::new();
        for link in &mut held.links {
            ids.push(number(link).await.map_err(|error| self.client.fault(&error))?);
        }
        let seen = self.alive(&ids).await?;
        let accounts = held.account().await;
        let deadline = Instant::now() + GONE;
        let left = loop {
            let left = self.alive(&ids).await?;
            if left == 0 || Instant::now() >= deadline {
                break left;
            }
            sleep(PAUSE).await;
        };
        Ok((accounts, Seen { held: seen, left }))
    }

    /// Takes all that a new pool has; with more patience where the server is far away.
    async fn hold(&self) -> Result<Held<sqlx::MySql>, Fault> {
        for patience in PATIENCE {
            let options = self.client.options().map_err(|error| self.client.fault(&error))?;
            match pooling::hold(options, patience, &self.meter).await {
                Ok(held) => return Ok(held),
                Err(none) if none.why == PoolTrouble::Pool => {}
                Err(none) => return Err(self.client.fault(&none.error)),
            }
        }
        Err(pooling::gave_up("server lets others in"))
    }
}

/// The number of the session that `link` is.
async fn number(link: &mut pool::Held<sqlx::MySql>) -> Result<u64, sqlx::Error> {
    let asked = sqlx::raw_sql("SELECT CONNECTION_ID() AS id").fetch_one(&mut ***link);
    let row = timeout(STATEMENT, asked).await.map_err(|_| sqlx::Error::PoolTimedOut)??;
    let text: String = row.try_get_unchecked("id")?;
    Ok(text.parse().unwrap_or_default())
}
