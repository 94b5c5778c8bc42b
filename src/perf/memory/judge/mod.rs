//! What the readings say. Pure.

#[cfg(test)]
mod rates;
#[cfg(test)]
mod tests;

use crate::{
    domain::{
        Quantity,
        perf::{Floor, Goal, Judged, Jump, Leak, Trend},
    },
    perf::number::float,
    stats::{self, Growth},
    units,
};

/// Blocks of operations, of each of which the least reading counts.
pub(super) const BLOCKS: usize = 20;
/// What growth is counted for.
pub(super) const PER: f64 = 500.0;
/// The chance under which growth is more than that.
const SURE: f64 = 0.01;
/// The share of the limit under which growth is no matter.
const NEGLIGIBLE: f64 = 0.1;
/// Blocks that have to follow a step before it is taken to be over.
const QUIET: usize = 5;
/// Collections without which a growing heap may be nothing but garbage.
const COLLECTIONS: u64 = 3;

/// How many times as fast memory has to grow at first to be said to grow ever more slowly.
const FASTER: f64 = 1.5;

/// What growth is held against.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rules {
    /// Bytes for 500 operations.
    pub(super) limit: u64,
    /// Whether any growth that is sure is too much.
    pub(super) strict: bool,
}

/// What readings come to.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Told {
    pub(super) floors: Vec<Floor>,
    pub(super) warm_up: usize,
    pub(super) trend: Option<Trend>,
    pub(super) jump: Option<Jump>,
    pub(super) found: Leak,
}

/// The least of each of `blocks` of `readings`, one after each operation.
pub(super) fn floors(readings: &[u64], blocks: usize) -> Vec<Floor> {
    let values: Vec<f64> = readings.iter().map(|bytes| float(*bytes)).collect();
    let floors = stats::floors(&values, blocks);
    let after = |block: usize| (block + 1) * readings.len() / floors.len();
    let floor = |(block, value): (usize, &f64)| Floor {
        after: u32::try_from(after(block)).unwrap_or(u32::MAX),
        bytes: whole(*value),
    };
    floors.iter().enumerate().map(floor).collect()
}

/// Judges `readings`, one after each operation.
pub(super) fn judge(readings: &[u64], rules: Rules) -> Told {
    let floors = floors(readings, BLOCKS);
    let values: Vec<f64> = floors.iter().map(|floor| float(floor.bytes)).collect();
    let warm_up = stats::warm_up(&values);
    let points: Vec<(f64, f64)> =
        floors.iter().zip(&values).map(|(floor, value)| (f64::from(floor.after), *value)).collect();
    let told = Told { floors, warm_up, ..Told::default() };
    let Some(trend) = trend(&points[warm_up..]).filter(|_| points.len() == BLOCKS) else {
        return told;
    };
    let jump = stats::Jump::of(&values).filter(|jump| jump.by > negligible(rules));
    let found = found(&points, warm_up, rules, (trend, jump));
    let jump = jump.and_then(|jump| {
        let bytes = whole(jump.by);
        Some(Jump { after: told.floors.get(jump.at.checked_sub(1)?)?.after, bytes })
    });
    Told { trend: Some(trend), jump, found, ..told }
}

fn found(
    points: &[(f64, f64)],
    warm_up: usize,
    rules: Rules,
    (trend, jump): (Trend, Option<stats::Jump>),
) -> Leak {
    let limit = float(rules.limit);
    let under = |trend: &Trend| !is_sure(trend, rules) && trend.over(PER)[2] < limit;
    let rose = points[warm_up].1 - points[0].1 > negligible(rules);
    let flat = if rose || jump.is_some() { Leak::Settled } else { Leak::Flat };
    let late = jump.filter(|jump| points.len() - jump.at < QUIET && jump.by >= limit);
    if late.is_some() {
        return Leak::Stepped;
    }
    if under(&trend) {
        return flat;
    }
    // Without its only step it is flat: what is left of it is no trend.
    let once = jump.filter(|jump| {
        let lower =
            |(at, (x, y)): (usize, &(f64, f64))| (*x, if at < jump.at { *y } else { y - jump.by });
        let level: Vec<(f64, f64)> = points.iter().enumerate().map(lower).collect();
        self::trend(&level[warm_up..]).is_some_and(|trend| under(&trend))
    });
    match once {
        Some(jump) if points.len() - jump.at >= QUIET => Leak::Settled,
        Some(_) => Leak::Stepped,
        None if is_sure(&trend, rules) && !slows(points, warm_up, &trend) => Leak::Leaks,
        None => Leak::Undecided,
    }
}

