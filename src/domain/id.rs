use serde::{Deserialize, Serialize};
use std::{fmt, sync::Arc};

/// Names one watched integration for its whole life: `redis`, or
/// `redis/sessions` where several of a kind are configured.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IntegrationId(Arc<str>);

/// Names one check: its integration, a dot, its own name: `redis.lock`,
/// `redis/sessions.lock`. Stable once released.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CheckId(Arc<str>);

/// Why a text cannot name anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadId(String);

impl fmt::Display for BadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is not a name: lower-case letters, digits, - and _ only", self.0)
    }
}

impl std::error::Error for BadId {}

impl IntegrationId {
    /// The only, or unnamed, instance of `kind`.
    pub fn new(kind: &str) -> Result<Self, BadId> {
        if is_word(kind) { Ok(Self(kind.into())) } else { Err(BadId(kind.into())) }
    }

    /// The instance of `kind` that the user calls `name`.
    pub fn named(kind: &str, name: &str) -> Result<Self, BadId> {
        if is_word(kind) && is_word(name) {
            Ok(Self(format!("{kind}/{name}").into()))
        } else {
            Err(BadId(format!("{kind}/{name}")))
        }
    }

    /// What it is an instance of: `redis` of `redis/sessions`.
    pub fn kind(&self) -> &str {
        self.0.split_once('/').map_or(&*self.0, |(kind, _)| kind)
    }

    /// What the user calls it, where there are several of its kind.
    pub fn name(&self) -> Option<&str> {
        self.0.split_once('/').map(|(_, name)| name)
    }

    /// The id of its check `name`.
    pub fn check(&self, name: &str) -> CheckId {
        CheckId(format!("{}.{name}", self.0).into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl CheckId {
    /// The integration that it belongs to.
    pub fn integration(&self) -> IntegrationId {
        IntegrationId(self.split().0.into())
    }

    /// Its own name, without the integration.
    pub fn name(&self) -> &str {
        self.split().1
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn split(&self) -> (&str, &str) {
        self.0.split_once('.').unwrap_or((&self.0, ""))
    }
}

fn is_word(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    !text.is_empty() && text.len() <= 40 && text.chars().all(fits)
}

impl TryFrom<String> for IntegrationId {
    type Error = BadId;

    fn try_from(text: String) -> Result<Self, BadId> {
        match text.split_once('/') {
            None => Self::new(&text),
            Some((kind, name)) => Self::named(kind, name),
        }
    }
}

impl TryFrom<String> for CheckId {
    type Error = BadId;

    fn try_from(text: String) -> Result<Self, BadId> {
        let Some((integration, name)) = text.split_once('.') else { return Err(BadId(text)) };
        let integration = IntegrationId::try_from(integration.to_owned())?;
        if is_word(name) { Ok(integration.check(name)) } else { Err(BadId(text)) }
    }
}

impl From<IntegrationId> for String {
    fn from(id: IntegrationId) -> Self {
        id.0.as_ref().into()
    }
}

impl From<CheckId> for String {
    fn from(id: CheckId) -> Self {
        id.0.as_ref().into()
    }
}

impl fmt::Display for IntegrationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for CheckId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_falls_apart_into_what_it_was_made_of() {
        let id = IntegrationId::named("redis", "sessions").unwrap().check("lock");
        assert_eq!(id.as_str(), "redis/sessions.lock");
        assert_eq!((id.integration().kind(), id.integration().name()), ("redis", Some("sessions")));
        assert_eq!(id.name(), "lock");
        assert_eq!(CheckId::try_from(id.to_string()), Ok(id));
    }

    #[test]
    fn what_could_be_mistaken_for_something_else_is_refused() {
        for bad in ["", "Redis", "a b", "a/b/c", "a.b", "\u{1b}[31m", "a/"] {
            assert!(IntegrationId::try_from(bad.to_owned()).is_err(), "{bad:?} was taken");
        }
        for bad in ["redis", "redis.", ".lock", "redis.lo ck"] {
            assert!(CheckId::try_from(bad.to_owned()).is_err(), "{bad:?} was taken");
        }
    }
}
