//! The integrations against real servers, which the tests start themselves.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::panic,
    reason = "a test against real servers and real time"
)]

mod application;
mod database;
mod deploy;
mod history;
mod http;
mod load;
mod mariadb;
mod postgres;
mod prometheus;
mod redis;
mod shop;
mod sqlite;
mod support;
mod verdict;
