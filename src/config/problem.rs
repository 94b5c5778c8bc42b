use super::Distrust;
use crate::domain::plain;
use std::{
    fmt, io,
    path::{Path, PathBuf},
};

/// Characters shown of one problem. Its names come from a file that may be anything.
const LINE: usize = 400;

/// Where a value was written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// Nowhere: it is about the file as a whole.
    Unwritten,
    /// On that line of the file.
    Line(usize),
    /// In that environment variable.
    Variable(&'static str),
    /// On the command line, with that flag.
    Flag(&'static str),
}

/// Something that is wrong with the configuration.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Where.
    pub origin: Origin,
    /// Which key, with its tables; empty where it is about no key.
    pub key: String,
    /// What it is and what is accepted. Never a value that may be secret.
    pub says: String,
}

impl Problem {
    /// In one line, as `tminus.toml:12: redis.urll is not a key here; did you mean url?`
    pub fn line(&self, file: Option<&Path>) -> String {
        let file = file.map(|file| file.display().to_string()).unwrap_or_default();
        let place = match &self.origin {
            Origin::Unwritten => file,
            Origin::Line(line) => format!("{file}:{line}"),
            Origin::Variable(name) => format!("${name}"),
            Origin::Flag(flag) => (*flag).to_owned(),
        };
        let parts = [place, format!("{} {}", self.key, self.says).trim().to_owned()];
        let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        plain(&parts.join(": "), LINE)
    }
}

/// Why there is no configuration: every problem, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The file that was read.
    pub file: Option<PathBuf>,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

impl ConfigError {
    /// The file is not read, because somebody else may have written it.
    pub(super) fn distrusted(path: &Path, why: Distrust) -> Self {
        let says = format!(
            "is not read: {why}. It could run a program and send keys anywhere; {}, or name it \
             with --config if you trust it",
            match why {
                Distrust::Owner(..) => "make it your own",
                Distrust::Group(_) | Distrust::All => "chmod go-w",
            }
        );
        let problem = Problem { origin: Origin::Unwritten, key: String::new(), says };
        Self { file: Some(path.to_owned()), problems: vec![problem] }
    }

    /// Each problem in one line.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        self.problems.iter().map(|problem| problem.line(self.file.as_deref()))
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.lines().collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for ConfigError {}

/// What is usual to go wrong, in words that are the same on every host.
const USUAL: &[(io::ErrorKind, &str)] = &[
    (io::ErrorKind::NotFound, "it does not exist"),
    (io::ErrorKind::PermissionDenied, "this user may not read it"),
    (io::ErrorKind::IsADirectory, "it is a directory"),
];

/// Why a file cannot be read.
pub(super) fn why(error: &io::Error) -> String {
    let usual = USUAL.iter().find(|(kind, _)| *kind == error.kind());
    usual.map_or_else(|| error.to_string(), |(_, says)| (*says).to_owned())
}
