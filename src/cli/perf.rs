use super::{check::span, compare::PerfCompare, memory::PerfMemory};
use crate::perf::{
    load::{Expected, Profile},
    redis::Mix,
};
use clap::{Args, Subcommand, ValueEnum};
use std::{path::PathBuf, time::Duration};

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
    /// HTTP/1.1 requests to a server, by a plan or in a closed loop.
    ///
    /// Servers on this machine only, unless the configuration says `load = true`, in the
    /// table performance, or you give --allow-load. Responses that are not expected, redirects
    /// too, count as failures. With goals it ends with 0 if all are reached, with 1 if one
    /// is missed, and with 3 if the samples do not tell; without, any failure is 1.
    #[command(after_help = PROFILES)]
    Load(Box<PerfLoad>),
    /// HTTP/1.1 requests with ever more clients: how many are optimal, how efficient they
    /// are, and from how many on the rate declines.
    ///
    /// Servers on this machine only, unless the configuration says `load = true`, in the
    /// table performance, or you give --allow-load. It ends with 0 if nothing failed, with 1
    /// if something did, and with 3 if no curve can be had or the server drifted meanwhile.
    Scale(Box<PerfScale>),
    /// The same HTTP/1.1 request over and over, and whether the server's memory grows by it.
    ///
    /// Servers on this machine only, unless the configuration says `load = true`, in the
    /// table performance, or you give --allow-load. It reads a heap that the metrics export,
    /// or else the private memory of the process that listens there. It ends with 0 if growth
    /// is surely under --max-growth, with 1 if it leaks, if something failed or the process
    /// ended, and with 3 if nobody can tell.
    Memory(Box<PerfMemory>),
    /// Compares two results of the same test: what is surely better or worse, and by how
    /// much.
    ///
    /// What is compared are the parts of each test, ten at least. It ends with 0 if nothing
    /// is worse, with 1 if something is, with 3 if nobody can tell, and with 2 if the two
    /// are not alike.
    Compare(PerfCompare),
}

const PROFILES: &str = "\
Profiles, with what they do where you say nothing else:
  standard  500 requests a second by plan, 10 s to warm up, then 30 s; latency counts
            from the moment of the plan, so that a server that stands still cannot hide it
  closed    100 connections, each asks again when it has its answer; 2 s, then 10 s
  soak      500 requests a second by plan for 30 minutes, 2 at least: worse at the end
            than at the begin is NO-GO
  smoke     100 users, 1000 requests; mean under 100 ms, 500/s, under 6 % failures";

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

/// The load on an HTTP server.
#[derive(Clone, Debug, Args)]
pub struct PerfLoad {
    /// Where to: http://127.0.0.1:8080/path. Default: `url` in the table performance.
    pub url: Option<String>,
    /// Which of several configured instances.
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// What kind of test, see below.
    #[arg(long, value_name = "WHICH", default_value_t = Profile::Standard, value_enum)]
    pub profile: Profile,
    /// Clients, each with a connection of its own: the most requests under way.
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub clients: u32,
    /// Requests a second by plan, whatever the answers.
    #[arg(long, value_name = "R", allow_negative_numbers = true)]
    pub rate: Option<f64>,
    /// Draws the gaps of the plan as those of independent users.
    #[arg(long)]
    pub poisson: bool,
    /// How long to measure: 10s, 5m.
    #[arg(long, value_name = "TIME", value_parser = span, conflicts_with = "requests")]
    pub duration: Option<Duration>,
    /// How many requests to measure.
    #[arg(long, value_name = "N")]
    pub requests: Option<u64>,
    /// Under load before anything is measured.
    #[arg(long, value_name = "TIME", value_parser = span)]
    pub warm_up: Option<Duration>,
    /// What is asked.
    #[command(flatten)]
    pub request: PerfRequest,
    /// Wanted: the mean time is under this.
    #[arg(long, value_name = "TIME", value_parser = span, help_heading = "Goals")]
    pub max_mean: Option<Duration>,
    /// Wanted: half end well within less than this.
    #[arg(long, value_name = "TIME", value_parser = span, help_heading = "Goals")]
    pub max_p50: Option<Duration>,
    /// Wanted: 95 of 100 end well within less than this.
    #[arg(long, value_name = "TIME", value_parser = span, help_heading = "Goals")]
    pub max_p95: Option<Duration>,
    /// Wanted: 99 of 100 end well within less than this.
    #[arg(long, value_name = "TIME", value_parser = span, help_heading = "Goals")]
    pub max_p99: Option<Duration>,
    /// Wanted: less than this share fails, as 1%.
    #[arg(long, value_name = "SHARE", value_parser = share, help_heading = "Goals")]
    pub max_errors: Option<f64>,
    /// Wanted: at least so many end well a second.
    #[arg(long, value_name = "R", help_heading = "Goals")]
    pub min_rate: Option<f64>,
    /// How the result is written to the standard output.
    #[arg(long, value_name = "FORMAT", default_value_t, value_enum)]
    pub format: PerfFormat,
}

