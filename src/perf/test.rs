use super::{Failed, Reins};
use crate::domain::perf::{Offer, Record};
use std::{fmt, pin::Pin};

/// A test on its way, as a future that can be dropped at any await point.
pub type Testing<'a> = Pin<Box<dyn Future<Output = Result<Record, Untested>> + Send + 'a>>;

/// A performance test that can be started.
pub trait Test: Send + Sync + 'static {
    /// What it is and what it will do, for somebody who decides whether it may.
    fn offer(&self) -> Offer;

    /// Does it. A test whose offer is refused does nothing but say so.
    ///
    /// # Errors
    ///
    /// Why there is no result, not even a part of one.
    fn run<'a>(&'a self, reins: &'a Reins) -> Testing<'a>;
}

/// Why there is no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Untested {
    /// What stood in the way.
    pub why: Hindrance,
    /// In a clause.
    pub says: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// What it may have left on its target: keys, rows.
    pub left: u64,
}

/// What may stand in the way of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hindrance {
    /// The configuration does not allow it, or what was asked for makes no sense.
    Refused,
    /// The target cannot be tested.
    Target,
    /// This host cannot test it: nothing is known of the target.
    Host,
    /// Somebody stopped it before it began.
    Aborted,
}

impl Untested {
    /// It may not be done.
    pub fn refused(why: &str, hint: &str) -> Self {
        Self { why: Hindrance::Refused, says: why.into(), hint: Some(hint.into()), left: 0 }
    }

    /// The target cannot be tested.
    pub fn target(why: &str) -> Self {
        Self { why: Hindrance::Target, says: why.into(), hint: None, left: 0 }
    }

    /// This host cannot test it.
    pub fn host(why: &str) -> Self {
        Self { why: Hindrance::Host, ..Self::target(why) }
    }

    /// It was stopped before anything was measured.
    pub fn aborted() -> Self {
        let says = "stopped before anything was measured".into();
        Self { why: Hindrance::Aborted, says, hint: None, left: 0 }
    }
}

impl From<Failed> for Untested {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Aborted => Self::aborted(),
            Failed::Unfit(_) | Failed::Lost => Self::target(&failed.to_string()),
            Failed::Short(says) => Self::host(&says),
        }
    }
}

impl fmt::Display for Untested {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.says)?;
        match self.left {
            0 => Ok(()),
            left => write!(f, "; {left} of what it wrote may be left"),
        }
    }
}

impl std::error::Error for Untested {}
