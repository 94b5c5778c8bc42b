//! What is well now and set up to break: settings, exposure, the database.

use super::{Aspect, Grade, Past, Row, Seen, past::Restart};
use crate::integrations::redis::{
    looking::KEY_EVENTS,
    services::{Notices, Told},
    settings::Duty,
};
use std::time::Duration;

/// How long a restart is told: two looks at least.
const RECENT: Duration = Duration::from_secs(20);

pub(super) const POLICY: Aspect = Aspect {
    name: "eviction policy",
    limit: "by role",
    why: "allkeys-* evicts locks, jobs and sessions when memory is full",
    see: "CONFIG GET maxmemory-policy",
    remedy: "CONFIG SET maxmemory-policy noeviction, or a server of its own for the cache",
};
pub(super) const DURABILITY: Aspect = Aspect {
    name: "durability",
    limit: "one of three",
    why: "jobs, locks and sessions end with the process",
    see: "INFO persistence",
    remedy: "CONFIG SET appendonly yes, a save point, or a replica; or name `roles` without them",
};
pub(super) const EXPOSURE: Aspect = Aspect {
    name: "exposure",
    limit: "a password, TLS",
    why: "who reaches the port may do everything, or read all that is said",
    see: "ACL LIST",
    remedy: "give the default user a password or switch it off, and use rediss://",
};
pub(super) const CONFIG: Aspect = Aspect {
    name: "settings",
    limit: "no hazard",
    why: "a fault goes unnoticed, or keys never end",
    see: "CONFIG GET *",
    remedy: "set it to the server's default",
};
pub(super) const EVENTS: Aspect = Aspect {
    name: "key events",
    limit: "on, if needed",
    why: "nobody is told of keys that end",
    see: "CONFIG GET notify-keyspace-events",
    remedy: "CONFIG SET notify-keyspace-events Ex, or `key_events = false` in [redis]",
};
pub(super) const DATABASE: Aspect = Aspect {
    name: "database",
    limit: "has the keys",
    why: "the application may look into another one",
    see: "INFO keyspace",
    remedy: "correct the number after the address",
};
pub(super) const RESTART: Aspect = Aspect {
    name: "restart",
    limit: "none",
    why: "connections were lost, and perhaps keys",
    see: "INFO server",
    remedy: "read the server's log for why it ended",
};
pub(super) const ROLE: Aspect = Aspect {
    name: "role",
    limit: "as before",
    why: "a master that became a replica refuses writes",
    see: "ROLE",
    remedy: "give the address of the new master, or one that follows it",
};

/// `None` where there is no limit, so that nothing is evicted.
pub(super) fn policy(seen: &Seen) -> Option<Row> {
    let policy = seen.info.text("maxmemory_policy")?;
    seen.info.count("maxmemory").filter(|limit| *limit > 0)?;
    let hazard = policy.starts_with("allkeys-") && seen.keeps();
    let says = if hazard { format!("{policy} evicts what must be kept") } else { policy.into() };
    Some(Row::new(&POLICY, Grade::warn_if(hazard), says))
}

/// `None` where we may not see the save points.
pub(super) fn durability(seen: &Seen) -> Option<Row> {
    let info = &seen.info;
    let saves = !seen.setting("save")?.is_empty();
    let (log, replicas) = (info.flag("aof_enabled")?, info.count("connected_slaves")?);
    if info.text("role") != Some("master") {
        return None;
    }
    let by = [(log, "append log"), (saves, "save points"), (replicas > 0, "replicas")];
    let by: Vec<&str> = by.iter().filter(|(there, _)| *there).map(|(_, name)| *name).collect();
    let hazard = by.is_empty() && seen.must_last();
    let says = if by.is_empty() { "nothing survives a restart".into() } else { by.join(", ") };
    Some(Row::new(&DURABILITY, Grade::warn_if(hazard), says))
}

pub(super) fn exposure(seen: &Seen) -> Row {
    let says = match (seen.way.local, seen.way.login, seen.way.tls) {
        (true, ..) => "reached on this host",
        (false, false, _) => "anybody who reaches it may do everything",
        (false, true, false) => "password and data travel unencrypted",
        (false, true, true) => "password and TLS",
    };
    let safe = seen.way.local || (seen.way.login && seen.way.tls);
    Row::new(&EXPOSURE, Grade::warn_if(!safe), says)
}