/// The steps of concurrency on an HTTP server.
#[derive(Clone, Debug, Args)]
pub struct PerfScale {
    /// Where to: http://127.0.0.1:8080/path. Default: `url` in the table performance.
    pub url: Option<String>,
    /// Which of several configured instances.
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// The most clients.
    #[arg(long, value_name = "N", default_value_t = 400)]
    pub clients: u32,
    /// The numbers of clients. Default: 1, 2, 4 … 64, 100, 150, 200, 300, 400, up to the
    /// most. A curve takes six.
    #[arg(long, value_name = "N,N,…", value_delimiter = ',')]
    pub steps: Vec<u32>,
    /// How long to measure each step. With 5s or more the figures have bounds.
    #[arg(long, value_name = "TIME", value_parser = span, default_value = "10s")]
    pub duration: Duration,
    /// How long each step warms up.
    #[arg(long, value_name = "TIME", value_parser = span, default_value = "2s")]
    pub warm_up: Duration,
    /// Tells with how many clients 95 of 100 end well within less than this.
    #[arg(long, value_name = "TIME", value_parser = span)]
    pub max_p95: Option<Duration>,
    /// What is asked.
    #[command(flatten)]
    pub request: PerfRequest,
    /// How the result is written to the standard output.
    #[arg(long, value_name = "FORMAT", default_value_t, value_enum)]
    pub format: PerfFormat,
}

/// What an HTTP server is asked, and how.
#[derive(Clone, Debug, Args)]
pub struct PerfRequest {
    /// How long a request may take before it counts as never answered.
    #[arg(long, value_name = "TIME", value_parser = span, default_value = "5s")]
    pub timeout: Duration,
    /// Threads that the clients run on.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub threads: u32,
    /// GET, HEAD, POST and so on.
    #[arg(short = 'X', long, value_name = "WORD", default_value = "GET")]
    pub method: String,
    /// A field of the request, as Name: value. @FILE reads one from each line of a file,
    /// where others cannot see it.
    #[arg(short = 'H', long, value_name = "FIELD")]
    pub header: Vec<String>,
    /// The file with the body of the request.
    #[arg(long, value_name = "FILE")]
    pub body: Option<PathBuf>,
    /// Opens a new connection for each request.
    #[arg(long)]
    pub fresh_connections: bool,
    /// Which statuses are good answers: 2xx,302,400-404.
    #[arg(long, value_name = "STATUSES", default_value = "2xx")]
    pub expect: Expected,
    /// A file with the issuers to trust, in place of those of this host.
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
}

/// Reads `1%` and `0.01`.
fn share(text: &str) -> Result<f64, String> {
    let (number, whole) = match text.trim().strip_suffix('%') {
        Some(percent) => (percent.trim_end(), 100.0),
        None => (text.trim(), 1.0),
    };
    let share = number.parse::<f64>().ok().map(|number| number / whole);
    let share = share.filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "write a share as 1% or 0.01".into())
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
    /// The columns of `redis-benchmark --csv`; of scale a line a step, of memory a line a block.
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

impl ValueEnum for Profile {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Smoke, Self::Standard, Self::Closed, Self::Soak]
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(clap::builder::PossibleValue::new(self.word()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_a_percentage_or_a_number() {
        for (text, expected) in [("1%", 0.01), ("0.5 %", 0.005), ("0.01", 0.01), ("100%", 1.0)] {
            assert!((share(text).unwrap() - expected).abs() < 1e-12, "{text}");
        }
        for bad in ["", "%", "-1%", "101%", "1.1", "few", "NaN"] {
            assert!(share(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn shares_are_four_numbers() {
        assert_eq!(shares("70, 15,10,5"), Ok([70, 15, 10, 5]));
        for wrong in ["", "70,15,10", "70,15,10,5,1", "70,15,x,10,5", "-1,1,1,1"] {
            assert!(shares(wrong).is_err(), "{wrong}");
        }
    }
}
