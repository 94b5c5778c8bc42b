use super::{
    flags,
    shifts::{self, BaselinePart, ShiftsPart},
};
use crate::{
    domain::{
        Acceptance, App, Blocker, Cause, CheckId, CheckView, Class, Deploy, Evidence, Fact,
        FactValue, Grid, Impact, IntegrationView, Notice, Outcome, Quantity, Receipt, Skip,
        Snapshot, Stands, Status, Target, Verdict,
    },
    units,
};
use serde::Serialize;
use std::time::Duration;

/// Grows when a field changes its meaning or goes. Fields may be added.
const SCHEMA_VERSION: u32 = 1;

/// For programs: one document. Times are in UTC, numbers in base units.
pub fn json(snapshot: &Snapshot) -> String {
    let text = serde_json::to_string_pretty(&document(snapshot));
    // Every key in it is a text, so it cannot fail.
    text.unwrap_or_default() + "\n"
}

#[derive(Serialize)]
struct Document<'a> {
    schema_version: u32,
    tminus_version: &'static str,
    host: &'a str,
    at: String,
    app: Option<&'a App>,
    deploy: Option<DeployPart<'a>>,
    baseline: Option<BaselinePart<'a>>,
    shifts: Option<ShiftsPart<'a>>,
    verdict: VerdictPart<'a>,
    score: Option<u8>,
    coverage: Option<u8>,
    blockers: Vec<BlockerPart<'a>>,
    notices: &'a [Notice],
    integrations: Vec<IntegrationPart<'a>>,
}

/// Only what was seen after it counts.
#[derive(Serialize)]
struct DeployPart<'a> {
    at: String,
    version: Option<&'a str>,
    was: Option<&'a str>,
    /// The end of the settle time.
    settled: Option<String>,
}

#[derive(Serialize)]
struct VerdictPart<'a> {
    word: &'static str,
    rule: u8,
    reason: &'a str,
    because: Vec<&'a str>,
    accepted: usize,
    warnings: usize,
}

#[derive(Serialize)]
struct BlockerPart<'a> {
    label: String,
    check: &'a str,
    class: Class,
    stands: Stands,
    summary: &'a str,
    remedy: &'a str,
    also: Vec<&'a str>,
    standing_seconds: f64,
    accepted: Option<AcceptedPart<'a>>,
    new: Option<bool>,
}

#[derive(Serialize)]
struct AcceptedPart<'a> {
    reason: &'a str,
    owner: Option<&'a str>,
    until: String,
}

#[derive(Serialize)]
struct IntegrationPart<'a> {
    id: &'a str,
    title: &'a str,
    target: &'a Target,
    status: Status,
    score: Option<u8>,
    coverage: Option<u8>,
    weight: u8,
    checks: Vec<CheckPart<'a>>,
}

#[derive(Serialize)]
struct CheckPart<'a> {
    id: &'a str,
    title: &'a str,
    outcome: &'static str,
    because: Option<Because<'a>>,
    summary: &'a str,
    remedy: Option<&'a str>,
    fault: Option<&'a str>,
    class: Class,
    weight: u8,
    impact: Impact,
    flags: Vec<&'static str>,
    runs: u64,
    attempts: u8,
    ended: Option<String>,
    duration_seconds: f64,
    latency_seconds: Option<f64>,
    measure: Option<Measured>,
    evidence: EvidencePart<'a>,
    receipt: Receipt,
}

/// Why a check is unknown or skipped, or what it is blocked by.
#[derive(Serialize)]
#[serde(untagged)]
enum Because<'a> {
    Cause(Cause),
    Skip(Skip),
    Blocked(&'a str),
}

#[derive(Serialize)]
struct Measured {
    value: f64,
    unit: &'static str,
}

#[derive(Serialize)]
struct EvidencePart<'a> {
    asked: &'a str,
    wanted: &'a str,
    reply: &'a str,
    phases: Vec<PhasePart<'a>>,
    facts: Vec<FactPart<'a>>,
    grid: Option<&'a Grid>,
}

#[derive(Serialize)]
struct PhasePart<'a> {
    name: &'a str,
    duration_seconds: f64,
}

#[derive(Serialize)]
struct FactPart<'a> {
    name: &'a str,
    #[serde(flatten)]
    value: FactPartValue<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum FactPartValue<'a> {
    Measured(Measured),
    Words { value: &'a str },
}

