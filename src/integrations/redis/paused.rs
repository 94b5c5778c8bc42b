//! A server that holds writes back, told from one that hangs.

use super::{
    Site,
    fault::{HUNG, paused},
    trouble::Trouble,
};
use crate::domain::Finding;
use std::time::Duration;
use tokio::time::Instant;

/// How long a script that does nothing may take where `TIME` is answered.
const IDLE: Duration = Duration::from_millis(400);

impl Site {
    /// A finding of a service, which may have waited for a write that is held back.
    pub(super) async fn told_apart(&self, finding: Finding) -> Finding {
        let hung = finding.fault.as_deref() == Some(HUNG);
        if !hung || !self.holds_writes_back().await.unwrap_or(false) {
            return finding;
        }
        let Finding { evidence, receipt, .. } = finding;
        paused(IDLE).finding().evidence(evidence).receipt(receipt)
    }

    async fn holds_writes_back(&self) -> Result<bool, Trouble> {
        let client = self.line.look().await?;
        client.ask(&redis::cmd("TIME")).await?;
        // It is held back like a write, and is none.
        let idle = redis::cmd("EVAL").arg("return 0").arg(0).take();
        let asked = client.ask_by(&idle, Instant::now() + IDLE).await;
        Ok(matches!(asked, Err(Trouble::Late { .. })))
    }
}
