use super::seconds;
use crate::stats::usl::{Plateau, Usl};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How a target scales: steps of concurrency, and the curve through them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Scale {
    /// The steps that were measured to their end, fewest clients first.
    pub steps: Vec<Step>,
    /// How many steps there were to be.
    pub planned: u32,
    /// What was measured again at the end, and is the same if nothing but the clients
    /// has changed.
    pub drift: Vec<Drift>,
    /// The curve; none where the steps do not allow one.
    pub fit: Option<Fit>,
    /// Whether the rate declines with more clients.
    pub decline: Decline,
    /// How many clients keep the wanted time, where one is wanted.
    pub slo: Option<Slo>,
    /// Why what it was run for cannot be said, a clause each; nothing where it can.
    pub doubts: Vec<String>,
}

/// One step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Clients, each of which asks again once it has its answer.
    pub clients: u32,
    /// Operations that ended well, a second.
    pub per_second: f64,
    /// The true rate is hardly under this; none where the step was too short to tell.
    pub low: Option<f64>,
    /// The true rate is hardly above this.
    pub high: Option<f64>,
    /// The mean time.
    #[serde(rename = "mean_seconds", with = "seconds")]
    pub mean: Duration,
    /// 95 of 100 ended well within this; none where too many failed.
    #[serde(rename = "p95_seconds", with = "seconds::maybe")]
    pub p95: Option<Duration>,
    /// The true one is hardly above this; none where nobody can tell.
    #[serde(rename = "p95_high_seconds", with = "seconds::maybe")]
    pub p95_high: Option<Duration>,
    /// Operations that failed.
    pub failed: u64,
    /// The rate of each part of the step.
    pub blocks: Vec<f64>,
}

/// A step that was measured twice.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    /// Clients.
    pub clients: u32,
    /// The rate in its turn.
    pub first: f64,
    /// The rate at the end.
    pub again: f64,
}

/// A figure of the fit, and between what it truly lies at 95 % confidence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The best guess.
    pub at: f64,
    /// Hardly less; none where the steps were too short to tell.
    pub low: Option<f64>,
    /// Hardly more; none where that cannot be told either.
    pub high: Option<f64>,
}

/// The curve and what follows from it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fit {
    /// The curve.
    pub curve: Curve,
    /// How many clients are worth their while: more add less than the wait grows by. None
    /// where more were always worth it.
    pub optimum: Option<Estimate>,
    /// The share of what one client brings alone that each brings there.
    pub efficiency: Option<f64>,
    /// The same with as many clients as were tried.
    pub efficiency_at_most: f64,
    /// How many clients bring 95 % of the best rate of the curve, as far as it was tried.
    pub nearly: f64,
    /// The root of the mean square of what a step is missed by, as a share of its rate.
    pub miss: f64,
    /// Between what γ, α and β lie; for a plateau γ and its ceiling.
    pub parameters: Vec<Estimate>,
    /// The standard errors of γ, α and β by the usual formula, without weights.
    pub standard_errors: Option<[f64; 3]>,
}

/// The curve that fits best.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "family")]
pub enum Curve {
    /// `γN / (1 + α(N−1) + βN(N−1))`.
    Usl {
        /// What one brings alone.
        gamma: f64,
        /// Contention.
        alpha: f64,
        /// Coherency.
        beta: f64,
    },
    /// `min(γN, ceiling)`.
    Plateau {
        /// What one brings alone.
        gamma: f64,
        /// What more do not exceed.
        ceiling: f64,
    },
}

impl Curve {
    /// The rate of so many.
    pub fn rate(&self, clients: f64) -> f64 {
        match *self {
            Self::Usl { gamma, alpha, beta } => Usl { gamma, alpha, beta }.rate(clients),
            Self::Plateau { gamma, ceiling } => Plateau { gamma, ceiling }.rate(clients),
        }
    }

    /// What one brings alone.
    pub fn gamma(&self) -> f64 {
        match *self {
            Self::Usl { gamma, .. } | Self::Plateau { gamma, .. } => gamma,
        }
    }
}

/// Whether the rate declines with more clients. That it does is said only where it was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Decline {
    /// Nothing can be said.
    #[default]
    Unknown,
    /// It was seen: the measured rate is surely lower with more clients.
    Seen {
        /// The step with the highest rate.
        best: u32,
        /// A step beyond, which is surely lower,
        at: u32,
        /// by this share.
        by: f64,
        /// Where the curve has its peak, if it has one.
        peak: Option<Estimate>,
    },
    /// Not seen, but the curve has a peak among the steps or not far beyond.
    Possible {
        /// Where, extrapolated.
        peak: Estimate,
    },
    /// Not seen up to so many clients.
    NotSeen {
        /// The most that were tried.
        up_to: u32,
        /// Where the curve has its peak, far beyond what was measured.
        peak: Option<f64>,
    },
}

/// How many clients keep a wanted time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slo {
    /// 95 of 100 were to end well within this.
    #[serde(rename = "limit_seconds", with = "seconds")]
    pub limit: Duration,
    /// With so many clients they surely do; zero where not even the fewest do.
    pub clients: f64,
    /// Whether that is as many as were tried, so that more may do too.
    pub at_least: bool,
}
