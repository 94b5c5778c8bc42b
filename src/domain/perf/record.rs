use super::{Against, Block, Goal, Memory, Scale, seconds};
use crate::domain::{Fact, Receipt, Timestamp};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};

/// Grows when a field of a [`Record`] changes its meaning or goes.
pub const VERSION: u32 = 1;
/// How long an operation may take, where nobody says otherwise.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// What a performance test found. Stands for itself: nothing else is needed to read it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// [`VERSION`] of the program that wrote it.
    pub version: u32,
    /// Which test: `redis`, `db`, `load`, `scale`, `memory`.
    pub test: String,
    /// Which kind of it: `smoke`, `soak`; empty where there is only one.
    #[serde(default)]
    pub profile: String,
    /// What was put under load, without any secret.
    pub target: String,
    /// What kind of machine put the load on.
    #[serde(default)]
    pub host: String,
    /// When it began.
    pub began: Timestamp,
    /// What load was asked for.
    pub load: Load,
    /// How it ended.
    pub ended: Ended,
    /// How long was measured, without the warm-up.
    #[serde(rename = "measured_seconds", with = "seconds")]
    pub measured: Duration,
    /// All operations together.
    pub total: Operation,
    /// Each operation, where there is more than one.
    pub operations: Vec<Operation>,
    /// What failed, by its class.
    pub errors: BTreeMap<String, u64>,
    /// How the plan of arrivals was kept; none for a closed loop.
    pub kept: Option<Kept>,
    /// Whether the figures are about the target or about us.
    pub generator: Generator,
    /// Second by second, the newest 600.
    pub seconds: Vec<Second>,
    /// The parts that it is compared by, at most 600.
    #[serde(default)]
    pub blocks: Vec<Block>,
    /// What was wanted of the target, and whether it is so.
    #[serde(default)]
    pub goals: Vec<Goal>,
    /// What has to be said about such a test, a sentence each.
    #[serde(default)]
    pub notes: Vec<String>,
    /// What else was measured.
    pub facts: Vec<Fact>,
    /// What was written, and whether it is gone again.
    pub receipt: Option<Receipt>,
    /// How the target scales, where that was the question. Then `total` and `seconds` are
    /// of the step with the highest rate, failures of all steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<Box<Scale>>,
    /// Whether the target leaks, where that was the question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<Box<Memory>>,
    /// How its end stands against its begin, where that was the question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift: Option<Box<Against>>,
    /// How it stands against the newest one like it from before, if one is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<Box<Against>>,
}

/// The load that was asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Load {
    /// When operations begin.
    pub arrivals: Arrivals,
    /// Clients, each with a connection of its own: also the most operations in flight,
    /// times [`depth`](Self::depth).
    pub clients: u32,
    /// Operations that a client has under way at once.
    pub depth: u32,
    /// Threads that the clients run on.
    pub threads: u32,
    /// Before anything is measured.
    #[serde(rename = "warm_up_seconds", with = "seconds")]
    pub warm_up: Duration,
    /// How long to measure, if that is what ends it.
    #[serde(rename = "duration_seconds", with = "seconds::maybe")]
    pub duration: Option<Duration>,
    /// How many operations to measure, if that is what ends it.
    pub requests: Option<u64>,
    /// How long an operation may take before it counts as never answered.
    #[serde(rename = "timeout_seconds", with = "seconds", default = "patience")]
    pub timeout: Duration,
}

/// What it was before it could be chosen.
fn patience() -> Duration {
    PATIENCE
}

/// When operations begin.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Arrivals {
    /// As soon as the client's last one ended. A target that stands still is not asked.
    Closed,
    /// By a plan that no answer changes, evenly spaced.
    Constant {
        /// Operations a second.
        rate: f64,
    },
    /// By such a plan with exponential gaps, as independent users would.
    Poisson {
        /// Operations a second.
        rate: f64,
    },
}

impl Arrivals {
    /// Operations a second, if they are planned.
    pub fn rate(self) -> Option<f64> {
        match self {
            Self::Closed => None,
            Self::Constant { rate } | Self::Poisson { rate } => Some(rate),
        }
    }
}

/// How a test ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "how", content = "why")]
pub enum Ended {
    /// As planned.
    Complete,
    /// Somebody stopped it: what there is, is part of a result.
    Aborted,
    /// A guard stopped it, for this reason.
    Stopped(String),
}

