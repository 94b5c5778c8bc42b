//! The snapshot for Prometheus. A scrape shows what is known and never causes a
//! check to run, so it is cheap and safe to repeat.

mod connection;
mod metrics;
mod pools;
mod server;

pub use metrics::metrics;
pub use server::{Exporter, exposure};
