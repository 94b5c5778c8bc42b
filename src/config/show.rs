//! The settings as they can be shown: every secret masked, every source named.

use super::{
    Origin, Surroundings,
    kinds::TABLES,
    tree::{Node, Table, Text, Value},
};
use crate::domain::plain;
use std::{
    fmt::{self, Write as _},
    path::Path,
};
use url::Url;

/// Shown in a secret's place.
const MASK: &str = "[secret]";
/// Characters shown of one value.
const LONGEST: usize = 200;
/// Where the sources stand, if the settings leave room.
const COLUMN: usize = 44;

/// Everything that was set, and where.
pub struct Sheet {
    root: Table,
    secret_keys: Vec<String>,
    accepted: Vec<(String, &'static [&'static str])>,
}

/// It holds every secret that was filled in.
impl fmt::Debug for Sheet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sheet({} tables)", self.root.len())
    }
}

impl Sheet {
    pub(super) fn new(
        root: Table,
        secret_keys: Vec<String>,
        accepted: Vec<(String, &'static [&'static str])>,
    ) -> Self {
        Self { root, secret_keys, accepted }
    }

    /// As a file could have it, with the source of each value beside it.
    pub fn show(&self, file: Option<&Path>) -> String {
        let file = file.map_or("no file".into(), |file| file.display().to_string());
        let mut text = format!("# {file}\n");
        let unset = Node::table(Origin::Unwritten);
        for name in TABLES {
            match self.root.get(*name) {
                Some(node) => self.table(name, name, node, &mut text),
                None if self.keys(name).is_empty() => {}
                None => self.table(name, name, &unset, &mut text),
            }
        }
        text
    }

    /// Each table that was read, and the keys that it may have.
    #[cfg(test)]
    pub(super) fn accepted(&self) -> &[(String, &'static [&'static str])] {
        &self.accepted
    }

    /// The keys that the table `key` may have.
    fn keys(&self, key: &str) -> &[&'static str] {
        let known = self.accepted.iter().find(|(table, _)| table == key);
        known.map(|(_, keys)| *keys).unwrap_or_default()
    }

    /// Which keys of the table `key` are set, and where: `url on line 3`.
    ///
    /// For the instance called `name` of a table that is there several times.
    pub fn sources(&self, key: &str, name: Option<&str>) -> Vec<String> {
        let nodes: &[Node] = match self.root.get(key) {
            None => &[],
            Some(Node { value: Value::List(list), .. }) => list,
            Some(single) => std::slice::from_ref(single),
        };
        let is_meant = |node: &&Node| {
            let table = node.as_table();
            let own = table.and_then(|table| table.get("name")).and_then(Node::as_text);
            own.map(|own| own.meant.as_str()) == name
        };
        let mut sources = Vec::new();
        if let Some(table) = nodes.iter().find(is_meant).and_then(Node::as_table) {
            list(table, "", &mut sources);
        }
        sources
    }

    /// A warning where anybody may read a file that spells a secret out.
    pub(super) fn too_open(&self, path: &Path, around: &dyn Surroundings) -> Option<String> {
        let open = around.look(path).is_some_and(|look| look.readable_by_others);
        let key = self.spelt_out("", &self.root).filter(|_| open)?;
        let path = path.display();
        Some(format!(
            "{path} spells out {key} and others may read it: chmod 600 {path}, or write ${{NAME}}"
        ))
    }

    /// The first key with a secret that stands in the file itself.
    fn spelt_out(&self, prefix: &str, table: &Table) -> Option<String> {
        table.iter().find_map(|(name, node)| {
            let key = joined(prefix, name);
            let items = match &node.value {
                Value::List(list) => list.as_slice(),
                Value::Text(_)
                | Value::Integer(_)
                | Value::Float(_)
                | Value::Switch(_)
                | Value::Table(_)
                | Value::Broken => std::slice::from_ref(node),
            };
            items.iter().find_map(|node| match &node.value {
                Value::Table(inner) => self.spelt_out(&key, inner),
                Value::Text(Text { meant, written: None })
                    if matches!(node.origin, Origin::Line(_))
                        && self.secret_keys.contains(&key)
                        && holds_secret(meant) =>
                {
                    Some(key.clone())
                }
                Value::Text(_)
                | Value::Integer(_)
                | Value::Float(_)
                | Value::Switch(_)
                | Value::List(_)
                | Value::Broken => None,
            })
        })
    }

    fn table(&self, header: &str, key: &str, node: &Node, text: &mut String) {
        match &node.value {
            Value::Table(table) => self.entries(&format!("[{header}]"), (header, key), table, text),
            Value::List(list) if list.iter().all(|item| item.as_table().is_some()) => {
                for table in list.iter().filter_map(Node::as_table) {
                    self.entries(&format!("[[{header}]]"), (header, key), table, text);
                }
            }
            Value::Text(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Switch(_)
            | Value::List(_)
            | Value::Broken => {}
        }
    }

    fn entries(&self, title: &str, (header, key): (&str, &str), table: &Table, text: &mut String) {
        let inner = || by_origin(table).into_iter().filter(|(_, node)| is_table(node));
        let own = || by_origin(table).into_iter().filter(|(_, node)| !is_table(node));
        let keys = self.keys(key).iter().filter(|key| !table.contains_key(**key));
        let unset: Vec<&str> = keys.copied().collect();
        // Writing to a String cannot fail.
        if own().next().is_some() || !unset.is_empty() {
            let _infallible = writeln!(text, "\n{title}");
        }
        for (name, node) in own() {
            let line = format!("{} = {}", quoted(name), self.value(&joined(key, name), node));
            let _infallible = writeln!(text, "{line:COLUMN$}  # {}", source(node));
        }
        if !unset.is_empty() {
            let _infallible = writeln!(text, "# default: {}", unset.join(", "));
        }
        for (name, node) in inner() {
            self.table(&joined(header, &quoted(name)), &joined(key, name), node, text);
        }
    }

    fn value(&self, key: &str, node: &Node) -> String {
        match &node.value {
            Value::Text(text) if self.secret_keys.iter().any(|secret| secret == key) => {
                format!("{:?}", masked(&text.meant))
            }
            Value::Text(Text { written: Some(written), .. }) => shown(written),
            Value::Text(Text { meant, .. }) => shown(meant),
            Value::Integer(number) => number.to_string(),
            Value::Float(number) => number.to_string(),
            Value::Switch(on) => on.to_string(),
            Value::List(list) => {
                let items: Vec<String> = list.iter().map(|item| self.value(key, item)).collect();
                format!("[{}]", items.join(", "))
            }
            Value::Table(_) | Value::Broken => "{}".into(),
        }
    }
}

