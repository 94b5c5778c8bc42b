//! The part that measures; [`judge`] decides.

use super::{Database, judge};
use crate::{
    domain::{Evidence, Finding},
    probe::{Cx, ProbeError, Stopwatch},
};

impl Database {
    /// Reaches the database and asks the smallest question.
    pub(super) async fn connect(&self, _cx: &Cx) -> Result<Finding, ProbeError> {
        let engine = self.engine()?;
        let mut watch = Stopwatch::start();
        let contact = engine.contact(&mut watch).await;
        let mut finding = match &contact {
            Ok(contact) => judge::connect(contact, self.connect_limit),
            Err(fault) => fault.finding(),
        };
        finding.evidence = watch.write_to(finding.evidence);
        if self.embedded {
            return Ok(embedded(finding));
        }
        Ok(finding)
    }

    /// Sends statements and sees whether each is counted.
    pub(super) async fn query(&self, _cx: &Cx) -> Result<Finding, ProbeError> {
        let finding = match self.engine()?.tracking().await {
            Ok(tracking) => judge::query(&tracking),
            Err(fault) => fault.finding(),
        };
        Ok(self.flagged(finding))
    }

    /// Sends a slow and a quick statement and sees which is noticed.
    pub(super) async fn slow(&self, _cx: &Cx) -> Result<Finding, ProbeError> {
        let finding = match self.engine()?.slowness().await {
            Ok(slowness) => judge::slow(&slowness),
            Err(fault) => fault.finding(),
        };
        Ok(self.flagged(finding))
    }

    fn flagged(&self, finding: Finding) -> Finding {
        if self.embedded { finding.on_fallback() } else { finding }
    }
}

/// That the embedded database answers is no news; that nobody named another one is.
fn embedded(finding: Finding) -> Finding {
    let mut finding = finding.on_fallback();
    if finding.outcome.is_executed() && finding.latency.is_some() {
        finding.summary = "no database configured, embedded SQLite".into();
        finding.evidence = Evidence { wanted: "a database of yours".into(), ..finding.evidence };
        finding = finding.remedy("set DATABASE_URL, or url under [database] in tminus.toml");
    }
    finding
}
