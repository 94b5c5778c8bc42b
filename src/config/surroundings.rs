//! What configuration asks of the world, behind one trait: a test answers it from a map.

use super::{Look, Writable};
use etcetera::{BaseStrategy as _, base_strategy::Xdg};
use std::{
    env,
    fs::{self, File, Metadata},
    io::{self, Read as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

/// The bits that let everybody, and the group, write.
const WRITABLE_BY_ALL: u32 = 0o002;
const WRITABLE_BY_GROUP: u32 = 0o020;
/// The bits that let anybody but the owner read.
const READABLE_BY_OTHERS: u32 = 0o044;

/// Who may write to a file besides its owner.
fn writable(found: &Metadata) -> Writable {
    match found.mode() {
        mode if mode & WRITABLE_BY_ALL != 0 => Writable::ByAll,
        // A group with its user's number is that user's own, and a usual umask lets it write.
        mode if mode & WRITABLE_BY_GROUP != 0 && found.gid() != found.uid() => {
            Writable::ByGroup(found.gid())
        }
        _ => Writable::ByOwner,
    }
}

/// Variables, files and directories.
pub trait Surroundings {
    /// The value of an environment variable; one that is not UTF-8 is not set.
    fn variable(&self, name: &str) -> Option<String>;
    /// What is at a path, if anything is.
    fn look(&self, path: &Path) -> Option<Look>;
    /// The first `most` bytes of a file, and one more where there are more.
    fn read(&self, path: &Path, most: usize) -> io::Result<Vec<u8>>;
    /// The working directory.
    fn directory(&self) -> Option<PathBuf>;
    /// Where the user's configuration lives.
    fn config_home(&self) -> Option<PathBuf>;
    /// The user we are.
    fn user(&self) -> u32;
}

/// The world as it is.
#[derive(Clone, Copy, Debug)]
pub struct World;

impl Surroundings for World {
    fn variable(&self, name: &str) -> Option<String> {
        env::var(name).ok()
    }

    fn look(&self, path: &Path) -> Option<Look> {
        let found = fs::metadata(path).ok()?;
        let link = fs::symlink_metadata(path).ok().filter(Metadata::is_symlink);
        Some(Look {
            regular: found.is_file(),
            owner: found.uid(),
            link: link.map(|link| link.uid()),
            writable: writable(&found),
            readable_by_others: found.mode() & READABLE_BY_OTHERS != 0,
        })
    }

    fn read(&self, path: &Path, most: usize) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let most = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
        File::open(path)?.take(most).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn directory(&self) -> Option<PathBuf> {
        env::current_dir().ok()
    }

    fn config_home(&self) -> Option<PathBuf> {
        Xdg::new().ok().map(|xdg| xdg.config_dir())
    }

    fn user(&self) -> u32 {
        rustix::process::geteuid().as_raw()
    }
}
