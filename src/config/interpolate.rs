//! Fills variables and files into the texts of the file: `${VAR}`,
//! `${VAR:-default}`, `${VAR:?message}`, `${file:/path}`, and `$$` for a dollar sign.
//!
//! It works on parsed values, never on the raw text, so a value cannot change
//! the file's structure, and in one pass, so a value is never filled in again.

use super::{
    Problem, Surroundings,
    tree::{Node, Table, Text, Value},
};
use std::path::{Path, PathBuf};

/// A file that is filled in may be this long; a key or a certificate is far shorter.
const LONGEST_FILE: usize = 64 * 1024;

/// Where values to fill in come from.
pub(super) struct Source<'a> {
    /// Variables and files.
    pub(super) around: &'a dyn Surroundings,
    /// What a relative path in `${file:…}` is relative to.
    pub(super) directory: PathBuf,
}

/// Fills in everything below `table`; what cannot be filled in is taken out and named.
pub(super) fn fill_in(table: &mut Table, source: &Source<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (key, node) in table {
        walk(node, key, source, &mut problems);
    }
    problems
}

fn walk(node: &mut Node, key: &str, source: &Source<'_>, problems: &mut Vec<Problem>) {
    match &mut node.value {
        Value::Text(text) if text.meant.contains('$') => match expand(&text.meant, source) {
            Ok(Expanded { filled: false, text: meant }) => text.meant = meant,
            Ok(Expanded { filled: true, text: meant }) => {
                *text = Text { meant, written: Some(std::mem::take(&mut text.meant)) };
            }
            Err(says) => {
                problems.push(Problem { origin: node.origin.clone(), key: key.into(), says });
                node.value = Value::Broken;
            }
        },
        Value::List(list) => {
            for item in list {
                walk(item, key, source, problems);
            }
        }
        Value::Table(table) => {
            for (name, inner) in table {
                walk(inner, &format!("{key}.{name}"), source, problems);
            }
        }
        Value::Text(_) | Value::Integer(_) | Value::Float(_) | Value::Switch(_) | Value::Broken => {
        }
    }
}

struct Expanded {
    text: String,
    filled: bool,
}

fn expand(written: &str, source: &Source<'_>) -> Result<Expanded, String> {
    let mut expanded = Expanded { text: String::new(), filled: false };
    let mut rest = written;
    while let Some((before, after)) = rest.split_once('$') {
        expanded.text.push_str(before);
        rest = after;
        if let Some(after) = rest.strip_prefix('$') {
            expanded.text.push('$');
            rest = after;
        } else if let Some(after) = rest.strip_prefix('{') {
            let Some((asked, after)) = after.split_once('}') else {
                return Err("has a ${ without its }; $${ is a literal one".into());
            };
            expanded.text.push_str(&value_of(asked, source)?);
            expanded.filled = true;
            rest = after;
        } else {
            expanded.text.push('$');
        }
    }
    expanded.text.push_str(rest);
    Ok(expanded)
}

fn value_of(asked: &str, source: &Source<'_>) -> Result<String, String> {
    if let Some(path) = asked.strip_prefix("file:") {
        return content(&source.directory.join(path), source.around);
    }
    let (name, otherwise) = match asked.split_once(':') {
        Some((name, otherwise)) => (name, Some(otherwise)),
        None => (asked, None),
    };
    if !is_name(name) {
        return Err("has a ${…} that names no variable; ${NAME}, ${NAME:-default}, \
                    ${NAME:?message} and ${file:/path} are accepted"
            .into());
    }
    let value = source.around.variable(name);
    let filled = value.clone().filter(|value| !value.is_empty());
    match otherwise.map(|otherwise| (otherwise.get(..1), otherwise.get(1..).unwrap_or_default())) {
        None => value.ok_or_else(|| {
            format!(
                "asks for the variable {name}, which is not set; ${{{name}:-…}} gives a default"
            )
        }),
        Some((Some("-"), default)) => Ok(filled.unwrap_or_else(|| default.into())),
        Some((Some("?"), message)) => filled.ok_or_else(|| {
            let message = if message.is_empty() { "it is required" } else { message };
            format!("asks for the variable {name}, which is not set: {message}")
        }),
        Some(_) => Err(format!(
            "has a ${{{name}:…}} that is neither ${{{name}:-default}} nor \
                                ${{{name}:?message}}"
        )),
    }
}

fn is_name(text: &str) -> bool {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.chars().all(part) && text.starts_with(|c: char| !c.is_ascii_digit())
}

fn content(path: &Path, around: &dyn Surroundings) -> Result<String, String> {
    let shown = path.display();
    let bytes = around
        .read(path, LONGEST_FILE)
        .map_err(|error| format!("asks for the file {shown}: {}", super::why(&error)))?;
    if bytes.len() > LONGEST_FILE {
        return Err(format!("asks for the file {shown}, which is longer than 64 KiB"));
    }
    let text = String::from_utf8(bytes)
        .map_err(|_| format!("asks for the file {shown}, which is not UTF-8 text"))?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::fake::Fake;
    use proptest::prelude::*;

    fn expanded(written: &str) -> Result<String, String> {
        let around = Fake::default()
            .variable("HOST", "db-1")
            .variable("EMPTY", "")
            .variable("NESTED", "${HOST}$$")
            .file("/run/key", "s3cret\n")
            .file("/etc/app/key", "relative")
            .file("/run/long", &"x".repeat(LONGEST_FILE + 1));
        let source = Source { around: &around, directory: "/etc/app".into() };
        expand(written, &source).map(|expanded| expanded.text)
    }

    #[test]
    fn each_form_gives_its_value() {
        for (written, meant) in [
            ("plain", "plain"),
            ("${HOST}:5432", "db-1:5432"),
            ("a ${HOST} b ${HOST}", "a db-1 b db-1"),
            ("${EMPTY}", ""),
            ("${MISSING:-none}", "none"),
            ("${EMPTY:-none}", "none"),
            ("${MISSING:-}", ""),
            ("${HOST:-none}", "db-1"),
            ("${HOST:?set it}", "db-1"),
            ("${file:/run/key}", "s3cret"),
            ("${file:key}", "relative"),
            ("$$", "$"),
            ("$${HOST}", "${HOST}"),
            ("pa$word", "pa$word"),
            ("$", "$"),
            ("${NESTED}", "${HOST}$$"),
        ] {
            assert_eq!(expanded(written).as_deref(), Ok(meant), "{written}");
        }
    }

    #[test]
    fn what_cannot_be_filled_in_says_why() {
        for (written, word) in [
            ("${MISSING}", "MISSING, which is not set"),
            ("${MISSING:?ask the database team}", "ask the database team"),
            ("${EMPTY:?}", "it is required"),
            ("${HOST", "without its }"),
            ("${}", "names no variable"),
            ("${1A}", "names no variable"),
            ("${HOST:x}", "neither"),
            ("${file:/none}", "/none: it does not exist"),
            ("${file:/run/long}", "64 KiB"),
        ] {
            let says = expanded(written).unwrap_err();
            assert!(says.contains(word), "{written}: {says}");
        }
    }

    proptest! {
        #[test]
        fn doubling_the_dollars_always_gives_the_text_back(text in any::<String>()) {
            let doubled = text.replace('$', "$$");
            prop_assert_eq!(expanded(&doubled), Ok(text));
        }
    }
}
