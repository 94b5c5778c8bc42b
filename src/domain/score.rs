use super::{CheckView, Freshness, IntegrationView, Outcome, Skip};
use serde::{Deserialize, Serialize};

/// Credit of a pass. A warning earns half, a fallback three quarters, a stale
/// answer half: sixteenths hold every combination exactly.
const FULL: u32 = 16;

/// How well something is doing, and how much of it that rests on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthScore {
    /// Earned share of the weight that applies, 0 to 100. 0 and 100 are exact.
    pub percent: u8,
    /// Freshly executed share of the weight that applies, 0 to 100. 0 and 100 are exact.
    pub coverage: u8,
}

impl HealthScore {
    /// Weighs the standing of each check of one integration.
    ///
    /// `None` when nothing applies, which is not the same as zero.
    pub fn of(checks: &[CheckView]) -> Option<Self> {
        let (mut earned, mut executed, mut applies) = (0, 0, 0);
        for check in checks {
            let Some(credit) = credit(check) else { continue };
            let weight = u32::from(check.spec.weight);
            applies += weight;
            earned += weight * credit;
            if check.outcome().is_executed() && check.freshness == Freshness::Fresh {
                executed += weight;
            }
        }
        Some(Self {
            percent: percent(earned, applies * FULL)?,
            coverage: percent(executed, applies)?,
        })
    }

    /// The mean of all integrations by their weights.
    ///
    /// `None` when none of them has a score.
    pub fn overall<'a>(views: impl IntoIterator<Item = &'a IntegrationView>) -> Option<Self> {
        let (mut earned, mut executed, mut whole) = (0, 0, 0);
        for (score, weight) in views.into_iter().filter_map(|view| Some((view.score?, view.weight)))
        {
            let weight = u32::from(weight);
            earned += weight * u32::from(score.percent);
            executed += weight * u32::from(score.coverage);
            whole += weight * 100;
        }
        Some(Self { percent: percent(earned, whole)?, coverage: percent(executed, whole)? })
    }
}

/// In sixteenths; `None` when the check is out of the denominator.
fn credit(check: &CheckView) -> Option<u32> {
    let earned = match check.outcome() {
        Outcome::Pass | Outcome::Skipped(Skip::OptionalAbsent) => FULL,
        Outcome::Warn => FULL / 2,
        Outcome::Fail | Outcome::Unknown(_) | Outcome::Blocked(_) => 0,
        Outcome::Skipped(Skip::NotApplicable | Skip::NotAllowed) => return None,
    };
    let earned = if check.finding.fallback { earned / 4 * 3 } else { earned };
    Some(if check.freshness == Freshness::Stale { earned / 2 } else { earned })
}

/// Rounds half down, and to 0 or 100 only where that is exact. `None` without a whole.
fn percent(part: u32, whole: u32) -> Option<u8> {
    let (part, whole) = (u64::from(part) * 100, u64::from(whole));
    if whole == 0 {
        return None;
    }
    let rounded = (2 * part).saturating_sub(whole).div_ceil(2 * whole);
    let honest = match rounded {
        0 if part > 0 => 1,
        100 if part < 100 * whole => 99,
        exact => exact,
    };
    u8::try_from(honest).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Cause, Finding, sample};
    use proptest::prelude::*;

    fn score(checks: &[CheckView]) -> (u8, u8) {
        let score = HealthScore::of(checks).unwrap();
        (score.percent, score.coverage)
    }

    #[test]
    fn the_report_this_product_grew_from_is_reproduced() {
        let views = sample::seed();
        let scores: Vec<_> = views.iter().map(|view| view.score.unwrap().percent).collect();
        assert_eq!(scores, [75, 25, 75, 75, 100, 100]);
        assert_eq!(HealthScore::overall(&views).unwrap().percent, 75);
        let coverage: Vec<_> = views.iter().map(|view| view.score.unwrap().coverage).collect();
        assert_eq!(coverage, [100, 62, 75, 50, 100, 100]);
    }

    #[test]
    fn each_outcome_earns_what_the_table_says() {
        let pass = || sample::check("a", 1, Finding::pass("ok"));
        let absent = || Finding::skipped(Skip::OptionalAbsent, "no key");
        let cases = [
            (Finding::pass("ok"), (100, 100)),
            (Finding::warn("slow"), (75, 100)),
            (Finding::fail("wrong"), (50, 100)),
            (Finding::unknown(Cause::NoSamples, "none"), (50, 50)),
            (Finding::new(Outcome::Blocked("connect".into()), "blocked"), (50, 50)),
            (absent(), (100, 50)),
            (Finding::skipped(Skip::NotAllowed, "read only"), (100, 100)),
            (Finding::skipped(Skip::NotApplicable, "no such thing"), (100, 100)),
            (Finding::pass("ok").on_fallback(), (87, 100)),
            (Finding::warn("slow").on_fallback(), (69, 100)),
        ];
        for (finding, expected) in cases {
            let word = finding.outcome.word();
            assert_eq!(score(&[pass(), sample::check("b", 1, finding)]), expected, "{word}");
        }
    }

    #[test]
    fn what_nobody_looked_at_for_long_earns_less_and_covers_nothing() {
        let mut old = sample::check("b", 1, Finding::pass("ok"));
        old.freshness = Freshness::Stale;
        assert_eq!(score(&[old.clone()]), (50, 0));
        old.freshness = Freshness::Expired;
        assert_eq!(score(&[old]), (0, 0));
    }

    #[test]
    fn a_weight_of_nothing_is_no_score() {
        assert_eq!(HealthScore::of(&[]), None);
        assert_eq!(HealthScore::of(&[sample::check("a", 0, Finding::pass("ok"))]), None);
    }

    #[test]
    fn halves_round_down_and_the_ends_are_exact() {
        assert_eq!(percent(1, 8), Some(12)); // 12.5
        assert_eq!(percent(3, 8), Some(37)); // 37.5
        assert_eq!(percent(2, 3), Some(67));
        assert_eq!(percent(999, 1000), Some(99));
        assert_eq!(percent(1, 1000), Some(1));
    }

    proptest! {
        #[test]
        fn a_percentage_is_one_and_only_exact_ends_are_shown(whole in 1_u32..100_000, part in 0_u32..100_000) {
            let part = part.min(whole);
            let shown = percent(part, whole).unwrap();
            prop_assert!(shown <= 100);
            prop_assert_eq!(shown == 100, part == whole);
            prop_assert_eq!(shown == 0, part == 0);
        }

        #[test]
        fn one_more_pass_never_lowers_a_score(passes in 0_usize..8, fails in 0_usize..8) {
            let fail = (0..fails).map(|_| sample::check("f", 1, Finding::fail("x")));
            let mut checks: Vec<_> = fail.collect();
            checks.extend((0..=passes).map(|_| sample::check("p", 1, Finding::pass("x"))));
            let more = score(&checks).0;
            checks.pop();
            if !checks.is_empty() {
                prop_assert!(score(&checks).0 <= more);
            }
        }
    }
}
