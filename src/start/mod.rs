//! From the command line to an exit code: reads the configuration, starts the
//! engine and hands it to a surface. Puts parts together and decides nothing.

mod baseline;
mod check;
mod clean;
mod config;
mod console;
mod doctor;
mod explain;
mod failure;
mod init;
mod list;
mod look;
mod manual;
mod perf;
mod report;
mod select;
mod session;
mod signals;
mod since;
mod trace;

pub use failure::Failure;
pub use select::select;
pub use session::Session;
pub use signals::Stop;

use crate::{
    cli::{Check, Cli, Verb},
    config::{Surroundings as _, World},
};
use std::io::{self, IsTerminal as _, Write as _};

/// Does what was asked and returns the exit code. Runs on the main thread, within a runtime.
pub async fn run(cli: Cli) -> u8 {
    let done = match cli.verb {
        Some(Verb::Config { about }) => config::run(&cli.global, about),
        Some(Verb::Perf(asked)) => perf::run(&cli.global, &asked).await,
        Some(Verb::Check(asked)) => check::run(&cli.global, &asked).await,
        Some(Verb::Baseline(verb)) => baseline::run(&cli.global, &verb).await,
        Some(Verb::Diff { before, after, format }) => {
            baseline::diff(&cli.global, [&before, &after], format).await
        }
        Some(Verb::List(asked)) => list::run(&cli.global, &asked),
        Some(Verb::Report(asked)) => report::run(&cli.global, &asked).await,
        Some(Verb::Explain(asked)) => explain::run(&cli.global, &asked).await,
        Some(Verb::Completions { shell }) => manual::completions(shell),
        Some(Verb::Man) => manual::page(),
        Some(Verb::Init(asked)) => init::run(&cli.global, asked),
        Some(Verb::Doctor(asked)) => doctor::run(&cli.global, &asked).await,
        Some(Verb::Clean(asked)) => clean::run(&cli.global, &asked).await,
        None if on_a_terminal() => console::run(&cli.global).await,
        None => check::run(&cli.global, &Check::default()).await,
    };
    done.unwrap_or_else(|failure| {
        tell(&failure.to_string());
        failure.code
    })
}

/// Whether there is a screen to draw on and a keyboard to listen to.
fn on_a_terminal() -> bool {
    let dumb = World.variable("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
    !dumb && io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// Says something to the person who started the program.
fn tell(text: &str) {
    // Without a stderr there is nobody to tell.
    let _unheard = writeln!(io::stderr(), "{text}");
}

/// Hands over the result. A reader that has gone away has seen what it wanted.
fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::unusable("the result cannot be written", error.to_string()))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}
