use crate::{
    domain::{Finding, Mark},
    integrations::database::{
        mysql::vitals::{Open, Replica, Vitals, root},
        vitals::{Aspect, Subject, above, conclude},
    },
    units,
};
use std::time::Duration;

const ROOM: Subject = Subject {
    what: "connections",
    limit: "80 % / 95 %",
    why: "a full server lets nobody in",
    look: "SHOW GLOBAL STATUS LIKE 'Threads_connected'",
};
const LOCKS: Subject = Subject {
    what: "lock waits",
    limit: "1s / 60s",
    why: "all wait for the root blocker",
    look: "SELECT * FROM sys.innodb_lock_waits",
};
const IDLE: Subject = Subject {
    what: "idle in transaction",
    limit: "30s / 5m",
    why: "keeps its locks and holds up the purge",
    look: "SELECT * FROM information_schema.INNODB_TRX, of sessions in Sleep",
};
const OPEN: Subject = Subject {
    what: "open transaction",
    limit: "5m / 30m",
    why: "old row versions pile up behind it",
    look: "SELECT * FROM information_schema.INNODB_TRX ORDER BY trx_started",
};
const DEADLOCKS: Subject = Subject {
    what: "deadlocks",
    limit: "0 / 5 a minute",
    why: "one of the two was undone",
    look: "SHOW ENGINE INNODB STATUS",
};
const HISTORY: Subject = Subject {
    what: "history list",
    limit: "100k / 1M",
    why: "every read has to walk through old versions",
    look: "SHOW GLOBAL STATUS LIKE 'Innodb_history_list_length'",
};
const REPLICATION: Subject = Subject {
    what: "replication",
    limit: "10s / 60s behind",
    why: "readers see the past, and a failover loses it",
    look: "SHOW REPLICA STATUS",
};
const KEYS: Subject = Subject {
    what: "auto-increment",
    limit: "85 % / 95 %",
    why: "after the last value every INSERT fails",
    look: "SELECT * FROM sys.schema_auto_increment_columns",
};
const WRITABLE: Subject = Subject {
    what: "writable",
    limit: "yes, but on a replica",
    why: "every write fails with 1290, though temporary tables work",
    look: "SELECT @@GLOBAL.read_only",
};
const TIMEOUTS: Subject = Subject {
    what: "timeouts",
    limit: "set for everybody",
    why: "without one a statement holds its locks for ever",
    look: "SHOW GLOBAL VARIABLES LIKE 'max_%_time'",
};
const LINK: Subject = Subject {
    what: "encryption",
    limit: "every remote session",
    why: "passwords and rows cross the network in the clear",
    look: "SHOW SESSION STATUS LIKE 'Ssl_cipher'",
};
const CLOCK: Subject = Subject {
    what: "clock, uptime",
    limit: "2s / 5s apart, 10m up",
    why: "a restart drops every session; clocks apart mix up logs",
    look: "SELECT NOW(6); SHOW GLOBAL STATUS LIKE 'Uptime'",
};

/// In the order in which they are worth reading.
const SUBJECTS: [Subject; 12] = [
    ROOM,
    LOCKS,
    IDLE,
    OPEN,
    DEADLOCKS,
    HISTORY,
    REPLICATION,
    KEYS,
    WRITABLE,
    TIMEOUTS,
    LINK,
    CLOCK,
];

/// Shares at which a room is getting full, and as good as full, in percent.
const FULL: (u64, u64) = (80, 95);
/// The same of the values of a key.
const USED: (u128, u128) = (85, 95);
/// Undo records that are many, and far too many.
const KEPT: (u64, u64) = (100_000, 1_000_000);
/// Deadlocks a minute beyond which it is no accident.
const DEADLY: u64 = 5;
/// A server that has been up for less was restarted just now, or has crashed.
const YOUNG: Duration = Duration::from_mins(10);

/// Judges every aspect; the worst decides.
pub(in super::super) fn server(vitals: &Vitals) -> Finding {
    let aspects = [
        room(vitals),
        locks(vitals),
        idle(vitals),
        open(vitals),
        deadlocks(vitals),
        history(vitals),
        replication(vitals),
        keys(vitals),
        writable(vitals),
        timeouts(vitals),
        link(vitals),
        clock(vitals),
    ];
    conclude(&SUBJECTS, &aspects, "INNODB_TRX, PROCESSLIST, status and variables")
}

