use super::span;
use crate::perf::redis::Mix;
use clap::{Args, Subcommand, ValueEnum};
use std::time::Duration;

/// What can be put under load.
#[derive(Clone, Debug, Subcommand)]
pub enum Perf {
    /// GET and SET on Redis or Valkey, on keys of our own that are removed again.
    ///
    /// Targets on this machine only, unless the configuration says `load = true` or
    /// you give --allow-load.
    Redis(PerfRedis),
    /// SELECT, INSERT, UPDATE and DELETE on PostgreSQL, MariaDB, MySQL or SQLite, on a
    /// table of our own that is dropped again.
    ///
    /// Targets on this machine only, unless the configuration says `load = true` or
    /// you give --allow-load. The role has to be allowed to create a table.
    Db(PerfDb),
}

/// The load on a Redis.
#[derive(Clone, Debug, Args)]
pub struct PerfRedis {
    /// Which of several configured instances.
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Clients, each with a connection of its own.
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub clients: u32,
    /// Commands that a client sends together.
    #[arg(long, value_name = "P", default_value_t = 1)]
    pub pipeline: u32,
    /// Which commands: mixed is one SET in ten.
    #[arg(long, value_name = "WHICH", default_value_t = Mix::Mixed, value_enum)]
    pub mix: Mix,
    /// Bytes of a value.
    #[arg(long, value_name = "B", default_value_t = 3)]
    pub size: u64,
    /// Keys that are read and written.
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub keys: u64,
    /// Commands a second by plan, whatever the answers: latency then counts from the
    /// moment of the plan. Without it each client sends as soon as it has its answer.
    #[arg(long, value_name = "R", allow_negative_numbers = true)]
    pub rate: Option<f64>,
    /// Draws the gaps of the plan as those of independent users.
    #[arg(long, requires = "rate")]
    pub poisson: bool,
    /// How long to measure: 10s, 5m.
    #[arg(long, value_name = "TIME", value_parser = span, default_value = "10s", conflicts_with = "requests")]
    pub duration: Duration,
    /// How many commands to measure.
    #[arg(long, value_name = "N")]
    pub requests: Option<u64>,
    /// Under load before anything is measured.
    #[arg(long, value_name = "TIME", value_parser = span, default_value = "2s")]
    pub warm_up: Duration,
    /// Threads that the clients run on.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub threads: u32,
    /// How the result is written to the standard output.
    #[arg(long, value_name = "FORMAT", default_value_t, value_enum)]
    pub format: PerfFormat,
}

/// The load on a database.
#[derive(Clone, Debug, Args)]
pub struct PerfDb {
    /// Which of several configured instances.
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Clients, each with a connection of its own, opened before the clock starts.
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub clients: u32,
    /// How often each: SELECT,INSERT,UPDATE,DELETE, as shares of their sum.
    #[arg(long, value_name = "S,I,U,D", value_parser = shares, default_value = "70,15,10,5")]
    pub mix: Shares,
    /// Rows of the table at first.
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    pub rows: u64,
    /// Statements a second by plan, whatever the answers: latency then counts from the
    /// moment of the plan. Without it each client sends as soon as it has its answer.
    #[arg(long, value_name = "R")]
    pub rate: Option<f64>,
    /// Draws the gaps of the plan as those of independent users.
    #[arg(long, requires = "rate")]
    pub poisson: bool,
    /// Does not measure 1, 2, 4 and so on clients first, which shows from where on more
    /// add nothing. A plan has no such steps.
    #[arg(long)]
    pub no_steps: bool,
    /// How long to measure: 10s, 5m.
    #[arg(long, value_name = "TIME", value_parser = span, default_value = "10s")]
    pub duration: Duration,
    /// Under load before anything is measured.
    #[arg(long, value_name = "TIME", value_parser = span, default_value = "2s")]
    pub warm_up: Duration,
    /// Threads that the clients run on.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub threads: u32,
    /// How the result is written to the standard output.
    #[arg(long, value_name = "FORMAT", default_value_t, value_enum)]
    pub format: PerfFormat,
}

/// The shares of SELECT, INSERT, UPDATE and DELETE.
pub type Shares = [u32; 4];

fn shares(text: &str) -> Result<Shares, String> {
    let numbers: Vec<u32> = text.split(',').filter_map(|one| one.trim().parse().ok()).collect();
    let whole = text.split(',').count() == numbers.len();
    let four = <[u32; 4]>::try_from(numbers).ok().filter(|_| whole);
    four.ok_or_else(|| "four whole numbers are wanted, as in 70,15,10,5".into())
}

/// How the result of a performance test is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum PerfFormat {
    /// Text for people.
    #[default]
    Human,
    /// One JSON document.
    Json,
    /// The columns of `redis-benchmark --csv`.
    Csv,
}

impl ValueEnum for Mix {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Get, Self::Set, Self::Mixed]
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(clap::builder::PossibleValue::new(self.word()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_four_numbers() {
        assert_eq!(shares("70, 15,10,5"), Ok([70, 15, 10, 5]));
        for wrong in ["", "70,15,10", "70,15,10,5,1", "70,15,x,10,5", "-1,1,1,1"] {
            assert!(shares(wrong).is_err(), "{wrong}");
        }
    }
}
