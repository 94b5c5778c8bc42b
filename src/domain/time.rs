use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A moment of wall time, in milliseconds since 1970 UTC.
///
/// For people and for files only. Ages and deadlines are never computed from
/// it: the wall clock steps.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// How long it is since `earlier`; nothing if that is yet to come.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0).max(0).unsigned_abs())
    }

    /// The moment `span` later; saturates at the end of time.
    #[must_use]
    pub fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
    }

    /// Seconds since 1970 UTC, as metrics want them.
    #[expect(clippy::cast_precision_loss, reason = "a millisecond is exact until the year 287396")]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1000.0
    }
}
