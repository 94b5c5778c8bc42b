//! Does our own machinery hold? Faults are injected into it and watched.
//!
//! A console that dies with its first bad probe proves nothing about anything
//! else, so none of this is declared: each check provokes the fault, on
//! loopback and in tasks of its own, and measures what the machinery makes of it.

mod checks;
mod faults;
mod judge;
mod loopback;

use crate::{
    domain::{Cadence, CheckSpec, Class, Impact, IntegrationId, Provenance, Target, text},
    probe::{Check, Cx, Integration, Run, specs},
};
use std::time::Duration;

/// What to do when one of these fails. Nothing of the user's is to blame.
const HINT: &str = "report this as a bug of tminus, with the evidence shown here";

/// The console's own machinery.
pub struct Resilience {
    id: IntegrationId,
}

impl Resilience {
    /// Names it. Each run makes the servers and tasks that it needs, and ends them.
    pub fn new(id: IntegrationId) -> Self {
        Self { id }
    }
}

/// The whole catalogue of this integration, one row per check.
const CHECKS: &[Check<Resilience>] = &[
    Check {
        spec: spec(
            "panics",
            "A crash in one check stays there",
            "Lets one of three tasks panic, and looks whether its siblings go on",
            "one broken check ends the console in the middle of a release",
        ),
        run: |own, cx| Box::pin(own.panics(cx)),
    },
    Check {
        spec: spec(
            "timeout",
            "A hung run is cut and frees its socket",
            "Lets runs hang past their deadline, until they are stopped, and on a loopback \
             socket; looks whether each is cut and lets go",
            "a target that hangs holds the console up",
        ),
        run: |own, cx| Box::pin(own.timeout(cx)),
    },
    Check {
        spec: spec(
            "breaker",
            "The breaker opens, waits and closes",
            "Takes a breaker through its states against a loopback server that fails on command",
            "a target that is down is asked again and again",
        ),
        run: |own, cx| Box::pin(own.breaker(cx)),
    },
    Check {
        spec: spec(
            "backoff",
            "Retries are spread, bounded and end",
            "Retries against a loopback server that keeps failing, then against one that recovers",
            "retries come in waves and keep a target down",
        ),
        run: |own, cx| Box::pin(own.backoff(cx)),
    },
];

const fn spec(
    name: &'static str,
    title: &'static str,
    does: &'static str,
    risk: &'static str,
) -> CheckSpec {
    CheckSpec {
        name: text(name),
        title: text(title),
        hint: text(HINT),
        does: text(does),
        risk: text(risk),
        cadence: Cadence::Every(Duration::from_mins(1)),
        timeout: Duration::from_secs(5),
        weight: 1,
        class: Class::Blocker,
        impact: Impact::ReadOnly,
        needs: None,
        graph: false,
    }
}

impl Integration for Resilience {
    fn id(&self) -> &IntegrationId {
        &self.id
    }

    fn title(&self) -> &'static str {
        "Resilience"
    }

    fn target(&self) -> Target {
        Target { name: "this console's own machinery".into(), provenance: Provenance::Embedded }
    }

    fn checks(&self) -> Vec<CheckSpec> {
        specs(CHECKS)
    }

    fn run<'a>(&'a self, index: usize, cx: &'a Cx) -> Run<'a> {
        (CHECKS[index].run)(self, cx)
    }
}
