//! Where the requests go.

use crate::probe::is_local;
use reqwest::Url;

/// Where requests go, taken apart once.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Address {
    /// Without the brackets of an IPv6 address.
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) tls: bool,
    /// What a request asks for: path and query.
    pub(super) path: String,
    /// What it calls the server.
    pub(super) authority: String,
    /// User and password, as a request gives them.
    pub(super) credentials: Option<String>,
}

impl Address {
    /// Reads a URL.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        // Not quoted: it may hold a password.
        let wanted = || "the address is not http:// or https:// with a host".to_owned();
        let url = Url::parse(text).map_err(|_| wanted())?;
        let (tls, bracketed) = match (url.scheme(), url.host_str()) {
            ("http", Some(host)) if !host.is_empty() => (false, host),
            ("https", Some(host)) if !host.is_empty() => (true, host),
            _ => return Err(wanted()),
        };
        let authority = match url.port() {
            Some(port) => format!("{bracketed}:{port}"),
            None => bracketed.to_owned(),
        };
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        Ok(Self {
            host: bracketed.trim_start_matches('[').trim_end_matches(']').to_owned(),
            port: url.port_or_known_default().unwrap_or(80),
            tls,
            path: format!("{}{query}", url.path()),
            authority,
            credentials: credentials(&url),
        })
    }

    /// For people: without user, password and query.
    pub(super) fn name(&self) -> String {
        let (scheme, path) = (if self.tls { "https" } else { "http" }, self.path.split('?').next());
        format!("{scheme}://{}{}", self.authority, path.unwrap_or_default())
    }

    /// Host and port, for people.
    pub(super) fn peer(&self) -> &str {
        &self.authority
    }

    pub(super) fn is_local(&self) -> bool {
        is_local(&self.host)
    }

    /// Whether both lead to the same server.
    pub(super) fn same_server(&self, other: &Self) -> bool {
        (&self.host, self.port) == (&other.host, other.port)
    }
}

fn credentials(url: &Url) -> Option<String> {
    let (user, password) = (url.username(), url.password().unwrap_or_default());
    let both = [user.as_bytes(), b":", password.as_bytes()].concat();
    (both.len() > 1).then(|| format!("Basic {}", base64(&decoded(&both))))
}

/// What `%41` stands for.
fn decoded(text: &[u8]) -> Vec<u8> {
    let hex = |at: usize| text.get(at).and_then(|digit| char::from(*digit).to_digit(16));
    let (mut bytes, mut at) = (Vec::new(), 0);
    while let Some(byte) = text.get(at) {
        if let (b'%', Some(high), Some(low)) = (byte, hex(at + 1), hex(at + 2)) {
            bytes.push(u8::try_from(high * 16 + low).unwrap_or(b'%'));
            at += 3;
        } else {
            bytes.push(*byte);
            at += 1;
        }
    }
    bytes
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for part in bytes.chunks(3) {
        let byte = |at: usize| part.get(at).copied().map_or(0, u32::from);
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..4 {
            let place = usize::try_from(bits >> (18 - 6 * digit) & 63).unwrap_or(0);
            text.push(if digit > part.len() { '=' } else { char::from(DIGITS[place]) });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_apart_and_named_without_secrets() {
        let address = Address::parse("https://me:p%40w@[::1]:8443/a b?key=x#part").unwrap();
        assert_eq!((&*address.host, address.port, address.tls), ("::1", 8443, true));
        assert_eq!((&*address.path, &*address.authority), ("/a%20b?key=x", "[::1]:8443"));
        assert_eq!(address.name(), "https://[::1]:8443/a%20b");
        assert_eq!(address.credentials.as_deref(), Some("Basic bWU6cEB3"), "me:p@w");
        assert!(address.is_local());
        let plain = Address::parse("http://app.example").unwrap();
        assert_eq!((plain.port, &*plain.path, plain.credentials.as_deref()), (80, "/", None));
        assert!(!plain.is_local());
        let other = Address::parse("http://APP.example:80/other").unwrap();
        assert!(plain.same_server(&other) && !plain.same_server(&address));
    }

    #[test]
    fn what_is_no_address_is_refused_without_quoting_it() {
        for bad in ["", "app:8080", "ftp://app", "http://", "/path", "htp://me:hunter2@app"] {
            let says = Address::parse(bad).err().unwrap();
            assert!(!says.contains("hunter2") && says.contains("http://"), "{bad}");
        }
    }

    /// The vectors of RFC 4648.
    #[test]
    fn base64_is_that_of_the_rfc() {
        let vectors = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ];
        for (plain, expected) in vectors {
            assert_eq!(base64(plain.as_bytes()), expected);
        }
        assert_eq!(base64(&[0xfb, 0xff]), "+/8=");
        assert_eq!(decoded(b"%4a%zz%"), b"J%zz%");
    }
}
