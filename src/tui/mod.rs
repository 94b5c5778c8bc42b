//! The console: keys in, cells out.
//!
//! ```text
//! keys, resizes ──▶ input ──┐                        ┌──▶ engine (commands)
//! snapshots ────────────────┼─▶ driver ──▶ update ───┤
//! the clock ────────────────┘     │      (the model) └──▶ suspend, quit
//!                                 ▼
//!                     view (model ──▶ cells) ──▶ screen ──▶ writer thread ──▶ terminal
//! ```
//!
//! [`Console`] takes the terminal and gives it back. Everything between the
//! driver and the screen is pure: [`model`], `update` and [`view`] know neither
//! a channel nor a clock, so that a test is an ordinary function call.

mod console;
mod driver;
mod filter;
mod glyphs;
mod input;
mod keymap;
pub mod model;
mod outlet;
mod past;
mod picture;
mod screen;
mod theme;
mod update;
pub mod view;
mod widget;
mod words;

pub use console::{Console, Options};
pub use driver::{Asides, Ended, Exit, Handles};
pub use glyphs::Glyphs;
pub use keymap::{KeyProblem, KeyRow, Keymap};
pub use outlet::{Incident, Outlet, Usage};
pub use picture::{Paper, Picture};
pub use screen::{Canvas, Sync};
pub use theme::{Depth, Look, Palette, Theme};

#[cfg(test)]
mod sample;