/// Whether it grows by more than chance, and by enough to matter.
pub(super) fn is_sure(trend: &Trend, rules: Rules) -> bool {
    let least = if rules.strict { 0.0 } else { negligible(rules) };
    trend.chance < SURE && trend.over(PER)[0] > least
}

/// Whether it surely grew faster in the second half of the warm-up: what fills up slowly
/// does, what leaks does not.
fn slows(points: &[(f64, f64)], warm_up: usize, late: &Trend) -> bool {
    let early = trend(&points[warm_up / 2..warm_up]);
    let faster = |early: &Trend| early.per_operation > FASTER * late.per_operation;
    early.is_some_and(|early| early.low > late.high && faster(&early))
}

fn negligible(rules: Rules) -> f64 {
    float(rules.limit) * NEGLIGIBLE
}

/// How points, operations first, move.
fn trend(points: &[(f64, f64)]) -> Option<Trend> {
    let Growth { slope, chance, inflation, r_squared } = Growth::of(points)?;
    let starts: Vec<f64> = points.iter().map(|(x, y)| y - slope.median * x).collect();
    Some(Trend {
        per_operation: slope.median,
        low: slope.low,
        high: slope.high,
        start: stats::median(&starts)?,
        chance,
        inflation,
        r_squared,
    })
}

/// What a heap that was judged as `heap` comes to beside its `process`, judged alike, and
/// after so many collections, where the target tells them.
pub(super) fn beside(heap: Leak, process: Option<Leak>, collections: Option<u64>) -> Leak {
    let grows = process.is_some_and(|process| !process.is_none());
    let garbage = collections.is_some_and(|collections| collections < COLLECTIONS);
    match heap {
        Leak::Flat | Leak::Settled if grows => Leak::Retained,
        Leak::Leaks if garbage => Leak::Undecided,
        Leak::Flat
        | Leak::Settled
        | Leak::Leaks
        | Leak::Stepped
        | Leak::Retained
        | Leak::Undecided
        | Leak::Unknown => heap,
    }
}

/// What was wanted, and whether it is so.
pub(super) fn goal(told: &Told, found: Leak, collections: Option<u64>, rules: Rules) -> Goal {
    let bytes = |bytes: f64| Quantity::Bytes(whole(bytes));
    let over = told.trend.map(|trend| trend.over(PER).map(bytes));
    let [low, at, high] = over.map_or([None; 3], |over| over.map(Some));
    let judged = match found {
        Leak::Flat | Leak::Settled => Judged::Pass,
        Leak::Leaks => Judged::Fail,
        Leak::Unknown | Leak::Stepped | Leak::Retained | Leak::Undecided => Judged::Undecided,
    };
    let why = why(told, found, collections, rules);
    let (name, limit) = ("growth".into(), Quantity::Bytes(rules.limit));
    Goal { name, limit, found: at, low, high, judged, why }
}

/// Why it is not as it was wanted, in a clause.
fn why(told: &Told, found: Leak, collections: Option<u64>, rules: Rules) -> String {
    let rise = told.trend.map(|trend| trend.over(PER)).unwrap_or_default();
    match found {
        Leak::Flat | Leak::Settled => String::new(),
        Leak::Unknown => "there are too few readings".into(),
        Leak::Stepped => "it rose at once and so late that it may come again".into(),
        Leak::Retained => "the heap is flat and the process grows".into(),
        Leak::Leaks if rise[2] < float(rules.limit) => "under the limit, but without end".into(),
        Leak::Leaks => "without end".into(),
        Leak::Undecided if let Some(few) = collections.filter(|it| *it < COLLECTIONS) => {
            format!("its heap was collected {few} times: it may be garbage; run more operations")
        }
        Leak::Undecided if told.trend.is_some_and(|trend| is_sure(&trend, rules)) => {
            "it grows ever more slowly; run more operations".into()
        }
        Leak::Undecided => {
            let limit = units::bytes(rules.limit);
            format!("it may be over {limit} and may be nothing; run more operations")
        }
    }
}

/// Whole bytes, none where there would be fewer.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "saturates at both ends"
)]
pub(super) fn whole(bytes: f64) -> u64 {
    bytes.round() as u64
}
