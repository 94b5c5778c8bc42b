use super::{
    Postgres, STATEMENT, Session,
    activity::{Mode, Open, Stats, Transactions},
    first, queries, setup,
};
use crate::integrations::database::fault::{Fault, Kind};
use sqlx::AssertSqlSafe;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long the first transaction is held open, so that its age says something.
const HOLD: Duration = Duration::from_millis(100);
/// For the server to add up what a session has done. Those before 15 do it by the way.
const COUNTED: Duration = Duration::from_secs(2);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(50);

/// What became of the two.
struct Ran {
    open: Option<Open>,
    held: (Duration, Duration),
    ended: Option<[String; 2]>,
    gone: Option<bool>,
}

impl Postgres {
    /// Rolls one back and commits another on the second session, and looks on.
    pub(super) async fn transact(&self) -> Result<Transactions, Fault> {
        let (mut memory, mut session) = self.second().await?;
        let before = self.stats().await?;
        let setup = setup(&mut session).await?;
        let (mode, ran) = self.both(&mut session).await?;
        let own_session = session.identity.own;
        self.part(session).await;
        memory.rolled_back();
        let after = self.counted(&before, |now, then| now.rollbacks > then.rollbacks).await?;
        let Ran { open, held, ended, gone } = ran;
        let (activities, role, database) = (setup.activities, setup.role, setup.database);
        Ok(Transactions {
            mode,
            open,
            held,
            ended,
            gone,
            before,
            after,
            activities,
            own_session,
            role,
            database,
        })
    }

    /// Writes where it may, and only reads where that is refused.
    async fn both(&self, session: &mut Session) -> Result<(Mode, Ran), Fault> {
        let mode = self.mode(session).await?;
        if mode != Mode::Writes {
            return Ok((mode, self.run_both(session, mode).await?));
        }
        match self.run_both(session, mode).await {
            Err(fault) if fault.kind == Kind::NotPermitted => {
                session.ask(queries::ROLLBACK, Instant::now() + STATEMENT).await?;
                Ok((Mode::NoTemp, self.run_both(session, Mode::NoTemp).await?))
            }
            ran => Ok((mode, ran?)),
        }
    }

    async fn mode(&self, session: &mut Session) -> Result<Mode, Fault> {
        let rows = session.ask(queries::STANDBY, Instant::now() + STATEMENT).await?;
        let standby: bool = first(&rows, queries::STANDBY, session.peer())?.read("standby")?;
        Ok(match (standby, session.identity.read_only) {
            (true, _) => Mode::Standby,
            (false, true) => Mode::ReadOnly,
            (false, false) if !self.may_write => Mode::NotAllowed,
            (false, false) => Mode::Writes,
        })
    }

    async fn run_both(&self, session: &mut Session, mode: Mode) -> Result<Ran, Fault> {
        let (first_one, other_one) = match mode {
            Mode::Writes => (queries::BEGIN_WRITING, queries::COMMIT_WRITING),
            Mode::NotAllowed | Mode::NoTemp | Mode::Standby | Mode::ReadOnly => {
                (queries::BEGIN_READING, queries::COMMIT_READING)
            }
        };
        let began = Instant::now();
        let rows = session.ask(first_one, Instant::now() + STATEMENT).await?;
        let rolled_back = xid(&rows);
        sleep(HOLD).await;
        let open = self.opened(session.identity.pid).await?;
        let held = (HOLD, began.elapsed());
        session.ask(queries::ROLLBACK, Instant::now() + STATEMENT).await?;
        let gone = match mode {
            Mode::Writes => {
                let rows = session.ask(queries::GONE, Instant::now() + STATEMENT).await?;
                Some(first(&rows, queries::GONE, session.peer())?.read("gone")?)
            }
            Mode::NotAllowed | Mode::NoTemp | Mode::Standby | Mode::ReadOnly => None,
        };
        let rows = session.ask(other_one, Instant::now() + STATEMENT).await?;
        let ended = match rolled_back.zip(xid(&rows)) {
            Some((one, other)) => Some(self.ended(&one, &other).await?),
            None => None,
        };
        Ok(Ran { open, held, ended, gone })
    }

    /// The transaction of the session `pid`, looked at from the standing session.
    async fn opened(&self, pid: i32) -> Result<Option<Open>, Fault> {
        let rows = self.read(queries::opened(pid)).await?;
        if rows.is_empty() {
            return Ok(None);
        }
        let line = first(&rows, "pg_stat_activity", "")?;
        let seconds: f64 = line.read("seconds")?;
        let age = Duration::try_from_secs_f64(seconds).unwrap_or_default();
        Ok(Some(Open { state: line.read("state")?, age }))
    }

    async fn ended(&self, one: &str, other: &str) -> Result<[String; 2], Fault> {
        let rows = self.read(queries::ended(one, other)).await?;
        let line = first(&rows, "pg_xact_status", "")?;
        Ok([line.read("one")?, line.read("other")?])
    }

    /// What the server has counted of our database.
    pub(super) async fn stats(&self) -> Result<Stats, Fault> {
        let rows = self.read(queries::STATS.into()).await?;
        let line = first(&rows, queries::STATS, "")?;
        Ok(Stats {
            commits: line.read("commits")?,
            rollbacks: line.read("rollbacks")?,
            deadlocks: line.read("deadlocks")?,
            conflicts: line.read("conflicts")?,
            checksums: line.read("checksums")?,
            sessions: line.read("sessions")?,
            abandoned: line.read("abandoned")?,
            fatal: line.read("fatal")?,
            killed: line.read("killed")?,
            reset: line.read("reset")?,
            counting: line.read("counting")?,
        })
    }

    /// The counters once they show what has been done, or when it has taken too long.
    pub(super) async fn counted(
        &self,
        before: &Stats,
        shows: impl Fn(&Stats, &Stats) -> bool,
    ) -> Result<Stats, Fault> {
        let deadline = Instant::now() + COUNTED;
        loop {
            let now = self.stats().await?;
            let hopeless = !now.counting || !now.continues(before);
            if shows(&now, before) || hopeless || Instant::now() >= deadline {
                return Ok(now);
            }
            sleep(PAUSE).await;
        }
    }

    /// A statement of our own on the second session, which is kept when it fails.
    pub(super) async fn tried(session: &mut Session, sql: &'static str) -> Result<usize, Fault> {
        let deadline = Instant::now() + STATEMENT;
        session.ask(AssertSqlSafe(sql), deadline).await.map(|rows| rows.len())
    }
}

/// The number of the transaction, where it was asked for: digits only.
fn xid(rows: &[sqlx::postgres::PgRow]) -> Option<String> {
    let row = rows.last()?;
    let xid: String = first(std::slice::from_ref(row), "xid", "").ok()?.read("xid").ok()?;
    xid.parse::<u64>().ok().map(|xid| xid.to_string())
}
