use crate::integrations::database::fault::{Fault, Kind};
use rustix::fs::{Access, access};
use std::{
    fs::{self, Metadata},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

/// The first bytes of a database: the magic and the two format versions.
const HEADER: usize = 20;
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
const ASKED: &str = "open the file";

/// What a file shows before it is opened as a database.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Look {
    /// Whether it can be opened without a trace.
    ///
    /// Merely opening a database in WAL mode, even read-only, creates `-wal` and
    /// `-shm` beside it, which a reader does not remove again and which would
    /// belong to our user. While nobody has it open they are not there, so it
    /// can be read as a file that does not change.
    pub(super) unchanging: bool,
    /// Whether it keeps a write-ahead log.
    pub(super) wal: bool,
    /// Whether no user at all may write to it.
    pub(super) sealed: bool,
    /// Its size in bytes.
    pub(super) size: u64,
}

/// Looks at the file without changing it. Blocks.
pub(super) fn look(path: &Path) -> Result<Look, Fault> {
    let shown = path.display();
    let meta = fs::metadata(path).map_err(|error| of_io(&error, path))?;
    if !meta.is_file() {
        let says = format!("{shown} is not a file");
        return Err(Fault::new(Kind::CannotOpen, ASKED, says, "correct the path in the url"));
    }
    let header = header(path).map_err(|error| of_io(&error, path))?;
    // An empty file is an empty database.
    if !header.is_empty() && !header.starts_with(MAGIC) {
        let says = format!("{shown} is no SQLite database");
        let remedy = "correct the path in the url; an encrypted file cannot be read";
        return Err(Fault::new(Kind::NotADatabase, ASKED, says, remedy));
    }
    let wal = header.get(18..HEADER).is_some_and(|versions| versions.contains(&2));
    let beside = |suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name).exists()
    };
    Ok(Look {
        wal,
        unchanging: wal && !(beside("-wal") && beside("-shm")),
        sealed: sealed(path, &meta),
        size: meta.len(),
    })
}

fn header(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(HEADER);
    fs::File::open(path)?.take(HEADER as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// That we may not write says nothing of the application's user; this says it of everybody's.
fn sealed(path: &Path, meta: &Metadata) -> bool {
    meta.permissions().readonly() || access(path, Access::WRITE_OK) == Err(rustix::io::Errno::ROFS)
}

fn of_io(error: &io::Error, path: &Path) -> Fault {
    let shown = path.display();
    let (kind, says, remedy) = if error.kind() == io::ErrorKind::NotFound {
        let remedy = "correct the path in the url, or let the application create the file";
        (Kind::Missing, format!("{shown} does not exist"), remedy)
    } else if error.kind() == io::ErrorKind::PermissionDenied {
        let remedy = "let this user read the file and enter its directory";
        (Kind::CannotOpen, format!("{shown} may not be read by this user"), remedy)
    } else {
        return Fault::of_io(error, ASKED, &shown.to_string());
    };
    Fault::new(kind, ASKED, says, remedy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn written(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("app.db");
        fs::write(&path, bytes).unwrap();
        (directory, path)
    }

    fn database(versions: u8) -> Vec<u8> {
        [MAGIC.as_slice(), &[16, 0, versions, versions], &[0; 80]].concat()
    }

    #[test]
    fn a_file_is_told_from_what_is_none() {
        let (directory, path) = written(&database(1));
        assert_eq!(
            look(&path).unwrap(),
            Look { wal: false, unchanging: false, sealed: false, size: 100 }
        );
        assert_eq!(look(directory.path()).unwrap_err().kind, Kind::CannotOpen);
        let missing = look(&directory.path().join("none.db")).unwrap_err();
        assert_eq!(missing.kind, Kind::Missing);
        assert!(missing.says.ends_with("none.db does not exist"), "{missing:?}");
        let (_kept, text) = written(b"hello, this is not a database");
        assert_eq!(look(&text).unwrap_err().kind, Kind::NotADatabase);
        let (_kept, empty) = written(b"");
        assert_eq!(look(&empty).unwrap().size, 0);
    }

    #[test]
    fn write_ahead_files_decide_how_it_may_be_opened() {
        let (directory, path) = written(&database(2));
        assert!(look(&path).unwrap().unchanging);
        fs::write(directory.path().join("app.db-wal"), "").unwrap();
        assert!(look(&path).unwrap().unchanging);
        fs::write(directory.path().join("app.db-shm"), "").unwrap();
        assert!(!look(&path).unwrap().unchanging);
    }

    #[test]
    fn a_file_without_any_write_permission_is_sealed() {
        let (_kept, path) = written(&database(1));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
        assert!(look(&path).unwrap().sealed);
    }
}
