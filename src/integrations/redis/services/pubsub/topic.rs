//! Names of channels and patterns for them, all under one prefix of ours.

use super::super::super::keys::Keys;
use super::glob::matches;

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
    fn a_name_covers_itself_and_a_pattern_what_matches() {
        let channels = Channels::new(&Keys::new("pubsub"), "p1");
        let covers = |topic: &Topic, name| topic.covers(channels.channel(name).as_str());
        let (exact, pattern) = (channels.exactly("e*"), channels.like("e*"));
        assert!(covers(&exact, "e*") && !covers(&exact, "ee"));
        assert!(covers(&pattern, "e") && !covers(&pattern, "f"));
        assert!(pattern.is_pattern() && !exact.is_pattern());
    }
}
