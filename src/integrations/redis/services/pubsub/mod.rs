//! Publishing and subscribing, by name and by pattern.

mod cases;
mod ends;
#[cfg(test)]
mod flawed;
mod frame;
mod glob;
mod inbox;
mod link;
mod memory;
mod server;
mod supervisor;
mod topic;

pub(crate) use cases::CASES;
pub(crate) use ends::ENDS;
pub(crate) use memory::InProcess;
pub(crate) use server::OnServer;
pub(crate) use topic::{Channel, Channels, Topic};

use super::{super::keys::Key, Answer, Told};
use std::{fmt, time::Duration};

/// Messages to whoever listens now.
///
/// A message reaches each matching topic of each subscription at most once, and
/// once while its connection lasts and its consumer keeps up. The messages of
/// one publisher come in the order in which they were published, with their
/// bytes as they were, empty ones included. A subscription by name and by
/// pattern gets a message for each. Nothing is stored: whoever subscribes later
/// never sees it, and who needs that needs a stream.
///
/// No loss goes unsaid: wherever messages may be missing, a [`Gap`] stands in
/// their place. Publishing works on a server that is full, a replica or without
/// its replicas. Every error is a [`Trouble`](super::super::trouble::Trouble);
/// after one of `publish` the message may or may not have been sent.
pub(crate) trait PubSub: Send + Sync {
    /// Sends `payload` to everybody who listens to `channel`.
    fn publish<'a>(&'a self, channel: &'a Channel, payload: &'a [u8]) -> Answer<'a, Reached>;

    /// Listens to `topics`. Answers when every one of them is confirmed: what is
    /// published from then on is heard.
    fn subscribe<'a>(&'a self, topics: &'a [Topic]) -> Answer<'a, Box<dyn Subscription>>;

    /// Where the end of a key is announced, or why it cannot be heard here.
    fn end_of(&self, key: &Key, told: Told) -> Result<Topic, &'static str>;

    /// Stores something under `key` that ends after `life`.
    fn store<'a>(&'a self, key: &'a Key, life: Duration) -> Answer<'a, ()>;

    /// Looks at `key`, which takes it down if it has ended.
    fn look<'a>(&'a self, key: &'a Key) -> Answer<'a, ()>;
}

/// Topics that are listened to, until this is dropped.
///
/// A lost connection is made anew by itself, after 50 ms at first and 2 s at
/// last, and all topics with it. A silent one is noticed within 15 s. At most
/// 1024 messages and 4 MiB wait for the consumer; the oldest give way.
pub(crate) trait Subscription: Send + Sync {
    /// The confirmations, in the order in which they came.
    fn confirmed(&self) -> Vec<Confirmed>;

    /// What came next, or nothing within the time allowed. Dropping the answer
    /// loses no message.
    fn next(&self, within: Duration) -> Answer<'_, Option<Event>>;

    /// Stops listening to `topics`: once it answers, nothing more is heard of
    /// what is published to them.
    fn unsubscribe<'a>(&'a self, topics: &'a [Topic]) -> Answer<'a, ()>;

    /// Breaks the connection as a network does. The subscription has to mend it.
    fn cut(&self) -> Answer<'_, ()>;
}

/// Whom a message reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reached {
    /// This many topics, all that there are.
    All(u64),
    /// This many topics of the node asked; others of the cluster are not counted.
    Here(u64),
}

/// A topic that is listened to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Confirmed {
    /// Which.
    pub(crate) topic: Topic,
    /// How many the connection listens to, this one included.
    pub(crate) count: u64,
}

/// What a subscription tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// Somebody published.
    Message(Message),
    /// Messages may be missing here.
    Gap(Gap),
}

/// Why messages may be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gap {
    /// There was no connection for this long.
    Away(Duration),
    /// The consumer was too slow, and this many gave way.
    Overflow(u64),
}

/// What somebody published.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Message {
    /// Why it is heard.
    pub(crate) topic: Topic,
    /// Where it was published.
    pub(crate) channel: String,
    pub(crate) payload: Vec<u8>,
}

impl fmt::Debug for Message {
    /// Where and how much, and the beginning of what.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let begins = self.payload.get(..16).unwrap_or(&self.payload).escape_ascii();
        let (channel, bytes) = (&self.channel, self.payload.len());
        let by = if self.topic.is_pattern() { "by pattern" } else { "by name" };
        write!(f, "{by} on {channel}: {bytes} bytes {begins}")
    }
}
