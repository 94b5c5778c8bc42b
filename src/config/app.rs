//! `[app]`: what is deployed, and where its version is read.

use super::{
    Origin, Problem,
    de::{self, Read},
    own::origin,
    tree::{Node, Table},
};
use crate::{
    app::{Part, Settings, Source},
    domain::plain,
    secret::Secret,
};
use serde::{
    Deserialize, Deserializer,
    de::{Error, SeqAccess, Visitor},
};
use std::{fmt, ops::RangeInclusive, path::Path, time::Duration};
use url::Url;

/// Shortest and longest `interval`, and the usual one.
const INTERVAL: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_hours(1);
const USUAL: Duration = Duration::from_secs(10);
/// Characters that a name has at most.
const LONGEST_NAME: usize = 30;
/// Signs that mean something to a shell, and nothing to us.
const SHELL: &[char] = &[
    '|', '&', ';', '<', '>', '(', ')', '$', '`', '\\', '"', '\'', '*', '?', '[', ']', '#', '~',
    '{', '}', '!',
];

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct AppTable {
    name: Option<String>,
    version: Option<VersionTable>,
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::optional")]
    interval: Option<Duration>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct VersionTable {
    command: Option<Words>,
    file: Option<String>,
    url: Option<Secret>,
    header: Option<String>,
    pointer: Option<String>,
}

/// A program and its arguments: a list, or a line of plain words.
struct Words(Vec<String>);

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(LineOrList)
    }
}

struct LineOrList;

impl<'de> Visitor<'de> for LineOrList {
    type Value = Words;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a line of plain words, or a list such as [\"sh\", \"-c\", \"a | b\"],")
    }

    fn visit_str<E: Error>(self, line: &str) -> Result<Words, E> {
        let words: Vec<String> = line.split_whitespace().map(ToOwned::to_owned).collect();
        if words.is_empty() || line.contains(SHELL) {
            return Err(E::custom("not plain words"));
        }
        Ok(Words(words))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Words, A::Error> {
        let mut words = Vec::new();
        while let Some(word) = list.next_element::<String>()? {
            words.push(word);
        }
        if words.first().is_none_or(String::is_empty) {
            return Err(A::Error::invalid_length(words.len(), &self));
        }
        Ok(Words(words))
    }
}

/// `[app]`. What is relative in it is relative to `directory`.
pub(super) fn app(root: &Table, directory: &Path, into: &mut Read) -> Option<Settings> {
    let node = root.get("app")?;
    if node.as_table().is_some_and(Table::is_empty) {
        return None;
    }
    let before = into.problems.len();
    let table = de::read::<AppTable>("app", &mut node.clone(), into)?;
    let AppTable { name, version, interval } = table;
    let mut complaints = Vec::new();
    let name = name.unwrap_or_else(|| "app".into());
    let length = name.chars().count();
    if !(1..=LONGEST_NAME).contains(&length) || plain(&name, LONGEST_NAME) != name {
        complaints.push(("name", "has 1 to 30 characters that can be printed"));
    }
    let interval = interval.unwrap_or(USUAL);
    if !INTERVAL.contains(&interval) {
        complaints.push(("interval", "must be between 1s and 1h"));
    }
    // What could not be read has been said, and is not missing.
    let all_read = into.problems.len() == before;
    let source = source(version.unwrap_or_default(), directory)
        .map_err(|complaint| complaints.extend(all_read.then_some(complaint)));
    into.problems.extend(complaints.iter().map(|(key, says)| problem(node, key, says)));
    source.ok().map(|source| Settings { name, source, interval })
}

fn source(table: VersionTable, directory: &Path) -> Result<Source, (&'static str, &'static str)> {
    let VersionTable { command, file, url, header, pointer } = table;
    let of_answer = header.is_some() || pointer.is_some();
    if of_answer && url.is_none() {
        return Err(("version", "has header or pointer, which say where in the answer of a url"));
    }
    match (command, file, url) {
        (Some(Words(words)), None, None) => {
            Ok(Source::Command { words, directory: directory.to_owned() })
        }
        (None, Some(file), None) => Ok(Source::File(directory.join(file))),
        (None, None, Some(url)) => {
            if !is_web(&url) {
                let says = "is not an address; http:// or https:// with a host is accepted";
                return Err(("version.url", says));
            }
            Ok(Source::Url { url, part: part(header, pointer)? })
        }
        (None, None, None) => Err(("version", "is missing; a command, a file or a url says it")),
        (..) => Err(("version", "has several of command, file and url; one is accepted")),
    }
}

fn part(
    header: Option<String>,
    pointer: Option<String>,
) -> Result<Part, (&'static str, &'static str)> {
    match (header, pointer) {
        (None, None) => Ok(Part::Body),
        (Some(header), None) => {
            let named = !header.is_empty()
                && header.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
            let says = "is not the name of a header field, such as x-version";
            if named { Ok(Part::Header(header)) } else { Err(("version.header", says)) }
        }
        (None, Some(pointer)) => {
            let says = "is not a JSON pointer, such as /build/commit";
            if pointer.starts_with('/') {
                Ok(Part::Pointer(pointer))
            } else {
                Err(("version.pointer", says))
            }
        }
        (Some(_), Some(_)) => Err(("version", "has both header and pointer; one is accepted")),
    }
}

fn is_web(url: &Secret) -> bool {
    let parsed = Url::parse(url.expose());
    parsed.is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

fn problem(node: &Node, key: &str, says: &str) -> Problem {
    let origin: Origin = origin(node, key);
    Problem { origin, key: format!("app.{key}"), says: says.into() }
}
