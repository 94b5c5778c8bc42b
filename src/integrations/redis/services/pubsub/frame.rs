//! What comes on a connection that listens, from its bytes. Pure.
//!
//! The driver's own listener has no bound and no deadline, so the bytes are read
//! here: both versions of the protocol, as far as a listener hears it.

use super::{
    super::super::{reply, trouble::Trouble},
    Confirmed, Message, Topic,
};
use redis::Value;

/// Bytes of the longest frame taken.
pub(super) const LONGEST: usize = 1 << 20;
/// Values within values; a listener hears two levels.
const DEEPEST: usize = 4;
/// Values of the longest list taken: a greeting has a few dozen.
const WIDEST: usize = 1024;

/// A complete frame: a value, or an error that the server answered with.
type Frame = Result<Value, Trouble>;

/// What a frame means to who listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    Message(Message),
    Joined(Confirmed),
    Left(Topic),
    Pong,
    /// Nothing that concerns a listener.
    Other,
}

/// The first frame of `bytes` and its length, once all of it is there.
///
/// # Errors
///
/// They are not Redis', or the frame is longer than any of ours.
pub(super) fn decode(bytes: &[u8]) -> Result<Option<(Frame, usize)>, Trouble> {
    let mut reader = Reader { bytes, at: 0 };
    let frame = match bytes.first() {
        Some(b'-') => reader.line().map(|line| {
            line.map(|line| Err(Trouble::of_line(&String::from_utf8_lossy(&line[1..]))))
        }),
        _ => reader.value(DEEPEST).map(|value| value.map(Ok)),
    }?;
    match frame {
        Some(frame) => Ok(Some((frame, reader.at))),
        None if bytes.len() > LONGEST => Err(Trouble::TooLong),
        None => Ok(None),
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// A value, or nothing if its end has not come yet.
    fn value(&mut self, depth: usize) -> Result<Option<Value>, Trouble> {
        let Some(line) = self.line()? else { return Ok(None) };
        let Some((kind, rest)) = line.split_first() else { return Err(self.strange()) };
        let text = String::from_utf8_lossy(rest);
        match kind {
            b'+' | b'-' | b',' | b'(' | b'#' => Ok(Some(Value::SimpleString(text.into_owned()))),
            b':' => text.parse().map(|number| Some(Value::Int(number))).map_err(|_| self.strange()),
            b'_' => Ok(Some(Value::Nil)),
            b'$' | b'=' | b'*' if *rest == *b"-1" => Ok(Some(Value::Nil)),
            b'$' | b'=' => self.bulk(&text),
            b'*' | b'>' | b'~' => self.list(&text, 1, depth),
            b'%' => self.list(&text, 2, depth),
            _ => Err(self.strange()),
        }
    }

    fn line(&mut self) -> Result<Option<&'a [u8]>, Trouble> {
        let rest = &self.bytes[self.at..];
        let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
            return if rest.len() > LONGEST { Err(Trouble::TooLong) } else { Ok(None) };
        };
        self.at += end + 1;
        rest[..end].strip_suffix(b"\r").map(Some).ok_or_else(|| self.strange())
    }

    fn bulk(&mut self, length: &str) -> Result<Option<Value>, Trouble> {
        let length: usize = length.parse().map_err(|_| self.strange())?;
        if length > LONGEST {
            return Err(Trouble::TooLong);
        }
        let Some(bytes) = self.bytes.get(self.at..self.at + length + 2) else { return Ok(None) };
        self.at += length + 2;
        let bytes = bytes.strip_suffix(b"\r\n").ok_or_else(|| self.strange())?;
        Ok(Some(Value::BulkString(bytes.to_vec())))
    }

    /// A map comes as the flat list of its names and values.
    fn list(&mut self, length: &str, times: usize, depth: usize) -> Result<Option<Value>, Trouble> {
        let length: usize = length.parse().map_err(|_| self.strange())?;
        if length > WIDEST || depth == 0 {
            return Err(Trouble::TooLong);
        }
        let mut items = Vec::with_capacity(length * times);
        for _ in 0..length * times {
            let Some(item) = self.value(depth - 1)? else { return Ok(None) };
            items.push(item);
        }
        Ok(Some(Value::Array(items)))
    }

    fn strange(&self) -> Trouble {
        let first = &self.bytes[..std::cmp::min(self.bytes.len(), 256)];
        Trouble::NotRedis(String::from_utf8_lossy(first).into_owned())
    }
}

