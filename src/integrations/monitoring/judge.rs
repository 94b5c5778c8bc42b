//! The part that decides. Pure: what was read or answered in, a finding out.

use super::{dashboards, rules};
use crate::{
    domain::{Evidence, Finding, Quantity},
    probe::{ProbeError, http::Answer},
};
use serde::{Deserialize, de::DeserializeOwned};
use std::collections::{BTreeMap, BTreeSet};

/// Groups and alerts that ship.
const RULES: (usize, usize) = (3, 8);
/// Troubles listed of one file; the rest is counted.
const LISTED: usize = 6;

/// Prometheus' answer to `/api/v1/status/buildinfo`.
#[derive(Debug, Deserialize)]
pub(super) struct Build {
    /// Its version.
    pub(super) version: String,
}

/// The part of `/api/v1/status/runtimeinfo` that matters.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Runtime {
    reload_config_success: bool,
    #[serde(default)]
    last_config_time: String,
    #[serde(default)]
    time_series_count: u64,
}

#[derive(Deserialize)]
struct Envelope<T> {
    status: String,
    data: T,
}

/// Whether a dashboard has `panels` panels, all valid, all with something to show.
pub(super) fn dashboard(report: &dashboards::Report, panels: usize) -> Finding {
    let mut faults = report.faults.clone();
    if report.panels != panels {
        faults.insert(0, format!("{panels} panels wanted, {} found", report.panels));
    }
    let evidence = Evidence::default()
        .wanted(&format!("{panels} panels, every expression valid, every metric exported"))
        .fact("panels", Quantity::Count(count(report.panels)))
        .fact("expressions", Quantity::Count(count(report.expressions)))
        .fact("exported metrics used", Quantity::Count(count(report.metrics.len())));
    if let Some(first) = faults.first() {
        return faulty(first, &faults, evidence);
    }
    let empty = report.missing.len();
    if empty > 0 {
        let summary = format!("{empty} of {panels} panels use metrics not exported");
        return Finding::fail(&summary)
            .remedy("leave this dashboard out of Grafana: this release does not export them")
            .evidence(evidence.reply(&not_exported(&report.missing)));
    }
    let summary = format!("{panels} panels, {} metrics, all exported", report.metrics.len());
    Finding::pass(&summary).evidence(evidence.reply(&summary))
}

/// Whether every alert is valid and able to fire.
pub(super) fn rules(report: &rules::Report) -> Finding {
    let mut faults = report.faults.clone();
    let found = (report.groups, report.alerts);
    let held = format!("{} alerts in {} groups", found.1, found.0);
    if found != RULES {
        faults.insert(0, format!("8 alerts in 3 groups wanted, {held} found"));
    }
    let evidence = Evidence::default()
        .wanted("8 alerts in 3 groups, each valid and able to fire")
        .fact("groups", Quantity::Count(count(report.groups)))
        .fact("alerts", Quantity::Count(count(report.alerts)))
        .fact("unable to fire", Quantity::Count(count(report.dead.len())));
    if let Some(first) = faults.first() {
        return faulty(first, &faults, evidence);
    }
    if !report.dead.is_empty() {
        let dead: Vec<_> = report.dead.keys().map(String::as_str).collect();
        let summary = format!("{} of {} alerts cannot fire", dead.len(), report.alerts);
        let remedy = format!("do not rely on {}: their metrics are not exported", dead.join(", "));
        return Finding::warn(&summary)
            .remedy(&remedy)
            .evidence(evidence.reply(&not_exported(&report.dead)));
    }
    Finding::pass(&format!("{held}, all able to fire")).evidence(evidence.reply(&held))
}

fn faulty(first: &str, faults: &[String], evidence: Evidence) -> Finding {
    Finding::fail(first)
        .remedy("mend the file named above; where it is the shipped one, report a bug of tminus")
        .evidence(evidence.reply(&listed(faults.iter().cloned())))
}

fn not_exported(missing: &BTreeMap<String, BTreeSet<String>>) -> String {
    listed(missing.iter().map(|(user, metrics)| {
        let metrics: Vec<_> = metrics.iter().map(String::as_str).collect();
        format!("{user} uses {}, which this build does not export", metrics.join(" and "))
    }))
}

