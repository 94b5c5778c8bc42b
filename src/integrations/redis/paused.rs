//! A server that holds writes back, told from one that hangs.

use super::{
    Site,
    fault::{HUNG, PAUSED, paused},
    trouble::Trouble,
};
use crate::domain::{Evidence, Finding};
use std::{sync::atomic::Ordering, time::Duration};
use tokio::time::Instant;

/// How long a script that does nothing may take where `TIME` is answered.
const IDLE: Duration = Duration::from_millis(400);

impl Site {
    /// Remembers whether a look at the commands found that writes are held back.
    pub(super) fn note_holding_back(&self, seen: &Finding) {
        self.holds_back.store(seen.fault.as_deref() == Some(PAUSED), Ordering::Relaxed);
    }

    /// Whether it held writes back and still does: who writes would only wait for it.
    pub(super) async fn still_holds_writes_back(&self) -> bool {
        self.holds_back.load(Ordering::Relaxed) && self.holds_writes_back().await.unwrap_or(false)
    }

    /// A finding of a service, which may have waited for a write that is held back.
    pub(super) async fn told_apart(&self, finding: Finding) -> Finding {
        let hung = finding.fault.as_deref() == Some(HUNG);
        if !hung || !self.holds_writes_back().await.unwrap_or(false) {
            return finding;
        }
        let Finding { evidence, receipt, .. } = finding;
        held_back().evidence(evidence).receipt(receipt)
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

/// What is said of it. Two commands told it, one answered and one not: that is no accident.
pub(super) fn held_back() -> Finding {
    let fault = paused(IDLE);
    let evidence = Evidence::default().asked("TIME, and a script that does nothing");
    let evidence = evidence.wanted("an answer to both").reply("the time, and then nothing");
    fault.finding().gist(&fault.says).for_certain().evidence(evidence)
}
