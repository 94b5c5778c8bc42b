//! The report: everything that was found, in the order in which somebody decides.
//!
//! ```text
//! snapshot + last results of tests ──▶ Document ──▶ markdown | html | json
//! ```
//!
//! A [`Document`] is a pure function of what was seen. It holds no number that is
//! not in the evidence, and nothing that is unknown is left out or rounded up.

mod comparison;
mod html;
mod issues;
mod markdown;
mod opportunities;
mod readiness;
mod sections;
mod spark;
mod tests_run;
mod totals;

pub use comparison::{Changed, Comparison, Moved};
pub use html::html;
pub use issues::{Accepted, Issue};
pub use markdown::markdown;
pub use opportunities::{Area, Opportunity, Prospect};
pub use readiness::{Readiness, Step, Steps};
pub use sections::{Evidenced, Grounds, Row, Section, Timing};
pub use tests_run::TestRun;
pub use totals::Totals;

use crate::domain::perf::Record;
use crate::{
    domain::{App, CheckId, Deploy, Snapshot, Word},
    units,
};
use serde::Serialize;

/// Grows when a field changes its meaning or goes. Fields may be added.
pub const SCHEMA_VERSION: u32 = 1;

/// What a report is about.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// What was known.
    pub snapshot: &'a Snapshot,
    /// The run that knew it.
    pub run: &'a str,
    /// Whether the run is over, and this is read from the history.
    pub stored: bool,
    /// The last result of each performance test.
    pub tests: &'a [Record],
}

/// The report, before it is written in some format.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Document {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The version of the program that made it.
    pub tminus_version: &'static str,
    /// The run that it is about.
    pub run: String,
    /// Whether it was read from the history.
    pub stored: bool,
    /// The host that looked.
    pub host: String,
    /// When, in UTC.
    pub at: String,
    /// What is deployed, if that was said, and which version it serves.
    pub app: Option<App>,
    /// From when on evidence counts.
    pub deploy: Option<DeployPart>,
    /// The answer, and what it rests on.
    pub summary: Summary,
    /// What became of everything since the baseline, where there is one.
    pub comparison: Option<Comparison>,
    /// Each integration with its sub-checks.
    pub integrations: Vec<Section>,
    /// The last result of each performance test.
    pub performance_tests: Vec<TestRun>,
    /// What stands between now and production.
    pub critical_issues: Vec<Issue>,
    /// What could be better, by what was measured.
    pub opportunities: Vec<Prospect>,
    /// For what it is ready, and for what not yet.
    pub readiness: Readiness,
    /// What to do, in which order.
    pub next_steps: Steps,
    /// What to remember.
    pub conclusion: Vec<String>,
    /// What all of it rests on, counted.
    pub totals: Totals,
    /// What is to be known about the console itself.
    pub notices: Vec<String>,
}

/// From when on evidence counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeployPart {
    /// When it was, in UTC.
    pub at: String,
    /// The version that went out, if that is known.
    pub version: Option<String>,
    /// The one before it.
    pub was: Option<String>,
}

/// The answer, and what it rests on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// GO, HOLD or NO-GO.
    pub verdict: &'static str,
    /// The rule that decided.
    pub rule: u8,
    /// That rule in a clause.
    pub reason: String,
    /// The checks that it rests on.
    pub because: Vec<String>,
    /// The overall score.
    pub score: Option<u8>,
    /// How much of it rests on fresh evidence, in percent.
    pub coverage: Option<u8>,
    /// Blockers that somebody answers for.
    pub accepted: usize,
    /// Entries on the checklist.
    pub warnings: usize,
}

impl Document {
    /// The report about `subject`.
    pub fn of(subject: &Subject<'_>) -> Self {
        let snapshot = subject.snapshot;
        let (critical_issues, checklist) = issues::of(snapshot);
        let opportunities = opportunities::of(snapshot, subject.tests);
        let readiness = readiness::of(snapshot, checklist, &critical_issues);
        let totals = totals::of(snapshot);
        let next_steps = readiness::steps(snapshot, &critical_issues, &readiness, &opportunities);
        Self {
            schema_version: SCHEMA_VERSION,
            tminus_version: env!("CARGO_PKG_VERSION"),
            run: subject.run.to_owned(),
            stored: subject.stored,
            host: snapshot.host.clone(),
            at: units::rfc3339(snapshot.wall),
            app: snapshot.app.clone(),
            deploy: snapshot.deploy.as_ref().map(deployed),
            summary: summary(snapshot),
            comparison: comparison::of(snapshot),
            integrations: snapshot
                .integrations
                .iter()
                .map(|it| sections::of(it, snapshot))
                .collect(),
            performance_tests: subject
                .tests
                .iter()
                .map(|it| tests_run::of(it, snapshot.wall))
                .collect(),
            conclusion: readiness::conclusion(snapshot, &readiness, &totals),
            critical_issues,
            opportunities,
            readiness,
            next_steps,
            totals,
            notices: snapshot.notices.iter().map(|it| it.says.clone()).collect(),
        }
    }
}

impl Document {
    /// What is deployed, and since when, in a sentence.
    pub fn deployed(&self) -> Option<String> {
        let version = |it: &Option<String>| it.as_ref().map(|it| format!(" {it}"));
        let app = self.app.as_ref().map(|app| {
            let version = version(&app.version).unwrap_or_else(|| ", of unknown version".into());
            format!("{}{version}", app.name)
        });
        let deploy = self.deploy.as_ref().map(|it| {
            let was = version(&it.was).map(|was| format!(" after{was}")).unwrap_or_default();
            format!("deployed at {}{was}: only what was seen afterwards counts", it.at)
        });
        let parts: Vec<String> = app.into_iter().chain(deploy).collect();
        (!parts.is_empty()).then(|| format!("{}.", parts.join(", ")))
    }
}

fn deployed(deploy: &Deploy) -> DeployPart {
    DeployPart {
        at: units::rfc3339(deploy.wall),
        version: deploy.version.clone(),
        was: deploy.was.clone(),
    }
}

impl Summary {
    /// What to say where nothing stands in the way by itself.
    pub fn without_issues(&self) -> String {
        if self.verdict == Word::Go.as_str() {
            return "None.".into();
        }
        format!("None by itself. What decides is rule {}: {}.", self.rule, self.reason)
    }
}

fn summary(snapshot: &Snapshot) -> Summary {
    let verdict = &snapshot.verdict;
    Summary {
        verdict: verdict.word.as_str(),
        rule: verdict.rule.number(),
        reason: verdict.reason.clone(),
        because: verdict.because.iter().map(CheckId::to_string).collect(),
        score: snapshot.score.map(|it| it.percent),
        coverage: snapshot.score.map(|it| it.coverage),
        accepted: verdict.accepted,
        warnings: verdict.warnings,
    }
}

/// For programs: one document. Times are in UTC, numbers in base units.
pub fn json(document: &Document) -> String {
    // Every key in it is a text, so it cannot fail.
    serde_json::to_string_pretty(document).unwrap_or_default() + "\n"
}

#[cfg(test)]
mod tests;