fn listed(troubles: impl ExactSizeIterator<Item = String>) -> String {
    let all = troubles.len();
    let shown: Vec<_> = troubles.take(LISTED).collect();
    let rest = if all > LISTED { format!("; and {} more", all - LISTED) } else { String::new() };
    format!("{}{rest}", shown.join("; "))
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

/// What the answer to `/-/ready` says against Prometheus, if anything.
pub(super) fn ready(answer: &Answer, address: &str) -> Result<(), ProbeError> {
    let status = answer.status;
    match status {
        200 => Ok(()),
        401 | 403 => Err(ProbeError::Refused(format!("{address} wants a password ({status})"))),
        503 => Err(ProbeError::Unreachable(format!("{address} is starting or stopping (503)"))),
        _ => Err(not_prometheus(address, answer)),
    }
}

/// The version, from an answer that only Prometheus gives.
pub(super) fn build(answer: &Answer, address: &str) -> Result<Build, ProbeError> {
    data(answer).ok_or_else(|| not_prometheus(address, answer))
}

/// Whether the newest configuration is the one in use; `runtime` is `None` when it does not tell.
pub(super) fn configuration(build: &Build, runtime: Option<&Runtime>) -> Finding {
    let version = &build.version;
    let evidence = Evidence::default().fact("version", &**version);
    let Some(runtime) = runtime else {
        return Finding::warn("ready, but does not tell if its configuration loaded")
            .remedy("look at its log: a failed reload leaves the old rules in place")
            .evidence(evidence.reply(&format!("version {version}, no runtime status")));
    };
    let evidence = evidence
        .fact("configuration of", &*runtime.last_config_time)
        .fact("series", Quantity::Count(runtime.time_series_count));
    if runtime.reload_config_success {
        return Finding::pass(&format!("Prometheus {version}, configuration loaded"))
            .evidence(evidence.reply("ready, reloadConfigSuccess true"));
    }
    Finding::fail("its last reload failed; old rules are in use")
        .remedy("run promtool check config on its host, mend the file, reload")
        .evidence(evidence.reply("reloadConfigSuccess false"))
}

/// The runtime status, from an answer that has one.
pub(super) fn runtime(answer: &Answer) -> Option<Runtime> {
    data(answer)
}

fn data<T: DeserializeOwned>(answer: &Answer) -> Option<T> {
    let envelope: Envelope<T> = serde_json::from_slice(&answer.body).ok()?;
    (answer.status == 200 && envelope.status == "success").then_some(envelope.data)
}

fn not_prometheus(address: &str, answer: &Answer) -> ProbeError {
    let says = match answer.redirected_to() {
        Some(host) => format!("{address} redirects to {host}"),
        None => format!("{address} is not Prometheus (answers {})", answer.status),
    };
    ProbeError::Protocol(says)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Outcome;
    use reqwest::header::HeaderMap;
    use std::time::Duration;

    fn answer(status: u16, body: &str) -> Answer {
        let (waited, took) = (Duration::ZERO, Duration::ZERO);
        let body = body.into();
        Answer { status, headers: HeaderMap::new(), body, truncated: false, waited, took }
    }

    #[test]
    fn what_is_not_prometheus_is_told_from_what_is_not_ready() {
        let says = |status| ready(&answer(status, ""), "p:9090").unwrap_err().to_string();
        assert_eq!(ready(&answer(200, ""), "p"), Ok(()));
        assert_eq!(says(503), "p:9090 is starting or stopping (503)");
        assert_eq!(says(404), "p:9090 is not Prometheus (answers 404)");
        assert_eq!(says(401), "p:9090 wants a password (401)");
        let mut away = answer(302, "");
        away.headers.insert("location", "https://login.example/x?t=secret".parse().unwrap());
        let says = ready(&away, "p").unwrap_err().to_string();
        assert_eq!(says, "p redirects to login.example");
    }

    #[test]
    fn only_the_agreed_shape_is_taken_for_prometheus() {
        let good = r#"{"status":"success","data":{"version":"2.42.0","revision":"x"}}"#;
        assert_eq!(build(&answer(200, good), "p").unwrap().version, "2.42.0");
        for bad in ["<html>Sign in</html>", "{}", r#"{"status":"success","data":{}}"#, "", "[1]"] {
            assert!(build(&answer(200, bad), "p").is_err(), "{bad}");
        }
        assert!(build(&answer(404, good), "p").is_err());
        let failed = good.replace("success", "error");
        assert!(build(&answer(200, &failed), "p").is_err());
    }

    #[test]
    fn a_failed_reload_fails_although_everything_else_is_well() {
        let build = Build { version: "3.1.0".into() };
        let runtime = |ok| Runtime {
            reload_config_success: ok,
            last_config_time: "2026-11-20T10:00:00Z".into(),
            time_series_count: 7,
        };
        assert_eq!(configuration(&build, Some(&runtime(true))).outcome, Outcome::Pass);
        let failed = configuration(&build, Some(&runtime(false)));
        assert_eq!(failed.outcome, Outcome::Fail);
        assert_eq!(failed.summary, "its last reload failed; old rules are in use");
        assert_eq!(configuration(&build, None).outcome, Outcome::Warn);
    }

    #[test]
    fn a_dashboard_passes_only_whole_and_filled() {
        let whole = || dashboards::Report { panels: 4, ..dashboards::Report::default() };
        assert_eq!(dashboard(&whole(), 4).outcome, Outcome::Pass);
        let short = dashboard(&whole(), 5);
        assert_eq!((short.outcome, &*short.summary), (Outcome::Fail, "5 panels wanted, 4 found"));
        assert_eq!(dashboard(&whole(), 3).outcome, Outcome::Fail);
        let mut empty = whole();
        let metrics = BTreeSet::from(["a_total".to_owned(), "b".to_owned()]);
        empty.missing.insert("Spend".into(), metrics);
        let finding = dashboard(&empty, 4);
        assert_eq!(finding.outcome, Outcome::Fail);
        assert_eq!(finding.summary, "1 of 4 panels use metrics not exported");
        assert!(finding.evidence.reply.starts_with("Spend uses a_total and b, which this build"));
    }

    #[test]
    fn dead_alerts_warn_and_faulty_ones_fail() {
        let mut report = rules::Report { groups: 3, alerts: 8, ..rules::Report::default() };
        assert_eq!(rules(&report).outcome, Outcome::Pass);
        report.dead.insert("Spend".into(), BTreeSet::from(["x".to_owned()]));
        let dead = rules(&report);
        assert_eq!((dead.outcome, &*dead.summary), (Outcome::Warn, "1 of 8 alerts cannot fire"));
        report.faults = (0..9).map(|n| format!("R{n}: has no severity")).collect();
        let faulty = rules(&report);
        assert_eq!((faulty.outcome, &*faulty.summary), (Outcome::Fail, "R0: has no severity"));
        assert!(faulty.evidence.reply.ends_with("R5: has no severity; and 3 more"));
        report.alerts = 7;
        assert!(rules(&report).summary.contains("7 alerts in 3 groups found"));
    }
}
