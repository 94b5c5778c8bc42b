//! What an export must be, and how to find out whether it is.

use super::{
    super::{Bench, Case, Claim, Held, Needs, Upset},
    Metrics, Numbers, elsewhere,
    exposition::Kind,
    numbers::ROWS,
    record::{OPERATIONS, SECONDS},
    strict::{Export, read},
};
use crate::probe::exposition::Series;
use std::{cmp, collections::BTreeMap};
use tokio::time::{Instant, sleep};

/// Operations between two exports.
const TIMES: u64 = 2;
/// How far a number that goes up and down may be off: clients, and of everything
/// else a share.
const CLIENTS: u64 = 2;
const SHARE: u64 = 20;
/// How often the export is compared with the instance before they disagree: others
/// connect and leave between two looks, our own checks among them.
const LOOKS: usize = 3;
/// A name that needs every escape, and more.
const HOSTILE: &str = "a\"b\nc\\d\\né}{,= 你好";

/// What to do where the export and the instance disagree.
const SAME_SERVER: &str = "compare with redis-cli INFO; make sure that no proxy in between \
    leads to several servers";

/// The cases, in the order to show them.
pub(crate) const CASES: &[Case<dyn Metrics>] = &[
    Case {
        id: "M2",
        guarantee: "the export is strict Prometheus text",
        remedy: SAME_SERVER,
        needs: Needs::Nothing,
        run: |bench| Box::pin(strict(bench)),
    },
    Case {
        id: "M3",
        guarantee: "counters count, and never go down",
        remedy: SAME_SERVER,
        needs: Needs::Nothing,
        run: |bench| Box::pin(counting(bench)),
    },
    Case {
        id: "M4",
        guarantee: "the buckets of a histogram add up",
        remedy: SAME_SERVER,
        needs: Needs::Nothing,
        run: |bench| Box::pin(adding_up(bench)),
    },
    Case {
        id: "M5",
        guarantee: "the export agrees with INFO",
        remedy: SAME_SERVER,
        needs: Needs::Nothing,
        run: |bench| Box::pin(agreeing(bench)),
    },
    Case {
        id: "M6",
        guarantee: "a label comes back as it was",
        remedy: SAME_SERVER,
        needs: Needs::Nothing,
        run: |bench| Box::pin(labelled(bench)),
    },
    Case {
        id: "M7",
        guarantee: "two may export at the same time",
        remedy: SAME_SERVER,
        needs: Needs::Nothing,
        run: |bench| Box::pin(together(bench)),
    },
    Case {
        id: "M8",
        guarantee: "another exporter watches this very server",
        remedy: "correct the address of its server, or `exporter` in [redis]",
        needs: Needs::Nothing,
        run: |bench| Box::pin(elsewhere::compared(bench)),
    },
];

/// An export, read strictly.
async fn export(bench: &Bench<dyn Metrics>, instance: &str) -> Result<Export, Upset> {
    let text = bench.back_end.export(instance).await?;
    let claim = Claim {
        else_says: "the export is no strict Prometheus text",
        asked: "export the numbers and read them strictly",
        wanted: "text format 0.0.4 without a flaw",
    };
    read(&text).map_err(|refused| claim.fails(&refused.to_string()))
}

async fn strict(bench: &Bench<dyn Metrics>) -> Result<Held, Upset> {
    let export = export(bench, "m2").await?;
    let claim = Claim {
        else_says: "the export lacks what it must have",
        asked: "export the numbers",
        wanted: "tminus_redis_up 1, and at least one counter of the instance",
    };
    let counters = ROWS.iter().filter(|row| row.kind == Kind::Counter);
    let counters = counters.filter(|row| export.is_a(row.name, "counter")).count();
    let up = export.whole("tminus_redis_up");
    claim.holds(up == Some(1) && counters > 0, &(up, counters))?;
    let (families, series) = (export.families.len(), export.series.len());
    Ok(Held::saw(format!("{families} families, {series} series")))
}

