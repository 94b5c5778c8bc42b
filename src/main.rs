//! The program: builds the runtime, does what was asked, ends with its exit code.

use clap::Parser as _;
use rustix::{fs::Mode, process::umask};
use std::{
    io::{self, Write as _},
    process::ExitCode,
    time::Duration,
};
use tminus::{cli::Cli, start, surface::gate};
use tokio::runtime::Builder;

/// Probes run on these; the surface has the main thread to itself.
const WORKERS: usize = 2;
/// What still blocks a worker at the end is left behind after this long.
const LAST: Duration = Duration::from_millis(500);

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(usage) => {
            // Help that nobody reads any more needs no error.
            let _unheard = usage.print();
            return if usage.use_stderr() { gate::UNUSABLE.into() } else { ExitCode::SUCCESS };
        }
    };
    // What this program creates is for its user only.
    umask(Mode::RWXG | Mode::RWXO);
    match Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build() {
        Ok(runtime) => {
            let code = runtime.block_on(start::run(cli));
            runtime.shutdown_timeout(LAST);
            code.into()
        }
        Err(error) => {
            let _unheard =
                writeln!(io::stderr(), "tminus: this host lets no thread start: {error}");
            gate::UNUSABLE.into()
        }
    }
}
