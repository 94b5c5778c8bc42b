//! What is deployed: which version it serves, and when that changes.
//!
//! One task asks from time to time, with a deadline and a bound on what it
//! reads, and tells the engine. Nothing runs where nobody has said how to ask.

mod command;
mod read;
mod watch;

pub use watch::{Around, Watch};

use crate::secret::Secret;
use std::{path::PathBuf, time::Duration};

/// Time for one answer.
pub const ALLOWED: Duration = Duration::from_secs(5);
/// Bytes that are read of an answer, a body apart.
const MOST: usize = 4096;

/// What is deployed, and who says so.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What the user calls it.
    pub name: String,
    /// Where its version is read.
    pub source: Source,
    /// How often.
    pub interval: Duration,
}

/// Where a version is read.
#[derive(Clone, Debug)]
pub enum Source {
    /// The first line that a program prints. No shell reads these words.
    Command {
        /// The program and its arguments, at least the first.
        words: Vec<String>,
        /// Where it runs.
        directory: PathBuf,
    },
    /// The first line of a file.
    File(PathBuf),
    /// What a server answers.
    Url {
        /// Whom to ask.
        url: Secret,
        /// Where in the answer it is.
        part: Part,
    },
}

/// Where in an answer a version is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// The first line of the body.
    Body,
    /// This header field.
    Header(String),
    /// This place in the JSON of the body, as RFC 6901 writes it.
    Pointer(String),
}
