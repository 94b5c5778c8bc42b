//! What the instance does: its time, its errors, what it was slow at.

use super::{Aspect, Grade, Growth, Past, Row, Seen, past::RISING, percent, share, some};
use crate::{integrations::redis::settings::Duty, units};
use std::time::Duration;

/// Share of the one thread that runs commands, from which to warn and to fail.
const CPU: (f64, f64) = (0.80, 0.90);
/// Hits among lookups below which a cache is none, and how many tell.
const HITS: f64 = 0.80;
const LOOKUPS: u64 = 1000;
/// Share of keys that have ended and are still there.
const STALE: f64 = 10.0;
/// How long the server may take to look at all keys that may have ended.
const ROUND: Duration = Duration::from_mins(5);
/// From how long on a command is a warning, and a failure.
const SLOW: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(1));
/// What we call ourselves in the list of clients.
const OURS: &str = "tminus:";
/// Errors that tell of a server that is broken, and of a client that is.
const BROKEN: &[&str] = &["OOM", "MISCONF", "READONLY", "NOREPLICAS", "BUSY", "CLUSTERDOWN"];
const DENIED: &[&str] = &["NOAUTH", "WRONGPASS", "NOPERM"];

pub(super) const CPU_ASPECT: Aspect = Aspect {
    name: "cpu",
    limit: "80 %, 90 %",
    why: "one thread runs all commands, whatever the host shows",
    see: "INFO cpu, twice",
    remedy: "find the costly commands with INFO commandstats, or spread the load",
};
pub(super) const HITS_ASPECT: Aspect = Aspect {
    name: "hit ratio",
    limit: "80 %",
    why: "each miss is a load of the origin",
    see: "INFO stats",
    remedy: "look for keys that end too early or were evicted",
};
pub(super) const EXPIRY: Aspect = Aspect {
    name: "expiry",
    limit: "10 %, 5m late",
    why: "keys that have ended take room, and their events come late",
    see: "INFO stats",
    remedy: "spread the times to live, or CONFIG SET active-expire-effort higher",
};
pub(super) const BACKGROUND: Aspect = Aspect {
    name: "background expiry",
    limit: "8 of 8 in 1.5s",
    why: "what has ended takes room until somebody asks for it",
    see: "INFO stats, expired_keys",
    remedy: "DEBUG SET-ACTIVE-EXPIRE 1; of Valkey CONFIG SET import-mode no",
};
pub(super) const ERRORS: Aspect = Aspect {
    name: "errors",
    limit: "none",
    why: "applications are being refused right now",
    see: "INFO errorstats",
    remedy: "look for the client with CLIENT LIST and ACL LOG",
};
pub(super) const SLOW_ASPECT: Aspect = Aspect {
    name: "slow commands",
    limit: "100ms, 1.0s",
    why: "everybody waits while one command runs",
    see: "SLOWLOG GET 16",
    remedy: "replace it by SCAN, a smaller range, or several commands",
};
pub(super) const BLOCKED: Aspect = Aspect {
    name: "blocked",
    limit: "rising 5 times",
    why: "workers wait for work that does not come, or pile up",
    see: "INFO clients",
    remedy: "compare with the number of workers in CLIENT LIST",
};
pub(super) const KILLED: Aspect = Aspect {
    name: "cut off",
    limit: "none",
    why: "clients that read too slowly lose what was sent",
    see: "INFO stats",
    remedy: "speed the subscribers up, or raise client-output-buffer-limit",
};

/// How busy the thread is that runs the commands.
pub(super) fn cpu(seen: &Seen, past: &Past) -> Option<Row> {
    let spent = |info: &crate::integrations::redis::info::Info| {
        let of = |part: &str| {
            let main = info.number(&format!("used_cpu_{part}_main_thread"));
            main.or_else(|| info.number(&format!("used_cpu_{part}")))
        };
        Some(of("user")? + of("sys")?)
    };
    let now = spent(&seen.info)?;
    let apart = past.apart(seen).filter(|apart| *apart >= Duration::from_secs(1));
    let before = past.before(&seen.info).and_then(|(last, _)| spent(last));
    let (Some(apart), Some(before)) = (apart, before) else { return Some(Row::open(&CPU_ASPECT)) };
    let busy = ((now - before) / apart.as_secs_f64()).max(0.0);
    let says = match Grade::of(busy, CPU) {
        Grade::Fine | Grade::Open => percent(busy),
        Grade::Warn | Grade::Fail => format!("its thread is {} busy", percent(busy)),
    };
    Some(Row::new(&CPU_ASPECT, Grade::of(busy, CPU), says))
}

