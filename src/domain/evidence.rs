use super::{Grid, plain};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Characters kept of one line of evidence.
const LINE: usize = 400;
/// Facts and phases kept of one run.
const ROWS: usize = 24;

/// A number with its unit, so that no two surfaces disagree about it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// A span of time.
    Time(Duration),
    /// Bytes, not kibibytes.
    Bytes(u64),
    /// A plain count.
    Count(u64),
    /// 0.0 to 1.0, shown as a percentage.
    Ratio(f64),
    /// Events per second.
    PerSecond(f64),
}

impl Quantity {
    /// The number in its base unit: seconds, bytes, one, ratio, per second.
    #[expect(clippy::cast_precision_loss, reason = "for graphs and metrics, which round anyway")]
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Time(span) => span.as_secs_f64(),
            Self::Bytes(n) | Self::Count(n) => n as f64,
            Self::Ratio(x) | Self::PerSecond(x) => x,
        }
    }
}

/// One step of a run and how long it took.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Phase {
    /// `resolve`, `connect`, `auth`, …
    pub name: String,
    /// How long it took.
    pub took: Duration,
}

/// One measurement with its name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    /// What was measured.
    pub name: String,
    /// How much it was, or what it said.
    pub value: FactValue,
}

/// What a fact can say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FactValue {
    /// A number with its unit.
    Quantity(Quantity),
    /// A word, such as a version or a role.
    Words(String),
}

impl From<Quantity> for FactValue {
    fn from(quantity: Quantity) -> Self {
        Self::Quantity(quantity)
    }
}

impl From<&str> for FactValue {
    fn from(words: &str) -> Self {
        Self::Words(plain(words, LINE))
    }
}

/// What a run was based on: what was asked, what was wanted, what came back.
///
/// Every text that enters is made safe to print and cut to 400 characters, so
/// that a reply of a hostile or broken server can be shown as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The question, as a person could repeat it: a command, a request, a statement.
    pub asked: String,
    /// The answer that would have passed.
    pub wanted: String,
    /// The answer that came.
    pub reply: String,
    /// The steps in order, with their times.
    pub phases: Vec<Phase>,
    /// Further measurements, in the order to show them.
    pub facts: Vec<Fact>,
    /// What was asked one by one, where that is more than a few facts.
    pub grid: Option<Grid>,
}

impl Evidence {
    /// Sets the question.
    #[must_use]
    pub fn asked(mut self, question: &str) -> Self {
        self.asked = plain(question, LINE);
        self
    }

    /// Sets the answer that would have passed.
    #[must_use]
    pub fn wanted(mut self, answer: &str) -> Self {
        self.wanted = plain(answer, LINE);
        self
    }

    /// Sets the answer that came.
    #[must_use]
    pub fn reply(mut self, answer: &str) -> Self {
        self.reply = plain(answer, LINE);
        self
    }

    /// Adds a step; those beyond the 24th are dropped.
    #[must_use]
    pub fn phase(mut self, name: &str, took: Duration) -> Self {
        if self.phases.len() < ROWS {
            self.phases.push(Phase { name: plain(name, LINE), took });
        }
        self
    }

    /// Adds what was asked one by one.
    #[must_use]
    pub fn grid(mut self, grid: Grid) -> Self {
        self.grid = Some(grid);
        self
    }

    /// Adds a measurement; those beyond the 24th are dropped.
    #[must_use]
    pub fn fact(mut self, name: &str, value: impl Into<FactValue>) -> Self {
        if self.facts.len() < ROWS {
            self.facts.push(Fact { name: plain(name, LINE), value: value.into() });
        }
        self
    }
}

/// What a run wrote on its target and whether it is gone again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Commands or statements sent.
    pub sent: u64,
    /// Keys, rows or objects written.
    pub written: u64,
    /// How many of them were removed again, or are known to be gone.
    pub removed: u64,
    /// How many are still there and will not go by themselves.
    pub left: u64,
}

impl Receipt {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            sent: self.sent + other.sent,
            written: self.written + other.written,
            removed: self.removed + other.removed,
            left: self.left + other.left,
        }
    }
}
