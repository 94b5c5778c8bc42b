//! A cache in front of something slow, which one miss must not turn into many
//! calls.

mod cases;
mod memory;
mod read_through;
mod refresh;
mod server;

pub(crate) use cases::CASES;
pub(crate) use memory::InProcess;
pub(crate) use server::OnServer;

use super::{super::keys::Key, Answer, Left, Token};
use std::{fmt, time::Duration};

/// A cache whose loads are led.
///
/// Of all who want to load a value, in whatever process, one has the lead: it
/// loads and [`fill`](Self::fill)s. The others make do with what is there, or
/// wait. A leader that does not fill loses the lead when its lease is over, unless
/// it prolongs it, or when the value is invalidated; what it brings later is
/// refused, so that it cannot overwrite a newer value nor bring an old one back.
///
/// Times are relative and kept by the back end; none exceeds 60 s. Every error is
/// a [`Trouble`](super::super::trouble::Trouble), after which nothing is known of
/// the value. Dropping an answer leaves at most keys that expire.
pub(crate) trait Cache: Send + Sync {
    /// What is there. Answers also while writes are paused.
    fn look<'a>(&'a self, key: &'a Key) -> Answer<'a, Option<Entry>>;

    /// Takes the lead for `lease`, unless somebody has it or there is a value
    /// with more than `within` left.
    fn lead<'a>(&'a self, key: &'a Key, within: Duration, lease: Duration) -> Answer<'a, Bid>;

    /// Stores what was loaded and ends the lead, if `lead` still holds.
    fn fill<'a>(&'a self, key: &'a Key, lead: &'a Token, fresh: Fresh<'a>) -> Answer<'a, Fill>;

    /// Lets the leader, if `lead` still holds, have the lead for `lease` from now on.
    fn prolong<'a>(&'a self, key: &'a Key, lead: &'a Token, lease: Duration) -> Answer<'a, bool>;

    /// Ends the lead without a value, if `lead` still holds.
    fn give_up<'a>(&'a self, key: &'a Key, lead: &'a Token) -> Answer<'a, ()>;

    /// Removes the value, and ends the lead of whoever is loading it.
    fn invalidate<'a>(&'a self, key: &'a Key) -> Answer<'a, ()>;
}

/// What a cache knows of a key.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The value, or that there is none to be had.
    pub(crate) value: Option<Vec<u8>>,
    /// How long loading it takes.
    pub(crate) cost: Duration,
    /// How long it will be there.
    pub(crate) left: Left,
}

/// What was loaded, to be kept.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fresh<'a> {
    /// The value, or that there is none to be had.
    pub(crate) value: Option<&'a [u8]>,
    /// How long loading it takes.
    pub(crate) cost: Duration,
    /// For how long.
    pub(crate) keep: Duration,
}

/// How asking for the lead ended, and what was there then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bid {
    pub(crate) entry: Option<Entry>,
    pub(crate) lead: Lead,
}

/// Who loads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Lead {
    /// We do: fill it in with this.
    Ours(Token),
    /// Somebody else does, and has this long.
    Others(Duration),
    /// Nobody: what is there is good for longer.
    Needless,
}

/// What became of a fill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fill {
    /// The value is stored.
    Stored,
    /// The lead was lost; nothing was changed.
    Refused,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(value) => write!(f, "a value of {} bytes", value.len())?,
            None => f.write_str("known to be absent")?,
        }
        write!(f, ", cost {:.0?}, left {:.0?}", self.cost, self.left)
    }
}
