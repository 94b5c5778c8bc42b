//! How long a provider wants to be left alone.

use crate::{domain::Timestamp, probe::http::Answer};
use jiff::fmt::rfc2822::DateTimeParser;
use std::time::Duration;

/// Nobody is believed who wants to be left alone for longer.
const LONGEST: Duration = Duration::from_hours(1);

/// What `Retry-After` asks for, between nothing and an hour; `None` when it makes no sense.
pub(super) fn retry_after(answer: &Answer, now: Timestamp) -> Option<Duration> {
    let millis = answer.header("retry-after-ms").and_then(|text| text.parse::<f64>().ok());
    if let Some(millis) = millis {
        return clamped(millis / 1000.0);
    }
    let text = answer.header("retry-after")?.trim();
    match text.parse::<f64>() {
        Ok(seconds) => clamped(seconds),
        Err(_) => until(text, now),
    }
}

/// From `now` to an HTTP date.
fn until(text: &str, now: Timestamp) -> Option<Duration> {
    let date = DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(until_epoch(date.as_second(), now).min(LONGEST))
}

/// From `now` to a moment in seconds since 1970.
pub(super) fn until_epoch(seconds: i64, now: Timestamp) -> Duration {
    let millis = seconds.saturating_mul(1000).saturating_sub(now.0);
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}

/// A span such as `12ms`, `8.64s` or `1m30s`; `None` when it is none.
pub(super) fn span(text: &str) -> Option<Duration> {
    let mut seconds = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(digits);
        let letters = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let scale = match unit {
            "ms" => 0.001,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            "d" => 86_400.0,
            _ => return None,
        };
        seconds += number.parse::<f64>().ok()? * scale;
        rest = after;
    }
    (!text.is_empty()).then(|| Duration::try_from_secs_f64(seconds).ok())?
}

fn clamped(seconds: f64) -> Option<Duration> {
    if seconds.is_nan() {
        return None;
    }
    Duration::try_from_secs_f64(seconds.clamp(0.0, LONGEST.as_secs_f64())).ok()
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{NOW, answer},
        *,
    };

    #[test]
    fn what_is_asked_for_is_clamped_and_garbage_is_nothing() {
        let cases = [
            ("retry-after", "20", Some(20_000)),
            ("retry-after", "0.5", Some(500)),
            ("retry-after", "3600", Some(3_600_000)),
            ("retry-after", "999999", Some(3_600_000)),
            ("retry-after", "inf", Some(3_600_000)),
            ("retry-after", "-1", Some(0)),
            ("retry-after", "NaN", None),
            ("retry-after", "soon", None),
            ("retry-after", "Mon, 23 Nov 2026 02:14:02 GMT", Some(42_000)),
            ("retry-after", "Mon, 23 Nov 2020 02:14:02 GMT", Some(0)),
            ("retry-after", "Tue, 23 Nov 2027 02:14:02 GMT", Some(3_600_000)),
            ("retry-after-ms", "250", Some(250)),
            ("x-other", "1", None),
        ];
        for (name, value, expected) in cases {
            let found = retry_after(&answer(429, &[(name, value)], ""), NOW);
            assert_eq!(found, expected.map(Duration::from_millis), "{name}: {value}");
        }
    }

    #[test]
    fn spans_come_in_several_forms() {
        let cases = [
            ("12ms", Some(12)),
            ("8.64s", Some(8640)),
            ("6m0s", Some(360_000)),
            ("1h2m3s", Some(3_723_000)),
            ("", None),
            ("12", None),
            ("1x", None),
            ("-1s", None),
            ("1e9d", None),
        ];
        for (text, expected) in cases {
            assert_eq!(span(text), expected.map(Duration::from_millis), "{text}");
        }
    }
}
