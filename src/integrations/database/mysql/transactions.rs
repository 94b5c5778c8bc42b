use super::{
    MySql, STATEMENT, Session,
    client::Line,
    first,
    measured::{Mode, Open, Transactions},
    queries,
};
use crate::integrations::database::fault::{Fault, Kind};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long a transaction is held open, so that it can be seen.
const HELD: Duration = Duration::from_millis(100);

impl MySql {
    /// Rolls one transaction back on the second session, commits another, and
    /// looks on from the standing one.
    pub(super) async fn transact(&self) -> Result<Transactions, Fault> {
        let answer = self.read(queries::ROOM).await?;
        let read_only = first(&answer.rows, queries::ROOM)?.number::<u8>("read_only")? > 0;
        let (_memory, mut session) = self.second().await?;
        let ran = self.both(&mut session, read_only).await;
        if ran.as_ref().map_or_else(Fault::keeps_session, |_| true) {
            self.part(session).await;
        }
        ran
    }

    async fn both(&self, session: &mut Session, read_only: bool) -> Result<Transactions, Fault> {
        let mode = self.mode(session).await?;
        let writes = mode == Mode::Writes;
        let all_before = ended(&self.read(queries::ENDED).await?.rows)?;
        let before = ended(&ask(session, queries::ENDED_HERE).await?)?;

        let began = Instant::now();
        begin(session, writes).await?;
        sleep(HELD).await;
        let open = self.open(session.identity.id).await?;
        let held = began.elapsed();
        ask(session, "ROLLBACK").await?;
        let rolled_back = if writes { Some(rows(session).await?) } else { None };
        begin(session, writes).await?;
        ask(session, "COMMIT").await?;
        let committed = if writes { Some(rows(session).await?) } else { None };
        if writes {
            ask(session, queries::REMOVE).await?;
        }
        let after = ended(&ask(session, queries::ENDED_HERE).await?)?;
        let all_after = ended(&self.read(queries::ENDED).await?.rows)?;
        Ok(Transactions {
            mode,
            open,
            held,
            rows: rolled_back.zip(committed),
            here: since(before, after),
            all: since(all_before, all_after),
            read_only,
            account: session.identity.account.clone(),
            own_session: session.identity.own,
        })
    }

    /// Makes the table to write to, where that is allowed.
    async fn mode(&self, session: &mut Session) -> Result<Mode, Fault> {
        if !self.may_write {
            return Ok(Mode::NotAllowed);
        }
        let Some(database) = session.identity.database.clone() else {
            return Ok(Mode::NoDatabase);
        };
        match ask(session, queries::MAKE).await {
            Ok(_) => Ok(Mode::Writes),
            Err(fault) if fault.kind == Kind::NotPermitted => Ok(Mode::NoTemporary(database)),
            Err(fault) => Err(fault),
        }
    }

    /// What the server shows of the open transaction of the session `id`.
    async fn open(&self, id: u64) -> Result<Open, Fault> {
        match self.read(&queries::open(id)).await {
            Ok(answer) => match answer.rows.first() {
                // Its start is kept in whole seconds, so it may lie ahead of the clock.
                Some(line) => {
                    let micros: i64 = line.number("micros")?;
                    Ok(Open::Seen(Duration::from_micros(micros.max(0).unsigned_abs())))
                }
                None => Ok(Open::Unseen),
            },
            Err(fault) if fault.kind == Kind::NotPermitted => Ok(Open::Hidden),
            Err(fault) => Err(fault),
        }
    }
}

async fn ask(session: &mut Session, sql: &str) -> Result<Vec<Line>, Fault> {
    session.ask(sql, Instant::now() + STATEMENT).await
}

async fn begin(session: &mut Session, writes: bool) -> Result<(), Fault> {
    ask(session, queries::BEGIN).await?;
    if writes {
        ask(session, queries::WRITE).await?;
    }
    Ok(())
}

async fn rows(session: &mut Session) -> Result<u64, Fault> {
    let rows = ask(session, queries::ROWS).await?;
    first(&rows, queries::ROWS)?.number("n")
}

/// Commits and rollbacks.
fn ended(rows: &[Line]) -> Result<(u64, u64), Fault> {
    let mut both = (0, 0);
    for line in rows {
        let number = line.number("Value")?;
        match line.text("Variable_name")?.as_deref() {
            Some("Com_commit") => both.0 = number,
            _ => both.1 = number,
        }
    }
    Ok(both)
}

fn since(before: (u64, u64), after: (u64, u64)) -> (u64, u64) {
    (after.0.saturating_sub(before.0), after.1.saturating_sub(before.1))
}
