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
    #[arg(long, value_name = "R")]
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
