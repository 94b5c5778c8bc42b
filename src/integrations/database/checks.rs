//! What the check table calls: the backend's own checks, and the flag of the stand-in.

use super::{Database, backend::Concluded};
use crate::{
    domain::{Evidence, Finding, Skip},
    probe::{Cx, ProbeError, Stopwatch},
};

impl Database {
    /// Reaches the database and asks the smallest question.
    pub(super) async fn connect(&self, _cx: &Cx) -> Result<Finding, ProbeError> {
        let backend = self.backend()?;
        let mut watch = Stopwatch::start();
        let reached = backend.connect(self.connect_limit, &mut watch).await;
        let mut finding = reached.unwrap_or_else(|fault| fault.finding());
        finding.evidence = watch.write_to(finding.evidence);
        if self.embedded {
            return Ok(embedded(finding));
        }
        Ok(finding)
    }

    /// Sends statements and sees whether each is counted.
    pub(super) async fn query(&self, _cx: &Cx) -> Result<Finding, ProbeError> {
        self.concluded(self.backend()?.query()).await
    }

    /// Tries out a pool and counts its connections on both sides.
    pub(super) async fn pool(&self, _cx: &Cx) -> Result<Finding, ProbeError> {
        let backend = self.backend()?;
        let finding = self.concluded(backend.pool()).await?;
        Ok(finding.pool(backend.meter().count()))
    }

    /// Rolls a transaction back, commits another, and sees what notices them.
    pub(super) async fn transactions(&self, _cx: &Cx) -> Result<Finding, ProbeError> {
        self.concluded(self.backend()?.transactions()).await
    }

    /// Makes an error on purpose and sees what counts it.
    pub(super) async fn errors(&self, _cx: &Cx) -> Result<Finding, ProbeError> {
        self.concluded(self.backend()?.errors()).await
    }

    /// Sends a slow and a quick statement and sees which is noticed.
    pub(super) async fn slow(&self, _cx: &Cx) -> Result<Finding, ProbeError> {
        self.concluded(self.backend()?.slow()).await
    }

    /// Looks at everything else that the database tells of its health.
    pub(super) async fn server(&self, _cx: &Cx) -> Result<Finding, ProbeError> {
        self.concluded(self.backend()?.server()).await
    }

    /// Reads what the application exports of its pool and its queries.
    pub(super) async fn application(&self, _cx: &Cx) -> Result<Finding, ProbeError> {
        match &self.application {
            Ok(Some(application)) => Ok(application.look().await),
            Ok(None) => Ok(Finding::skipped(Skip::NotApplicable, "no `app_metrics` is set")
                .remedy("set `app_metrics` in [database] to the application's page of metrics")),
            Err(says) => Err(ProbeError::Misconfigured(format!("`app_metrics` {says}"))),
        }
    }

    async fn concluded(&self, run: Concluded<'_>) -> Result<Finding, ProbeError> {
        let finding = run.await.unwrap_or_else(|fault| fault.finding());
        Ok(if self.embedded { finding.on_fallback() } else { finding })
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