/// How often a cache has what is asked for.
pub(super) fn hits(seen: &Seen, past: &Past) -> Option<Row> {
    if !seen.duties.contains(&Duty::Cache) {
        return None;
    }
    let hits = past.growth(&seen.info, "keyspace_hits")?;
    let misses = past.growth(&seen.info, "keyspace_misses")?;
    let (Growth::By(hits), Growth::By(misses)) = (hits, misses) else {
        return Some(Row::open(&HITS_ASPECT));
    };
    let all = hits + misses;
    if all < LOOKUPS {
        let says = format!("{} since the last look", some(all, "lookup"));
        return Some(Row::new(&HITS_ASPECT, Grade::Fine, says));
    }
    let ratio = share(hits, all);
    let says = if ratio < HITS {
        format!("{} of {all} lookups hit, limit {}", percent(ratio), percent(HITS))
    } else {
        percent(ratio)
    };
    Some(Row::new(&HITS_ASPECT, Grade::warn_if(ratio < HITS), says))
}

pub(super) fn expiry(seen: &Seen, past: &Past) -> Option<Row> {
    let stale = seen.info.number("expired_stale_perc")?;
    let capped = past.growth(&seen.info, "expired_time_cap_reached_count");
    let round = seen.info.expiry_round().filter(|round| *round > ROUND);
    let (grade, says) = match capped {
        _ if let Some(round) = round => {
            (Grade::Warn, format!("expiry backlog: keys end up to {} late", units::span(round)))
        }
        _ if stale > STALE => (Grade::Warn, format!("{stale:.0} % of keys are past their end")),
        Some(Growth::By(n @ 1..)) => {
            (Grade::Warn, format!("expiry ran out of time {}", some(n, "time")))
        }
        Some(Growth::By(0) | Growth::Unknown) | None => (Grade::Fine, format!("{stale:.1} % late")),
    };
    Some(Row::new(&EXPIRY, grade, says))
}

/// What a service found out by keys that it left alone; `None` where none did.
pub(super) fn background(seen: &Seen) -> Option<Row> {
    let (grade, says) = match seen.lingering.as_ref()? {
        Ok(saw) => (Grade::Fine, saw),
        Err(says) => (Grade::Warn, says),
    };
    Some(Row::new(&BACKGROUND, grade, says))
}

/// Error replies to others since the last look.
pub(super) fn errors(seen: &Seen, past: &Past) -> Option<Row> {
    // Servers before 6.2 do not count by code.
    seen.info.count("total_error_replies")?;
    if past.before(&seen.info).is_none() {
        return Some(Row::open(&ERRORS));
    }
    let of = |codes: &'static [&'static str]| {
        codes.iter().find_map(|code| Some((code, foreign(seen, past, code)?)))
    };
    let (grade, says) = match (of(BROKEN), of(DENIED)) {
        (Some((code, n)), _) => {
            (Grade::Fail, format!("{} refused with {code}", some(n, "command")))
        }
        (None, Some((code, n))) => {
            (Grade::Warn, format!("{} refused with {code}", some(n, "command")))
        }
        (None, None) => (Grade::Fine, "none since the last look".into()),
    };
    Some(Row::new(&ERRORS, grade, says))
}

/// How many errors of this code others than we got, if any.
fn foreign(seen: &Seen, past: &Past, code: &str) -> Option<u64> {
    let counted = |info: &crate::integrations::redis::info::Info| {
        let told = info.text(&format!("errorstat_{code}"))?;
        told.strip_prefix("count=")?.parse::<u64>().ok()
    };
    let before = past.before(&seen.info).and_then(|(last, _)| counted(last)).unwrap_or(0);
    let ours = seen.ours.get(code).copied().unwrap_or(0).saturating_sub(past.ours(code));
    let foreign = counted(&seen.info)?.checked_sub(before)?.saturating_sub(ours);
    (foreign > 0).then_some(foreign)
}

/// The slowest of the commands that were logged since the last look.
pub(super) fn slow(seen: &Seen, past: &Past) -> Option<Row> {
    let entries = seen.slow.as_ref()?;
    let threshold = seen.setting("slowlog-log-slower-than");
    let kept = seen.setting("slowlog-max-len");
    if threshold.is_some_and(|it| it.starts_with('-')) || kept == Some("0") {
        let says = "the slow log is off";
        return Some(Row::new(&SLOW_ASPECT, Grade::Warn, says));
    }
    let Some(known) = past.slow.filter(|_| past.before(&seen.info).is_some()) else {
        return Some(Row::open(&SLOW_ASPECT));
    };
    let new = entries.iter().filter(|it| it.id > known && !it.client.starts_with(OURS));
    let Some(worst) = new.max_by_key(|it| it.took) else {
        return Some(Row::new(&SLOW_ASPECT, Grade::Fine, "none since the last look"));
    };
    let (soft, hard) = SLOW;
    let grade = match worst.took {
        took if took >= hard => Grade::Fail,
        took if took >= soft => Grade::Warn,
        _ => Grade::Fine,
    };
    let says = format!("{} took {}", worst.command.to_uppercase(), units::span(worst.took));
    Some(Row::new(&SLOW_ASPECT, grade, says))
}