fn is_table(node: &Node) -> bool {
    node.as_table().is_some()
}

fn list(table: &Table, prefix: &str, into: &mut Vec<String>) {
    for (name, node) in by_origin(table) {
        let key = joined(prefix, name);
        match &node.value {
            Value::Table(inner) => list(inner, &key, into),
            Value::Text(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Switch(_)
            | Value::List(_)
            | Value::Broken => into.push(format!("{key} {}", source(node))),
        }
    }
}

fn by_origin(table: &Table) -> Vec<(&str, &Node)> {
    let mut entries: Vec<_> = table.iter().map(|(name, node)| (name.as_str(), node)).collect();
    entries.sort_by(|a, b| a.1.origin.cmp(&b.1.origin));
    entries
}

fn joined(prefix: &str, name: &str) -> String {
    if prefix.is_empty() { name.into() } else { format!("{prefix}.{name}") }
}

fn quoted(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !name.is_empty() && name.chars().all(bare) { name.into() } else { format!("{name:?}") }
}

fn source(node: &Node) -> String {
    let filled = node.as_text().is_some_and(|text| text.written.is_some());
    match &node.origin {
        Origin::Unwritten => "default".into(),
        Origin::Line(line) if filled => format!("line {line}, filled in"),
        Origin::Line(line) => format!("line {line}"),
        Origin::Variable(name) => format!("${name}"),
        Origin::Flag(flag) => (*flag).to_owned(),
    }
}

/// A text that is no secret; should it be an address, without what its user part holds.
fn shown(text: &str) -> String {
    let address = Url::parse(text).ok().filter(|url| holds_user(url) || url.query().is_some());
    format!("{:?}", address.map_or_else(|| plain(text, LONGEST), |_| masked(text)))
}

/// An address keeps its host or its path, so that one sees which one is meant.
fn masked(text: &str) -> String {
    let Some(url) = Url::parse(text).ok().filter(|url| url.has_host() || is_path(url)) else {
        return MASK.into();
    };
    if is_path(&url) && !holds_user(&url) && url.query().is_none() {
        return plain(text, LONGEST);
    }
    let user = if holds_user(&url) { format!("{MASK}@") } else { String::new() };
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let query = if url.query().is_some() { format!("?{MASK}") } else { String::new() };
    let host = url.host_str().unwrap_or_default();
    plain(&format!("{}://{user}{host}{port}{}{query}", url.scheme(), url.path()), LONGEST)
}

/// Whether it names a file or a socket of this machine.
fn is_path(url: &Url) -> bool {
    matches!(url.scheme(), "unix" | "sqlite" | "file")
}

fn holds_user(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

/// Whether a value of a secret key really is one: the address of an open server is not.
fn holds_secret(text: &str) -> bool {
    match Url::parse(text).ok().filter(|url| url.has_host() || is_path(url)) {
        Some(url) => url.password().is_some() || url.query().is_some(),
        None => !text.is_empty(),
    }
}
