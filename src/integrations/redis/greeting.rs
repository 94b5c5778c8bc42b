//! What a server says about itself: `HELLO` and `ROLE`. Pure.

use super::reply::{fields, text};
use redis::Value;

/// What `HELLO` told, as far as the server knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Greeting {
    /// Version of the protocol spoken: 2 or 3.
    pub(super) protocol: u8,
    /// `redis`, `valkey`, …
    pub(super) product: Option<String>,
    pub(super) version: Option<String>,
    /// `standalone`, `cluster` or `sentinel`.
    pub(super) mode: Option<String>,
    /// `master` or `replica`.
    pub(super) role: Option<String>,
}

/// What `ROLE` told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Master {
        replicas: usize,
    },
    /// Of the master at this address; the link is `connected` when in order.
    Replica {
        master: String,
        link: String,
    },
    Sentinel,
    /// A word that we do not know; forks have some.
    Other(String),
}

impl Greeting {
    /// The greeting of a server that does not know `HELLO`.
    pub(super) fn unspoken() -> Self {
        Self { protocol: 2, ..Self::default() }
    }

    /// Whether the server does not know `HELLO`, and so told nothing of itself.
    pub(super) fn is_unspoken(&self) -> bool {
        *self == Self::unspoken()
    }

    /// Reads the answer to `HELLO 3`.
    pub(super) fn read(answer: &Value) -> Self {
        let mut greeting = Self { protocol: 3, ..Self::default() };
        for (name, value) in fields(answer) {
            let field = match name.as_str() {
                "server" => &mut greeting.product,
                "version" => &mut greeting.version,
                "mode" => &mut greeting.mode,
                "role" => &mut greeting.role,
                _ => continue,
            };
            *field = text(&value);
        }
        greeting
    }

    /// Product and version: `redis 7.0.15`, or as much as is known.
    pub(super) fn who(&self) -> String {
        let product = self.product.as_deref().unwrap_or("redis");
        match &self.version {
            Some(version) => format!("{product} {version}"),
            None => product.into(),
        }
    }

    /// The role as far as the greeting tells it, for a server that denies `ROLE`.
    pub(super) fn role(&self) -> Option<Role> {
        match (self.mode.as_deref(), self.role.as_deref()?) {
            (Some("sentinel"), _) => Some(Role::Sentinel),
            (_, "master") => Some(Role::Master { replicas: 0 }),
            (_, "replica" | "slave") => {
                Some(Role::Replica { master: "unknown".into(), link: "unknown".into() })
            }
            (_, other) => Some(Role::Other(other.into())),
        }
    }
}

impl Role {
    /// Reads the answer to `ROLE`.
    pub(super) fn read(answer: &Value) -> Option<Self> {
        let Value::Array(items) = answer else { return None };
        let at = |index: usize| items.get(index).and_then(text);
        Some(match at(0)?.as_str() {
            "master" => Self::Master {
                replicas: match items.get(2) {
                    Some(Value::Array(replicas)) => replicas.len(),
                    _ => 0,
                },
            },
            "slave" | "replica" => Self::Replica {
                master: format!("{}:{}", at(1).unwrap_or_default(), at(2).unwrap_or_default()),
                link: at(3).unwrap_or_else(|| "unknown".into()),
            },
            "sentinel" => Self::Sentinel,
            other => Self::Other(other.into()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bulk(text: &str) -> Value {
        Value::BulkString(text.into())
    }

    #[test]
    fn a_greeting_is_read_by_name_and_not_by_place() {
        let answer = Value::Map(vec![
            (bulk("proto"), Value::Int(3)),
            (bulk("role"), bulk("master")),
            (bulk("server"), bulk("valkey")),
            (bulk("availability_zone"), bulk("")),
            (bulk("version"), bulk("9.1.3")),
            (bulk("modules"), Value::Array(vec![])),
        ]);
        let greeting = Greeting::read(&answer);
        assert_eq!(greeting.who(), "valkey 9.1.3");
        assert_eq!(greeting.role(), Some(Role::Master { replicas: 0 }));
        assert_eq!(greeting.mode, None);
        assert_eq!(Greeting::unspoken().who(), "redis");
        assert_eq!(Greeting::unspoken().role(), None);
    }

    #[test]
    fn every_role_is_read() {
        let master = Value::Array(vec![
            bulk("master"),
            Value::Int(0),
            Value::Array(vec![Value::Nil, Value::Nil]),
        ]);
        assert_eq!(Role::read(&master), Some(Role::Master { replicas: 2 }));
        let replica = Value::Array(vec![
            bulk("slave"),
            bulk("10.0.0.7"),
            Value::Int(6379),
            bulk("connect"),
            Value::Int(-1),
        ]);
        let expected = Role::Replica { master: "10.0.0.7:6379".into(), link: "connect".into() };
        assert_eq!(Role::read(&replica), Some(expected));
        assert_eq!(Role::read(&Value::Array(vec![bulk("sentinel")])), Some(Role::Sentinel));
        let strange = Role::read(&Value::Array(vec![bulk("active-replica")]));
        assert_eq!(strange, Some(Role::Other("active-replica".into())));
        assert_eq!(Role::read(&Value::Okay), None);
    }
}
