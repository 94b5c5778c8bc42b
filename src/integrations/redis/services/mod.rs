//! The services that applications build on Redis, one folder each: a trait, the
//! two back ends that keep its promises, and the cases that find out whether
//! they do.
//!
//! The check of a service runs the cases on the server; the tests run the very
//! same cases on both back ends, and on back ends that are broken on purpose.

pub(super) mod cache;
pub(super) mod lock;
pub(super) mod metrics;
pub(super) mod pubsub;
pub(super) mod queue;
pub(super) mod ratelimit;
pub(super) mod session;

mod case;
mod expiry;
mod fair;
mod judge;
mod left;
mod notices;
mod pace;
mod scene;
mod shelf;
mod token;

pub(super) use case::{
    Bench, Broken, Case, Held, KEEP_ALL, Needs, Ran, Upset, run_all, run_in_process,
};
pub(super) use fair::excused;
pub(super) use judge::{Service, Spared, lacking, spared, sum_up};
pub(super) use notices::{Notices, Told};
pub(super) use pace::Pace;
pub(super) use scene::{Commands, Scene};

use case::{Answer, Claim};
use expiry::{Expiry, Window, watched};
use fair::fairly;
use left::Left;
use shelf::Shelf;
use token::Token;
