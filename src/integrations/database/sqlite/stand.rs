//! A database of our own for a load test, in a directory of its own beside the
//! user's: on the same disk, with the same kind of journal, and nothing else in it.

use super::{aside, file, transactions::blocking};
use crate::{
    domain::Swept,
    integrations::database::fault::Fault,
    probe::{RunId, this_run},
};
use rustix::fs::{FlockOperation, flock};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

/// What follows the stem of our names, and then the run.
const KIND: &str = "perf-";
/// How long a client waits for another one that writes.
const BUSY: Duration = Duration::from_secs(4);
/// The last client's thread may still be closing its file.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(50);

/// The directory, as long as it is held; gone when dropped.
///
/// It is locked, and the lock goes with its process, however that ends: whoever
/// can take it knows that the directory belongs to nobody any more.
#[derive(Debug)]
pub(in super::super) struct Stand {
    directory: PathBuf,
    /// What the first session sets.
    pub(in super::super) journal: SqliteJournalMode,
    _locked: fs::File,
}

/// What the driver needs to know for a session under load.
pub(in super::super) fn load_options(file: Option<&Path>) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(directory(file, this_run()).join("load.db"))
        .busy_timeout(BUSY)
        .thread_name(|_| "tminus-sqlite".into())
        .command_buffer_size(2)
        .row_buffer_size(2)
}

impl Stand {
    /// Makes the directory for this run beside `file`, which has to be there.
    pub(in super::super) async fn make(file: Option<&Path>) -> Result<Self, Fault> {
        let file = file.map(Path::to_owned);
        blocking(move || Self::made(file.as_deref())).await?
    }

    fn made(file: Option<&Path>) -> Result<Self, Fault> {
        let wal = file.map_or(Ok(true), |path| file::look(path).map(|look| look.wal))?;
        let directory = directory(file, this_run());
        let made = DirBuilder::new().mode(0o700).create(&directory);
        let locked =
            made.and_then(|()| lock(&directory)?.ok_or_else(|| io::ErrorKind::NotFound.into()));
        let locked = locked.map_err(|error| aside::refused(&error, &aside::place(file).0))?;
        let journal = if wal { SqliteJournalMode::Wal } else { SqliteJournalMode::Delete };
        Ok(Self { directory, journal, _locked: locked })
    }

    /// Takes it away and says whether it is gone.
    pub(in super::super) async fn remove(self) -> bool {
        blocking(move || removed(&self.directory)).await.unwrap_or(false)
    }
}

impl Drop for Stand {
    fn drop(&mut self) {
        // Usually it is gone already.
        drop(fs::remove_dir_all(&self.directory));
    }
}

/// Removes what killed runs left beside `file`: files of checks, directories of load tests.
pub(in super::super) async fn sweep(file: Option<&Path>) -> Result<Swept, Fault> {
    let (directory, stem) = aside::place(file);
    let shown = directory.display().to_string();
    let swept = blocking(move || swept(&directory, &stem)).await?;
    swept.map_err(|error| Fault::of_io(&error, "look for files of killed runs", &shown))
}

fn swept(directory: &Path, stem: &str) -> io::Result<Swept> {
    let mut swept = aside::clear(directory, stem)?;
    let stem = format!("{stem}{KIND}");
    for entry in fs::read_dir(directory)?.flatten() {
        let name = entry.file_name();
        let run = name.to_str().and_then(|name| name.strip_prefix(&stem)).and_then(RunId::parse);
        if run.is_none() {
            continue;
        }
        swept.looked += 1;
        match lock(&entry.path()) {
            Ok(None) => swept.living += 1,
            Ok(Some(_)) if removed(&entry.path()) => swept.removed += 1,
            Ok(Some(_)) | Err(_) => swept.left += 1,
        }
    }
    Ok(swept)
}

/// Takes the lock of a directory, unless somebody holds it.
fn lock(directory: &Path) -> io::Result<Option<fs::File>> {
    let file = fs::File::open(directory)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Removes a directory of ours. Blocks.
fn removed(directory: &Path) -> bool {
    for _ in 0..TRIES {
        if fs::remove_dir_all(directory).is_ok() || !directory.exists() {
            return true;
        }
        thread::sleep(PAUSE);
    }
    false
}

fn directory(file: Option<&Path>, run: &RunId) -> PathBuf {
    let (directory, stem) = aside::place(file);
    directory.join(format!("{stem}{KIND}{run}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_kept_while_it_is_held_and_swept_afterwards() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("app.db");
        fs::write(&file, "").unwrap();
        fs::create_dir(home.path().join(".app.db.tminus-perf-notes")).unwrap();
        let (directory, stem) = aside::place(Some(&file));
        let look = || swept(&directory, &stem).unwrap();
        assert_eq!((look().looked, look().whole), (0, true), "what is not ours is not looked at");
        let stand = Stand::made(Some(&file)).unwrap();
        assert_eq!(stand.journal, SqliteJournalMode::Delete, "as in the user's file");
        fs::write(stand.directory.join("load.db-wal"), "x").unwrap();
        assert!(Stand::made(Some(&file)).is_err(), "one test at a time");
        assert_eq!((look().looked, look().living), (1, 1));
        drop(stand);
        assert_eq!(look().looked, 0, "who drops it removes it");
        let killed = directory.join(format!("{stem}{KIND}0123456789ab"));
        fs::create_dir(&killed).unwrap();
        fs::write(killed.join("load.db"), "x").unwrap();
        assert_eq!((look().removed, look().looked), (1, 0));
        assert!(Stand::made(Some(&home.path().join("none.db"))).is_err(), "a missing file");
    }
}