pub(super) fn blocked(seen: &Seen, past: &Past) -> Option<Row> {
    let now = seen.info.count("blocked_clients")?;
    let rows: Vec<u64> = past.blocked.iter().copied().chain([now]).collect();
    let rises = rows.len() > RISING && rows.windows(2).all(|pair| pair[0] < pair[1]);
    let says =
        if rises { format!("{now} clients wait, more at every look") } else { now.to_string() };
    Some(Row::new(&BLOCKED, Grade::warn_if(rises), says))
}

/// Clients that the server cut off. `None` where it does not count them.
pub(super) fn killed(seen: &Seen, past: &Past) -> Option<Row> {
    let of = |name| past.growth(&seen.info, name);
    let counts = [of("client_output_buffer_limit_disconnections"), of("evicted_clients")];
    let told: Vec<Growth> = counts.into_iter().flatten().collect();
    let by = |growth: &Growth| match growth {
        Growth::By(n) => Some(*n),
        Growth::Unknown => None,
    };
    if told.is_empty() {
        return None;
    }
    let Some(n) = told.iter().map(by).sum::<Option<u64>>() else { return Some(Row::open(&KILLED)) };
    let says = match n {
        0 => "none since the last look".into(),
        n => format!("{} cut off for their buffers", some(n, "client")),
    };
    Some(Row::new(&KILLED, Grade::warn_if(n > 0), says))
}

#[cfg(test)]
mod tests {
    use super::{super::seen::Slow, *};
    use crate::integrations::redis::info::Info;
    use std::collections::HashMap;

    type Judge = fn(&Seen, &Past) -> Option<Row>;

    fn seen(text: &str) -> Seen {
        Seen::of(Info::parse(&format!("run_id:a\n{text}")))
    }

    /// What is made of a look ten seconds after another.
    fn then(judge: Judge, before: &str, now: &str) -> (Grade, String) {
        let (first, mut second) = (seen(before), seen(now));
        let mut past = Past::default();
        assert_eq!(judge(&first, &past).map(|row| row.grade), Some(Grade::Open), "a first look");
        past.remember(&first);
        second.at = first.at + Duration::from_secs(10);
        let row = judge(&second, &past).unwrap();
        (row.grade, row.says)
    }

    #[tokio::test]
    async fn the_thread_is_judged_by_what_it_did_since() {
        let of = |seconds: f64| {
            let text = |main: f64| {
                format!("used_cpu_user_main_thread:{main}\nused_cpu_sys_main_thread:1.0")
            };
            then(cpu, &text(5.0), &text(5.0 + seconds)).0
        };
        let graded = [7.9, 8.1, 8.9, 9.1].map(of);
        assert_eq!(graded, [Grade::Fine, Grade::Warn, Grade::Warn, Grade::Fail]);
        let none = then(cpu, "used_cpu_user:1\nused_cpu_sys:1", "used_cpu_user:2\nused_cpu_sys:1");
        assert_eq!(none, (Grade::Fine, "10 %".into()), "an older server");
    }

    #[tokio::test]
    async fn hits_are_judged_where_there_are_enough() {
        let of = |hits: u64, misses: u64| {
            let text =
                |hits: u64, misses: u64| format!("keyspace_hits:{hits}\nkeyspace_misses:{misses}");
            then(super::hits, &text(9, 9), &text(9 + hits, 9 + misses)).0
        };
        assert_eq!(
            [of(0, 999), of(799, 201), of(800, 200)],
            [Grade::Fine, Grade::Warn, Grade::Fine]
        );
        let queue = Seen { duties: vec![Duty::Queue], ..seen("keyspace_hits:1") };
        assert_eq!(super::hits(&queue, &Past::default()), None, "nobody caches there");
    }

