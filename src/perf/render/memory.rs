//! Whether a target leaks, for people and as a table. Pure.

use super::{
    graph::{Graph, Scale as Axis, Size},
    human::Lines,
};
use crate::{
    domain::perf::{Floor, Jump, Leak, Memory, Record, Trend},
    units,
};
use std::fmt::Write as _;

/// How large the graph of a finished test is.
const SIZE: Size = Size { width: 46, height: 7 };
/// Operations that growth is counted for.
const PER: f64 = 500.0;
/// What the ordinate shows at least: what moves less lies on one line.
const LEAST: f64 = 1_048_576.0;

/// What it comes down to, in a few words.
pub(super) fn brief(memory: &Memory) -> String {
    let grows = memory.trend.map(|trend| format!("  {} in 500 ops", signed(trend.over(PER)[1])));
    format!("{}{}", word(memory.found), grows.unwrap_or_default())
}

fn word(found: Leak) -> &'static str {
    match found {
        Leak::Unknown => "not enough data",
        Leak::Flat => "no leak",
        Leak::Settled => "no leak, it settled",
        Leak::Stepped => "undecided, a late step",
        Leak::Retained => "undecided, heap flat",
        Leak::Leaks => "LEAK",
        Leak::Undecided => "undecided",
    }
}

/// What was to be done.
pub(super) fn load(memory: &Memory, record: &Record) -> String {
    let (done, method) = (memory.readings.len(), &record.total.name);
    let rate = memory.per_second;
    format!("{done} {method} one after the other, memory read after each: {rate:.0}/s")
}

/// The lines between the verdict and the tail.
pub(super) fn human(lines: &mut Lines, memory: &Memory) {
    for doubt in &memory.doubts {
        lines.put("undecided", format_args!("{doubt}"));
    }
    lines.put("found", format_args!("{}", says(memory)));
    if let (Some(first), Some(last)) = (memory.floors.first(), memory.floors.last()) {
        let (first, last) = (units::bytes(first.bytes), units::bytes(last.bytes));
        lines.put("measured", format_args!("{}: {first} to {last}", memory.measure));
    }
    for line in graph(&memory.floors, Some(memory), SIZE) {
        lines.put("", format_args!("{line}"));
    }
    if let Some(trend) = &memory.trend {
        trended(lines, trend, memory);
    }
    if let Some(process) = &memory.process {
        let [low, at, high] = process.over(PER).map(signed);
        lines.put("process", format_args!("{at} in 500 operations ({low} to {high})"));
    }
    if let Some(room) = &memory.room {
        let (limit, of) = (units::bytes(room.limit), &room.of);
        let free = units::bytes(room.limit.saturating_sub(room.used));
        let full = room.operations.map(|count| {
            let left = room.left.map(|left| format!(", {} at this pace", units::span(left)));
            format!(": full after {count} operations{}", left.unwrap_or_default())
        });
        let full = full.unwrap_or_default();
        lines.put("room", format_args!("{free} of {limit}, {of}{full}"));
    }
}

/// What was found, in a sentence.
fn says(memory: &Memory) -> String {
    let limit = units::bytes(memory.limit);
    let each = memory.trend.map(|trend| {
        let [low, at, high] = trend.over(1.0).map(fine);
        format!("{at} an operation ({low} to {high})")
    });
    let each = each.unwrap_or_default();
    let once =
        |Jump { after, bytes }: Jump| format!("{} after {after} operations", units::bytes(bytes));
    match (memory.found, memory.jump) {
        (Leak::Unknown, _) => "not enough data to tell".into(),
        (Leak::Flat, _) => format!("no leak: growth is surely under {limit} in 500 operations"),
        (Leak::Settled, Some(jump)) => {
            format!("no leak: it rose once, {}, and is flat since", once(jump))
        }
        (Leak::Settled, None) => {
            "no leak: it rose at first and is flat since: caches, or pages that are kept".into()
        }
        (Leak::Stepped, jump) => {
            let once = jump.map(once).unwrap_or_default();
            format!("it rose at once, {once}; run more operations")
        }
        (Leak::Retained, _) => {
            "the heap is flat, the process grows: its allocator, or memory beside the heap".into()
        }
        (Leak::Leaks, _) => format!("it leaks {each}"),
        (Leak::Undecided, _) => format!("nobody can tell yet: {each}"),
    }
}

fn trended(lines: &mut Lines, trend: &Trend, memory: &Memory) {
    let [low, at, high] = trend.over(PER).map(signed);
    lines.put("growth", format_args!("{at} in 500 operations, 90 % sure: {low} to {high}"));
    let warm = usize::try_from(memory.warm_up).unwrap_or_default();
    let warm = warm.checked_sub(1).and_then(|last| memory.floors.get(last));
    let warm = warm.map_or(0, |floor| floor.after);
    let r = trend.r_squared;
    let chance = match trend.chance {
        chance if chance < 0.0001 => "under 0.0001".into(),
        chance => format!("{chance:.4}"),
    };
    let blocks = memory.floors.len().saturating_sub(memory.warm_up as usize);
    lines.put(
        "trend",
        format_args!("by chance {chance}, R² {r:.2}, {blocks} blocks, warm-up {warm} cut"),
    );
    if trend.inflation > 1.0 {
        let times = trend.inflation;
        lines.put("", format_args!("readings depend on those before: variance times {times:.1}"));
    }
}