const fn seconds(soft: u64, hard: u64) -> (Duration, Duration) {
    (Duration::from_secs(soft), Duration::from_secs(hard))
}

fn process(vitals: &Vitals) -> String {
    format!("GRANT PROCESS ON *.* TO {}", vitals.account)
}

/// What is wrong where `mark` is a warning or a failure, fine otherwise.
fn judged(subject: &Subject, mark: Mark, seen: &str, bad: (String, String)) -> Aspect {
    match mark {
        Mark::Pass | Mark::Skipped | Mark::Unknown => subject.fine(seen),
        Mark::Warn | Mark::Fail => subject.bad(mark, seen, bad.0, bad.1),
    }
}

fn room(vitals: &Vitals) -> Aspect {
    let (used, most) = vitals.room;
    let seen = format!("{used} of {most}");
    let mark = match used * 100 / most.max(1) {
        percent if percent >= FULL.1 => Mark::Fail,
        percent if percent >= FULL.0 => Mark::Warn,
        _ => Mark::Pass,
    };
    let remedy = "close idle connections, pool them, or raise max_connections";
    judged(&ROOM, mark, &seen, (format!("{seen} connections taken"), remedy.into()))
}

fn locks(vitals: &Vitals) -> Aspect {
    let Some(waits) = &vitals.waits else { return LOCKS.hidden(&process(vitals)) };
    let Some(root) = root(waits) else { return LOCKS.fine("nobody waits") };
    let (id, victims, span) = (root.id, root.victims, units::span(root.waited));
    let seen = format!("session {id} ({}) blocks {victims}, {span}", root.who);
    let says = format!("session {id} blocks {victims} for {span}");
    let remedy = format!("end what it does, or KILL {id}: {}", root.who);
    judged(&LOCKS, above(&root.waited, &seconds(1, 60)), &seen, (says, remedy))
}

fn idle(vitals: &Vitals) -> Aspect {
    let Some(all) = &vitals.open else { return IDLE.hidden(&process(vitals)) };
    let longest = all.iter().filter_map(|open| Some((open, open.idle?))).max_by_key(|it| it.1);
    let Some((Open { id, who, .. }, idle)) = longest else { return IDLE.fine("none") };
    let span = units::span(idle);
    let seen = format!("session {id} ({who}) for {span}");
    let says = format!("session {id} idles in transaction, {span}");
    let remedy = format!("KILL {id}: {who}; on MariaDB set idle_transaction_timeout for it");
    judged(&IDLE, above(&idle, &seconds(30, 300)), &seen, (says, remedy))
}

fn open(vitals: &Vitals) -> Aspect {
    let Some(all) = &vitals.open else { return OPEN.hidden(&process(vitals)) };
    let Some(Open { id, who, age, .. }) = all.iter().max_by_key(|open| open.age) else {
        return OPEN.fine("none");
    };
    let span = units::span(*age);
    let seen = format!("session {id} ({who}) for {span}");
    let says = format!("session {id} in a transaction for {span}");
    let remedy = format!("see what session {id} does: {who}; KILL {id} if nobody needs it");
    judged(&OPEN, above(age, &seconds(300, 1800)), &seen, (says, remedy))
}

fn deadlocks(vitals: &Vitals) -> Aspect {
    let Some((more, over)) = vitals.deadlocks else { return DEADLOCKS.fine("first look") };
    let span = units::span(over);
    let seen = format!("{more} in {span}");
    let mark = match more * 60 / over.as_secs().max(60) {
        _ if more == 0 => Mark::Pass,
        a_minute if a_minute > DEADLY => Mark::Fail,
        _ => Mark::Warn,
    };
    let remedy = "take locks in the same order everywhere; SHOW ENGINE INNODB STATUS has the last";
    judged(
        &DEADLOCKS,
        mark,
        &seen,
        (format!("{more} deadlock{} in {span}", if more == 1 { "" } else { "s" }), remedy.into()),
    )
}

fn history(vitals: &Vitals) -> Aspect {
    let Some(kept) = vitals.history else { return HISTORY.hidden(&process(vitals)) };
    let seen = format!("{kept} records");
    let remedy = "end the oldest transaction: it keeps the purge from them";
    judged(&HISTORY, above(&kept, &KEPT), &seen, (format!("history of {seen}"), remedy.into()))
}

