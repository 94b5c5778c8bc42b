use super::{
    Memory, Postgres, STATEMENT,
    activity::{Habits, Pooled, Room, Seen},
    client::{Answer, lines},
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
use sqlx::{AssertSqlSafe, Row as _};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// For the server to let go of closed sessions.
const GONE: Duration = Duration::from_secs(1);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(5);
/// Sessions left to others while the pool is tried out.
const SPARED: u64 = 1;

impl Postgres {
    /// Tries out a pool, and looks at it from the standing session.
    pub(super) async fn pooled(&self) -> Result<Pooled, Fault> {
        let mut memory = self.canary.lock().await;
        let rooms = self.rooms().await?;
        let habits = self.habits(&mut memory).await?;
        let own_session = rooms.identity.own;
        let rooms = rooms_of(&rooms)?;
        let spare = |room: &Room| room.used + u64::from(SIZE) + SPARED <= room.most;
        let fits = rooms.iter().filter(|room| room.ours).all(spare);
        let trial = if fits { Some(self.trial(own_session).await?) } else { None };
        Ok(Pooled { rooms, trial, habits, own_session })
    }

    /// How full the server is, our role and database, and the fullest of the others.
    pub(super) async fn rooms(&self) -> Result<Answer, Fault> {
        self.answer(queries::ROOMS.into()).await
    }

    async fn habits(&self, memory: &mut Memory) -> Result<Habits, Fault> {
        let answer = self.answer(queries::HABITS.into()).await?;
        let line = super::first(&answer.rows, queries::HABITS, "")?;
        let stats = self.stats().await?;
        let before = memory.sessions.replace(stats.clone()).filter(|then| stats.continues(then));
        let grown = |of: fn(&super::activity::Stats) -> i64| {
            before.as_ref().map(|then| (of(&stats) - of(then)).unsigned_abs())
        };
        let (nameless, stale): (i64, Option<i64>) = (line.read("nameless")?, line.read("stale")?);
        Ok(Habits {
            nameless: nameless.unsigned_abs(),
            stale: stale.map(i64::unsigned_abs),
            begun: grown(|stats| stats.sessions),
            abandoned: grown(|stats| stats.abandoned),
        })
    }

    async fn trial(&self, own: bool) -> Result<(Accounts, Seen), Fault> {
        let mut held = self.hold(own).await?;
        let mut pids = Vec::new();
        for link in &mut held.links {
            pids.push(self.pid(link).await?);
        }
        let seen = self.named(&pids).await?;
        let accounts = held.account().await;
        let began = Instant::now();
        let mut left = self.named(&pids).await?;
        while left > 0 && began.elapsed() < GONE {
            sleep(PAUSE).await;
            left = self.named(&pids).await?;
        }
        Ok((accounts, Seen { held: seen, left, gone_after: began.elapsed() }))
    }

    /// Both connections of a pool; with more patience where the server is far away.
    async fn hold(&self, own: bool) -> Result<Held<sqlx::Postgres>, Fault> {
        for patience in PATIENCE {
            let options = self.client.pool_options(own)?;
            match pooling::hold(options, patience, &self.meter).await {
                Ok(held) => return Ok(held),
                Err(none) if none.why == PoolTrouble::Pool => {}
                Err(none) => return Err(self.client.fault(&none.error, "acquire")),
            }
        }
        Err(pooling::gave_up("server lets others in"))
    }

    async fn pid(&self, link: &mut pool::Held<sqlx::Postgres>) -> Result<i32, Fault> {
        let asked = sqlx::raw_sql(queries::PID).fetch_one(&mut ***link);
        let row = timeout(STATEMENT, asked)
            .await
            .map_err(|_| Fault::hung(queries::PID, STATEMENT, &self.client.server().peer()))?
            .map_err(|error| self.client.fault(&error, queries::PID))?;
        let wrong = |_| Fault::foreign(queries::PID, &self.client.server().peer());
        row.try_get("pid").map_err(wrong)
    }

    /// How many sessions of `pids` are there under the pool's name.
    async fn named(&self, pids: &[i32]) -> Result<u64, Fault> {
        let rows = self.read(queries::pooled(pids)).await?;
        let seen: i64 = super::first(&rows, "pg_stat_activity", "")?.read("seen")?;
        Ok(seen.unsigned_abs())
    }

    /// The answer to a statement built of our own texts, on the standing session.
    pub(super) async fn answer(&self, sql: String) -> Result<Answer, Fault> {
        let deadline = Instant::now() + STATEMENT;
        let mut watch = crate::probe::Stopwatch::start();
        self.client.read(AssertSqlSafe(sql), "query", &mut watch, deadline).await
    }
}

/// The rows of [`queries::ROOMS`].
pub(super) fn rooms_of(answer: &Answer) -> Result<Vec<Room>, Fault> {
    let room = |line: super::client::Line<'_>| {
        let (used, most): (i64, i64) = (line.read("used")?, line.read("most")?);
        let (used, most) = (used.unsigned_abs(), most.unsigned_abs());
        Ok(Room { what: line.read("what")?, used, most, ours: line.read("ours")? })
    };
    lines(&answer.rows, queries::ROOMS).map(room).collect()
}
