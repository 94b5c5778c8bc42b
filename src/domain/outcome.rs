use super::Text;
use serde::{Deserialize, Serialize};

/// What one run of a check concluded. Exactly one of six.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", content = "because", rename_all = "snake_case")]
pub enum Outcome {
    /// Every assertion held, and there was at least one.
    Pass,
    /// A soft limit did not hold.
    Warn,
    /// The target is wrong.
    Fail,
    /// It could not be determined, for a reason of our own.
    Unknown(Cause),
    /// The named sibling stands in the way.
    Blocked(Text),
    /// Not run on purpose.
    Skipped(Skip),
}

/// Why a run ended without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// It has not run yet.
    NotRun,
    /// The run was stopped before it answered.
    Cancelled,
    /// The probe has a bug; the summary is the panic's message.
    Panicked,
    /// The credentials may not look.
    NotPermitted,
    /// There was nothing to judge by.
    NoSamples,
    /// This host was too busy to run the probe in time.
    Starved,
    /// This host lacks what the probe needs: descriptors, memory, name resolution.
    Local,
    /// The last answer is too old to stand for anything.
    Expired,
    /// The supervisor of its integration ended and is being restarted.
    Lost,
}

/// Why a check was not run on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Skip {
    /// The target has no such thing.
    NotApplicable,
    /// It would write, and writing here is not allowed.
    NotAllowed,
    /// It is declared optional and is not there: satisfied, and proves nothing.
    OptionalAbsent,
}

/// How bad an outcome is. Hysteresis compares these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Pass, or skipped on purpose.
    Fine,
    /// A soft limit.
    Soft,
    /// Nobody knows.
    Unclear,
    /// The target is wrong.
    Bad,
}

/// An outcome as one sign, for strips of recent runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// Pass.
    Pass,
    /// Warn.
    Warn,
    /// Fail.
    Fail,
    /// Unknown, or blocked by something else.
    Unknown,
    /// Skipped.
    Skipped,
}

impl Mark {
    /// Every mark, in the order to show them.
    pub const ALL: [Self; 5] = [Self::Pass, Self::Warn, Self::Fail, Self::Unknown, Self::Skipped];

    /// The mark as one lower-case word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::Unknown => "unknown",
            Self::Skipped => "skipped",
        }
    }
}

impl Outcome {
    /// How bad it is.
    pub fn severity(&self) -> Severity {
        match self {
            Self::Pass | Self::Skipped(_) => Severity::Fine,
            Self::Warn => Severity::Soft,
            Self::Unknown(_) | Self::Blocked(_) => Severity::Unclear,
            Self::Fail => Severity::Bad,
        }
    }

    /// The sign it gets on a strip.
    pub fn mark(&self) -> Mark {
        match self {
            Self::Pass => Mark::Pass,
            Self::Warn => Mark::Warn,
            Self::Fail => Mark::Fail,
            Self::Unknown(_) | Self::Blocked(_) => Mark::Unknown,
            Self::Skipped(_) => Mark::Skipped,
        }
    }

    /// Whether something was learnt about the target.
    pub fn is_executed(&self) -> bool {
        matches!(self, Self::Pass | Self::Warn | Self::Fail)
    }

    /// The outcome as one lower-case word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::Unknown(_) => "unknown",
            Self::Blocked(_) => "blocked",
            Self::Skipped(_) => "skipped",
        }
    }
}