fn deploy<'a>(deploy: &'a Deploy, snapshot: &Snapshot) -> DeployPart<'a> {
    let settled = snapshot.settled.map(|settled| settled.saturating_sub(deploy.at));
    DeployPart {
        at: units::rfc3339(deploy.wall),
        version: deploy.version.as_deref(),
        was: deploy.was.as_deref(),
        settled: settled.map(|settle| units::rfc3339(deploy.wall.after(settle))),
    }
}

fn document(snapshot: &Snapshot) -> Document<'_> {
    let standing = snapshot.blockers.iter().filter(|blocker| blocker.cleared.is_none());
    Document {
        schema_version: SCHEMA_VERSION,
        tminus_version: env!("CARGO_PKG_VERSION"),
        host: &snapshot.host,
        at: units::rfc3339(snapshot.wall),
        app: snapshot.app.as_ref(),
        deploy: snapshot.deploy.as_ref().map(|it| deploy(it, snapshot)),
        baseline: shifts::baseline(snapshot),
        shifts: shifts::shifts(snapshot),
        verdict: verdict(&snapshot.verdict),
        score: snapshot.score.map(|score| score.percent),
        coverage: snapshot.score.map(|score| score.coverage),
        blockers: standing.map(|it| blocker(it, snapshot.at)).collect(),
        notices: &snapshot.notices,
        integrations: snapshot.integrations.iter().map(|it| integration(it, snapshot)).collect(),
    }
}

fn verdict(verdict: &Verdict) -> VerdictPart<'_> {
    VerdictPart {
        word: verdict.word.as_str(),
        rule: verdict.rule.number(),
        reason: &verdict.reason,
        because: verdict.because.iter().map(CheckId::as_str).collect(),
        accepted: verdict.accepted,
        warnings: verdict.warnings,
    }
}

fn blocker(blocker: &Blocker, now: Duration) -> BlockerPart<'_> {
    BlockerPart {
        label: blocker.label(),
        check: blocker.check.as_str(),
        class: blocker.class,
        stands: blocker.stands,
        summary: &blocker.summary,
        remedy: &blocker.remedy,
        also: blocker.also.iter().map(CheckId::as_str).collect(),
        standing_seconds: seconds(now.saturating_sub(blocker.since)),
        accepted: blocker.accepted.as_ref().map(accepted),
        new: blocker.new,
    }
}

fn accepted(acceptance: &Acceptance) -> AcceptedPart<'_> {
    AcceptedPart {
        reason: &acceptance.reason,
        owner: acceptance.owner.as_deref(),
        until: units::rfc3339(acceptance.until),
    }
}

fn integration<'a>(view: &'a IntegrationView, snapshot: &'a Snapshot) -> IntegrationPart<'a> {
    IntegrationPart {
        id: view.id.as_str(),
        title: &view.title,
        target: &view.target,
        status: view.status,
        score: view.score.map(|score| score.percent),
        coverage: view.score.map(|score| score.coverage),
        weight: view.weight,
        checks: view.checks.iter().map(|it| check(it, snapshot)).collect(),
    }
}

fn check<'a>(check: &'a CheckView, snapshot: &'a Snapshot) -> CheckPart<'a> {
    let finding = check.finding.as_ref();
    let outcome = check.outcome();
    let remedy = match outcome {
        Outcome::Pass => finding.remedy.as_deref(),
        Outcome::Skipped(_) => None,
        Outcome::Warn | Outcome::Fail | Outcome::Unknown(_) | Outcome::Blocked(_) => {
            Some(check.remedy())
        }
    };
    CheckPart {
        id: check.id.as_str(),
        title: &check.spec.title,
        outcome: outcome.word(),
        because: because(outcome),
        summary: &finding.summary,
        remedy,
        fault: finding.fault.as_deref(),
        class: check.spec.class,
        weight: check.spec.weight,
        impact: check.spec.impact,
        flags: flags(check, snapshot),
        runs: check.runs,
        attempts: check.attempts,
        ended: check.ended_wall.map(units::rfc3339),
        duration_seconds: seconds(check.took),
        latency_seconds: finding.latency.map(seconds),
        measure: finding.measure.map(measured),
        evidence: evidence(&finding.evidence),
        receipt: finding.receipt,
    }
}

fn because(outcome: &Outcome) -> Option<Because<'_>> {
    match outcome {
        Outcome::Pass | Outcome::Warn | Outcome::Fail => None,
        Outcome::Unknown(cause) => Some(Because::Cause(*cause)),
        Outcome::Blocked(by) => Some(Because::Blocked(by)),
        Outcome::Skipped(why) => Some(Because::Skip(*why)),
    }
}

