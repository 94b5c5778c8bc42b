//! What an integration is written with: the trait, the check table, the
//! context handed to a run, and the kit for measuring without doing harm.
//!
//! Nothing in here knows which integrations exist.

mod backoff;
mod breaker;
mod error;
pub mod exposition;
pub mod http;
mod isolation;
mod locality;
mod measure;
mod narrow;
pub mod pool;
mod run_id;
mod settings;
pub mod tls;
pub mod trust;
mod whose;

pub use backoff::{Backoff, BadBackoff, FullJitter, retry};
pub use breaker::{BadBreaker, Breaker, BreakerConfig, BreakerState, CallEnd, Permit, Rejected};
pub use error::ProbeError;
pub use isolation::{Ending, isolate};
pub use locality::is_local;
pub use measure::{Stopwatch, with_lag};
pub use narrow::Narrow;
pub use run_id::{RunId, this_run};
pub use settings::{Complaint, Safety};
pub use whose::{Claim, Sweeping, Whose};

use crate::domain::{Baseline, CheckSpec, Finding, IntegrationId, Sweep, Target};
use std::{future::pending, pin::Pin, sync::Arc};
use tokio_util::sync::CancellationToken;

/// One run of a check, as a future that can be dropped at any await point.
pub type Run<'a> = Pin<Box<dyn Future<Output = Result<Finding, ProbeError>> + Send + 'a>>;

/// Ends when something happened between two runs; says which check is to look at it.
pub type Alarm<'a> = Pin<Box<dyn Future<Output = usize> + Send + 'a>>;

/// Something the console watches.
///
/// The engine calls [`run`](Self::run) concurrently for different checks and
/// never twice at once for the same check. A run may be dropped at any await
/// point: hold no lock and leave no half-written key across one.
pub trait Integration: Send + Sync + 'static {
    /// Stable name.
    fn id(&self) -> &IntegrationId;
    /// Name to show, at most 20 columns.
    fn title(&self) -> &str;
    /// What it looks at, without any secret.
    fn target(&self) -> Target;
    /// Its checks, in the order to show them.
    fn checks(&self) -> Vec<CheckSpec>;
    /// Runs the check at `index` of [`checks`](Self::checks).
    fn run<'a>(&'a self, index: usize, cx: &'a Cx) -> Run<'a>;

    /// Waits until something calls for a look before its turn, such as a connection
    /// that ends. Then the check it names runs, and those that need it.
    ///
    /// Never ends where nothing can be noticed between two runs.
    fn alarm(&self) -> Alarm<'_> {
        Box::pin(pending())
    }

    /// Whether a run costs its target so little that a result which differs from
    /// the confirmed one is confirmed by asking again at once, and not a turn later.
    fn asks_again(&self) -> bool {
        false
    }

    /// How many of its checks run at a time, so that it cannot take all of its
    /// server's connections.
    fn at_once(&self) -> usize {
        4
    }

    /// Removes what dead runs left on the target, and what would never go by itself.
    ///
    /// An integration whose checks write somewhere has to have one of its own.
    fn sweep<'a>(&'a self, _: &'a Whose) -> Sweeping<'a> {
        Box::pin(async { Sweep::NotNeeded })
    }
}

/// What a run may ask of its surroundings.
#[derive(Clone, Debug, Default)]
pub struct Cx {
    /// Cancelled when the user stops this run or the console shuts down.
    ///
    /// Only runs with clean-up to do need to look; the rest are dropped.
    pub cancel: CancellationToken,
    /// How everything stood when a baseline was taken, if one is compared with.
    pub before: Option<Arc<Baseline>>,
}

/// One row of an integration's check table: what it is and what to call.
pub struct Check<S: 'static> {
    /// What it is.
    pub spec: CheckSpec,
    /// What to call.
    pub run: for<'a> fn(&'a S, &'a Cx) -> Run<'a>,
}

/// The specs of a check table, in order.
pub fn specs<S>(table: &[Check<S>]) -> Vec<CheckSpec> {
    table.iter().map(|check| check.spec.clone()).collect()
}
