//! What configuration asks of the world, behind one trait: a test answers it from a map.

use super::Look;
use etcetera::{BaseStrategy as _, base_strategy::Xdg};
use std::{
    env,
    fs::{self, File},
    io::{self, Read as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

/// The bit that lets everybody write.
const WORLD_WRITABLE: u32 = 0o002;
/// The bits that let anybody but the owner read.
const READABLE_BY_OTHERS: u32 = 0o044;

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
        Some(Look {
            regular: found.is_file(),
            owner: found.uid(),
            world_writable: found.mode() & WORLD_WRITABLE != 0,
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
