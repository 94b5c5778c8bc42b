//! A file to begin with, from what lies around. No value that may be a secret is kept:
//! a secret is named by its variable.

mod clues;
mod compose;
mod text;

use super::Surroundings;
use clues::Clues;

/// A file to begin with, and how it came about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The file.
    pub text: String,
    /// What was found, a clause each.
    pub found: Vec<String>,
    /// What was looked for in vain, a clause each.
    pub missing: Vec<String>,
}

/// Looks around the working directory, at the environment and at who listens here.
/// Connects to nothing.
pub fn draft(around: &dyn Surroundings) -> Draft {
    let clues = Clues::gather(around);
    let (text, missing) = text::write(&clues, around);
    Draft { text, found: clues.found, missing }
}

#[cfg(test)]
mod tests;
