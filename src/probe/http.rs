//! One request, measured: bounded in time and memory, never redirected, never
//! through a pool, so that each proves the whole way to the server.

use super::{ProbeError, is_local, tls};
use reqwest::{
    Certificate, Client, ClientBuilder, Response, Url,
    header::{HeaderMap, HeaderValue},
    redirect::Policy,
};
use std::{env, error::Error, io, sync::OnceLock, time::Duration};
use tokio::time::{Instant, timeout};

/// Time allowed for resolving a name and connecting to it.
const CONNECT: Duration = Duration::from_secs(3);
/// Who asks. Some servers refuse those who do not say.
const AGENT: &str = concat!("tminus/", env!("CARGO_PKG_VERSION"));

/// How far a request may go.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes read of the body; the rest is left unread.
    pub body: usize,
    /// Time for everything, body included.
    pub total: Duration,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body, up to the limit.
    pub body: Vec<u8>,
    /// Whether the body went on beyond the limit.
    pub truncated: bool,
    /// Until the header fields were there, connection set-up included.
    pub waited: Duration,
    /// Until the end of the body, or of what was read of it.
    pub took: Duration,
}

impl Answer {
    /// A header field as text; `None` when absent or not text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The body as text, with what is not UTF-8 replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Where a redirect points: the host alone, for it may carry secrets.
    pub fn redirected_to(&self) -> Option<String> {
        if !(300..400).contains(&self.status) {
            return None;
        }
        let target = self.header("location").unwrap_or_default();
        Some(Url::parse(target).map_or_else(|_| "another path".into(), |url| peer(&url)))
    }
}

/// Sends requests. Clients are built when first needed: one without certificates
/// for plain http, one with the machine's for https.
#[derive(Debug, Default)]
pub struct Http {
    clients: [OnceLock<Client>; 4],
}

impl Http {
    /// Sends one `GET` and reads the answer, whatever its status.
    ///
    /// `headers` with secrets must be marked as sensitive. A redirect is an
    /// answer and not followed, so no header reaches another host.
    pub async fn get(
        &self,
        url: &Url,
        headers: HeaderMap,
        limits: Limits,
    ) -> Result<Answer, ProbeError> {
        let peer = named(url, |name| env::var_os(name).is_some());
        let request = self.client(url)?.get(url.clone()).headers(headers);
        let began = Instant::now();
        let head = timeout(limits.total, request.send()).await;
        let response = head
            .map_err(|_| late(&peer, "did not answer", limits))?
            .map_err(|error| of_reqwest(error, &peer))?;
        let waited = began.elapsed();
        let rest = limits.total.saturating_sub(waited);
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let (body, truncated) = timeout(rest, read(response, limits.body))
            .await
            .map_err(|_| late(&peer, "did not finish its answer", limits))?
            .map_err(|error| of_reqwest(error, &peer))?;
        Ok(Answer { status, headers, body, truncated, waited, took: began.elapsed() })
    }

    fn client(&self, url: &Url) -> Result<&Client, ProbeError> {
        let secure = match url.scheme() {
            "http" => false,
            "https" => true,
            other => return Err(misconfigured(&format!("{other} is not http or https"))),
        };
        let local = url.host_str().is_some_and(is_local);
        let slot = &self.clients[usize::from(secure) * 2 + usize::from(local)];
        if let Some(client) = slot.get() {
            return Ok(client);
        }
        let built =
            if secure { with_roots(local) } else { builder(local).tls_certs_only([]).build() };
        let built = built.map_err(|_| misconfigured("this host cannot set up TLS"))?;
        Ok(slot.get_or_init(|| built))
    }
}

/// The host and port of a URL, without the rest.
pub fn peer(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.into(),
    }
}

/// The peer for an error, with the proxy that the environment may put in between.
fn named(url: &Url, is_set: impl Fn(&str) -> bool) -> String {
    let own = format!("{}_proxy", url.scheme());
    let names = [own.to_uppercase(), own, "ALL_PROXY".into(), "all_proxy".into()];
    let local = url.host_str().is_some_and(is_local);
    let proxied = !local && names.iter().any(|name| is_set(name));
    format!("{}{}", peer(url), if proxied { " (a proxy is set)" } else { "" })
}

