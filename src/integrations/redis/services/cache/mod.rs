//! A cache in front of something slow, which one miss must not turn into many
//! calls.

mod cases;
mod memory;
mod read_through;
mod server;

pub(crate) use cases::CASES;
pub(crate) use memory::InProcess;
pub(crate) use server::OnServer;

use super::{super::keys::Key, Answer, Left, Token};
use std::{fmt, time::Duration};

/// A cache whose misses are led.
///
/// Of all who look for a missing value, in whatever process, one is told to
/// [`Lead`](Look::Lead): to load it and to [`fill`](Self::fill) it in. The others
/// wait. A leader that does not fill loses the lead when its lease is over, and
/// what it brings later is refused, so that it cannot overwrite a newer value.
///
/// Times are relative and kept by the back end; none exceeds 60 s. Every error is
/// a [`Trouble`](super::super::trouble::Trouble), after which nothing is known of
/// the value. Dropping an answer leaves at most keys that expire.
pub(crate) trait Cache: Send + Sync {
    /// Looks for a value, and takes the lead for `lease` if there is none and
    /// nobody else has it.
    fn look<'a>(&'a self, key: &'a Key, lease: Duration) -> Answer<'a, Look>;

    /// Stores a value for `ttl` and ends the lead, if `lead` still holds.
    fn fill<'a>(
        &'a self,
        key: &'a Key,
        lead: &'a Token,
        value: &'a [u8],
        ttl: Duration,
    ) -> Answer<'a, Fill>;

    /// How long the value will be there.
    fn left<'a>(&'a self, key: &'a Key) -> Answer<'a, Left>;
}

/// What a look found.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Look {
    /// The value.
    Hit(Vec<u8>),
    /// Nothing: load it, and fill it in with this.
    Lead(Token),
    /// Nothing yet: somebody is loading it, and has this long.
    Wait(Duration),
}

/// What became of a fill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fill {
    /// The value is stored.
    Stored,
    /// The lead was lost; nothing was changed.
    Refused,
}

impl fmt::Debug for Look {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hit(value) => write!(f, "a value of {} bytes", value.len()),
            Self::Lead(_) => f.write_str("nothing, and the lead"),
            Self::Wait(left) => write!(f, "nothing, somebody leads for {left:.0?}"),
        }
    }
}
