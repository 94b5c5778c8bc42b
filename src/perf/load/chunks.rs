//! A body in chunks: where it ends, without keeping any of it. Pure.

use super::frame::Odd;

/// Bytes that may stand beside the body: extensions of one chunk, or all trailers.
const ASIDE: usize = 16 * 1024;
/// Digits of a chunk's size, at most.
const DIGITS: u8 = 15;

/// Reads a chunked body.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    at: At,
    /// Bytes of the chunk at hand: those to come, or its size while that is read.
    left: u64,
    digits: u8,
    aside: usize,
}

#[derive(Clone, Copy, Debug, Default)]
enum At {
    #[default]
    Size,
    Extension,
    SizeEnd,
    Body,
    BodyReturn,
    BodyEnd,
    /// At the begin of a line after the last chunk.
    Line,
    Trailer,
    LastEnd,
}

impl Chunks {
    /// Reads on; says how many bytes are of this body, and whether it ends there.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Result<(usize, bool), Odd> {
        let mut at = 0;
        while at < bytes.len() {
            if let At::Body = self.at {
                let here = u64::try_from(bytes.len() - at).unwrap_or(u64::MAX).min(self.left);
                self.left -= here;
                // No more than the length of the slice.
                at += usize::try_from(here).unwrap_or(usize::MAX);
                if self.left == 0 {
                    self.at = At::BodyReturn;
                }
                continue;
            }
            let byte = bytes[at];
            at += 1;
            if self.step(byte)? {
                return Ok((at, true));
            }
        }
        Ok((at, false))
    }

    /// Takes one byte beside the body; says whether it was the last.
    fn step(&mut self, byte: u8) -> Result<bool, Odd> {
        self.at = match (self.at, byte) {
            (At::Size, digit) if digit.is_ascii_hexdigit() => self.digit(digit)?,
            (At::Size, b'\r') if self.digits > 0 => At::SizeEnd,
            (At::Size, b';' | b' ' | b'\t') if self.digits > 0 => At::Extension,
            (At::Extension, b'\r') => At::SizeEnd,
            (At::Extension, other) if other != b'\n' => self.aside(At::Extension)?,
            (At::SizeEnd, b'\n') if self.left > 0 => At::Body,
            (At::SizeEnd, b'\n') => At::Line,
            (At::BodyReturn, b'\r') => At::BodyEnd,
            (At::BodyEnd, b'\n') => {
                *self = Self::default();
                At::Size
            }
            (At::Line, b'\r') => At::LastEnd,
            (At::Trailer, b'\n') => self.aside(At::Line)?,
            (At::Line | At::Trailer, _) => self.aside(At::Trailer)?,
            (At::LastEnd, b'\n') => return Ok(true),
            _ => return Err(Odd::Chunk),
        };
        Ok(false)
    }

    fn digit(&mut self, digit: u8) -> Result<At, Odd> {
        if self.digits == DIGITS {
            return Err(Odd::Chunk);
        }
        self.digits += 1;
        let value = char::from(digit).to_digit(16).ok_or(Odd::Chunk)?;
        self.left = self.left * 16 + u64::from(value);
        Ok(At::Size)
    }

    fn aside(&mut self, next: At) -> Result<At, Odd> {
        self.aside += 1;
        if self.aside > ASIDE { Err(Odd::TooLong) } else { Ok(next) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Where the body ends in `bytes`, read in pieces; none where it does not.
    fn end(bytes: &[u8], piece: usize) -> Result<Option<usize>, Odd> {
        let (mut chunks, mut at) = (Chunks::default(), 0);
        for piece in bytes.chunks(piece) {
            let (read, ended) = chunks.read(piece)?;
            at += read;
            if ended {
                return Ok(Some(at));
            }
            assert_eq!(read, piece.len(), "nothing has to come again");
        }
        Ok(None)
    }

    fn cut_anyhow(bytes: &[u8]) -> Result<Option<usize>, Odd> {
        let whole = end(bytes, bytes.len().max(1));
        for piece in 1..bytes.len() {
            assert_eq!(end(bytes, piece), whole, "in pieces of {piece}");
        }
        whole
    }

    #[test]
    fn a_body_ends_after_its_last_line_however_it_is_cut() {
        for body in [
            "0\r\n\r\n",
            "3\r\nabc\r\n0\r\n\r\n",
            "A;name=\"v\";x\r\n0123456789\r\n00\r\n\r\n",
            "1 \r\nx\r\n0;last\r\nVia: x\r\nSum: 9\r\n\r\n",
            "2\r\n\r\n\r\n0\r\n\r\n",
            "1\t\r\n0\r\n0\r\n\r\n",
        ] {
            let more = format!("{body}HTTP/1.1 200 OK\r\n");
            assert_eq!(cut_anyhow(more.as_bytes()), Ok(Some(body.len())), "{body:?}");
            for cut in 0..body.len() {
                assert_eq!(end(&body.as_bytes()[..cut], 99), Ok(None), "{body:?} to {cut}");
            }
        }
    }

    #[test]
    fn what_is_no_chunk_is_refused() {
        for bad in [
            "\r\n",
            "x\r\n",
            "-1\r\n",
            "3\nabc",
            "3;a\nabc",
            ";x\r\n",
            "3\rxabc",
            "3\r\nabcd\r\n",
            "3\r\nabc\n0",
            "3\r\nabc\rx",
            "0\r\n\rx",
            "0x3\r\n",
            "1000000000000000\r\n",
            " 3\r\n",
        ] {
            assert_eq!(cut_anyhow(bad.as_bytes()), Err(Odd::Chunk), "{bad:?}");
        }
        let digits = format!("{}1\r\nx\r\n0\r\n\r\n", "0".repeat(14));
        assert!(end(digits.as_bytes(), 99).unwrap().is_some(), "fifteen digits are read");
    }

    #[test]
    fn what_stands_beside_the_body_is_bounded_and_chunks_are_not() {
        let extension = |bytes: usize| format!("1;{}\r\nx\r\n", "e".repeat(bytes));
        assert_eq!(end(extension(ASIDE).as_bytes(), 4096), Ok(None));
        assert_eq!(end(extension(ASIDE + 1).as_bytes(), 4096), Err(Odd::TooLong));
        let twice = extension(ASIDE).repeat(2) + "0\r\n\r\n";
        assert_eq!(end(twice.as_bytes(), 4096), Ok(Some(twice.len())));
        let trailers = format!("0\r\n{}\r\n", "a: b\r\n".repeat(ASIDE / 6 + 2));
        assert_eq!(end(trailers.as_bytes(), 4096), Err(Odd::TooLong));
        let mut chunks = Chunks::default();
        assert_eq!(chunks.read(b"fffffffff\r\n"), Ok((11, false)));
        for _ in 0..100 {
            assert_eq!(chunks.read(&[b'\n'; 1000]), Ok((1000, false)));
        }
    }

    proptest! {
        #[test]
        fn whatever_was_written_in_chunks_is_read_to_its_end(
            parts in prop::collection::vec((prop::collection::vec(any::<u8>(), 1..70), "[a-z=;]{0,9}"), 0..9),
            trailers in prop::collection::vec("[A-Za-z]{1,9}: [ -~]{0,9}", 0..4),
            piece in 1_usize..200,
        ) {
            let mut body = Vec::new();
            for (part, extension) in &parts {
                body.extend(format!("{:x};{extension}\r\n", part.len()).bytes());
                body.extend(part);
                body.extend(b"\r\n");
            }
            body.extend(b"0\r\n");
            body.extend(trailers.iter().flat_map(|line| format!("{line}\r\n").into_bytes()));
            body.extend(b"\r\n");
            prop_assert_eq!(end(&body, piece), Ok(Some(body.len())));
            prop_assert_eq!(end(&body[..body.len() - 1], piece), Ok(None));
        }

        #[test]
        fn nothing_that_comes_makes_it_panic(bytes: Vec<u8>, piece in 1_usize..64) {
            let _ended = end(&bytes, piece);
        }
    }
}
