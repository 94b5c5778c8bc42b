use crate::{
    integrations::database::address::{Host, SHAPE, decoded},
    probe::is_local,
    secret::Secret,
};
use url::Url;

/// MySQL's own default.
const PORT: u16 = 3306;
const SSL_MODES: [&str; 5] = ["disabled", "preferred", "required", "verify_ca", "verify_identity"];
/// What the driver is told out of the URL. Everything else, the character set
/// among it, is ours to say, or means nothing to it.
const KNOWN: [&str; 9] = [
    "sslmode", "ssl-mode", "sslca", "ssl-ca", "sslcert", "ssl-cert", "sslkey", "ssl-key", "socket",
];

/// A MySQL or MariaDB server, as its URL names it.
pub(in super::super) struct Server {
    /// The URL with only those parameters in it that the driver knows.
    pub(in super::super) url: Secret,
    /// Where it listens.
    pub(in super::super) host: Host,
    /// The port.
    pub(in super::super) port: u16,
    /// What the URL says after the host; none when empty.
    pub(in super::super) database: String,
}

impl Server {
    /// What `text` names, or what is wrong with it.
    pub(in super::super) fn of(text: &str) -> Result<Self, String> {
        let mut url = Url::parse(text).map_err(|_| SHAPE.to_owned())?;
        if url.fragment().is_some() {
            return Err(SHAPE.into());
        }
        let given = |names: &[&str]| {
            let pairs = url.query_pairs().filter(|(key, _)| names.contains(&key.as_ref()));
            pairs.last().map(|(_, value)| value.into_owned())
        };
        if let Some(mode) = given(&["sslmode", "ssl-mode"])
            && !SSL_MODES.contains(&mode.to_ascii_lowercase().as_str())
        {
            return Err(format!("has an unknown ssl-mode; {} are accepted", SSL_MODES.join(", ")));
        }
        let named = url.host_str().filter(|host| !host.is_empty()).map(decoded);
        let host = match (given(&["socket"]), named) {
            (Some(path), _) => Host::Unix(path.into()),
            (None, Some(name)) => Host::Tcp(name.trim_matches(['[', ']']).to_owned()),
            (None, None) => {
                return Err(
                    "names no host; for a Unix socket add ?socket=/run/mysqld/mysqld.sock".into()
                );
            }
        };
        let port = url.port().unwrap_or(PORT);
        let database = decoded(url.path().trim_start_matches('/'));
        let pairs = url.query_pairs().filter(|(key, _)| KNOWN.contains(&key.as_ref()));
        let pairs: Vec<(String, String)> = pairs.map(|(k, v)| (k.into(), v.into())).collect();
        url.set_query(None);
        if !pairs.is_empty() {
            url.query_pairs_mut().extend_pairs(pairs);
        }
        Ok(Self { url: Secret::new(url), host, port, database })
    }

    /// Whether it is on this machine.
    pub(in super::super) fn is_local(&self) -> bool {
        match &self.host {
            Host::Tcp(host) => is_local(host),
            Host::Unix(_) => true,
        }
    }

    /// `host:port`, or the path of the Unix socket.
    pub(in super::super) fn peer(&self) -> String {
        match &self.host {
            Host::Tcp(host) if host.contains(':') => format!("[{host}]:{}", self.port),
            Host::Tcp(host) => format!("{host}:{}", self.port),
            Host::Unix(socket) => socket.display().to_string(),
        }
    }

    /// What to call it: no credential in it.
    pub(in super::super) fn label(&self) -> String {
        match self.database.as_str() {
            "" => self.peer(),
            database => format!("{}/{database}", self.peer()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_says_where_and_keeps_the_credentials() {
        let cases = [
            ("mysql://app:hunter2@db.example/shop", "db.example:3306/shop", false),
            ("mariadb://db.example:3307", "db.example:3307", false),
            ("mysql://app@[::1]/shop", "[::1]:3306/shop", true),
            ("mysql://app:hunter2@127.0.0.1/a%20b?ssl-mode=REQUIRED", "127.0.0.1:3306/a b", true),
            ("mysql://app@localhost/shop?socket=/run/my.sock", "/run/my.sock/shop", true),
        ];
        for (url, label, local) in cases {
            let server = Server::of(url).unwrap();
            assert_eq!((server.label().as_str(), server.is_local()), (label, local), "{url}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_without_the_urls_own_text() {
        let cases = [
            ("mysql://u:hunter2#x@h/d", "%23"),
            ("mysql://u:hun/ter2@h/d", "%2F"),
            ("mysql:///shop", "names no host"),
            ("mysql://h/d?ssl-mode=hunter2", "verify_identity are accepted"),
        ];
        for (url, expected) in cases {
            let says = Server::of(url).err().unwrap();
            assert!(says.contains(expected) && !says.contains("hunter2"), "{url}: {says}");
        }
    }

    #[test]
    fn what_would_become_part_of_a_statement_never_reaches_the_driver() {
        let url = "mysql://u@h/d?charset=x;DROP&timezone=y&ssl-ca=/etc/ca.pem&password=hunter2";
        assert_eq!(Server::of(url).unwrap().url.expose(), "mysql://u@h/d?ssl-ca=%2Fetc%2Fca.pem");
    }
}
