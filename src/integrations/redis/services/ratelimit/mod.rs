//! A limit on how many calls get through in any stretch of time.

mod cases;
mod memory;
mod oracle;
mod server;

pub(crate) use cases::CASES;
pub(crate) use memory::InProcess;
pub(crate) use server::OnServer;

use super::{super::keys::Key, Answer, Left};
use std::{sync::Arc, time::Duration};

/// A sliding-window rate limit, kept as a log of the calls let through.
///
/// Whatever window is looked at, of the given length and wherever it begins, no
/// more calls get through in it than the rate allows, and no fewer if they were
/// asked for. A call counts from the moment it was let through until exactly one
/// window later. All who use a key share its limit; other keys have their own.
///
/// A refused call costs nothing: it is not counted, writes nothing and does not
/// put off the next one. Limiting goes on when a server is out of memory, since
/// that is when it is needed most; the log then grows by what is let through.
///
/// Times are the back end's own, in whole milliseconds up to 60 s; the log holds
/// one entry for each call let through, which suits rates up to some 1000 calls.
/// Every error is a [`Trouble`](super::super::trouble::Trouble), after which the
/// call may have been counted; whether it then passes is for the caller to
/// decide. Dropping an answer leaves at most a key that expires.
pub(crate) trait RateLimit: Send + Sync {
    /// Asks to let `calls` through: all of them or none. To ask for none is to
    /// look, and counts as nothing.
    fn ask<'a>(&'a self, key: &'a Key, calls: usize, rate: Rate) -> Answer<'a, Ruling>;

    /// How long it takes until nothing counts any more.
    fn left<'a>(&'a self, key: &'a Key) -> Answer<'a, Left>;

    /// Another client of the same limits, as another process would have it.
    fn peer(&self) -> Arc<dyn RateLimit>;
}

/// How much may get through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate {
    /// So many calls
    pub(crate) calls: usize,
    /// in any window of this length.
    pub(crate) window: Duration,
}

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ruling {
    /// It got through.
    Admitted {
        /// How many more would get through now.
        remaining: usize,
    },
    /// It did not; nothing was changed.
    Refused {
        /// How many would get through now, fewer than were asked for.
        remaining: usize,
        /// When as many will get through, if no other call is before them.
        retry_after: Duration,
    },
    /// It asked for more than the rate ever allows; nothing was changed.
    Never,
}
