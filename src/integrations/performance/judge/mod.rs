//! Decides. Pure: readings and limits in, findings out.

mod export;
mod memory;
mod response;
mod timing;

pub(super) use export::{Earlier, export};
pub(super) use memory::{Memory, MemoryLimits, memory, missing};
pub(super) use response::{Recent, is_good, response};
pub(super) use timing::{Timing, timing};

use crate::domain::{Finding, Outcome};

/// The worst of `conclusions`, of equally bad ones the first; without any, a
/// pass that says `holds`.
fn worst(conclusions: Vec<(Outcome, String)>, holds: &str) -> Finding {
    let worse = |worst: (Outcome, String), next: (Outcome, String)| {
        if next.0.severity() > worst.0.severity() { next } else { worst }
    };
    match conclusions.into_iter().reduce(worse) {
        Some((outcome, says)) => Finding::new(outcome, &says),
        None => Finding::pass(holds),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_is_said_and_of_equals_the_first() {
        let say = |outcome, text: &str| (outcome, text.to_owned());
        let finding = worst(
            vec![
                say(Outcome::Warn, "slow"),
                say(Outcome::Fail, "gone"),
                say(Outcome::Fail, "late"),
            ],
            "fine",
        );
        assert_eq!((finding.outcome, finding.summary.as_str()), (Outcome::Fail, "gone"));
        assert_eq!(worst(Vec::new(), "fine"), Finding::pass("fine"));
    }
}
