//! From single remarks to one finding. Pure.

use crate::domain::{Evidence, Finding, Outcome};

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Remark {
    grave: bool,
    says: String,
    remedy: &'static str,
}

impl Remark {
    /// It may do harm.
    pub(super) fn warn(says: impl Into<String>, remedy: &'static str) -> Self {
        Self { grave: false, says: says.into(), remedy }
    }

    /// It does.
    pub(super) fn fail(says: impl Into<String>, remedy: &'static str) -> Self {
        Self { grave: true, says: says.into(), remedy }
    }
}

/// The first of the gravest remarks decides; without any, `well` is what was seen.
pub(super) fn conclude(remarks: &[Remark], well: &str, evidence: Evidence) -> Finding {
    let worst = remarks.iter().find(|remark| remark.grave).or_else(|| remarks.first());
    let Some(worst) = worst else { return Finding::pass(well).evidence(evidence.reply(well)) };
    let summary = match remarks.len() - 1 {
        0 => worst.says.clone(),
        further => format!("{}; {further} more", worst.says),
    };
    let outcome = if worst.grave { Outcome::Fail } else { Outcome::Warn };
    let said: Vec<&str> = remarks.iter().map(|remark| remark.says.as_str()).collect();
    Finding::new(outcome, &summary).remedy(worst.remedy).evidence(evidence.reply(&said.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gravest_decides_and_all_are_told() {
        let remarks = [Remark::warn("a", "x"), Remark::fail("b", "y"), Remark::fail("c", "z")];
        let finding = conclude(&remarks, "well", Evidence::default());
        assert_eq!((finding.outcome, &*finding.summary), (Outcome::Fail, "b; 2 more"));
        assert_eq!(finding.remedy.as_deref(), Some("y"));
        assert_eq!(finding.evidence.reply, "a; b; c");
        let warned = conclude(&remarks[..1], "well", Evidence::default());
        assert_eq!((warned.outcome, &*warned.summary), (Outcome::Warn, "a"));
        let well = conclude(&[], "well", Evidence::default());
        assert_eq!((well.outcome, well.remedy), (Outcome::Pass, None));
    }
}