/// The floors and, where one is known, the line through those that were judged.
pub fn graph(floors: &[Floor], judged: Option<&Memory>, size: Size) -> Vec<String> {
    let points: Vec<_> = floors.iter().map(|it| (f64::from(it.after), float(it.bytes))).collect();
    let (least, most) = points.iter().fold((f64::INFINITY, 0.0), |(least, most), (_, bytes)| {
        (f64::min(least, *bytes), f64::max(most, *bytes))
    });
    let room = f64::max(LEAST - (most - least), 0.0) / 2.0;
    let line = judged.and_then(|memory| {
        let first = floors.get(usize::try_from(memory.warm_up).ok()?)?.after;
        let trend = memory.trend?;
        Some(move |at: f64| if at < f64::from(first) { f64::NAN } else { trend.at(at) })
    });
    let says = |bytes: f64| units::bytes(whole(bytes));
    let graph = Graph {
        points: &points,
        curve: line.as_ref().map(|line| line as &dyn Fn(f64) -> f64),
        scale: Axis::Even,
        bottom: Some(f64::max(least - room, 0.0)),
        top: Some(most + room),
        says: &says,
        unit: "ops",
    };
    graph.lines(size)
}

/// The same with a digit more, for what one operation adds.
fn fine(bytes: f64) -> String {
    let kib = bytes / 1024.0;
    if (1.0..1024.0).contains(&kib.abs()) { format!("{kib:+.1} KiB") } else { signed(bytes) }
}

/// Bytes with their sign.
fn signed(bytes: f64) -> String {
    let sign = if bytes < -0.5 { '-' } else { '+' };
    format!("{sign}{}", units::bytes(whole(bytes.abs())))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "saturates at both ends"
)]
fn whole(positive: f64) -> u64 {
    positive.round() as u64
}

#[expect(clippy::cast_precision_loss, reason = "exact up to eight petabytes")]
fn float(bytes: u64) -> f64 {
    bytes as f64
}

/// A line a block.
pub(super) fn csv(memory: &Memory) -> String {
    let mut text = String::from("\"operations\",\"bytes\",\"fitted_bytes\",\"warm_up\"\n");
    for (place, Floor { after, bytes }) in memory.floors.iter().enumerate() {
        let warm = place < usize::try_from(memory.warm_up).unwrap_or(usize::MAX);
        let fitted = memory.trend.filter(|_| !warm).map(|trend| trend.at(f64::from(*after)));
        let fitted = fitted.map(|bytes| format!("{bytes:.0}")).unwrap_or_default();
        // Writing to a String cannot fail.
        let _infallible = writeln!(text, "\"{after}\",\"{bytes}\",\"{fitted}\",\"{warm}\"");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::perf::render::{csv, human, sample};

    #[test]
    fn a_test_of_memory_reads_from_top_to_bottom() {
        insta::assert_snapshot!(human(&sample::leaking()));
    }

    #[test]
    fn a_line_a_block() {
        insta::assert_snapshot!(csv(&sample::leaking()));
    }

    #[test]
    fn each_finding_has_its_words() {
        let all = [
            Leak::Unknown,
            Leak::Flat,
            Leak::Settled,
            Leak::Retained,
            Leak::Leaks,
            Leak::Undecided,
        ];
        let leaking = sample::leaking().memory.unwrap();
        let jump = Some(Jump { after: 450, bytes: 6 << 20 });
        let words = |(found, jump): (Leak, Option<Jump>)| {
            let memory = Memory { jump, found, ..(*leaking).clone() };
            format!("{}\n  {}", brief(&memory), says(&memory))
        };
        let all = all
            .into_iter()
            .map(|found| (found, None))
            .chain([(Leak::Settled, jump), (Leak::Stepped, jump)]);
        insta::assert_snapshot!(all.map(words).collect::<Vec<_>>().join("\n"));
    }

    #[test]
    fn flat_memory_is_a_line_in_the_middle_and_none_is_no_graph() {
        let floors: Vec<Floor> = (1..=20)
            .map(|at| Floor { after: at * 25, bytes: (92 << 20) + u64::from(at % 2) })
            .collect();
        let lines = graph(&floors, None, Size { width: 20, height: 5 });
        assert!(lines[2].contains('o') && !lines[0].contains('o'), "{lines:#?}");
        assert!(graph(&[], None, SIZE).is_empty());
    }
}
