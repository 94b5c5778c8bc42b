//! Counts as the floating point numbers that rates and shares are made of.

/// Exact up to 2^53, which no count of a test reaches.
#[expect(clippy::cast_precision_loss, reason = "counts stay far under 2^53")]
pub(super) fn float(count: u64) -> f64 {
    count as f64
}

/// A length as a count.
pub(super) fn count(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}
