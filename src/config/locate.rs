//! Which file is read, and why that one.

use super::Surroundings;
use std::{
    fmt,
    path::{Path, PathBuf},
};

/// The name of the file in a project.
const IN_PROJECT: &str = "tminus.toml";
/// The last place that is looked at.
const OF_THE_HOST: &str = "/etc/tminus/config.toml";
/// What marks the top of a project.
const VERSION_CONTROL: &[&str] = &[".git", ".jj", ".hg", ".svn"];

/// What to do about a file that somebody else may have put there.
const TRUSTED: &str = "give it with --config if you trust it";

/// What is known of a file before it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Whether it is a regular file.
    pub regular: bool,
    /// The user it belongs to.
    pub owner: u32,
    /// Whether everybody may write to it.
    pub world_writable: bool,
    /// Whether anybody but its owner may read it.
    pub readable_by_others: bool,
}

/// What came of looking at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Came {
    /// It is the one that is read.
    Read,
    /// It was named, so it is the one to read, and there is no file.
    Missing,
    /// There is no file.
    Absent,
    /// There is one, and another one comes first.
    Later,
    /// There is one that is not read, for the reason given.
    Refused(String),
}

/// A place that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Where.
    pub path: PathBuf,
    /// Why there.
    pub because: &'static str,
    /// What came of it.
    pub came: Came,
}

/// Every place, in the order in which they count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Located {
    /// The places.
    pub places: Vec<Place>,
}

impl Located {
    /// The file to read, if there is one.
    pub fn file(&self) -> Option<&Path> {
        let to_read = |place: &&Place| matches!(place.came, Came::Read | Came::Missing);
        self.places.iter().find(to_read).map(|place| place.path.as_path())
    }

    /// The files that are there and are not read for their owner's or mode's sake, in a sentence each.
    pub fn warnings(&self) -> impl Iterator<Item = String> {
        self.places.iter().filter_map(|place| match &place.came {
            Came::Refused(why) => {
                let path = place.path.display();
                Some(format!("{path} is not read: {why}"))
            }
            Came::Read | Came::Missing | Came::Absent | Came::Later => None,
        })
    }
}

impl fmt::Display for Located {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Place { path, because, came } in &self.places {
            let came = match came {
                Came::Read => "read".into(),
                Came::Missing => "named, and not there".into(),
                Came::Absent => "not there".into(),
                Came::Later => "there, and another one comes first".into(),
                Came::Refused(why) => format!("not read: {why}"),
            };
            writeln!(f, "{}  ({because}): {came}", path.display())?;
        }
        if self.file().is_none() {
            writeln!(f, "no file: the environment and the defaults are used")?;
        }
        Ok(())
    }
}

/// Finds the file: `--config`, `$TMINUS_CONFIG`, the project, the user, the host.
///
/// One that was named is the only place, whether it is there or not.
pub fn locate(flag: Option<&Path>, around: &dyn Surroundings) -> Located {
    let named = |path: PathBuf, because| {
        let came = if around.look(&path).is_some() { Came::Read } else { Came::Missing };
        Located { places: vec![Place { path, because, came }] }
    };
    if let Some(path) = flag {
        return named(path.to_owned(), "--config");
    }
    if let Some(path) = around.variable("TMINUS_CONFIG").filter(|path| !path.is_empty()) {
        return named(path.into(), "$TMINUS_CONFIG");
    }
    let mut places: Vec<Place> = in_project(around)
        .into_iter()
        .map(|(path, because)| place(path, because, true, around))
        .collect();
    let of_user = around.config_home().map(|home| home.join("tminus/config.toml"));
    places.extend(of_user.map(|path| place(path, "the user's", false, around)));
    places.push(place(OF_THE_HOST.into(), "the host's", false, around));
    let first = places.iter().position(|place| place.came == Came::Read);
    for place in places.iter_mut().skip(first.map_or(usize::MAX, |first| first + 1)) {
        if place.came == Came::Read {
            place.came = Came::Later;
        }
    }
    Located { places }
}

