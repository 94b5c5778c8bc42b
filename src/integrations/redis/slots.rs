//! The slots of a cluster: which one a key falls into. Pure.

use std::{fmt, ops::RangeInclusive};

/// How many slots every cluster has.
pub(crate) const ALL: u16 = 16_384;

/// Some of the slots of a cluster, as ranges.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Slots(Vec<RangeInclusive<u16>>);

impl Slots {
    /// Every slot there is.
    pub(crate) fn all() -> Self {
        Self::of([(0, ALL - 1)])
    }

    /// Ranges by their first and last slot.
    pub(crate) fn of(ranges: impl IntoIterator<Item = (u16, u16)>) -> Self {
        Self(ranges.into_iter().map(|(first, last)| first..=last).collect())
    }

    /// The lowest of them.
    pub(crate) fn first(&self) -> Option<u16> {
        self.0.iter().map(|range| *range.start()).min()
    }

    /// How many they are.
    pub(crate) fn count(&self) -> usize {
        self.0.iter().map(ExactSizeIterator::len).sum()
    }

    /// Whether a key with this hash tag belongs to them.
    pub(crate) fn hold(&self, tag: &str) -> bool {
        let slot = crc16(tag.as_bytes()) % ALL;
        self.0.iter().any(|range| range.contains(&slot))
    }
}

/// The first range, and how many slots lie elsewhere.
impl fmt::Display for Slots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(range) = self.0.first() else { return f.write_str("no slots") };
        match (range.start() == range.end(), self.count() - range.len()) {
            (true, 0) => write!(f, "slot {}", range.start()),
            (_, 0) => write!(f, "slots {}-{}", range.start(), range.end()),
            (_, more) => write!(f, "slots {}-{} and {more} more", range.start(), range.end()),
        }
    }
}

/// CRC-16/XMODEM, which clusters spread their keys by.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| {
            let shifted = crc << 1;
            if crc & 0x8000 == 0 { shifted } else { shifted ^ 0x1021 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_falls_into_the_slot_that_the_specification_says() {
        assert_eq!(crc16(b"123456789"), 0x31c3);
        assert_eq!(crc16(b"foo") % ALL, 12_182);
        assert_eq!(crc16(b""), 0);
    }

    #[test]
    fn both_ends_of_a_range_belong_to_it() {
        let hold = |range| Slots(vec![0..=0, range]).hold("foo");
        assert!(hold(12_182..=12_182) && hold(12_000..=12_182) && hold(12_182..=16_383));
        assert!(!hold(12_183..=16_383) && !hold(0..=12_181));
        assert!(Slots::all().hold("foo") && !Slots::default().hold("foo"));
    }

    #[test]
    fn ranges_are_told_in_short() {
        let told = |ranges: &[(u16, u16)]| Slots::of(ranges.iter().copied()).to_string();
        assert_eq!(told(&[]), "no slots");
        assert_eq!(told(&[(7, 7)]), "slot 7");
        assert_eq!(told(&[(5461, 10_922)]), "slots 5461-10922");
        assert_eq!(told(&[(5461, 10_922), (3, 3), (7, 8)]), "slots 5461-10922 and 3 more");
    }
}
