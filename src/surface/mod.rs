//! What works without a terminal: one look with an exit code, its formats, the
//! list of checks and what each of them is, the exporter. Readers of a [`Handle`](crate::engine::Handle) and of snapshots, nothing else.

pub mod catalogue;
pub mod check;
pub mod diff;
pub mod doctor;
pub mod document;
pub mod explain;
pub mod exporter;
pub mod gate;
pub mod record;
pub mod report;
pub mod sampling;

#[cfg(test)]
mod sample;
