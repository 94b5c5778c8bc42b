//! A database of our own in the user's directory: what can be written there can
//! be seen without writing to the user's file.

use crate::{
    domain::Swept,
    integrations::database::fault::{Fault, Kind},
};
use rustix::process::{Pid, test_kill_process};
use std::{
    env, fs,
    io::{self, ErrorKind},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU64, Ordering},
};

const ASKED: &str = "write a file beside the database";
/// What SQLite may add to the name.
const SUFFIXES: [&str; 4] = ["", "-journal", "-wal", "-shm"];
/// Several consoles may run in one process.
static SERIAL: AtomicU64 = AtomicU64::new(0);

/// The file; gone when dropped.
pub(super) struct Aside {
    /// Where it is.
    pub(super) path: PathBuf,
}

impl Aside {
    /// Makes it beside `file`, or among the temporary files. Blocks.
    ///
    /// What a console left that was killed is removed first.
    pub(super) fn new(file: Option<&Path>) -> Result<Self, Fault> {
        let (directory, stem) = place(file);
        // Who cannot look there cannot write there either, which is said below.
        drop(clear(&directory, &stem));
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        let path = directory.join(format!("{stem}{}-{serial}", process::id()));
        let made = fs::File::options().write(true).create_new(true).mode(0o600).open(&path);
        made.map_err(|error| refused(&error, &directory))?;
        Ok(Self { path })
    }

    /// Takes it away and says whether it is gone.
    pub(super) fn remove(self) -> bool {
        let path = self.path.clone();
        drop(self);
        !SUFFIXES.iter().any(|suffix| beside(&path, suffix).exists())
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        for suffix in SUFFIXES {
            // Most of them are not there.
            drop(fs::remove_file(beside(&self.path, suffix)));
        }
    }
}

/// Where files of ours go for `file`, and what their names begin with.
pub(super) fn place(file: Option<&Path>) -> (PathBuf, String) {
    let directory = match file.and_then(Path::parent) {
        Some(relative) if relative.as_os_str().is_empty() => PathBuf::from("."),
        Some(parent) => parent.to_owned(),
        None => env::temp_dir(),
    };
    let name = file.and_then(Path::file_name).unwrap_or_default().to_string_lossy();
    (directory, format!(".{name}.tminus-"))
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Removes what processes left that are no more, and says what it found.
pub(super) fn clear(directory: &Path, stem: &str) -> io::Result<Swept> {
    let mut swept = Swept { whole: true, ..Swept::default() };
    for entry in fs::read_dir(directory)?.flatten() {
        let name = entry.file_name();
        let Some(rest) = name.to_str().and_then(|name| name.strip_prefix(stem)) else { continue };
        let owner = rest.split('-').next().and_then(|pid| pid.parse().ok()).and_then(Pid::from_raw);
        let Some(owner) = owner else { continue };
        swept.looked += 1;
        if test_kill_process(owner) != Err(rustix::io::Errno::SRCH) {
            swept.living += 1;
        } else if fs::remove_file(entry.path()).is_ok() {
            swept.removed += 1;
        } else {
            swept.left += 1;
        }
    }
    Ok(swept)
}

pub(super) fn refused(error: &io::Error, directory: &Path) -> Fault {
    let shown = directory.display();
    let kind = error.kind();
    let (kind, says, remedy) =
        if matches!(kind, ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem) {
            let says = "directory may not be written to";
            let remedy = format!("let this user write to {shown}; SQLite needs it for its journal");
            (Kind::NotPermitted, says, remedy)
        } else if matches!(kind, ErrorKind::StorageFull | ErrorKind::QuotaExceeded) {
            let remedy = format!("make room on the disk of {shown}");
            (Kind::Disk, "no room left to write (FULL)", remedy)
        } else {
            return Fault::of_io(error, ASKED, &shown.to_string());
        };
    Fault::new(kind, ASKED, says.into(), &remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_gone_when_dropped_and_so_is_what_the_killed_left() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("app.db");
        fs::write(&file, "x").unwrap();
        let orphan = directory.path().join(".app.db.tminus-999999999-0");
        fs::write(&orphan, "x").unwrap();
        let own = directory.path().join(format!(".app.db.tminus-{}-x", process::id()));
        fs::write(&own, "x").unwrap();
        let aside = Aside::new(Some(&file)).unwrap();
        assert!(aside.path.exists() && !orphan.exists() && own.exists());
        fs::write(beside(&aside.path, "-journal"), "x").unwrap();
        assert!(aside.remove());
        fs::remove_file(own).unwrap();
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "only the user's file");
    }

    #[test]
    fn a_directory_that_takes_no_file_is_told_from_a_full_disk() {
        let of = |kind: ErrorKind| refused(&kind.into(), Path::new("/srv")).kind;
        assert_eq!(of(ErrorKind::PermissionDenied), Kind::NotPermitted);
        assert_eq!(of(ErrorKind::ReadOnlyFilesystem), Kind::NotPermitted);
        assert_eq!(of(ErrorKind::StorageFull), Kind::Disk);
    }
}
