//! Whether an application shows how it uses the database, and how it fares. Pure.

use super::{
    super::vitals::{Aspect, Subject, conclude},
    looks::Growth,
    names::{Figure, Figures, Key, Reading},
    text::literal,
};
use crate::{
    domain::{Evidence, Finding, Mark, Outcome, plain},
    units,
};
use std::time::Duration;

/// Tenths of a pool in use, above which it is short.
const SHORT: f64 = 9.0;
/// For how long somebody may wait for a pool at every look.
const PATIENCE: Duration = Duration::from_secs(10);
/// Seconds that a request may wait for a connection.
const WAIT: f64 = 1.0;
/// Connections given back without one query, which is more than the checks of a
/// pool itself make up.
const IDLE_TURNS: f64 = 20.0;
/// The widest name of a pool in a sentence.
const POOL_NAME: usize = 16;

const QUERIES: Subject = Subject {
    what: "queries",
    limit: "a histogram that counts",
    why: "slow queries show in no graph of the application",
    look: "db_client_operation_duration_seconds",
};
const POOL: Subject = Subject {
    what: "pool",
    limit: "90 % / all of it, and somebody waits",
    why: "requests wait for a connection",
    look: "db_client_connection_count, db_client_connection_max",
};
const WAITING: Subject = Subject {
    what: "waiting",
    limit: "nobody for 10s / 1s",
    why: "whoever waits for a connection holds a request up",
    look: "db_client_connection_pending_requests",
};
const TIMEOUTS: Subject = Subject {
    what: "timeouts",
    limit: "none since the last looks",
    why: "a request that gets no connection fails",
    look: "db_client_connection_timeouts_total",
};
const WAITED: Subject = Subject {
    what: "wait time",
    limit: "1s on average",
    why: "it is added to every request",
    look: "db_client_connection_wait_time_seconds",
};
const COUNTING: Subject = Subject {
    what: "counting",
    limit: "a query in 20 turns of a connection",
    why: "an instrumentation that stopped looks like an idle application",
    look: "db_client_connection_use_time_seconds_count",
};
const NAMES: Subject = Subject {
    what: "names",
    limit: "those of today's conventions",
    why: "dashboards and alerts ask for the new ones",
    look: "db_client_connections_usage, db_system",
};
const TEXTS: Subject = Subject {
    what: "query texts",
    limit: "no literal in a label",
    why: "what users type in is kept by whoever scrapes",
    look: "db_query_text",
};
const SUBJECTS: &[Subject] = &[QUERIES, POOL, WAITING, TIMEOUTS, WAITED, COUNTING, NAMES, TEXTS];

const INSTRUMENT: &str = "record db.client.operation.duration of OpenTelemetry in the driver";
const EXPORT_POOL: &str =
    "export db.client.connection.count and .max, or the metrics of the pool itself";
const GROW: &str = "look for connections that are held too long, then raise the pool's limit";

/// What a page tells, and what changed on it since the looks before.
pub(super) fn judge(reading: &Reading, growth: Option<&Growth>, asked: &str) -> Finding {
    if reading.queries == Figures::default() && reading.pools.is_empty() {
        return nothing(reading, asked);
    }
    let aspects: Vec<Aspect> = [
        Some(queries(reading)),
        Some(pools(reading)),
        waiting(reading, growth),
        timeouts(reading, growth),
        wait_time(reading, growth),
        growth.and_then(|growth| counting(reading, growth)),
        Some(names(reading)),
        Some(texts(reading)),
    ]
    .into_iter()
    .flatten()
    .collect();
    let finding = conclude(SUBJECTS, &aspects, asked);
    let evidence = finding.evidence.clone().asked(asked);
    if finding.outcome == Outcome::Pass {
        let says = format!("{}, {}", aspects[0].seen, aspects[1].seen);
        return Finding::pass(&says).evidence(evidence);
    }
    finding.evidence(evidence)
}

fn nothing(reading: &Reading, asked: &str) -> Finding {
    let evidence = Evidence::default()
        .asked(asked)
        .wanted("db_client_operation_duration_seconds, and a pool: db_client_connection_count")
        .reply(&format!("{} samples, none of them", reading.samples));
    let remedy = format!("{INSTRUMENT}, and {EXPORT_POOL}");
    Finding::fail("exports neither query times nor a pool").remedy(&remedy).evidence(evidence)
}

