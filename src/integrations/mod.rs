//! What the console knows how to watch, one folder each.

pub mod apis;
pub mod monitoring;
pub mod performance;
pub mod redis;
pub mod resilience;
