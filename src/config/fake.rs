//! A world for tests.

use super::{Look, Surroundings, Writable};
use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

/// The user that the world belongs to.
const USER: u32 = 1000;

/// Variables and files as a test wants them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fake {
    variables: BTreeMap<String, String>,
    files: BTreeMap<PathBuf, (Look, Vec<u8>)>,
    directory: Option<PathBuf>,
}

impl Fake {
    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }

    pub(crate) fn file(self, path: &str, text: &str) -> Self {
        let look = Look {
            regular: true,
            owner: USER,
            link: None,
            writable: Writable::ByOwner,
            readable_by_others: false,
        };
        self.with(path, look, text)
    }

    pub(crate) fn with(mut self, path: &str, look: Look, text: &str) -> Self {
        self.files.insert(path.into(), (look, text.into()));
        self
    }

    pub(crate) fn owned(self, path: &str, owner: u32, writable: Writable) -> Self {
        let look = Look { regular: true, owner, link: None, writable, readable_by_others: true };
        self.with(path, look, "")
    }

    pub(crate) fn directory(mut self, path: &str) -> Self {
        self.directory = Some(path.into());
        self
    }
}

impl Surroundings for Fake {
    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }

    fn look(&self, path: &Path) -> Option<Look> {
        self.files.get(path).map(|(look, _)| *look)
    }

    fn read(&self, path: &Path, most: usize) -> io::Result<Vec<u8>> {
        let (_, text) = self.files.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(text.iter().copied().take(most + 1).collect())
    }

    fn directory(&self) -> Option<PathBuf> {
        self.directory.clone()
    }

    fn config_home(&self) -> Option<PathBuf> {
        Some("/home/me/.config".into())
    }

    fn user(&self) -> u32 {
        USER
    }
}
