use super::seconds;
use crate::{
    domain::Mark,
    integrations::database::{
        postgres::vitals::{Timeout, Vitals},
        vitals::{Aspect, Subject, above},
    },
    units,
};
use std::time::Duration;

pub(super) const WRITABLE: Subject = Subject {
    what: "writable",
    limit: "yes, but on a standby",
    why: "every write fails with 25006",
    look: "SHOW default_transaction_read_only; SELECT pg_is_in_recovery()",
};
pub(super) const TIMEOUTS: Subject = Subject {
    what: "timeouts",
    limit: "set for every role",
    why: "without one a statement holds its locks for ever",
    look: "SELECT rolname, rolconfig FROM pg_roles; SHOW statement_timeout",
};
pub(super) const LINK: Subject = Subject {
    what: "encryption",
    limit: "every remote session",
    why: "passwords and rows cross the network in the clear",
    look: "SELECT pid, ssl FROM pg_stat_ssl",
};
pub(super) const CLOCK: Subject = Subject {
    what: "clock, uptime",
    limit: "2s / 5s apart, 10m up",
    why: "a restart drops every session; clocks apart mix up logs",
    look: "SELECT pg_postmaster_start_time(), clock_timestamp()",
};

/// A server that has been up for less was restarted just now, or has crashed.
const YOUNG: Duration = Duration::from_mins(10);

pub(super) fn writable(vitals: &Vitals) -> Aspect {
    let state = &vitals.state;
    if state.standby.is_some() {
        return WRITABLE.fine("standby, reads only");
    }
    if !state.read_only {
        return WRITABLE.fine("yes");
    }
    let seen = "default_transaction_read_only=on";
    let remedy = format!(
        "ALTER ROLE {role} RESET default_transaction_read_only, or the same of the database",
        role = vitals.role
    );
    WRITABLE.bad(Mark::Warn, seen, format!("{seen} here"), remedy)
}

pub(super) fn timeouts(vitals: &Vitals) -> Aspect {
    let missing: Vec<&Timeout> = vitals.timeouts.iter().filter(|one| one.without > 0).collect();
    let Some(Timeout { name, roles, without, one }) = missing.first() else {
        let seen = if vitals.timeouts.is_empty() { "no role of an application" } else { "all set" };
        return TIMEOUTS.fine(seen);
    };
    let names: Vec<&str> = missing.iter().map(|timeout| timeout.name.as_str()).collect();
    let seen = format!("none for {without} of {roles} roles: {}", names.join(", "));
    let says = format!("{name}=0 for {without} of {roles} roles");
    let remedy = format!("ALTER ROLE {one} SET {name} = '30s'");
    TIMEOUTS.bad(Mark::Warn, &seen, says, remedy)
}

pub(super) fn link(vitals: &Vitals) -> Aspect {
    match vitals.state.plain {
        0 => LINK.fine("none in the clear"),
        plain => {
            let seen = format!("{plain} sessions in the clear");
            let remedy = "hostssl in pg_hba.conf, and sslmode=verify-full in the clients' urls";
            let says = format!("{plain} remote sessions without encryption");
            LINK.bad(Mark::Warn, &seen, says, remedy.into())
        }
    }
}

pub(super) fn clock(vitals: &Vitals) -> Aspect {
    let state = &vitals.state;
    let (skew, up) = (units::span(state.skew), units::span(state.up));
    let seen = format!("{skew} apart, up {up}");
    match above(&state.skew, &seconds(2, 5)) {
        mark @ (Mark::Warn | Mark::Fail) => {
            let remedy = "let chrony or ntpd set the clocks of both machines".to_owned();
            CLOCK.bad(mark, &seen, format!("clock is {skew} from ours"), remedy)
        }
        Mark::Pass | Mark::Skipped | Mark::Unknown if state.up < YOUNG => {
            let remedy = "see the server's log for who restarted it, or why it crashed".to_owned();
            CLOCK.bad(Mark::Warn, &seen, format!("server started {up} ago"), remedy)
        }
        Mark::Pass | Mark::Skipped | Mark::Unknown => CLOCK.fine(seen),
    }
}
