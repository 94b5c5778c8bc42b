//! From an address to a stream of bytes, each step timed and with a deadline.

use super::{
    address::{Address, Place},
    crowd::Crowd,
    trouble::{Step, Trouble},
    wire::Stream,
};
use crate::probe::{ProbeError, Stopwatch, tls};
use rustix::net::sockopt;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{
    net::{TcpStream, UnixStream, lookup_host},
    sync::OnceCell,
    task::spawn_blocking,
    time::{Instant, timeout_at},
};
use tokio_rustls::TlsConnector;

/// A connection that is silent for this long is asked whether it is still there,
const IDLE: Duration = Duration::from_secs(10);
/// again after this long,
const BETWEEN_PROBES: Duration = Duration::from_secs(3);
/// and ends after as many questions without an answer.
const PROBES: u32 = 3;
/// Milliseconds that something sent may stay unacknowledged.
#[cfg(target_os = "linux")]
const UNACKNOWLEDGED: u32 = 5000;

/// Knows how to reach one server.
pub(super) struct Transport {
    pub(super) address: Address,
    /// Everything that is open through it.
    pub(super) crowd: Crowd,
    ca: Option<PathBuf>,
    /// Reading the certificates of a host takes milliseconds: once is enough.
    tls: OnceCell<Arc<ClientConfig>>,
}

impl Transport {
    /// `ca` names the certificates to trust; without it those of this host.
    pub(super) fn new(address: Address, ca: Option<PathBuf>) -> Self {
        Self { address, crowd: Crowd::default(), ca, tls: OnceCell::new() }
    }

    /// Connects, writing each step to `watch`.
    pub(super) async fn open(
        &self,
        watch: &mut Stopwatch,
        deadline: Instant,
    ) -> Result<Box<dyn Stream>, Trouble> {
        let stream = self.reach(watch, deadline).await?;
        Ok(Box::new(self.crowd.admit(stream)))
    }

    /// The same, without counting it among what is open.
    pub(super) async fn reach(
        &self,
        watch: &mut Stopwatch,
        deadline: Instant,
    ) -> Result<Box<dyn Stream>, Trouble> {
        match &self.address.place {
            Place::Unix(path) => {
                let connected = within(deadline, Step::Connect, UnixStream::connect(path)).await?;
                watch.lap("connect");
                Ok(Box::new(connected.map_err(|error| self.unreachable(&error))?))
            }
            Place::Tcp { host, port } => {
                Ok(Box::new(self.tcp((host, *port), watch, deadline).await?))
            }
            Place::Tls { host, port } => {
                let tcp = self.tcp((host, *port), watch, deadline).await?;
                let encrypted = self.encrypt(host, tcp, deadline).await;
                watch.lap("tls");
                encrypted
            }
        }
    }

    async fn tcp(
        &self,
        place: (&str, u16),
        watch: &mut Stopwatch,
        deadline: Instant,
    ) -> Result<TcpStream, Trouble> {
        let found = timeout_at(deadline, lookup_host(place)).await;
        watch.lap("resolve");
        let addresses: Vec<_> = match found {
            Ok(Ok(addresses)) => addresses.collect(),
            Ok(Err(error)) => return Err(unresolved(place.0, &error)),
            Err(_) => return Err(Trouble::Reach(silent_resolver(place.0))),
        };
        let connected = within(deadline, Step::Connect, TcpStream::connect(&*addresses)).await;
        watch.lap("connect");
        let stream = connected?.map_err(|error| self.unreachable(&error))?;
        keep_honest(&stream).map_err(|error| self.unreachable(&error))?;
        Ok(stream)
    }

    async fn encrypt(
        &self,
        host: &str,
        tcp: TcpStream,
        deadline: Instant,
    ) -> Result<Box<dyn Stream>, Trouble> {
        let config = self.tls.get_or_try_init(|| client_config(self.ca.clone())).await;
        let config = config.map_err(Trouble::Reach)?;
        let name = ServerName::try_from(host.to_owned());
        let name =
            name.map_err(|_| Trouble::Tls("the host is no name for a certificate".into()))?;
        let handshake = TlsConnector::from(Arc::clone(config)).connect(name, tcp);
        match within(deadline, Step::Tls, handshake).await? {
            Ok(stream) => Ok(Box::new(stream)),
            Err(error) => Err(Trouble::Tls(reason(&error))),
        }
    }

    fn unreachable(&self, error: &io::Error) -> Trouble {
        Trouble::Reach(ProbeError::of_io(error, &self.address.name()))
    }
}

/// Makes a connection that leads into nothing end by itself, and soon.
fn keep_honest(stream: &TcpStream) -> io::Result<()> {
    // Without it a small command may wait for the acknowledgement of the one before.
    stream.set_nodelay(true)?;
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, IDLE)?;
    sockopt::set_tcp_keepintvl(stream, BETWEEN_PROBES)?;
    sockopt::set_tcp_keepcnt(stream, PROBES)?;
    // Keepalive is silent while something sent is not acknowledged; this is not.
    #[cfg(target_os = "linux")]
    sockopt::set_tcp_user_timeout(stream, UNACKNOWLEDGED)?;
    Ok(())
}

