use super::{Aspect, Grade, Growth, Info, Past, Row, Seen, percent, share, some};
use crate::units;

/// Share of `maxmemory` in use from which to warn and to fail, where something is
/// evicted when it is full. (Percona: 80 and 95.)
const EVICTING: (f64, f64) = (0.80, 0.95);
/// The same where nothing is, so that writes fail. (Prometheus community rules: 90.)
const NOT_EVICTING: (f64, f64) = (0.80, 0.90);
/// Share of the host's memory resident, where there is no `maxmemory`.
const HOST: (f64, f64) = (0.80, 0.90);
/// Share of `maxmemory` above which nothing is written: what comes on top would
/// push out somebody's key, or be the last straw.
const NO_ROOM: f64 = 0.95;

/// Share of all keys that a cache may lose in a minute.
const LOSS: f64 = 0.01;

pub(super) const MEMORY: Aspect = Aspect {
    name: "memory",
    limit: "80 %, 90 % or 95 %",
    why: "a full server refuses writes or evicts keys; one without a limit fills its host",
    see: "INFO memory",
    remedy: "remove keys, or set maxmemory so that the host has room for a fork",
};
pub(super) const EVICTIONS: Aspect = Aspect {
    name: "evictions",
    limit: "none; a cache 1 %/min",
    why: "locks, jobs and sessions are among what is evicted",
    see: "INFO stats, twice",
    remedy: "raise maxmemory: locks and sessions are among what is evicted",
};

/// Share of `maxmemory` in use, if there is one.
pub(super) fn fill(info: &Info) -> Option<f64> {
    let limit = info.count("maxmemory").filter(|limit| *limit > 0)?;
    Some(share(info.count("used_memory")?, limit))
}

fn keeps_everything(info: &Info) -> bool {
    info.text("maxmemory_policy") == Some("noeviction")
}

pub(super) fn memory(info: &Info) -> Option<Row> {
    let (used, limit) = (info.count("used_memory")?, info.count("maxmemory")?);
    let Some(fill) = fill(info) else { return Some(unlimited(info, used)) };
    let (soft, hard) = if keeps_everything(info) { NOT_EVICTING } else { EVICTING };
    let grade = Grade::of(fill, (soft, hard));
    let says = match grade {
        Grade::Open | Grade::Fine => format!("{} of {}", percent(fill), units::bytes(limit)),
        Grade::Warn => format!("memory {} full, limit {}", percent(fill), percent(soft)),
        // As after a limit was lowered under what is there.
        Grade::Fail if fill >= 10.0 => "memory over ten times its limit".into(),
        Grade::Fail => format!("memory {} full, limit {}", percent(fill), percent(hard)),
    };
    Some(Row::new(&MEMORY, grade, says))
}

/// Without a limit the host's memory is the limit, and its kernel ends the server
/// at it: a warning even when there is room, a failure when there is not.
fn unlimited(info: &Info, used: u64) -> Row {
    let host = info.count("total_system_memory").filter(|host| *host > 0);
    let Some(host) = host else {
        let says = format!("no maxmemory, {} used", units::bytes(used));
        return Row::new(&MEMORY, Grade::Warn, says);
    };
    let of_host = share(info.count("used_memory_rss").unwrap_or(used), host);
    let (says, grade) = match Grade::of(of_host, HOST) {
        Grade::Fine => ("no maxmemory: may take all of the host's".into(), Grade::Warn),
        grade @ (Grade::Open | Grade::Warn | Grade::Fail) => {
            (format!("no maxmemory, {} of the host's taken", percent(of_host)), grade)
        }
    };
    Row::new(&MEMORY, grade, says)
}

/// Where nothing but a cache is, some are its way of working.
pub(super) fn evictions(seen: &Seen, past: &Past) -> Option<Row> {
    let info = &seen.info;
    let growth = past.growth(info, "evicted_keys")?;
    if info.count("current_eviction_exceeded_time").is_some_and(|time| time > 0) {
        let says = "evicting cannot keep up with the writes";
        return Some(Row::new(&EVICTIONS, Grade::Fail, says));
    }
    let Growth::By(n) = growth else { return Some(Row::open(&EVICTIONS)) };
    let minutes = past.apart(seen).map_or(1.0, |apart| apart.as_secs_f64() / 60.0);
    let grade = match n {
        0 => Grade::Fine,
        _ if seen.keeps() => Grade::Fail,
        n => Grade::warn_if(share(n, info.keys().all.max(1)) > LOSS * minutes),
    };
    let says = match n {
        0 => "none since the last look".into(),
        n => format!("{} evicted since the last look", some(n, "key")),
    };
    Some(Row::new(&EVICTIONS, grade, says))
}

