//! A lock that one holder has at a time, and that expires by itself.

mod cases;
mod hold;
mod memory;
mod server;

pub(crate) use cases::CASES;
pub(crate) use memory::InProcess;
pub(crate) use server::OnServer;

use super::{super::keys::Key, Answer, Left, Token};
use std::time::Duration;

/// What rounding to milliseconds costs at either end.
const GRAIN: Duration = Duration::from_millis(2);

/// A lock with a fence.
///
/// At most one token holds a key at a time, until it releases it or its time is
/// over. No lease is safe if its holder pauses longer than it lasts: so each
/// acquisition comes with a number greater than all before it, and what the lock
/// protects must refuse a number smaller than one it has seen, as
/// [`write`](Self::write) does.
///
/// Only the holder can extend and release. Extending and releasing must work on
/// a server that is out of memory, lest a held lock be lost when it matters.
///
/// Times are relative and kept by the back end; none exceeds 60 s, which is also
/// how long the fence is remembered after the last acquisition. Every error is a
/// [`Trouble`](super::super::trouble::Trouble), after which the holder must take
/// the lock for lost and may repeat the call with the same token. Dropping an
/// answer leaves at most keys that expire.
pub(crate) trait Lock: Send + Sync {
    /// Takes the lock for `ttl`. Its holder gets it again, with the same fence.
    fn acquire<'a>(&'a self, key: &'a Key, token: &'a Token, ttl: Duration)
    -> Answer<'a, Acquired>;

    /// Lets the holder hold it for `ttl` from now on.
    fn extend<'a>(&'a self, key: &'a Key, token: &'a Token, ttl: Duration) -> Answer<'a, Owner>;

    /// Gives it back.
    fn release<'a>(&'a self, key: &'a Key, token: &'a Token) -> Answer<'a, Owner>;

    /// How long after it was asked for a lock of `ttl` may be relied on here.
    ///
    /// Less than `ttl`, because clocks run at different speeds and round.
    fn trusted(&self, ttl: Duration) -> Duration {
        ttl.saturating_sub(ttl / 100 + GRAIN)
    }

    /// How long its fence is remembered.
    fn remembered<'a>(&'a self, key: &'a Key) -> Answer<'a, Left>;

    /// How long it is held.
    fn left<'a>(&'a self, key: &'a Key) -> Answer<'a, Left>;

    /// Writes to what the lock protects, under the number that came with it.
    fn write<'a>(
        &'a self,
        key: &'a Key,
        fence: u64,
        value: &'a [u8],
        ttl: Duration,
    ) -> Answer<'a, Written>;
}

/// How an acquisition ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Acquired {
    /// The lock is held, under this number.
    Held {
        /// Greater than that of every earlier holder.
        fence: u64,
    },
    /// Somebody else has it.
    Busy {
        /// For how long at most.
        left: Duration,
    },
}

/// Who asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// The holder; it is done.
    Yes,
    /// Somebody else, or the lock had expired; nothing was changed.
    No,
}

/// What became of a guarded write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// It is written.
    Accepted,
    /// A later holder has written before; nothing was changed.
    Refused,
}
