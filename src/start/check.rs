use super::{Failure, Session, Stop, baseline, print, select, since, tell, trace::Trace};
use crate::{
    app::ALLOWED,
    cli::{Check, Format, Global, Output},
    config::{Color, Surroundings, World},
    domain::Snapshot,
    engine::Engine,
    history::Kind,
    surface::{
        check::{self, Ended},
        gate,
        report::{
            Paint, changes, github, github_summary, human, json, junit, markdown, nagios, tap,
        },
    },
};
use std::{
    fs,
    io::{self, IsTerminal as _, Write as _},
    path::Path,
    sync::Arc,
    time::Duration,
};

/// Time to read what earlier runs saw.
const RECALL: Duration = Duration::from_secs(2);
/// Time for runs to end when the program does.
const GRACE: Duration = Duration::from_secs(2);

/// `tminus check`: looks, prints, and returns the verdict as exit code.
pub(super) async fn run(global: &Global, asked: &Check) -> Result<u8, Failure> {
    let style = asked.style();
    let code = look(global, asked).await;
    code.map_err(|failure| Failure { code: style.without_verdict(failure.code), ..failure })
}

async fn look(global: &Global, asked: &Check) -> Result<u8, Failure> {
    let outputs = one_to_stdout(asked.outputs())?;
    let mut session = Session::open(global)?;
    session.config.policy.min_score = asked.min_score.or(session.config.policy.min_score);
    session.config.policy.settle = asked.settle.unwrap_or(session.config.policy.settle);
    if let Some(when) = &asked.since {
        since::mark(&mut session, when).await?;
    }
    if let Some(name) = &asked.baseline {
        let baseline = Arc::new(baseline::find(&session, name).await?);
        baseline.guide(&mut session.config.policy);
    }
    let integrations = select(std::mem::take(&mut session.integrations), &asked.selection)?;
    let trace = Trace::begin(&mut session, &integrations, &[]);
    session.tell_warnings();
    let policy = &session.config.policy;
    since::tell_in_vain(policy.deploy.as_ref(), policy.settle, asked.wait);
    let stop = Stop::on_signals()
        .map_err(|error| Failure::unusable("signals cannot be listened for", error.to_string()))?;
    let exporter = session.exporter().await?;
    let (engine, handle) = Engine::start(session.plan(integrations, check::begin(asked.wait)));
    Session::accompany(exporter, &handle, &stop.token);
    let history = session.history(Kind::Check, &handle, None);
    if let Some(history) = &history {
        history.recalled(RECALL).await;
    }
    let app = session.watch(&handle);
    if let Some(app) = &app {
        tokio::select! {
            () = app.first(ALLOWED) => {}
            () = stop.token.cancelled() => {}
        }
    }
    let to_people = outputs.iter().any(|it| it.format == Format::Human && it.path.is_none());
    let progress = Progress { told: None, to_people };
    let snapshots = handle.snapshots.clone();
    let ended = check::run(handle, asked.wait, &stop.token, progress.teller()).await;
    if let Some(app) = app {
        app.stop().await;
    }
    let last = snapshots.borrow().clone();
    engine.stop(GRACE).await;
    if let Some(history) = history {
        history.stop(GRACE).await;
    }
    trace.end(&last).await;
    match ended {
        Ended::Interrupted => {
            tell("tminus: interrupted, so there is no verdict");
            Ok(asked.style().without_verdict(gate::interrupted(stop.signal().unwrap_or_default())))
        }
        Ended::Looked(snapshot) => {
            let verdict = &snapshot.verdict;
            tracing::info!(word = verdict.word.as_str(), reason = %verdict.reason, "the verdict");
            write_all(&outputs, &snapshot, &session)?;
            Ok(asked.style().code(verdict))
        }
    }
}

/// Two results in one stream could be read by nobody.
fn one_to_stdout(outputs: Vec<Output>) -> Result<Vec<Output>, Failure> {
    let to_stdout = outputs.iter().filter(|it| it.path.is_none()).count();
    if to_stdout > 1 {
        let why = format!("{to_stdout} formats would share the standard output");
        return Err(Failure::unusable("the result cannot be written", why)
            .hint("give all but one a file: --format junit=tminus.xml"));
    }
    Ok(outputs)
}

