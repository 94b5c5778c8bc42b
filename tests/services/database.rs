//! Running the checks of a database, whichever it is.

use std::{
    thread,
    time::{Duration, Instant},
};
use tminus::{
    domain::{Finding, IntegrationId, Mark, Outcome},
    integrations::database::{Database, Settings},
    probe::{Cx, Integration, Safety},
    secret::Secret,
};

/// In every URL of these tests, and in no output.
pub(crate) const PASSWORD: &str = "hunter2-Zq9";

/// A database behind `url`, or the embedded one.
pub(crate) fn database(url: Option<&str>) -> Database {
    // Other tests keep this host busy, which is no concern of these.
    let connect_limit = Duration::from_millis(500);
    let settings = Settings { url: url.map(Secret::new), connect_limit, ..Settings::default() };
    assert_eq!(settings.complaints(), [], "the settings are usable");
    Database::new(IntegrationId::new("database").unwrap(), settings, Safety::default())
}

/// Runs of a check until this host gave it the time that it needs.
const TRIES: usize = 30;

/// One run of the check `name`, within the time that it is allowed. Where this host was too
/// slow for it or for the server, which is no verdict on the database, it runs again.
pub(crate) async fn run(database: &Database, name: &str) -> Finding {
    for _ in 0..TRIES {
        let finding = once(database, name).await;
        if !is_late(&finding) {
            return finding;
        }
    }
    panic!("this host never gave {name} its time")
}

/// Whether a finding speaks of the time that this host has left for the tests.
fn is_late(finding: &Finding) -> bool {
    let starved = |remedy: &str| remedy.starts_with("give this host processor time");
    finding.remedy.as_deref().is_some_and(starved)
        || finding.summary.contains("no answer within")
        || finding.summary.contains("no connection in time")
}

/// Outcome and summary of one run of the check `name` on a server that hangs.
pub(crate) async fn hung(database: &Database, name: &str) -> (&'static str, String) {
    let finding = once(database, name).await;
    (finding.outcome.word(), finding.summary)
}

async fn once(database: &Database, name: &str) -> Finding {
    let specs = database.checks();
    let index = specs.iter().position(|spec| spec.name == name).unwrap();
    let cx = Cx::default();
    let began = Instant::now();
    let finding = database.run(index, &cx).await.unwrap();
    let took = began.elapsed();
    // Whoever polls ends it at that limit; a busy host may make three of it.
    let limit = specs[index].timeout * 3;
    assert!(took < limit || is_late(&finding), "{name} took {took:?}: {finding:?}");
    assert!(!format!("{finding:?}").contains(PASSWORD), "{name} leaks: {finding:?}");
    if finding.outcome != Outcome::Pass {
        // With --nocapture this is the table of faults.
        let test = thread::current();
        let (server, fault) = subject(test.name().unwrap_or_default());
        let (word, says) = (finding.outcome.word(), &finding.summary);
        let remedy = finding.remedy.as_deref().unwrap_or_default();
        let took = took.as_millis();
        println!("| {server} | {fault} | {name} | {word} | {says} | {took} ms | {remedy} |");
        let rows = finding.evidence.grid.iter().flat_map(|grid| &grid.rows);
        for row in rows.filter(|row| matches!(row.mark, Mark::Warn | Mark::Fail)) {
            let (mark, aspect) = (row.mark, row.cells.join(": "));
            println!("| {server} | {fault} | {name}, {mark:?} | {aspect} | {took} ms |");
        }
    }
    let explained = finding.remedy.is_some()
        && !finding.evidence.asked.is_empty()
        && !finding.evidence.wanted.is_empty()
        && !finding.evidence.reply.is_empty();
    let skipped = finding.outcome.word() == "skipped" && finding.remedy.is_some();
    assert!(
        finding.outcome == Outcome::Pass || explained || skipped,
        "{name} explains: {finding:?}"
    );
    finding
}

/// The server and the fault that a test of this name is about.
fn subject(test: &str) -> (&str, String) {
    let fault = test.rsplit("::").next().unwrap_or_default().replace('_', " ");
    let server = match test.split("::").next().unwrap_or_default() {
        "postgres" if test.contains("::newest::") => "postgres 18",
        server => server,
    };
    (server, fault)
}

/// Outcome and summary of one run of the check `name`.
pub(crate) async fn says(database: &Database, name: &str) -> (&'static str, String) {
    let finding = run(database, name).await;
    (finding.outcome.word(), finding.summary)
}

/// What a check says that was struck in the middle. A busy machine may miss the middle:
/// then the check runs again.
pub(crate) async fn struck<C>(check: impl Fn() -> C, strike: impl AsyncFn()) -> C::Output
where
    C: Future<Output = (&'static str, String)>,
{
    for _ in 0..50 {
        let (said, blow) = (check(), strike());
        tokio::pin!(said, blow);
        tokio::select! {
            biased;
            () = &mut blow => {
                // The blow may have come just after the last answer.
                let said = said.await;
                if said.0 == "fail" {
                    return said;
                }
            }
            early = &mut said => if early.0 == "fail" { return early },
        }
    }
    panic!("the check was never met in the middle")
}
