use super::{Cadence, CheckSpec, CheckView, Outcome, Skip};
use serde::{Deserialize, Serialize};
use std::{cmp, time::Duration};

/// Under this coverage, in percent, nobody knows how an integration is doing.
const KNOWN: u32 = 50;
/// A result is never called stale before this age.
const SOONEST_STALE: Duration = Duration::from_secs(15);

/// How far an answer can still be relied on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Freshness {
    /// Recent enough, or not meant to be repeated.
    #[default]
    Fresh,
    /// Older than two intervals and a timeout: shown dimmed, earns half.
    Stale,
    /// Older than five intervals: stands for nothing.
    Expired,
}

impl Freshness {
    /// How fresh a result of that age is.
    pub fn of(age: Duration, spec: &CheckSpec) -> Self {
        let Some((stale, expired)) = Self::limits(spec) else { return Self::Fresh };
        if age > expired {
            Self::Expired
        } else if age > stale {
            Self::Stale
        } else {
            Self::Fresh
        }
    }

    /// The ages after which a result is stale and expired; `None` for one on demand.
    pub fn limits(spec: &CheckSpec) -> Option<(Duration, Duration)> {
        let Cadence::Every(interval) = spec.cadence else { return None };
        let stale = cmp::max(interval * 2 + spec.timeout, SOONEST_STALE);
        Some((stale, cmp::max(interval * 5, stale)))
    }
}

/// A one-word reading of an integration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Everything counted passed; warnings allowed.
    Operational,
    /// Something failed, is blocked or flaps, or a fallback answers.
    Degraded,
    /// The connection failed with nothing in its place, or everything failed.
    Down,
    /// No fresh evidence, or too little of it.
    #[default]
    Unknown,
}

impl Status {
    /// Reads the standing of an integration's checks. The first rule that matches holds.
    pub fn of(checks: &[CheckView]) -> Self {
        let counted: Vec<&CheckView> = checks.iter().filter(|check| applies(check)).collect();
        let failed = |check: &CheckView| *check.outcome() == Outcome::Fail;
        let connection_failed = |check: &CheckView| {
            check.spec.name == "connect" && failed(check) && !check.finding.fallback
        };
        let troubled = |check: &CheckView| {
            check.finding.fallback
                || check.flags.flapping
                || matches!(check.outcome(), Outcome::Fail | Outcome::Blocked(_))
        };
        if known(&counted) < KNOWN {
            Self::Unknown
        } else if counted.iter().any(|check| connection_failed(check))
            || counted.iter().all(|check| failed(check))
        {
            Self::Down
        } else if counted.iter().any(|check| troubled(check)) {
            Self::Degraded
        } else {
            Self::Operational
        }
    }

    /// The status as one upper-case word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Operational => "OPERATIONAL",
            Self::Degraded => "DEGRADED",
            Self::Down => "DOWN",
            Self::Unknown => "UNKNOWN",
        }
    }
}

/// Whether a check counts at all: it has a weight and is not out of the denominator.
fn applies(check: &CheckView) -> bool {
    check.spec.weight > 0
        && !matches!(check.outcome(), Outcome::Skipped(Skip::NotApplicable | Skip::NotAllowed))
}

/// The freshly executed share, in percent, of what could be executed.
///
/// A check that is blocked could not: that its sibling fails is known, and is
/// why an integration whose connection is refused is DOWN and not UNKNOWN.
fn known(counted: &[&CheckView]) -> u32 {
    let weigh = |wanted: &dyn Fn(&CheckView) -> bool| -> u32 {
        let chosen = counted.iter().filter(|check| wanted(check));
        chosen.map(|check| u32::from(check.spec.weight)).sum()
    };
    let executable = weigh(&|check| !matches!(check.outcome(), Outcome::Blocked(_)));
    let executed =
        weigh(&|check| check.outcome().is_executed() && check.freshness == Freshness::Fresh);
    (executed * 100).checked_div(executable).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Cause, Finding, sample};

    fn status(findings: Vec<Finding>) -> Status {
        let names = ["connect", "b", "c", "d", "e"];
        let checks = names.iter().zip(findings);
        let weigh = |name| if name == "connect" { 3 } else { 1 };
        Status::of(&checks.map(|(n, f)| sample::check(n, weigh(*n), f)).collect::<Vec<_>>())
    }

    #[test]
    fn the_first_rule_that_matches_holds() {
        let (pass, fail) = (|| Finding::pass("ok"), || Finding::fail("no"));
        let unknown = || Finding::unknown(Cause::Starved, "busy");
        let blocked = || Finding::new(Outcome::Blocked("connect".into()), "no connection");
        let cases = [
            (vec![unknown(), pass(), pass()], Status::Unknown, "too little is known"),
            (vec![], Status::Unknown, "nothing is known"),
            (vec![fail(), blocked(), blocked(), blocked(), blocked()], Status::Down, "refused"),
            (vec![fail(), pass(), pass()], Status::Down, "the connection failed"),
            (vec![fail().on_fallback(), pass()], Status::Degraded, "a fallback took over"),
            (vec![pass(), fail()], Status::Degraded, "one failed"),
            (vec![pass().on_fallback(), pass()], Status::Degraded, "a fallback answers"),
            (vec![pass(), Finding::warn("slow")], Status::Operational, "warnings are allowed"),
            (vec![pass(), unknown()], Status::Operational, "enough is known"),
        ];
        for (findings, expected, why) in cases {
            assert_eq!(status(findings), expected, "{why}");
        }
    }

    #[test]
    fn everything_failing_is_down_even_without_a_connection() {
        let checks = [sample::check("a", 1, Finding::fail("x"))];
        assert_eq!(Status::of(&checks), Status::Down);
    }

    #[test]
    fn freshness_changes_at_its_limits() {
        let spec = sample::check("a", 1, Finding::pass("x")).spec; // every 10 s, 2 s allowed
        let at = |seconds| Freshness::of(Duration::from_secs(seconds), &spec);
        assert_eq!((at(22), at(23)), (Freshness::Fresh, Freshness::Stale));
        assert_eq!((at(50), at(51)), (Freshness::Stale, Freshness::Expired));
        let asked = CheckSpec { cadence: Cadence::OnDemand, ..spec };
        assert_eq!(Freshness::of(Duration::MAX, &asked), Freshness::Fresh);
    }
}
