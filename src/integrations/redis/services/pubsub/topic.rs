//! Names of channels and patterns for them, all under one prefix of ours.

use super::super::super::keys::{Key, Keys};
use super::{super::Told, glob::matches};

/// The channels of one case of one run. Nothing else can make a [`Channel`] or
/// a [`Topic`], so that nobody else's channels are ever published to.
///
/// A channel reads `tminus:<run>:<case>:<name>`. Channels do not belong to a
/// numbered database: the prefix alone keeps runs apart.
#[derive(Clone, Debug)]
pub(crate) struct Channels(String);

/// A channel to publish to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Channel(String);

/// What to subscribe to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Topic {
    /// One channel, by its name.
    Channel(String),
    /// Every channel whose name matches, see [`matches()`].
    Pattern(String),
}

impl Channels {
    /// Those of `case` in the run that `keys` belong to.
    pub(crate) fn new(keys: &Keys, case: &str) -> Self {
        Self(format!("tminus:{}:{case}:", keys.run()))
    }

    /// The channel called `name`.
    pub(crate) fn channel(&self, name: &str) -> Channel {
        Channel(format!("{}{name}", self.0))
    }

    /// The channel called `name`, to subscribe to.
    pub(crate) fn exactly(&self, name: &str) -> Topic {
        Topic::Channel(format!("{}{name}", self.0))
    }

    /// Every channel of this case whose own name matches `glob`.
    pub(crate) fn like(&self, glob: &str) -> Topic {
        Topic::Pattern(format!("{}{glob}", self.0))
    }
}

impl Channel {
    /// The name as the server knows it.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Topic {
    /// Where a server announces the end of `key`, to subscribe to; `None` where it does not.
    pub(crate) fn of_end(key: &Key, database: i64, told: Told) -> Option<Self> {
        match told {
            Told::ByKey => Some(Self::Channel(format!("__keyspace@{database}__:{}", key.as_str()))),
            Told::ByEvent => Some(Self::Channel(format!("__keyevent@{database}__:expired"))),
            Told::Nowhere => None,
        }
    }

    /// The name or the pattern as the server knows it.
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Channel(name) | Self::Pattern(name) => name,
        }
    }

    /// Whether it is a pattern.
    pub(crate) fn is_pattern(&self) -> bool {
        matches!(self, Self::Pattern(_))
    }

    /// Whether what is published to `channel` belongs to it.
    pub(crate) fn covers(&self, channel: &str) -> bool {
        match self {
            Self::Channel(name) => name == channel,
            Self::Pattern(glob) => matches(glob.as_bytes(), channel.as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_of_this_run_and_case() {
        let keys = Keys::new("pubsub");
        let channels = Channels::new(&keys, "p1");
        let prefix = format!("tminus:{}:p1:", keys.run());
        assert_eq!(channels.channel("e").as_str(), format!("{prefix}e"));
        assert_eq!(channels.like("*").as_str(), format!("{prefix}*"));
        assert!(!prefix.contains(['*', '?', '[', '\\']), "a prefix is no pattern");
        let other = Channels::new(&Keys::new("pubsub"), "p1");
        assert!(!channels.like("*").covers(other.channel("e").as_str()));
    }

    #[test]
    fn the_end_of_a_key_is_announced_in_its_database() {
        let key = Keys::new("pubsub").key("p8");
        let of = |told| Topic::of_end(&key, 3, told).map(|topic| topic.as_str().to_owned());
        assert_eq!(of(Told::ByKey), Some(format!("__keyspace@3__:{}", key.as_str())));
        assert_eq!(of(Told::ByEvent).as_deref(), Some("__keyevent@3__:expired"));
        assert_eq!(of(Told::Nowhere), None);
    }

    #[test]
    fn a_name_covers_itself_and_a_pattern_what_matches() {
        let channels = Channels::new(&Keys::new("pubsub"), "p1");
        let covers = |topic: &Topic, name| topic.covers(channels.channel(name).as_str());
        let (exact, pattern) = (channels.exactly("e*"), channels.like("e*"));
        assert!(covers(&exact, "e*") && !covers(&exact, "ee"));
        assert!(covers(&pattern, "e") && !covers(&pattern, "f"));
        assert!(pattern.is_pattern() && !exact.is_pattern());
    }
}
