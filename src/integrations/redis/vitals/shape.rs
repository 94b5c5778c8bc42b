//! How the memory is used, and how it grows.

use super::{Aspect, Grade, Past, Row, Seen, percent};
use crate::units;
use std::time::Duration;

/// Less memory than this says nothing about its shape. (MEMORY DOCTOR's own gate.)
const SMALL: u64 = 5 << 20;
/// Waste below this is no waste. (The same.)
const WASTE: u64 = 10 << 20;
/// Resident less than in use, from this size on: the rest was swapped out.
const SWAPPED: u64 = 64 << 20;
/// How long memory must have been watched before a trend is one.
const TREND: Duration = Duration::from_mins(5);
const DAY: Duration = Duration::from_hours(24);
const HOUR: Duration = Duration::from_hours(1);
/// A fork stops the server for as long as it takes.
const FORK: Duration = Duration::from_millis(500);

pub(super) const TREND_ASPECT: Aspect = Aspect {
    name: "time to full",
    limit: "24h, 1h",
    why: "a full server refuses writes",
    see: "INFO memory, twice",
    remedy: "find what grows with MEMORY STATS and redis-cli --bigkeys, or raise maxmemory",
};
pub(super) const FRAGMENTATION: Aspect = Aspect {
    name: "fragmentation",
    limit: "1.4 and 10 MiB",
    why: "memory that is paid for and not used, or swapped",
    see: "MEMORY DOCTOR",
    remedy: "CONFIG SET activedefrag yes, or restart a replica and fail over to it",
};
pub(super) const SHAPE: Aspect = Aspect {
    name: "buffers",
    limit: "200 KiB a client",
    why: "buffers and scripts take the room of data",
    see: "MEMORY STATS",
    remedy: "look for slow readers with CLIENT LIST, and for scripts that are built anew",
};
pub(super) const FORK_ASPECT: Aspect = Aspect {
    name: "last fork",
    limit: "500ms",
    why: "the server stands still while it forks to save",
    see: "INFO stats",
    remedy: "save on a replica, switch transparent huge pages off, or split the data",
};

/// When memory is full if it grows on as it did. Nobody can tell where keys are evicted.
pub(super) fn time_to_full(seen: &Seen, past: &Past) -> Option<Row> {
    let limit = seen.info.count("maxmemory").filter(|limit| *limit > 0)?;
    let used = seen.info.count("used_memory")?;
    let keeps = seen.info.text("maxmemory_policy") == Some("noeviction");
    if !keeps {
        return None;
    }
    let watched = past.used.front().map(|(at, _)| seen.at.saturating_duration_since(*at));
    if past.before(&seen.info).is_none() || watched.is_none_or(|watched| watched < TREND) {
        return Some(Row::open(&TREND_ASPECT));
    }
    let slope = slope(past.used.iter().map(|(at, used)| {
        let at = seen.at.saturating_duration_since(*at).as_secs_f64();
        (-at, *used)
    }));
    let left = left(limit.saturating_sub(used), slope);
    Some(match left {
        None => Row::new(&TREND_ASPECT, Grade::Fine, "not in sight"),
        Some(left) => {
            let grade = match left {
                left if left < HOUR => Grade::Fail,
                left if left < DAY => Grade::Warn,
                _ => Grade::Fine,
            };
            Row::new(&TREND_ASPECT, grade, format!("memory is full in {}", units::span(left)))
        }
    })
}

/// How long `room` lasts; `None` if for ever, or for longer than anybody plans.
#[expect(clippy::cast_precision_loss, reason = "a forecast needs no more digits than f64 has")]
fn left(room: u64, per_second: f64) -> Option<Duration> {
    let seconds = room as f64 / per_second;
    let soon = per_second > 0.0 && seconds < 30.0 * DAY.as_secs_f64();
    soon.then(|| Duration::try_from_secs_f64(seconds).ok()).flatten()
}

/// The slope of the line that fits the points best.
#[expect(clippy::cast_precision_loss, reason = "a trend needs no more digits than f64 has")]
fn slope(points: impl Iterator<Item = (f64, u64)> + Clone) -> f64 {
    let points = points.map(|(x, y)| (x, y as f64));
    let n = points.clone().count() as f64;
    let (sx, sy) = points.clone().fold((0.0, 0.0), |(sx, sy), (x, y)| (sx + x, sy + y));
    let (mx, my) = (sx / n, sy / n);
    let (above, below) = points.fold((0.0, 0.0), |(above, below), (x, y)| {
        (above + (x - mx) * (y - my), below + (x - mx) * (x - mx))
    });
    if below > 0.0 { above / below } else { 0.0 }
}

pub(super) fn fragmentation(seen: &Seen) -> Option<Row> {
    let info = &seen.info;
    let used = info.count("used_memory")?;
    let ratio = info.number("mem_fragmentation_ratio")?;
    let fine = |says: String| Some(Row::new(&FRAGMENTATION, Grade::Fine, says));
    if used <= SMALL {
        return fine("too little in use to tell".into());
    }
    if ratio < 1.0 && used > SWAPPED {
        let says = format!("only {} of the memory is resident: swapped?", percent(ratio));
        return Some(Row::new(&FRAGMENTATION, Grade::Fail, says));
    }
    let wasted = |ratio: &str, bytes: &str, limit: f64| {
        let (ratio, bytes) = (info.number(ratio)?, info.count(bytes)?);
        (ratio > limit && bytes > WASTE).then_some((ratio, bytes))
    };
    let found = [
        wasted("mem_fragmentation_ratio", "mem_fragmentation_bytes", 1.4),
        wasted("allocator_frag_ratio", "allocator_frag_bytes", 1.1),
        wasted("rss_overhead_ratio", "rss_overhead_bytes", 1.1),
    ];
    match found.into_iter().flatten().next() {
        None => fine(format!("{ratio:.2}")),
        Some((ratio, bytes)) => {
            let says = format!("{} lost to fragmentation, {ratio:.2}", units::bytes(bytes));
            Some(Row::new(&FRAGMENTATION, Grade::Warn, says))
        }
    }
}

