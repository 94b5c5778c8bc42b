use super::{Alarm, Cx, Integration, Run, Sweeping, Whose};
use crate::domain::{CheckSpec, IntegrationId, Target};
use std::{collections::BTreeSet, sync::Arc};

/// An integration of which only some checks are wanted.
pub struct Narrow {
    inner: Arc<dyn Integration>,
    kept: Vec<usize>,
}

impl Narrow {
    /// Keeps the checks that `wanted` names and those that they need.
    ///
    /// `None` when no check is wanted.
    pub fn to(inner: Arc<dyn Integration>, wanted: impl Fn(&CheckSpec) -> bool) -> Option<Self> {
        let specs = inner.checks();
        let mut kept: BTreeSet<usize> = (0..specs.len()).filter(|i| wanted(&specs[*i])).collect();
        for mut at in kept.clone() {
            // Needs form no circle (a test of the tables sees to it), but a wrong one must not hang.
            for _ in 0..specs.len() {
                let Some(need) = &specs[at].needs else { break };
                let Some(found) = specs.iter().position(|spec| spec.name == *need) else { break };
                kept.insert(found);
                at = found;
            }
        }
        (!kept.is_empty()).then(|| Self { inner, kept: kept.into_iter().collect() })
    }
}

impl Integration for Narrow {
    fn id(&self) -> &IntegrationId {
        self.inner.id()
    }

    fn title(&self) -> &str {
        self.inner.title()
    }

    fn target(&self) -> Target {
        self.inner.target()
    }

    fn checks(&self) -> Vec<CheckSpec> {
        let specs = self.inner.checks();
        self.kept.iter().map(|index| specs[*index].clone()).collect()
    }

    fn run<'a>(&'a self, index: usize, cx: &'a Cx) -> Run<'a> {
        self.inner.run(self.kept[index], cx)
    }

    fn alarm(&self) -> Alarm<'_> {
        Box::pin(async {
            loop {
                let rung = self.inner.alarm().await;
                if let Some(index) = self.kept.iter().position(|kept| *kept == rung) {
                    return index;
                }
            }
        })
    }

    fn asks_again(&self) -> bool {
        self.inner.asks_again()
    }

    fn sweep<'a>(&'a self, whose: &'a Whose) -> Sweeping<'a> {
        self.inner.sweep(whose)
    }
}
