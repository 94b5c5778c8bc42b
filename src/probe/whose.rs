use super::RunId;
use crate::domain::Sweep;
use std::{collections::BTreeSet, pin::Pin};

/// One look for what killed runs left behind, as a future that can be dropped
/// at any await point.
pub type Sweeping<'a> = Pin<Box<dyn Future<Output = Sweep> + Send + 'a>>;

/// Whose traces are whose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Whose {
    /// Runs that are over: what they left may go.
    pub dead: BTreeSet<RunId>,
    /// Runs that are under way: nobody else touches what is theirs.
    pub living: BTreeSet<RunId>,
}

/// What to do with a trace of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// It belongs to a run that is over.
    Remove,
    /// It belongs to a run that is alive.
    Keep,
    /// Nobody here knows the run; another host may. It may go only if it would
    /// never go by itself.
    Unknown,
}

impl Whose {
    /// What to do with what `run` left.
    pub fn claim(&self, run: &RunId) -> Claim {
        if self.living.contains(run) {
            Claim::Keep
        } else if self.dead.contains(run) {
            Claim::Remove
        } else {
            Claim::Unknown
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::this_run;

    #[test]
    fn who_lives_is_never_taken_for_dead() {
        let run = BTreeSet::from([this_run().clone()]);
        let none = BTreeSet::new();
        let claim = |dead: &BTreeSet<_>, living: &BTreeSet<_>| {
            Whose { dead: dead.clone(), living: living.clone() }.claim(this_run())
        };
        assert_eq!(claim(&run, &run), Claim::Keep);
        assert_eq!(claim(&run, &none), Claim::Remove);
        assert_eq!(claim(&none, &none), Claim::Unknown);
    }
}
