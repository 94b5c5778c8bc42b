//! What the user can type. The doc comments are the help.
#![expect(
    clippy::doc_markdown,
    reason = "they are read as help, where backticks would be in the way"
)]

use crate::config::{Color, Glyphs};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::{net::SocketAddr, path::PathBuf, time::Duration};

/// May this go to production, and if not, exactly why?
///
/// Opens the console. Without a terminal it does the same as `tminus check`.
///
/// A flag counts more than the file, and the file more than a conventional
/// variable such as REDIS_URL. Nothing has to be configured.
#[derive(Clone, Debug, Parser)]
#[command(name = "tminus", version, max_term_width = 90, after_long_help = EXIT_CODES)]
pub struct Cli {
    /// What every verb understands.
    #[command(flatten)]
    pub global: Global,
    /// What to do instead of opening the console.
    #[command(subcommand)]
    pub verb: Option<Verb>,
}

const EXIT_CODES: &str = "\
Exit codes, the same for every verb and format:
  0  GO
  1  NO-GO
  2  the command line or the configuration is wrong: no verdict
  3  HOLD: nobody knows yet
  130, 143  interrupted by SIGINT, SIGTERM";

/// What every verb understands.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Reads this file, and looks for no other [env: TMINUS_CONFIG].
    #[arg(short, long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Lets checks write to remote targets too, under our own prefix and removed again.
    ///
    /// Targets on this machine may always be written to; a target whose
    /// configuration says `writes = false` never is.
    #[arg(long, global = true)]
    pub allow_writes: bool,
    /// Serves /metrics and /healthz there, for example on 127.0.0.1:9464.
    #[arg(long, global = true, value_name = "ADDRESS", env = "TMINUS_METRICS_LISTEN")]
    pub metrics_listen: Option<SocketAddr>,
    /// Logs to this file instead of the state directory's tminus/tminus.log.
    ///
    /// TMINUS_LOG says what is logged: info, debug, tminus=trace.
    #[arg(long, global = true, value_name = "FILE", env = "TMINUS_LOG_FILE")]
    pub log_file: Option<PathBuf>,
    /// Whether colours are used; auto heeds NO_COLOR, CLICOLOR_FORCE and TERM.
    #[arg(long, global = true, value_name = "WHEN", env = "TMINUS_COLOR")]
    pub color: Option<Color>,
    /// Which signs the console draws.
    #[arg(long, global = true, value_name = "WHICH", env = "TMINUS_GLYPHS")]
    pub glyphs: Option<Glyphs>,
}

/// What can be done besides opening the console.
#[derive(Clone, Debug, Subcommand)]
pub enum Verb {
    /// Looks once, prints what it found, and ends with the verdict as exit code.
    Check(Check),
    /// Says which configuration holds, where it comes from and what is wrong with it.
    Config {
        /// What to say about it.
        #[command(subcommand)]
        about: About,
    },
}

/// One look.
#[derive(Clone, Debug, Default, Args)]
pub struct Check {
    /// What to look at: an integration (redis, redis/cache), a check (redis.lock)
    /// or a pattern (*.connect). Everything, if nothing is named.
    #[arg(value_name = "SELECTION")]
    pub selection: Vec<String>,
    /// Goes on looking until it is GO, but no longer than this: 30s, 5m, 1h.
    ///
    /// At least one whole look is taken, however short the time.
    #[arg(long, value_name = "TIME", value_parser = span)]
    pub wait: Option<Duration>,
    /// How the result is written to the standard output.
    #[arg(long, value_name = "FORMAT", default_value_t, value_enum)]
    pub format: Format,
}

/// How a result is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Text for people.
    #[default]
    Human,
    /// One JSON document.
    Json,
    /// JUnit XML for build servers.
    Junit,
}

/// What can be said about the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
pub enum About {
    /// Names every problem at once, or says where each integration's settings come from.
    Check,
    /// Prints every setting that is set, with its source, secrets masked.
    Show,
    /// Prints which file is read, and every place that was looked at.
    Path,
}

/// Reads a span of time that is longer than none.
fn span(text: &str) -> Result<Duration, String> {
    let parsed: Option<jiff::SignedDuration> = text.parse().ok();
    let span = parsed.and_then(|span| Duration::try_from(span).ok());
    span.filter(|span| !span.is_zero()).ok_or_else(|| "write it as 30s, 5m or 1h".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_wait_is_written_as_people_write_it() {
        assert_eq!(span("5m"), Ok(Duration::from_mins(5)));
        assert_eq!(span("1m 30s"), Ok(Duration::from_secs(90)));
        for bad in ["5", "", "-5m", "0s", "soon"] {
            assert!(span(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_global_flag_may_stand_before_and_after_the_verb() {
        for line in ["tminus --allow-writes check redis", "tminus check redis --allow-writes"] {
            let cli = Cli::try_parse_from(line.split(' ')).unwrap();
            assert!(cli.global.allow_writes, "{line}");
            let Some(Verb::Check(check)) = cli.verb else { panic!("{line}") };
            assert_eq!((check.selection.len(), check.format), (1, Format::Human));
        }
    }
}
