//! When a test must stop by itself. Pure.

use super::number::float;

/// What a test may do to its target before it stops by itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Guards {
    /// The largest share of operations that may fail, within a second.
    pub errors: f64,
    /// Operations that must have ended in that second before their share says something.
    pub at_least: u64,
}

impl Default for Guards {
    fn default() -> Self {
        Self { errors: 0.05, at_least: 20 }
    }
}

impl Guards {
    /// Why the test must stop, after a second in which so many ended well and so many
    /// failed, most of them with the class `most`.
    pub fn judge(self, succeeded: u64, failed: u64, most: Option<&str>) -> Option<String> {
        let ended = succeeded + failed;
        let share = float(failed) / float(ended.max(1));
        if ended < self.at_least || share <= self.errors {
            return None;
        }
        let most = most.map(|class| format!(", most: {class}")).unwrap_or_default();
        let (share, limit) = (share * 100.0, self.errors * 100.0);
        Some(format!("{share:.1} % failed in a second, limit {limit:.0} %{most}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_one_in_twenty_stops_a_test() {
        let judge = |well, failed| Guards::default().judge(well, failed, Some("LOADING"));
        assert_eq!(judge(95, 5), None);
        assert_eq!(judge(94, 6).unwrap(), "6.0 % failed in a second, limit 5 %, most: LOADING");
        assert_eq!(judge(0, 19), None, "nineteen say nothing");
        assert!(judge(0, 20).is_some());
        assert_eq!(judge(0, 0), None);
    }
}
