//! A session of PostgreSQL without TLS whose messages are written and read here.
//!
//! The driver reads once more than there is to read, has the server close each portal and
//! passes every answer through several streams. That is a quarter of what a client takes
//! of the processor for an operation, and a load test would count it as the server's.
//! What needs more than this, as TLS does, stays with the driver.

mod entry;

pub(super) use entry::Entry;

use super::{LoadTable, Operation, Unable};
use bytes::{BufMut as _, BytesMut};
use fallible_iterator::FallibleIterator as _;
use postgres_protocol::{
    IsNull,
    message::{
        backend::{ErrorResponseBody, Header, Message},
        frontend,
    },
};
use std::{error::Error, io};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpStream, UnixStream},
};
use tokio_util::either::Either;

/// The type of every parameter here: `int8`.
const INT8: u32 = 20;
/// Values travel as bytes, not as text.
const BINARY: i16 = 1;
/// Bytes that there is room for at each read: more than is ever on its way.
const ROOM: usize = 4 * 1024;
/// A longer message is none of a server that was asked for one number.
const LONGEST: i32 = 64 * 1024;

/// One session.
#[derive(Debug)]
pub struct Plain {
    stream: Either<TcpStream, UnixStream>,
    request: BytesMut,
    heard: BytesMut,
    /// Which of the operations the server knows as prepared statements.
    prepared: [bool; 4],
}

impl Plain {
    fn new(stream: Either<TcpStream, UnixStream>) -> Self {
        let (request, heard) = (BytesMut::with_capacity(512), BytesMut::with_capacity(2 * ROOM));
        Self { stream, request, heard, prepared: [false; 4] }
    }

    /// Does one operation as a prepared statement, to its last row; says how many rows
    /// it touched.
    pub(super) async fn run(
        &mut self,
        table: &LoadTable,
        what: Operation,
        value: i64,
    ) -> Result<u64, Unable> {
        self.ask(table, what, value).await.map_err(|error| lost(&error))?;
        let mut answer = Answer::default();
        loop {
            let message = match self.hear().await {
                Ok(message) => message,
                Err(error) => return answer.unfinished(&error),
            };
            if answer.add(&message).map_err(|error| lost(&odd(error)))? {
                self.prepared[what as usize] |= answer.prepared;
                return answer.result();
            }
        }
    }

    /// Sends one operation, and with the first of its kind what it is.
    async fn ask(&mut self, table: &LoadTable, what: Operation, value: i64) -> io::Result<()> {
        let (request, name) = (&mut self.request, what.word());
        request.clear();
        if !self.prepared[what as usize] {
            frontend::parse(name, table.statement(what).as_str(), [INT8], request)?;
        }
        let number =
            |value: i64, to: &mut BytesMut| -> Result<IsNull, Box<dyn Error + Sync + Send>> {
                to.put_i64(value);
                Ok(IsNull::No)
            };
        frontend::bind("", name, [BINARY], [value], number, [BINARY], request)
            .map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
        frontend::execute("", 0, request)?;
        frontend::sync(request);
        self.send().await
    }

    async fn send(&mut self) -> io::Result<()> {
        self.stream.write_all(&self.request).await
    }

    /// Waits for the next message.
    async fn hear(&mut self) -> io::Result<Message> {
        loop {
            if let Some(message) = whole(&mut self.heard)? {
                return Ok(message);
            }
            self.heard.reserve(ROOM);
            if self.stream.read_buf(&mut self.heard).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// Says goodbye.
    pub(super) async fn close(mut self) -> io::Result<()> {
        self.request.clear();
        frontend::terminate(&mut self.request);
        self.send().await?;
        self.stream.shutdown().await
    }
}

/// The next message, once all of it is there.
fn whole(heard: &mut BytesMut) -> io::Result<Option<Message>> {
    match Header::parse(heard).map_err(odd)? {
        Some(header) if header.len() > LONGEST => Err(io::ErrorKind::InvalidData.into()),
        Some(_) => Message::parse(heard).map_err(odd),
        None => Ok(None),
    }
}

/// What cannot be read is no end of the connection, as the library has it of a text
/// without one.
fn odd(_: io::Error) -> io::Error {
    io::ErrorKind::InvalidData.into()
}

/// What a server has said so far to one operation.
#[derive(Debug, Default, PartialEq)]
struct Answer {
    rows: u64,
    prepared: bool,
    refused: Option<Unable>,
}

impl Answer {
    /// Takes one message; says whether it was the last.
    #[expect(clippy::wildcard_enum_match_arm, reason = "of most messages nothing is wanted")]
    fn add(&mut self, message: &Message) -> io::Result<bool> {
        match message {
            Message::ParseComplete => self.prepared = true,
            Message::CommandComplete(done) => self.rows += touched(done.tag()?),
            Message::ErrorResponse(refusal) => {
                let refusal = refused(refusal)?;
                let broken = refusal.broken;
                self.refused = Some(refusal);
                return Ok(broken);
            }
            Message::ReadyForQuery(_) => return Ok(true),
            _ => {}
        }
        Ok(false)
    }

    fn result(self) -> Result<u64, Unable> {
        self.refused.map_or(Ok(self.rows), Err)
    }

    /// The session ended before the answer did; what the server said of that counts more.
    fn unfinished(self, error: &io::Error) -> Result<u64, Unable> {
        Err(self.refused.map_or_else(|| lost(error), |why| Unable { broken: true, ..why }))
    }
}

/// How many rows a command touched, as its tag ends: `INSERT 0 1`.
fn touched(tag: &str) -> u64 {
    tag.rsplit(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// What an error of the server means: its code, and whether that ends the session.
fn refused(error: &ErrorResponseBody) -> io::Result<Unable> {
    const SEVERITY: u8 = b'V';
    const CODE: u8 = b'C';
    let (mut class, mut broken) = (String::new(), false);
    let mut fields = error.fields();
    while let Some(field) = fields.next()? {
        match (field.type_(), field.value_bytes()) {
            (SEVERITY, severity) => broken = matches!(severity, b"FATAL" | b"PANIC"),
            (CODE, code) if code.len() == 5 && code.iter().all(u8::is_ascii_alphanumeric) => {
                class = String::from_utf8_lossy(code).into_owned();
            }
            _ => {}
        }
    }
    let says = format!("the server answered {class}");
    Ok(Unable { class, says, hint: String::new(), broken })
}

/// What it means that a session came to its end.
fn lost(error: &io::Error) -> Unable {
    let odd = matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput);
    let (class, says) = if odd {
        ("not postgres", "what came is not PostgreSQL's protocol")
    } else {
        ("closed", "the server closed the connection")
    };
    Unable { class: class.into(), says: says.into(), hint: String::new(), broken: true }
}

#[cfg(test)]
mod tests;