impl Heard {
    /// What `value` means.
    pub(super) fn of(value: Value) -> Self {
        let Value::Array(items) = value else {
            let is_pong = reply::text(&value).as_deref() == Some("PONG");
            return if is_pong { Self::Pong } else { Self::Other };
        };
        Self::read(&items).unwrap_or(Self::Other)
    }

    fn read(items: &[Value]) -> Option<Self> {
        let at = |index: usize| items.get(index).and_then(reply::text);
        let bytes = |index: usize| reply::bytes(items.get(index)?.clone()).ok();
        let joined = |topic| {
            Some(Self::Joined(Confirmed { topic, count: reply::count(items.get(2)?).ok()? }))
        };
        match at(0)?.as_str() {
            "message" => Some(Self::Message(Message {
                topic: Topic::Channel(at(1)?),
                channel: at(1)?,
                payload: bytes(2)?,
            })),
            "pmessage" => Some(Self::Message(Message {
                topic: Topic::Pattern(at(1)?),
                channel: at(2)?,
                payload: bytes(3)?,
            })),
            "subscribe" => joined(Topic::Channel(at(1)?)),
            "psubscribe" => joined(Topic::Pattern(at(1)?)),
            "unsubscribe" => Some(Self::Left(Topic::Channel(at(1)?))),
            "punsubscribe" => Some(Self::Left(Topic::Pattern(at(1)?))),
            "pong" => Some(Self::Pong),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(bytes: &[u8]) -> Value {
        let (frame, used) = decode(bytes).unwrap().unwrap();
        assert_eq!(used, bytes.len());
        frame.unwrap()
    }

    #[test]
    fn both_versions_of_the_protocol_mean_the_same() {
        for first in ["*", ">"] {
            let frame = format!("{first}3\r\n$9\r\nsubscribe\r\n$1\r\ne\r\n:1\r\n");
            let confirmed = Confirmed { topic: Topic::Channel("e".into()), count: 1 };
            assert_eq!(Heard::of(whole(frame.as_bytes())), Heard::Joined(confirmed));
            let frame = format!("{first}4\r\n$8\r\npmessage\r\n$2\r\ne*\r\n$2\r\nee\r\n$0\r\n\r\n");
            let Heard::Message(message) = Heard::of(whole(frame.as_bytes())) else { panic!() };
            assert_eq!(
                (message.topic, message.channel.as_str()),
                (Topic::Pattern("e*".into()), "ee")
            );
            assert_eq!(message.payload, b"");
        }
        assert_eq!(Heard::of(whole(b"+PONG\r\n")), Heard::Pong);
        assert_eq!(Heard::of(whole(b"*2\r\n$4\r\npong\r\n$0\r\n\r\n")), Heard::Pong);
        let left = whole(b">3\r\n$12\r\npunsubscribe\r\n$2\r\ne*\r\n:0\r\n");
        assert_eq!(Heard::of(left), Heard::Left(Topic::Pattern("e*".into())));
    }

    #[test]
    fn a_frame_is_taken_only_when_all_of_it_is_there() {
        let frame = b"%1\r\n$4\r\nmode\r\n$2\r\n\r\n\r\n:7\r\n";
        let length = frame.len() - 4;
        for cut in 0..length {
            assert_eq!(decode(&frame[..cut]), Ok(None), "{cut}");
        }
        let (value, used) = decode(frame).unwrap().unwrap();
        assert_eq!(used, length);
        assert_eq!(reply::fields(&value.unwrap())[0].0, "mode");
    }

    #[test]
    fn an_error_is_an_answer_and_leaves_the_rest() {
        let (frame, used) = decode(b"-NOPERM no channels\r\n+OK\r\n").unwrap().unwrap();
        assert_eq!(frame, Err(Trouble::of_line("NOPERM no channels")));
        assert_eq!(used, 21);
    }

    #[test]
    fn what_is_no_frame_or_far_too_long_is_refused_at_once() {
        for strange in
            ["HTTP/1.1 400\r\n", "\r\n", ":x\r\n", "$-2\r\n", "$1\r\nabc", "*x\r\n", "+a\n"]
        {
            assert!(matches!(decode(strange.as_bytes()), Err(Trouble::NotRedis(_))), "{strange:?}");
        }
        let nested = "*1\r\n".repeat(9);
        for long in ["$1048577\r\n", "*1025\r\n", "%99999999999\r\n", nested.as_str()] {
            assert_eq!(decode(long.as_bytes()), Err(Trouble::TooLong), "{long:?}");
        }
        assert_eq!(decode(&vec![b'+'; LONGEST + 1]), Err(Trouble::TooLong));
    }
}