pub(super) fn buffers(seen: &Seen) -> Option<Row> {
    let info = &seen.info;
    let clients = info.count("mem_clients_normal")?;
    let each = clients / info.count("connected_clients").unwrap_or(1).max(1);
    let replicas = info.count("mem_clients_slaves").unwrap_or(0);
    let scripts = info.count("number_of_cached_scripts").unwrap_or(0);
    let says = if each > 200 << 10 {
        format!("clients buffer {} each", units::bytes(each))
    } else if replicas > WASTE {
        format!("replicas buffer {}", units::bytes(replicas))
    } else if scripts > 1000 {
        format!("{scripts} scripts cached, limit 1000")
    } else {
        let says = format!("{} a client, {scripts} scripts", units::bytes(each));
        return Some(Row::new(&SHAPE, Grade::Fine, says));
    };
    Some(Row::new(&SHAPE, Grade::Warn, says))
}

/// `None` where it never forked.
pub(super) fn fork(seen: &Seen) -> Option<Row> {
    let took = seen.info.count("latest_fork_usec").filter(|took| *took > 0)?;
    let took = Duration::from_micros(took);
    let says = match Grade::warn_if(took > FORK) {
        Grade::Fine | Grade::Open => units::span(took),
        Grade::Warn | Grade::Fail => {
            format!("stood still for {} to fork", units::span(took))
        }
    };
    Some(Row::new(&FORK_ASPECT, Grade::warn_if(took > FORK), says))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::integrations::redis::info::Info;
    use tokio::time::Instant;

    fn seen(text: &str) -> Seen {
        Seen::of(Info::parse(text))
    }

    /// What is said after `minutes` of growth by `kib` KiB a minute, with 100 MiB left.
    fn full_in(minutes: u64, kib: u64) -> (Grade, String) {
        let began = Instant::now();
        let mut past = Past::default();
        let look = |minute: u64| {
            let used = minute * (kib << 10);
            let text = format!(
                "run_id:a\nmaxmemory:{}\nused_memory:{used}\nmaxmemory_policy:noeviction",
                (100 << 20) + minutes * (kib << 10),
            );
            Seen { at: began + Duration::from_mins(minute), ..seen(&text) }
        };
        (0..minutes).for_each(|minute| past.remember(&look(minute)));
        let row = time_to_full(&look(minutes), &past).unwrap();
        (row.grade, row.says)
    }

    #[tokio::test]
    async fn a_trend_is_told_once_it_is_one() {
        assert_eq!(full_in(4, 1024).0, Grade::Open);
        assert_eq!(full_in(10, 0), (Grade::Fine, "not in sight".into()));
        assert_eq!(full_in(10, 2048), (Grade::Fail, "memory is full in 50m00s".into()));
        assert_eq!(full_in(10, 1500).0, Grade::Warn);
        assert_eq!(full_in(10, 72).0, Grade::Warn);
        assert_eq!(full_in(10, 70).0, Grade::Fine);
        let evicting = seen("maxmemory:9\nused_memory:1\nmaxmemory_policy:allkeys-lru");
        assert_eq!(time_to_full(&evicting, &Past::default()), None);
    }

    #[tokio::test]
    async fn fragmentation_is_judged_where_there_is_something_to_lose() {
        let of = |used: u64, ratio: f64, bytes: u64| {
            let text = format!(
                "used_memory:{used}\nmem_fragmentation_ratio:{ratio}\n\
                 mem_fragmentation_bytes:{bytes}"
            );
            fragmentation(&seen(&text)).unwrap().grade
        };
        let mib = 1 << 20;
        assert_eq!(of(5 * mib, 9.0, 90 * mib), Grade::Fine, "it is small");
        assert_eq!(of(6 * mib, 1.5, 10 * mib), Grade::Fine, "it is little");
        assert_eq!(of(6 * mib, 1.4, 11 * mib), Grade::Fine);
        assert_eq!(of(6 * mib, 1.41, 11 * mib), Grade::Warn);
        assert_eq!([of(64 * mib, 0.9, 0), of(65 * mib, 0.9, 0)], [Grade::Fine, Grade::Fail]);
        assert_eq!(fragmentation(&seen("used_memory:9")), None, "absent is not zero");
    }

    #[tokio::test]
    async fn buffers_and_forks_are_judged_at_their_limits() {
        let of = |normal: u64, scripts: u64| {
            let text = format!(
                "mem_clients_normal:{normal}\nconnected_clients:2\nnumber_of_cached_scripts:{scripts}"
            );
            buffers(&seen(&text)).unwrap().grade
        };
        assert_eq!([of(400 << 10, 1000), of((400 << 10) + 2, 0)], [Grade::Fine, Grade::Warn]);
        assert_eq!(of(0, 1001), Grade::Warn);
        let of = |micros| fork(&seen(&format!("latest_fork_usec:{micros}"))).map(|row| row.grade);
        assert_eq!([of(0), of(500_000), of(500_001)], [None, Some(Grade::Fine), Some(Grade::Warn)]);
    }
}
