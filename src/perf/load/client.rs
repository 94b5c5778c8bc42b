//! The clients: one connection each, one write and as few reads as the server allows.

use super::{
    dial::{Dial, Wire},
    expect::Expected,
    frame::{Framer, Head, Odd},
    seen::Seen,
};
use crate::perf::{Broken, Client, Subject, Trip};
use std::{cell::RefCell, future::poll_fn, io, sync::Arc, task::Poll};
use tokio::{io::ReadBuf, time::Instant};

/// Bytes that are read at once, into a buffer that all clients of a thread share.
const BUFFER: usize = 64 * 1024;

thread_local! {
    static BUFFERED: RefCell<Box<[u8]>> = RefCell::new(vec![0; BUFFER].into());
}

/// What is under load.
pub(super) struct Target(pub(super) Arc<Way>);

/// The way there, what is asked, and what came of it.
pub(super) struct Way {
    pub(super) dial: Dial,
    pub(super) ask: Ask,
    pub(super) seen: Seen,
}

/// What every client asks.
pub(super) struct Ask {
    /// The request as it is sent.
    pub(super) bytes: Arc<[u8]>,
    pub(super) name: String,
    /// Whether the responses have no body.
    pub(super) bodiless: bool,
    /// Whether it may be sent twice.
    pub(super) repeatable: bool,
    /// Whether each request has a connection of its own.
    pub(super) fresh: bool,
    pub(super) expected: Expected,
}

impl Subject for Target {
    type Client = Caller;

    fn operations(&self) -> Vec<String> {
        vec![self.0.ask.name.clone()]
    }

    async fn connect(&self) -> Result<Caller, Broken> {
        let line = Line::open(&self.0).await?;
        // With a connection for each request this one has shown that there are any.
        let line = (!self.0.ask.fresh).then_some(line);
        Ok(Caller { way: Arc::clone(&self.0), line })
    }

    async fn look(&self) -> Result<(), String> {
        match self.0.seen.slowed() {
            Some(says) => Err(says),
            None => Ok(()),
        }
    }
}

/// One client.
pub(super) struct Caller {
    way: Arc<Way>,
    line: Option<Line>,
}

/// A connection, and how far its responses are read.
struct Line {
    wire: Wire,
    framer: Framer,
    /// The begin of a head that was not whole.
    kept: Vec<u8>,
    /// Whether it has carried a response before.
    used: bool,
}

/// Why a response did not come.
enum Lost {
    /// The connection ended before the first byte of it.
    Idle(Broken),
    /// Anything else.
    Broken(Broken),
}

impl From<Odd> for Lost {
    fn from(odd: Odd) -> Self {
        Self::Broken(Broken::new(odd.class(), odd.says()))
    }
}

impl Client for Caller {
    async fn trip(&mut self, trip: &mut Trip<'_>) -> Result<(), Broken> {
        while trip.left() > 0 {
            match self.once().await? {
                None => trip.ended(0, 1),
                Some(class) => trip.failed(0, &class),
            }
        }
        Ok(())
    }
}

impl Caller {
    /// One that is not connected yet.
    pub(super) fn new(way: Arc<Way>) -> Self {
        Self { way, line: None }
    }

    /// Asks once; where the answer is none of the good ones, says of which class it is.
    pub(super) async fn once(&mut self) -> Result<Option<String>, Broken> {
        let head = self.ask().await?;
        let class = self.way.ask.expected.class(head.status);
        self.way.seen.answered(head, class.is_none());
        if !head.keeps || self.way.ask.fresh {
            self.line = None;
        }
        Ok(class)
    }

    /// Asks once. A connection that the server has closed meanwhile is replaced, where
    /// nothing of an answer has come and the request may be sent again.
    async fn ask(&mut self) -> Result<Head, Broken> {
        let Self { way, line } = self;
        let known = match line {
            Some(known) => known,
            None => line.insert(Line::open(way).await?),
        };
        let reused = known.used;
        match known.exchange(way).await {
            Ok(head) => Ok(head),
            Err(Lost::Idle(_)) if reused && way.ask.repeatable => {
                way.seen.again();
                let fresh = line.insert(Line::open(way).await?);
                fresh.exchange(way).await.map_err(Lost::into_broken)
            }
            Err(lost) => Err(lost.into_broken()),
        }
    }
}

