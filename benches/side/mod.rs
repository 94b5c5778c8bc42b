//! What the benches that run beside another program share: the same processors for
//! both, what each took of them, and medians.

use serde_json::Value;
use std::{
    env, fs,
    process::{Command, Stdio},
};

/// How many processes wanted to run over the last minute.
pub(super) fn load() -> String {
    let loads = fs::read_to_string("/proc/loadavg").unwrap();
    loads.split(' ').next().unwrap().to_owned()
}

/// Processor time in µs of a process; from the 16th field on of children waited for.
pub(super) fn processor(pid: &str, field: usize) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // The name may hold anything; the fields after it begin with the third.
    let rest: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks = |at: usize| rest[at - 3].parse::<f64>().unwrap();
    (ticks(field) + ticks(field + 1)) * 1e4
}

/// Processor time in µs of all children that have ended.
pub(super) fn waited_for() -> f64 {
    processor("self", 16)
}

/// A client, on the second processor.
pub(super) fn pinned(program: &str) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", "1", program]).env_remove("TMINUS_CONFIG");
    command
}

/// Runs it to its end; its standard output.
pub(super) fn output(command: &mut Command) -> String {
    let output = command.current_dir(env::temp_dir()).stderr(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{command:?} ended with {}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

/// The middle one.
pub(super) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A quantile of a record of ours, in milliseconds.
pub(super) fn quantile(record: &Value, share: f64) -> f64 {
    let quantiles = record["total"]["latency"]["quantiles"].as_array().unwrap();
    let wanted = quantiles.iter().find(|it| it["share"].as_f64() == Some(share)).unwrap();
    wanted["seconds"].as_f64().unwrap() * 1e3
}
