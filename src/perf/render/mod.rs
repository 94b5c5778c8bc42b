//! A record as text, for people and for programs. Pure.

mod against;
mod csv;
mod graph;
mod human;
mod memory;
mod scale;

pub use against::against;
pub use csv::csv;
pub use graph::Size;
pub use human::human;
pub use memory::graph as memory_graph;
pub use scale::{decline, graph};

use crate::{domain::perf::Record, units};

/// One JSON document: every figure in base units, by its name.
pub fn json(record: &Record) -> String {
    // Every key in it is a text, so it cannot fail.
    serde_json::to_string_pretty(record).unwrap_or_default() + "\n"
}

/// What a record comes down to, in a few words.
pub fn brief(record: &Record) -> String {
    let total = &record.total;
    let failed = match total.failed {
        0 => String::new(),
        failed => format!("  {failed} failed"),
    };
    if let Some(scale) = &record.scale {
        return scale::brief(scale) + &failed;
    }
    if let Some(memory) = &record.memory {
        return memory::brief(memory) + &failed;
    }
    let (rate, p99) = (total.per_second, units::latency(total.latency.at(0.99)));
    format!("{rate:.0}/s  p99 {p99}{failed}")
}

#[cfg(test)]
pub(crate) mod sample;
