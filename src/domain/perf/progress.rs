use super::{Floor, Second, Step, seconds};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};

/// How far a test is. A new one comes four times a second.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// What it does now.
    pub phase: Phase,
    /// Since the phase began.
    #[serde(rename = "elapsed_seconds", with = "seconds")]
    pub elapsed: Duration,
    /// How long the phase will take, if that is known.
    #[serde(rename = "of_seconds", with = "seconds::maybe")]
    pub of: Option<Duration>,
    /// Operations that ended well since the measurement began.
    pub succeeded: u64,
    /// Operations that failed since.
    pub failed: u64,
    /// How many operations end the test, if that does.
    pub requests: Option<u64>,
    /// Operations that end a second, over the last second.
    pub rate: f64,
    /// Clients that put load on now; steps of a test have fewer than the whole.
    pub clients: u32,
    /// Operations under way.
    pub in_flight: u64,
    /// The times of the last second.
    pub recent: Brief,
    /// The times since the measurement began.
    pub whole: Brief,
    /// How the times are spread, shortest first, at most 24 bars; empty while nothing was timed.
    pub bars: Vec<Bar>,
    /// What failed, by its class.
    pub errors: BTreeMap<String, u64>,
    /// The last 120 seconds.
    pub seconds: Vec<Second>,
    /// The steps that are done, of a test that has some.
    #[serde(default)]
    pub steps: Vec<Step>,
    /// The memory of the target so far, of a test of it.
    #[serde(default)]
    pub memory: Vec<Floor>,
}

/// What a test does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Writes what it needs, and connects.
    #[default]
    Preparing,
    /// Puts load on, and measures nothing yet.
    WarmingUp,
    /// Measures.
    Measuring,
    /// Waits for the last answers and removes what it wrote.
    Finishing,
}

/// The usual quantiles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Brief {
    /// Half took less.
    #[serde(rename = "p50_seconds", with = "seconds")]
    pub p50: Duration,
    /// 95 of 100 took less.
    #[serde(rename = "p95_seconds", with = "seconds")]
    pub p95: Duration,
    /// 99 of 100 took less.
    #[serde(rename = "p99_seconds", with = "seconds")]
    pub p99: Duration,
    /// The longest.
    #[serde(rename = "max_seconds", with = "seconds")]
    pub max: Duration,
}

/// One bar of a histogram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bar {
    /// It counts what took less than this and at least what the bar before ends with.
    #[serde(rename = "under_seconds", with = "seconds")]
    pub under: Duration,
    /// How many.
    pub count: u64,
}
