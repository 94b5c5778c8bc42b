//! Which file is read, and why that one.

use super::Surroundings;
use std::{
    fmt, iter,
    path::{Path, PathBuf},
};

/// The name of the file in a project.
const IN_PROJECT: &str = "tminus.toml";
/// The last place that is looked at.
const OF_THE_HOST: &str = "/etc/tminus/config.toml";
/// What marks the top of a project.
const VERSION_CONTROL: &[&str] = &[".git", ".jj", ".hg", ".svn"];

/// Who may own a project's file besides its user: whoever rules the machine anyway.
const ROOT: u32 = 0;

/// What is known of a file before it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Whether it is a regular file.
    pub regular: bool,
    /// The user it belongs to.
    pub owner: u32,
    /// The user that the link to it belongs to, if it is reached by one: what is relative
    /// in the file is relative to where the link is.
    pub link: Option<u32>,
    /// Who may write to it besides its owner.
    pub writable: Writable,
    /// Whether anybody but its owner may read it.
    pub readable_by_others: bool,
}

/// Who may write to a file besides its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writable {
    /// Nobody: the group is the owner's own, or may not.
    ByOwner,
    /// That group.
    ByGroup(u32),
    /// Everybody.
    ByAll,
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
    /// There is something that is no file, and that is not read.
    Odd,
    /// It would be the one to read, and somebody else may have written it.
    Distrusted(Distrust),
}

/// Why a file may be somebody else's: it can make us run a program, read a file, and
/// send keys to an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distrust {
    /// It belongs to that user, and we are the other one.
    Owner(u32, u32),
    /// This group may write to it.
    Group(u32),
    /// Everybody may.
    All,
}

impl fmt::Display for Distrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Owner(owner, user) => {
                write!(f, "it belongs to user {owner}, and this is user {user}")
            }
            Self::Group(group) => write!(f, "everybody in group {group} may write to it"),
            Self::All => f.write_str("everybody may write to it"),
        }
    }
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

    /// The file that would be read, if it were sure that it is the user's own.
    pub fn distrusted(&self) -> Option<(&Path, Distrust)> {
        self.places.iter().find_map(|place| match place.came {
            Came::Distrusted(why) => Some((place.path.as_path(), why)),
            Came::Read | Came::Missing | Came::Absent | Came::Later | Came::Odd => None,
        })
    }

    /// What lies where a file is looked for and is none, in a sentence each.
    pub fn warnings(&self) -> impl Iterator<Item = String> {
        let odd = self.places.iter().filter(|place| place.came == Came::Odd);
        odd.map(|place| format!("{} is not read: it is not a regular file", place.path.display()))
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
                Came::Odd => "not read: it is not a regular file".into(),
                Came::Distrusted(why) => format!("in the way: {why}"),
            };
            writeln!(f, "{}  ({because}): {came}", path.display())?;
        }
        if self.file().is_none() && self.distrusted().is_none() {
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
    let stands = |place: &Place| matches!(place.came, Came::Read | Came::Distrusted(_));
    let first = places.iter().position(stands);
    for place in places.iter_mut().skip(first.map_or(usize::MAX, |first| first + 1)) {
        if stands(place) {
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

/// Looks at one place. A project's file may be anybody's, so it counts whose it is.
fn place(path: PathBuf, because: &'static str, anybodys: bool, around: &dyn Surroundings) -> Place {
    let came = match around.look(&path) {
        None => Came::Absent,
        Some(look) if !look.regular => Came::Odd,
        Some(look) if anybodys => {
            distrust(look, around.user()).map_or(Came::Read, Came::Distrusted)
        }
        Some(_) => Came::Read,
    };
    Place { path, because, came }
}

/// Why a file may be somebody else's, if it may.
fn distrust(look: Look, user: u32) -> Option<Distrust> {
    let mut owners = iter::once(look.owner).chain(look.link);
    if let Some(other) = owners.find(|owner| ![user, ROOT].contains(owner)) {
        return Some(Distrust::Owner(other, user));
    }
    match look.writable {
        Writable::ByAll => Some(Distrust::All),
        Writable::ByGroup(group) => Some(Distrust::Group(group)),
        Writable::ByOwner => None,
    }
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
    fn a_file_that_somebody_else_may_have_written_is_in_the_way() {
        use Writable::{ByAll, ByGroup, ByOwner};
        let cases = [
            (1000, ByOwner, None),
            (0, ByOwner, None),
            (1001, ByOwner, Some("it belongs to user 1001, and this is user 1000")),
            (1000, ByGroup(100), Some("everybody in group 100 may write to it")),
            (0, ByGroup(100), Some("everybody in group 100 may write to it")),
            (1000, ByAll, Some("everybody may write to it")),
            (0, ByAll, Some("everybody may write to it")),
        ];
        for (owner, writable, why) in cases {
            let around = Fake::default()
                .directory("/tmp")
                .owned("/tmp/tminus.toml", owner, writable)
                .owned("/etc/tminus/config.toml", 0, ByOwner);
            let located = locate(None, &around);
            let says = located.distrusted().map(|(path, why)| (path, why.to_string()));
            let own = Path::new("/tmp/tminus.toml");
            assert_eq!(says, why.map(|why| (own, why.to_owned())), "{owner} {writable:?}");
            assert_eq!(located.file(), why.is_none().then_some(own), "no other takes its place");
            let named = locate(Some(own), &around);
            assert_eq!((named.file(), named.distrusted()), (Some(own), None), "it was named");
        }
    }

    #[test]
    fn a_link_is_trusted_like_a_file() {
        let look = |link| Look {
            regular: true,
            owner: 1000,
            link: Some(link),
            writable: Writable::ByOwner,
            readable_by_others: false,
        };
        let why = |link| distrust(look(link), 1000);
        assert_eq!([0, 1000].map(why), [None; 2]);
        assert_eq!(why(1001), Some(Distrust::Owner(1001, 1000)));
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
