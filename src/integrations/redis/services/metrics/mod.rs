//! The numbers of an instance, for Prometheus to read.

mod cases;
mod elsewhere;
mod exposition;
#[cfg(test)]
mod flawed;
mod memory;
mod numbers;
mod record;
mod server;
mod strict;

pub(crate) use cases::CASES;
pub(crate) use elsewhere::Exporter;
pub(crate) use memory::InProcess;
pub(crate) use server::OnServer;

use super::Answer;
use numbers::Numbers;

/// An export of an instance's numbers in the text format 0.0.4 of Prometheus.
///
/// Every family has one `HELP` and one `TYPE` before its samples; counters end
/// in `_total` and never go down while the run of the instance is the same;
/// units are seconds and bytes. What the instance does not tell is absent, and
/// never zero. Labels are few and fixed: which instance, how an operation ended.
///
/// An export is made from one answer of the instance, asked for that export, so
/// that it agrees with what the instance says at that moment. Exports may be
/// asked for at the same time. Every error is a
/// [`Trouble`](super::super::trouble::Trouble), and then there is no export;
/// dropping an answer leaves nothing.
pub(crate) trait Metrics: Send + Sync {
    /// Asks the instance for a sign of life; counted and timed.
    fn operate(&self) -> Answer<'_, ()>;

    /// What the instance says itself.
    fn numbers(&self) -> Answer<'_, Numbers>;

    /// The same for Prometheus, with `instance` as the label of that name.
    fn export<'a>(&'a self, instance: &'a str) -> Answer<'a, String>;

    /// What another exporter says of the instance, or why it does not; `None` where
    /// none is known.
    fn elsewhere(&self) -> Answer<'_, Option<Result<String, String>>>;
}