fn evidence(evidence: &Evidence) -> EvidencePart<'_> {
    let phases = evidence
        .phases
        .iter()
        .map(|phase| PhasePart { name: &phase.name, duration_seconds: seconds(phase.took) });
    EvidencePart {
        asked: &evidence.asked,
        wanted: &evidence.wanted,
        reply: &evidence.reply,
        phases: phases.collect(),
        facts: evidence.facts.iter().map(fact).collect(),
        grid: evidence.grid.as_ref(),
    }
}

fn fact(fact: &Fact) -> FactPart<'_> {
    let value = match &fact.value {
        FactValue::Quantity(quantity) => FactPartValue::Measured(measured(*quantity)),
        FactValue::Words(words) => FactPartValue::Words { value: words },
    };
    FactPart { name: &fact.name, value }
}

fn measured(quantity: Quantity) -> Measured {
    let unit = match quantity {
        Quantity::Time(_) => "seconds",
        Quantity::Bytes(_) => "bytes",
        Quantity::Count(_) => "count",
        Quantity::Ratio(_) => "ratio",
        Quantity::PerSecond(_) => "per_second",
    };
    Measured { value: quantity.as_f64(), unit }
}

/// To the microsecond: what is below it is noise of the clock.
fn seconds(span: Duration) -> f64 {
    (span.as_secs_f64() * 1e6).round() / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{domain::Finding, surface::sample};
    use serde_json::{Value, json as value};
    use std::sync::Arc;

    fn parsed(snapshot: &Snapshot) -> Value {
        serde_json::from_str(&json(snapshot)).unwrap()
    }

    #[test]
    fn the_verdict_comes_with_its_rule_and_its_checks() {
        let document = parsed(&sample::seed());
        assert_eq!(document["schema_version"], 1);
        assert_eq!(document["verdict"]["word"], "NO-GO");
        assert_eq!(document["verdict"]["rule"], 2);
        let because = document["verdict"]["because"].as_array().unwrap();
        assert!(because.contains(&value!("redis.connect")), "{because:?}");
        assert_eq!(document["score"], 75);
        assert_eq!(document["at"], "2026-11-23T02:13:20.000Z");
    }

    #[test]
    fn a_check_is_shown_with_all_that_it_rests_on() {
        let document = parsed(&sample::accepted());
        let check = &document["integrations"][1]["checks"][0];
        assert_eq!(check["id"], "database.connect");
        assert_eq!(check["latency_seconds"], 0.018);
        assert_eq!(check["receipt"]["left"], 0);
        let evidence = &check["evidence"];
        assert_eq!(evidence["reply"], "connection refused <&> <U+001B>[31m");
        assert_eq!(evidence["phases"], value!([{ "name": "resolve", "duration_seconds": 0.0004 }]));
        let facts = value!([
            { "name": "attempts", "value": 3.0, "unit": "count" },
            { "name": "server", "value": "PostgreSQL 15" },
        ]);
        assert_eq!(evidence["facts"], facts);
    }

    #[test]
    fn what_is_no_failure_of_its_own_says_why() {
        let document = parsed(&sample::accepted());
        let check = |integration: usize, check: usize| {
            document["integrations"][integration]["checks"][check].clone()
        };
        assert_eq!(check(1, 3)["because"], "connect");
        assert_eq!(check(3, 1)["flags"], value!(["accepted"]));
        assert_eq!(check(3, 2)["because"], "optional_absent");
        let blockers = document["blockers"].as_array().unwrap();
        let google = blockers.iter().find(|blocker| blocker["check"] == "apis.google").unwrap();
        assert_eq!(google["accepted"]["owner"], "ops");
    }

    #[test]
    fn a_number_that_is_none_does_not_spoil_the_document() {
        let mut snapshot = sample::seed();
        let mut view = (*snapshot.integrations[0]).clone();
        let finding = Finding::pass("odd").measure(Quantity::Ratio(f64::NAN));
        view.checks[0].finding = Arc::new(finding);
        snapshot.integrations[0] = Arc::new(view);
        let measure = &parsed(&snapshot)["integrations"][0]["checks"][0]["measure"];
        assert_eq!(*measure, value!({ "value": null, "unit": "ratio" }));
    }
}
