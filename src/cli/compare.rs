use super::ListFormat;
use clap::Args;

/// Two results of the same test.
#[derive(Clone, Debug, Args)]
pub struct PerfCompare {
    /// The earlier one: a file that --format json has written, the begin of its moment as
    /// --list has it, or last. Default: the newest that is like the later one.
    pub before: Option<String>,
    /// The later one, likewise. Default: last, which is the newest.
    pub after: Option<String>,
    /// Lists the results that are kept, the newest first.
    #[arg(long, conflicts_with_all = ["before", "after"])]
    pub list: bool,
    /// How the comparison is written.
    #[arg(long, value_name = "FORMAT", default_value_t, value_enum)]
    pub format: ListFormat,
}
