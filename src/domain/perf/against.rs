use super::Estimate;
use crate::domain::{Quantity, Timestamp, Word};
use serde::{Deserialize, Serialize};

/// How a test stands against an earlier one like it, or its end against its begin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Against {
    /// When the earlier one began; none where the begin of the same test is meant.
    pub before: Option<Timestamp>,
    /// Each figure that was compared.
    pub moved: Vec<Moved>,
    /// Why nothing can be said for sure, a clause each.
    pub doubts: Vec<String>,
}

/// One figure, then and now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Moved {
    /// `p50`, `p95`, `p99`, `rate`, `errors`.
    pub name: String,
    /// The median of the parts before; of `errors` the mean.
    pub before: Quantity,
    /// The same after.
    pub after: Quantity,
    /// By which share of what was before it has moved (Hodges and Lehmann), at 99 %
    /// confidence; none where nothing was before.
    pub by: Option<Estimate>,
    /// The chance that it has not moved at all (Mann and Whitney), as it is where all of
    /// these are looked at together (Holm).
    pub chance: f64,
    /// The share that a move has to exceed: what the parts before differ by themselves.
    pub floor: f64,
    /// What it comes to.
    pub sway: Sway,
}

/// What a move comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sway {
    /// By chance, or too little to matter.
    Noise,
    /// Surely.
    Better,
    /// Surely.
    Worse,
}

impl Against {
    /// Those that have moved so.
    pub fn names(&self, sway: Sway) -> String {
        let fitting = self.moved.iter().filter(|it| it.sway == sway);
        fitting.map(|it| &*it.name).collect::<Vec<_>>().join(", ")
    }

    /// May it go, by this alone, and why. What is doubtful never passes, and blames nobody.
    pub fn verdict(&self) -> (Word, String) {
        let (worse, better) = (self.names(Sway::Worse), self.names(Sway::Better));
        match self.doubts.first() {
            Some(doubt) => (Word::Hold, doubt.clone()),
            None if self.moved.is_empty() => (Word::Hold, "nothing was compared".into()),
            None if !worse.is_empty() => (Word::NoGo, format!("worse: {worse}")),
            None if !better.is_empty() => (Word::Go, format!("nothing is worse; better: {better}")),
            None => (Word::Go, "nothing is worse".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn against(sways: &[(&str, Sway)], doubts: &[&str]) -> Against {
        let moved = |(name, sway): &(&str, Sway)| Moved {
            name: (*name).into(),
            before: Quantity::Ratio(0.0),
            after: Quantity::Ratio(0.1),
            by: None,
            chance: 0.001,
            floor: 0.0,
            sway: *sway,
        };
        Against {
            before: None,
            moved: sways.iter().map(moved).collect(),
            doubts: doubts.iter().map(|it| (*it).to_owned()).collect(),
        }
    }

    #[test]
    fn what_is_worse_decides_and_what_is_doubtful_never_passes() {
        use Sway::{Better, Noise, Worse};
        let says = |sways: &[(&str, Sway)], doubts: &[&str]| against(sways, doubts).verdict();
        assert_eq!(says(&[], &[]).0, Word::Hold);
        assert_eq!(says(&[("p50", Noise)], &[]), (Word::Go, "nothing is worse".into()));
        assert_eq!(says(&[("p50", Better)], &[]).1, "nothing is worse; better: p50");
        let both = [("p50", Better), ("p99", Worse), ("errors", Worse)];
        assert_eq!(says(&both, &[]), (Word::NoGo, "worse: p99, errors".into()));
        assert_eq!(says(&both, &["too short"]), (Word::Hold, "too short".into()));
    }
}
