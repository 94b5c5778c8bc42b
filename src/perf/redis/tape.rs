//! The requests of one client, encoded once. Only the digits of the keys change.

use std::ops::Range;

/// Digits of a key's number.
pub(super) const DIGITS: usize = 12;

/// Which commands are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mix {
    /// GET alone.
    Get,
    /// SET alone.
    Set,
    /// Nine GET to one SET.
    Mixed,
}

/// The place of GET among the operations of a mixed load, and that of SET.
pub(super) const GET: usize = 0;
pub(super) const SET: usize = 1;

impl Mix {
    /// Its word on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Set => "set",
            Self::Mixed => "mixed",
        }
    }

    fn kinds(self) -> &'static [usize] {
        match self {
            Self::Get => &[GET],
            Self::Set => &[SET],
            Self::Mixed => &[SET, GET, GET, GET, GET, GET, GET, GET, GET, GET],
        }
    }

    /// Whether keys must be there before it begins.
    pub(super) fn reads(self) -> bool {
        self != Self::Set
    }

    /// Values that a client holds ready whose trips are of so many commands.
    pub(super) fn held(self, commands: u64) -> u64 {
        if self == Self::Get { 0 } else { commands }
    }

    /// For people.
    pub(super) fn commands(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Set => "SET",
            Self::Mixed => "GET, one SET in ten,",
        }
    }
}

/// What the keys and values are like.
#[derive(Clone, Debug)]
pub(super) struct Material {
    /// What every key begins with.
    pub(super) prefix: String,
    /// How many keys there are.
    pub(super) keys: u64,
    /// Bytes of a value.
    pub(super) size: usize,
    /// Seconds that a key lives.
    pub(super) lives: u64,
}

impl Material {
    /// The name of one key.
    pub(super) fn key(&self, number: u64) -> String {
        format!("{}:{number:0DIGITS$}", self.prefix)
    }

    /// The bytes that set a key.
    pub(super) fn set(&self, number: u64) -> Vec<u8> {
        let (value, lives) = (vec![b'x'; self.size], self.lives.to_string());
        encode(&[b"SET", self.key(number).as_bytes(), &value, b"EX", lives.as_bytes()])
    }

    fn get(&self, number: u64) -> Vec<u8> {
        encode(&[b"GET", self.key(number).as_bytes()])
    }
}

/// A command as the server reads it.
pub(super) fn encode(parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", parts.len()).into_bytes();
    for part in parts {
        bytes.extend_from_slice(format!("${}\r\n", part.len()).as_bytes());
        bytes.extend_from_slice(part);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

/// Requests one after the other, as many as fit the longest trip at any place of the mix.
#[derive(Debug)]
pub(super) struct Tape {
    bytes: Vec<u8>,
    marks: Vec<Mark>,
    /// The next to send.
    at: usize,
    dice: fastrand::Rng,
    keys: u64,
}

#[derive(Clone, Debug)]
struct Mark {
    kind: usize,
    bytes: Range<usize>,
    /// Where the digits of its key begin.
    digits: usize,
}

impl Tape {
    /// For trips of up to `depth` commands.
    pub(super) fn new(material: &Material, mix: Mix, depth: usize) -> Self {
        let cycle = mix.kinds();
        // Whole trips fit it without a rest, and whole turns of the cycle too.
        let length = depth.max(1) * cycle.len();
        let (mut bytes, mut marks) = (Vec::new(), Vec::new());
        for kind in cycle.iter().cycle().take(length) {
            let request = if *kind == SET { material.set(0) } else { material.get(0) };
            let begin = bytes.len();
            // The key's digits end the first part that holds them.
            let zeros = [b'0'; DIGITS];
            let key = request.windows(DIGITS).position(|window| window == zeros).unwrap_or(0);
            marks.push(Mark {
                kind: *kind,
                bytes: begin..begin + request.len(),
                digits: begin + key,
            });
            bytes.extend(request);
        }
        Self { bytes, marks, at: 0, dice: fastrand::Rng::new(), keys: material.keys.max(1) }
    }

    /// The next `count` requests with fresh keys, from the place that [`kind`](Self::kind) counts from.
    pub(super) fn next(&mut self, count: usize) -> (&[u8], usize) {
        if self.at + count > self.marks.len() {
            self.at = 0;
        }
        let from = self.at;
        let marks = &self.marks[from..(from + count).min(self.marks.len())];
        for mark in marks {
            let digits = &mut self.bytes[mark.digits..][..DIGITS];
            write_digits(digits, self.dice.u64(..self.keys));
        }
        self.at = from + marks.len();
        let span = match (marks.first(), marks.last()) {
            (Some(first), Some(last)) => first.bytes.start..last.bytes.end,
            _ => 0..0,
        };
        (&self.bytes[span], from)
    }

    /// What the request at this place is.
    pub(super) fn kind(&self, place: usize) -> usize {
        self.marks.get(place).map_or(GET, |mark| mark.kind)
    }
}

/// Writes `number` into `digits` from the right, with zeros before it.
fn write_digits(digits: &mut [u8], mut number: u64) {
    for digit in digits.iter_mut().rev() {
        // The remainder of a division by ten fits a byte.
        *digit = b'0' + u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn material() -> Material {
        Material { prefix: "tminus:{0}:1:load".into(), keys: 1000, size: 2, lives: 70 }
    }

    #[test]
    fn a_request_is_what_a_server_reads() {
        let set = String::from_utf8(material().set(42)).unwrap();
        let key = "tminus:{0}:1:load:000000000042";
        assert_eq!(
            set,
            format!(
                "*5\r\n$3\r\nSET\r\n${}\r\n{key}\r\n$2\r\nxx\r\n$2\r\nEX\r\n$2\r\n70\r\n",
                key.len()
            )
        );
    }

    #[test]
    fn only_the_keys_change_and_lie_in_their_range() {
        let mut tape = Tape::new(&material(), Mix::Get, 4);
        let (mut seen, plain) = (std::collections::BTreeSet::new(), material().get(0));
        for _ in 0..200 {
            let (bytes, _) = tape.next(4);
            assert_eq!(bytes.len(), 4 * plain.len());
            for request in bytes.chunks(plain.len()) {
                let text = std::str::from_utf8(request).unwrap();
                let number: u64 = text.trim_end().rsplit(':').next().unwrap().parse().unwrap();
                assert!(number < 1000);
                seen.insert(number);
            }
        }
        assert!(seen.len() > 300, "{}", seen.len());
    }

    #[test]
    fn a_mixed_tape_sets_one_in_ten_at_any_depth() {
        for depth in [1, 3, 7, 10, 16] {
            let mut tape = Tape::new(&material(), Mix::Mixed, depth);
            let mut kinds = [0_u32; 2];
            for _ in 0..1000 {
                let (bytes, from) = tape.next(depth);
                let sets = bytes.windows(3).filter(|window| window == b"SET").count();
                let counted = (from..from + depth).filter(|place| tape.kind(*place) == SET).count();
                assert_eq!(sets, counted);
                (from..from + depth).for_each(|place| kinds[tape.kind(place)] += 1);
            }
            let share = f64::from(kinds[SET]) / f64::from(kinds[GET] + kinds[SET]);
            assert!((share - 0.1).abs() < 0.001, "{depth}: {share}");
        }
    }

    #[test]
    fn digits_are_written_from_the_right() {
        let mut digits = *b"xxxxx";
        write_digits(&mut digits, 1207);
        assert_eq!(&digits, b"01207");
    }
}
