//! The tables that are about the console itself.

use super::{
    Origin, Problem,
    de::{self, Read},
    tree::{Node, Table, Value},
};
use crate::{
    domain::{CheckId, Class, Policy},
    engine::Override,
    nearest::did_you_mean,
    secret::Secret,
};
use clap::ValueEnum;
use serde::Deserialize;
use std::{borrow::Cow, net::SocketAddr, path::PathBuf, time::Duration};
use url::Url;

/// How long it is HOLD after a deploy, usually and at most.
const SETTLE: (Duration, Duration) = (Duration::from_mins(5), Duration::from_hours(24));
/// The most that a check can weigh.
const HEAVIEST: u8 = 10;

/// What the address of a history may ask for.
const PARAMETERS: [&str; 2] = ["sslmode", "sslrootcert"];

/// How the console draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Console {
    /// Signs that are drawn. Default: `auto`.
    pub glyphs: Glyphs,
    /// Whether colours are used. Default: `auto`.
    pub color: Color,
    /// Whose colours they are. Default: `terminal`.
    pub theme: Theme,
    /// Whether the window's title says the verdict. Default: true.
    pub title: bool,
    /// Whether a new verdict rings the bell and asks for a notification. Default: false.
    pub bell: bool,
    /// Whether the mouse is ours from the start. Default: false.
    pub mouse: bool,
}

impl Default for Console {
    fn default() -> Self {
        Self {
            glyphs: Glyphs::default(),
            color: Color::default(),
            theme: Theme::default(),
            title: true,
            bell: false,
            mouse: false,
        }
    }
}

/// Whose colours are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Theme {
    /// The terminal's own sixteen.
    #[default]
    Terminal,
    /// Ours for a dark ground.
    Dark,
    /// Ours for a light ground.
    Light,
    /// Blue and orange in the place of green and red.
    ColorBlind,
}

/// Which signs are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Glyphs {
    /// Unicode where the locale is UTF-8.
    #[default]
    Auto,
    /// Unicode.
    Unicode,
    /// ASCII only.
    Ascii,
}

