use super::{Cause, Evidence, Outcome, PoolFigures, Quantity, Receipt, Skip, plain};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Names kept of what is there.
const NAMES: usize = 1_000;
/// Characters kept of a summary or a remedy.
const SENTENCE: usize = 300;

/// What one run concluded and what it rests on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The conclusion.
    pub outcome: Outcome,
    /// The conclusion in a clause, the number and its limit in it.
    pub summary: String,
    /// What to do about it, where the run knows better than the check's hint.
    pub remedy: Option<String>,
    /// What lies behind it, in a word that the siblings use for the same: what they
    /// report of one fault is one blocker, at the first of them.
    pub fault: Option<String>,
    /// Whether a stand-in answered in the target's place.
    pub fallback: bool,
    /// How long the target took for the operation that matters.
    pub latency: Option<Duration>,
    /// The number to draw over time.
    pub measure: Option<Quantity>,
    /// What was asked, wanted and answered.
    pub evidence: Evidence,
    /// What was written and removed.
    pub receipt: Receipt,
    /// How the pool of connections stands that was used, if any.
    pub pool: Option<PoolFigures>,
    /// What of it, when it changes, makes those who need this check look anew:
    /// who answered, and what it refused. Never shown.
    pub gist: String,
    /// The names of what is there, where it is missed once it is gone. Never shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// Whether it leaves no doubt, so that asking again could only do harm.
    pub certain: bool,
}

impl Finding {
    /// A conclusion with nothing else known yet.
    pub fn new(outcome: Outcome, summary: &str) -> Self {
        Self {
            outcome,
            summary: plain(summary, SENTENCE),
            remedy: None,
            fault: None,
            fallback: false,
            latency: None,
            measure: None,
            evidence: Evidence::default(),
            receipt: Receipt::default(),
            pool: None,
            gist: String::new(),
            names: Vec::new(),
            certain: false,
        }
    }

    /// Every assertion held.
    pub fn pass(summary: &str) -> Self {
        Self::new(Outcome::Pass, summary)
    }

    /// A soft limit did not hold.
    pub fn warn(summary: &str) -> Self {
        Self::new(Outcome::Warn, summary)
    }

    /// The target is wrong.
    pub fn fail(summary: &str) -> Self {
        Self::new(Outcome::Fail, summary)
    }

    /// Nothing was learnt.
    pub fn unknown(cause: Cause, summary: &str) -> Self {
        Self::new(Outcome::Unknown(cause), summary)
    }

    /// Not run on purpose.
    pub fn skipped(why: Skip, summary: &str) -> Self {
        Self::new(Outcome::Skipped(why), summary)
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn remedy(mut self, remedy: &str) -> Self {
        self.remedy = Some(plain(remedy, SENTENCE));
        self
    }

    /// Adds the names of what is there; those beyond the thousandth are not missed.
    #[must_use]
    pub fn names(mut self, names: impl IntoIterator<Item = String>) -> Self {
        self.names = names.into_iter().take(NAMES).map(|name| plain(&name, SENTENCE)).collect();
        self
    }

    /// Adds what lies behind it, in a word.
    #[must_use]
    pub fn fault(mut self, word: &str) -> Self {
        self.fault = Some(plain(word, SENTENCE));
        self
    }

    /// Says that a stand-in answered.
    #[must_use]
    pub fn on_fallback(mut self) -> Self {
        self.fallback = true;
        self
    }

    /// Adds how long the target took.
    #[must_use]
    pub fn latency(mut self, latency: Duration) -> Self {
        self.latency = Some(latency);
        self
    }

    /// Adds the number to draw over time.
    #[must_use]
    pub fn measure(mut self, measure: Quantity) -> Self {
        self.measure = Some(measure);
        self
    }

    /// Adds what it rests on.
    #[must_use]
    pub fn evidence(mut self, evidence: Evidence) -> Self {
        self.evidence = evidence;
        self
    }

    /// Adds what was written and removed.
    #[must_use]
    pub fn receipt(mut self, receipt: Receipt) -> Self {
        self.receipt = receipt;
        self
    }

    /// Adds how the pool stands that was used.
    #[must_use]
    pub fn pool(mut self, pool: PoolFigures) -> Self {
        self.pool = Some(pool);
        self
    }

    /// Says what of it makes others look anew when it changes.
    #[must_use]
    pub fn gist(mut self, gist: &str) -> Self {
        self.gist = plain(gist, SENTENCE);
        self
    }

    /// Says that it counts at once, without a second look.
    #[must_use]
    pub fn for_certain(mut self) -> Self {
        self.certain = true;
        self
    }

    /// Every text in it, for whoever must look for secrets.
    pub fn texts_mut(&mut self) -> impl Iterator<Item = &mut String> {
        let Self { summary, remedy, fault, evidence, gist, names, .. } = self;
        let Evidence { asked, wanted, reply, phases, facts, grid } = evidence;
        let steps = phases.iter_mut().map(|phase| &mut phase.name);
        let words = facts.iter_mut().filter_map(|fact| match &mut fact.value {
            super::FactValue::Words(words) => Some(words),
            super::FactValue::Quantity(_) => None,
        });
        let cells = grid.iter_mut().flat_map(super::Grid::texts_mut);
        let single = [summary, asked, wanted, reply, gist].into_iter().chain(remedy).chain(fault);
        single.chain(words).chain(steps).chain(cells).chain(names)
    }
}
