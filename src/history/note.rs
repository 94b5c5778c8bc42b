use crate::domain::{Acceptance, Baseline, Deploy, Mark, Severity, Timestamp, Verdict};
use std::sync::Arc;

/// Something to be kept.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Note {
    /// A run of a check, or an answer of a target.
    Point { series: String, at: Timestamp, mark: Option<Mark>, value: Option<f64> },
    /// A check came to another confirmed outcome.
    Transition { check: String, at: Timestamp, outcome: &'static str, summary: String },
    /// How a check stands, in place of what was kept before.
    Standing { check: String, severity: Severity, since: Timestamp, blocked: Option<Timestamp> },
    /// Something happened.
    Event { at: Timestamp, check: Option<String>, mark: Option<Mark>, text: String },
    /// What it all comes to.
    Verdict { verdict: Verdict, score: Option<u8>, coverage: Option<u8> },
    /// Everything that is known, in place of what was kept of this run before.
    Evidence { at: Timestamp, snapshot: String },
    /// How everything stood, in place of what was kept under its name before.
    Baseline { baseline: Arc<Baseline>, snapshot: String },
    /// What an app serves, in place of what was kept before.
    Served { at: Timestamp, app: String, version: String },
    /// From when on evidence counts.
    Deploy { app: Option<String>, deploy: Deploy },
    /// Somebody answers for a check, in place of what was kept of it before; one that has
    /// ended is taken back.
    Accepted { at: Timestamp, acceptance: Acceptance },
    /// A performance test has ended.
    Test { at: Timestamp, test: String, record: String },
}

/// A mark as the file has it.
pub(super) fn number(mark: Mark) -> i64 {
    match mark {
        Mark::Pass => 0,
        Mark::Warn => 1,
        Mark::Fail => 2,
        Mark::Unknown => 3,
        Mark::Skipped => 4,
    }
}

/// The mark behind a number in the file.
pub(super) fn mark(number: i64) -> Option<Mark> {
    Mark::ALL.into_iter().nth(usize::try_from(number).ok()?)
}

/// How bad it is, as the file has it.
pub(super) fn degree(severity: Severity) -> i64 {
    match severity {
        Severity::Fine => 0,
        Severity::Soft => 1,
        Severity::Unclear => 2,
        Severity::Bad => 3,
    }
}

/// How bad it is behind a number in the file.
pub(super) fn severity(degree: i64) -> Option<Severity> {
    let all = [Severity::Fine, Severity::Soft, Severity::Unclear, Severity::Bad];
    all.into_iter().nth(usize::try_from(degree).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_a_file_mean_the_same_on_the_way_back() {
        for one in Mark::ALL {
            assert_eq!(mark(number(one)), Some(one));
        }
        for one in [Severity::Fine, Severity::Soft, Severity::Unclear, Severity::Bad] {
            assert_eq!(severity(degree(one)), Some(one));
        }
        assert_eq!((mark(5), mark(-1), severity(4)), (None, None, None));
    }
}
