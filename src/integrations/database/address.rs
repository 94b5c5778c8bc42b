//! What a URL stands for. Pure: nothing here looks at a disk, a socket or the environment.

use super::{Settings, mysql::address as mysql};
use crate::{probe::is_local, secret::Secret};
use sqlx::sqlite::SqliteConnectOptions;
use std::{
    path::{Path, PathBuf},
    str::FromStr as _,
};
use url::Url;

/// PostgreSQL's own default.
const PORT: u16 = 5432;
const ACCEPTED: &str = "postgres://, mysql://, mariadb:// and sqlite:// are accepted";
/// What is said of a URL that is none.
pub(super) const SHAPE: &str = "is not a URL; write # / ? @ in a password as %23 %2F %3F %40";
const SSL_MODES: [&str; 6] = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];
/// Schemes that may be quoted; any other could be part of a mistyped secret.
const FOREIGN: [&str; 13] = [
    "mysql+pymysql",
    "mssql",
    "sqlserver",
    "oracle",
    "mongodb",
    "redis",
    "http",
    "https",
    "file",
    "jdbc",
    "sqlite3",
    "postgresql+asyncpg",
    "postgresql+psycopg2",
];

/// Where the statements go.
pub(super) enum Place {
    /// A PostgreSQL server.
    Postgres(Server),
    /// A MySQL or MariaDB server.
    MySql(mysql::Server),
    /// A file of the user's.
    Sqlite(File),
    /// Nothing is configured, so a database of our own, in memory.
    Embedded,
}

/// A PostgreSQL server, as its URL names it.
pub(super) struct Server {
    /// The URL with only those parameters in it that the driver knows: of one
    /// it does not know, it would write the value into the log.
    pub(super) url: Secret,
    /// Where it listens.
    pub(super) host: Host,
    /// The port, also part of the name of a Unix socket.
    pub(super) port: u16,
    /// What the URL says after the host; the role's own database when empty.
    pub(super) database: String,
}

/// Where a server listens.
#[derive(Debug, PartialEq)]
pub(super) enum Host {
    /// A name or an address, without brackets.
    Tcp(String),
    /// The directory of a Unix socket.
    Unix(PathBuf),
}

/// An SQLite file, as its URL names it.
pub(super) struct File {
    /// Relative to the working directory unless absolute.
    pub(super) path: PathBuf,
    /// Whether the user says that it is only read: `?mode=ro`.
    pub(super) read_only: bool,
}

impl Place {
    /// What the settings name, or what is wrong with the URL.
    pub(super) fn of(settings: &Settings) -> Result<Self, String> {
        let Some(url) = settings.url.as_ref().map(Secret::expose) else {
            return Ok(Self::Embedded);
        };
        match url.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase()).as_deref() {
            Some("postgres" | "postgresql") => Server::of(url).map(Self::Postgres),
            Some("mysql" | "mariadb") => mysql::Server::of(url).map(Self::MySql),
            Some("sqlite") => File::of(url).map(Self::Sqlite),
            Some(scheme) if FOREIGN.contains(&scheme) => {
                Err(format!("{scheme}: is not a database it can ask; {ACCEPTED}"))
            }
            _ => Err(format!("does not begin with a scheme it knows; {ACCEPTED}")),
        }
    }

    /// Whether it is on this machine.
    pub(super) fn is_local(&self) -> bool {
        match self {
            Self::Postgres(server) => server.is_local(),
            Self::MySql(server) => server.is_local(),
            Self::Sqlite(_) | Self::Embedded => true,
        }
    }

    /// What to call it: no credential in it.
    pub(super) fn label(&self) -> String {
        match self {
            Self::Postgres(server) if server.database.is_empty() => server.peer(),
            Self::Postgres(server) => format!("{}/{}", server.peer(), server.database),
            Self::MySql(server) => server.label(),
            Self::Sqlite(file) => file.path.display().to_string(),
            Self::Embedded => "embedded SQLite".into(),
        }
    }
}

