use super::Session;
use crate::{
    clock,
    domain::{Impact, Provenance, Snapshot, perf::Offer},
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
    kept: bool,
}

/// Where the entries are.
pub(super) fn runs() -> Option<Runs> {
    Some(Runs::within(state()?.join("runs")))
}

impl Trace {
    /// Writes the entry, if the watching or one of the tests may write to a target, and
    /// says whose traces may still be around.
    pub(super) fn begin(
        session: &mut Session,
        watched: &[Arc<dyn Integration>],
        tests: &[Offer],
    ) -> Self {
        let writes = |integration: &&Arc<dyn Integration>| {
            integration.target().provenance == Provenance::Configured
                && integration.checks().iter().any(|spec| spec.impact == Impact::Writes)
        };
        let writing: Vec<_> = watched.iter().filter(writes).cloned().collect();
        let entry = runs().and_then(|runs| enter(session, &runs, places(&writing, tests)));
        Self { entry, writing, kept: false }
    }

    /// Something may be left that no check wrote: the entry stays, for `tminus clean`.
    pub(super) fn keep(&mut self) {
        self.kept = true;
    }

    /// Removes the entry once nothing is left. `last` is what was known at the end.
    pub(super) async fn end(self, last: &Snapshot) {
        self.end_where(|integration| was_cut_off(integration, last)).await;
    }

    /// The same after a test that left something, or nothing, by its own account.
    pub(super) async fn end_test(self, left: u64) {
        self.end_where(|_| left > 0).await;
    }

    async fn end_where(self, dirty: impl Fn(&dyn Integration) -> bool) {
        let Some(entry) = self.entry else { return };
        let mut clean = !self.kept;
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

/// Says how many runs were killed, and writes the entry of one that writes to `targets`.
fn enter(session: &mut Session, runs: &Runs, targets: Vec<Place>) -> Option<Entry> {
    let killed = runs.known().map_or(0, |known| known.dead.len());
    if killed > 0 {
        session.warnings.push(format!(
            "{killed} earlier {} killed: `tminus clean` removes what may be left of it",
            if killed == 1 { "run was" } else { "runs were" }
        ));
    }
    if targets.is_empty() {
        return None;
    }
    let this = Run { id: this_run().clone(), process: process::id(), began: clock::now(), targets };
    let entry = runs.begin(&this).inspect_err(|error| {
        tracing::warn!(%error, "this run has no entry: if it is killed, nobody knows");
    });
    entry.ok()
}

/// Whether a run that writes was under way when the engine stopped.
fn was_cut_off(integration: &dyn Integration, last: &Snapshot) -> bool {
    last.integration(integration.id()).is_some_and(|view| {
        let writing = view.checks.iter().filter(|check| check.spec.impact == Impact::Writes);
        writing.into_iter().any(|check| check.running.is_some())
    })
}

/// Everything that may be written to, each once.
fn places(writing: &[Arc<dyn Integration>], tests: &[Offer]) -> Vec<Place> {
    let watched = writing.iter().map(|integration| Place {
        id: integration.id().as_str().into(),
        address: integration.target().name,
    });
    let mut places: Vec<Place> = watched.collect();
    for offer in tests.iter().filter(|offer| offer.writes && offer.refused.is_none()) {
        let place = Place { id: offer.test.clone(), address: offer.target.clone() };
        if !places.contains(&place) {
            places.push(place);
        }
    }
    places
}

/// Where the state of this user is kept.
pub(super) fn state() -> Option<PathBuf> {
    Some(Xdg::new().ok()?.state_dir()?.join("tminus"))
}
