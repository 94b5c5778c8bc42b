//! Whether a test came out otherwise than an earlier one, or its end otherwise than its
//! begin. Pure.
//!
//! What is compared are blocks, never requests, which are alike within a moment: their
//! order tells chance from a move (Mann and Whitney, exact, after Holm for all figures
//! together), their differences how far it went (Hodges and Lehmann). A move counts where
//! it is surely one and exceeds what the blocks before differ by themselves.

use super::{number::float, steady::unsteady, wanted};
use crate::{
    domain::{
        FactValue, Quantity,
        perf::{Against, Block, Ended, Estimate, Load, Moved, Record, Sway},
    },
    stats::{self, Comparison, blocks, holm, mann_whitney},
    units,
};
use std::time::Duration;

/// Blocks on a side without which nothing is said,
const ENOUGH: usize = 10;
/// and to which more are put together, so that every way to part them can be counted.
const MOST: usize = 20;
/// How often chance may be taken for a move.
const ALPHA: f64 = 0.01;
/// The quantiles of a block, by their names.
const WITHIN: [&str; 3] = ["p50", "p95", "p99"];

/// What is asked of a test, in words.
type Field = fn(&Record) -> String;

/// In what two tests differ, so that they cannot be compared; nothing where they can.
pub fn unlike(before: &Record, after: &Record) -> Vec<String> {
    let fields: [(&str, Field); 13] = [
        ("test", |it| it.test.clone()),
        ("target", |it| it.target.clone()),
        ("profile", |it| it.profile.clone()),
        ("operations", |it| it.total.name.clone()),
        ("arrivals", |it| wanted::arrivals(it.load.arrivals)),
        ("clients", |it| it.load.clients.to_string()),
        ("depth", |it| it.load.depth.to_string()),
        ("threads", |it| it.load.threads.to_string()),
        ("duration", |it| it.load.duration.map(units::span).unwrap_or_default()),
        ("requests", |it| it.load.requests.map(|it| it.to_string()).unwrap_or_default()),
        ("protocol", |it| word(it, "protocol")),
        ("connection", |it| word(it, "connection")),
        ("host", |it| it.host.clone()),
    ];
    let named = |it: String| if it.is_empty() { "none".to_owned() } else { it };
    let apart = fields.into_iter().filter_map(|(name, of)| {
        let (then, now) = (of(before), of(after));
        (then != now).then(|| format!("{name}: {}, then {}", named(then), named(now)))
    });
    apart.collect()
}

/// Whether it has as many blocks as a comparison takes.
pub fn is_comparable(record: &Record) -> bool {
    record.blocks.len() >= ENOUGH
}

fn word(record: &Record, name: &str) -> String {
    match record.facts.iter().find(|fact| fact.name == name).map(|fact| &fact.value) {
        Some(FactValue::Words(words)) => words.clone(),
        Some(FactValue::Quantity(_)) | None => String::new(),
    }
}

/// How `after` stands against `before`, which are alike.
pub fn compare(before: &Record, after: &Record) -> Against {
    let mut doubts: Vec<String> = Vec::new();
    for (which, record) in [("the earlier one", before), ("the later one", after)] {
        let parts = record.blocks.len();
        if parts < ENOUGH {
            doubts.push(format!("{which} has {parts} parts of the {ENOUGH} that it takes"));
        }
        match &record.ended {
            Ended::Complete => {}
            Ended::Aborted => doubts.push(format!("{which} was stopped early")),
            Ended::Stopped(why) => doubts.push(format!("{which} was stopped: {why}")),
        }
        if let Some(limit) = record.generator.limits.first() {
            doubts.push(format!("{which} may be about us: {limit}"));
        }
        if record.generator.failed > 0 {
            doubts.push(format!("{which} lacked something on this host"));
        }
        if let Some(moving) = unsteady(&record.blocks) {
            doubts.push(format!("{which} has {moving}"));
        }
    }
    let sides = [&*before.blocks, &*after.blocks];
    Against { before: Some(before.began), moved: moved(sides, &after.load), doubts }
}

/// How the end of a test stands against its begin: the last tenth against the first, of
/// ten blocks at least. `limit` says why it may be about us.
pub(super) fn drift(blocks: &[Block], limit: Option<&str>, load: &Load) -> Against {
    let part = ENOUGH.max(blocks.len() / 10);
    let mut doubts = Vec::new();
    let sides = if let Some(rest) = blocks.len().checked_sub(2 * part) {
        [&blocks[..part], &blocks[rest + part..]]
    } else {
        let (many, enough) = (blocks.len(), 2 * part);
        doubts.push(format!("begin and end cannot be told apart: {many} parts of {enough}"));
        [&[][..]; 2]
    };
    doubts.extend(limit.map(|limit| format!("it may be about us: {limit}")));
    Against { before: None, moved: moved(sides, load), doubts }
}

