use super::{Ended, Record, Sway};
use crate::domain::{Quantity, Word};
use serde::{Deserialize, Serialize};

/// Something that was wanted of the target, and whether it is so.
///
/// It is so only where also the pessimistic end of what the samples allow keeps the
/// limit, and it is not only where the optimistic end misses it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Goal {
    /// What of it: `p95`, `mean`, `rate`, `errors`.
    pub name: String,
    /// What was wanted: at least so much of a rate, less of anything else.
    pub limit: Quantity,
    /// What was measured; none where nothing was, or where it is without end.
    pub found: Option<Quantity>,
    /// The true one is hardly under this.
    pub low: Option<Quantity>,
    /// The true one is hardly above this; none where the samples give no upper bound.
    pub high: Option<Quantity>,
    /// Whether it is so.
    pub judged: Judged,
    /// Why nobody knows, or what would tell; empty where it is decided.
    pub why: String,
}

/// Whether something is as it was wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Judged {
    /// It is.
    Pass,
    /// It is not.
    Fail,
    /// The samples do not tell.
    Undecided,
}

impl Record {
    /// May it go, by this test alone, and why. What was stopped early never passes.
    pub fn verdict(&self) -> (Word, String) {
        let named = |judged| {
            let fitting = self.goals.iter().filter(move |goal| goal.judged == judged);
            fitting.map(|goal| &*goal.name).collect::<Vec<_>>().join(", ")
        };
        let (missed, unknown) = (named(Judged::Fail), named(Judged::Undecided));
        let judged = self.goals.iter().any(|goal| goal.name == Goal::ERRORS);
        let failed = self.total.failed.saturating_sub(self.generator.failed);
        let left = self.receipt.map_or(0, |receipt| receipt.left);
        match &self.ended {
            Ended::Stopped(why) => (Word::NoGo, format!("a guard stopped it: {why}")),
            _ if left > 0 => (Word::NoGo, format!("{left} of what it wrote are left")),
            _ if !missed.is_empty() => (Word::NoGo, format!("missed: {missed}")),
            _ if failed > 0 && !judged => (Word::NoGo, format!("{failed} failed")),
            Ended::Aborted => (Word::Hold, "it was stopped early".into()),
            Ended::Complete if let Some(worse) = self.worn() => (Word::NoGo, worse),
            Ended::Complete if self.total.succeeded == 0 => {
                (Word::Hold, "nothing was measured".into())
            }
            Ended::Complete if self.generator.failed > 0 => {
                let ours = self.generator.failed;
                (Word::Hold, format!("{ours} failed for want of something on this host"))
            }
            Ended::Complete if !unknown.is_empty() => (Word::Hold, format!("undecided: {unknown}")),
            Ended::Complete if let Some(doubt) = self.doubt() => (Word::Hold, doubt.into()),
            Ended::Complete if self.goals.is_empty() => (Word::Go, "nothing failed".into()),
            Ended::Complete => (Word::Go, format!("kept: {}", named(Judged::Pass))),
        }
    }
}

impl Record {
    /// Why what it was run for cannot be said.
    fn doubt(&self) -> Option<&str> {
        let scale = self.scale.iter().flat_map(|scale| &scale.doubts);
        let memory = self.memory.iter().flat_map(|memory| &memory.doubts);
        let drift = self.drift.iter().flat_map(|drift| &drift.doubts);
        scale.chain(memory).chain(drift).next().map(String::as_str)
    }

    /// What surely went from better to worse, where that was the question.
    fn worn(&self) -> Option<String> {
        let drift = self.drift.as_ref().filter(|drift| drift.doubts.is_empty())?;
        let worse = drift.names(Sway::Worse);
        (!worse.is_empty()).then(|| format!("worse at the end than at the begin: {worse}"))
    }
}

impl Goal {
    /// The name of the one about failures.
    pub const ERRORS: &str = "errors";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{
            Receipt,
            perf::{Against, Moved},
        },
        perf::render::sample,
    };

    fn record(judged: &[(&str, Judged)]) -> Record {
        let goal = |(name, judged): &(&str, Judged)| Goal {
            name: (*name).into(),
            limit: Quantity::Ratio(0.01),
            found: None,
            low: None,
            high: None,
            judged: *judged,
            why: String::new(),
        };
        let mut record = sample::record();
        record.goals = judged.iter().map(goal).collect();
        record.total.failed = 0;
        record
    }

    #[test]
    fn the_worst_that_is_known_decides_and_what_is_not_known_never_passes() {
        use Judged::{Fail, Pass, Undecided};
        let word = |record: &Record| record.verdict().0;
        assert_eq!(word(&record(&[])), Word::Go);
        assert_eq!(word(&record(&[("p95", Pass)])), Word::Go);
        assert_eq!(word(&record(&[("p95", Pass), ("p99", Undecided)])), Word::Hold);
        assert_eq!(word(&record(&[("p95", Undecided), ("p99", Fail)])), Word::NoGo);
        let mut one = record(&[("errors", Pass)]);
        one.total.failed = 3;
        assert_eq!(word(&one), Word::Go, "so many failures are allowed");
        one.goals.clear();
        assert_eq!(one.verdict(), (Word::NoGo, "3 failed".into()));
        one.generator.failed = 3;
        assert_eq!(word(&one), Word::Hold, "this host is to blame");
        let ended = |ended| word(&Record { ended, ..record(&[("p95", Pass)]) });
        assert_eq!(ended(Ended::Aborted), Word::Hold);
        assert_eq!(ended(Ended::Stopped("x".into())), Word::NoGo);
        let mut nothing = record(&[("p95", Pass)]);
        nothing.total.succeeded = 0;
        assert_eq!(word(&nothing), Word::Hold);
        let soaked = |doubts: &[&str]| {
            let worse = Moved {
                name: "p99".into(),
                before: Quantity::Ratio(0.1),
                after: Quantity::Ratio(0.2),
                by: None,
                chance: 0.0,
                floor: 0.0,
                sway: Sway::Worse,
            };
            let doubts = doubts.iter().map(|it| (*it).to_owned()).collect();
            let drift = Against { before: None, moved: vec![worse], doubts };
            Record { drift: Some(Box::new(drift)), ..record(&[]) }.verdict()
        };
        assert_eq!(soaked(&[]), (Word::NoGo, "worse at the end than at the begin: p99".into()));
        assert_eq!(soaked(&["too short"]), (Word::Hold, "too short".into()));
        nothing.receipt = Some(Receipt { left: 1, ..Receipt::default() });
        assert_eq!(word(&nothing), Word::NoGo);
    }
}
