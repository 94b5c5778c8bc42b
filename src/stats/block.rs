/// The middle of the values, or of the two in the middle. `None` without any.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    middle(&sorted)
}

/// The median of what is in order already.
pub(super) fn middle(sorted: &[f64]) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    Some(f64::midpoint(sorted[last / 2], sorted[sorted.len() / 2]))
}

/// The medians of at most `most` blocks of values that follow each other, as equal in
/// length as can be. What is not a finite number is left out.
///
/// Values that were measured close together depend on each other; blocks depend on each
/// other less, and one wild value moves none of them.
///
/// ```
/// use tminus::stats::blocks;
/// assert_eq!(blocks(&[1.0, 2.0, 9.0, 4.0, 5.0, 6.0], 2), [2.0, 5.0]);
/// assert_eq!(blocks(&[1.0, 2.0], 10), [1.0, 2.0]);
/// ```
pub fn blocks(values: &[f64], most: usize) -> Vec<f64> {
    let finite: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    let count = finite.len().min(most);
    let cut = |block: usize| block * finite.len() / count;
    (0..count).filter_map(|block| median(&finite[cut(block)..cut(block + 1)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_median_lies_in_the_middle() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }

    #[test]
    fn what_is_not_a_number_is_in_no_block() {
        assert_eq!(blocks(&[f64::NAN, 1.0, f64::INFINITY], 10), [1.0]);
        assert_eq!(blocks(&[1.0], 0), [0.0; 0]);
        assert_eq!(blocks(&[], 10), [0.0; 0]);
    }

    proptest! {
        #[test]
        fn every_value_is_in_one_block(values in prop::collection::vec(0.0..1e9, 0..300), most in 1_usize..20) {
            let blocks = blocks(&values, most);
            prop_assert_eq!(blocks.len(), values.len().min(most));
            let within = |block: &f64| {
                values.iter().any(|it| it <= block) && values.iter().any(|it| it >= block)
            };
            prop_assert!(blocks.iter().all(within));
        }
    }
}
