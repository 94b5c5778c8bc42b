//! A text read as if it were the file, to see what is said of it.

use super::{Came, Flags, Located, Look, Origin, Place, Problem, Surroundings, load};
use crate::domain::{CheckId, Timestamp};
use std::{
    io,
    path::{Path, PathBuf},
};

/// What the one file is called.
const FILE: &str = "tminus.toml";

/// A world in which the file is that text; everything else is as it is around.
pub(super) struct Trial<'a> {
    /// The file.
    pub(super) text: String,
    /// Where variables and other files come from; from nowhere without it.
    pub(super) around: Option<&'a dyn Surroundings>,
}

impl Trial<'_> {
    /// What is wrong with lines of the file, where the checks `known` exist.
    pub(super) fn problems(&self, known: Vec<CheckId>) -> Vec<Problem> {
        let place = Place { path: FILE.into(), because: "", came: Came::Read };
        let located = Located { places: vec![place] };
        let loaded = load(&located, &Flags::default(), self, Timestamp(0), |_| known);
        let problems = loaded.err().map(|error| error.problems).unwrap_or_default();
        let of_file = |it: &Problem| matches!(it.origin, Origin::Line(_) | Origin::Unwritten);
        problems.into_iter().filter(of_file).collect()
    }
}

impl Surroundings for Trial<'_> {
    fn variable(&self, name: &str) -> Option<String> {
        self.around?.variable(name)
    }

    fn look(&self, path: &Path) -> Option<Look> {
        self.around?.look(path)
    }

    fn read(&self, path: &Path, most: usize) -> io::Result<Vec<u8>> {
        if path == Path::new(FILE) {
            return Ok(self.text.clone().into_bytes());
        }
        let around = self.around.ok_or(io::ErrorKind::NotFound)?;
        around.read(path, most)
    }

    fn directory(&self) -> Option<PathBuf> {
        self.around?.directory()
    }

    fn config_home(&self) -> Option<PathBuf> {
        self.around?.config_home()
    }

    fn user(&self) -> u32 {
        self.around.map_or(0, Surroundings::user)
    }
}