fn builder(local: bool) -> ClientBuilder {
    tls::install();
    let mut headers = HeaderMap::new();
    // So that whoever reads the server's log can tell a probe from a user.
    headers.insert("x-synthetic", HeaderValue::from_static("tminus"));
    let builder = Client::builder()
        .user_agent(AGENT)
        .default_headers(headers)
        .redirect(Policy::none())
        .referer(false)
        .connect_timeout(CONNECT)
        .pool_max_idle_per_host(0);
    // A proxy set for the outside world must not catch what stays on this machine.
    if local { builder.no_proxy() } else { builder }
}

/// With the machine's root certificates, or with Mozilla's where it has none.
fn with_roots(local: bool) -> reqwest::Result<Client> {
    builder(local).build().or_else(|_| {
        let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS;
        let roots = roots.iter().filter_map(|root| Certificate::from_der(root).ok());
        builder(local).tls_certs_only(roots).build()
    })
}

async fn read(mut response: Response, most: usize) -> reqwest::Result<(Vec<u8>, bool)> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        let room = most - body.len();
        if chunk.len() > room {
            body.extend_from_slice(&chunk[..room]);
            return Ok((body, true));
        }
        body.extend_from_slice(&chunk);
    }
    Ok((body, false))
}

fn misconfigured(says: &str) -> ProbeError {
    ProbeError::Misconfigured(says.into())
}

fn late(peer: &str, what: &str, limits: Limits) -> ProbeError {
    ProbeError::Unreachable(format!("{peer} {what} within {:?}", limits.total))
}

/// What `error` means. Its own text is not used: it holds the URL.
fn of_reqwest(error: reqwest::Error, peer: &str) -> ProbeError {
    let error = error.without_url();
    if error.is_dns() {
        return of_resolver(&error, peer);
    }
    let mut cause: &(dyn Error + 'static) = &error;
    while let Some(next) = cause.source() {
        cause = next;
        if let Some(trouble) = cause.downcast_ref::<io::Error>().map(|io| of_io(io, peer)) {
            return trouble;
        }
    }
    match (error.is_timeout(), error.is_builder()) {
        (true, _) => ProbeError::Unreachable(format!("{peer} did not answer in time")),
        (_, true) => misconfigured("the address or a header is not usable"),
        _ => ProbeError::Protocol(format!("{peer}: {cause}")),
    }
}

fn of_io(error: &io::Error, peer: &str) -> ProbeError {
    let inner = error.get_ref();
    if let Some(inner) = inner.and_then(|inner| inner.downcast_ref::<io::Error>()) {
        return of_io(inner, peer);
    }
    match inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidMessage(_)) => {
            ProbeError::Protocol(format!("{peer} does not speak TLS"))
        }
        Some(trouble) => ProbeError::Protocol(format!("TLS with {peer}: {trouble}")),
        None => ProbeError::of_io(error, peer),
    }
}

