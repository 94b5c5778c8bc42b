//! Opens the file, makes it ours, and puts aside what is not.

use super::{
    link::Link,
    schema::{ADDED, APPLICATION, CREATE, VERSION},
    store::Opened,
    trouble::Trouble,
};
use crate::domain::Timestamp;
use rustix::fs::{FlockOperation, flock};
use sqlx::{
    Connection as _, SqliteConnection,
    sqlite::{SqliteAutoVacuum, SqliteConnectOptions, SqliteSynchronous},
};
use std::{
    ffi::OsString,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    time::Duration,
};

/// How long to wait for another process that writes.
const BUSY: Duration = Duration::from_secs(2);
/// Memory for pages, in KiB: little is read, and in order.
const CACHE: &str = "-256";
/// Pages after which the log is folded into the file.
const CHECKPOINT: &str = "250";
/// What `SQLite` puts beside the file.
const BESIDE: [&str; 2] = ["-wal", "-shm"];

/// Opens the file at `path`, or a new one.
///
/// A file that is damaged, not ours or from a newer version is put aside under
/// another name, and never deleted.
pub(super) async fn open(path: &Path, now: Timestamp) -> Result<Opened, Trouble> {
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let lock = Lock::take(path)?;
    let trouble = match connect(path).await {
        Ok(link) => return Ok(opened(link, None, lock)),
        Err(trouble) => trouble,
    };
    let Some(word) = trouble.aside() else { return Err(trouble) };
    // Nobody else may have it open: what they write would go with it.
    lock.alone()?;
    // Another process may have put it aside in the meantime.
    if let Ok(link) = connect(path).await {
        lock.shared()?;
        return Ok(opened(link, None, lock));
    }
    let aside = put_aside(path, word, now)?;
    let link = connect(path).await?;
    lock.shared()?;
    Ok(opened(link, Some((trouble, aside)), lock))
}

fn opened(link: SqliteConnection, aside: Option<(Trouble, PathBuf)>, lock: Lock) -> Opened {
    Opened { link: Link::File(link), aside, _lock: Some(lock) }
}

/// Reads a file as it is: makes nothing, and puts nothing aside.
pub(super) async fn open_as_it_is(path: &Path) -> Result<SqliteConnection, Trouble> {
    File::open(path)?;
    if is_cut_off(path)? {
        return Err(Trouble::Damaged);
    }
    // A log of what is not in the file yet can be read by who may write only.
    let options = SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(BUSY)
        .pragma("query_only", "ON")
        .thread_name(|_| "history".into());
    let Ok(mut link) = SqliteConnection::connect_with(&options).await else {
        return open_to_read(path).await;
    };
    match marks(&mut link).await {
        Ok([APPLICATION, version]) if version > VERSION => Err(Trouble::Newer),
        Ok([APPLICATION, _]) => Ok(link),
        Ok(_) => Err(Trouble::Foreign),
        // In a folder where nobody can write, what lies beside it cannot be used.
        Err(Trouble::ReadOnly | Trouble::Denied) => open_to_read(path).await,
        Err(trouble) => Err(trouble),
    }
}

/// Reads a file that nobody can write to.
pub(super) async fn open_to_read(path: &Path) -> Result<SqliteConnection, Trouble> {
    let options = options(path).create_if_missing(false).read_only(true).immutable(true);
    let mut link = SqliteConnection::connect_with(&options).await?;
    let [application, version] = marks(&mut link).await?;
    if (application, version) == (APPLICATION, VERSION) { Ok(link) } else { Err(Trouble::Foreign) }
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(BUSY)
        .synchronous(SqliteSynchronous::Normal)
        .auto_vacuum(SqliteAutoVacuum::Incremental)
        .statement_cache_capacity(32)
        .pragma("cache_size", CACHE)
        .thread_name(|_| "history".into())
}