/// The working directory and those above it up to the top of the project.
///
/// Outside of version control there is no top, and only the directory itself counts.
fn in_project(around: &dyn Surroundings) -> Vec<(PathBuf, &'static str)> {
    let Some(here) = around.directory() else { return Vec::new() };
    let is_top = |directory: &Path| {
        VERSION_CONTROL.iter().any(|mark| around.look(&directory.join(mark)).is_some())
    };
    let depth = here.ancestors().position(is_top).unwrap_or(0);
    let because = |level| if level == 0 { "the working directory" } else { "above it" };
    let directories = here.ancestors().take(depth + 1).enumerate();
    directories.map(|(level, path)| (path.join(IN_PROJECT), because(level))).collect()
}

/// Looks at one place. A project's file may be anybody's, so its owner counts.
fn place(path: PathBuf, because: &'static str, anybodys: bool, around: &dyn Surroundings) -> Place {
    let came = match around.look(&path) {
        None => Came::Absent,
        Some(look) if !look.regular => Came::Refused("it is not a regular file".into()),
        Some(look) if anybodys && look.owner != around.user() => {
            Came::Refused(format!("it belongs to user {}; {TRUSTED}", look.owner))
        }
        Some(look) if anybodys && look.world_writable => {
            Came::Refused(format!("everybody may write to it; {TRUSTED}"))
        }
        Some(_) => Came::Read,
    };
    Place { path, because, came }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::fake::Fake;

    fn found(around: &Fake) -> Option<String> {
        locate(None, around).file().map(|path| path.display().to_string())
    }

    #[test]
    fn the_first_place_with_a_file_counts() {
        let around = Fake::default()
            .directory("/srv/app/src")
            .file("/srv/app/.git", "")
            .file("/etc/tminus/config.toml", "");
        assert_eq!(found(&around).as_deref(), Some("/etc/tminus/config.toml"));
        let around = around.file("/home/me/.config/tminus/config.toml", "");
        assert_eq!(found(&around).as_deref(), Some("/home/me/.config/tminus/config.toml"));
        let around = around.file("/srv/tminus.toml", "");
        assert_eq!(
            found(&around).as_deref(),
            Some("/home/me/.config/tminus/config.toml"),
            "what lies above the project is not the project's"
        );
        let around = around.file("/srv/app/tminus.toml", "");
        assert_eq!(found(&around).as_deref(), Some("/srv/app/tminus.toml"));
        let around = around.file("/srv/app/src/tminus.toml", "");
        assert_eq!(found(&around).as_deref(), Some("/srv/app/src/tminus.toml"));
        let around = around.variable("TMINUS_CONFIG", "/run/t.toml");
        assert_eq!(found(&around).as_deref(), Some("/run/t.toml"));
        let named = locate(Some(Path::new("mine.toml")), &around);
        assert_eq!(named.file(), Some(Path::new("mine.toml")));
        assert_eq!(named.places.len(), 1, "what is named is not looked for elsewhere");
    }

    #[test]
    fn a_file_that_somebody_else_may_have_written_is_not_read_and_that_is_said() {
        for (owner, world_writable, word) in
            [(0, false, "belongs to user 0"), (1000, true, "everybody may write")]
        {
            let around = Fake::default()
                .directory("/tmp")
                .owned("/tmp/tminus.toml", owner, world_writable)
                .owned("/etc/tminus/config.toml", 0, false);
            let located = locate(None, &around);
            assert_eq!(located.file(), Some(Path::new("/etc/tminus/config.toml")));
            let warnings: Vec<String> = located.warnings().collect();
            assert_eq!(warnings.len(), 1);
            assert!(warnings[0].contains(word) && warnings[0].contains("--config"), "{warnings:?}");
        }
    }

    #[test]
    fn every_place_and_its_reason_can_be_shown() {
        let around = Fake::default()
            .directory("/srv/app")
            .file("/srv/app/tminus.toml", "")
            .file("/etc/tminus/config.toml", "");
        insta::assert_snapshot!(locate(None, &around), @r"
        /srv/app/tminus.toml  (the working directory): read
        /home/me/.config/tminus/config.toml  (the user's): not there
        /etc/tminus/config.toml  (the host's): there, and another one comes first
        ");
        insta::assert_snapshot!(locate(None, &Fake::default()), @r"
        /home/me/.config/tminus/config.toml  (the user's): not there
        /etc/tminus/config.toml  (the host's): not there
        no file: the environment and the defaults are used
        ");
    }
}
