//! Performance tests: what one is, how far it is, and what it found. Plain data.

mod board;
mod offer;
mod progress;
mod record;
mod seconds;

pub use board::{Board, Entry, Order, Running};
pub use offer::{Offer, Refusal};
pub use progress::{Bar, Brief, Phase, Progress};
pub use record::{
    Arrivals, Ended, Generator, Kept, Latency, Load, Operation, Quantile, Record, Second, VERSION,
};
