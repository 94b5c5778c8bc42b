//! What the user looks for, and what has it.

use super::{model::Model, update::has};
use crate::domain::{Blocker, CheckView, Event, IntegrationView};

impl Model {
    /// Whether a filter holds.
    pub(super) fn filters(&self) -> bool {
        !self.filter.trim().is_empty()
    }

    /// Whether an integration, or one of its checks, has what is looked for.
    pub(super) fn wants_view(&self, view: &IntegrationView) -> bool {
        let named = || has(&self.filter, &[&view.title, view.id.as_str(), &view.target.name]);
        !self.filters() || named() || view.checks.iter().any(|check| self.wants_check(check))
    }

    /// Whether a check has it.
    pub(super) fn wants_check(&self, check: &CheckView) -> bool {
        let texts = [check.id.as_str(), &check.spec.title, &check.finding.summary];
        !self.filters() || has(&self.filter, &texts)
    }

    /// Whether a blocker has it.
    pub(super) fn wants_blocker(&self, blocker: &Blocker) -> bool {
        let label = blocker.label();
        let texts = [&label, blocker.check.as_str(), &blocker.summary, &blocker.remedy];
        !self.filters() || has(&self.filter, &texts)
    }

    /// What happened, newest first, as far as it has it.
    pub(super) fn events(&self) -> impl Iterator<Item = &Event> {
        let has = |event: &&Event| {
            let check = event.check.as_ref().map_or("", |check| check.as_str());
            !self.filters() || has(&self.filter, &[check, &event.text])
        };
        self.snapshot().journal.iter().rev().filter(has)
    }

    /// The rows of the home screen that the cursor stops at: those that have it, and its own.
    pub(super) fn stops(&self) -> Vec<usize> {
        let here = self.row();
        let views = self.snapshot().integrations.iter().enumerate();
        views.filter(|(at, view)| *at == here || self.wants_view(view)).map(|(at, _)| at).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::tui::sample;

    #[test]
    fn everything_is_wanted_until_somebody_looks_for_something() {
        let mut model = sample::model();
        let events = model.events().count();
        assert!(!model.filters() && events > 3);
        model.filter = "google".into();
        let wanted = model.events().count();
        assert!(wanted > 0 && wanted < events);
        let blockers = &model.live.blockers;
        assert_eq!(blockers.iter().filter(|it| model.wants_blocker(it)).count(), 1);
        assert_eq!(model.stops(), [0, 3], "the match and the cursor");
        model.filter = "  ".into();
        assert_eq!((model.events().count(), model.stops().len()), (events, 6));
    }
}