async fn counting(bench: &Bench<dyn Metrics>) -> Result<Held, Upset> {
    let before = export(bench, "m3").await?;
    for _ in 0..TIMES {
        bench.back_end.operate().await?;
    }
    let after = export(bench, "m3").await?;
    same_run(&before, &after)?;
    let falls = Claim {
        else_says: "a counter went down",
        asked: "export, operate twice, export",
        wanted: "no counter below what it was",
    };
    for (name, _) in before.families.iter().filter(|(_, kind)| kind == "counter") {
        let (then, now) = (values(&before, name), values(&after, name));
        let fell =
            then.iter().find(|(labels, then)| now.get(*labels).is_none_or(|now| now < *then));
        falls.holds(fell.is_none(), &(name, &then, &now))?;
    }
    let ok = |export: &Export| {
        let mut ended = export.called(OPERATIONS);
        ended.find(|series| series.labels.get("outcome").is_some_and(|how| how == "ok"))?.whole()
    };
    let rises = Claim {
        else_says: "a counter does not count",
        asked: "export, operate twice, export",
        wanted: "two more operations, and at least two more commands",
    };
    let more = |(then, now): (Option<u64>, Option<u64>)| now?.checked_sub(then?);
    let operations = (ok(&before), ok(&after));
    // Another case operates once, perhaps at the same time.
    let right = more(operations).is_some_and(|more| (TIMES..=TIMES + 1).contains(&more));
    rises.holds(right, &operations)?;
    let commands = "tminus_redis_commands_processed_total";
    let commands = (before.whole(commands), after.whole(commands));
    // A server need not tell how many it has processed.
    let told = commands.0.is_some() || commands.1.is_some();
    rises.holds(!told || more(commands).is_some_and(|more| more >= TIMES), &commands)?;
    Ok(Held::saw(format!("{TIMES} operations counted, no counter fell")))
}

fn values(export: &Export, name: &str) -> BTreeMap<BTreeMap<String, String>, u64> {
    let whole = export.called(name).filter_map(|s| Some((s.labels.clone(), s.whole()?)));
    whole.collect()
}

/// Two exports of different runs of an instance cannot be compared.
fn same_run(one: &Export, other: &Export) -> Result<(), Upset> {
    let same = label(one, "run_id") == label(other, "run_id");
    if same { Ok(()) } else { Err(RESTARTED) }
}

const MOVED: Upset = Upset::Missed("looked too late to compare what goes up and down");
const RESTARTED: Upset = Upset::Missed("the instance started anew between two looks");

fn label<'a>(export: &'a Export, name: &str) -> Option<&'a str> {
    let which = export.series.iter().find(|series| series.name == "tminus_redis_instance_info")?;
    which.labels.get(name).map(String::as_str)
}

async fn adding_up(bench: &Bench<dyn Metrics>) -> Result<Held, Upset> {
    bench.back_end.operate().await?;
    let export = export(bench, "m4").await?;
    let of = |suffix: &str| format!("{SECONDS}{suffix}");
    let (bucket, sum, count) = (of("_bucket"), of("_sum"), of("_count"));
    let buckets: Vec<(f64, Option<u64>)> = export
        .called(&bucket)
        .map(|series| (series.labels["le"].parse().unwrap_or(f64::NAN), series.whole()))
        .collect();
    let rises = buckets.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1);
    let all = export.whole(&count);
    let ends = buckets.last().is_some_and(|(le, last)| *le == f64::INFINITY && *last == all);
    let sum = export.called(&sum).next().map(Series::real);
    let claim = Claim {
        else_says: "the buckets of a histogram do not add up",
        asked: "export a histogram",
        wanted: "rising buckets, the last +Inf and equal to a count of 1 or more, a sum",
    };
    let right = rises && ends && all >= Some(1) && sum.is_some_and(|sum| sum >= 0.0);
    claim.holds(right, &(&buckets, sum, all))?;
    Ok(Held::saw(format!("{} buckets", buckets.len())))
}

async fn agreeing(bench: &Bench<dyn Metrics>) -> Result<Held, Upset> {
    for _ in 1..LOOKS {
        match compared(bench).await {
            Err(Upset::Broken(_)) => sleep(bench.pace.slack()).await,
            ended => return ended,
        }
    }
    compared(bench).await
}