fn replication(vitals: &Vitals) -> Aspect {
    match &vitals.replica {
        Replica::None => REPLICATION.fine("no replica"),
        Replica::Hidden => {
            let grant = "GRANT REPLICATION CLIENT, on MariaDB SLAVE MONITOR, ON *.* TO";
            REPLICATION.hidden(&format!("{grant} {}", vitals.account))
        }
        Replica::Stopped(why) => {
            let remedy = "SHOW REPLICA STATUS says what it stopped at; then START REPLICA";
            REPLICATION.bad(Mark::Fail, why, format!("replication: {why}"), remedy.into())
        }
        Replica::Behind(lag) => {
            let seen = format!("{} behind", units::span(*lag));
            let remedy = "look for a long transaction or too little disk on this replica";
            let bad = (format!("replica {seen}"), remedy.into());
            judged(&REPLICATION, above(lag, &seconds(10, 60)), &seen, bad)
        }
    }
}

fn keys(vitals: &Vitals) -> Aspect {
    let Some(key) = &vitals.key else { return KEYS.fine("none in this database") };
    let percent = u128::from(key.next) * 100 / u128::from(key.last.max(1));
    let seen = format!("{percent} % of {}", key.name);
    let mark = match percent {
        percent if percent >= USED.1 => Mark::Fail,
        percent if percent >= USED.0 => Mark::Warn,
        _ => Mark::Pass,
    };
    let (says, remedy) = (
        format!("{seen} used up"),
        format!("ALTER TABLE … MODIFY {} to BIGINT UNSIGNED, at {}", key.name, key.next),
    );
    judged(&KEYS, mark, &seen, (says, remedy))
}

fn writable(vitals: &Vitals) -> Aspect {
    let mark = match (vitals.read_only, &vitals.replica) {
        (false, _) => return WRITABLE.fine("yes"),
        (true, Replica::Behind(_) | Replica::Stopped(_)) => {
            return WRITABLE.fine("replica, reads only");
        }
        (true, Replica::None | Replica::Hidden) => Mark::Warn,
    };
    let remedy = "SET GLOBAL read_only = 0, unless it is a replica and meant to be read";
    WRITABLE.bad(mark, "read_only = 1", "read_only = 1: no writes".into(), remedy.into())
}

fn timeouts(vitals: &Vitals) -> Aspect {
    let (name, longest) = vitals.limit;
    if !longest.is_zero() {
        return TIMEOUTS.fine(format!("{name} = {}", units::span(longest)));
    }
    let seen = format!("{name} = 0");
    let remedy = format!("SET GLOBAL {name}, or WITH MAX_STATEMENT_TIME for the account");
    TIMEOUTS.bad(Mark::Warn, &seen, format!("{seen}, nothing is limited"), remedy)
}

fn link(vitals: &Vitals) -> Aspect {
    if vitals.private {
        return LINK.fine("ours is, or stays on this machine");
    }
    let remedy = "?ssl-mode=VERIFY_IDENTITY in the url, and require_secure_transport there";
    let says = "our session crosses the network in the clear".to_owned();
    LINK.bad(Mark::Warn, "ours is not", says, remedy.into())
}

