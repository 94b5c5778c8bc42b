//! What the user can type. The doc comments are the help.
#![expect(
    clippy::doc_markdown,
    reason = "they are read as help, where backticks would be in the way"
)]

mod check;
mod compare;
mod memory;
mod perf;
mod picture;
mod report;

pub use check::{Check, ExitStyle, Format, Output};
pub use compare::PerfCompare;
pub use memory::PerfMemory;
pub use perf::{Perf, PerfDb, PerfFormat, PerfLoad, PerfRedis, PerfRequest, PerfScale, Shares};
pub use picture::{Picture, PicturePaper, PictureSize};
pub use report::{Explain, Report, ReportFormat};

use crate::{
    config::{Color, Glyphs, Theme},
    probe::Safety,
};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::{net::SocketAddr, path::PathBuf};

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
    /// A picture of the console, instead of the console.
    #[command(flatten)]
    pub picture: Picture,
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
  4  with --strict: GO, and something is on the checklist or accepted
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
    /// Lets performance tests put load on remote targets too.
    ///
    /// Targets on this machine always may be; a target whose configuration says
    /// `load = false` never is.
    #[arg(long, global = true)]
    pub allow_load: bool,
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
    /// Whose colours the console uses: the terminal's own, or a theme of ours.
    #[arg(long, global = true, value_name = "THEME", env = "TMINUS_THEME")]
    pub theme: Option<Theme>,
}

impl Global {
    /// What the user allows to do to targets.
    pub fn safety(&self) -> Safety {
        Safety { allow_writes: self.allow_writes, allow_load: self.allow_load }
    }
}

/// What can be done besides opening the console.
#[derive(Clone, Debug, Subcommand)]
pub enum Verb {
    /// Looks once, prints what it found, and ends with the verdict as exit code.
    Check(Check),
    /// Writes the report: what was found, what it means, and what to do in which order.
    ///
    /// Looks once, or reads what an earlier run found, and ends with that verdict as exit
    /// code.
    Report(Report),
    /// Keeps how everything stands under a name, to compare with after a deploy.
    #[command(subcommand)]
    Baseline(BaselineVerb),
    /// Says what became of what stood in the way, and what was measured, from one baseline
    /// to another.
    ///
    /// Ends with 1 if something is new or gone, with 0 otherwise.
    Diff {
        /// The baseline from before.
        before: String,
        /// The one to compare with it.
        after: String,
        /// How it is written. json has a schema.
        #[arg(long, value_name = "FORMAT", default_value_t, value_enum)]
        format: ListFormat,
    },
    /// Puts load on a target and says what that took.
    #[command(subcommand)]
    Perf(Perf),
    /// Lists the checks: what each shows, what it weighs, what it does to its target.
    List(List),
    /// Says of one check what it does and sends, what it needs and is worth, how to mend
    /// what it finds, and how it went so far.
    Explain(Explain),
    /// Removes what killed runs left on targets that may be written to, and says what it did.
    ///
    /// Ends with 0 if nothing is left, with 1 if something is, and with 3 where
    /// nobody could look. What belongs to a run that is alive is left alone.
    Clean(Clean),
    /// Writes a tminus.toml to begin with, from what lies around: variables, `.env`,
    /// compose files, manifests, and who listens here.
    ///
    /// No secret gets into it: they are named by their variables. Connects to nothing,
    /// and leaves a file that is there as it is.
    Init(Init),
    /// Says whether this machine is fit for the console: configuration, state, history,
    /// terminal, clock, limits, killed runs, and the names of targets.
    ///
    /// Asks name servers, and connects to nothing else. Ends with 1 if something is to
    /// be mended, and with 2 if that is the configuration.
    Doctor(Doctor),
    /// Says which configuration holds, where it comes from and what is wrong with it.
    Config {
        /// What to say about it.
        #[command(subcommand)]
        about: About,
    },
    /// Prints every key of the console, as the file has it.
    ///
    /// Its names are those that the file takes in its table of keys, and that the console
    /// takes after a colon.
    Keys(Keys),
    /// Prints what makes a shell complete the command line.
    ///
    /// For bash: tminus completions bash > ~/.local/share/bash-completion/completions/tminus
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
    /// Prints the manual page: tminus man | man -l -
    Man,
}

/// What can be done with baselines.
#[derive(Clone, Debug, Subcommand)]
pub enum BaselineVerb {
    /// Looks once and keeps what it found, in place of what has the same name.
    Save {
        /// What to call it.
        name: String,
        /// What to look at. Everything, if nothing is named.
        #[arg(value_name = "SELECTION")]
        selection: Vec<String>,
    },
    /// Lists what is kept, the oldest first.
    List,
    /// Prints how every check stood.
    Show {
        /// Which baseline.
        name: String,
    },
    /// Removes one.
    Rm {
        /// Which baseline.
        name: String,
    },
}

/// Which checks are listed, and how.
#[derive(Clone, Debug, Args)]
pub struct List {
    /// What to list: an integration, a check or a pattern. Everything, if nothing is named.
    #[arg(value_name = "SELECTION")]
    pub selection: Vec<String>,
    /// How the list is written.
    #[arg(long, value_name = "FORMAT", default_value_t, value_enum)]
    pub format: ListFormat,
}

/// How a list or a receipt is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// Text for people.
    #[default]
    Human,
    /// One JSON document.
    Json,
}

/// One cleaning.
#[derive(Clone, Debug, Default, Args)]
pub struct Clean {
    /// How the receipt is written to the standard output.
    #[arg(long, value_name = "FORMAT", default_value_t, value_enum)]
    pub format: ListFormat,
}

/// One file to begin with. --config says where; ./tminus.toml without it.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct Init {
    /// Takes the place of a file that is there.
    #[arg(long, conflicts_with = "print")]
    pub force: bool,
    /// Prints it, and writes nothing.
    #[arg(long)]
    pub print: bool,
}

/// How the keys are printed.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct Keys {
    /// How the table is written.
    #[arg(long, value_name = "FORMAT", default_value_t, value_enum)]
    pub format: ListFormat,
}

/// How the doctor speaks.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct Doctor {
    /// How what it found is written.
    #[arg(long, value_name = "FORMAT", default_value_t, value_enum)]
    pub format: ListFormat,
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
    /// Prints the JSON Schema of the file, with which an editor completes and checks it.
    ///
    /// The first line of the file says where it is: #:schema ./tminus.schema.json
    Schema,
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
    fn a_global_flag_may_stand_before_and_after_the_verb() {
        for line in ["tminus --allow-writes check redis", "tminus check redis --allow-writes"] {
            let cli = Cli::try_parse_from(line.split(' ')).unwrap();
            assert!(cli.global.allow_writes, "{line}");
            let Some(Verb::Check(check)) = cli.verb else { panic!("{line}") };
            assert_eq!((check.selection.len(), check.outputs()), (1, vec![Output::default()]));
        }
    }
}
