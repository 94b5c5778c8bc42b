use super::{Acceptance, Baseline, CheckId, IntegrationId, Mark, Severity, Timestamp};
use serde::{Deserialize, Serialize};

/// What earlier sessions saw, for an engine that has begun without it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Past {
    /// Of each check.
    pub checks: Vec<PastCheck>,
    /// How long the targets took, in seconds, oldest first.
    pub latencies: Vec<(IntegrationId, Vec<(Timestamp, f64)>)>,
    /// What happened, oldest first.
    pub events: Vec<PastEvent>,
    /// The version that each app served last, by its name.
    pub served: Vec<(String, String)>,
    /// The last deploy of each app; without a name those that nobody read a version of.
    pub deploys: Vec<PastDeploy>,
    /// The newest baseline.
    pub baseline: Option<Baseline>,
    /// What somebody has answered for in a console, until now or for longer; of what has
    /// ended, the newest.
    pub accepted: Vec<Acceptance>,
}

/// A deploy that an earlier session saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastDeploy {
    /// When.
    pub at: Timestamp,
    /// What was deployed, if that has a name.
    pub app: Option<String>,
    /// The version that went out, if that is known.
    pub version: Option<String>,
    /// The one before.
    pub was: Option<String>,
}

/// What earlier sessions saw of one check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PastCheck {
    /// Which.
    pub check: CheckId,
    /// How it stood at their end.
    pub stood: Option<Stood>,
    /// Its last raw outcomes, oldest first.
    pub strip: Vec<Mark>,
    /// What it measured, oldest first.
    pub measures: Vec<(Timestamp, f64)>,
}

/// How a check stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stood {
    /// How bad it was.
    pub severity: Severity,
    /// Since when it was that bad.
    pub since: Timestamp,
    /// Since when it stood in the way, if it did.
    pub blocked: Option<Timestamp>,
}

/// Something that happened in an earlier session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastEvent {
    /// When.
    pub at: Timestamp,
    /// Which check it is about; `None` for the engine itself.
    pub check: Option<CheckId>,
    /// The outcome that it came to, if it is about one.
    pub mark: Option<Mark>,
    /// One clause.
    pub text: String,
}
