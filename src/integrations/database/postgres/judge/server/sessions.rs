use super::{grant, seconds};
use crate::{
    domain::Mark,
    integrations::database::{
        postgres::{
            judge::pool,
            vitals::{Blocker, Vitals, Wait},
        },
        vitals::{Aspect, Subject, above},
    },
    units,
};
use std::time::Duration;

pub(super) const ROOM: Subject = Subject {
    what: "connections",
    limit: "80 % / 95 %",
    why: "a full server lets nobody in",
    look: "SELECT count(*), usename FROM pg_stat_activity GROUP BY 2",
};
pub(super) const LOCKS: Subject = Subject {
    what: "lock waits",
    limit: "1s / 60s",
    why: "all wait for the root blocker",
    look: "SELECT pid, pg_blocking_pids(pid) FROM pg_stat_activity",
};
pub(super) const IDLE: Subject = Subject {
    what: "idle in transaction",
    limit: "30s / 5m",
    why: "keeps its locks and holds up the vacuum",
    look: "SELECT pid, state_change FROM pg_stat_activity WHERE state LIKE 'idle in%'",
};
pub(super) const OPEN: Subject = Subject {
    what: "open transaction",
    limit: "5m / 30m",
    why: "dead rows pile up behind it",
    look: "SELECT pid, xact_start FROM pg_stat_activity ORDER BY 2",
};
pub(super) const PREPARED: Subject = Subject {
    what: "prepared transaction",
    limit: "1s / 5m",
    why: "outlives its session, locks and all",
    look: "SELECT * FROM pg_prepared_xacts",
};
pub(super) const DEADLOCKS: Subject = Subject {
    what: "deadlocks",
    limit: "0 / 5 a minute",
    why: "one of the two was undone",
    look: "SELECT datname, deadlocks FROM pg_stat_database",
};

/// Transactions that an open one may hold up before it is worth a warning, and a failure.
const XMIN: (u64, u64) = (1_000_000, 50_000_000);
/// Deadlocks a minute beyond which it is no accident.
const DEADLY: u64 = 5;

pub(super) fn room(vitals: &Vitals) -> Aspect {
    let fullest = vitals.rooms.iter().max_by_key(|room| pool::percent(room));
    let (Some(all), Some(room)) = (vitals.rooms.first(), fullest) else {
        return ROOM.hidden(&grant(vitals));
    };
    let seen = format!("{}: {} of {}", room.what, room.used, room.most);
    let percent = pool::percent(room);
    let mark = match percent {
        percent if percent >= pool::FULL.1 => Mark::Fail,
        percent if percent >= pool::FULL.0 => Mark::Warn,
        // What is fullest of all is no news where nothing is full.
        _ => return ROOM.fine(format!("{} of {}", all.used, all.most)),
    };
    let says = format!("{seen} connections taken");
    ROOM.bad(mark, &seen, says, "close idle connections, or raise the limit".into())
}

pub(super) fn locks(vitals: &Vitals) -> Aspect {
    let Some(Blocker { pid, who, victims, waited }) = &vitals.blocker else {
        return LOCKS.fine("nobody waits");
    };
    let span = units::span(*waited);
    let seen = format!("pid {pid} ({who}) blocks {victims}, {span}");
    match above(waited, &seconds(1, 60)) {
        Mark::Pass | Mark::Skipped | Mark::Unknown => LOCKS.fine(seen),
        mark @ (Mark::Warn | Mark::Fail) => {
            let end = match pid {
                0 => "end it: ROLLBACK PREPARED its gid in pg_prepared_xacts".to_owned(),
                pid => format!("end what it does, or SELECT pg_terminate_backend({pid}): {who}"),
            };
            LOCKS.bad(mark, &seen, format!("pid {pid} blocks {victims} for {span}"), end)
        }
    }
}

/// The oldest transaction of a kind, by its age and by what it holds up.
pub(super) fn waiting(vitals: &Vitals, subject: &Subject) -> Aspect {
    let (kind, limits) = match subject.what {
        what if what == IDLE.what => ("idle", seconds(30, 300)),
        what if what == OPEN.what => ("open", seconds(300, 1800)),
        _ => ("prepared", seconds(1, 300)),
    };
    let found = vitals.waits.iter().find(|wait| wait.kind == kind);
    let Some(wait) = found else {
        let blind = !vitals.reads_all && kind != "prepared";
        return if blind { subject.hidden(&grant(vitals)) } else { subject.fine("none") };
    };
    let Wait { pid, who, age, xmin, .. } = wait;
    let span = units::span(*age);
    let seen = format!("pid {pid} ({who}) {span}, xmin {xmin} back");
    let mark = graver(above::<Duration>(age, &limits), above(xmin, &XMIN));
    match mark {
        Mark::Pass | Mark::Skipped | Mark::Unknown => subject.fine(seen),
        Mark::Warn | Mark::Fail => {
            let remedy = match kind {
                "prepared" => "COMMIT PREPARED or ROLLBACK PREPARED its gid".to_owned(),
                "idle" => format!(
                    "SELECT pg_terminate_backend({pid}): {who}; and set \
                     idle_in_transaction_session_timeout for its role"
                ),
                _ => format!("see what pid {pid} does: {who}; end it if nobody needs it"),
            };
            let who = if kind == "prepared" { String::new() } else { format!("pid {pid} ") };
            subject.bad(mark, &seen, format!("{who}{} for {span}", subject.what), remedy)
        }
    }
}

fn graver(one: Mark, other: Mark) -> Mark {
    match (one, other) {
        (Mark::Fail, _) | (_, Mark::Fail) => Mark::Fail,
        (Mark::Warn, _) | (_, Mark::Warn) => Mark::Warn,
        (Mark::Pass | Mark::Skipped | Mark::Unknown, _) => Mark::Pass,
    }
}

pub(super) fn deadlocks(vitals: &Vitals) -> Aspect {
    let Some((more, over)) = vitals.deadlocks else {
        return DEADLOCKS.fine("first look");
    };
    let span = units::span(over);
    let seen = format!("{more} in {span}");
    if more == 0 {
        return DEADLOCKS.fine(seen);
    }
    let a_minute = more * 60 / over.as_secs().max(60);
    let mark = if a_minute > DEADLY { Mark::Fail } else { Mark::Warn };
    let remedy = "take locks in the same order everywhere; the server's log names the statements";
    DEADLOCKS.bad(
        mark,
        &seen,
        format!("{more} deadlock{} in {span}", if more == 1 { "" } else { "s" }),
        remedy.into(),
    )
}
