//! A record as text, for people and for programs. Pure.

mod csv;
mod human;

pub use csv::csv;
pub use human::human;

use crate::domain::perf::Record;

/// One JSON document: every figure in base units, by its name.
pub fn json(record: &Record) -> String {
    // Every key in it is a text, so it cannot fail.
    serde_json::to_string_pretty(record).unwrap_or_default() + "\n"
}

#[cfg(test)]
pub(crate) mod sample;
