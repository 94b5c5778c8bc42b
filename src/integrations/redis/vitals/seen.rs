use super::Skew;
use crate::integrations::redis::{info::Info, settings::Duty};
use jiff::civil::Date;
use std::{collections::HashMap, time::Duration};
use tokio::time::Instant;

/// Everything that one look at an instance saw. What is `None` could not be seen.
#[derive(Clone, Debug)]
pub(in crate::integrations::redis) struct Seen {
    pub(in crate::integrations::redis) info: Info,
    pub(in crate::integrations::redis) at: Instant,
    pub(in crate::integrations::redis) today: Date,
    pub(in crate::integrations::redis) skew: Skew,
    /// What the server is for.
    pub(in crate::integrations::redis) duties: Vec<Duty>,
    pub(in crate::integrations::redis) way: Way,
    /// Whether an application counts on being told of keys that end.
    pub(in crate::integrations::redis) key_events: bool,
    /// What a service found out about keys that have ended, and whether that is well.
    pub(in crate::integrations::redis) lingering: Option<Result<String, String>>,
    /// Its settings, by name.
    pub(in crate::integrations::redis) config: Option<HashMap<String, String>>,
    /// The newest entries of its slow log.
    pub(in crate::integrations::redis) slow: Option<Vec<Slow>>,
    /// Error replies that were ours, by code.
    pub(in crate::integrations::redis) ours: HashMap<String, u64>,
}

/// How we got at the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::integrations::redis) struct Way {
    /// Whether it is this host.
    pub(in crate::integrations::redis) local: bool,
    pub(in crate::integrations::redis) tls: bool,
    /// Whether we gave a password.
    pub(in crate::integrations::redis) login: bool,
    pub(in crate::integrations::redis) database: i64,
}

/// A command that took long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::integrations::redis) struct Slow {
    pub(in crate::integrations::redis) id: i64,
    pub(in crate::integrations::redis) took: Duration,
    /// Its name, without what it was given.
    pub(in crate::integrations::redis) command: String,
    /// What its client calls itself.
    pub(in crate::integrations::redis) client: String,
}

impl Seen {
    /// One of the services that lose more than speed when a key goes.
    pub(super) fn keeps(&self) -> bool {
        [Duty::Lock, Duty::Queue, Duty::Session, Duty::Ratelimit]
            .iter()
            .any(|duty| self.duties.contains(duty))
    }

    /// One of the services whose loss outlasts a restart.
    pub(super) fn must_last(&self) -> bool {
        [Duty::Lock, Duty::Queue, Duty::Session].iter().any(|duty| self.duties.contains(duty))
    }

    /// One of the server's settings, if we may see them and it has it.
    pub(super) fn setting(&self, name: &str) -> Option<&str> {
        self.config.as_ref()?.get(name).map(String::as_str)
    }
}

#[cfg(test)]
impl Seen {
    /// A look that saw this and nothing else.
    pub(super) fn of(info: Info) -> Self {
        Self {
            info,
            at: Instant::now(),
            today: jiff::civil::date(2026, 11, 23),
            skew: Skew::default(),
            duties: Duty::ALL.to_vec(),
            way: Way { local: true, ..Way::default() },
            key_events: false,
            lingering: None,
            config: None,
            slow: None,
            ours: HashMap::new(),
        }
    }
}
