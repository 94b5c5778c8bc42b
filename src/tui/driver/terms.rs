//! What a console is given, and how it ends.

use super::Asides;
use crate::{
    domain::Word,
    engine::Handle,
    perf::LabHandle,
    tui::{keymap::Keymap, outlet::Outlet, picture::Picture, theme::Look},
};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// How the console ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exit {
    /// The verdict that was shown last.
    pub verdict: Word,
    /// The deciding rule in a clause.
    pub reason: String,
    /// Why it ended.
    pub ended: Ended,
    /// The last picture, if the user wants it left behind.
    pub picture: Option<Picture>,
}

/// Why the console ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The user left.
    Quit,
    /// It was told to stop.
    Stopped,
    /// There is no terminal any more.
    TerminalGone,
}

/// What ends the console from outside.
#[derive(Clone, Debug, Default)]
pub(in crate::tui) struct Ends {
    /// Somebody wants it to stop.
    pub(in crate::tui) stop: CancellationToken,
    /// The terminal is gone.
    pub(in crate::tui) gone: CancellationToken,
}

/// Whom the console hears and tells: each does its work elsewhere, but for the user.
#[derive(Clone, Debug)]
pub struct Handles {
    /// The engine.
    pub engine: Handle,
    /// Whoever runs the performance tests.
    pub lab: LabHandle,
    /// Who sits in front of it.
    pub user: Option<String>,
    /// Where what leaves the screen goes.
    pub outlet: Arc<dyn Outlet>,
    /// Which keys do what.
    pub keys: Arc<Keymap>,
}

/// How it looks, and what is said besides.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::tui) struct Shown {
    pub(in crate::tui) look: Look,
    pub(in crate::tui) asides: Asides,
}
