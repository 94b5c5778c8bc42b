//! Performance tests: what one is, how far it is, and what it found. Plain data.

mod against;
mod block;
mod board;
mod goal;
mod memory;
mod offer;
mod progress;
mod record;
mod scale;
mod seconds;

pub use against::{Against, Moved, Sway};
pub use block::Block;
pub use board::{Board, Entry, Order, Running};
pub use goal::{Goal, Judged};
pub use memory::{Floor, Jump, Leak, Memory, Room, Trend};
pub use offer::{Offer, Refusal};
pub use progress::{Bar, Brief, Phase, Progress};
pub use record::{
    Arrivals, Ended, Generator, Kept, Latency, Load, Operation, PATIENCE, Quantile, Record, Second,
    VERSION,
};
pub use scale::{Curve, Decline, Drift, Estimate, Fit, Scale, Slo, Step};