fn queries(reading: &Reading) -> Aspect {
    let told = &reading.queries;
    let bad =
        |seen: &str, says: &str| QUERIES.bad(Mark::Warn, seen, says.into(), INSTRUMENT.into());
    let Some(count) = told.get(Figure::Queries) else {
        return bad("none", "a pool is exported, query times are not");
    };
    if told.get(Figure::Buckets).is_none() {
        return bad("no buckets", "query times are exported, but no histogram");
    }
    if count < 1.0 {
        return bad("0 queries", "query times are exported, none was counted");
    }
    let failed =
        told.get(Figure::Failed).map_or_else(String::new, |it| format!(", {it:.0} failed"));
    let word = if count < 2.0 { "query" } else { "queries" };
    QUERIES.fine(format!("{count:.0} {word}{failed}"))
}

/// How a pool is called in a sentence.
fn called((_, name): &Key) -> String {
    if name.is_empty() { "pool".into() } else { format!("pool {}", plain(name, POOL_NAME)) }
}

/// The worst of all pools, the first of them if several are.
fn worst(each: impl Iterator<Item = Aspect>, subject: &Subject) -> Aspect {
    let rank = |aspect: &Aspect| match aspect.mark {
        Mark::Fail => 2,
        Mark::Warn => 1,
        Mark::Pass | Mark::Unknown | Mark::Skipped => 0,
    };
    let worse = |worst: Aspect, next: Aspect| if rank(&next) > rank(&worst) { next } else { worst };
    each.reduce(worse).unwrap_or_else(|| subject.fine("none"))
}

fn pools(reading: &Reading) -> Aspect {
    if reading.pools.is_empty() {
        let says = "query times are exported, a pool is not".to_owned();
        return POOL.bad(Mark::Warn, "none", says, EXPORT_POOL.into());
    }
    worst(reading.pools.iter().map(|(key, pool)| room(key, pool)), &POOL)
}

/// Whether a pool has connections left.
fn room(key: &Key, pool: &Figures) -> Aspect {
    let name = called(key);
    let (used, idle) = (pool.get(Figure::Used), pool.get(Figure::Idle));
    let Some(used) = used.or_else(|| idle.map(|_| 0.0)) else {
        let says = format!("{name} tells neither used nor idle");
        return POOL.bad(Mark::Warn, "no connections", says, EXPORT_POOL.into());
    };
    // Of a pool without a limit some say that it is 0.
    let max = pool.get(Figure::Max).filter(|max| *max > 0.0);
    let Some(max) = max else {
        return POOL.fine(format!("{name}: {used:.0} used, {:.0} idle", idle.unwrap_or_default()));
    };
    let seen = format!("{name}: {used:.0} of {max:.0} used");
    let pending = pool.get(Figure::Pending).unwrap_or_default();
    if used >= max && pending > 0.0 {
        let says = format!("{seen}, {pending:.0} waiting");
        POOL.bad(Mark::Fail, &says, says.clone(), GROW.into())
    } else if used * 10.0 > max * SHORT {
        POOL.bad(Mark::Warn, &seen, format!("{seen}, limit 90 %"), GROW.into())
    } else {
        POOL.fine(seen)
    }
}

fn waiting(reading: &Reading, growth: Option<&Growth>) -> Option<Aspect> {
    let each = |(key, pool): (&Key, &Figures)| {
        let (pending, longest) = (pool.get(Figure::Pending), pool.get(Figure::LongestWait));
        let name = called(key);
        let seen = match (pending, longest) {
            (Some(pending), _) => format!("{name}: {pending:.0} waiting"),
            (None, Some(longest)) => format!("{name}: the first waits {}", span(longest)),
            (None, None) => return None,
        };
        if let Some(longest) = longest.filter(|longest| *longest > WAIT) {
            let says = format!("{name}: the first waits {}, limit 1s", span(longest));
            return Some(WAITING.bad(Mark::Fail, &seen, says, GROW.into()));
        }
        let since = growth.and_then(|growth| growth.waiting.get(key).copied());
        Some(match since.filter(|since| *since >= PATIENCE) {
            Some(since) => {
                let says = format!("{seen} for {}, limit 10s", units::span(since));
                WAITING.bad(Mark::Warn, &seen, says, GROW.into())
            }
            None => WAITING.fine(seen),
        })
    };
    each_told(reading, &WAITING, each)
}

