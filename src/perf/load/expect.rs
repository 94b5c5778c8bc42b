//! Which answers are good ones.

use std::{ops::RangeInclusive, str::FromStr};

/// The statuses that are expected. Any other is a failure, also a redirect: whoever is
/// sent elsewhere does not measure what was meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected(Vec<RangeInclusive<u16>>);

impl Default for Expected {
    fn default() -> Self {
        Self(vec![200..=299])
    }
}

impl FromStr for Expected {
    type Err = String;

    /// Reads `2xx,304,400-404`.
    fn from_str(text: &str) -> Result<Self, String> {
        let ranges = text.split(',').map(|word| {
            let word = word.trim();
            let range = match (word.strip_suffix("xx"), word.split_once('-')) {
                (Some(class), _) => class
                    .parse()
                    .ok()
                    .map(|class: u16| class.saturating_mul(100))
                    .map(|it| it..=it.saturating_add(99)),
                (None, Some((from, to))) => {
                    from.parse().ok().zip(to.parse().ok()).map(|(a, b)| a..=b)
                }
                (None, None) => word.parse().ok().map(|status| status..=status),
            };
            range.filter(|it| *it.start() >= 200 && *it.end() <= 599 && !it.is_empty())
        });
        let ranges: Option<Vec<_>> = ranges.collect();
        ranges
            .map(Self)
            .ok_or_else(|| "write statuses from 200 to 599 as in 2xx,302,400-404".into())
    }
}

impl Expected {
    /// Under which class a response with this status fails, if it does.
    pub(super) fn class(&self, status: u16) -> Option<String> {
        if self.0.iter().any(|range| range.contains(&status)) {
            return None;
        }
        let kind = if (300..400).contains(&status) { "redirect" } else { "status" };
        Some(format!("{kind} {status}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_expected_fails_and_a_redirect_is_not() {
        let usual = Expected::default();
        assert_eq!((usual.class(200), usual.class(299)), (None, None));
        assert_eq!(usual.class(302).as_deref(), Some("redirect 302"));
        assert_eq!(usual.class(199).as_deref(), Some("status 199"));
        assert_eq!(usual.class(429).as_deref(), Some("status 429"));
        let own: Expected = "2xx, 302,400-404".parse().unwrap();
        for (status, good) in [
            (204, true),
            (302, true),
            (303, false),
            (399, false),
            (400, true),
            (404, true),
            (405, false),
        ] {
            assert_eq!(own.class(status).is_none(), good, "{status}");
        }
    }

    #[test]
    fn statuses_are_statuses() {
        for bad in
            ["", "xx", "1xx", "6xx", "20", "404-400", "200-600", "two", "200,,201", "65535xx"]
        {
            assert!(bad.parse::<Expected>().is_err(), "{bad}");
        }
    }
}