impl Lost {
    fn into_broken(self) -> Broken {
        match self {
            Self::Idle(broken) | Self::Broken(broken) => broken,
        }
    }
}

impl Line {
    async fn open(way: &Way) -> Result<Self, Broken> {
        let began = Instant::now();
        let wire = way.dial.open().await?;
        way.seen.opened(began.elapsed());
        let framer = Framer::new(way.ask.bodiless);
        Ok(Self { wire, framer, kept: Vec::new(), used: false })
    }

    /// Sends the request and reads its response to the end.
    async fn exchange(&mut self, way: &Way) -> Result<Head, Lost> {
        let lost = |error: &io::Error| way.dial.broken(error);
        self.wire.send(&way.ask.bytes).await.map_err(|error| Lost::Idle(lost(&error)))?;
        let mut begun = false;
        loop {
            match self.read(&way.seen).await {
                Ok(Read::Response(head)) => {
                    self.used = true;
                    return Ok(head);
                }
                Ok(Read::More) => begun = true,
                Ok(Read::End) => return self.ended(),
                // Over TLS a body that only the end ends may have been cut off by anybody.
                Err(Unread::Io(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return self.ended().and(Err(Odd::Cut.into()));
                }
                Err(Unread::Odd(odd)) => return Err(odd.into()),
                Err(Unread::Io(error)) if begun => return Err(Lost::Broken(lost(&error))),
                Err(Unread::Io(error)) => return Err(Lost::Idle(lost(&error))),
            }
        }
    }

    /// What the end of the connection means.
    fn ended(&mut self) -> Result<Head, Lost> {
        let closed = || Broken::new("closed", "the server closed the connection");
        self.framer.close(self.kept.len())?.ok_or_else(|| Lost::Idle(closed()))
    }

    /// Reads once.
    async fn read(&mut self, seen: &Seen) -> Result<Read, Unread> {
        let Self { wire, framer, kept, .. } = self;
        poll_fn(|cx| {
            BUFFERED.with_borrow_mut(|buffer| {
                let mut buffer = ReadBuf::new(buffer);
                match wire.poll_read(cx, &mut buffer) {
                    Poll::Pending => Poll::Pending,
                    Poll::Ready(Err(error)) => Poll::Ready(Err(Unread::Io(error))),
                    Poll::Ready(Ok(())) if buffer.filled().is_empty() => Poll::Ready(Ok(Read::End)),
                    Poll::Ready(Ok(())) => {
                        seen.received(buffer.filled().len());
                        Poll::Ready(take(framer, kept, buffer.filled()).map_err(Unread::Odd))
                    }
                }
            })
        })
        .await
    }
}

/// What one read came to.
enum Read {
    Response(Head),
    More,
    End,
}

enum Unread {
    Io(io::Error),
    Odd(Odd),
}

/// Frames what has come, together with what was kept of before; keeps what is not done with.
fn take(framer: &mut Framer, kept: &mut Vec<u8>, bytes: &[u8]) -> Result<Read, Odd> {
    if kept.is_empty() {
        let (used, head) = framer.read(bytes)?;
        kept.extend_from_slice(&bytes[used..]);
        return whole(head, kept.len());
    }
    kept.extend_from_slice(bytes);
    let (used, head) = framer.read(kept)?;
    kept.drain(..used);
    whole(head, kept.len())
}

/// One request has one response: nothing may come after it.
fn whole(head: Option<Head>, left: usize) -> Result<Read, Odd> {
    match head {
        Some(_) if left > 0 => Err(Odd::Surplus),
        Some(head) => Ok(Read::Response(head)),
        None => Ok(Read::More),
    }
}
