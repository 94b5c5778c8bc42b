//! Keeps the file small: old points are rolled up into longer and longer steps,
//! and what is too old, or too much, goes.

use super::{
    link::{Link, Whole, ask},
    trouble::Trouble,
};
use crate::domain::Timestamp;
use std::time::Duration;

/// How long single points are kept, and rollups of each step after that. The last
/// are kept as long as everything else.
const STEPS: [(Duration, Duration); 3] = [
    (Duration::from_mins(1), Duration::from_hours(2)),
    (Duration::from_mins(10), Duration::from_hours(48)),
    (Duration::from_hours(1), Duration::from_hours(30 * 24)),
];
/// Parts of everything that go at once when there is too much.
const PARTS: i64 = 10;
/// How long an acceptance is told of after its end, and then kept no longer.
pub(super) const ENDED: Duration = Duration::from_hours(24);

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// What is older goes.
    pub age: Duration,
    /// The oldest goes while the file has more bytes.
    pub bytes: u64,
}

/// Rolls up, and removes what is out of bounds.
pub(super) async fn trim(link: &mut Link, bounds: Bounds, now: Timestamp) -> Result<(), Trouble> {
    let mut from = None;
    for (step, after) in STEPS {
        let mut whole = link.begin().await?;
        roll_up(&mut whole, from, step, before(now, after)).await?;
        whole.commit().await?;
        from = Some(step);
    }
    forget(link, before(now, bounds.age)).await?;
    let ended = ask("DELETE FROM accepted WHERE until < $1").bind(before(now, ENDED));
    ended.execute(link.at()).await?;
    for _ in 0..PARTS {
        let Some(oldest) = oldest(link).await?.filter(|oldest| *oldest < now.0) else { break };
        if link.size(bounds.bytes).await? <= bounds.bytes {
            break;
        }
        forget(link, oldest + (now.0 - oldest) / PARTS + 1).await?;
    }
    link.give_back().await
}

/// Adds what is older than `before` to the rollups of `step`; `from` is the step that
/// it has now, `None` for single points.
async fn roll_up(
    whole: &mut Whole<'_>,
    from: Option<Duration>,
    step: Duration,
    before: i64,
) -> Result<(), Trouble> {
    let step = millis(step);
    let before = before.div_euclid(step) * step; // whole steps only
    let (source, clause) = match from {
        None => (POINTS, "point WHERE at < $2".to_owned()),
        Some(from) => (ROLLUPS, format!("rollup WHERE step = {} AND at < $2", millis(from))),
    };
    let add = format!(
        "INSERT INTO rollup SELECT $1, series, at - at % $1, {source} FROM {clause} \
         GROUP BY 2, 3 {MERGE}"
    );
    ask(add).bind(step).bind(before).execute(whole.at()).await?;
    let remove = format!("DELETE FROM {}", clause.replace("$2", "$1"));
    ask(remove).bind(before).execute(whole.at()).await?;
    Ok(())
}

/// What single points add up to.
const POINTS: &str = "
    count(*) FILTER (WHERE mark = 0), count(*) FILTER (WHERE mark = 1),
    count(*) FILTER (WHERE mark = 2), count(*) FILTER (WHERE mark = 3),
    count(*) FILTER (WHERE mark = 4), count(value), avg(value), min(value), max(value)";
/// What rollups add up to.
const ROLLUPS: &str = "
    sum(passed), sum(warned), sum(failed), sum(unknown), sum(skipped),
    sum(n), sum(mean * n) / nullif(sum(n), 0), min(low), max(high)";
/// A clock that was set back leads into steps that are there already.
const MERGE: &str = "
    ON CONFLICT (step, series, at) DO UPDATE SET
    passed = rollup.passed + excluded.passed, warned = rollup.warned + excluded.warned,
    failed = rollup.failed + excluded.failed, unknown = rollup.unknown + excluded.unknown,
    skipped = rollup.skipped + excluded.skipped,
    mean = coalesce((coalesce(rollup.mean * rollup.n, 0) + coalesce(excluded.mean * excluded.n, 0))
        / nullif(rollup.n + excluded.n, 0), rollup.mean),
    low = CASE WHEN rollup.low <= excluded.low THEN rollup.low
        ELSE coalesce(excluded.low, rollup.low) END,
    high = CASE WHEN rollup.high >= excluded.high THEN rollup.high
        ELSE coalesce(excluded.high, rollup.high) END,
    n = rollup.n + excluded.n";

/// Removes what is older than `before`. Baselines stay, and so does how checks stand
/// and the last deploy.
async fn forget(link: &mut Link, before: i64) -> Result<(), Trouble> {
    let mut whole = link.begin().await?;
    for statement in [
        "DELETE FROM point WHERE at < $1",
        "DELETE FROM rollup WHERE at < $1",
        "DELETE FROM transition WHERE at < $1",
        "DELETE FROM event WHERE at < $1",
        "DELETE FROM test WHERE at < $1",
        "DELETE FROM run WHERE seen < $1",
        "DELETE FROM evidence WHERE at < $1",
        "DELETE FROM deploy WHERE at < $1 AND at NOT IN (SELECT max(at) FROM deploy GROUP BY app)",
    ] {
        ask(statement).bind(before).execute(whole.at()).await?;
    }
    whole.commit().await?;
    Ok(())
}

/// The oldest moment that is kept.
async fn oldest(link: &mut Link) -> Result<Option<i64>, Trouble> {
    let all = "SELECT min(at) FROM (
        SELECT min(at) AS at FROM point UNION ALL SELECT min(at) FROM rollup
        UNION ALL SELECT min(at) FROM event UNION ALL SELECT min(at) FROM transition
        UNION ALL SELECT min(at) FROM test) AS each";
    ask(all).scalar(link.at()).await
}

fn before(now: Timestamp, age: Duration) -> i64 {
    now.0.saturating_sub(millis(age))
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}