/// One kind of operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// What it is called: `GET`, `INSERT`.
    pub name: String,
    /// How many ended well.
    pub succeeded: u64,
    /// How many failed, were never answered or never began.
    pub failed: u64,
    /// Those that ended well, a second.
    pub per_second: f64,
    /// From the moment at which it was to begin, for those that ended well.
    pub latency: Latency,
    /// From the moment at which it was sent; only where the two differ.
    pub service: Option<Latency>,
}

/// A distribution of times.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// How many were timed.
    pub count: u64,
    /// Their mean.
    #[serde(rename = "mean_seconds", with = "seconds")]
    pub mean: Duration,
    /// The shortest.
    #[serde(rename = "min_seconds", with = "seconds")]
    pub min: Duration,
    /// The longest.
    #[serde(rename = "max_seconds", with = "seconds")]
    pub max: Duration,
    /// Quantiles in rising order; none where nothing was timed.
    pub quantiles: Vec<Quantile>,
}

impl Latency {
    /// The quantile `share`, if it is among them.
    pub fn quantile(&self, share: f64) -> Option<&Quantile> {
        self.quantiles.iter().find(|quantile| (quantile.share - share).abs() < 1e-9)
    }

    /// The time that `share` of them stayed under; zero where nothing was timed.
    pub fn at(&self, share: f64) -> Duration {
        self.quantile(share).map_or(Duration::ZERO, |quantile| quantile.time)
    }
}

/// A quantile and what can be said of the true one at 95 % confidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quantile {
    /// 0.99 for the 99th percentile.
    pub share: f64,
    /// What was measured.
    #[serde(rename = "seconds", with = "seconds")]
    pub time: Duration,
    /// The true one is hardly under this.
    #[serde(rename = "low_seconds", with = "seconds")]
    pub low: Duration,
    /// The true one is hardly above this; none where the samples give no upper bound.
    #[serde(rename = "high_seconds", with = "seconds::maybe")]
    pub high: Option<Duration>,
    /// Whether fewer than ten samples lie beyond it, so that it says little.
    pub few: bool,
}

/// How a plan of arrivals was kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// Operations that were to begin.
    pub planned: u64,
    /// Of these, those that found every client busy and began late.
    pub late: u64,
    /// Those that never began. Each counts as failed.
    pub missed: u64,
    /// How late we were where a client was free: our own doing.
    pub lag: Latency,
}

/// Whether the figures are about the target or about the program that made them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Generator {
    /// Time that the clients took of this host's processors, without the warm-up.
    #[serde(rename = "cpu_seconds", with = "seconds")]
    pub cpu: Duration,
    /// Share of a core that the busiest thread of clients took.
    pub busiest: f64,
    /// How late the clients' thread looked at what had come, 99 of 100 times less.
    #[serde(rename = "lag_seconds", with = "seconds")]
    pub lag: Duration,
    /// Operations in flight, averaged over time.
    pub in_flight: f64,
    /// Failures for want of something on this host: descriptors, ports, memory.
    #[serde(default)]
    pub failed: u64,
    /// Why the figures may be about us, a clause each; nothing if they are not.
    pub limits: Vec<String>,
}

/// One second of a test.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Second {
    /// Which, from the begin of the measurement.
    pub at: u32,
    /// Operations that ended well in it.
    pub succeeded: u64,
    /// Operations that failed in it.
    pub failed: u64,
    /// Half of them took less.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_bound_and_spans_survive_a_file() {
        let quantile = |high| Quantile {
            share: 0.99,
            time: Duration::from_micros(123_457),
            low: Duration::from_micros(1),
            high,
            few: true,
        };
        for high in [None, Some(Duration::from_micros(999_999))] {
            let text = serde_json::to_string(&quantile(high)).unwrap();
            assert_eq!(serde_json::from_str::<Quantile>(&text).unwrap(), quantile(high), "{text}");
        }
        let text = serde_json::to_string(&quantile(None)).unwrap();
        assert!(text.contains(r#""seconds":0.123457"#) && text.contains(r#""high_seconds":null"#));
        assert!(serde_json::from_str::<Second>(r#"{"at":0,"p50_seconds":-1.0}"#).is_err());
    }

    #[test]
    fn how_it_ended_is_a_word_and_maybe_a_reason() {
        let text = |ended: &Ended| serde_json::to_string(ended).unwrap();
        assert_eq!(text(&Ended::Complete), r#"{"how":"complete"}"#);
        assert_eq!(text(&Ended::Stopped("x".into())), r#"{"how":"stopped","why":"x"}"#);
    }
}
