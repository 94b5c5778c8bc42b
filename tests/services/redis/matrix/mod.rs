//! The fault matrix: each fault injected into a real server while the engine
//! watches it at its default cadence. What is reported, by when, and what stays
//! green; then the fault is removed, and what was reported has to go.
//!
//! `cargo test --test services matrix -- --nocapture` prints a row for each.

mod again;
mod away;
mod busy;
mod clock;
mod cut;
mod data;
mod denied;
mod expiry;
mod exporter;
mod refused;
mod shards;
mod watch;
mod wrong;

use super::{topology::fact, *};
use std::sync::Arc;
use tminus::domain::{CheckView, Policy, Severity, Snapshot};
use tokio::time::Instant as Moment;
use watch::{Watch, nothing_left};

/// Options of a server that has nothing to complain of.
const ROOM: &[&str] = &["--maxmemory", "100mb", "--maxmemory-policy", "noeviction"];
/// The checks that dial for themselves.
const CONNECTS: [&str; 2] = ["connect", "commands"];
/// How many times longer than specified a starved host may take, and then some.
const PATIENCE: (u32, Duration) = (4, Duration::from_secs(25));
/// How long the first answers of all may take.
const FIRST: Duration = Duration::from_mins(1);
/// What is written lives at most this long.
const LIFE: Duration = Duration::from_mins(1);

/// One row: a fault, and what has to be said of it. What it does not name stays as it was.
#[derive(Clone, Debug)]
struct Row {
    number: &'static str,
    fault: &'static str,
    wants: Vec<Want>,
    /// What suffers or not, as the moment has it.
    may_suffer: &'static [&'static str],
    /// By when it is to be reported, and to be gone again, on an idle host.
    specified: (Duration, Duration),
    /// Whether somebody asks, or polling has to find it out.
    asked: bool,
}

/// What a check has to come to.
#[derive(Clone, Copy, Debug)]
struct Want {
    check: &'static str,
    outcome: &'static str,
    says: &'static str,
    remedy: &'static str,
}

/// What was reported, and when.
#[derive(Clone, Debug)]
struct Report {
    says: String,
    class: String,
    outcomes: String,
    verdict: &'static str,
    /// The first that named it; all that the row names; all of them confirmed.
    named: Duration,
    all: Duration,
    confirmed: Duration,
}

impl Row {
    fn new(number: &'static str, fault: &'static str, specified: (u64, u64)) -> Self {
        let specified = (Duration::from_secs(specified.0), Duration::from_secs(specified.1));
        Self { number, fault, wants: Vec::new(), may_suffer: &[], specified, asked: true }
    }

    /// Nobody asks: the time to report is that of polling.
    fn polled(mut self) -> Self {
        self.asked = false;
        self
    }

    fn wants(
        mut self,
        checks: &[&'static str],
        (outcome, says): (&'static str, &'static str),
        remedy: &'static str,
    ) -> Self {
        let want = |check: &&'static str| Want { check, outcome, says, remedy };
        self.wants.extend(checks.iter().map(want));
        self
    }

    fn may_suffer(mut self, checks: &'static [&'static str]) -> Self {
        self.may_suffer = checks;
        self
    }

    /// Everything that needs `connect` waits for it.
    fn blocks(self) -> Self {
        let needy = |name: &&str| !CONNECTS.contains(name);
        let others: Vec<_> = ALL.into_iter().filter(needy).collect();
        self.wants(&others, ("blocked", "waits for connect: "), "")
    }
}

impl Row {
    fn touches(&self, view: &CheckView) -> bool {
        self.wants.iter().any(|want| view.spec.name == want.check)
    }

    fn leaves_alone(&self, view: &CheckView) -> bool {
        !self.touches(view) && !self.may_suffer.contains(&&*view.spec.name)
    }

    fn print(&self, report: &Report, cleared: Option<(Duration, Duration)>) {
        let seconds = |time: Duration| format!("{:.1}", time.as_secs_f64());
        let how = if self.asked { "asked" } else { "polled" };
        let (report_by, clear_by) = self.specified;
        let cleared = cleared.map_or("–".into(), |(raw, confirmed)| {
            format!("{} ({})", seconds(raw), seconds(confirmed))
        });
        eprintln!(
            "| {} | {} | {} | {}, {} | {} | {}, all {} ({}) {how} | {cleared} | {} / {} |",
            self.number,
            self.fault,
            report.says,
            report.class,
            report.verdict,
            report.outcomes,
            seconds(report.named),
            seconds(report.all),
            seconds(report.confirmed),
            report_by.as_secs(),
            clear_by.as_secs(),
        );
    }
}

impl Want {
    fn is_met(&self, finding: &Finding) -> bool {
        let remedy = finding.remedy.as_deref().unwrap_or_default();
        finding.outcome.word() == self.outcome
            && finding.summary.contains(self.says)
            && remedy.contains(self.remedy)
    }
}

fn views(seen: &Snapshot) -> impl Iterator<Item = &CheckView> {
    seen.integrations.iter().flat_map(|integration| &integration.checks)
}

fn view<'a>(seen: &'a Snapshot, check: &str) -> &'a CheckView {
    views(seen).find(|view| view.spec.name == check).unwrap()
}

fn runs(seen: &Snapshot, check: &str) -> u64 {
    view(seen, check).runs
}

/// The newest result, confirmed or not.
fn newest(view: &CheckView) -> &Finding {
    view.pending.as_ref().map_or(&view.finding, |pending| &pending.finding)
}

fn standing<'a>(seen: &'a Snapshot, check: &str) -> &'a Finding {
    &view(seen, check).finding
}

/// Confirmed, and nothing to complain of. An instance has its hazards: no replica, an old version.
fn is_fine(view: &CheckView) -> bool {
    let most = if view.spec.name == "instance" { Severity::Soft } else { Severity::Fine };
    view.pending.is_none() && view.finding.outcome.severity() <= most
}

/// One sign for each check.
fn outcomes(seen: &Snapshot) -> String {
    let sign = |view: &CheckView| {
        let sign = match &view.finding.outcome {
            Outcome::Pass => "✓",
            Outcome::Warn => "W",
            Outcome::Fail => "F",
            Outcome::Unknown(_) => "?",
            Outcome::Blocked(_) => "–",
            Outcome::Skipped(_) => "U",
        };
        format!("{} {sign}", view.spec.name)
    };
    views(seen).map(sign).collect::<Vec<_>>().join(", ")
}

fn described(seen: &Snapshot) -> String {
    let line = |view: &CheckView| {
        let newest = newest(view);
        format!(
            "{}: {} ({}), raw {} ({}), remedy {:?}, {:?}",
            view.spec.name,
            view.finding.outcome.word(),
            view.finding.summary,
            newest.outcome.word(),
            newest.summary,
            newest.remedy,
            view.tally,
        )
    };
    views(seen).map(line).collect::<Vec<_>>().join("\n")
}