    #[tokio::test]
    async fn errors_of_others_are_told_and_ours_are_not() {
        let text = |oom, noperm| {
            format!(
                "total_error_replies:1\nerrorstat_OOM:count={oom}\nerrorstat_NOPERM:count={noperm}"
            )
        };
        assert_eq!(then(errors, &text(5, 5), &text(5, 5)).0, Grade::Fine);
        let oom = then(errors, &text(5, 5), &text(7, 6));
        assert_eq!(oom, (Grade::Fail, "2 commands refused with OOM".into()));
        assert_eq!(then(errors, &text(5, 5), &text(5, 6)).0, Grade::Warn);
        assert_eq!(errors(&seen("used_memory:1"), &Past::default()), None);
        let mut past = Past::default();
        past.remember(&seen(&text(5, 5)));
        let ours = HashMap::from([("NOPERM".to_owned(), 1)]);
        let row = errors(&Seen { ours, ..seen(&text(5, 6)) }, &past).unwrap();
        assert_eq!(row.grade, Grade::Fine, "it was we who were refused");
    }

    fn logged(entries: &[(i64, u64, &str)]) -> Seen {
        let slow = |(id, millis, client): &(i64, u64, &str)| Slow {
            id: *id,
            took: Duration::from_millis(*millis),
            command: "keys".into(),
            client: (*client).into(),
        };
        Seen { slow: Some(entries.iter().map(slow).collect()), ..seen("") }
    }

    #[tokio::test]
    async fn only_new_slow_commands_of_others_count() {
        let mut past = Past::default();
        assert_eq!(slow(&logged(&[]), &past).unwrap().grade, Grade::Open);
        past.remember(&logged(&[(7, 5000, "")]));
        let of = |entries: &[(i64, u64, &str)]| slow(&logged(entries), &past).unwrap().grade;
        assert_eq!(of(&[(7, 5000, "")]), Grade::Fine, "it was there before");
        assert_eq!([of(&[(8, 99, "")]), of(&[(8, 100, "")])], [Grade::Fine, Grade::Warn]);
        assert_eq!([of(&[(8, 999, "")]), of(&[(8, 1000, "")])], [Grade::Warn, Grade::Fail]);
        assert_eq!(of(&[(8, 5000, "tminus:data:ab12")]), Grade::Fine, "it is ours");
        let says = slow(&logged(&[(9, 1500, "app")]), &past).unwrap().says;
        assert_eq!(says, "KEYS took 1.5s");
        let off = HashMap::from([("slowlog-log-slower-than".to_owned(), "-1".to_owned())]);
        let off = Seen { config: Some(off), ..logged(&[]) };
        assert_eq!(slow(&off, &past).unwrap().grade, Grade::Warn);
        assert_eq!(slow(&seen(""), &past), None, "SLOWLOG is denied");
    }

    #[tokio::test]
    async fn waiting_clients_are_judged_by_their_trend() {
        let mut past = Past::default();
        let now = |n: u64| seen(&format!("blocked_clients:{n}"));
        for n in [1, 2, 3, 4, 5] {
            assert_eq!(blocked(&now(n), &past).unwrap().grade, Grade::Fine, "{n}");
            past.remember(&now(n));
        }
        assert_eq!(blocked(&now(6), &past).unwrap().grade, Grade::Warn);
        assert_eq!(blocked(&now(5), &past).unwrap().grade, Grade::Fine);
    }

    #[tokio::test]
    async fn expiry_and_cut_off_clients_are_told() {
        let text = |stale: f64, capped: u64| {
            format!("expired_stale_perc:{stale}\nexpired_time_cap_reached_count:{capped}")
        };
        let of = |stale, capped| {
            let mut past = Past::default();
            past.remember(&seen(&text(0.0, 3)));
            expiry(&seen(&text(stale, capped)), &past).unwrap().grade
        };
        assert_eq!([of(10.0, 3), of(10.1, 3), of(0.0, 4)], [Grade::Fine, Grade::Warn, Grade::Warn]);
        let many = |keys| {
            let text = format!("expired_stale_perc:0\nhz:10\ndb0:keys=9,expires={keys}");
            expiry(&seen(&text), &Past::default()).unwrap()
        };
        assert_eq!((many(60_000).grade, many(60_200).grade), (Grade::Fine, Grade::Warn));
        assert_eq!(many(100_000).says, "expiry backlog: keys end up to 8m20s late");
        let told = |lingering| background(&Seen { lingering, ..seen("") }).map(|row| row.grade);
        assert_eq!(told(Some(Ok("8 of 8".into()))), Some(Grade::Fine));
        assert_eq!(told(Some(Err("0 of 8".into()))), Some(Grade::Warn));
        assert_eq!(told(None), None);
        assert_eq!(killed(&seen("used_memory:1"), &Past::default()), None, "7.0 does not count");
        assert_eq!(then(killed, "evicted_clients:1", "evicted_clients:1").0, Grade::Fine);
        assert_eq!(then(killed, "evicted_clients:1", "evicted_clients:2").0, Grade::Warn);
    }
}
