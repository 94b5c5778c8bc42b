//! Where one response ends and the next begins, without keeping its body. Pure.

use super::chunks::Chunks;
use httparse::{Header, ParserConfig, Response, Status};
use std::mem::{self, MaybeUninit};

/// Bytes that the head of a response may have.
const HEAD: usize = 16 * 1024;
/// Fields that it may have.
const FIELDS: usize = 100;
/// Interim responses, such as 103, before the one that counts.
const INTERIM: u8 = 8;

/// What a response said of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) status: u16,
    /// Whether the connection may be used again.
    pub(super) keeps: bool,
    /// Seconds to stay away, if it named any.
    pub(super) retry_after: Option<u32>,
}

/// What came is no response that one could count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Odd {
    /// Something else than HTTP/1.
    NotHttp,
    /// More head, or more beside the body, than anybody needs.
    TooLong,
    /// It contradicts itself about its length.
    Length,
    /// A chunk that is none.
    Chunk,
    /// It changes the protocol, which nobody asked for.
    Upgrade,
    /// It ended in the middle.
    Cut,
    /// There was more of it than it said.
    Surplus,
}

impl Odd {
    /// Under which word it is counted.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::NotHttp | Self::TooLong | Self::Chunk | Self::Upgrade => "malformed",
            Self::Length | Self::Cut | Self::Surplus => "wrong length",
        }
    }

    /// In a clause.
    pub(super) fn says(self) -> &'static str {
        match self {
            Self::NotHttp => "what came is not HTTP/1",
            Self::TooLong => "the head of the response is over 16 KiB",
            Self::Length => "the response contradicts itself about its length",
            Self::Chunk => "the response has a chunk that is none",
            Self::Upgrade => "the server changes the protocol, which nobody asked for",
            Self::Cut => "the connection ended in the middle of the response",
            Self::Surplus => "more came than the response said it has",
        }
    }
}

/// Finds the ends of the responses in a stream of bytes.
#[derive(Debug)]
pub(super) struct Framer {
    /// Whether no response has a body: those to HEAD.
    bodiless: bool,
    state: State,
    head: Head,
    interim: u8,
}

#[derive(Debug)]
enum State {
    /// In the head, of which so many bytes were looked at in vain.
    Head(usize),
    /// In a body with so many bytes to come.
    Counted(u64),
    Chunked(Chunks),
    /// In a body that the end of the connection ends.
    Rest,
}

/// What a head says about the body.
#[derive(Default)]
struct Framing {
    length: Option<u64>,
    /// Whether it is coded, and in the end in chunks.
    chunked: Option<bool>,
    close: bool,
    keep: bool,
}

impl Framer {
    pub(super) fn new(bodiless: bool) -> Self {
        Self { bodiless, state: State::Head(0), head: Head::default(), interim: 0 }
    }

