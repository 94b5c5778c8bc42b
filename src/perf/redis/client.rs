//! The clients: one connection each, one write and as few reads as the server allows.

use super::{
    control::Control,
    tape::{GET, Material, Mix, SET, Tape},
    wire::Framer,
};
use crate::{
    domain::plain,
    integrations::redis::{Dial, Raw, Undialled},
    perf::{Broken, Client, Subject, Trip, number::count},
    units,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::Mutex,
    time::Instant,
};

/// Bytes that are read at once.
const BUFFER: usize = 16 * 1024;
/// How long a connection may take.
const DIAL: Duration = Duration::from_secs(5);
/// Characters of the word that a server begins an error with.
const CODE: usize = 20;
/// How long before its keys expire a test must end.
const SPARE: Duration = Duration::from_secs(20);
/// Percent of the server's memory limit that may be in use.
const FULL: u64 = 80;

/// A Redis under load.
pub(super) struct Target {
    pub(super) dial: Dial,
    pub(super) material: Material,
    pub(super) depth: usize,
    pub(super) sending: Arc<Sending>,
    /// When the first of the keys expires.
    pub(super) expires: Instant,
    /// The connection that asks how the server is.
    pub(super) control: Mutex<Control>,
}

/// What the clients send.
pub(super) struct Sending {
    pub(super) mix: Mix,
    /// GETs and SETs sent.
    counts: [AtomicU64; 2],
}

impl Sending {
    pub(super) fn new(mix: Mix) -> Self {
        Self { mix, counts: Default::default() }
    }

    /// GETs and SETs sent so far.
    pub(super) fn counts(&self) -> [u64; 2] {
        [&self.counts[GET], &self.counts[SET]].map(|sent| sent.load(Relaxed))
    }

    fn count(&self, gets: usize, sets: usize) {
        for (kind, sent) in [(GET, gets), (SET, sets)] {
            if sent > 0 {
                self.counts[kind].fetch_add(count(sent), Relaxed);
            }
        }
    }
}

impl Subject for Target {
    type Client = Caller;

    fn operations(&self) -> Vec<String> {
        let names: &[&str] = match self.sending.mix {
            Mix::Get => &["GET"],
            Mix::Set => &["SET"],
            Mix::Mixed => &["GET", "SET"],
        };
        names.iter().copied().map(str::to_owned).collect()
    }

    async fn connect(&self) -> Result<Caller, Broken> {
        let stream = self.dial.open(Instant::now() + DIAL).await.map_err(|why| broken(&why))?;
        Ok(Caller {
            stream,
            tape: Tape::new(&self.material, self.sending.mix, self.depth),
            framer: Framer::default(),
            buffer: vec![0; BUFFER].into(),
            kept: 0,
            sending: Arc::clone(&self.sending),
        })
    }

    async fn look(&self) -> Result<(), String> {
        if Instant::now() + SPARE > self.expires {
            return Err("its keys are about to expire: ask for fewer commands".into());
        }
        // A server that does not answer now is judged by what it does to the clients.
        let Ok(memory) = self.control.lock().await.info("memory").await else { return Ok(()) };
        let (used, most) = (memory.number("used_memory"), memory.number("maxmemory"));
        too_full(used, most).map_or(Ok(()), Err)
    }
}

/// Why a server with so much memory in use must be left alone; `most` is its limit, 0 for none.
pub(super) fn too_full(used: u64, most: u64) -> Option<String> {
    let full = most > 0 && u128::from(used) * 100 > u128::from(most) * u128::from(FULL);
    full.then(|| {
        let (used, most) = (units::bytes(used), units::bytes(most));
        format!("memory {used} of {most} in use, limit {FULL} %")
    })
}

pub(super) fn broken(why: &Undialled) -> Broken {
    Broken::new(&why.class, &why.says)
}

/// One client.
pub(super) struct Caller {
    stream: Raw,
    tape: Tape,
    framer: Framer,
    buffer: Box<[u8]>,
    /// Bytes of an unfinished line at the begin of the buffer.
    kept: usize,
    sending: Arc<Sending>,
}

impl Client for Caller {
    async fn trip(&mut self, trip: &mut Trip<'_>) -> Result<(), Broken> {
        let many = trip.left();
        let (request, from) = self.tape.next(many);
        self.stream.write_all(request).await.map_err(|_| closed())?;
        let sets = (from..from + many).filter(|place| self.tape.kind(*place) == SET).count();
        self.sending.count(many - sets, sets);
        let mut place = from;
        while trip.left() > 0 {
            place += self.hear(trip, place).await?;
        }
        if place > from + many || self.kept > 0 {
            return Err(Broken::new("odd", "the server answers more than it was asked"));
        }
        Ok(())
    }
}

impl Caller {
    /// Reads once and tells the trip what ended; returns how many answers came.
    async fn hear(&mut self, trip: &mut Trip<'_>, place: usize) -> Result<usize, Broken> {
        let read = self.stream.read(&mut self.buffer[self.kept..]).await.map_err(|_| closed())?;
        if read == 0 {
            return Err(closed());
        }
        let filled = self.kept + read;
        let (tape, mixed) = (&self.tape, self.sending.mix == Mix::Mixed);
        // Those of one kind in a row are told together.
        let (mut heard, mut row) = (0, (0, 0));
        let done = self.framer.read(&self.buffer[..filled], |error| {
            let kind = if mixed { tape.kind(place + heard) } else { 0 };
            heard += 1;
            if error.is_none() && kind == row.0 {
                row.1 += 1;
                return;
            }
            trip.ended(row.0, row.1);
            row = (kind, usize::from(error.is_none()));
            if let Some(error) = error {
                trip.failed(kind, &code(error));
            }
        });
        trip.ended(row.0, row.1);
        let done =
            done.map_err(|_| Broken::new("not redis", "what came is not Redis' protocol"))?;
        self.buffer.copy_within(done..filled, 0);
        self.kept = filled - done;
        Ok(heard)
    }
}

fn closed() -> Broken {
    Broken::new("closed", "the server closed the connection")
}

/// The word that an error begins with, as far as it is one.
fn code(error: &[u8]) -> String {
    let word = error.split(|byte| *byte == b' ').next().unwrap_or_default();
    let is_code = !word.is_empty() && word.iter().all(u8::is_ascii_uppercase);
    if is_code { plain(&String::from_utf8_lossy(word), CODE) } else { "ERR".into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_a_word_in_capitals_and_anything_else_is_err() {
        assert_eq!(code(b"LOADING Redis is loading"), "LOADING");
        assert_eq!(code(b"OOM command not allowed"), "OOM");
        for odd in [&b""[..], b"unknown command", b"\x1b[31m", b"err"] {
            assert_eq!(code(odd), "ERR");
        }
        assert_eq!(code(&[b'A'; 500]).chars().count(), CODE);
    }

    #[test]
    fn a_server_is_left_alone_from_four_fifths_of_its_memory_on() {
        assert_eq!(too_full(80, 100), None);
        assert!(too_full(81, 100).unwrap().ends_with("limit 80 %"));
        assert_eq!(too_full(u64::MAX, 0), None, "no limit is set");
    }
}
