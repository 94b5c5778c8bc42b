//! What is asked, encoded once for all connections.

use super::address::Address;
use std::{fmt, sync::Arc};

/// Bytes of a body, at most.
const BODY: usize = 16 * 1024 * 1024;
/// Bytes of all fields together: more than any server takes.
const FIELDS: usize = 64 * 1024;
/// Fields that frame the request, and how they are asked for.
const FRAMING: [(&str, &str); 4] = [
    ("content-length", "it is that of --body"),
    ("transfer-encoding", "give the body with --body"),
    ("connection", "use --fresh-connections"),
    ("expect", "the body is sent at once"),
];

/// What is asked. Neither fields nor body are ever shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `POST`.
    pub method: String,
    /// Further fields, each a name and a value. One of the same name as ours takes its place.
    pub fields: Vec<(String, String)>,
    /// What is sent after them.
    pub body: Arc<[u8]>,
}

impl Default for Request {
    fn default() -> Self {
        Self { method: "GET".into(), fields: Vec::new(), body: Arc::default() }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (fields, body) = (self.fields.len(), self.body.len());
        write!(f, "Request({} with {fields} fields, {body} bytes)", self.method)
    }
}

impl Request {
    /// Reads `Name: value`.
    pub fn field(line: &str) -> Result<(String, String), String> {
        let (name, value) = line.split_once(':').ok_or("write a field as Name: value")?;
        Ok((name.trim().into(), value.trim().into()))
    }

    /// What is wrong with it, if anything is.
    pub(super) fn complaint(&self) -> Option<String> {
        let Self { method, fields, body } = self;
        if !is_token(method) || method.len() > 20 {
            return Some("--method is a word such as GET or POST".into());
        }
        if ["CONNECT", "TRACE"].contains(&&**method) {
            return Some(format!("{method} is for proxies, and measures no application"));
        }
        if body.len() > BODY {
            return Some("--body is over 16 MiB".into());
        }
        if method == "HEAD" && !body.is_empty() {
            return Some("HEAD has no body".into());
        }
        if fields.iter().map(|(name, value)| name.len() + value.len() + 4).sum::<usize>() > FIELDS {
            return Some("all --header together are over 64 KiB".into());
        }
        fields.iter().find_map(|(name, value)| complaint_of(name, value))
    }

    /// Whether it may be sent twice without doing something twice.
    pub(super) fn repeatable(&self) -> bool {
        ["GET", "HEAD", "OPTIONS"].contains(&&*self.method)
    }

    /// Whether the responses to it have no body.
    pub(super) fn bodiless(&self) -> bool {
        self.method == "HEAD"
    }

    /// The bytes of it, to `address`. `fresh` has the server close after each.
    pub(super) fn encode(&self, address: &Address, fresh: bool) -> Arc<[u8]> {
        let agent = concat!("tminus/", env!("CARGO_PKG_VERSION"));
        let length = self.body.len().to_string();
        let has_body = !self.body.is_empty() || ["POST", "PUT", "PATCH"].contains(&&*self.method);
        let ours = [
            ("Host", Some(&*address.authority)),
            ("User-Agent", Some(agent)),
            ("Accept", Some("*/*")),
            // So that whoever reads the server's log can tell a test from a user.
            ("X-Synthetic", Some("tminus")),
            ("Authorization", address.credentials.as_deref()),
            ("Content-Length", has_body.then_some(&*length)),
            ("Connection", fresh.then_some("close")),
        ];
        let mut bytes = format!("{} {} HTTP/1.1\r\n", self.method, address.path).into_bytes();
        let theirs = |name: &str| self.fields.iter().any(|(it, _)| it.eq_ignore_ascii_case(name));
        let ours = ours.into_iter().filter(|(name, _)| !theirs(name));
        let ours = ours.filter_map(|(name, value)| Some((name, value?)));
        let fields = self.fields.iter().map(|(name, value)| (&**name, &**value));
        for (name, value) in ours.chain(fields) {
            bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&self.body);
        bytes.into()
    }
}

