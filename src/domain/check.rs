use serde::{Deserialize, Serialize};
use std::{borrow::Cow, time::Duration};

/// Text that is a constant here and owned when it came over a wire.
pub type Text = Cow<'static, str>;

/// A constant as [`Text`], for the check tables.
pub const fn text(constant: &'static str) -> Text {
    Cow::Borrowed(constant)
}

/// When a check runs without being asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cadence {
    /// Run it again this long after the last run began.
    Every(Duration),
    /// Only ever run on request.
    OnDemand,
}

/// What a run does to its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Impact {
    /// It reads.
    ReadOnly,
    /// It writes under our own prefix and cleans up; only where writes are allowed.
    Writes,
    /// It loads the target; only on demand and after asking.
    Load,
}

/// How much a check weighs in the verdict, whatever it weighs in the score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// A failure, or a fallback in its place, is NO-GO.
    Blocker,
    /// A failure belongs on the checklist; a regression is NO-GO.
    Major,
    /// A failure belongs on the checklist.
    Minor,
    /// Shown, and nothing more.
    Info,
}

impl Class {
    /// As it is written everywhere.
    pub fn word(self) -> &'static str {
        match self {
            Self::Blocker => "blocker",
            Self::Major => "major",
            Self::Minor => "minor",
            Self::Info => "info",
        }
    }
}

/// Everything about a check that is known before it runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckSpec {
    /// Name within its integration, one lower-case word. Stable once released.
    pub name: Text,
    /// One line, no trailing period, at most 40 columns.
    pub title: Text,
    /// What to do when it does not pass and the run itself knows no better.
    pub hint: Text,
    /// What a run does and what it sends, in a sentence without its period.
    #[serde(default)]
    pub does: Text,
    /// What a release risks where it does not pass, in a clause.
    #[serde(default)]
    pub risk: Text,
    /// When it runs by itself.
    pub cadence: Cadence,
    /// Time allowed for one run, connection set-up included.
    pub timeout: Duration,
    /// Share of the integration's score relative to its siblings, 0 to 10.
    pub weight: u8,
    /// Its weight in the verdict.
    pub class: Class,
    /// What a run does to the target.
    pub impact: Impact,
    /// The sibling without which a run would prove nothing.
    pub needs: Option<Text>,
    /// Whether its measurement is worth a graph over time.
    pub graph: bool,
}
