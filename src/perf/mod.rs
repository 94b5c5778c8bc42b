//! Performance tests: puts load on a target and says what that took.
//!
//! ```text
//! plan (when operations begin) ──▶ worker, a thread each ──▶ collector ──▶ Progress, 4 a second
//!                                   └─ client ◀─ trip         ├─ guards
//!                                                             └─▶ Figures at the end
//! ```
//!
//! What is put under load is a [`Subject`]: it connects [`Client`]s, and a client
//! makes [`Trip`]s. Everything else is the same for every test: the plan of
//! arrivals and the moment that a latency counts from, the histograms, the
//! guards, the end. A latency counts from the moment at which the operation was
//! to begin, so that a target that stands still cannot hide it.

pub mod against;
mod alarm;
mod block;
pub mod db;
mod desk;
mod figures;
mod gauge;
pub mod goals;
mod guard;
mod host;
mod lab;
pub mod load;
pub mod memory;
mod number;
mod permit;
mod plan;
pub mod quantile;
pub mod redis;
pub mod render;
mod run;
pub mod scale;
mod steady;
mod subject;
mod tally;
mod test;
mod times;
mod trip;
mod wanted;
mod window;
mod worker;

pub use figures::{About, Figures, Samples};
pub use guard::Guards;
pub use lab::{Lab, LabHandle};
use permit::unusable;
pub use permit::{Place, refusal};
pub use run::{Failed, Reins, THREADS, run};
pub use subject::{Broken, Client, Subject};
pub use test::{Hindrance, Test, Testing, Untested};
pub use times::Times;
pub use trip::Trip;