/// Each figure of both sides; none where there are too few blocks.
fn moved(sides: [&[Block]; 2], load: &Load) -> Vec<Moved> {
    if sides.iter().any(|blocks| blocks.len() < ENOUGH) {
        return Vec::new();
    }
    let mut found: Vec<Moved> = Vec::new();
    for (place, name) in WITHIN.into_iter().enumerate() {
        // What was never answered waited for as long as anybody would.
        let time = |block: &Block| block.within[place].unwrap_or(load.timeout).as_secs_f64();
        found.extend(shift(name, sides.map(|blocks| series(blocks, time)), seconds));
    }
    let rates = sides.map(|blocks| series(blocks, |block| block.per_second));
    found.extend(shift("rate", rates, Quantity::PerSecond));
    found.push(errors(sides));
    let chances: Vec<f64> = found.iter().map(|it| it.chance).collect();
    for (moved, chance) in found.iter_mut().zip(holm(&chances)) {
        moved.sway = sway(moved, chance);
        moved.chance = chance;
    }
    found
}

fn series(all: &[Block], of: impl Fn(&Block) -> f64) -> Vec<f64> {
    blocks(&all.iter().map(of).collect::<Vec<_>>(), MOST)
}

fn shift(name: &str, [before, after]: [Vec<f64>; 2], of: fn(f64) -> Quantity) -> Option<Moved> {
    let compared = Comparison::of(&before, &after)?;
    let share = |end: f64| Some(end / compared.before).filter(|share| share.is_finite());
    let by = compared.by;
    Some(Moved {
        name: name.into(),
        before: of(compared.before),
        after: of(compared.after),
        by: Some(Estimate { at: compared.ratio(), low: share(by.low), high: share(by.high) }),
        chance: compared.p,
        floor: compared.floor,
        sway: Sway::Noise,
    })
}

/// Failures are none in most blocks, so that their median says nothing.
fn errors(sides: [&[Block]; 2]) -> Moved {
    let mean = |blocks: &[Block]| {
        let sum: f64 = blocks.iter().map(|block| block.failed).sum();
        Quantity::Ratio(sum / float(u64::try_from(blocks.len()).unwrap_or(1)).max(1.0))
    };
    // As many blocks as there are, up to what can be counted: a median of several would
    // hide the few that failed.
    let [before, after] = sides.map(|all| {
        let step = all.len().div_ceil(MOST).max(1);
        let worst = |part: &[Block]| part.iter().map(|block| block.failed).fold(0.0, f64::max);
        all.chunks(step).map(worst).collect::<Vec<f64>>()
    });
    Moved {
        name: "errors".into(),
        before: mean(sides[0]),
        after: mean(sides[1]),
        by: None,
        chance: mann_whitney(&before, &after),
        floor: 0.0,
        sway: Sway::Noise,
    }
}

/// What a move comes to, where the chance among all that is compared is `chance`.
fn sway(moved: &Moved, chance: f64) -> Sway {
    let rises = match (&moved.by, moved.before, moved.after) {
        _ if chance >= ALPHA => return Sway::Noise,
        (Some(by), ..) if by.at.abs() <= moved.floor => return Sway::Noise,
        (Some(by), ..) => by.at > 0.0,
        (None, Quantity::Ratio(before), Quantity::Ratio(after)) => after > before,
        (None, ..) => return Sway::Noise,
    };
    if rises == (moved.name == "rate") { Sway::Better } else { Sway::Worse }
}

fn seconds(value: f64) -> Quantity {
    Quantity::Time(Duration::try_from_secs_f64(value).unwrap_or(Duration::MAX))
}

/// A part of a test as people read it: the rate, p50 and p99 of the middle of its blocks,
/// and the share that failed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Stretch {
    /// Blocks before it.
    pub(super) from: usize,
    pub(super) per_second: f64,
    pub(super) within: [Option<Duration>; 3],
    pub(super) failed: f64,
}

/// `blocks` in at most `most` parts that follow each other.
pub(super) fn stretches(blocks: &[Block], most: usize) -> Vec<Stretch> {
    let step = blocks.len().div_ceil(most.max(1)).max(1);
    let middle = |part: &[Block], of: &dyn Fn(&Block) -> f64| {
        stats::median(&part.iter().map(of).collect::<Vec<f64>>()).unwrap_or_default()
    };
    let stretch = |(at, part): (usize, &[Block])| {
        let within = [0, 1, 2].map(|place| {
            let time =
                |block: &Block| block.within[place].map_or(f64::INFINITY, |it| it.as_secs_f64());
            Duration::try_from_secs_f64(middle(part, &time)).ok()
        });
        let count = float(u64::try_from(part.len()).unwrap_or(1));
        Stretch {
            from: at * step,
            per_second: middle(part, &|block| block.per_second),
            within,
            failed: part.iter().map(|block| block.failed).sum::<f64>() / count,
        }
    };
    blocks.chunks(step).enumerate().map(stretch).collect()
}

#[cfg(test)]
mod tests;