/// Writes every output, those into files first: a pipe may be closed early.
fn write_all(outputs: &[Output], snapshot: &Snapshot, session: &Session) -> Result<(), Failure> {
    let (files, stdout): (Vec<&Output>, Vec<&Output>) =
        outputs.iter().partition(|it| it.path.is_some());
    for output in files.into_iter().chain(stdout) {
        let text = text(output, snapshot, session);
        match &output.path {
            Some(path) => fs::write(path, text).map_err(|error| unwritten(path, &error))?,
            None => print(&text)?,
        }
        if output.format == Format::Github {
            summarise(snapshot, session)?;
        }
    }
    Ok(())
}

fn text(output: &Output, snapshot: &Snapshot, session: &Session) -> String {
    let to_screen = output.path.is_none() && io::stdout().is_terminal();
    let mut text = match output.format {
        Format::Human => {
            let color =
                if output.path.is_some() { Color::Never } else { session.config.console.color };
            human(snapshot, paint(color, &World, to_screen))
        }
        Format::Json => json(snapshot),
        Format::Junit => junit(snapshot),
        Format::Tap => tap(snapshot),
        Format::Markdown => markdown(snapshot),
        Format::Github => github(snapshot),
        Format::Nagios => nagios(snapshot),
    };
    session.redactor.scrub(&mut text);
    text
}

/// Adds to the summary of the step, where GitHub Actions runs it.
fn summarise(snapshot: &Snapshot, session: &Session) -> Result<(), Failure> {
    let Some(path) = World.variable("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) else {
        return Ok(());
    };
    let path = Path::new(&path);
    let mut text = github_summary(snapshot);
    session.redactor.scrub(&mut text);
    let file = fs::OpenOptions::new().append(true).create(true).open(path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| unwritten(path, &error))
}

pub(super) fn unwritten(path: &Path, error: &io::Error) -> Failure {
    let why = format!("{}: {error}", path.display());
    Failure::unusable("the result cannot be written", why)
        .hint("name a directory that is there and that you may write to")
}

/// Tells people what changes while they wait. Programs want the result only.
struct Progress {
    told: Option<Snapshot>,
    to_people: bool,
}

impl Progress {
    fn teller(mut self) -> impl FnMut(&Snapshot) {
        move |snapshot| {
            if self.to_people {
                for line in changes(self.told.as_ref(), snapshot) {
                    tell(&line);
                }
                self.told = Some(snapshot.clone());
            }
        }
    }
}

/// Whether the result may hold colours: what was chosen, then the conventional variables.
fn paint(chosen: Color, around: &dyn Surroundings, is_terminal: bool) -> Paint {
    let set = |name| around.variable(name).is_some_and(|value| !value.is_empty() && value != "0");
    let dumb = around.variable("TERM").is_some_and(|term| term == "dumb");
    let colored = match chosen {
        Color::Always => true,
        Color::Never => false,
        Color::Auto if around.variable("NO_COLOR").is_some_and(|value| !value.is_empty()) => false,
        Color::Auto => set("CLICOLOR_FORCE") || (is_terminal && !dumb),
    };
    if colored { Paint::Color } else { Paint::Plain }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::fake::Fake;

    #[test]
    fn colours_follow_the_choice_then_the_conventions() {
        let plain = Fake::default();
        let colored =
            |around: &Fake, terminal| paint(Color::Auto, around, terminal) == Paint::Color;
        assert!(colored(&plain, true) && !colored(&plain, false));
        let no_color = Fake::default().variable("NO_COLOR", "1").variable("CLICOLOR_FORCE", "1");
        assert!(!colored(&no_color, true));
        assert!(colored(&Fake::default().variable("NO_COLOR", ""), true), "empty is not set");
        assert!(colored(&Fake::default().variable("CLICOLOR_FORCE", "1"), false));
        assert!(!colored(&Fake::default().variable("CLICOLOR_FORCE", "0"), false));
        assert!(!colored(&Fake::default().variable("TERM", "dumb"), true));
        assert_eq!(paint(Color::Always, &no_color, false), Paint::Color);
        assert_eq!(paint(Color::Never, &plain, true), Paint::Plain);
    }
}