/// `None` where we may not see them.
pub(super) fn settings(seen: &Seen) -> Option<Row> {
    seen.config.as_ref()?;
    let is = |name: &str, value: &str| seen.setting(name) == Some(value);
    let timeout = seen.setting("timeout").and_then(|it| it.parse::<u64>().ok());
    let ends = [Duty::Session, Duty::Cache, Duty::Lock].iter().any(|it| seen.duties.contains(it));
    if is("import-mode", "yes") && ends {
        let says = "import-mode is on: no key expires";
        return Some(Row::new(&CONFIG, Grade::Fail, says));
    }
    let hazard = if is("stop-writes-on-bgsave-error", "no") {
        "a failed save goes unnoticed"
    } else if is("tcp-keepalive", "0") {
        "tcp-keepalive is off: dead clients stay"
    } else if timeout.is_some_and(|timeout| (1..15).contains(&timeout)) {
        "timeout closes connections that idle for seconds"
    } else if is("busy-reply-threshold", "0") || is("lua-time-limit", "0") {
        "an endless script is never told"
    } else {
        return Some(Row::new(&CONFIG, Grade::Fine, "no hazard seen"));
    };
    Some(Row::new(&CONFIG, Grade::Warn, hazard))
}

/// Whether ends of keys are announced, to those who count on it.
pub(super) fn events(seen: &Seen) -> Option<Row> {
    let setting = Some(seen.setting(KEY_EVENTS)?.to_owned());
    let notices = Notices { needed: seen.key_events, setting };
    let missed = notices.needed && notices.told() == Some(Told::Nowhere);
    let says = if missed { format!("{} and needed", notices.says()) } else { notices.says() };
    Some(Row::new(&EVENTS, Grade::warn_if(missed), says))
}

/// Whether our database is the one with the keys. `None` where none has any.
pub(super) fn database(seen: &Seen) -> Option<Row> {
    let ours = seen.way.database;
    let keys = |index: i64| keys_in(seen, index);
    let others: Vec<i64> = (0..16).filter(|index| *index != ours && keys(*index) > 0).collect();
    let (own, first) = (keys(ours), others.first());
    let says = match (own, first) {
        (0, None) => return None,
        (0, Some(other)) => format!("db{ours} is empty, keys are in db{other}"),
        (own, _) => format!("db{ours}, {own} keys"),
    };
    Some(Row::new(&DATABASE, Grade::warn_if(own == 0), says))
}

fn keys_in(seen: &Seen, index: i64) -> u64 {
    let told = seen.info.text(&format!("db{index}")).and_then(|line| line.strip_prefix("keys="));
    told.and_then(|rest| rest.split(',').next()?.parse().ok()).unwrap_or(0)
}

/// A restart since the last look, and what it cost.
pub(super) fn restart(seen: &Seen, past: &Past) -> Option<Row> {
    seen.info.text("run_id")?;
    let of_late = |restart: &Restart| seen.at.duration_since(restart.at) <= RECENT;
    let Some(restart) = past.restarted(seen).filter(of_late) else {
        return Some(Row::new(&RESTART, Grade::Fine, "none since the last look"));
    };
    let uptime = seen.info.count("uptime_in_seconds").unwrap_or(0);
    let lost = restart.lost().map(|lost| format!(", {lost}")).unwrap_or_default();
    Some(Row::new(&RESTART, Grade::Warn, format!("restarted {uptime}s ago{lost}")))
}

pub(super) fn role(seen: &Seen, past: &Past) -> Option<Row> {
    let role = seen.info.text("role")?;
    Some(match role {
        "slave" if past.was_master => {
            Row::new(&ROLE, Grade::Fail, "was a master, is a read-only replica")
        }
        "slave" => Row::new(&ROLE, Grade::Fine, "replica"),
        role => Row::new(&ROLE, Grade::Fine, role),
    })
}

#[cfg(test)]
mod tests {
    use super::{super::seen::Way, *};
    use crate::integrations::redis::info::Info;
    use std::collections::HashMap;

    fn seen(text: &str) -> Seen {
        Seen::of(Info::parse(text))
    }

    fn with(seen: Seen, config: &[(&str, &str)]) -> Seen {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Seen { config: Some(config.iter().map(own).collect::<HashMap<_, _>>()), ..seen }
    }

    #[tokio::test]
    async fn the_same_policy_is_right_for_a_cache_and_wrong_for_a_queue() {
        let of = |duties: &[Duty], policy: &str| {
            let text = format!("maxmemory:9\nmaxmemory_policy:{policy}");
            let row = super::policy(&Seen { duties: duties.to_vec(), ..seen(&text) });
            row.map(|row| row.grade)
        };
        let policy_grade = |duty| of(&[duty], "allkeys-lru");
        assert_eq!(policy_grade(Duty::Cache), Some(Grade::Fine));
        assert_eq!(policy_grade(Duty::Queue), Some(Grade::Warn));
        assert_eq!(of(&Duty::ALL, "volatile-lru"), Some(Grade::Fine));
        assert_eq!(policy(&seen("maxmemory:0\nmaxmemory_policy:allkeys-lru")), None);
    }

