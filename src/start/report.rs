use super::{
    Failure, Session, baseline,
    check::unwritten,
    look::{For, Looked, look},
    print, tell,
};
use crate::{
    cli::{Global, Report, ReportFormat},
    domain::{KnownRun, Snapshot, Timestamp, perf::Record},
    history::{Archive, Place},
    nearest::did_you_mean,
    probe::this_run,
    surface::{
        document::{Document, Subject, html, json, markdown},
        gate,
    },
    units,
};
use std::{fmt::Write as _, fs, sync::Arc};

/// What the newest run is called whose evidence is kept.
const LAST: &str = "last";

/// `tminus report`: writes what was found, just now or in an earlier run, and returns
/// the verdict as exit code.
pub(super) async fn run(global: &Global, asked: &Report) -> Result<u8, Failure> {
    if asked.runs {
        return list(global).await;
    }
    let found = match &asked.from {
        Some(name) => stored(global, name).await?,
        None => fresh(global, asked).await?,
    };
    let (session, run, mut snapshot) = match found {
        Found::At(session, run, snapshot) => (session, run, snapshot),
        Found::Interrupted(signal) => {
            tell("tminus: interrupted, so there is no report");
            return Ok(gate::interrupted(signal));
        }
    };
    if let Some(name) = asked.baseline.as_ref().filter(|_| asked.from.is_some()) {
        let baseline = baseline::find(&session, name).await?;
        Arc::make_mut(&mut snapshot).compare(Arc::new(baseline));
    }
    let tests = tests(&session, snapshot.wall).await;
    let stored = asked.from.is_some();
    let subject = Subject { snapshot: &snapshot, run: &run, stored, tests: &tests };
    write(asked, &Document::of(&subject), &session)?;
    Ok(gate::exit_code(snapshot.verdict.word))
}

/// What a report is made of.
enum Found {
    /// What is known, and the run that knows it.
    At(Box<Session>, String, Arc<Snapshot>),
    /// That signal came first.
    Interrupted(u8),
}

async fn stored(global: &Global, name: &str) -> Result<Found, Failure> {
    let session = Session::read(global)?;
    let mut archive = open(&session).await?;
    let run = named(&archive.runs().await.map_err(unreadable)?, name)?.name.clone();
    let snapshot = archive.evidence(&run).await.map_err(unreadable)?;
    let snapshot = snapshot.ok_or_else(|| forgotten(&run))?;
    Ok(Found::At(Box::new(session), run, Arc::new(snapshot)))
}

async fn fresh(global: &Global, asked: &Report) -> Result<Found, Failure> {
    let mut session = Session::open(global)?;
    if let Some(name) = &asked.baseline {
        Arc::new(baseline::find(&session, name).await?).guide(&mut session.config.policy);
    }
    Ok(match look(&mut session, &asked.selection, For::Telling).await? {
        Looked::At(snapshot) => Found::At(Box::new(session), this_run().to_string(), snapshot),
        Looked::Interrupted(signal) => Found::Interrupted(signal),
    })
}

fn write(asked: &Report, document: &Document, session: &Session) -> Result<(), Failure> {
    let mut text = match asked.format {
        ReportFormat::Markdown => markdown(document),
        ReportFormat::Html => html(document),
        ReportFormat::Json => json(document),
    };
    session.redactor.scrub(&mut text);
    match &asked.output {
        Some(path) => fs::write(path, text).map_err(|error| unwritten(path, &error)),
        None => print(&text),
    }
}

/// The runs that a report can be about.
async fn list(global: &Global) -> Result<u8, Failure> {
    let session = Session::read(global)?;
    let runs = open(&session).await?.runs().await.map_err(unreadable)?;
    let kept = runs.iter().filter(|run| run.evidence);
    let mut text = kept.fold(String::new(), |mut text, run| {
        let KnownRun { name, kind, host, seen, word, score, .. } = run;
        let word = word.as_deref().unwrap_or("no verdict");
        let score = score.map(|score| format!(", score {score}")).unwrap_or_default();
        // Writing to a String cannot fail.
        let _infallible =
            writeln!(text, "{name}  {}  {kind:<7}  {host}  {word}{score}", units::rfc3339(*seen));
        text
    });
    if text.is_empty() {
        text = "no run is kept; `tminus check` and the console leave one\n".into();
    }
    session.redactor.scrub(&mut text);
    print(&text)?;
    Ok(gate::GO)
}

async fn open(session: &Session) -> Result<Archive, Failure> {
    let place = session.history_place().ok_or_else(|| {
        Failure::unusable("there are no earlier runs", "they are in the history, which is off")
            .hint("leave `off` out of [history]")
    })?;
    Archive::open(&place).await.map_err(unreadable)
}

fn unreadable(why: String) -> Failure {
    Failure::unusable("the history cannot be read", why)
        .hint("leave --from out for a report of this moment")
}

/// The run of that name, or the newest whose evidence is kept.
fn named<'a>(runs: &'a [KnownRun], name: &str) -> Result<&'a KnownRun, Failure> {
    let meant = |run: &&KnownRun| if name == LAST { run.evidence } else { run.name == name };
    runs.iter().find(meant).ok_or_else(|| {
        let meant = did_you_mean(name, runs.iter().map(|run| run.name.as_str()));
        Failure::unusable("there is no such run", format!("none is called {name:?}{meant}"))
            .hint("`tminus report --runs` names them; `last` is the newest")
    })
}

fn forgotten(run: &str) -> Failure {
    let why = format!("of run {run} only its verdict is kept");
    Failure::unusable("there is nothing to report", why)
        .hint("`tminus report --runs` names those whose evidence is kept")
}

/// The last results of the performance tests at that moment, as far as anything is kept.
async fn tests(session: &Session, until: Timestamp) -> Vec<Record> {
    let Some(place) = session.history_place().filter(Place::is_there) else { return Vec::new() };
    let read = match Archive::open(&place).await {
        Ok(mut archive) => archive.tests(until).await,
        Err(why) => Err(why),
    };
    read.unwrap_or_else(|why| {
        tell(&format!("tminus: results of performance tests cannot be read: {why}"));
        Vec::new()
    })
}
