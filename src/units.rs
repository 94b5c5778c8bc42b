//! How numbers, spans and moments are written, for every surface.

use crate::domain::perf::{Goal, Judged};
use crate::domain::{Gauge, Quantity, Shift, Timestamp};
use jiff::tz::TimeZone;
use std::time::Duration;

/// A span with three digits at most: `0.4ms`, `18ms`, `2.1s`, `4m12s`, `3d4h`.
pub fn span(span: Duration) -> String {
    let micros = span.as_micros();
    match micros {
        0 => "0ms".into(),
        1..10_000 => format!("{}.{}ms", micros / 1000, micros % 1000 / 100),
        10_000..1_000_000 => format!("{}ms", micros / 1000),
        1_000_000..10_000_000 => {
            format!("{}.{}s", micros / 1_000_000, micros % 1_000_000 / 100_000)
        }
        _ => long_span(span.as_secs()),
    }
}

/// A latency with three digits: `0.083ms`, `1.07ms`, `412ms`, `1.35s`.
pub fn latency(span: Duration) -> String {
    let micros = span.as_micros();
    let (whole, part, unit) = match micros {
        0..1_000 => return format!("0.{micros:03}ms"),
        1_000..1_000_000 => (micros / 1_000, micros % 1_000, "ms"),
        _ => (micros / 1_000_000, micros / 1_000 % 1_000, "s"),
    };
    match whole {
        0..10 => format!("{whole}.{:02}{unit}", part / 10),
        10..100 => format!("{whole}.{}{unit}", part / 100),
        _ => format!("{whole}{unit}"),
    }
}