    #[tokio::test]
    async fn one_of_three_must_outlast_the_process() {
        let of = |save, log, replicas| {
            let text = format!("role:master\naof_enabled:{log}\nconnected_slaves:{replicas}");
            durability(&with(seen(&text), &[("save", save)])).unwrap()
        };
        assert_eq!(of("", 0, 0).grade, Grade::Warn);
        assert_eq!(
            [of("1 1", 0, 0), of("", 1, 0), of("", 0, 1)].map(|row| row.grade),
            [Grade::Fine; 3]
        );
        let unseen = seen("role:master\naof_enabled:0\nconnected_slaves:0");
        assert_eq!(durability(&unseen), None, "CONFIG is denied");
        let cache = Seen { duties: vec![Duty::Cache], ..with(unseen, &[("save", "")]) };
        assert_eq!(durability(&cache).unwrap().grade, Grade::Fine);
    }

    #[tokio::test]
    async fn exposure_is_judged_from_where_we_stand() {
        let of = |local, login, tls| {
            let way = Way { local, tls, login, ..Way::default() };
            exposure(&Seen { way, ..seen("") }).grade
        };
        assert_eq!([of(true, false, false), of(false, true, true)], [Grade::Fine; 2]);
        assert_eq!([of(false, false, true), of(false, true, false)], [Grade::Warn; 2]);
    }

    #[tokio::test]
    async fn every_hazard_of_the_settings_is_found() {
        let of = |name, value| settings(&with(seen(""), &[(name, value)])).unwrap().grade;
        assert_eq!(of("import-mode", "yes"), Grade::Fail);
        for (name, value) in [
            ("stop-writes-on-bgsave-error", "no"),
            ("tcp-keepalive", "0"),
            ("timeout", "1"),
            ("timeout", "14"),
            ("busy-reply-threshold", "0"),
        ] {
            assert_eq!(of(name, value), Grade::Warn, "{name} {value}");
        }
        for (name, value) in [("timeout", "0"), ("timeout", "15"), ("tcp-keepalive", "300")] {
            assert_eq!(of(name, value), Grade::Fine, "{name} {value}");
        }
        assert_eq!(settings(&seen("")), None);
    }

    #[tokio::test]
    async fn key_events_are_missed_by_whoever_needs_them() {
        let of = |key_events, setting| {
            let seen = Seen { key_events, ..with(seen(""), &[(KEY_EVENTS, setting)]) };
            let row = events(&seen).unwrap();
            (row.grade, row.says)
        };
        assert_eq!(of(false, ""), (Grade::Fine, "key events off".into()));
        assert_eq!(of(true, ""), (Grade::Warn, "key events off and needed".into()));
        assert_eq!(of(true, "Ex"), (Grade::Fine, "key events \"Ex\"".into()));
        assert_eq!(of(true, "K$").0, Grade::Warn);
        assert_eq!(events(&seen("")), None);
    }

    #[tokio::test]
    async fn an_empty_database_beside_a_full_one_is_suspicious() {
        let of = |text: &str| database(&seen(text)).map(|row| (row.grade, row.says));
        assert_eq!(of(""), None);
        assert_eq!(of("db0:keys=3,expires=0").unwrap(), (Grade::Fine, "db0, 3 keys".into()));
        let wrong = of("db3:keys=3,expires=0").unwrap();
        assert_eq!(wrong, (Grade::Warn, "db0 is empty, keys are in db3".into()));
    }

    #[tokio::test]
    async fn a_restart_and_a_change_of_role_are_events() {
        let mut past = Past::default();
        past.remember(&seen("run_id:a\nrole:master\ndb0:keys=1200,expires=3\ndb1:keys=1"));
        let same = seen("run_id:a\nrole:master");
        assert_eq!(restart(&same, &past).unwrap().grade, Grade::Fine);
        let anew = seen("run_id:b\nuptime_in_seconds:4\nrole:slave");
        let row = restart(&anew, &past).unwrap();
        assert_eq!((row.grade, &*row.says), (Grade::Warn, "restarted 4s ago, keys 1201 -> 0"));
        let few = |keys| seen(&format!("run_id:b\nuptime_in_seconds:4\ndb0:{keys}"));
        let mut before = Past::default();
        before.remember(&seen("run_id:a\ndb0:keys=40,expires=37"));
        let says = |keys| restart(&few(keys), &before).unwrap().says;
        assert_eq!(says("keys=5,expires=5"), "restarted 4s ago, lasting keys 3 -> 0");
        assert_eq!(says("keys=3,expires=0"), "restarted 4s ago", "ours came and went");
        assert_eq!(role(&anew, &past).unwrap().grade, Grade::Fail);
        past.remember(&anew);
        let later = |after| Seen { at: anew.at + Duration::from_secs(after), ..anew.clone() };
        assert_eq!(restart(&later(20), &past).unwrap().says, row.says, "until it is confirmed");
        assert_eq!(restart(&later(21), &past).unwrap().grade, Grade::Fine);
        assert_eq!(role(&anew, &Past::default()).unwrap().grade, Grade::Fine);
    }
}
