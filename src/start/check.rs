use super::{Failure, Session, Stop, print, select, tell};
use crate::{
    cli::{Check, Format, Global},
    config::{Color, Surroundings, World},
    domain::Snapshot,
    engine::Engine,
    surface::{
        check::{self, Ended},
        gate,
        report::{Paint, changes, human, json, junit},
    },
};
use std::{
    io::{self, IsTerminal as _},
    time::Duration,
};

/// Time for runs to end when the program does.
const GRACE: Duration = Duration::from_secs(2);

/// `tminus check`: looks, prints, and returns the verdict as exit code.
pub(super) async fn run(global: &Global, asked: &Check) -> Result<u8, Failure> {
    let mut session = Session::open(global)?;
    let integrations = select(std::mem::take(&mut session.integrations), &asked.selection)?;
    session.tell_warnings();
    let stop = Stop::on_signals()
        .map_err(|error| Failure::unusable("signals cannot be listened for", error.to_string()))?;
    let exporter = session.exporter().await?;
    let (engine, handle) = Engine::start(session.plan(integrations, check::begin(asked.wait)));
    Session::accompany(exporter, &handle, &stop.token);
    let progress = Progress { told: None, to_people: asked.format == Format::Human };
    let ended = check::run(handle, asked.wait, &stop.token, progress.teller()).await;
    engine.stop(GRACE).await;
    match ended {
        Ended::Interrupted => {
            tell("tminus: interrupted, so there is no verdict");
            Ok(gate::interrupted(stop.signal().unwrap_or_default()))
        }
        Ended::Looked(snapshot) => {
            let verdict = &snapshot.verdict;
            tracing::info!(word = verdict.word.as_str(), reason = %verdict.reason, "the verdict");
            let color = session.config.console.color;
            let mut text = match asked.format {
                Format::Human => human(&snapshot, paint(color, &World, io::stdout().is_terminal())),
                Format::Json => json(&snapshot),
                Format::Junit => junit(&snapshot),
            };
            session.redactor.scrub(&mut text);
            print(&text)?;
            Ok(gate::exit_code(snapshot.verdict.word))
        }
    }
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
