use super::seconds;
use crate::{
    domain::Mark,
    integrations::database::{
        postgres::vitals::{Replica, Slot, Vitals},
        vitals::{Aspect, Subject, above},
    },
    units,
};

pub(super) const DISK: Subject = Subject {
    what: "disk",
    limit: "20 % / 10 % free",
    why: "a server without room for its log stops",
    look: "df of SHOW data_directory; SELECT sum(size) FROM pg_ls_waldir()",
};
pub(super) const WRAPAROUND: Subject = Subject {
    what: "wraparound",
    limit: "50 % / 80 %",
    why: "at 2^31 the server takes no more writes",
    look: "SELECT datname, age(datfrozenxid) FROM pg_database",
};
pub(super) const SEQUENCES: Subject = Subject {
    what: "sequences",
    limit: "85 % / 95 % used",
    why: "at its end every insert fails",
    look: "SELECT sequencename, last_value, max_value FROM pg_sequences",
};
pub(super) const ARCHIVER: Subject = Subject {
    what: "archiver",
    limit: "last attempt ok",
    why: "no point-in-time recovery, and the log piles up",
    look: "SELECT * FROM pg_stat_archiver",
};
pub(super) const REPLICATION: Subject = Subject {
    what: "replication",
    limit: "10s / 60s behind",
    why: "a failover loses what is not there yet",
    look: "SELECT application_name, replay_lag FROM pg_stat_replication",
};
pub(super) const SLOTS: Subject = Subject {
    what: "replication slots",
    limit: "1 / 10 GiB, none idle",
    why: "what nobody reads fills the disk",
    look: "SELECT slot_name, active, wal_status FROM pg_replication_slots",
};
pub(super) const TABLES: Subject = Subject {
    what: "vacuum",
    limit: "40 % dead rows",
    why: "dead rows slow every scan, plans rest on old statistics",
    look: "SELECT relname, n_dead_tup, last_autovacuum FROM pg_stat_user_tables",
};
pub(super) const INDEXES: Subject = Subject {
    what: "invalid indexes",
    limit: "0",
    why: "written to by all, used by none",
    look: "SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid",
};

const GIB: u64 = 1 << 30;
/// Half, and four fifths, of the transaction numbers that there are.
const NUMBERS: (u64, u64) = ((1 << 31) / 100 * 50, (1 << 31) / 100 * 80);

pub(super) fn disk(vitals: &Vitals) -> Aspect {
    let log = vitals.disk.log.map(units::bytes);
    let log = log.map_or_else(|| "log hidden".to_owned(), |log| format!("log {log}"));
    let Some((free, all)) = vitals.disk.room else {
        return DISK.fine(format!("{log}; room not to be seen from here"));
    };
    let percent = free * 100 / all.max(1);
    let seen = format!("{percent} % of {} free, {log}", units::bytes(all));
    let mark = match percent {
        0..10 => Mark::Fail,
        10..20 => Mark::Warn,
        _ => return DISK.fine(seen),
    };
    let remedy = "make room, or add a disk; what keeps the log: pg_replication_slots, the archiver";
    DISK.bad(mark, &seen, format!("{percent} % of the server's disk left"), remedy.into())
}

pub(super) fn wraparound(vitals: &Vitals) -> Aspect {
    let age = vitals.horizon.age;
    let database = &vitals.horizon.database;
    let percent = age * 100 / (1 << 31);
    let seen = format!("{database}: {age}, {percent} %");
    match above(&age, &NUMBERS) {
        Mark::Pass | Mark::Skipped | Mark::Unknown => WRAPAROUND.fine(seen),
        mark @ (Mark::Warn | Mark::Fail) => {
            let says = format!("{percent} % to a wraparound in {database}");
            let remedy = format!("VACUUM (FREEZE) in {database}; end what holds xmin back first");
            WRAPAROUND.bad(mark, &seen, says, remedy)
        }
    }
}

pub(super) fn sequences(vitals: &Vitals) -> Aspect {
    let sequences = &vitals.sequences;
    let hidden = match sequences.hidden {
        0 => String::new(),
        hidden => format!("{hidden} hidden: GRANT SELECT ON ALL SEQUENCES IN SCHEMA …"),
    };
    if sequences.name.is_empty() {
        let none = if hidden.is_empty() { "none in use".to_owned() } else { hidden };
        return SEQUENCES.fine(none);
    }
    let seen = format!("{}: {} %", sequences.name, sequences.used);
    let mark = match sequences.used {
        0..85 => return SEQUENCES.fine(format!("{seen} {hidden}").trim_end()),
        85..95 => Mark::Warn,
        _ => Mark::Fail,
    };
    let says = format!("{} % of {} used", sequences.used, sequences.name);
    let remedy = "ALTER TABLE … ALTER COLUMN … TYPE bigint, and ALTER SEQUENCE … AS bigint";
    SEQUENCES.bad(mark, &seen, says, remedy.into())
}