async fn within<T>(
    deadline: Instant,
    step: Step,
    work: impl Future<Output = T>,
) -> Result<T, Trouble> {
    let began = Instant::now();
    timeout_at(deadline, work)
        .await
        .map_err(|_| Trouble::Late { step, after: deadline.saturating_duration_since(began) })
}

fn silent_resolver(host: &str) -> ProbeError {
    ProbeError::Local(format!("name resolution of {host} did not end in time"))
}

/// A name that does not exist is a wrong setting; a resolver out of order is ours.
fn unresolved(host: &str, error: &io::Error) -> Trouble {
    let says = error.to_string();
    Trouble::Reach(if says.contains("emporary failure") || says.contains("try again") {
        ProbeError::Local(format!("this host cannot resolve {host} now"))
    } else {
        ProbeError::Unreachable(format!("{host} does not resolve"))
    })
}

/// Why a handshake failed; the driver hides its own error in that of the socket.
fn reason(error: &io::Error) -> String {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner {
        Some(error @ rustls::Error::InvalidMessage(_)) => {
            format!("the port does not speak TLS ({error})")
        }
        // The library's words for it name its own types.
        Some(error) if format!("{error:?}").contains("CaUsedAsEndEntity") => {
            "the server shows the certificate of an issuer, not one of its own".into()
        }
        Some(error) => error.to_string(),
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            "it closed the connection during the handshake".into()
        }
        None => error.kind().to_string(),
    }
}

async fn client_config(ca: Option<PathBuf>) -> Result<Arc<ClientConfig>, ProbeError> {
    tls::install();
    let roots = spawn_blocking(move || match ca {
        Some(path) => named_roots(&path),
        None => Ok(native_roots()),
    });
    let roots =
        roots.await.map_err(|_| ProbeError::Local("reading certificates failed".into()))??;
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    Ok(Arc::new(config))
}

fn named_roots(path: &Path) -> Result<RootCertStore, ProbeError> {
    let bad = |what: &str| ProbeError::Misconfigured(format!("`ca`: {} {what}", path.display()));
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|_| bad("cannot be read"))? {
        let certificate = certificate.map_err(|_| bad("is not a PEM file"))?;
        roots.add(certificate).map_err(|_| bad("holds a certificate that cannot vouch"))?;
    }
    if roots.is_empty() { Err(bad("holds no certificate")) } else { Ok(roots) }
}

/// What this host trusts; where it has no store (a bare container), Mozilla's list.
fn native_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        roots.add_parsable_certificates(webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().cloned());
    }
    roots
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;
    use tokio::net::TcpListener;

    fn transport(url: &str, ca: Option<PathBuf>) -> Transport {
        Transport::new(Address::parse(&Secret::new(url)).unwrap(), ca)
    }

    async fn trouble(transport: &Transport) -> (Trouble, Vec<String>) {
        let mut watch = Stopwatch::start();
        let deadline = Instant::now() + Duration::from_secs(5);
        let trouble = transport.open(&mut watch, deadline).await.err().unwrap();
        let phases = watch.write_to(crate::domain::Evidence::default()).phases;
        (trouble, phases.into_iter().map(|phase| phase.name).collect())
    }

    #[tokio::test]
    async fn a_connection_into_nothing_ends_soon() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = format!("redis://{}", listener.local_addr().unwrap());
        let transport = transport(&address, None);
        let deadline = Instant::now() + Duration::from_secs(5);
        let place = ("127.0.0.1", listener.local_addr().unwrap().port());
        let stream = transport.tcp(place, &mut Stopwatch::start(), deadline).await.unwrap();
        assert!(stream.nodelay().unwrap() && sockopt::socket_keepalive(&stream).unwrap());
        assert_eq!(sockopt::tcp_keepidle(&stream).unwrap(), Duration::from_secs(10));
        assert_eq!(sockopt::tcp_keepintvl(&stream).unwrap(), Duration::from_secs(3));
        assert_eq!(sockopt::tcp_keepcnt(&stream).unwrap(), 3);
        #[cfg(target_os = "linux")]
        assert_eq!(sockopt::tcp_user_timeout(&stream).unwrap(), 5000);
    }

    #[tokio::test]
    async fn a_missing_socket_is_named() {
        let (trouble, phases) = trouble(&transport("unix:///nowhere/redis.sock", None)).await;
        assert_eq!(trouble.fault().says, "/nowhere/redis.sock does not exist");
        assert_eq!(phases, ["connect"]);
    }

    #[test]
    fn a_name_that_does_not_exist_is_not_our_resolvers_fault() {
        let is_ours = |says: &str| {
            let trouble = unresolved("db", &io::Error::other(says));
            matches!(trouble, Trouble::Reach(ProbeError::Local(_)))
        };
        assert!(!is_ours("failed to lookup address information: Name or service not known"));
        assert!(is_ours(
            "failed to lookup address information: Temporary failure in name resolution"
        ));
    }

    #[test]
    fn a_certificate_file_must_hold_a_certificate() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for path in [Path::new("/nowhere/ca.pem"), file.path()] {
            let error = named_roots(path).unwrap_err();
            assert!(matches!(&error, ProbeError::Misconfigured(says) if says.contains("`ca`")));
        }
    }
}
