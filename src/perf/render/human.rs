use super::against::{self, over_time};
use crate::{
    domain::{
        Fact, FactValue,
        perf::{Arrivals, Ended, Generator, Load, Operation, Quantile, Record},
    },
    units,
};
use std::{
    fmt::{self, Write as _},
    time::Duration,
};

/// Columns of a line's name.
const NAME: usize = 10;
/// Columns of what is said under it, where it can be parted.
const WIDTH: usize = 68;

/// For people: what was done, what it took, and what is to be said about that.
pub fn human(record: &Record) -> String {
    let mut lines = Lines::default();
    head(&mut lines, record);
    verdict(&mut lines, record);
    if let Some(scale) = &record.scale {
        super::scale::human(&mut lines, scale);
        tail(&mut lines, record);
        return lines.0;
    }
    if let Some(memory) = &record.memory {
        super::memory::human(&mut lines, memory);
    }
    let total = &record.total;
    operation(&mut lines, total, record.measured);
    let mean = units::latency(total.latency.mean);
    let max = units::latency(total.latency.max);
    lines.put("", format_args!("mean {mean}  max {max}"));
    if let Some(bounds) = bounds(&total.latency.quantiles) {
        lines.put("95 % sure", format_args!("{bounds}"));
    }
    if let Some(service) = &total.service {
        let (p50, p99) = (units::latency(service.at(0.5)), units::latency(service.at(0.99)));
        let max = units::latency(service.max);
        lines.put("from send", format_args!("p50 {p50}  p99 {p99}  max {max}"));
    }
    if record.operations.len() > 1 {
        record.operations.iter().for_each(|each| operation(&mut lines, each, record.measured));
    }
    if let Some(drift) = &record.drift {
        over_time(&mut lines, &record.blocks, record.measured);
        against::put(&mut lines, drift);
    }
    if let Some(before) = &record.against {
        against::put(&mut lines, before);
    }
    tail(&mut lines, record);
    lines.0
}

/// Whether what was wanted is so, and what has to be said about such a test.
fn verdict(lines: &mut Lines, record: &Record) {
    if !record.goals.is_empty() || record.scale.is_some() || record.drift.is_some() {
        let (word, why) = record.verdict();
        lines.put("verdict", format_args!("{}: {why}", word.as_str()));
    }
    for goal in &record.goals {
        lines.put("goal", format_args!("{}", units::goal(goal)));
    }
    for note in &record.notes {
        lines.put("mind", format_args!("{note}"));
    }
}

/// How many there were and how long they took.
fn operation(lines: &mut Lines, operation: &Operation, measured: Duration) {
    let (rate, well, failed) =
        (number(operation.per_second), operation.succeeded, operation.failed);
    let measured = units::span(measured);
    lines.put(&operation.name, format_args!("{rate}/s: {well} in {measured}, {failed} failed"));
    lines.put("", format_args!("{}", times(operation)));
}

fn head(lines: &mut Lines, record: &Record) {
    lines.put(&record.test, format_args!("{}, {}", record.target, units::rfc3339(record.began)));
    match (&record.scale, &record.memory) {
        (Some(scale), _) => {
            lines.put("load", format_args!("{}", super::scale::load(scale, record)));
        }
        (None, Some(memory)) => {
            lines.put("load", format_args!("{}", super::memory::load(memory, record)));
        }
        (None, None) => load(lines, &record.load),
    }
    match &record.ended {
        Ended::Complete => {}
        Ended::Aborted => lines.put("ended", format_args!("stopped early: a part of a result")),
        Ended::Stopped(why) => lines.put("STOPPED", format_args!("by a guard: {why}")),
    }
}

fn load(lines: &mut Lines, load: &Load) {
    let arrivals = match load.arrivals {
        Arrivals::Closed => "a closed loop: a target that stands still is not asked".into(),
        Arrivals::Constant { rate } => format!("{}/s by plan, latency from the plan", number(rate)),
        Arrivals::Poisson { rate } => {
            format!("{}/s by plan in random gaps, latency from the plan", number(rate))
        }
    };
    let (clients, depth, threads) = (load.clients, load.depth, load.threads);
    lines.put("load", format_args!("{clients} clients, {depth} at once each, threads: {threads}"));
    lines.put("", format_args!("{arrivals}"));
}

fn tail(lines: &mut Lines, record: &Record) {
    for (class, count) in &record.errors {
        lines.put("failed", format_args!("{count} {class}"));
    }
    if let Some(kept) = &record.kept {
        let (late, missed, planned) = (kept.late, kept.missed, kept.planned);
        let lag = units::latency(kept.lag.at(0.99));
        lines.put(
            "plan",
            format_args!("{planned} planned, {late} found no client free, {missed} never began"),
        );
        lines.put("", format_args!("our own delay p99 {lag}"));
    }
    if record.memory.is_none() {
        our_side(lines, &record.generator);
    }
    if let Some(receipt) = &record.receipt {
        let (written, removed, left) = (receipt.written, receipt.removed, receipt.left);
        lines.put("receipt", format_args!("{written} made, {removed} removed, {left} left"));
    }
    let mut title = "target";
    for line in facts(&record.facts) {
        lines.put(title, format_args!("{line}"));
        title = "";
    }
}

