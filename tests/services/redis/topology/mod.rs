//! What stands behind an address: clusters, sentinels, replicas.

pub(super) mod cluster;
mod replica;
mod sentinel;

use super::*;
use futures_util::future::join_all;
use tminus::domain::{FactValue, Receipt};

/// Commands of a full run of all checks.
const BUDGET: u64 = 350;
/// Commands of a run of pub/sub whose links stay open.
const PUBSUB: u64 = 49;

/// What a fact of a finding says.
pub(super) fn fact(finding: &Finding, name: &str) -> Option<String> {
    let found = finding.evidence.facts.iter().find(|fact| fact.name == name)?;
    Some(match &found.value {
        FactValue::Words(words) => words.clone(),
        FactValue::Quantity(quantity) => format!("{quantity:?}"),
    })
}

/// Runs every check once, all together as the engine does, and tells what it came to and
/// what it cost.
pub(super) async fn full_run(topology: &str, redis: &Redis) -> Vec<(&'static str, Finding)> {
    let all = ALL.map(|name| async move {
        // A warning of this one is no sign of a busy host.
        let finding = match name {
            "topology" => run(redis, name).await,
            _ => run_fairly(redis, name).await,
        };
        (name, finding)
    });
    let findings = join_all(all).await;
    let (mut receipt, mut outcomes) = (Receipt::default(), Vec::new());
    for (name, finding) in &findings {
        outcomes.push(format!("{name} {:?} {}", finding.outcome, finding.receipt.sent));
        receipt = receipt.and(finding.receipt);
    }
    let Receipt { sent, written, removed, left } = receipt;
    eprintln!(
        "{topology:<10} sent {sent:>4}  written {written:>3}  removed {removed:>3}  left {left}  {}",
        outcomes.join(", ")
    );
    assert_eq!((removed, left), (written, 0), "{topology}");
    // The budget is that of one shard; of each further one its master's view is asked.
    let further = if topology == "cluster" { 2 } else { 0 };
    // What a link that a busy host delayed costs when it is opened again is not in it.
    let pubsub = findings.iter().find(|(name, _)| *name == "pubsub").unwrap();
    let reopened = pubsub.1.receipt.sent.saturating_sub(PUBSUB);
    let least = sent - reopened;
    assert!(least <= BUDGET + 3 * further, "{topology}: {sent} commands, {reopened} of them again");
    findings
}

/// All checks are well but those named, which warn.
#[track_caller]
pub(super) fn assert_passes(findings: &[(&str, Finding)], warning: &[&str]) {
    for (name, finding) in findings {
        if warning.contains(name) {
            assert_eq!(finding.outcome, Outcome::Warn, "{name}: {}", finding.summary);
        } else {
            assert_well(name, finding);
        }
    }
}
