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
mod keys;
mod list;
mod look;
mod manual;
mod outlet;
mod perf;
mod report;
mod screenshot;
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
    cli::{Check, Cli, Global, Verb},
    config::{Surroundings as _, World},
};
use std::io::{self, IsTerminal as _, Write as _};

/// Does what was asked and returns the exit code. Runs on the main thread, within a runtime.
pub async fn run(cli: Cli) -> u8 {
    let done = match (cli.verb, cli.picture.screenshot.as_deref()) {
        (None, Some(path)) => screenshot::run(&cli.global, &cli.picture, path).await,
        (Some(_), Some(_)) => Err(Failure::unusable(
            "this cannot be drawn",
            "--screenshot draws the console and goes with no verb",
        )
        .hint("leave the verb out: tminus --screenshot console.svg --size 120x40")),
        (verb, None) => act(&cli.global, verb).await,
    };
    done.unwrap_or_else(|failure| {
        tell(&failure.to_string());
        failure.code
    })
}

async fn act(global: &Global, verb: Option<Verb>) -> Result<u8, Failure> {
    match verb {
        Some(Verb::Config { about }) => config::run(global, about),
        Some(Verb::Perf(asked)) => perf::run(global, &asked).await,
        Some(Verb::Check(asked)) => check::run(global, &asked).await,
        Some(Verb::Baseline(verb)) => baseline::run(global, &verb).await,
        Some(Verb::Diff { before, after, format }) => {
            baseline::diff(global, [&before, &after], format).await
        }
        Some(Verb::List(asked)) => list::run(global, &asked),
        Some(Verb::Report(asked)) => report::run(global, &asked).await,
        Some(Verb::Explain(asked)) => explain::run(global, &asked).await,
        Some(Verb::Keys(asked)) => keys::run(global, asked),
        Some(Verb::Completions { shell }) => manual::completions(shell),
        Some(Verb::Man) => manual::page(),
        Some(Verb::Init(asked)) => init::run(global, asked),
        Some(Verb::Doctor(asked)) => doctor::run(global, &asked).await,
        Some(Verb::Clean(asked)) => clean::run(global, &asked).await,
        None if on_a_terminal() => console::run(global).await,
        None => check::run(global, &Check::default()).await,
    }
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
