//! What a compose file says about servers that we know.

use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// One service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Service {
    /// What it is called there.
    pub(super) name: String,
    /// What it is, if we know it.
    pub(super) kind: Option<Kind>,
    /// The port of this host that leads to it.
    pub(super) port: Option<u16>,
    /// The user that it begins with.
    pub(super) user: Named,
    /// The database that it begins with.
    pub(super) database: Named,
    /// Whether it wants a password.
    pub(super) password: bool,
}

/// What something is called there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// Nothing is said: as is usual.
    AsUsual,
    /// So.
    So(String),
    /// By something that is filled in, or that cannot stand in an address as it is.
    Unclear,
}

/// Servers that we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Redis,
    Postgres,
    MySql,
    Prometheus,
}

#[derive(Deserialize)]
struct Compose {
    services: BTreeMap<String, Described>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Described {
    image: Option<String>,
    ports: Value,
    environment: Value,
    command: Value,
}

/// The services of a file; `None` if it is no compose file.
pub(super) fn read(text: &str) -> Option<Vec<Service>> {
    let compose: Compose = serde_saphyr::from_str(text).ok()?;
    Some(compose.services.into_iter().map(service).collect())
}

fn service((name, described): (String, Described)) -> Service {
    let Described { image, ports, environment, command } = described;
    let kind = image.as_deref().and_then(kind);
    let named = |names: [&str; 3]| match names.iter().find_map(|name| variable(&environment, name))
    {
        None => Named::AsUsual,
        Some(name) if is_word(&name) => Named::So(name),
        Some(_) => Named::Unclear,
    };
    Service {
        name,
        kind,
        port: ports.as_array().into_iter().flatten().find_map(published),
        user: named(["POSTGRES_USER", "MYSQL_USER", "MARIADB_USER"]),
        database: named(["POSTGRES_DB", "MYSQL_DATABASE", "MARIADB_DATABASE"]),
        password: kind != Some(Kind::Redis) || command.to_string().contains("requirepass"),
    }
}

fn kind(image: &str) -> Option<Kind> {
    let name = image.rsplit('/').next()?.split([':', '@']).next()?;
    match name {
        "redis" | "valkey" | "redis-stack" | "redis-stack-server" => Some(Kind::Redis),
        "postgres" | "postgresql" | "postgis" | "timescaledb" | "pgvector" => Some(Kind::Postgres),
        "mysql" | "mariadb" | "mysql-server" => Some(Kind::MySql),
        "prometheus" => Some(Kind::Prometheus),
        _ => None,
    }
}

/// The port of the host in `8080:80`, `127.0.0.1:8080:80/tcp` or `published: 8080`.
fn published(port: &Value) -> Option<u16> {
    let of = |value: &Value| match value {
        Value::Number(number) => number.as_u64().and_then(|port| u16::try_from(port).ok()),
        Value::String(text) => text.parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    match port {
        Value::Object(port) => port.get("published").and_then(of),
        Value::String(text) => {
            let mut parts = text.split('/').next()?.rsplit(':').skip(1);
            parts.next()?.parse().ok()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => None,
    }
}

/// A variable, written as a table or as a list of `NAME=value`.
fn variable(environment: &Value, name: &str) -> Option<String> {
    match environment {
        Value::Object(table) => table.get(name)?.as_str().map(str::to_owned),
        Value::Array(list) => list.iter().filter_map(Value::as_str).find_map(|line| {
            line.split_once('=').filter(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

/// Whether it can stand in an address as it is.
fn is_word(text: &str) -> bool {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    (1..=60).contains(&text.len()) && text.chars().all(part)
}