    /// Reads on in `bytes`, up to the end of a response, which it then returns. Says how
    /// many bytes are done with; the rest must come again with what follows.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Result<(usize, Option<Head>), Odd> {
        let mut at = 0;
        loop {
            let rest = &bytes[at..];
            let (used, ended) = match &mut self.state {
                State::Head(_) => match self.read_head(rest)? {
                    Some(used) => (used, matches!(self.state, State::Counted(0))),
                    None => return Ok((at, None)),
                },
                State::Counted(left) => {
                    let here = u64::try_from(rest.len()).unwrap_or(u64::MAX).min(*left);
                    *left -= here;
                    // No more than the length of the slice.
                    (usize::try_from(here).unwrap_or(usize::MAX), *left == 0)
                }
                State::Chunked(chunks) => chunks.read(rest)?,
                State::Rest => (rest.len(), false),
            };
            at += used;
            if ended {
                self.state = State::Head(0);
                return Ok((at, Some(mem::take(&mut self.head))));
            }
            if at == bytes.len() {
                return Ok((at, None));
            }
        }
    }

    /// The connection has ended, with `kept` bytes not done with. That may be how a
    /// response ends; without any of it there is none.
    pub(super) fn close(&mut self, kept: usize) -> Result<Option<Head>, Odd> {
        match self.state {
            State::Rest => {
                self.state = State::Head(0);
                Ok(Some(mem::take(&mut self.head)))
            }
            State::Head(_) if kept == 0 && self.interim == 0 => Ok(None),
            State::Head(_) | State::Counted(_) | State::Chunked(_) => Err(Odd::Cut),
        }
    }

    /// Reads a head, if it is whole; says how long it is.
    fn read_head(&mut self, bytes: &[u8]) -> Result<Option<usize>, Odd> {
        if let State::Head(seen) = self.state
            && !may_be_whole(bytes, seen)
        {
            return self.wait(bytes);
        }
        let mut fields = [MaybeUninit::<Header<'_>>::uninit(); FIELDS];
        let mut response = Response::new(&mut []);
        let parsed = ParserConfig::default().parse_response_with_uninit_headers(
            &mut response,
            bytes,
            &mut fields,
        );
        let length = match parsed {
            Ok(Status::Complete(length)) if length <= HEAD => length,
            Ok(Status::Complete(_)) | Err(httparse::Error::TooManyHeaders) => {
                return Err(Odd::TooLong);
            }
            Ok(Status::Partial) => return self.wait(bytes),
            Err(_) => return Err(Odd::NotHttp),
        };
        let (status, minor) = (response.code.unwrap_or(0), response.version.unwrap_or(0));
        let mut framing = Framing::default();
        let mut head = Head { status, ..Head::default() };
        for field in response.headers.iter() {
            framing.take(field, &mut head)?;
        }
        head.keeps = !framing.close && (minor == 1 || framing.keep);
        self.begin(head, &framing)?;
        Ok(Some(length))
    }

    fn wait(&mut self, bytes: &[u8]) -> Result<Option<usize>, Odd> {
        self.state = State::Head(bytes.len());
        if bytes.len() > HEAD { Err(Odd::TooLong) } else { Ok(None) }
    }

    /// Begins the body that the head promises, or the next head after an interim one.
    fn begin(&mut self, head: Head, framing: &Framing) -> Result<(), Odd> {
        self.head = head;
        self.state = match head.status {
            101 => return Err(Odd::Upgrade),
            100..200 if self.interim == INTERIM => return Err(Odd::TooLong),
            100..200 => {
                self.interim += 1;
                State::Head(0)
            }
            200..600 => {
                self.interim = 0;
                self.body(framing)?
            }
            _ => return Err(Odd::NotHttp),
        };
        Ok(())
    }

    fn body(&mut self, framing: &Framing) -> Result<State, Odd> {
        Ok(match (framing.chunked, framing.length) {
            (Some(_), Some(_)) => return Err(Odd::Length),
            _ if self.bodiless || matches!(self.head.status, 204 | 304) => State::Counted(0),
            (Some(true), None) => State::Chunked(Chunks::default()),
            (None, Some(length)) => State::Counted(length),
            (Some(false) | None, None) => {
                self.head.keeps = false;
                State::Rest
            }
        })
    }
}

impl Framing {
    fn take(&mut self, field: &Header<'_>, head: &mut Head) -> Result<(), Odd> {
        let is = |name: &str| field.name.eq_ignore_ascii_case(name);
        match field.name.len() {
            10 if is("connection") => {
                self.close |= words(field.value).any(|word| word.eq_ignore_ascii_case(b"close"));
                self.keep |=
                    words(field.value).any(|word| word.eq_ignore_ascii_case(b"keep-alive"));
            }
            14 if is("content-length") => {
                for word in words(field.value) {
                    let length = number(word).ok_or(Odd::Length)?;
                    if self.length.replace(length).is_some_and(|before| before != length) {
                        return Err(Odd::Length);
                    }
                }
            }
            17 if is("transfer-encoding") => {
                let last = words(field.value).last().unwrap_or_default();
                self.chunked = Some(last.eq_ignore_ascii_case(b"chunked"));
            }
            11 if is("retry-after") => {
                let seconds = number(field.value.trim_ascii());
                head.retry_after = seconds.and_then(|seconds| u32::try_from(seconds).ok());
            }
            _ => {}
        }
        Ok(())
    }
}

/// Whether a head may end in `bytes`, of which `seen` were looked at in vain.
fn may_be_whole(bytes: &[u8], seen: usize) -> bool {
    let fresh = &bytes[seen.saturating_sub(3).min(bytes.len())..];
    let ends = |end: &[u8]| fresh.windows(end.len()).any(|window| window == end);
    seen == 0 || ends(b"\n\n") || ends(b"\n\r\n")
}

/// What stands between the commas.
fn words(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii)
}

/// A number of at most eighteen digits and nothing else.
fn number(digits: &[u8]) -> Option<u64> {
    let plain = (1..=18).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    plain.then(|| digits.iter().fold(0, |value, digit| value * 10 + u64::from(digit - b'0')))
}

#[cfg(test)]
mod tests;
