//! Sessions that slide while they are used and end at last.

mod cases;
mod memory;
mod server;

pub(crate) use cases::{CASES, LINGERS, UNSEEN};
pub(crate) use memory::InProcess;
pub(crate) use server::OnServer;

use super::{super::keys::Key, Answer, Left};
use std::time::Duration;

/// A store of sessions.
///
/// A session ends when it was not used for its idle time, and at its absolute
/// end however much it is used. What has ended or was destroyed does not come
/// back: a save that comes too late changes nothing. No session is ever without
/// a time to live.
///
/// Times are relative and kept by the back end; none exceeds 60 s. Every error is
/// a [`Trouble`](super::super::trouble::Trouble), after which nothing is known of
/// the session. Dropping an answer leaves at most keys that expire.
pub(crate) trait Sessions: Send + Sync {
    /// Begins a session, unless there is one of this key.
    fn create<'a>(&'a self, key: &'a Key, data: &'a [u8], life: Life) -> Answer<'a, Created>;

    /// The session, if it has not ended. To load it is to use it.
    fn load<'a>(&'a self, key: &'a Key) -> Answer<'a, Option<Session>>;

    /// Replaces the data if nobody did since `version` was loaded. Not a use.
    fn save<'a>(&'a self, key: &'a Key, version: u64, data: &'a [u8]) -> Answer<'a, Saved>;

    /// Gives the session another key, as after a login: same data, same version,
    /// same end. The old key is gone at the same moment. Not a use.
    fn rotate<'a>(&'a self, from: &'a Key, to: &'a Key) -> Answer<'a, Rotated>;

    /// Ends the session now. Again, it does nothing.
    fn destroy<'a>(&'a self, key: &'a Key) -> Answer<'a, ()>;

    /// Begins sessions that nobody comes back to, for `life`, whatever was there before.
    fn leave<'a>(&'a self, keys: &'a [Key], life: Duration) -> Answer<'a, ()>;

    /// How many of `keys` take room, whether they have ended or not; `None` where the
    /// back end does not tell. Not a use, and no reason to take down what has ended.
    fn lingering<'a>(&'a self, keys: &'a [Key]) -> Answer<'a, Option<u64>>;

    /// How long it lives if it is not used. Not a use.
    fn left<'a>(&'a self, key: &'a Key) -> Answer<'a, Left>;
}

/// How long a session lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Life {
    /// After its last use.
    pub(crate) idle: Duration,
    /// After its beginning, however much it is used.
    pub(crate) absolute: Duration,
}

/// A session as loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    pub(crate) data: Vec<u8>,
    /// Grows by one with each save, from 1.
    pub(crate) version: u64,
}

/// How a beginning ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Created {
    /// It is there.
    Fresh,
    /// There was one already; it was not touched.
    Exists,
}

/// How a save ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Saved {
    /// The data was replaced.
    Stored,
    /// Somebody else has saved since; nothing was changed.
    Conflict,
    /// The session has ended; nothing was changed.
    Gone,
}

/// How a change of key ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rotated {
    /// It has the new key, and no other.
    Moved,
    /// There is a session of the new key; nothing was changed.
    Exists,
    /// The session has ended; nothing was changed.
    Gone,
}
