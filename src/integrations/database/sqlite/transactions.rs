use super::{
    BUSY, STEP, Session, Sqlite,
    aside::Aside,
    file, judge,
    queries::{self, Writing},
    read,
};
use crate::{
    domain::{Finding, Skip},
    integrations::database::fault::{Fault, Kind, Names, Stage},
};
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
use std::{path::Path, time::Duration};
use tokio::{
    task::spawn_blocking,
    time::{Instant, timeout},
};

/// How long a second writer waits; the first one is our own and lets go only later.
const IMPATIENT: Duration = Duration::from_millis(20);

/// What a second connection saw of the first one's transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Transactions {
    /// While the first one was open.
    pub(super) open: Open,
    /// After it was rolled back.
    pub(super) rolled_back: View,
    /// After another one was committed.
    pub(super) committed: View,
    /// Whether the file of our own is gone again.
    pub(super) gone: bool,
    /// Whether the user's file takes a writer.
    pub(super) file: Turn,
}

/// What a second connection saw of an open transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Open {
    /// Rows in the table, as it saw them.
    pub(super) rows: i64,
    /// Whether it was kept from writing meanwhile.
    pub(super) kept_out: bool,
}

/// What a second connection sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct View {
    /// Rows in the table.
    pub(super) rows: i64,
    /// Whether `data_version` says that the file has changed.
    pub(super) changed: bool,
}

/// Whether the user's file takes a writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// `BEGIN IMMEDIATE` went through after this time, and was rolled back.
    Taken(Duration),
    /// Somebody else writes, for longer than we wait.
    Busy,
    /// Nobody has the file open: opening it for writing would be the change.
    AtRest,
    /// There is no file of the user's.
    None,
}

impl Sqlite {
    /// Writes to a file of our own, and looks on with a second connection.
    pub(super) async fn transact(&self) -> Result<Finding, Fault> {
        if !self.may_write {
            let remedy = "set writes = true in [database], or pass --allow-writes; a file of \
                          our own beside the database is written to and removed";
            return Ok(
                Finding::skipped(Skip::NotAllowed, "not allowed to write there").remedy(remedy)
            );
        }
        let path = self.file.as_ref().map(|file| file.path.clone());
        let look = match &self.file {
            Some(file) => Some(super::look(file).await?),
            None => None,
        };
        let aside = blocking(move || Aside::new(path.as_deref())).await??;
        let ran = both(&aside.path).await;
        let gone = blocking(move || aside.remove()).await?;
        let (open, rolled_back, committed) = ran?;
        let file = self.turn(look).await?;
        Ok(judge::transactions(&Transactions { open, rolled_back, committed, gone, file }))
    }

    /// Whether the user's file takes a writer. Changes nothing in it.
    async fn turn(&self, look: Option<file::Look>) -> Result<Turn, Fault> {
        let (Some(file), Some(look)) = (&self.file, look) else { return Ok(Turn::None) };
        if look.unchanging {
            return Ok(Turn::AtRest);
        }
        let mut session = open(&file.path, BUSY).await?;
        let began = Instant::now();
        let turn = match session.ask(queries::BEGIN).await {
            Ok(_) => {
                let took = began.elapsed();
                session.ask(queries::ROLLBACK).await?;
                Ok(Turn::Taken(took))
            }
            Err(fault) if fault.kind == Kind::Locked => Ok(Turn::Busy),
            Err(fault) => Err(fault),
        };
        session.close().await;
        turn
    }
}

async fn both(path: &Path) -> Result<(Open, View, View), Fault> {
    let mut writer = open(path, IMPATIENT).await?;
    let mut reader = open(path, IMPATIENT).await?;
    for sql in queries::MAKE {
        writer.ask(sql).await?;
    }
    let before = version(&mut reader).await?;
    write(&mut writer, queries::WRITE).await?;
    let open = Open { rows: rows(&mut reader).await?, kept_out: kept_out(&mut reader).await? };
    writer.ask(queries::ROLLBACK).await?;
    let rolled_back = view(&mut reader, before).await?;
    write(&mut writer, queries::WRITE).await?;
    writer.ask(queries::COMMIT).await?;
    let committed = view(&mut reader, before).await?;
    writer.close().await;
    reader.close().await;
    Ok((open, rolled_back, committed))
}

async fn write(writer: &mut Session, writing: Writing) -> Result<(), Fault> {
    for sql in writing {
        writer.ask(sql).await?;
    }
    Ok(())
}

/// The negative control: while one writes, nobody else may begin to.
async fn kept_out(other: &mut Session) -> Result<bool, Fault> {
    match other.ask(queries::BEGIN).await {
        Ok(_) => {
            other.ask(queries::ROLLBACK).await?;
            Ok(false)
        }
        Err(fault) if fault.kind == Kind::Locked => Ok(true),
        Err(fault) => Err(fault),
    }
}

async fn view(reader: &mut Session, before: i64) -> Result<View, Fault> {
    let rows = rows(reader).await?;
    Ok(View { rows, changed: version(reader).await? != before })
}

async fn rows(session: &mut Session) -> Result<i64, Fault> {
    let (rows, _) = session.ask(queries::COUNT).await?;
    read(&rows, "rows", queries::COUNT)
}

async fn version(session: &mut Session) -> Result<i64, Fault> {
    let (rows, _) = session.ask(queries::VERSION).await?;
    read(&rows, "data_version", queries::VERSION)
}

async fn open(path: &Path, busy: Duration) -> Result<Session, Fault> {
    const ASKED: &str = "open the file for writing";
    let names = Names { peer: path.display().to_string(), ..Names::default() };
    let options = SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(busy)
        .thread_name(|_| "tminus-sqlite".into())
        .disable_statement_logging();
    let link = timeout(STEP, SqliteConnection::connect_with(&options))
        .await
        .map_err(|_| Fault::hung(ASKED, STEP, &names.peer))?
        .map_err(|error| Fault::of(&error, Stage::Dial, ASKED, &names))?;
    Ok(Session { link, names, look: None })
}

/// On a thread that may block: the file may lie on a network drive.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Fault> {
    match timeout(STEP, spawn_blocking(work)).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(_)) => {
            let says = "the look at the file did not end".to_owned();
            Err(Fault::new(Kind::Local, "look at the file", says, "report this as a bug of tminus"))
        }
        Err(_) => Err(Fault::hung("look at the file", STEP, "the file system")),
    }
}
