//! Where one answer ends and the next begins, without keeping any. Pure.

/// An error line longer than this is cut off: nothing that counts is longer.
const LINE: usize = 8 * 1024;

/// Finds the ends of the answers in a stream of bytes.
///
/// It knows both versions of the protocol, keeps no byte and allocates nothing:
/// what an answer holds is skipped, however long it is.
#[derive(Debug, Default)]
pub(super) struct Framer {
    /// Bytes of a bulk that are still to come.
    skip: usize,
    /// Parts of the answer that are still to come after the one at hand.
    parts: u64,
}

/// What came is no answer of Redis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotRedis;

impl Framer {
    /// Reads on in `bytes`: calls `each` with every answer that ends there, and with the
    /// error line if it is one. Returns how many bytes are done with; the rest is the
    /// beginning of a line, and must come again with what follows.
    pub(super) fn read(
        &mut self,
        bytes: &[u8],
        mut each: impl FnMut(Option<&[u8]>),
    ) -> Result<usize, NotRedis> {
        let mut at = 0;
        loop {
            if self.skip > 0 {
                let here = self.skip.min(bytes.len() - at);
                (at, self.skip) = (at + here, self.skip - here);
                if self.skip > 0 {
                    return Ok(at);
                }
                self.end(&mut each);
            }
            let Some(length) = bytes[at..].iter().position(|byte| *byte == b'\n') else {
                return if bytes.len() - at > LINE { Err(NotRedis) } else { Ok(at) };
            };
            let line = bytes[at..at + length].strip_suffix(b"\r").ok_or(NotRedis)?;
            at += length + 1;
            self.line(line, &mut each)?;
        }
    }

    fn line(&mut self, line: &[u8], each: &mut impl FnMut(Option<&[u8]>)) -> Result<(), NotRedis> {
        let (kind, rest) = line.split_first().ok_or(NotRedis)?;
        match kind {
            b'-' if self.parts == 0 => each(Some(rest)),
            b'+' | b'-' | b':' | b'_' | b'#' | b',' | b'(' => self.end(each),
            b'$' | b'=' | b'!' => match length(rest)? {
                Some(length) => self.skip = usize::try_from(length).map_err(|_| NotRedis)? + 2,
                None => self.end(each),
            },
            b'*' | b'~' | b'>' | b'%' => match length(rest)?.unwrap_or(0) {
                0 => self.end(each),
                // The one at hand becomes so many; a map has two for each of its entries.
                count => {
                    let count = if *kind == b'%' { count.saturating_mul(2) } else { count };
                    self.parts = self.parts.saturating_sub(1).saturating_add(count);
                }
            },
            _ => return Err(NotRedis),
        }
        Ok(())
    }

    /// One part has ended, and maybe the answer.
    fn end(&mut self, each: &mut impl FnMut(Option<&[u8]>)) {
        self.parts = self.parts.saturating_sub(1);
        if self.parts == 0 {
            each(None);
        }
    }
}

/// A length of at most nine digits, or -1 for nothing.
fn length(digits: &[u8]) -> Result<Option<u64>, NotRedis> {
    if digits == b"-1" {
        return Ok(None);
    }
    if digits.is_empty() || digits.len() > 9 {
        return Err(NotRedis);
    }
    digits
        .iter()
        .try_fold(0, |value: u64, digit| match digit {
            b'0'..=b'9' => Ok(value * 10 + u64::from(digit - b'0')),
            _ => Err(NotRedis),
        })
        .map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The answers in `bytes`, given in pieces of `piece` bytes: the errors, or nothing.
    fn answers(bytes: &[u8], piece: usize) -> Result<Vec<Option<String>>, NotRedis> {
        let (mut framer, mut found, mut kept) = (Framer::default(), Vec::new(), Vec::new());
        for piece in bytes.chunks(piece) {
            kept.extend_from_slice(piece);
            let done = framer.read(&kept, |error| {
                found.push(error.map(|line| String::from_utf8_lossy(line).into_owned()));
            })?;
            kept.drain(..done);
        }
        assert!(kept.len() < bytes.len());
        Ok(found)
    }

    const STREAM: &[u8] = b"+OK\r\n$3\r\nxxx\r\n$-1\r\n-LOADING wait\r\n:7\r\n$0\r\n\r\n\
        *2\r\n$1\r\na\r\n*2\r\n:1\r\n-ERR inner\r\n*0\r\n%1\r\n+a\r\n:1\r\n_\r\n";

    #[test]
    fn every_answer_ends_once_however_it_is_cut() {
        for piece in 1..=STREAM.len() {
            let found = answers(STREAM, piece).unwrap();
            assert_eq!(found.len(), 10, "in pieces of {piece}");
            assert_eq!(found[3].as_deref(), Some("LOADING wait"));
            assert_eq!(found.iter().flatten().count(), 1, "an error within an answer is no answer");
        }
    }

    #[test]
    fn a_long_value_is_skipped_and_never_kept() {
        let mut framer = Framer::default();
        let mut ended = 0;
        assert_eq!(framer.read(b"$100000\r\n", |_| ended += 1), Ok(9));
        for _ in 0..100 {
            assert_eq!(framer.read(&[b'\n'; 1000], |_| ended += 1), Ok(1000));
        }
        assert_eq!(framer.read(b"\r\n+O", |_| ended += 1), Ok(2));
        assert_eq!(ended, 1);
    }

    #[test]
    fn what_is_no_redis_is_refused() {
        for bad in ["HTTP/1.1 400\r\n", "\r\n", "+OK\n", "$x\r\n", "$9999999999\r\n", "*-2\r\n"] {
            assert_eq!(answers(bad.as_bytes(), 99), Err(NotRedis), "{bad:?}");
        }
        assert_eq!(answers(&vec![b'+'; LINE + 1], LINE + 1), Err(NotRedis));
    }

    proptest! {
        #[test]
        fn nothing_that_comes_makes_it_panic(bytes: Vec<u8>, piece in 1_usize..64) {
            let mut framer = Framer::default();
            for piece in bytes.chunks(piece) {
                let _ended = framer.read(piece, |_| {});
            }
        }
    }
}
