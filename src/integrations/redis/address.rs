use crate::secret::Secret;
use redis::{ConnectionAddr, IntoConnectionInfo as _};
use std::{fmt, path::PathBuf};

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
    Tcp {
        host: String,
        port: u16,
    },
    Tls {
        host: String,
        port: u16,
    },
    Unix(PathBuf),
    /// Whatever server the sentinels call master under this name.
    Master {
        name: String,
        encrypted: bool,
    },
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

    /// The same login somewhere else.
    pub(super) fn at(&self, place: Place) -> Self {
        Self { place, ..self.clone() }
    }

    /// The address without any credentials, for people.
    pub(super) fn name(&self) -> String {
        let database = self.database;
        match &self.place {
            Place::Tcp { .. } | Place::Tls { .. } | Place::Master { .. } => {
                format!("{}/{database}", self.place)
            }
            Place::Unix(_) if database == 0 => self.place.to_string(),
            Place::Unix(_) => format!("{} db {database}", self.place),
        }
    }
}

impl Place {
    /// A port, encrypted or not.
    pub(super) fn new(host: &str, port: u16, encrypted: bool) -> Self {
        let host = host.to_owned();
        if encrypted { Self::Tls { host, port } } else { Self::Tcp { host, port } }
    }

    /// Host and port, where it has them.
    pub(super) fn port(&self) -> Option<(&str, u16)> {
        match self {
            Self::Tcp { host, port } | Self::Tls { host, port } => Some((host, *port)),
            Self::Unix(_) | Self::Master { .. } => None,
        }
    }

    /// The host to judge locality by; for a socket its path.
    pub(super) fn host(&self) -> String {
        match self {
            Self::Tcp { host, .. } | Self::Tls { host, .. } => host.clone(),
            Self::Unix(path) => path.display().to_string(),
            // It may be anywhere: known once it has been asked for.
            Self::Master { .. } => String::new(),
        }
    }

    /// Whether what is said there is encrypted.
    pub(super) fn is_encrypted(&self) -> bool {
        matches!(self, Self::Tls { .. } | Self::Master { encrypted: true, .. })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } | Self::Tls { host, port } => f.write_str(&at(host, *port)),
            Self::Unix(path) => write!(f, "{}", path.display()),
            Self::Master { name, .. } => f.write_str(name),
        }
    }
}

/// `host:port`, as people write it.
pub(super) fn at(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// Takes `host:port` apart; an IPv6 address stands in brackets.
pub(super) fn host_and_port(text: &str) -> Option<(String, u16)> {
    let (host, port) = text.rsplit_once(':')?;
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let host = bare.unwrap_or(host);
    let is_plain = !host.is_empty() && (bare.is_some() || !host.contains(':'));
    let is_plain = is_plain && !host.contains(['/', '@', ' ', '?', '#']);
    Some((host.to_owned(), port.parse().ok()?)).filter(|(_, port)| is_plain && *port > 0)
}

fn place(address: &ConnectionAddr) -> Result<Place, &'static str> {
    match address {
        ConnectionAddr::Tcp(host, _) | ConnectionAddr::TcpTls { host, .. } if host.is_empty() => {
            Err(SHAPE)
        }
        ConnectionAddr::Tcp(host, port) => Ok(Place::new(host, *port, false)),
        ConnectionAddr::TcpTls { insecure: true, .. } => Err(INSECURE),
        ConnectionAddr::TcpTls { host, port, .. } => Ok(Place::new(host, *port, true)),
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
            ("valkeys://db", "db:6379/0"),
            ("redis://[::1]:7000/1", "[::1]:7000/1"),
            ("unix:///run/redis.sock?db=2&pass=hunter2", "/run/redis.sock db 2"),
            ("redis+unix:///run/redis.sock", "/run/redis.sock"),
        ];
        for (url, name) in cases {
            assert_eq!(parse(url).unwrap().name(), name);
            let encrypted = url.starts_with("rediss:") || url.starts_with("valkeys:");
            assert_eq!(parse(url).unwrap().place.is_encrypted(), encrypted, "{url}");
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

    #[test]
    fn a_host_and_a_port_are_all_that_is_taken() {
        let of = |text| host_and_port(text).map(|(host, port)| at(&host, port));
        for fine in ["10.0.0.1:26379", "s-1.example.org:1", "[::1]:65535"] {
            assert_eq!(of(fine).as_deref(), Some(fine));
        }
        for bad in ["", "db", "db:", ":1", "db:0", "db:65536", "::1:1", "u:p@db:1", "redis://db:1"]
        {
            assert_eq!(of(bad), None, "{bad}");
        }
    }
}
