//! The connection beside the load: prepares, asks how the server is, tidies up.

use super::{
    client::broken,
    tape::{Material, encode},
};
use crate::{
    domain::plain,
    integrations::redis::{Dial, Raw},
    perf::Broken,
};
use std::{collections::BTreeMap, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::{Instant, timeout},
};

/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(5);
/// Commands, or names in a command, that leave together.
const BATCH: u64 = 500;
/// Bytes that an answer may have; the longest, INFO, is some 10 KiB.
const ANSWER_LIMIT: usize = 1024 * 1024;

/// The connection beside the load.
pub(super) struct Control {
    stream: Raw,
    heard: Vec<u8>,
    /// Commands sent.
    pub(super) sent: u64,
    /// Keys that it set, or may have.
    pub(super) set: u64,
}

/// A simple answer.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Answer {
    Number(u64),
    Text(String),
    Refused(Broken),
}

/// A section of `INFO`.
#[derive(Clone, Debug, Default)]
pub(super) struct Info(BTreeMap<String, String>);

impl Info {
    fn read(text: &str) -> Self {
        let fields = text.lines().filter_map(|line| line.trim().split_once(':'));
        Self(fields.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    /// A field as a number; zero where it is none.
    pub(super) fn number(&self, field: &str) -> u64 {
        self.0.get(field).and_then(|value| value.parse().ok()).unwrap_or(0)
    }

    /// A field in seconds.
    pub(super) fn seconds(&self, field: &str) -> Option<f64> {
        self.0.get(field)?.parse().ok().filter(|seconds: &f64| seconds.is_finite())
    }

    /// How often a command was called.
    pub(super) fn calls(&self, command: &str) -> u64 {
        let stat = self.0.get(&format!("cmdstat_{command}"));
        let calls = stat.and_then(|stat| stat.strip_prefix("calls="));
        calls.and_then(|rest| rest.split(',').next()?.parse().ok()).unwrap_or(0)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Control {
    pub(super) async fn open(dial: &Dial) -> Result<Self, Broken> {
        let stream = dial.open(Instant::now() + ANSWER).await.map_err(|why| broken(&why))?;
        Ok(Self { stream, heard: Vec::new(), sent: 0, set: 0 })
    }

    /// One section of `INFO`.
    pub(super) async fn info(&mut self, section: &str) -> Result<Info, Broken> {
        self.send(&encode(&[b"INFO", section.as_bytes()]), 1).await?;
        match self.answer().await? {
            Answer::Text(text) => Ok(Info::read(&text)),
            Answer::Refused(why) => Err(why),
            Answer::Number(_) => Err(odd()),
        }
    }

    /// Sets every key.
    pub(super) async fn fill(&mut self, material: &Material) -> Result<(), Broken> {
        let mut from = 0;
        while from < material.keys {
            let to = (from + BATCH).min(material.keys);
            let batch: Vec<u8> = (from..to).flat_map(|number| material.set(number)).collect();
            self.set += to - from;
            self.send(&batch, to - from).await?;
            let mut refused = None;
            for _ in from..to {
                if let Answer::Refused(why) = self.answer().await? {
                    self.set -= 1;
                    refused.get_or_insert(why);
                }
            }
            if let Some(why) = refused {
                return Err(why);
            }
            from = to;
        }
        Ok(())
    }

    /// Removes every key by its name; returns how many there were.
    pub(super) async fn remove(&mut self, material: &Material) -> Result<u64, Broken> {
        self.by_name(b"UNLINK", material).await
    }

    /// How many of the keys are there.
    pub(super) async fn count(&mut self, material: &Material) -> Result<u64, Broken> {
        self.by_name(b"EXISTS", material).await
    }

    /// Names all keys to a command that counts.
    async fn by_name(&mut self, command: &[u8], material: &Material) -> Result<u64, Broken> {
        let (mut from, mut sum) = (0, 0);
        while from < material.keys {
            let to = (from + BATCH).min(material.keys);
            let names: Vec<String> = (from..to).map(|number| material.key(number)).collect();
            let mut parts = vec![command];
            parts.extend(names.iter().map(String::as_bytes));
            self.send(&encode(&parts), 1).await?;
            match self.answer().await? {
                Answer::Number(count) => sum += count,
                Answer::Refused(why) => return Err(why),
                Answer::Text(_) => return Err(odd()),
            }
            from = to;
        }
        Ok(sum)
    }

    async fn send(&mut self, bytes: &[u8], commands: u64) -> Result<(), Broken> {
        self.sent += commands;
        let written = timeout(ANSWER, self.stream.write_all(bytes)).await;
        written.map_err(|_| late())?.map_err(|_| closed())
    }

    /// The next answer.
    async fn answer(&mut self) -> Result<Answer, Broken> {
        let line = self.line().await?;
        let (kind, rest) = line.split_at_checked(1).ok_or_else(odd)?;
        match kind {
            "+" => Ok(Answer::Text(rest.into())),
            ":" => rest.parse().map(Answer::Number).map_err(|_| odd()),
            "$" => {
                let length = rest.parse().ok().filter(|length| *length < ANSWER_LIMIT);
                self.bulk(length.ok_or_else(odd)?).await.map(Answer::Text)
            }
            "-" => {
                let (code, _) = rest.split_once(' ').unwrap_or((rest, ""));
                let says = format!("the server says {:?}", plain(rest, 100));
                Ok(Answer::Refused(Broken::new(code, &says)))
            }
            _ => Err(odd()),
        }
    }

    async fn line(&mut self) -> Result<String, Broken> {
        loop {
            if let Some(end) = self.heard.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.heard.drain(..=end).collect();
                return Ok(String::from_utf8_lossy(&line).trim_end().into());
            }
            self.hear().await?;
        }
    }

    async fn bulk(&mut self, length: usize) -> Result<String, Broken> {
        while self.heard.len() < length + 2 {
            self.hear().await?;
        }
        let bytes: Vec<u8> = self.heard.drain(..length + 2).collect();
        Ok(String::from_utf8_lossy(&bytes[..length]).into_owned())
    }

    async fn hear(&mut self) -> Result<(), Broken> {
        if self.heard.len() > ANSWER_LIMIT {
            return Err(odd());
        }
        let read = timeout(ANSWER, self.stream.read_buf(&mut self.heard)).await;
        match read.map_err(|_| late())?.map_err(|_| closed())? {
            0 => Err(closed()),
            _ => Ok(()),
        }
    }
}

fn odd() -> Broken {
    Broken::new("odd", "the server answers otherwise than Redis does")
}

fn late() -> Broken {
    Broken::new("late", "the server took longer than 5 s for an answer")
}

fn closed() -> Broken {
    Broken::new("closed", "the server closed the connection")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn info_is_read_by_its_fields() {
        let info = Info::read(
            "# Commandstats\r\ncmdstat_get:calls=12,usec=9,usec_per_call=0.75\r\n\
             used_memory:1024\r\nused_cpu_user:1.5\r\n",
        );
        assert_eq!(
            (info.calls("get"), info.calls("set"), info.number("used_memory")),
            (12, 0, 1024)
        );
        assert_eq!((info.seconds("used_cpu_user"), info.seconds("cmdstat_get")), (Some(1.5), None));
    }
}