/// A resolver that cannot say is our trouble, a name that does not exist is not.
fn of_resolver(error: &reqwest::Error, peer: &str) -> ProbeError {
    let mut cause: &(dyn Error + 'static) = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    if cause.to_string().contains("Temporary failure") {
        ProbeError::Local(format!("this host cannot resolve {peer} now"))
    } else {
        ProbeError::Unreachable(format!("{peer} does not resolve"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };
    use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

    const LIMITS: Limits = Limits { body: 1024, total: Duration::from_millis(500) };

    async fn get(url: &str) -> Result<Answer, ProbeError> {
        Http::default().get(&Url::parse(url).unwrap(), HeaderMap::new(), LIMITS).await
    }

    async fn answering(template: ResponseTemplate) -> MockServer {
        let server = MockServer::start().await;
        Mock::given(any()).respond_with(template).mount(&server).await;
        server
    }

    /// A server that answers whatever it is sent with `bytes`, and then nothing.
    async fn raw(bytes: &'static [u8]) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let mut kept = Vec::new();
            while let Ok((mut peer, _)) = listener.accept().await {
                peer.read_exact(&mut [0; 9]).await.unwrap();
                peer.write_all(bytes).await.unwrap();
                kept.push(peer);
            }
        });
        url
    }

    #[tokio::test]
    async fn reading_stops_at_the_limit() {
        let server =
            answering(ResponseTemplate::new(200).set_body_bytes(vec![7; 10_000_000])).await;
        let answer = get(&server.uri()).await.unwrap();
        assert_eq!((answer.body.len(), answer.truncated), (1024, true));
        let server = answering(ResponseTemplate::new(200).set_body_bytes(vec![7; 1024])).await;
        let answer = get(&server.uri()).await.unwrap();
        assert_eq!((answer.body.len(), answer.truncated), (1024, false));
        assert!(answer.took >= answer.waited && !answer.waited.is_zero());
    }

    #[tokio::test]
    async fn a_redirect_is_an_answer_and_names_only_its_host() {
        let away = "https://user:pw@elsewhere.example:444/x?key=secret";
        let server = answering(ResponseTemplate::new(302).insert_header("location", away)).await;
        let answer = get(&server.uri()).await.unwrap();
        assert_eq!(answer.redirected_to().as_deref(), Some("elsewhere.example:444"));
    }

    #[tokio::test]
    async fn each_trouble_has_its_own_words() {
        let silent = raw(b"").await;
        let slow = raw(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{").await;
        let other = raw(b"-ERR unknown command\r\n").await;
        let tls = silent.replace("http://", "https://");
        let garbage = other.replace("http://", "https://");
        let cases = [
            ("http://127.0.0.1:1/", "connection refused by 127.0.0.1:1"),
            (&*silent, "did not answer within 500ms"),
            (&slow, "did not finish its answer within 500ms"),
            (&other, "invalid HTTP version parsed"),
            (&tls, "did not answer within 500ms"),
            (&garbage, "does not speak TLS"),
            ("ftp://127.0.0.1/", "ftp is not http or https"),
        ];
        for (url, expected) in cases {
            let says = get(url).await.unwrap_err().to_string();
            assert!(says.contains(expected), "{url}: {says}");
        }
    }

    #[tokio::test]
    async fn a_name_that_does_not_exist_is_not_a_server_that_is_down() {
        let http = Http::default();
        // Without a proxy, which would have to resolve it.
        http.clients[0].set(builder(true).tls_certs_only([]).build().unwrap()).unwrap();
        // Longer than a label may be, so that no resolver is asked.
        let url = Url::parse(&format!("http://{}/", "a".repeat(64))).unwrap();
        let error = http.get(&url, HeaderMap::new(), LIMITS).await.unwrap_err();
        assert!(
            matches!(&error, ProbeError::Unreachable(says) if says.ends_with(" does not resolve"))
        );
    }

    #[test]
    fn a_proxy_that_may_be_to_blame_is_mentioned() {
        let says = |url: &str, set: &str| named(&Url::parse(url).unwrap(), |name| name == set);
        assert_eq!(says("https://api.example", "https_proxy"), "api.example (a proxy is set)");
        assert_eq!(says("https://api.example", "http_proxy"), "api.example");
        assert_eq!(says("http://api.example:81", "HTTP_PROXY"), "api.example:81 (a proxy is set)");
        assert_eq!(says("http://api.example", "ALL_PROXY"), "api.example (a proxy is set)");
        assert_eq!(says("https://localhost", "https_proxy"), "localhost");
    }

    #[tokio::test]
    async fn who_asks_is_said_and_the_url_never_shows() {
        let server = answering(ResponseTemplate::new(200)).await;
        get(&server.uri()).await.unwrap();
        let request = &server.received_requests().await.unwrap()[0];
        assert!(request.headers["user-agent"].to_str().unwrap().starts_with("tminus/"));
        assert_eq!(request.headers["x-synthetic"], "tminus");
        let error = get("http://me:hunter2@127.0.0.1:1/?key=hunter2").await.unwrap_err();
        assert!(!format!("{error:?} {error}").contains("hunter2"));
    }
}