async fn connect(path: &Path) -> Result<SqliteConnection, Trouble> {
    // So that it is nobody else's to read from its first byte on.
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    if is_cut_off(path)? {
        return Err(Trouble::Damaged);
    }
    let mut link = SqliteConnection::connect_with(&options(path)).await?;
    if marks(&mut link).await? == [0, 0] {
        create(&mut link).await?;
    }
    let [application, version] = marks(&mut link).await?;
    if application != APPLICATION {
        return Err(Trouble::Foreign);
    }
    if version > VERSION {
        return Err(Trouble::Newer);
    }
    // Only now: it is ours to change.
    sqlx::query("PRAGMA journal_mode = WAL").execute(&mut link).await?;
    sqlx::raw_sql(ADDED).execute(&mut link).await?;
    let checkpoint = format!("PRAGMA wal_autocheckpoint = {CHECKPOINT}");
    sqlx::query(sqlx::AssertSqlSafe(checkpoint)).execute(&mut link).await?;
    Ok(link)
}

/// The numbers in its header that say whose it is.
async fn marks(link: &mut SqliteConnection) -> Result<[i32; 2], Trouble> {
    let application = sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut *link).await?;
    let version = sqlx::query_scalar("PRAGMA user_version").fetch_one(link).await?;
    Ok([application, version])
}

/// Makes an empty file ours; leaves alone one that has tables.
async fn create(link: &mut SqliteConnection) -> Result<(), Trouble> {
    let mut whole = link.begin_with("BEGIN IMMEDIATE").await?;
    let tables: i64 =
        sqlx::query_scalar("SELECT count(*) FROM sqlite_schema").fetch_one(&mut *whole).await?;
    if tables == 0 {
        let marked = format!(
            "{CREATE} PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION};"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(marked)).execute(&mut *whole).await?;
    }
    whole.commit().await?;
    Ok(())
}

/// Whether the file is shorter than its own header says, with nothing beside it that
/// could make up for it.
fn is_cut_off(path: &Path) -> io::Result<bool> {
    let mut header = [0; 100];
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    if length == 0 || beside(path, BESIDE[0]).exists() {
        return Ok(false);
    }
    if file.read_exact(&mut header).is_err() {
        return Ok(true);
    }
    let number = |at: usize, bytes: usize| {
        header[at..at + bytes].iter().fold(0, |sum, byte| (sum << 8) | u64::from(*byte))
    };
    let page = if number(16, 2) == 1 { 65_536 } else { number(16, 2) };
    // The count of pages is only kept by who also keeps these two equal.
    let counts = number(24, 4) == number(92, 4);
    Ok(header.starts_with(b"SQLite format 3\0") && counts && length < number(28, 4) * page)
}

/// Gives the file and what belongs to it another name, which is returned. No file loses
/// its name to it.
fn put_aside(path: &Path, word: &str, now: Timestamp) -> io::Result<PathBuf> {
    let name = |n: u32| {
        let nth = if n == 0 { String::new() } else { format!("-{n}") };
        beside(path, &format!(".{word}-{}{nth}", now.0 / 1000))
    };
    let free = (0..100).map(name).find(|name| !name.exists());
    let aside = free.ok_or(io::ErrorKind::AlreadyExists)?;
    fs::rename(path, &aside)?;
    for suffix in BESIDE {
        match fs::rename(beside(path, suffix), beside(&aside, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(aside)
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

/// Says that the file is in use, to whoever wants to put it aside.
pub(super) struct Lock(File);

impl Lock {
    fn take(path: &Path) -> Result<Self, Trouble> {
        let path = beside(path, ".lock");
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false).mode(0o600);
        let lock = Self(options.open(path)?);
        lock.shared()?;
        Ok(lock)
    }

    fn shared(&self) -> Result<(), Trouble> {
        flock(&self.0, FlockOperation::NonBlockingLockShared).map_err(|_| Trouble::Busy)
    }

    fn alone(&self) -> Result<(), Trouble> {
        flock(&self.0, FlockOperation::NonBlockingLockExclusive).map_err(|_| Trouble::Busy)
    }
}