fn complaint_of(name: &str, value: &str) -> Option<String> {
    if !is_token(name) {
        return Some("--header has no name that HTTP allows: write Name: value".into());
    }
    let framing = FRAMING.iter().find(|(framing, _)| name.eq_ignore_ascii_case(framing));
    if let Some((framing, instead)) = framing {
        return Some(format!("--header cannot set {framing}: {instead}"));
    }
    let printable = value.chars().all(|c| !c.is_control() || c == '\t');
    (!printable).then(|| format!("the value of --header {name} has a control character in it"))
}

/// A word as HTTP allows it for methods and names.
fn is_token(word: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !word.is_empty() && word.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, fields: &[(&str, &str)], body: &str) -> Request {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let (fields, body) = (fields.iter().map(own).collect(), body.as_bytes().into());
        Request { method: method.into(), fields, body }
    }

    fn encoded(request: &Request, url: &str, fresh: bool) -> String {
        let bytes = request.encode(&Address::parse(url).unwrap(), fresh);
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        text.replace(env!("CARGO_PKG_VERSION"), "x")
    }

    #[test]
    fn a_request_is_what_a_server_reads() {
        let get = encoded(&Request::default(), "http://127.0.0.1:8080/a?b=c", false);
        assert_eq!(
            get,
            "GET /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: tminus/x\r\n\
             Accept: */*\r\nX-Synthetic: tminus\r\n\r\n"
        );
        let post = request("POST", &[("user-agent", "me"), ("X-A", "1"), ("X-A", "2")], "{}");
        assert_eq!(
            encoded(&post, "http://me:pw@app", true),
            "POST / HTTP/1.1\r\nHost: app\r\nAccept: */*\r\nX-Synthetic: tminus\r\n\
             Authorization: Basic bWU6cHc=\r\nContent-Length: 2\r\nConnection: close\r\n\
             user-agent: me\r\nX-A: 1\r\nX-A: 2\r\n\r\n{}"
        );
        let empty = encoded(&request("PUT", &[], ""), "http://app", false);
        assert!(empty.contains("Content-Length: 0\r\n"));
    }

    #[test]
    fn what_no_server_could_read_is_refused() {
        let says = |request: Request| request.complaint().unwrap_or_default();
        assert_eq!(says(Request::default()), "");
        assert_eq!(says(request("DELETE", &[("X-A", "a\tb é")], "x")), "");
        for (method, field) in [
            ("", ("A", "b")),
            ("GET /", ("A", "b")),
            ("CONNECT", ("A", "b")),
            ("GET", ("", "b")),
            ("GET", ("A b", "c")),
            ("GET", ("A", "b\r\nHost: other")),
            ("GET", ("A", "b\0")),
            ("GET", ("Content-Length", "3")),
            ("GET", ("transfer-encoding", "chunked")),
            ("GET", ("CONNECTION", "close")),
        ] {
            assert_ne!(says(request(method, &[field], "")), "", "{method} {field:?}");
        }
        assert!(says(request("HEAD", &[], "x")).contains("no body"));
        let long = "y".repeat(FIELDS);
        assert!(says(request("GET", &[("A", &long)], "")).contains("64 KiB"));
        let body =
            |length: usize| Request { body: vec![0; length].into(), ..request("PUT", &[], "") };
        assert_eq!((says(body(BODY)).len(), says(body(BODY + 1)).is_empty()), (0, false));
    }

    #[test]
    fn a_field_is_read_from_a_line_and_never_shown() {
        let field = Request::field("Authorization:  Bearer hunter2 ").unwrap();
        assert_eq!(field, ("Authorization".into(), "Bearer hunter2".into()));
        assert!(Request::field("hunter2").is_err());
        let secret = Request { fields: vec![field], ..Request::default() };
        assert!(!format!("{secret:?}").contains("hunter2"));
    }
}
