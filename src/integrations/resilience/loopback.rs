//! Servers on this machine that misbehave on command, and the client that meets them.

use crate::probe::ProbeError;
use std::{
    io::{self, ErrorKind},
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::{Instant, timeout},
};
use tokio_util::task::AbortOnDropHandle;

/// Arrivals that a server remembers; no check calls it as often.
const REMEMBERED: usize = 64;
/// What a call over loopback may take. A slower one says that this host is starved.
const CALL: Duration = Duration::from_millis(500);
/// The whole of the protocol: one byte there, one byte back.
const QUESTION: u8 = b'?';
const ANSWER: u8 = b'!';

/// Answers calls, or resets them as often as it was told to.
pub(super) struct Moody {
    address: SocketAddr,
    ledger: Arc<Ledger>,
    _serving: AbortOnDropHandle<()>,
}

#[derive(Default)]
struct Ledger {
    to_reset: AtomicUsize,
    arrivals: Mutex<Vec<Instant>>,
}

impl Moody {
    /// Starts to listen. Ends when dropped.
    pub(super) async fn start() -> Result<Self, ProbeError> {
        let (listener, address) = listen().await?;
        let ledger = Arc::new(Ledger::default());
        let serving = tokio::spawn(serve(listener, Arc::clone(&ledger)));
        Ok(Self { address, ledger, _serving: AbortOnDropHandle::new(serving) })
    }

    /// Resets the next `calls`, then answers.
    pub(super) fn reset_next(&self, calls: usize) {
        self.ledger.to_reset.store(calls, Ordering::SeqCst);
    }

    /// When calls arrived here.
    pub(super) fn arrivals(&self) -> Vec<Instant> {
        self.ledger.arrivals.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Calls it once: whether it answered. Trouble of our own is an error.
    pub(super) async fn call(&self) -> Result<bool, ProbeError> {
        match timeout(CALL, exchange(self.address)).await {
            Ok(Ok(())) => Ok(true),
            Ok(Err(error)) if is_theirs(error.kind()) => Ok(false),
            Ok(Err(error)) => Err(own_trouble(&error)),
            Err(_) => Ok(false),
        }
    }
}

/// Accepts one call, never answers it, and says when the caller let go of it.
pub(super) async fn silence()
-> Result<(SocketAddr, AbortOnDropHandle<io::Result<Instant>>), ProbeError> {
    let (listener, address) = listen().await?;
    let waiting = tokio::spawn(async move {
        let (mut caller, _) = listener.accept().await?;
        let mut byte = [0];
        while matches!(caller.read(&mut byte).await, Ok(1..)) {}
        Ok(Instant::now())
    });
    Ok((address, AbortOnDropHandle::new(waiting)))
}

/// Asks a server at `address` and waits for its answer.
pub(super) async fn exchange(address: SocketAddr) -> io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(&[QUESTION]).await?;
    match stream.read_u8().await? {
        ANSWER => Ok(()),
        _ => Err(ErrorKind::InvalidData.into()),
    }
}

/// What an error means that has nothing to do with the misbehaviour ordered.
pub(super) fn own_trouble(error: &io::Error) -> ProbeError {
    ProbeError::Local(format!("this host's loopback network: {error}"))
}

async fn listen() -> Result<(TcpListener, SocketAddr), ProbeError> {
    let bound = async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        Ok((listener, address))
    };
    bound.await.map_err(|error: io::Error| own_trouble(&error))
}

async fn serve(listener: TcpListener, ledger: Arc<Ledger>) {
    // One call at a time is enough: no check has two under way.
    while let Ok((mut caller, _)) = listener.accept().await {
        ledger.note(Instant::now());
        if ledger.takes_a_reset() {
            // Zero linger makes the close an RST, as of a process that died.
            drop(caller.set_zero_linger());
        } else if matches!(timeout(CALL, caller.read_u8()).await, Ok(Ok(QUESTION))) {
            // A caller that is gone already has seen what it wanted.
            drop(timeout(CALL, caller.write_all(&[ANSWER])).await);
        }
    }
}

impl Ledger {
    fn note(&self, arrival: Instant) {
        let mut arrivals = self.arrivals.lock().unwrap_or_else(PoisonError::into_inner);
        if arrivals.len() < REMEMBERED {
            arrivals.push(arrival);
        }
    }

    fn takes_a_reset(&self) -> bool {
        let one_less = |left: usize| left.checked_sub(1);
        self.to_reset.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_ok()
    }
}

/// Whether that is how a reset, or a closed port, looks from the calling end.
fn is_theirs(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::ConnectionReset
            | ErrorKind::ConnectionRefused
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe
            | ErrorKind::NotConnected
            | ErrorKind::UnexpectedEof
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_resets_as_often_as_told_and_then_answers() {
        let server = Moody::start().await.unwrap();
        server.reset_next(2);
        let answers = [
            server.call().await.unwrap(),
            server.call().await.unwrap(),
            server.call().await.unwrap(),
        ];
        assert_eq!(answers, [false, false, true]);
        assert_eq!(server.arrivals().len(), 3);
    }

    #[tokio::test]
    async fn a_silent_one_sees_its_caller_leave() {
        let (address, waiting) = silence().await.unwrap();
        let given_up = timeout(Duration::from_millis(30), exchange(address)).await;
        assert!(given_up.is_err(), "it answered");
        let left = timeout(Duration::from_secs(5), waiting).await.unwrap().unwrap().unwrap();
        assert!(left <= Instant::now());
    }

    #[test]
    fn running_out_of_descriptors_is_not_the_servers_doing() {
        let full = io::Error::from_raw_os_error(24);
        assert!(!is_theirs(full.kind()));
        assert!(matches!(own_trouble(&full), ProbeError::Local(_)));
    }
}
