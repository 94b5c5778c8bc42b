//! From an address to a stream of bytes, each step timed and with a deadline.

use super::{
    address::{Address, Place},
    client::silent,
    crowd::Crowd,
    topology::{Announced, Entrance, named_master},
    trouble::{Step, Trouble},
    wire::Stream,
};
use crate::probe::{
    ProbeError, Stopwatch,
    trust::{Trust, of_tls, reason},
};
use rustix::net::sockopt;
use rustls::pki_types::ServerName;
use std::{
    cmp, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpStream, UnixStream, lookup_host},
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
/// How long a TLS handshake may be silent before the port is asked whether it
/// speaks Redis plainly; and how long that question may take.
const SILENCE: Duration = Duration::from_millis(400);
const SECOND_LOOK: Duration = Duration::from_millis(400);

/// Knows how to reach one server, or whichever of several is meant now.
pub(super) struct Transport {
    pub(super) address: Address,
    pub(super) sentinels: Vec<Address>,
    pub(super) announced: Announced,
    /// Everything that is open through it, or through a way that it led to.
    pub(super) crowd: Crowd,
    trust: Arc<Trust>,
    known: Mutex<Known>,
}

/// What is remembered of the way.
#[derive(Default)]
struct Known {
    /// Other doors to the same deployment, for when the first one is shut.
    others: Vec<Place>,
    reached: Option<Place>,
    moved: Option<Move>,
}

/// The master was one server, and now is another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Move {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) at: Instant,
}

/// A stream, and where it leads.
pub(super) type Opened = (Box<dyn Stream>, Place);

impl Transport {
    /// `ca` names the certificates to trust; without it those of this host.
    pub(super) fn new(entrance: Entrance, ca: Option<PathBuf>) -> Self {
        let Entrance { address, sentinels, announced } = entrance;
        let trust = Arc::new(Trust::new(ca));
        let (crowd, known) = (Crowd::default(), Mutex::default());
        Self { address, sentinels, announced, crowd, trust, known }
    }

    /// The way to another server that is trusted alike.
    pub(super) fn to(&self, address: Address) -> Self {
        Self {
            address,
            sentinels: Vec::new(),
            announced: self.announced.clone(),
            crowd: self.crowd.clone(),
            trust: Arc::clone(&self.trust),
            known: Mutex::default(),
        }
    }

    /// Connects, writing each step to `watch`.
    pub(super) async fn open(
        &self,
        watch: &mut Stopwatch,
        deadline: Instant,
    ) -> Result<Opened, Trouble> {
        let (stream, place) = self.reach(watch, deadline).await?;
        Ok((Box::new(self.crowd.admit(stream)), place))
    }

    /// The same, without counting it among what is open.
    pub(super) async fn reach(
        &self,
        watch: &mut Stopwatch,
        deadline: Instant,
    ) -> Result<Opened, Trouble> {
        if let Place::Master { .. } = &self.address.place {
            let master = named_master(self, deadline).await;
            watch.lap("sentinels");
            return self.open_at(master?, watch, deadline).await;
        }
        let first = match self.open_at(self.address.place.clone(), watch, deadline).await {
            Ok(opened) => return Ok(opened),
            Err(trouble) => trouble,
        };
        let others = self.known().others.clone();
        for other in others {
            if let Ok(opened) = self.open_at(other, watch, deadline).await {
                return Ok(opened);
            }
        }
        Err(first)
    }

    async fn open_at(
        &self,
        place: Place,
        watch: &mut Stopwatch,
        deadline: Instant,
    ) -> Result<Opened, Trouble> {
        let stream: Box<dyn Stream> = match &place {
            Place::Unix(path) => {
                let connected = within(deadline, Step::Connect, UnixStream::connect(path)).await?;
                watch.lap("connect");
                Box::new(connected.map_err(|error| {
                    if error.kind() == io::ErrorKind::PermissionDenied {
                        Trouble::Reach(barred(path))
                    } else {
                        self.unreachable(&place, &error)
                    }
                })?)
            }
            Place::Tcp { .. } => Box::new(self.tcp(&place, watch, deadline).await?),
            Place::Tls { .. } => {
                let tcp = self.tcp(&place, watch, deadline).await?;
                let encrypted = self.encrypt(&place, tcp, deadline).await;
                watch.lap("tls");
                encrypted?
            }
            Place::Master { .. } => return Err(Trouble::Reach(unnamed())),
        };
        Ok((stream, place))
    }

    /// Remembers further doors to the same deployment.
    pub(super) fn remember(&self, others: Vec<Place>) {
        self.known().others = others;
    }

    /// Takes note of where a greeted connection leads.
    pub(super) fn arrived(&self, place: &Place) {
        let mut known = self.known();
        let before = known.reached.replace(place.clone());
        if let Some(before) = before.filter(|before| before != place) {
            let (from, to) = (before.to_string(), place.to_string());
            known.moved = Some(Move { from, to, at: Instant::now() });
        }
    }

