use crate::{config::ConfigError, surface::gate};
use std::fmt;

/// Why the program cannot do what was asked: what, where, why, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What cannot be done, in a clause.
    pub what: String,
    /// Where and why, a line each.
    pub why: Vec<String>,
    /// What to do about it.
    pub hint: Option<String>,
    /// The exit code.
    pub code: u8,
}

impl Failure {
    /// A wrong command line or configuration.
    pub fn unusable(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self { what: what.into(), why: vec![why.into()], hint: None, code: gate::UNUSABLE }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tminus: {}", self.what)?;
        for why in &self.why {
            write!(f, "\n  {why}")?;
        }
        match &self.hint {
            Some(hint) => write!(f, "\n  do: {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self {
            what: "the configuration cannot be used".into(),
            why: error.lines().collect(),
            hint: Some("correct it, then `tminus config check`".into()),
            code: gate::UNUSABLE,
        }
    }
}
