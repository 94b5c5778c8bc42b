use super::Session;
use crate::{
    clock,
    domain::{Impact, Provenance, Snapshot},
    probe::{Integration, Whose, this_run},
    runs::{Entry, Place, Run, Runs},
};
use etcetera::{BaseStrategy as _, base_strategy::Xdg};
use std::{collections::BTreeSet, path::PathBuf, process, sync::Arc, time::Duration};
use tokio::time::timeout;

/// Time to remove what runs that were cut off left, at the end of the program.
const TIDY: Duration = Duration::from_secs(2);

/// This run's entry among all runs, from before its first write until nothing is left of it.
pub(super) struct Trace {
    entry: Option<Entry>,
    writing: Vec<Arc<dyn Integration>>,
}

/// Where the entries are.
pub(super) fn runs() -> Option<Runs> {
    Some(Runs::within(state()?.join("runs")))
}

impl Trace {
    /// Writes the entry, if anything may be written to a target, and says whose
    /// traces may still be around.
    pub(super) fn begin(session: &mut Session, watched: &[Arc<dyn Integration>]) -> Self {
        let writes = |integration: &&Arc<dyn Integration>| {
            integration.target().provenance == Provenance::Configured
                && integration.checks().iter().any(|spec| spec.impact == Impact::Writes)
        };
        let writing: Vec<_> = watched.iter().filter(writes).cloned().collect();
        let Some(runs) = runs() else { return Self { entry: None, writing } };
        let killed = runs.known().map_or(0, |known| known.dead.len());
        if killed > 0 {
            session.warnings.push(format!(
                "{killed} earlier {} killed: `tminus clean` removes what may be left of it",
                if killed == 1 { "run was" } else { "runs were" }
            ));
        }
        if writing.is_empty() {
            return Self { entry: None, writing };
        }
        let entry = runs.begin(&this(&writing)).inspect_err(|error| {
            tracing::warn!(%error, "this run has no entry: if it is killed, nobody knows");
        });
        Self { entry: entry.ok(), writing }
    }

    /// Removes the entry once nothing is left. `last` is what was known at the end.
    pub(super) async fn end(self, last: &Snapshot) {
        self.end_where(|integration| was_cut_off(integration, last)).await;
    }

    /// The same after a test: one that did not end as planned may have left something.
    pub(super) async fn end_test(self, as_planned: bool) {
        self.end_where(|_| !as_planned).await;
    }

    async fn end_where(self, dirty: impl Fn(&dyn Integration) -> bool) {
        let Some(entry) = self.entry else { return };
        let mut clean = true;
        for integration in self.writing.iter().filter(|it| dirty(it.as_ref())) {
            let whose = Whose { dead: BTreeSet::from([this_run().clone()]), ..Whose::default() };
            let swept = timeout(TIDY, integration.sweep(&whose)).await;
            clean &= swept.is_ok_and(|sweep| sweep.is_clean());
        }
        if clean && let Err(error) = entry.end() {
            tracing::warn!(%error, "the entry of this run cannot be removed");
        }
    }
}

/// Whether a run that writes was under way when the engine stopped.
fn was_cut_off(integration: &dyn Integration, last: &Snapshot) -> bool {
    last.integration(integration.id()).is_some_and(|view| {
        let writing = view.checks.iter().filter(|check| check.spec.impact == Impact::Writes);
        writing.into_iter().any(|check| check.running.is_some())
    })
}

fn this(writing: &[Arc<dyn Integration>]) -> Run {
    let place = |integration: &Arc<dyn Integration>| Place {
        id: integration.id().as_str().into(),
        address: integration.target().name,
    };
    Run {
        id: this_run().clone(),
        process: process::id(),
        began: clock::now(),
        targets: writing.iter().map(place).collect(),
    }
}

/// Where the state of this user is kept.
pub(super) fn state() -> Option<PathBuf> {
    Some(Xdg::new().ok()?.state_dir()?.join("tminus"))
}
