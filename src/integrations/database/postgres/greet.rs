use crate::{
    integrations::database::{
        address::{Host, Server},
        fault::Fault,
    },
    probe::Stopwatch,
};
use std::{io, net::IpAddr};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpStream, UnixStream, lookup_host},
    time::{Instant, timeout_at},
};

/// "Do you speak TLS?", the one question that needs no credentials and that a
/// server answers with a single byte.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xD2, 0x16, 0x2F];

/// Proves that a PostgreSQL server accepts and answers new connections, without logging in.
///
/// A standing session proves neither: it outlives a stopped listener. And the
/// driver must not meet a stranger first, since it trusts any length it is told.
pub(super) async fn greet(
    server: &Server,
    watch: &mut Stopwatch,
    deadline: Instant,
) -> Result<(), Fault> {
    let peer = server.peer();
    let steps = async {
        match &server.host {
            Host::Unix(directory) => {
                let stream = UnixStream::connect(server.socket(directory)).await;
                watch.lap("connect");
                answer(stream.map_err(|error| Fault::of_io(&error, "connect", &peer))?, &peer).await
            }
            Host::Tcp(host) => answer(connect(host, server.port, &peer, watch).await?, &peer).await,
        }
    };
    let began = Instant::now();
    let answered = timeout_at(deadline, steps).await;
    watch.lap("greet");
    let byte =
        answered.unwrap_or_else(|_| Err(Fault::hung("SSLRequest", began.elapsed(), &peer)))?;
    match byte {
        // `E` precedes an error of a server that could not even start a process.
        b'S' | b'N' | b'E' => Ok(()),
        _ => Err(Fault::foreign("SSLRequest", &peer)),
    }
}

async fn connect(
    host: &str,
    port: u16,
    peer: &str,
    watch: &mut Stopwatch,
) -> Result<TcpStream, Fault> {
    if let Ok(address) = host.parse::<IpAddr>() {
        let stream = TcpStream::connect((address, port)).await;
        watch.lap("connect");
        return stream.map_err(|error| Fault::of_io(&error, "connect", peer));
    }
    let found = lookup_host((host, port)).await;
    watch.lap("resolve");
    let addresses: Vec<_> = found.map_err(|error| Fault::unresolved(&error, host))?.collect();
    let stream = TcpStream::connect(addresses.as_slice()).await;
    watch.lap("connect");
    stream.map_err(|error| Fault::of_io(&error, "connect", peer))
}

async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin, peer: &str) -> Result<u8, Fault> {
    let exchange = async {
        stream.write_all(&SSL_REQUEST).await?;
        stream.read_u8().await
    };
    exchange.await.map_err(|error| {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            Fault::foreign("SSLRequest", peer)
        } else {
            Fault::of_io(&error, "SSLRequest", peer)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        integrations::database::{Settings, address::Place, fault::Kind},
        secret::Secret,
    };
    use std::time::Duration;
    use tokio::net::TcpListener;

    fn server(port: u16) -> Server {
        let url = Some(Secret::new(format!("postgres://app:hunter2@127.0.0.1:{port}/shop")));
        match Place::of(&Settings { url, ..Settings::default() }) {
            Ok(Place::Postgres(server)) => server,
            Ok(Place::MySql(_) | Place::Sqlite(_) | Place::Embedded) | Err(_) => {
                panic!("not a server")
            }
        }
    }

    /// What `greet` says of a peer that answers with `reply` and closes.
    async fn met(reply: Option<&'static [u8]>) -> Result<(), Fault> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = server(listener.local_addr().unwrap().port());
        let peer = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let Some(reply) = reply else { return std::future::pending().await };
            let mut asked = [0; 8];
            stream.read_exact(&mut asked).await.unwrap();
            stream.write_all(reply).await.unwrap();
        };
        let deadline = Instant::now() + Duration::from_millis(300);
        let mut watch = Stopwatch::start();
        let (met, ()) = tokio::select! {
            met = greet(&server, &mut watch, deadline) => (met, ()),
            () = async { peer.await; std::future::pending::<()>().await } => unreachable!(),
        };
        met
    }

    #[tokio::test]
    async fn only_a_server_of_the_right_kind_is_greeted() {
        assert_eq!(met(Some(b"S")).await, Ok(()));
        assert_eq!(met(Some(b"N")).await, Ok(()));
        for stranger in [b"HTTP/1.1 400 Bad Request".as_slice(), b"-ERR unknown command", b""] {
            let fault = met(Some(stranger)).await.unwrap_err();
            assert_eq!(fault.kind, Kind::Foreign, "{fault:?}");
            assert!(fault.says.contains("does not answer as PostgreSQL"), "{fault:?}");
        }
    }

    #[tokio::test]
    async fn a_peer_that_says_nothing_is_given_up_in_time() {
        let fault = met(None).await.unwrap_err();
        assert_eq!(fault.kind, Kind::Hung);
        assert!(fault.says.contains("no answer within 3"), "{fault:?}");
    }

    #[tokio::test]
    async fn a_port_without_a_listener_is_refused_at_once() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = server(listener.local_addr().unwrap().port());
        drop(listener);
        let mut watch = Stopwatch::start();
        let deadline = Instant::now() + Duration::from_secs(2);
        let fault = greet(&server, &mut watch, deadline).await.unwrap_err();
        assert_eq!(fault.kind, Kind::Unreachable);
        assert!(fault.says.starts_with("connection refused by 127.0.0.1:"), "{fault:?}");
        assert!(watch.elapsed() < Duration::from_secs(1));
    }
}
