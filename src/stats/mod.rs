//! Whether two sets of measurements differ, and by how much. Pure numbers, no assumption
//! about how they are distributed.
//!
//! Measurements of one target come in saw teeth, bursts and long tails, so neither their
//! means nor a t-test say much. What is compared are blocks ([`blocks`]): their order
//! ([`mann_whitney`]) tells whether the difference is more than chance, their differences
//! ([`hodges_lehmann`]) how large it is. [`Comparison`] puts both together.
//!
//! Whether one series rises, and how fast, is told by its [`Order`] and its [`Slope`];
//! whether its [`floors`] rise for good, after their [`warm_up`], by their [`Growth`], and
//! whether they rose once, by a [`Jump`].
//!
//! [`usl`] is apart: how throughput grows with concurrency, fitted to measured steps.

mod block;
mod compare;
mod growth;
mod rank;
mod shift;
mod trend;
pub mod usl;

pub use block::{blocks, median};
pub use compare::{Comparison, FEWEST, FLOOR, Sway, holm};
pub use growth::{Growth, Jump, floors, lag_one, warm_up};
pub use rank::mann_whitney;
pub use shift::{Interval, hodges_lehmann};
pub use trend::{Order, Slope};

/// A count as a number to reckon with.
#[expect(clippy::cast_precision_loss, reason = "counts of a few thousand at most")]
fn as_f64(count: usize) -> f64 {
    count as f64
}
