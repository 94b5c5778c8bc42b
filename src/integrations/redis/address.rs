use crate::secret::Secret;
use redis::{ConnectionAddr, IntoConnectionInfo as _};
use std::path::PathBuf;

const SHAPE: &str = "is no address; it must be redis://[user:password@]host[:port][/db], \
    rediss://… for TLS or unix:///path, with special characters of a password percent-encoded";
const INSECURE: &str = "asks for TLS without verification; name the certificates with `ca` instead";

/// Where a server is, and as whom to talk to it.
#[derive(Clone, Debug)]
pub(super) struct Address {
    pub(super) place: Place,
    pub(super) user: Option<String>,
    pub(super) password: Option<Secret>,
    pub(super) database: i64,
}

/// What to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Tcp { host: String, port: u16 },
    Tls { host: String, port: u16 },
    Unix(PathBuf),
}

impl Address {
    /// Takes an address apart.
    ///
    /// # Errors
    ///
    /// What is wrong with it and what is accepted, quoting nothing of it.
    pub(super) fn parse(url: &Secret) -> Result<Self, &'static str> {
        let parsed = redis::parse_redis_url(url.expose()).ok_or(SHAPE)?;
        let found = parsed.into_connection_info().map_err(|_| SHAPE)?;
        let place = place(found.addr())?;
        let login = found.redis_settings();
        if login.db() < 0 {
            return Err(SHAPE);
        }
        Ok(Self {
            place,
            user: login.username().map(ToOwned::to_owned),
            password: login.password().map(Secret::new),
            database: login.db(),
        })
    }

    /// The address without any credentials, for people.
    pub(super) fn name(&self) -> String {
        let database = self.database;
        match &self.place {
            Place::Tcp { host, port } | Place::Tls { host, port } if host.contains(':') => {
                format!("[{host}]:{port}/{database}")
            }
            Place::Tcp { host, port } | Place::Tls { host, port } => {
                format!("{host}:{port}/{database}")
            }
            Place::Unix(path) if database == 0 => path.display().to_string(),
            Place::Unix(path) => format!("{} db {database}", path.display()),
        }
    }

    /// The host to judge locality by; for a socket its path.
    pub(super) fn host(&self) -> String {
        match &self.place {
            Place::Tcp { host, .. } | Place::Tls { host, .. } => host.clone(),
            Place::Unix(path) => path.display().to_string(),
        }
    }
}

fn place(address: &ConnectionAddr) -> Result<Place, &'static str> {
    match address {
        ConnectionAddr::Tcp(host, _) | ConnectionAddr::TcpTls { host, .. } if host.is_empty() => {
            Err(SHAPE)
        }
        ConnectionAddr::Tcp(host, port) => Ok(Place::Tcp { host: host.clone(), port: *port }),
        ConnectionAddr::TcpTls { insecure: true, .. } => Err(INSECURE),
        ConnectionAddr::TcpTls { host, port, .. } => {
            Ok(Place::Tls { host: host.clone(), port: *port })
        }
        ConnectionAddr::Unix(path) => Ok(Place::Unix(path.clone())),
        _ => Err(SHAPE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<Address, &'static str> {
        Address::parse(&Secret::new(url))
    }

    #[test]
    fn an_address_is_named_without_its_credentials() {
        let cases = [
            ("redis://127.0.0.1", "127.0.0.1:6379/0"),
            ("redis://app:hunter2@db:7000/3", "db:7000/3"),
            ("rediss://:hunter2@cache.example.org", "cache.example.org:6379/0"),
            ("valkey://db", "db:6379/0"),
            ("redis://[::1]:7000/1", "[::1]:7000/1"),
            ("unix:///run/redis.sock?db=2&pass=hunter2", "/run/redis.sock db 2"),
            ("redis+unix:///run/redis.sock", "/run/redis.sock"),
        ];
        for (url, name) in cases {
            assert_eq!(parse(url).unwrap().name(), name);
        }
    }

    #[test]
    fn credentials_are_decoded_and_cannot_print() {
        let address = parse("redis://app:p%40ss%2Fword@db").unwrap();
        assert_eq!(address.user.as_deref(), Some("app"));
        assert_eq!(address.password.as_ref().unwrap().expose(), "p@ss/word");
        assert!(!format!("{address:?}").contains("p@ss"));
    }

    #[test]
    fn what_is_no_address_is_refused_without_quoting_it() {
        for bad in [
            "",
            "localhost:6379",
            "http://db",
            "redis://",
            "redis://:hunter2@",
            "redis://:hun/ter2@db",
            "redis://db/one",
            "redis://db/-1",
            "redis://0.0.0.0",
            "rediss://db/#insecure",
        ] {
            let says = parse(bad).expect_err(bad);
            assert!(!says.contains("hun"), "{says}");
        }
    }
}