fn clock(vitals: &Vitals) -> Aspect {
    let Vitals { skew, up, .. } = vitals;
    let (apart, age) = (units::span(*skew), units::span(*up));
    let seen = format!("{apart} apart, up {age}");
    let mark = above(skew, &seconds(2, 5));
    if mark == Mark::Pass && *up < YOUNG {
        let remedy = "see the server's log for who restarted it, or why it crashed".to_owned();
        return CLOCK.bad(Mark::Warn, &seen, format!("server started {age} ago"), remedy);
    }
    let remedy = "let chrony or ntpd set the clocks of both machines".to_owned();
    judged(&CLOCK, mark, &seen, (format!("clock is {apart} from ours"), remedy))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::integrations::database::mysql::vitals::{Key, Wait};

    const fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn healthy() -> Vitals {
        Vitals {
            account: "'app'@'%'".into(),
            room: (10, 100),
            open: Some(Vec::new()),
            waits: Some(Vec::new()),
            deadlocks: Some((0, secs(60))),
            history: Some(0),
            limit: ("max_statement_time", secs(30)),
            private: true,
            up: secs(600),
            ..Vitals::default()
        }
    }

    fn says(vitals: &Vitals) -> (&'static str, String) {
        let finding = server(vitals);
        assert!(finding.summary.chars().count() <= 45, "{}", finding.summary);
        assert!(finding.outcome.word() == "pass" || finding.remedy.is_some(), "{finding:?}");
        (finding.outcome.word(), finding.summary)
    }

    fn is(word: &str, vitals: &Vitals) {
        assert_eq!(says(vitals).0, word, "{:?}", says(vitals));
    }

    #[test]
    fn each_aspect_is_judged_at_both_sides_of_its_limits() {
        let fine = "12 aspects, all within their limits".to_owned();
        assert_eq!(says(&healthy()), ("pass", fine));
        for (used, word) in [(79, "pass"), (80, "warn"), (94, "warn"), (95, "fail")] {
            is(word, &Vitals { room: (used, 100), ..healthy() });
        }
        for (kept, word) in [(100_000, "pass"), (100_001, "warn"), (1_000_001, "fail")] {
            is(word, &Vitals { history: Some(kept), ..healthy() });
        }
        for (n, word) in [(0, "pass"), (5, "warn"), (6, "fail")] {
            is(word, &Vitals { deadlocks: Some((n, secs(60))), ..healthy() });
        }
        for (lag, word) in [(10, "pass"), (11, "warn"), (61, "fail")] {
            is(word, &Vitals { replica: Replica::Behind(secs(lag)), ..healthy() });
        }
        for (next, word) in [(84, "pass"), (85, "warn"), (95, "fail")] {
            let key = Some(Key { name: "orders.id".into(), next, last: 100 });
            is(word, &Vitals { key, ..healthy() });
        }
        for (up, word) in [(600, "pass"), (599, "warn")] {
            is(word, &Vitals { up: secs(up), ..healthy() });
        }
        for (skew, word) in [(2, "pass"), (3, "warn"), (6, "fail")] {
            is(word, &Vitals { skew: secs(skew), ..healthy() });
        }
        is("warn", &Vitals { limit: ("max_statement_time", secs(0)), ..healthy() });
        is("warn", &Vitals { private: false, ..healthy() });
    }

    #[test]
    fn who_blocks_and_who_idles_is_named() {
        let open = |age, idle: Option<u64>| {
            let idle = idle.map(secs);
            Some(vec![Open { id: 7, who: "app".into(), age: secs(age), idle }])
        };
        let idles = Vitals { open: open(40, Some(31)), ..healthy() };
        assert_eq!(says(&idles), ("warn", "session 7 idles in transaction, 31s".into()));
        is("pass", &Vitals { open: open(40, Some(30)), ..healthy() });
        is("fail", &Vitals { open: open(400, Some(301)), ..healthy() });
        is("pass", &Vitals { open: open(300, None), ..healthy() });
        is("warn", &Vitals { open: open(301, None), ..healthy() });
        let wait =
            |waiter, blocker| Wait { waiter, blocker, who: "app, Sleep".into(), waited: secs(2) };
        let chain = Vitals { waits: Some(vec![wait(2, 1), wait(3, 2)]), ..healthy() };
        assert_eq!(says(&chain), ("warn", "session 1 blocks 2 for 2.0s".into()));
        assert!(server(&chain).remedy.unwrap().contains("KILL 1"));
    }

    #[test]
    fn what_may_not_be_seen_is_not_taken_for_nothing() {
        let hidden = Vitals { open: None, waits: None, history: None, ..healthy() };
        assert_eq!(says(&hidden).0, "unknown");
        let remedy = server(&hidden).remedy.unwrap();
        assert_eq!(remedy, "GRANT PROCESS ON *.* TO 'app'@'%'");
        is("unknown", &Vitals { replica: Replica::Hidden, ..healthy() });
    }

    #[test]
    fn only_a_replica_may_be_read_only() {
        let read_only = Vitals { read_only: true, ..healthy() };
        assert_eq!(says(&read_only), ("warn", "read_only = 1: no writes".into()));
        is("pass", &Vitals { replica: Replica::Behind(secs(0)), ..read_only });
        let stopped = Replica::Stopped("applying stopped by error 1062".into());
        is("fail", &Vitals { replica: stopped, ..healthy() });
    }
}
