//! From the tree to typed settings, with every problem and not only the first.
//!
//! Written by hand because a library's errors quote the value that they are
//! about, and a value may be a secret: a [`Fault`] has room for what is accepted
//! and none for what was found. It also takes note of every [`Secret`] it reads.

mod reader;

use super::{
    Problem,
    tree::{Node, Value},
};
use crate::{nearest::did_you_mean, secret::Secret};
use reader::{Fault, What, attempt};
use serde::de::DeserializeOwned;

/// A table with more problems than this is not worth reading further.
const MOST: usize = 50;

/// What was read besides the settings themselves.
#[derive(Default)]
pub(super) struct Read {
    /// What is wrong.
    pub(super) problems: Vec<Problem>,
    /// Every secret, for whoever takes them out of texts.
    pub(super) secrets: Vec<Secret>,
    /// The keys that hold one, for whoever shows the settings.
    pub(super) secret_keys: Vec<String>,
    /// The keys that each table may have.
    pub(super) accepted: Vec<(String, &'static [&'static str])>,
}

/// Reads the table at `key`; what is wrong with it is noted and taken out of `node`.
///
/// `None` when nothing usable is left, which is then noted too.
pub(super) fn read<T: DeserializeOwned>(key: &str, node: &mut Node, into: &mut Read) -> Option<T> {
    let mut removed: Vec<Vec<String>> = Vec::new();
    while removed.len() <= MOST {
        let (result, notes) = attempt::<T>(node);
        let mut fault = match result {
            Ok(value) => {
                into.secrets.extend(notes.secrets);
                into.secret_keys.extend(notes.secret_paths.iter().map(|path| dotted(key, path)));
                let tables = notes.tables.iter();
                into.accepted.extend(tables.map(|(path, keys)| (dotted(key, path), *keys)));
                return Some(value);
            }
            Err(fault) => fault,
        };
        if let What::Missing(field) = fault.what {
            // What is missing because it was taken out has been said to be wrong.
            let lost: Vec<String> = fault.path.iter().cloned().chain([field.into()]).collect();
            into.problems.extend(problem(key, node, &fault).filter(|_| !removed.contains(&lost)));
            return None;
        }
        if let What::Unusable(wanted) = &mut fault.what {
            *wanted = wanted_at::<T>(node.clone(), &fault.path);
        }
        into.problems.extend(problem(key, node, &fault));
        // An entry of a list cannot be taken out alone: the list goes with it.
        let path = fault.path.into_iter().take_while(|step| !is_position(step));
        let path: Vec<String> = path.collect();
        if path.is_empty() {
            return None;
        }
        node.remove(&path);
        removed.push(path);
    }
    None
}

/// What is accepted at `path`, found out by putting there what cannot be.
///
/// A setting that does not like its text says why in words that may quote it;
/// one that is given no text at all says what it wants instead.
fn wanted_at<T: DeserializeOwned>(mut node: Node, path: &[String]) -> Option<String> {
    node.at_mut(path)?.value = Value::Switch(true);
    match attempt::<T>(&node).0 {
        Err(Fault { path: at, what: What::Expected(wanted) }) if at == path => Some(wanted),
        Ok(_) | Err(_) => None,
    }
}

fn is_position(step: &str) -> bool {
    step.starts_with('#')
}

fn dotted(key: &str, path: &[String]) -> String {
    let steps = path.iter().filter(|step| !is_position(step));
    steps.fold(key.to_owned(), |key, step| format!("{key}.{step}"))
}

fn problem(key: &str, node: &mut Node, fault: &Fault) -> Option<Problem> {
    let mut lengths = (0..=fault.path.len()).rev();
    let found = lengths.find_map(|len| node.at_mut(&fault.path[..len]).cloned())?;
    let key = dotted(key, &fault.path);
    let says = match &fault.what {
        What::Unknown(accepted) => not_a_key(fault.path.last()?, accepted),
        What::Missing(field) => format!("has no {field}, which is required"),
        What::Expected(wanted) => {
            format!("is {}; {} is accepted", shown(&found.value), accepted(wanted))
        }
        What::Choice(choices) => not_a_choice(&found, choices),
        What::Unusable(Some(wanted)) => format!("cannot be read; {} is accepted", accepted(wanted)),
        What::Unusable(None) => "is not written in a form that is accepted here".into(),
        What::Broken => return None,
    };
    Some(Problem { origin: found.origin, key, says })
}

/// Names what is accepted, and what may have been meant: never what was written.
fn not_a_choice(found: &Node, choices: &[&str]) -> String {
    let typed = found.as_text().map(|text| text.meant.as_str()).unwrap_or_default();
    let meant = did_you_mean(typed, choices.iter().copied());
    format!("is not one of {}{meant}", choices.join(", "))
}

/// What to say about a key that nothing reads.
pub(super) fn not_a_key(key: &str, accepted: &[&str]) -> String {
    let meant = did_you_mean(key, accepted.iter().copied());
    if meant.is_empty() && !accepted.is_empty() {
        format!("is not a key here; {} are", accepted.join(", "))
    } else {
        format!("is not a key here{meant}")
    }
}

/// What was found, without any text of it.
fn shown(value: &Value) -> String {
    match value {
        Value::Text(_) => "a text".into(),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Switch(on) => on.to_string(),
        Value::List(_) => "a list".into(),
        Value::Table(_) => "a table".into(),
        Value::Broken => "unusable".into(),
    }
}

/// What serde calls it, in words of the file.
fn accepted(wanted: &str) -> String {
    match wanted {
        "a string" | "string" | "a character" => "a text in quotes".into(),
        "a boolean" => "true or false".into(),
        "u8" => "a whole number from 0 to 255".into(),
        "u16" => "a whole number from 0 to 65535".into(),
        "u32" | "u64" | "usize" => "a whole number, 0 or more,".into(),
        "i8" | "i16" | "i32" | "i64" => "a whole number".into(),
        "f32" | "f64" => "a number".into(),
        "a sequence" => "a list".into(),
        "path string" => "a path in quotes".into(),
        other if other.contains("duration") => "a span of time such as 250ms, 5s or 1m 30s".into(),
        other if other.starts_with("struct ") || other == "a map" => "a table".into(),
        other => other.to_owned(),
    }
}
