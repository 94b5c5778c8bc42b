use super::ListFormat;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// One report.
#[derive(Clone, Debug, Default, Args)]
pub struct Report {
    /// What to look at. Everything, if nothing is named.
    #[arg(value_name = "SELECTION", conflicts_with_all = ["from", "runs"])]
    pub selection: Vec<String>,
    /// Looks at nothing, and reads what that run found; `last` is the newest.
    #[arg(long, value_name = "RUN", conflicts_with = "runs")]
    pub from: Option<String>,
    /// Lists the runs that a report can be about, the newest first.
    #[arg(long, conflicts_with = "output")]
    pub runs: bool,
    /// Compares with the baseline of that name: what is new, known and fixed, and what was
    /// measured.
    #[arg(long, value_name = "NAME", conflicts_with = "runs")]
    pub baseline: Option<String>,
    /// How it is written. html is one file that loads nothing; json has a schema.
    #[arg(long, value_name = "FORMAT", default_value_t, value_enum)]
    pub format: ReportFormat,
    /// Writes into this file instead of to the standard output.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// How a report is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// For a wiki, a pull request, or to be read as it is.
    #[default]
    Markdown,
    /// For a browser, or to be printed.
    Html,
    /// One JSON document.
    Json,
}

/// Which check is explained, and how.
#[derive(Clone, Debug, Args)]
pub struct Explain {
    /// Which check: redis.lock. `tminus list` names them.
    #[arg(value_name = "CHECK")]
    pub check: String,
    /// How the answer is written.
    #[arg(long, value_name = "FORMAT", default_value_t, value_enum)]
    pub format: ListFormat,
}