/// What the clients took; one that waits for each answer and each reading takes nothing.
fn our_side(lines: &mut Lines, generator: &Generator) {
    let (busy, cpu) = (generator.busiest * 100.0, units::span(generator.cpu));
    lines.put(
        "our side",
        format_args!("{busy:.0} % of a core, {cpu} in all; {:.1} in flight", generator.in_flight),
    );
    for limit in &generator.limits {
        lines.put("note", format_args!("{limit}"));
    }
}

/// Several to a line, as far as they fit.
fn facts(facts: &[Fact]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for Fact { name, value } in facts {
        let value = match value {
            FactValue::Quantity(quantity) => units::quantity(*quantity),
            FactValue::Words(words) => words.clone(),
        };
        let fact = format!("{name}: {value}");
        match lines.last_mut().filter(|line| line.len() + fact.len() + 2 <= WIDTH) {
            Some(line) => {
                line.push_str("; ");
                line.push_str(&fact);
            }
            None => lines.push(fact),
        }
    }
    lines
}

/// The bounds of the quantiles that people look at.
fn bounds(quantiles: &[Quantile]) -> Option<String> {
    let shown = quantiles.iter().filter(|quantile| [0.5, 0.99, 0.999].contains(&quantile.share));
    let said = shown.map(|quantile| {
        let (name, low) = (name(quantile.share), units::latency(quantile.low));
        let few = if quantile.few { ", few samples" } else { "" };
        match quantile.high {
            Some(high) => format!("{name} {low} to {}{few}", units::latency(high)),
            None => format!("{name} {low}, no upper bound"),
        }
    });
    let said: Vec<String> = said.collect();
    (!said.is_empty()).then(|| said.join("; "))
}

/// `p99`, `p99.9`.
fn name(share: f64) -> String {
    let percent = format!("{:.2}", share * 100.0);
    format!("p{}", percent.trim_end_matches('0').trim_end_matches('.'))
}

/// The quantiles in a line.
fn times(operation: &Operation) -> String {
    let shown = operation.latency.quantiles.iter().filter(|quantile| quantile.share < 0.9995);
    let said = shown.map(|it| format!("{} {}", name(it.share), units::latency(it.time)));
    said.collect::<Vec<_>>().join("  ")
}

/// A rate in whole operations, with three digits at least.
pub(super) fn number(rate: f64) -> String {
    if rate < 100.0 { format!("{rate:.1}") } else { format!("{rate:.0}") }
}

/// Lines of a name and what is said under it.
#[derive(Default)]
pub(super) struct Lines(pub(super) String);

impl Lines {
    pub(super) fn put(&mut self, name: &str, says: fmt::Arguments) {
        // Writing to a String cannot fail.
        let _infallible = writeln!(self.0, "{name:NAME$} {says}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::perf::render::sample;

    #[test]
    fn a_record_reads_from_top_to_bottom() {
        insta::assert_snapshot!(human(&sample::record()), @"
        redis      127.0.0.1:6379/0, 2026-11-23T02:13:20.123Z
        load       50 clients, 1 at once each, threads: 1
                   1000/s by plan, latency from the plan
        GET+SET    1000/s: 10000 in 10s, 3 failed
                   p50 0.303ms  p90 0.346ms  p95 499ms  p99 899ms  p99.9 989ms
                   mean 50.2ms  max 999ms
        95 % sure  p50 0.302ms to 0.304ms; p99 879ms to 919ms; p99.9 982ms to 996ms
        from send  p50 0.298ms  p99 0.346ms  max 0.346ms
        GET        900/s: 9000 in 10s, 0 failed
                   p50 0.303ms  p90 0.346ms  p95 498ms  p99 899ms  p99.9 989ms
        SET        100/s: 1000 in 10s, 0 failed
                   p50 0.302ms  p90 0.346ms  p95 490ms  p99 890ms  p99.9 980ms
        failed     3 LOADING
        plan       10003 planned, 951 found no client free, 0 never began
                   our own delay p99 0.346ms
        our side   4 % of a core, 412ms in all; 5.2 in flight
        note       the plan was kept with up to 2.0ms delay of ours, limit 1.0ms
        receipt    10000 made, 10000 removed, 0 left
        target     commands sent: 22000; counts agree: yes
        ");
    }

    #[test]
    fn what_was_stopped_says_so_and_bounds_that_are_none_are_called_so() {
        let mut record = sample::record();
        record.ended = Ended::Stopped("6.0 % failed in a second, limit 5 %".into());
        record.total.latency.quantiles.iter_mut().for_each(|quantile| quantile.high = None);
        let said = human(&record);
        assert!(said.contains("STOPPED    by a guard: 6.0 % failed"), "{said}");
        assert!(said.contains("no upper bound"), "{said}");
    }
}
