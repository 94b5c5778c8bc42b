//! What the console knows, as plain values.
//!
//! Nothing in here performs I/O, reads a clock, spawns a task or draws. Every
//! other layer may use this one; this one uses `std`, `serde` and the pure [`crate::stats`].

mod annals;
mod baseline;
mod blocker;
mod check;
mod deploy;
mod evidence;
mod finding;
mod grid;
mod id;
mod journal;
mod notice;
mod outcome;
mod past;
mod pattern;
pub mod perf;
mod plain;
mod policy;
mod pool;
mod score;
mod series;
mod shift;
mod snapshot;
mod status;
mod sweep;
mod tally;
mod time;
mod verdict;

pub use annals::{Annals, KnownRun, Turn};
pub use baseline::{Baseline, Change, Was};
pub use blocker::{Blocker, Ledger, Stands};
pub use check::{Cadence, CheckSpec, Class, Impact, Text, text};
pub use deploy::{App, Deploy};
pub use evidence::{Evidence, Fact, FactValue, Phase, Quantity, Receipt};
pub use finding::Finding;
pub use grid::{Grid, GridRow};
pub use id::{BadId, CheckId, IntegrationId};
pub use journal::{Event, Journal, Trigger};
pub use notice::{Notice, Topic};
pub use outcome::{Cause, Mark, Outcome, Severity, Skip};
pub use past::{Past, PastCheck, PastDeploy, PastEvent, Stood};
pub use plain::plain;
pub use policy::{ACCEPTANCE_DAYS, Acceptance, LONGEST_ACCEPTANCE, Policy, SHORTEST_REASON};
pub use pool::{PoolFigures, PoolTrouble, Waits};
pub use score::HealthScore;
pub use series::{Sample, Series};
pub use shift::{BLOCKS, Compared, Gauge, Measured, Shift, Shifts};
pub use snapshot::{CheckView, Flags, IntegrationView, Pending, Provenance, Snapshot, Target};
pub use status::{Freshness, Status};
pub use sweep::{Sweep, Swept};
pub use tally::Tally;
pub use time::Timestamp;
pub use verdict::{Rule, Verdict, Word};

#[cfg(test)]
pub(crate) mod sample;
