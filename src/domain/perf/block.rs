use super::seconds;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A part of a test, some whole seconds long. Requests of one moment are alike, so that
/// only what holds from block to block can be relied on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Block {
    /// The mean time of those that ended well.
    #[serde(rename = "mean_seconds", with = "seconds")]
    pub mean: Duration,
    /// Those that ended well, a second.
    pub per_second: f64,
    /// Within which time half, 95 and 99 of 100 ended well; none where too many failed.
    #[serde(rename = "within_seconds", with = "seconds::each")]
    pub within: [Option<Duration>; 3],
    /// The share that failed.
    pub failed: f64,
}