/// Whether colours are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Color {
    /// On a terminal that has them, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Also in a pipe.
    Always,
    /// Not at all.
    Never,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct VerdictTable {
    min_coverage: Option<i64>,
    min_score: Option<i64>,
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::optional")]
    settle: Option<Duration>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ExporterTable {
    listen: Option<String>,
}

/// What is kept on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    /// Whether nothing is.
    pub off: bool,
    /// In which file; in the state directory without one.
    pub path: Option<PathBuf>,
    /// In which PostgreSQL database, in place of a file.
    pub url: Option<Secret>,
    /// What is older goes.
    pub max_age: Duration,
    /// The oldest goes while there are more bytes.
    pub max_bytes: u64,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct HistoryTable {
    off: bool,
    path: Option<String>,
    url: Option<Secret>,
    max_age_days: Option<i64>,
    max_size_mib: Option<i64>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct CheckTable {
    class: Option<Class>,
    weight: Option<u8>,
}

/// `[console]`.
pub(super) fn console(root: &Table, into: &mut Read) -> Console {
    root.get("console")
        .and_then(|node| de::read("console", &mut node.clone(), into))
        .unwrap_or_default()
}

/// `[exporter]`.
pub(super) fn listen(root: &Table, into: &mut Read) -> Option<SocketAddr> {
    let node = root.get("exporter")?;
    let ExporterTable { listen } = de::read("exporter", &mut node.clone(), into)?;
    let parsed = listen?.parse();
    if parsed.is_err() {
        let says = "is not an address with a port, such as 127.0.0.1:9464".into();
        into.problems.push(Problem {
            origin: origin(node, "listen"),
            key: "exporter.listen".into(),
            says,
        });
    }
    parsed.ok()
}

/// `[history]`.
pub(super) fn history(root: &Table, into: &mut Read) -> History {
    const DAYS: (i64, [i64; 2]) = (400, [1, 3650]);
    const MIB: (i64, [i64; 2]) = (200, [4, 100_000]);
    let node = root.get("history");
    let table = node.and_then(|node| de::read("history", &mut node.clone(), into));
    let HistoryTable { off, path, url, max_age_days, max_size_mib } = table.unwrap_or_default();
    let mut within = |key: &str, value: Option<i64>, (usual, [least, most]): (i64, [i64; 2])| {
        let value = value.unwrap_or(usual);
        if !(least..=most).contains(&value) {
            let origin = node.map_or(Origin::Unwritten, |node| origin(node, key));
            let says = format!("is {value}; {least} to {most} is accepted");
            into.problems.push(Problem { origin, key: format!("history.{key}"), says });
        }
        value.clamp(least, most).unsigned_abs()
    };
    let days = within("max_age_days", max_age_days, DAYS);
    let mib = within("max_size_mib", max_size_mib, MIB);
    let max_age = Duration::from_secs(days * 86_400);
    if let Some(says) = url.as_ref().and_then(|url| unusable(url, path.is_some())) {
        let origin = node.map_or(Origin::Unwritten, |node| origin(node, "url"));
        into.problems.push(Problem { origin, key: "history.url".into(), says: says.into() });
    }
    History { off, path: path.map(PathBuf::from), url, max_age, max_bytes: mib << 20 }
}

/// What is wrong with the address of a history, if anything is. Nothing of it is repeated.
fn unusable(url: &Secret, has_path: bool) -> Option<&'static str> {
    let Ok(read) = Url::parse(url.expose()) else {
        return Some("is not a URL; write # / ? @ in a password as %23 %2F %3F %40");
    };
    // Of one that the driver does not know it would write the value into the log.
    let known = |(name, _): (Cow<'_, str>, _)| PARAMETERS.contains(&&*name);
    if has_path {
        Some("is set beside path; keep one of them")
    } else if !["postgres", "postgresql"].contains(&read.scheme()) {
        Some("must begin with postgres://")
    } else if read.host_str().is_none_or(str::is_empty) || read.path().len() < 2 {
        Some("names no server or no database; write postgres://role:password@host/database")
    } else if !read.query_pairs().all(known) {
        Some("has a parameter it does not know; sslmode and sslrootcert are accepted")
    } else {
        None
    }
}

/// `[verdict]`.
pub(super) fn verdict(root: &Table, into: &mut Read) -> Policy {
    let mut policy = Policy { settle: SETTLE.0, ..Policy::default() };
    let Some(node) = root.get("verdict") else { return policy };
    let Some(table) = de::read::<VerdictTable>("verdict", &mut node.clone(), into) else {
        return policy;
    };
    let mut percent = |key: &str, value: Option<i64>| {
        let value = value?;
        let percent = u8::try_from(value).ok().filter(|percent| *percent <= 100);
        if percent.is_none() {
            let says = format!("is {value}; a percentage from 0 to 100 is accepted");
            let (origin, key) = (origin(node, key), format!("verdict.{key}"));
            into.problems.push(Problem { origin, key, says });
        }
        percent
    };
    let settle = table.settle.unwrap_or(SETTLE.0);
    let min_score = percent("min_score", table.min_score);
    policy.min_coverage =
        percent("min_coverage", table.min_coverage).unwrap_or(policy.min_coverage);
    policy.min_score = min_score;
    policy.settle = settle;
    if settle > SETTLE.1 {
        let (origin, key) = (origin(node, "settle"), "verdict.settle".into());
        into.problems.push(Problem { origin, key, says: "is longer than 24h".into() });
    }
    policy
}

/// `[checks."redis.lock"]` and its like, held against the checks that exist.
pub(super) fn overrides(root: &Table, ids: &[CheckId], into: &mut Read) -> Vec<Override> {
    let Some(node) = root.get("checks") else { return Vec::new() };
    let Some(table) = node.as_table() else {
        let says = "is not a table; [checks.\"redis.lock\"] is accepted".into();
        into.problems.push(Problem { origin: node.origin.clone(), key: "checks".into(), says });
        return Vec::new();
    };
    table.iter().filter_map(|(name, node)| one_override(name, node, ids, into)).collect()
}

fn one_override(name: &str, node: &Node, ids: &[CheckId], into: &mut Read) -> Option<Override> {
    let key = format!("checks.{name:?}");
    let mut complain = |says: String, origin: Origin| {
        into.problems.push(Problem { origin, key: key.clone(), says });
    };
    let Some(check) = ids.iter().find(|id| id.as_str() == name) else {
        complain(not_a_check(name, Some(node), ids), node.origin.clone());
        return None;
    };
    if let Some(weight) = too_heavy(node) {
        let says = format!("has the weight {weight}; 0 to {HEAVIEST} is accepted");
        complain(says, origin(node, "weight"));
        return None;
    }
    let CheckTable { class, weight } = de::read(&key, &mut node.clone(), into)?;
    Some(Override { check: check.clone(), class, weight })
}

fn too_heavy(node: &Node) -> Option<i64> {
    match node.as_table()?.get("weight")?.value {
        Value::Integer(weight) if !(0..=i64::from(HEAVIEST)).contains(&weight) => Some(weight),
        Value::Integer(_)
        | Value::Float(_)
        | Value::Switch(_)
        | Value::Text(_)
        | Value::List(_)
        | Value::Table(_)
        | Value::Broken => None,
    }
}

pub(super) fn not_a_check(name: &str, node: Option<&Node>, ids: &[CheckId]) -> String {
    // `[checks.redis.lock]` is a table in a table; the dot belongs to the name.
    let nested = node.and_then(Node::as_table).and_then(|table| table.keys().next());
    let quoted = nested.map(|inner| format!("{name}.{inner}"));
    if let Some(quoted) = quoted.filter(|quoted| ids.iter().any(|id| id.as_str() == quoted)) {
        return format!("is not a check; write [checks.{quoted:?}], with the quotes");
    }
    let meant = did_you_mean(name, ids.iter().map(CheckId::as_str));
    format!(
        "is not a check{meant}{}",
        if meant.is_empty() { "; `tminus check` lists them" } else { "" }
    )
}

/// Where a key of a table was written, or the table where it was not.
pub(super) fn origin(node: &Node, key: &str) -> Origin {
    let mut node = node;
    for step in key.split('.') {
        match node.as_table().and_then(|table| table.get(step)) {
            Some(inner) => node = inner,
            None => break,
        }
    }
    node.origin.clone()
}