    /// When the place last changed, and from where to where.
    pub(super) fn moved(&self) -> Option<Move> {
        self.known().moved.clone()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn tcp(
        &self,
        place: &Place,
        watch: &mut Stopwatch,
        deadline: Instant,
    ) -> Result<TcpStream, Trouble> {
        let Some((host, port)) = place.port() else { return Err(Trouble::Reach(unnamed())) };
        let found = timeout_at(deadline, lookup_host((host, port))).await;
        watch.lap("resolve");
        let addresses: Vec<_> = match found {
            Ok(Ok(addresses)) => addresses.collect(),
            Ok(Err(error)) => return Err(unresolved(host, &error)),
            Err(_) => return Err(Trouble::Reach(silent_resolver(host))),
        };
        let connected = within(deadline, Step::Connect, TcpStream::connect(&*addresses)).await;
        watch.lap("connect");
        let stream = connected?.map_err(|error| self.unreachable(place, &error))?;
        keep_honest(&stream).map_err(|error| self.unreachable(place, &error))?;
        Ok(stream)
    }

    /// The handshake. A plain server takes its first words for the beginning of a
    /// command and waits for the rest, so that its silence has to be looked into.
    async fn encrypt(
        &self,
        place: &Place,
        tcp: TcpStream,
        deadline: Instant,
    ) -> Result<Box<dyn Stream>, Trouble> {
        let handshake = self.handshake(place, tcp);
        tokio::pin!(handshake);
        let patience = cmp::min(deadline, Instant::now() + SILENCE);
        if let Ok(ended) = timeout_at(patience, &mut handshake).await {
            return ended;
        }
        tokio::select! {
            ended = within(deadline, Step::Tls, handshake) => ended?,
            true = self.speaks_plainly(place) => Err(Trouble::LacksTls),
        }
    }

    async fn handshake(&self, place: &Place, tcp: TcpStream) -> Result<Box<dyn Stream>, Trouble> {
        let host = place.host();
        let config = self.trust.config().await.map_err(Trouble::Reach)?;
        let name = ServerName::try_from(host.clone());
        let name =
            name.map_err(|_| Trouble::Tls("the host is no name for a certificate".into()))?;
        match TlsConnector::from(config).connect(name, tcp).await {
            Ok(stream) => Ok(Box::new(stream)),
            Err(error) => Err(Trouble::Tls(reason(&error, &host))),
        }
    }

    /// Whether a port that is silent to TLS answers `PING` without it.
    async fn speaks_plainly(&self, place: &Place) -> bool {
        let deadline = Instant::now() + SECOND_LOOK;
        let asked = async {
            let mut stream = self.tcp(place, &mut Stopwatch::start(), deadline).await.ok()?;
            stream.write_all(b"PING\r\n").await.ok()?;
            let mut answer = [0; 1];
            stream.read_exact(&mut answer).await.ok()?;
            // `+PONG`, or a refusal such as `-NOAUTH`.
            Some(matches!(answer, [b'+' | b'-']))
        };
        timeout_at(deadline, asked).await.ok().flatten().unwrap_or(false)
    }

    /// Whether a port that closed on plain words answers the greeting of TLS.
    pub(super) async fn speaks_tls(&self, place: &Place, deadline: Instant) -> bool {
        let deadline = cmp::min(deadline, Instant::now() + SECOND_LOOK);
        let Place::Tcp { .. } = place else { return false };
        let asked = async {
            let tcp = self.tcp(place, &mut Stopwatch::start(), deadline).await.ok()?;
            let config = self.trust.config().await.ok()?;
            let name = ServerName::try_from(place.host()).ok()?;
            Some(match TlsConnector::from(config).connect(name, tcp).await {
                Ok(_) => true,
                Err(error) => matches!(
                    of_tls(&error),
                    Some(rustls::Error::InvalidCertificate(_) | rustls::Error::AlertReceived(_))
                ),
            })
        };
        timeout_at(deadline, asked).await.ok().flatten().unwrap_or(false)
    }

    fn unreachable(&self, place: &Place, error: &io::Error) -> Trouble {
        Trouble::Reach(ProbeError::of_io(error, &self.address.at(place.clone()).name()))
    }
}

/// The socket is there, and not for this user.
fn barred(path: &Path) -> ProbeError {
    ProbeError::NotPermitted(format!("no permission for {} (EACCES)", path.display()))
}

/// A name is no place to connect to.
fn unnamed() -> ProbeError {
    ProbeError::Misconfigured("a master's name leads nowhere without its sentinels".into())
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
    let allowed = deadline.saturating_duration_since(began);
    timeout_at(deadline, work).await.map_err(|_| silent(step, allowed, began.elapsed()))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;
    use tokio::net::TcpListener;

    fn transport(url: &str, ca: Option<PathBuf>) -> Transport {
        Transport::new(Entrance::of(Address::parse(&Secret::new(url)).unwrap()), ca)
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
        let place = &transport.address.place;
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
}
