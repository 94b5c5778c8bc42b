//! The one place that reads the wall clock.

use crate::domain::Timestamp;
use std::time::{SystemTime, UNIX_EPOCH};

/// Now, as people and files want it. Durations come from tokio's clock instead.
#[expect(clippy::disallowed_methods, reason = "the one place that may")]
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