fn timeouts(reading: &Reading, growth: Option<&Growth>) -> Option<Aspect> {
    let each = |(key, pool): (&Key, &Figures)| {
        let all = pool.get(Figure::Timeouts)?;
        let seen = format!("{}: {all:.0} in all", called(key));
        let new = growth.and_then(|growth| growth.pools.get(key)?.get(Figure::Timeouts));
        Some(match (new.filter(|new| *new > 0.0), growth) {
            (Some(new), Some(growth)) => {
                let span = units::span(growth.span);
                let says = format!("{}: {new:.0} timed out in {span}", called(key));
                TIMEOUTS.bad(Mark::Warn, &seen, says, GROW.into())
            }
            _ => TIMEOUTS.fine(seen),
        })
    };
    each_told(reading, &TIMEOUTS, each)
}

/// Of the time since the looks before; of all time where there was none.
fn wait_time(reading: &Reading, growth: Option<&Growth>) -> Option<Aspect> {
    let each = |(key, pool): (&Key, &Figures)| {
        let grown = growth.and_then(|growth| growth.pools.get(key));
        let pool = grown.unwrap_or(pool);
        let (waits, time) = (pool.get(Figure::Waits)?, pool.get(Figure::WaitTime)?);
        if waits < 1.0 {
            return Some(WAITED.fine(format!("{}: nobody asked", called(key))));
        }
        let mean = time / waits;
        let seen = format!("{}: {} on average", called(key), span(mean));
        if mean > WAIT {
            let says = format!("{}: waits of {} on average, limit 1s", called(key), span(mean));
            return Some(WAITED.bad(Mark::Fail, &seen, says, GROW.into()));
        }
        Some(WAITED.fine(seen))
    };
    each_told(reading, &WAITED, each)
}

/// The worst of those pools that tell of it.
fn each_told<'a>(
    reading: &'a Reading,
    subject: &Subject,
    each: impl Fn((&'a Key, &'a Figures)) -> Option<Aspect>,
) -> Option<Aspect> {
    let mut told = reading.pools.iter().filter_map(each).peekable();
    told.peek()?;
    Some(worst(told, subject))
}

/// Connections that go round while no query is counted.
fn counting(reading: &Reading, growth: &Growth) -> Option<Aspect> {
    reading.queries.get(Figure::Queries)?;
    let queries = growth.queries.get(Figure::Queries).unwrap_or_default();
    let returned = growth.pools.values().filter_map(|pool| pool.get(Figure::Returned));
    let turns: f64 = returned.sum();
    let span = units::span(growth.span);
    let seen = format!("{queries:.0} queries, {turns:.0} turns in {span}");
    Some(if turns >= IDLE_TURNS && queries <= 0.0 {
        let says = format!("no query counted in {turns:.0} turns of a connection");
        COUNTING.bad(Mark::Warn, &seen, says, INSTRUMENT.into())
    } else {
        COUNTING.fine(seen)
    })
}

fn names(reading: &Reading) -> Aspect {
    match reading.old {
        None => NAMES.fine("of today"),
        Some(old) => {
            let remedy = "set OTEL_SEMCONV_STABILITY_OPT_IN=database/dup, or upgrade the \
                instrumentation; keep both until dashboards and alerts have changed over";
            NAMES.bad(Mark::Warn, old, format!("old name {old}"), remedy.into())
        }
    }
}

fn texts(reading: &Reading) -> Aspect {
    let told = reading.texts.iter().filter_map(|it| literal(&it.text, it.doubled));
    let (count, first) = told.fold((0, None), |(count, first), it| (count + 1, first.or(Some(it))));
    let all = reading.texts.len();
    let Some(length) = first else { return TEXTS.fine(format!("{all}, no literal in them")) };
    let seen = format!("{count} of {all}, the first literal of {length} characters");
    let says = format!("literals in {count} of {all} query texts");
    let remedy = "switch the sanitizer of query texts on, or drop db.query.text from metrics; what \
        was scraped already has to be deleted there";
    TEXTS.bad(Mark::Warn, &seen, says, remedy.into())
}

fn span(seconds: f64) -> String {
    units::span(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
}

#[cfg(test)]
mod tests;