pub(super) fn archiver(vitals: &Vitals) -> Aspect {
    let state = &vitals.state;
    match state.archive_fails {
        Some(fails) if state.archive != "off" => {
            let seen = format!("last attempt failed, {fails} did");
            let says = format!("archiving fails, {fails} times so far");
            let remedy = "see why archive_command fails in the server's log; the log of changes \
                          is kept until it works";
            ARCHIVER.bad(Mark::Fail, &seen, says, remedy.into())
        }
        Some(_) | None => ARCHIVER.fine(format!("archive_mode={}", state.archive)),
    }
}

pub(super) fn replication(vitals: &Vitals) -> Aspect {
    let state = &vitals.state;
    if state.standby.is_some_and(|standby| !standby.receiving) {
        let says = "standby hears nothing from its primary".to_owned();
        let remedy = "see primary_conninfo, and the log of both; or it is restored from files";
        return REPLICATION.bad(Mark::Warn, "standby, no receiver", says, remedy.into());
    }
    let (name, lag, bytes) = match &vitals.replica {
        Some(Replica { state, name, .. }) if state != "streaming" && state != "hidden" => {
            let says = format!("replica {name} is in {state}");
            let remedy = "wait until it has caught up, or see its log".to_owned();
            return REPLICATION.bad(Mark::Warn, &says, says.clone(), remedy);
        }
        Some(Replica { name, lag, bytes, .. }) => (name.as_str(), *lag, *bytes),
        None => match state.standby {
            Some(standby) => ("this standby", standby.behind, 0),
            None => return REPLICATION.fine("no replica"),
        },
    };
    let span = units::span(lag);
    let seen = format!("{name}: {span}, {}", units::bytes(bytes));
    match above(&lag, &seconds(10, 60)) {
        Mark::Pass | Mark::Skipped | Mark::Unknown => REPLICATION.fine(seen),
        mark @ (Mark::Warn | Mark::Fail) => {
            let remedy = "look for long queries on it, its disk, and the way to it";
            REPLICATION.bad(mark, &seen, format!("{name} is {span} behind"), remedy.into())
        }
    }
}

pub(super) fn slots(vitals: &Vitals) -> Aspect {
    let Some(Slot { name, status, kept, inactive }) = &vitals.slot else {
        return SLOTS.fine("none");
    };
    let size = units::bytes(*kept);
    let seen = format!("{name} keeps {size}, {inactive} inactive, {status}");
    let lost = matches!(status.as_str(), "lost" | "unreserved");
    let mark = match above(kept, &(GIB, 10 * GIB)) {
        _ if lost => Mark::Fail,
        Mark::Pass | Mark::Skipped | Mark::Unknown if *inactive == 0 => return SLOTS.fine(seen),
        Mark::Pass | Mark::Skipped | Mark::Unknown | Mark::Warn => Mark::Warn,
        Mark::Fail => Mark::Fail,
    };
    let says = match (lost, *kept > GIB) {
        (true, _) => format!("slot {name} is {status}"),
        (false, true) => format!("slot {name} keeps {size} of log"),
        (false, false) => format!("{inactive} slots inactive, {size} kept"),
    };
    let remedy =
        format!("start what reads it, or SELECT pg_drop_replication_slot of {name} if nobody does");
    SLOTS.bad(mark, &seen, says, remedy)
}

pub(super) fn tables(vitals: &Vitals) -> Aspect {
    let tables = &vitals.tables;
    if !vitals.state.counting || tables.all_off {
        let setting = if tables.all_off { "autovacuum=off" } else { "track_counts=off" };
        let remedy = "ALTER SYSTEM SET autovacuum = on, and track_counts = on; \
                      SELECT pg_reload_conf()";
        let says = format!("{setting}: nothing is vacuumed");
        return TABLES.bad(Mark::Fail, setting, says, remedy.into());
    }
    match &tables.dead {
        Some((name, dead, live)) => {
            let seen = format!("{name}: {dead} dead, {live} live");
            let says = format!("{dead} dead rows in {name}");
            let remedy = format!("VACUUM ANALYZE {name}; end what holds xmin back first");
            TABLES.bad(Mark::Warn, &seen, says, remedy)
        }
        None if tables.off > 0 => {
            let says = format!("autovacuum is off for {} tables", tables.off);
            let remedy = "ALTER TABLE … RESET (autovacuum_enabled)".to_owned();
            TABLES.bad(Mark::Warn, &says, says.clone(), remedy)
        }
        None => TABLES.fine("no table behind"),
    }
}

pub(super) fn indexes(vitals: &Vitals) -> Aspect {
    match &vitals.invalid {
        (0, _) => INDEXES.fine("none"),
        (many, one) => {
            let remedy = format!("REINDEX INDEX CONCURRENTLY {one}, or drop it");
            INDEXES.bad(
                Mark::Warn,
                &format!("{many}, {one}"),
                format!("{many} invalid indexes, {one}"),
                remedy,
            )
        }
    }
}