async fn compared(bench: &Bench<dyn Metrics>) -> Result<Held, Upset> {
    let began = Instant::now();
    let before = bench.back_end.numbers().await?;
    let export = export(bench, "m5").await?;
    let after = bench.back_end.numbers().await?;
    let at_once = began.elapsed() <= bench.pace.slack();
    if before.run != after.run {
        return Err(RESTARTED);
    }
    let same = Claim {
        else_says: "the export is of another instance",
        asked: "ask for run_id, export, ask again",
        wanted: "the same run_id",
    };
    let run = label(&export, "run_id");
    same.holds(run == Some(before.run.as_deref().unwrap_or_default()), &(run, &before.run))?;
    let claim = Claim {
        else_says: "the export does not agree with INFO",
        asked: "ask for the numbers, export, ask again",
        wanted: "each number exported, and between the two looks",
    };
    let mut compared = 0;
    for row in ROWS {
        let (Some(then), Some(now)) = (before.get(row.field), after.get(row.field)) else {
            continue;
        };
        let (low, high) = range(row.field, row.kind, then, now);
        let got = export.whole(row.name);
        let fits = got.is_some_and(|got| (low..=high).contains(&got));
        // What others do goes up and down; between looks far apart, further than both.
        if !fits && got.is_some() && row.kind == Kind::Gauge && !at_once {
            return Err(MOVED);
        }
        claim.holds(fits, &(row.name, got, (low, high)))?;
        compared += 1;
    }
    claim.holds(compared > 0, &compared)?;
    let invented = invented(&export, &before, &after);
    claim.holds(invented.is_none(), &invented)?;
    Ok(Held::saw(format!("{compared} numbers agree")))
}

/// What a number may be that was `then` before and is `now` after.
fn range(field: &str, kind: Kind, then: u64, now: u64) -> (u64, u64) {
    let (low, high) = (cmp::min(then, now), cmp::max(then, now));
    let margin = match (kind, field) {
        (Kind::Counter | Kind::Histogram, _) | (Kind::Gauge, "maxmemory" | "uptime_in_seconds") => {
            return (low, high);
        }
        (Kind::Gauge, "used_memory") => high / SHARE,
        (Kind::Gauge, _) => CLIENTS,
    };
    (low.saturating_sub(margin), high.saturating_add(margin))
}

/// A number that is exported although the instance does not tell it.
fn invented(export: &Export, before: &Numbers, after: &Numbers) -> Option<&'static str> {
    let silent = |field| before.get(field).is_none() && after.get(field).is_none();
    let rows = ROWS.iter().filter(|row| silent(row.field));
    rows.map(|row| row.name).find(|name| export.called(name).next().is_some())
}

async fn labelled(bench: &Bench<dyn Metrics>) -> Result<Held, Upset> {
    let export = export(bench, HOSTILE).await?;
    let claim = Claim {
        else_says: "a label does not come back as it was",
        asked: "export under a name with quotes, a line feed and backslashes",
        wanted: "the same name",
    };
    let got = label(&export, "instance");
    claim.holds(got == Some(HOSTILE), &got)?;
    Ok(Held::saw(format!("{} awkward characters", HOSTILE.chars().count())))
}

async fn together(bench: &Bench<dyn Metrics>) -> Result<Held, Upset> {
    let (one, other) = tokio::join!(export(bench, "m7"), export(bench, "m7"));
    let (one, other) = (one?, other?);
    let claim = Claim {
        else_says: "two exports at once differ",
        asked: "export twice at the same time",
        wanted: "the same families",
    };
    let differs = one.families.iter().find(|family| !other.families.contains(family));
    let differs = differs.or(other.families.iter().find(|family| !one.families.contains(family)));
    claim.holds(one.families == other.families, &differs)?;
    Ok(Held::saw(format!("{} families each", one.families.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_held_to_the_number_and_gauges_to_a_margin() {
        let of = |field, kind| range(field, kind, 1000, 1010);
        assert_eq!(of("evicted_keys", Kind::Counter), (1000, 1010));
        assert_eq!(of("maxmemory", Kind::Gauge), (1000, 1010));
        assert_eq!(of("connected_clients", Kind::Gauge), (998, 1012));
        assert_eq!(of("used_memory", Kind::Gauge), (950, 1060));
        assert_eq!(range("blocked_clients", Kind::Gauge, 0, 0), (0, 2));
    }
}
