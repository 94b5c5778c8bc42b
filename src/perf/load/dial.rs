//! Connections: found once, opened in plain or over TLS.

use super::address::Address;
use crate::{
    perf::Broken,
    probe::{
        ProbeError, is_local,
        trust::{Trust, of_tls, reason},
    },
};
use rustls::{ClientConfig, pki_types::ServerName};
use std::{
    io,
    net::SocketAddr,
    path::PathBuf,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead as _, AsyncWriteExt as _, ReadBuf},
    net::{TcpStream, lookup_host},
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

/// How long a name may take to resolve.
const RESOLVE: Duration = Duration::from_secs(3);
/// Error numbers that say of this host, not of the target: no memory, no descriptors,
/// no ports.
const OURS: [i32; 4] = [12, 23, 24, 99];

/// A way to one server, its name resolved.
pub(super) struct Dial {
    addresses: Vec<SocketAddr>,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    peer: String,
    host: String,
}

/// One connection.
pub(super) enum Wire {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Dial {
    /// Resolves the name and reads the certificates of issuers, once for all connections.
    pub(super) async fn to(address: &Address, ca: Option<PathBuf>) -> Result<Self, ProbeError> {
        let Address { host, port, .. } = address;
        let found = timeout(RESOLVE, lookup_host((&**host, *port))).await;
        let silent = || ProbeError::Local(format!("name resolution of {host} did not end in time"));
        let found = found.map_err(|_| silent())?.map_err(|error| unresolved(host, &error))?;
        let addresses: Vec<_> = found.collect();
        let elsewhere = addresses.iter().find(|found| !is_local(&found.ip().to_string()));
        if let Some(found) = elsewhere.filter(|_| address.is_local()) {
            let says = format!("{host} leads to {}, which is not this machine", found.ip());
            return Err(ProbeError::Misconfigured(says));
        }
        let tls =
            if address.tls { Some(connector(host, Trust::new(ca).config().await?)?) } else { None };
        Ok(Self { addresses, tls, peer: address.peer().into(), host: host.clone() })
    }

    /// Opens a connection. Whoever calls it sees to the time that it takes.
    pub(super) async fn open(&self) -> Result<Wire, Broken> {
        let opened = async {
            let stream = TcpStream::connect(&*self.addresses).await?;
            // Without it a request of two writes waits for the acknowledgement of the first.
            stream.set_nodelay(true)?;
            Ok(stream)
        };
        let stream = opened.await.map_err(|error| self.broken(&error))?;
        let Some((connector, name)) = &self.tls else { return Ok(Wire::Plain(stream)) };
        let shaken = connector.connect(name.clone(), stream).await;
        let encrypted = shaken.map_err(|error| self.unshaken(&error))?;
        Ok(Wire::Tls(Box::new(encrypted)))
    }

    /// What `error` of a connection means.
    pub(super) fn broken(&self, error: &io::Error) -> Broken {
        if let Some(trouble) = of_tls(error) {
            return Broken::new("tls", &format!("TLS with {}: {trouble}", self.peer));
        }
        let says = ProbeError::of_io(error, &self.peer).to_string();
        if error.raw_os_error().is_some_and(|number| OURS.contains(&number)) {
            let says = format!("this host cannot open a connection: {error}");
            return Broken::ours(class(error), &says);
        }
        Broken::new(class(error), &says)
    }

    fn unshaken(&self, error: &io::Error) -> Broken {
        if error.raw_os_error().is_some() {
            return self.broken(error);
        }
        Broken::new("tls", &format!("TLS with {}: {}", self.peer, reason(error, &self.host)))
    }
}

fn connector(
    host: &str,
    config: Arc<ClientConfig>,
) -> Result<(TlsConnector, ServerName<'static>), ProbeError> {
    let nameless = |_| ProbeError::Misconfigured(format!("{host} is no name for a certificate"));
    Ok((TlsConnector::from(config), ServerName::try_from(host.to_owned()).map_err(nameless)?))
}

/// A name that does not exist is a wrong address; a resolver out of order is ours.
fn unresolved(host: &str, error: &io::Error) -> ProbeError {
    let says = error.to_string();
    if says.contains("emporary failure") || says.contains("try again") {
        ProbeError::Local(format!("this host cannot resolve {host} now"))
    } else {
        ProbeError::Unreachable(format!("{host} does not resolve"))
    }
}

/// Under which word it is counted.
fn class(error: &io::Error) -> &'static str {
    use io::ErrorKind as Kind;
    match (error.raw_os_error(), error.kind()) {
        (Some(23 | 24), _) => "no descriptor here",
        (Some(99), _) => "no port free here",
        (Some(12), _) => "no memory here",
        (_, Kind::ConnectionRefused) => "refused",
        (_, Kind::ConnectionReset | Kind::ConnectionAborted | Kind::BrokenPipe) => "reset",
        (_, Kind::TimedOut) => "no answer",
        (_, Kind::UnexpectedEof) => "closed",
        _ => "unreachable",
    }
}

impl Wire {
    pub(super) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.write_all(bytes).await,
            Self::Tls(stream) => {
                stream.write_all(bytes).await?;
                stream.flush().await
            }
        }
    }

    pub(super) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_this_host_lacks_is_no_failure_of_the_target() {
        let dial =
            Dial { addresses: Vec::new(), tls: None, peer: "app:80".into(), host: "app".into() };
        for (number, class, ours) in [
            (24, "no descriptor here", true),
            (23, "no descriptor here", true),
            (99, "no port free here", true),
            (12, "no memory here", true),
            (111, "refused", false),
            (104, "reset", false),
            (110, "no answer", false),
            (113, "unreachable", false),
        ] {
            let broken = dial.broken(&io::Error::from_raw_os_error(number));
            assert_eq!((&*broken.class, broken.ours), (class, ours), "{number}");
        }
        let refused = dial.broken(&io::Error::from_raw_os_error(111));
        assert_eq!(refused.says, "connection refused by app:80");
    }

    #[test]
    fn a_name_that_does_not_exist_is_not_our_resolvers_fault() {
        let ours =
            |says: &str| matches!(unresolved("x", &io::Error::other(says)), ProbeError::Local(_));
        assert!(ours("Temporary failure in name resolution"));
        assert!(!ours("Name or service not known"));
    }
}