impl Server {
    fn of(text: &str) -> Result<Self, String> {
        // `role@/database?host=/socket` is common and right, but no URL.
        let hostless = text.replacen("@/", "@socket/", 1);
        let mut url = Url::parse(&hostless).map_err(|_| SHAPE.to_owned())?;
        if url.fragment().is_some() {
            return Err(SHAPE.into());
        }
        let given = |name: &str| {
            url.query_pairs().filter(|(key, _)| key == name).last().map(|(_, v)| v.into_owned())
        };
        let host = given("hostaddr").or_else(|| given("host"));
        let named = (hostless == text).then(|| url.host_str().map(decoded)).flatten();
        let host = match host.or(named) {
            None => return Err("names no host; for a Unix socket add ?host=/run/postgresql".into()),
            Some(path) if path.starts_with('/') => Host::Unix(path.into()),
            Some(name) => Host::Tcp(name.trim_matches(['[', ']']).to_owned()),
        };
        let port = match given("port").map(|port| port.parse()) {
            None => url.port().unwrap_or(PORT),
            Some(Ok(port)) => port,
            Some(Err(_)) => return Err("has a port that is not a number up to 65535".into()),
        };
        if let Some(mode) = given("sslmode").or_else(|| given("ssl-mode"))
            && !SSL_MODES.contains(&mode.to_ascii_lowercase().as_str())
        {
            return Err(format!("has an unknown sslmode; {} are accepted", SSL_MODES.join(", ")));
        }
        let path = decoded(url.path().trim_start_matches('/'));
        let database = given("dbname").unwrap_or(path);
        keep_known_parameters(&mut url);
        Ok(Self { url: Secret::new(url), host, port, database })
    }

    /// Whether it is on this machine.
    pub(super) fn is_local(&self) -> bool {
        match &self.host {
            Host::Tcp(host) => is_local(host),
            Host::Unix(_) => true,
        }
    }

    /// `host:port`, or the path of the Unix socket.
    pub(super) fn peer(&self) -> String {
        match &self.host {
            Host::Tcp(host) if host.contains(':') => format!("[{host}]:{}", self.port),
            Host::Tcp(host) => format!("{host}:{}", self.port),
            Host::Unix(directory) => self.socket(directory).display().to_string(),
        }
    }

    /// The password that the URL holds.
    pub(super) fn password(&self) -> Option<Secret> {
        let url = Url::parse(self.url.expose()).ok()?;
        let asked = url.query_pairs().filter(|(key, _)| key == "password").last();
        let asked = asked.map(|(_, password)| password.into_owned());
        asked.or_else(|| url.password().map(decoded)).map(Secret::new)
    }

    /// The Unix socket in `directory`.
    pub(super) fn socket(&self, directory: &Path) -> PathBuf {
        directory.join(format!(".s.PGSQL.{}", self.port))
    }
}

/// Other clients' parameters (`connect_timeout`, `channel_binding`, `schema`, …)
/// are common in a `DATABASE_URL` and mean nothing to the driver.
fn keep_known_parameters(url: &mut Url) {
    const KNOWN: [&str; 16] = [
        "sslmode",
        "ssl-mode",
        "sslrootcert",
        "ssl-root-cert",
        "ssl-ca",
        "sslcert",
        "ssl-cert",
        "sslkey",
        "ssl-key",
        "host",
        "hostaddr",
        "port",
        "dbname",
        "user",
        "password",
        "options",
    ];
    let known = |key: &str| KNOWN.contains(&key) || key.starts_with("options[");
    let pairs: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(key, _)| known(key))
        .map(|(k, v)| (k.into(), v.into()))
        .collect();
    url.set_query(None);
    if !pairs.is_empty() {
        url.query_pairs_mut().extend_pairs(pairs);
    }
}

impl File {
    fn of(url: &str) -> Result<Self, String> {
        let Ok(options) = SqliteConnectOptions::from_str(url) else {
            return Err("has a parameter that SQLite does not know; ?mode=ro is accepted".into());
        };
        let path = options.get_filename().to_owned();
        let query = url.split_once('?').map_or("", |(_, query)| query);
        let mode = url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "mode");
        let mode = mode.map(|(_, value)| value.into_owned()).unwrap_or_default();
        let in_memory = mode == "memory" || url.contains(":memory:");
        if in_memory || path.as_os_str().is_empty() {
            return Err("is an in-memory database, empty in every connection; \
                        name a file, or leave url out for the embedded one"
                .into());
        }
        Ok(Self { path, read_only: mode == "ro" })
    }
}

