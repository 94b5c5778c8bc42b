//! T-minus answers one question: may this go to production, and if not, why?
//!
//! In reading order: what is known ([`domain`]), what integrations are written
//! with ([`probe`]), the machine that runs them ([`engine`]), what it tells
//! Prometheus ([`contract`]).

pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod contract;
pub mod domain;
pub mod engine;
pub mod history;
pub mod integrations;
pub mod logging;
pub mod nearest;
pub mod perf;
pub mod probe;
pub mod runs;
pub mod secret;
pub mod start;
pub mod stats;
pub mod surface;
pub mod tui;
pub mod units;
