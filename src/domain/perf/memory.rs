use super::seconds;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Whether a target leaks: its memory over operations that are always the same.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// What was read, in words: `private memory of pid 12, api`.
    pub measure: String,
    /// After each operation, in bytes.
    pub readings: Vec<u64>,
    /// The least of each block of operations: what a collector leaves.
    pub floors: Vec<Floor>,
    /// How many of the floors are warm-up, which is not judged.
    pub warm_up: u32,
    /// How the floors after the warm-up move; none where there are too few.
    pub trend: Option<Trend>,
    /// A step among the floors that explains them better than a trend.
    pub jump: Option<Jump>,
    /// What all that comes to.
    pub found: Leak,
    /// What growth was wanted to stay under, in bytes for 500 operations.
    pub limit: u64,
    /// How the memory of the process moved, where not that but its heap is judged.
    pub process: Option<Trend>,
    /// How often the heap was collected meanwhile, where the target tells.
    pub collections: Option<u64>,
    /// How much room there is for more; none where nobody knows.
    pub room: Option<Room>,
    /// Operations a second, each followed by a reading.
    pub per_second: f64,
    /// Why what it was run for cannot be said, a clause each; nothing where it can.
    pub doubts: Vec<String>,
}

/// The least reading of a block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Floor {
    /// Operations at its end.
    pub after: u32,
    /// The least that was read in it.
    pub bytes: u64,
}

/// How memory moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Trend {
    /// Bytes that an operation adds: the median slope.
    pub per_operation: f64,
    /// It is hardly less, at 90 % confidence for both bounds.
    pub low: f64,
    /// It is hardly more.
    pub high: f64,
    /// What the line has at no operations, in bytes.
    pub start: f64,
    /// How often memory that does not grow rises so steadily by chance.
    pub chance: f64,
    /// By how much the variance was raised because readings depend on those before.
    pub inflation: f64,
    /// The share of the variance that a straight line takes away; for information.
    pub r_squared: f64,
}

/// Memory that rose once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jump {
    /// After how many operations.
    pub after: u32,
    /// By so many bytes.
    pub bytes: u64,
}

/// What memory does. That it does not leak is said only where it was shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Leak {
    /// Too little was measured to say anything.
    #[default]
    Unknown,
    /// It surely stays under the limit.
    Flat,
    /// It surely does, after it rose while it warmed up: caches, or pages that are kept.
    Settled,
    /// It rose once, so late that nobody can tell whether that comes again.
    Stepped,
    /// The heap stays under the limit, the process does not: its allocator keeps pages, or
    /// something beside the heap grows.
    Retained,
    /// It grows, by more than chance, and no end of it is in sight.
    Leaks,
    /// It may grow by more than the limit, or not at all.
    Undecided,
}

impl Leak {
    /// Whether it is shown that nothing leaks.
    pub fn is_none(self) -> bool {
        match self {
            Self::Flat | Self::Settled => true,
            Self::Unknown | Self::Stepped | Self::Retained | Self::Leaks | Self::Undecided => false,
        }
    }
}

/// What memory may grow to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Room {
    /// The most, in bytes.
    pub limit: u64,
    /// Who says so: `memory.max of its cgroup`.
    pub of: String,
    /// What is taken of it, in bytes.
    pub used: u64,
    /// Operations until it is full, at the median slope; none where it does not grow.
    pub operations: Option<u64>,
    /// The same in time, at the pace of the test.
    #[serde(rename = "left_seconds", with = "seconds::maybe")]
    pub left: Option<Duration>,
}

impl Trend {
    /// Bytes after so many operations, on the line.
    pub fn at(&self, operations: f64) -> f64 {
        self.start + self.per_operation * operations
    }

    /// The slope and its bounds for `operations`, in bytes: lower, median, upper.
    pub fn over(&self, operations: f64) -> [f64; 3] {
        [self.low, self.per_operation, self.high].map(|bytes| bytes * operations)
    }
}