/// A percent-encoded part of a URL as it was meant.
pub(super) fn decoded(text: &str) -> String {
    // A query's rules differ only in `+`, which stands for itself elsewhere.
    let pair = format!("v={}", text.replace('+', "%2B").replace('&', "%26"));
    url::form_urlencoded::parse(pair.as_bytes()).next().map(|(_, v)| v.into()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(url: &str) -> Result<Place, String> {
        Place::of(&Settings { url: Some(Secret::new(url)), ..Settings::default() })
    }

    #[test]
    fn a_label_says_where_and_keeps_the_credentials() {
        let cases = [
            ("postgres://app:hunter2@db.example/shop", "db.example:5432/shop"),
            ("postgresql://db.example:6000", "db.example:6000"),
            ("POSTGRES://app@[::1]/shop", "[::1]:5432/shop"),
            ("postgres://app:hunter2@h/a%20b?sslmode=require", "h:5432/a b"),
            ("postgres:///shop?host=/run/pg&port=5433", "/run/pg/.s.PGSQL.5433/shop"),
            ("postgres://app@%2Frun%2Fpg/shop", "/run/pg/.s.PGSQL.5432/shop"),
            ("postgres://app:hunter2@/shop?host=/run/pg", "/run/pg/.s.PGSQL.5432/shop"),
            ("postgres://h/x?dbname=y&hostaddr=10.0.0.1", "10.0.0.1:5432/y"),
            ("sqlite:///var/lib/app.db", "/var/lib/app.db"),
            ("sqlite://data.db?mode=ro", "data.db"),
            ("sqlite:odd%20name.db", "odd name.db"),
        ];
        for (url, label) in cases {
            assert_eq!(place(url).ok().unwrap().label(), label, "{url}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_without_the_urls_own_text() {
        let cases = [
            ("mssql://u:hunter2@h/d", "mssql: is not"),
            ("postgresql+asyncpg://u:hunter2@h/d", "postgresql+asyncpg: is not"),
            ("hunter2:x", "scheme it knows"),
            ("hunter2", "scheme it knows"),
            ("postgres://u:hunter2#x@h/d", "%23"),
            ("postgres://u:hun/ter2@h/d", "%2F"),
            ("postgres:///shop", "names no host"),
            ("postgres://app@/shop", "names no host"),
            ("postgres://h/d?port=hunter2", "port"),
            ("postgres://h/d?sslmode=hunter2", "verify-full are accepted"),
            ("sqlite::memory:", "in-memory"),
            ("sqlite://?mode=memory", "in-memory"),
            ("sqlite://x.db?mode=memory", "in-memory"),
            ("sqlite:", "in-memory"),
            ("sqlite://x.db?hunter2=1", "mode=ro is accepted"),
        ];
        for (url, expected) in cases {
            let says = place(url).err().unwrap();
            assert!(says.contains(expected), "{url}: {says}");
            assert!(!says.contains("hunter2"), "{says}");
        }
    }

    #[test]
    fn parameters_of_other_clients_never_reach_the_driver() {
        let url = "postgres://u@h/d?sslmode=require&sslpassword=hunter2&options=-c%20a%3Db";
        let Ok(Place::Postgres(server)) = place(url) else { panic!("not a server") };
        assert_eq!(server.url.expose(), "postgres://u@h/d?sslmode=require&options=-c+a%3Db");
    }

    #[test]
    fn a_password_is_read_as_it_was_meant() {
        let cases = [
            ("postgres://u:a%2Fb+c@h/d", Some("a/b+c")),
            ("postgres://u:first@h/d?password=la%20st", Some("la st")),
            ("postgres://u@/d?host=/run/pg", None),
        ];
        for (url, expected) in cases {
            let Ok(Place::Postgres(server)) = place(url) else { panic!("not a server") };
            assert_eq!(server.password(), expected.map(Secret::new), "{url}");
        }
    }

    #[test]
    fn only_the_user_can_say_that_a_file_is_read_only() {
        let read_only = |url| match place(url) {
            Ok(Place::Sqlite(file)) => file.read_only,
            Ok(Place::Postgres(_) | Place::MySql(_) | Place::Embedded) | Err(_) => {
                panic!("not a file")
            }
        };
        assert!(read_only("sqlite:///x.db?mode=ro"));
        assert!(!read_only("sqlite:///x.db") && !read_only("sqlite:///x.db?mode=rwc"));
    }
}
