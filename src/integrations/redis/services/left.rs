use super::super::trouble::Trouble;
use std::time::Duration;

/// How long a key will live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// There is no such key.
    Absent,
    /// For ever, which no key of ours may.
    Forever,
    /// This long.
    For(Duration),
}

impl Left {
    /// What `PTTL` means by a number.
    pub(crate) fn of_pttl(milliseconds: i64) -> Result<Self, Trouble> {
        match milliseconds {
            -2 => Ok(Self::Absent),
            -1 => Ok(Self::Forever),
            _ => u64::try_from(milliseconds)
                .map(|left| Self::For(Duration::from_millis(left)))
                .map_err(|_| Trouble::Odd(format!("PTTL says {milliseconds}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_special_numbers_are_not_times() {
        assert_eq!(Left::of_pttl(-2), Ok(Left::Absent));
        assert_eq!(Left::of_pttl(-1), Ok(Left::Forever));
        assert_eq!(Left::of_pttl(0), Ok(Left::For(Duration::ZERO)));
        assert!(Left::of_pttl(-3).is_err());
    }
}
