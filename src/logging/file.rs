use rustix::fs::OFlags;
use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, IsTerminal as _, Write},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    process,
};

/// A file that has grown to this is set aside, in the place of the last one.
///
/// Written by hand: the rotation of `tracing-appender` prints to stderr when it
/// fails, which is the console's screen.
const LARGEST: u64 = 4 * 1024 * 1024;

/// A log file that never takes more than twice its largest size.
#[derive(Debug)]
pub(super) struct Rolling {
    path: PathBuf,
    file: File,
    size: u64,
    largest: u64,
    named: bool,
}

impl Rolling {
    /// Opens the file, and its folder unless the user `named` the file.
    ///
    /// Writes one line, so that a full disk is known at once. Says why not in a clause.
    pub(super) fn open(path: &Path, named: bool) -> Result<Self, String> {
        Self::with_limit(path, named, LARGEST).map_err(|error| why(&error))
    }

    fn with_limit(path: &Path, named: bool, largest: u64) -> io::Result<Self> {
        if let Some(folder) = path.parent().filter(|_| !named) {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        let file = open(path, named)?;
        if file.is_terminal() {
            return Err(io::Error::other("it is a terminal"));
        }
        let size = file.metadata()?.len();
        let mut rolling = Self { path: path.to_owned(), file, size, largest, named };
        let (version, process) = (env!("CARGO_PKG_VERSION"), process::id());
        rolling.write_all(format!("-- tminus {version}, process {process}\n").as_bytes())?;
        Ok(rolling)
    }

    /// Sets the file aside. What is not a regular file stays what it is.
    fn roll(&mut self) -> io::Result<()> {
        self.size = 0;
        if self.file.metadata()?.is_file() {
            let mut aside = self.path.clone().into_os_string();
            aside.push(".1");
            fs::rename(&self.path, aside)?;
            self.file = open(&self.path, self.named)?;
        }
        Ok(())
    }
}

impl Write for Rolling {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.size >= self.largest {
            self.roll()?;
        }
        let written = self.file.write(bytes)?;
        self.size += u64::try_from(written).unwrap_or(u64::MAX);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// For this user only. A link in our own folder is somebody's trick; a pipe that
/// nobody reads must not hold us up.
fn open(path: &Path, named: bool) -> io::Result<File> {
    let link = if named { OFlags::empty() } else { OFlags::NOFOLLOW };
    let flags = i32::try_from((OFlags::NONBLOCK | link).bits()).unwrap_or(0);
    OpenOptions::new().append(true).create(true).mode(0o600).custom_flags(flags).open(path)
}

/// What is usual to go wrong, in words that are the same on every host.
const USUAL: &[(io::ErrorKind, &str)] = &[
    (io::ErrorKind::NotFound, "its folder does not exist"),
    (io::ErrorKind::PermissionDenied, "this user may not write there"),
    (io::ErrorKind::ReadOnlyFilesystem, "the file system is read-only"),
    (io::ErrorKind::StorageFull, "the disk is full"),
    (io::ErrorKind::IsADirectory, "it is a directory"),
];

fn why(error: &io::Error) -> String {
    let usual = USUAL.iter().find(|(kind, _)| *kind == error.kind());
    usual.map_or_else(|| error.to_string(), |(_, says)| (*says).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;
    use tempfile::tempdir;

    #[test]
    fn its_folder_is_made_and_both_are_for_this_user_only() {
        let home = tempdir().unwrap();
        let path = home.path().join("state/tminus/tminus.log");
        Rolling::open(&path, false).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        assert!(fs::read_to_string(&path).unwrap().starts_with("-- tminus"));
    }

    #[test]
    fn it_never_takes_more_than_twice_its_largest_size() {
        let home = tempdir().unwrap();
        let path = home.path().join("t.log");
        let mut log = Rolling::with_limit(&path, true, 1000).unwrap();
        for _ in 0..500 {
            log.write_all(&[b'x'; 99]).unwrap();
        }
        let size = |path: &Path| fs::metadata(path).unwrap().len();
        assert!(size(&path) <= 1100 && size(&home.path().join("t.log.1")) <= 1100);
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_place_that_cannot_be_written_to_says_why() {
        let home = tempdir().unwrap();
        for (path, word) in [
            (PathBuf::from("/dev/full"), "the disk is full"),
            (home.path().to_owned(), "it is a directory"),
            (home.path().join("none/t.log"), "its folder does not exist"),
        ] {
            let says = Rolling::open(&path, true).unwrap_err();
            assert_eq!(says, word, "{}", path.display());
        }
    }

    #[test]
    fn a_link_in_our_own_folder_is_not_followed() {
        let home = tempdir().unwrap();
        let path = home.path().join("tminus/tminus.log");
        fs::create_dir(path.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(home.path().join("elsewhere"), &path).unwrap();
        assert!(Rolling::open(&path, false).is_err());
        assert!(!home.path().join("elsewhere").exists());
    }
}
