//! What every database is to the checks: one trait, one folder per backend.
//!
//! A backend measures and judges in its own words. What is the same for all of
//! them, the client's side of each canary, is judged in `judge`.

use super::fault::Fault;
use crate::{
    domain::Finding,
    probe::{Stopwatch, pool::PoolMeter},
};
use std::{pin::Pin, time::Duration};

/// How we are called in a server's views and logs.
pub(super) const APPLICATION: &str = "tminus-probe";

/// How the connections of a pool of ours are called there.
pub(super) const POOL: &str = "tminus-pool";

/// A conclusion under way. A [`Fault`] is what kept it from being reached.
pub(super) type Concluded<'a> = Pin<Box<dyn Future<Output = Result<Finding, Fault>> + Send + 'a>>;

/// A database that can be put to the test.
pub(super) trait Backend: Send + Sync {
    /// Reaches it and asks the smallest question; `watch` gets the steps. A
    /// slower answer than `limit` is a warning.
    fn connect<'a>(&'a self, limit: Duration, watch: &'a mut Stopwatch) -> Concluded<'a>;
    /// Sends counted statements and reads what was counted.
    fn query(&self) -> Concluded<'_>;
    /// Tries out a pool and counts its connections on both sides.
    fn pool(&self) -> Concluded<'_>;
    /// Rolls one transaction back, commits another, and sees what notices them.
    fn transactions(&self) -> Concluded<'_>;
    /// Makes an error on purpose and sees what counts it.
    fn errors(&self) -> Concluded<'_>;
    /// Sends a slow and a quick statement and sees what notices them.
    fn slow(&self) -> Concluded<'_>;
    /// Looks at everything else that it tells of its health.
    fn server(&self) -> Concluded<'_>;
    /// What counts the pools that are tried out.
    fn meter(&self) -> &PoolMeter;
}