/// Whether a server has room for what a check writes; otherwise why not.
///
/// A server that is full and keeps everything refuses every write by itself and
/// is not harmed by one more: there the refusal is the finding.
pub(in super::super) fn room(info: &Info) -> Result<(), String> {
    match fill(info) {
        Some(fill) if fill > NO_ROOM && !(keeps_everything(info) && fill > 1.0) => {
            let may = if keeps_everything(info) { "may fill it" } else { "evicts" };
            Err(format!("not tried: memory {} full, a write {may}", percent(fill)))
        }
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::integrations::redis::settings::Duty;
    use std::time::Duration;

    fn info(used: u64, policy: &str) -> Info {
        Info::parse(&format!("used_memory:{used}\nmaxmemory:10000\nmaxmemory_policy:{policy}"))
    }

    #[test]
    fn memory_is_judged_at_its_limits() {
        let cases = [
            (7_999, "noeviction", Grade::Fine, "79 % of 9.7 KiB"),
            (8_000, "noeviction", Grade::Warn, "memory 80 % full, limit 80 %"),
            (8_999, "noeviction", Grade::Warn, "memory 89 % full, limit 80 %"),
            (9_000, "noeviction", Grade::Fail, "memory 90 % full, limit 90 %"),
            (9_499, "allkeys-lru", Grade::Warn, "memory 94 % full, limit 80 %"),
            (9_500, "allkeys-lru", Grade::Fail, "memory 95 % full, limit 95 %"),
            (99_999, "noeviction", Grade::Fail, "memory 999 % full, limit 90 %"),
            (100_000, "noeviction", Grade::Fail, "memory over ten times its limit"),
        ];
        for (used, policy, grade, says) in cases {
            let row = memory(&info(used, policy)).unwrap();
            assert_eq!((row.grade, &*row.says), (grade, says), "{used} {policy}");
        }
    }

    #[tokio::test]
    async fn a_cache_may_lose_some_of_its_keys_and_nothing_else_any() {
        let seen = |keys: u64, evicted: u64, duties: &[Duty]| {
            let text = format!("run_id:a\nevicted_keys:{evicted}\ndb0:keys={keys},expires=0");
            Seen { duties: duties.to_vec(), ..Seen::of(Info::parse(&text)) }
        };
        let of = |duties: &[Duty], evicted: u64| {
            let mut past = Past::default();
            let first = seen(1000, 5, duties);
            past.remember(&first);
            let at = first.at + Duration::from_mins(1);
            let second = Seen { at, ..seen(1000, 5 + evicted, duties) };
            evictions(&second, &past).unwrap().grade
        };
        let cache = [0, 10, 11].map(|n| of(&[Duty::Cache], n));
        assert_eq!(cache, [Grade::Fine, Grade::Fine, Grade::Warn]);
        assert_eq!([0, 1].map(|n| of(&Duty::ALL, n)), [Grade::Fine, Grade::Fail]);
        let late = Info::parse("evicted_keys:1\ncurrent_eviction_exceeded_time:3");
        let row = evictions(&Seen::of(late), &Past::default()).unwrap();
        assert_eq!(row.grade, Grade::Fail);
    }

    #[test]
    fn no_limit_is_a_hazard_and_a_full_host_a_failure() {
        let of = |further: &str| {
            memory(&Info::parse(&format!("used_memory:5\nmaxmemory:0\n{further}"))).unwrap()
        };
        assert_eq!(of("").says, "no maxmemory, 5 B used");
        let host = |resident| of(&format!("total_system_memory:100\nused_memory_rss:{resident}"));
        let graded = [79, 80, 89, 90].map(|resident| host(resident).grade);
        assert_eq!(graded, [Grade::Warn, Grade::Warn, Grade::Warn, Grade::Fail]);
        assert_eq!(host(90).says, "no maxmemory, 90 % of the host's taken");
        assert_eq!(memory(&Info::parse("used_memory:5")), None, "absent is not zero");
    }

    #[test]
    fn nothing_is_written_where_it_could_push_something_out() {
        let cases = [
            (9_500, "allkeys-lru", true),
            (9_501, "allkeys-lru", false),
            (12_000, "allkeys-lru", false),
            (9_501, "noeviction", false),
            (10_000, "noeviction", false),
            (10_001, "noeviction", true), // it refuses by itself, which is to be found out
        ];
        for (used, policy, has_room) in cases {
            assert_eq!(room(&info(used, policy)).is_ok(), has_room, "{used} {policy}");
        }
        assert_eq!(room(&Info::parse("used_memory:5\nmaxmemory:0")), Ok(()));
        assert_eq!(room(&Info::default()), Ok(()));
        let says = room(&info(9_900, "volatile-ttl")).unwrap_err();
        assert_eq!(says, "not tried: memory 99 % full, a write evicts");
    }
}
