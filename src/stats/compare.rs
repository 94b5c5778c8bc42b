use super::{
    as_f64,
    block::median,
    rank::mann_whitney,
    shift::{Interval, hodges_lehmann},
};

/// Blocks on each side without which nothing is said: with fewer, even sets that do not
/// overlap at all could have come about by chance once in a hundred times.
pub const FEWEST: usize = 5;
/// A shift of at most this share is never told from noise.
pub const FLOOR: f64 = 0.03;
/// How often chance may be taken for a difference.
const ALPHA: f64 = 0.01;

/// Two sets of blocks, compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// The median before.
    pub before: f64,
    /// The median after.
    pub after: f64,
    /// How far it has moved.
    pub by: Interval,
    /// The chance that there is no difference.
    pub p: f64,
    /// The share of `before` that a shift has to exceed: how far the blocks before differ
    /// among themselves, or [`FLOOR`].
    pub floor: f64,
}

/// What a comparison comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sway {
    /// By chance, or too little to matter.
    Noise,
    /// It is more than before.
    More,
    /// It is less than before.
    Less,
}

impl Comparison {
    /// Compares the blocks of two looks. `None` where there are fewer than [`FEWEST`] on
    /// a side, or what was before is nothing that a share could be taken of.
    pub fn of(before: &[f64], after: &[f64]) -> Option<Self> {
        if before.len() < FEWEST || after.len() < FEWEST {
            return None;
        }
        let middle = median(before).filter(|it| *it > 0.0)?;
        Some(Self {
            before: middle,
            after: median(after)?,
            by: hodges_lehmann(before, after, ALPHA)?,
            p: mann_whitney(before, after),
            floor: FLOOR.max(spread(before) / middle),
        })
    }

    /// How far it has moved, as a share of what was before.
    pub fn ratio(&self) -> f64 {
        self.by.at / self.before
    }

    /// What it comes to where the chance, among all that is compared, is `p`.
    pub fn sway(&self, p: f64) -> Sway {
        if p >= ALPHA || self.ratio().abs() <= self.floor {
            Sway::Noise
        } else if self.by.at > 0.0 {
            Sway::More
        } else {
            Sway::Less
        }
    }
}

/// How far the earlier half of the blocks lies from the later: what a comparison of the
/// same with the same would find.
fn spread(blocks: &[f64]) -> f64 {
    let (earlier, later) = blocks.split_at(blocks.len() / 2);
    hodges_lehmann(earlier, later, ALPHA).map_or(0.0, |by| by.at.abs())
}

/// The chances of several comparisons, each as it is where all are looked at together
/// (Holm 1979), so that many comparisons do not find by their number alone.
///
/// ```
/// use tminus::stats::holm;
/// let all = holm(&[0.01, 0.04, 0.03]);
/// let rounded: Vec<f64> = all.iter().map(|p| (p * 100.0).round()).collect();
/// assert_eq!(rounded, [3.0, 6.0, 6.0]);
/// ```
pub fn holm(chances: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..chances.len()).collect();
    order.sort_by(|one, other| chances[*one].total_cmp(&chances[*other]));
    let mut adjusted = vec![1.0; chances.len()];
    let mut least = 0.0_f64;
    for (place, index) in order.into_iter().enumerate() {
        least = least.max(chances[index] * as_f64(chances.len() - place)).min(1.0);
        adjusted[index] = least;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn around(middle: f64, count: usize) -> Vec<f64> {
        (0..count).map(|n| middle * (1.0 + 0.01 * (as_f64(n * 3 % 5) - 2.0))).collect()
    }

    fn sway(before: &[f64], after: &[f64]) -> Option<Sway> {
        Comparison::of(before, after).map(|it| it.sway(it.p))
    }

    #[test]
    fn too_few_blocks_say_nothing() {
        let (few, enough) = (around(10.0, FEWEST - 1), around(10.0, FEWEST));
        let far = around(90.0, FEWEST);
        assert_eq!(sway(&few, &far), None);
        assert_eq!(sway(&far, &few), None);
        assert_eq!(sway(&enough, &far), Some(Sway::More));
        assert_eq!(sway(&far, &enough), Some(Sway::Less));
        assert_eq!(sway(&[0.0; 10], &far), None, "of nothing there is no share");
    }

    #[test]
    fn a_shift_has_to_exceed_the_floor() {
        let before = [100.0; 10];
        let moved = |by: f64| sway(&before, &[100.0 + by; 10]).unwrap();
        assert_eq!((moved(3.0), moved(3.1)), (Sway::Noise, Sway::More));
        assert_eq!((moved(-3.0), moved(-3.1)), (Sway::Noise, Sway::Less));
        // What drifts by itself by a fifth tells nothing by a tenth.
        let drifts: Vec<f64> = (0..10).map(|n| 100.0 + 4.0 * f64::from(n)).collect();
        let found = Comparison::of(&drifts, &[139.0; 10]).unwrap();
        assert!((found.floor - 20.0 / 118.0).abs() < 1e-9, "{found:?}");
        assert!(found.p < 0.01 && found.ratio() > FLOOR, "{found:?}");
        assert_eq!(sway(&drifts, &[137.0; 10]), Some(Sway::Noise));
    }

    #[test]
    fn chance_is_not_taken_for_a_shift() {
        let before = [10.0, 30.0, 20.0, 50.0, 40.0, 12.0, 31.0, 22.0, 49.0, 41.0];
        let after = before.map(|it| it + 8.0);
        assert_eq!(sway(&before, &after), Some(Sway::Noise));
        let sure = Comparison::of(&[10.0; 10], &[20.0; 10]).unwrap();
        assert_eq!((sure.sway(0.009_9), sure.sway(0.01)), (Sway::More, Sway::Noise));
    }

    #[test]
    fn chances_are_adjusted_as_r_does() {
        // The documentation of R's p.adjust defines it so; the example is from S. Holm,
        // A simple sequentially rejective multiple test procedure, Scand. J. Stat. 6 (1979).
        let found = holm(&[0.01, 0.02, 0.03, 0.04, 0.05]);
        for (found, expected) in found.iter().zip([0.05, 0.08, 0.09, 0.09, 0.09]) {
            assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        }
        assert_eq!(holm(&[]), [0.0; 0]);
        assert_eq!(holm(&[0.9, 0.8]), [1.0, 1.0]);
    }

    proptest! {
        #[test]
        fn the_same_is_never_told_from_the_same(
            values in prop::collection::vec(1.0_f64..100.0, FEWEST..20),
        ) {
            prop_assert_eq!(sway(&values, &values), Some(Sway::Noise));
        }

        #[test]
        fn adjusting_keeps_the_order_and_lowers_nothing(
            chances in prop::collection::vec(0.0_f64..1.0, 1..20),
        ) {
            let adjusted = holm(&chances);
            for (one, p) in chances.iter().zip(&adjusted) {
                prop_assert!(p >= one && *p <= 1.0);
                for (other, q) in chances.iter().zip(&adjusted) {
                    prop_assert!(one > other || p <= q);
                }
            }
        }
    }
}
