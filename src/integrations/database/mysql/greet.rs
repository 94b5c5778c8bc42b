use super::address::Server;
use crate::{
    integrations::database::{
        address::Host,
        fault::{Dialect, Fault, Names, Stage},
    },
    probe::Stopwatch,
};
use std::{io, net::IpAddr};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _},
    net::{TcpStream, UnixStream, lookup_host},
    time::{Instant, timeout_at},
};

const ASKED: &str = "its greeting";
/// The version of the handshake that every server since 3.21 speaks.
const HANDSHAKE: u8 = 10;
/// What a refusal begins with.
const REFUSAL: u8 = 0xFF;
/// A greeting is shorter; a stranger's first bytes mostly stand for far more.
const LONGEST: usize = 1024;
/// Version, its end, a session's number, eight bytes of salt, flags.
const SHORTEST: usize = 20;

/// Proves that a MySQL server greets whoever connects.
///
/// The driver must not meet a stranger first: it takes whatever comes for a
/// greeting and panics where it is too short. The server counts such a visit
/// as one that broke off, and shuts the door to a host after a hundred of
/// them in a row; so nobody is greeted twice who has let us in meanwhile.
pub(super) async fn greet(
    server: &Server,
    watch: &mut Stopwatch,
    deadline: Instant,
) -> Result<(), Fault> {
    let peer = server.peer();
    let steps = async {
        match &server.host {
            Host::Unix(socket) => {
                let stream = UnixStream::connect(socket).await;
                watch.lap("connect");
                answer(stream.map_err(|error| Fault::of_io(&error, "connect", &peer))?, &peer).await
            }
            Host::Tcp(host) => answer(connect(host, server.port, &peer, watch).await?, &peer).await,
        }
    };
    let began = Instant::now();
    let answered = timeout_at(deadline, steps).await;
    watch.lap("greet");
    let packet = answered.unwrap_or_else(|_| Err(Fault::hung(ASKED, began.elapsed(), &peer)))?;
    match packet.as_slice() {
        [HANDSHAKE, rest @ ..] if rest.len() >= SHORTEST && rest.contains(&0) => Ok(()),
        [REFUSAL, low, high, ..] => {
            let number = u16::from_le_bytes([*low, *high]);
            let names = Names { peer, dialect: Dialect::MySql, ..Names::default() };
            Err(Fault::of_number(number, Stage::Dial, ASKED, &names))
        }
        _ => Err(Fault::stranger(ASKED, &peer, Dialect::MySql)),
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

/// The first packet: three bytes of length, the number zero, the rest.
async fn answer(mut stream: impl AsyncRead + Unpin, peer: &str) -> Result<Vec<u8>, Fault> {
    let first = async {
        let head = stream.read_u32_le().await?;
        let length = usize::try_from(head & 0x00FF_FFFF).unwrap_or(usize::MAX);
        if head >> 24 != 0 || !(3..=LONGEST).contains(&length) {
            return Ok(Vec::new());
        }
        let mut packet = vec![0; length];
        stream.read_exact(&mut packet).await?;
        Ok(packet)
    };
    first.await.map_err(|error: io::Error| {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            Fault::stranger(ASKED, peer, Dialect::MySql)
        } else {
            Fault::of_io(&error, ASKED, peer)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::integrations::database::fault::Kind;
    use std::time::Duration;
    use tokio::{io::AsyncWriteExt as _, net::TcpListener};

    /// What `greet` says of a peer that begins with `words` and closes.
    async fn met(words: Option<Vec<u8>>) -> Result<(), Fault> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = Server::of(&format!("mysql://app:hunter2@127.0.0.1:{port}/shop")).unwrap();
        let peer = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let Some(words) = words else { return std::future::pending().await };
            stream.write_all(&words).await.unwrap();
            drop(stream);
            std::future::pending::<()>().await;
        };
        let deadline = Instant::now() + Duration::from_millis(300);
        let mut watch = Stopwatch::start();
        tokio::select! {
            met = greet(&server, &mut watch, deadline) => met,
            () = peer => unreachable!(),
        }
    }

    fn packet(body: &[u8]) -> Vec<u8> {
        let length = u8::try_from(body.len()).unwrap();
        [&[length, 0, 0, 0], body].concat()
    }

    #[tokio::test]
    async fn only_a_server_of_the_right_kind_is_greeted() {
        let body = [b"\x0a10.11.6-MariaDB\0".as_slice(), &[7; 40]].concat();
        assert_eq!(met(Some(packet(&body))).await, Ok(()));
        let strangers: [&[u8]; 5] = [
            b"SSH-2.0-OpenSSH_9.2\r\n",
            b"220 mail.example ESMTP\r\n",
            b"\x0a",
            b"",
            b"\x01\0\0\0\x0a",
        ];
        for stranger in strangers {
            let fault = met(Some(stranger.to_vec())).await.unwrap_err();
            assert_eq!(fault.kind, Kind::Foreign, "{stranger:?}: {fault:?}");
            assert!(fault.says.contains("does not answer as MySQL"), "{fault:?}");
        }
    }

    #[tokio::test]
    async fn a_refusal_at_the_door_says_why() {
        let full = met(Some(packet(b"\xff\x10\x04Too many connections"))).await.unwrap_err();
        assert_eq!((full.kind, full.code.as_str()), (Kind::Full, "1040"));
        let barred = met(Some(packet(b"\xff\x69\x04Host 'hunter2' is blocked"))).await.unwrap_err();
        assert_eq!(barred.code, "1129");
        assert!(!format!("{:?}", barred.finding()).contains("hunter2"));
    }

    #[tokio::test]
    async fn a_peer_that_says_nothing_is_given_up_in_time() {
        let fault = met(None).await.unwrap_err();
        assert_eq!(fault.kind, Kind::Hung);
        assert!(fault.says.contains("no answer within 3"), "{fault:?}");
    }
}
