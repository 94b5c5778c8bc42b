//! How a test stands against another time, as text.

use super::human::{Lines, number};
use crate::{
    domain::{
        Quantity,
        perf::{Against, Block, Moved, Sway},
    },
    perf::against::stretches,
    units,
};
use std::time::Duration;

/// Lines that tell how a test went over time, at most.
const STRETCHES: usize = 10;

/// Two tests, for people.
pub fn against(against: &Against) -> String {
    let mut lines = Lines::default();
    put(&mut lines, against);
    lines.0
}

/// The verdict and every figure.
pub(super) fn put(lines: &mut Lines, against: &Against) {
    let (word, why) = against.verdict();
    let with = match against.before {
        Some(before) => units::rfc3339(before),
        None => "its own begin".into(),
    };
    lines.put("compared", format_args!("with {with}: {}, {why}", word.as_str()));
    for doubt in against.doubts.iter().skip(1) {
        lines.put("", format_args!("{doubt}"));
    }
    for moved in &against.moved {
        lines.put("", format_args!("{}", line(moved)));
    }
}

/// `p99     1.20ms -> 1.71ms, +42.5 % (38.1 % to 47.0 %): worse`
fn line(moved: &Moved) -> String {
    let says = |figure: Quantity| match figure {
        Quantity::Time(time) => units::latency(time),
        Quantity::PerSecond(rate) => format!("{}/s", number(rate)),
        Quantity::Ratio(share) => format!("{:.2} %", share * 100.0),
        Quantity::Bytes(_) | Quantity::Count(_) => units::quantity(figure),
    };
    let by = match moved.by {
        Some(by) => {
            let ends = match (by.low, by.high) {
                (Some(low), Some(high)) => {
                    format!(" ({:+.1} % to {:+.1} %)", low * 100.0, high * 100.0)
                }
                _ => String::new(),
            };
            format!(", {:+.1} %{ends}", by.at * 100.0)
        }
        None => String::new(),
    };
    let sway = match moved.sway {
        Sway::Better => "better".into(),
        Sway::Worse => "WORSE".into(),
        Sway::Noise if moved.by.is_some() => format!("noise, floor {:.1} %", moved.floor * 100.0),
        Sway::Noise => "noise".to_owned(),
    };
    let (name, before, after) = (&moved.name, says(moved.before), says(moved.after));
    format!("{name:<7} {before} -> {after}{by}: {sway}")
}

/// How it went from begin to end.
pub(super) fn over_time(lines: &mut Lines, blocks: &[Block], measured: Duration) {
    let count = u32::try_from(blocks.len()).unwrap_or(u32::MAX).max(1);
    let mut title = "over time";
    for stretch in stretches(blocks, STRETCHES) {
        let from = measured / count * u32::try_from(stretch.from).unwrap_or(0);
        let time = |at: Option<Duration>| at.map_or_else(|| "never".into(), units::latency);
        let ([p50, _, p99], rate) = (stretch.within.map(time), number(stretch.per_second));
        let (from, failed) = (units::span(from), stretch.failed * 100.0);
        lines.put(
            title,
            format_args!(
                "{from:>6}  {rate:>6}/s  p50 {p50:>7}  p99 {p99:>7}  {failed:.2} % failed"
            ),
        );
        title = "";
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{domain::Timestamp, domain::perf::Estimate};

    fn moved(name: &str, [before, after]: [Quantity; 2], by: f64, sway: Sway) -> Moved {
        let by =
            (by != 0.0).then_some(Estimate { at: by, low: Some(by - 0.04), high: Some(by + 0.05) });
        Moved { name: name.into(), before, after, by, chance: 0.001, floor: 0.03, sway }
    }

    #[test]
    fn a_comparison_reads_from_top_to_bottom() {
        let time = |micros| Quantity::Time(Duration::from_micros(micros));
        let found = Against {
            before: Some(Timestamp(1_795_400_000_123)),
            moved: vec![
                moved("p50", [time(303), time(306)], 0.01, Sway::Noise),
                moved("p99", [time(1200), time(1710)], 0.425, Sway::Worse),
                moved(
                    "rate",
                    [Quantity::PerSecond(500.0), Quantity::PerSecond(501.0)],
                    0.002,
                    Sway::Noise,
                ),
                moved("errors", [Quantity::Ratio(0.0), Quantity::Ratio(0.002)], 0.0, Sway::Worse),
            ],
            doubts: Vec::new(),
        };
        insta::assert_snapshot!(against(&found), @r"
        compared   with 2026-11-23T02:13:20.123Z: NO-GO, worse: p99, errors
                   p50     0.303ms -> 0.306ms, +1.0 % (-3.0 % to +6.0 %): noise, floor 3.0 %
                   p99     1.20ms -> 1.71ms, +42.5 % (+38.5 % to +47.5 %): WORSE
                   rate    500/s -> 501/s, +0.2 % (-3.8 % to +5.2 %): noise, floor 3.0 %
                   errors  0.00 % -> 0.20 %: WORSE
        ");
    }

    #[test]
    fn a_soak_is_told_in_stretches() {
        let block = |failed| Block {
            mean: Duration::from_millis(1),
            per_second: 500.0,
            within: [Some(Duration::from_millis(1)), Some(Duration::from_millis(2)), None],
            failed,
        };
        let mut lines = Lines::default();
        over_time(&mut lines, &[block(0.0), block(0.5)], Duration::from_secs(12));
        insta::assert_snapshot!(lines.0, @r"
        over time     0ms     500/s  p50  1.00ms  p99   never  0.00 % failed
                     6.0s     500/s  p50  1.00ms  p99   never  50.00 % failed
        ");
    }
}