fn long_span(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{}h{:02}m", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{}d{}h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

/// An age, calm for the eye: seconds to ten, then tens of seconds, then minutes.
pub fn age(age: Duration) -> String {
    match age.as_secs() {
        seconds @ 0..10 => format!("{seconds}s"),
        seconds @ 10..60 => format!("{}s", seconds / 10 * 10),
        seconds @ 60..3600 => format!("{}m", seconds / 60),
        seconds @ 3600..86_400 => format!("{}h{:02}m", seconds / 3600, seconds % 3600 / 60),
        seconds => format!("{}d{}h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

/// Bytes in binary units: `512 B`, `9.8 MiB`.
pub fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let (mut whole, mut rest, mut unit) = (bytes / 1024, bytes % 1024, 0);
    while whole >= 1024 {
        (whole, rest, unit) = (whole / 1024, whole % 1024, unit + 1);
    }
    match whole {
        0..10 => format!("{whole}.{} {}", rest * 10 / 1024, UNITS[unit]),
        _ => format!("{whole} {}", UNITS[unit]),
    }
}

/// A quantity with its unit.
pub fn quantity(quantity: Quantity) -> String {
    match quantity {
        Quantity::Time(time) => span(time),
        Quantity::Bytes(count) => bytes(count),
        Quantity::Count(count) => count.to_string(),
        Quantity::Ratio(ratio) => format!("{:.1} %", ratio * 100.0),
        Quantity::PerSecond(rate) => format!("{rate:.1}/s"),
    }
}

/// What has moved, and how far: `latency 12.0ms -> 61.0ms, x5.1`.
pub fn shift(shift: &Shift) -> String {
    let written = |value: f64| match shift.gauge.quantity(value) {
        Quantity::Time(time) => latency(time),
        other @ (Quantity::Bytes(_)
        | Quantity::Count(_)
        | Quantity::Ratio(_)
        | Quantity::PerSecond(_)) => quantity(other),
    };
    let (gauge, ratio) = (Gauge::word(shift.gauge), shift.ratio());
    let (before, after) = (written(shift.before), written(shift.after));
    let by = if ratio < 1.0 {
        format!("{:+.0} %", ratio * 100.0)
    } else {
        format!("x{:.1}", ratio + 1.0)
    };
    format!("{gauge} {before} -> {after}, {by}")
}

/// A goal in a line: what was wanted, what was found, what is to be said about it.
pub fn goal(goal: &Goal) -> String {
    let says = |figure: Quantity| match figure {
        Quantity::Time(time) => latency(time),
        Quantity::Ratio(share) if share > 0.0 && share < 0.01 => format!("{:.2} %", share * 100.0),
        Quantity::Ratio(_) | Quantity::Bytes(_) | Quantity::Count(_) | Quantity::PerSecond(_) => {
            quantity(figure)
        }
    };
    let judged = match goal.judged {
        Judged::Pass => "pass",
        Judged::Fail => "FAIL",
        Judged::Undecided => "undecided",
    };
    let than = if matches!(goal.limit, Quantity::PerSecond(_)) { "at least" } else { "under" };
    let found = match (goal.found, goal.low, goal.high) {
        (Some(found), Some(low), Some(high)) => {
            format!("; {}, surely {} to {}", says(found), says(low), says(high))
        }
        (Some(found), Some(low), None) => {
            format!("; {}, surely over {}", says(found), says(low))
        }
        (None, Some(low), _) => format!("; surely over {}", says(low)),
        _ => String::new(),
    };
    let why = if goal.why.is_empty() { String::new() } else { format!("; {}", goal.why) };
    format!("{judged}: {} {than} {}{found}{why}", goal.name, says(goal.limit))
}

/// The time of day in this host's zone: `14:07:32`.
pub fn clock(at: Timestamp) -> String {
    match jiff::Timestamp::from_millisecond(at.0) {
        Ok(at) => at.to_zoned(TimeZone::system()).strftime("%H:%M:%S").to_string(),
        Err(_) => "--:--:--".into(),
    }
}

/// The moment in this host's zone: `2026-11-24 14:07`.
pub fn moment(at: Timestamp) -> String {
    match jiff::Timestamp::from_millisecond(at.0) {
        Ok(at) => at.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string(),
        Err(_) => "out of range".into(),
    }
}

/// The end that somebody typed at `now`: a span (`4h`, `2d`), the time of day in this
/// host's zone (`18:00`, tomorrow if it is over for today), or a moment with its zone.
pub fn end(typed: &str, now: Timestamp) -> Option<Timestamp> {
    end_in(typed.trim(), now, TimeZone::system())
}

fn end_in(typed: &str, now: Timestamp, zone: TimeZone) -> Option<Timestamp> {
    if let Ok(moment) = typed.parse::<jiff::Timestamp>() {
        return Some(Timestamp(moment.as_millisecond()));
    }
    let zoned = jiff::Timestamp::from_millisecond(now.0).ok()?.to_zoned(zone);
    let end = match typed.parse::<jiff::civil::Time>() {
        Ok(time) => {
            let today = zoned.with().time(time).build().ok()?;
            if today > zoned { today } else { today.tomorrow().ok()? }
        }
        Err(_) => zoned.checked_add(typed.parse::<jiff::Span>().ok()?).ok()?,
    };
    Some(Timestamp(end.timestamp().as_millisecond()))
}

/// The moment as files want it: RFC 3339 in UTC with milliseconds.
pub fn rfc3339(at: Timestamp) -> String {
    match jiff::Timestamp::from_millisecond(at.0) {
        Ok(at) => format!("{at:.3}"),
        Err(_) => "out of range".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_keep_to_the_digits_that_matter() {
        let cases = [
            (0, "0ms"),
            (399, "0.3ms"),
            (9_999, "9.9ms"),
            (10_000, "10ms"),
            (999_999, "999ms"),
            (1_000_000, "1.0s"),
            (59_000_000, "59s"),
            (252_000_000, "4m12s"),
            (11_520_000_000, "3h12m"),
            (273_600_000_000, "3d4h"),
        ];
        for (micros, expected) in cases {
            assert_eq!(span(Duration::from_micros(micros)), expected);
        }
    }

    #[test]
    fn what_has_moved_is_a_share_or_a_multiple() {
        let of = |gauge, before: f64, after: f64| Shift {
            check: crate::domain::IntegrationId::new("x").unwrap().check("y"),
            gauge,
            worse: after > before,
            before,
            after,
            by: after - before,
            bounds: [0.0, 0.0],
            p: 0.0,
            floor: 0.0,
        };
        let said = |gauge, before, after| shift(&of(gauge, before, after));
        assert_eq!(said(Gauge::Latency, 0.012, 0.061), "latency 12.0ms -> 61.0ms, x5.1");
        assert_eq!(said(Gauge::Latency, 0.01, 0.0199), "latency 10.0ms -> 19.9ms, +99 %");
        assert_eq!(said(Gauge::Latency, 0.01, 0.006), "latency 10.0ms -> 6.00ms, -40 %");
        let mib = 1024.0 * 1024.0;
        assert_eq!(said(Gauge::Memory, 12.0 * mib, 24.0 * mib), "memory 12 MiB -> 24 MiB, x2.0");
    }

    #[test]
    fn a_latency_has_three_digits() {
        let said = [0, 83, 999, 1_070, 12_345, 412_000, 1_350_000, 61_000_000]
            .map(|micros| latency(Duration::from_micros(micros)));
        assert_eq!(
            said,
            ["0.000ms", "0.083ms", "0.999ms", "1.07ms", "12.3ms", "412ms", "1.35s", "61.0s"]
        );
    }

    #[test]
    fn an_age_moves_only_when_it_matters() {
        let at = |seconds| age(Duration::from_secs(seconds));
        assert_eq!([at(9), at(19), at(59), at(61), at(3700)], ["9s", "10s", "50s", "1m", "1h01m"]);
    }

    #[test]
    fn bytes_are_binary() {
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(1024), "1.0 KiB");
        assert_eq!(bytes(10 * 1024 * 1024 + 1), "10 MiB");
        assert_eq!(bytes(u64::MAX), "15 EiB");
    }

    #[test]
    fn an_end_is_written_as_people_write_it() {
        let now = Timestamp(1_795_400_000_000); // 02:13:20
        let after =
            |typed: &str| end_in(typed, now, TimeZone::UTC).map(|end| (end.0 - now.0) / 1000);
        assert_eq!(after("4h"), Some(4 * 3600));
        assert_eq!(after("2d"), Some(2 * 86_400));
        assert_eq!(after("1h 30m"), Some(5400));
        assert_eq!(after("02:13:30"), Some(10));
        assert_eq!(after("02:13"), Some(86_400 - 20), "over for today");
        assert_eq!(after("2026-11-23T03:13:20+01:00"), Some(0));
        for bad in ["", "4", "soon", "25:00", "2026-11-23"] {
            assert_eq!(after(bad), None, "{bad}");
        }
    }

    #[test]
    fn moments_are_written_in_utc() {
        assert_eq!(rfc3339(Timestamp(1_795_400_000_123)), "2026-11-23T02:13:20.123Z");
        assert_eq!(rfc3339(Timestamp(i64::MAX)), "out of range");
    }
}
