//! `[keys]`: which keys do what in the console.

use super::{
    Origin, Problem,
    de::Read,
    tree::{Node, Table, Value},
};
use crate::tui::{KeyProblem, Keymap};

/// The keys that the user wants; ours where they cannot be used.
pub(super) fn keys(root: &Table, into: &mut Read) -> Keymap {
    let Some(node) = root.get("keys") else { return Keymap::default() };
    let Some(table) = node.as_table() else {
        let says = "is not a table; [keys] with recheck = \"x\" is accepted".into();
        into.problems.push(Problem { origin: node.origin.clone(), key: "keys".into(), says });
        return Keymap::default();
    };
    let mut wanted = Vec::new();
    for (name, node) in table {
        match texts(node) {
            Some(texts) => wanted.push((name.clone(), texts)),
            None => into.problems.push(Problem {
                origin: node.origin.clone(),
                key: format!("keys.{name}"),
                says: "is not a key or a list of keys, such as \"x\" or [\"x\", \"F5\"]".into(),
            }),
        }
    }
    Keymap::with(&wanted).unwrap_or_else(|problems| {
        into.problems.extend(problems.into_iter().map(|it| problem(table, it)));
        Keymap::default()
    })
}

/// Both lines are named: the problem's own, and in its text that of the other entry.
fn problem(table: &Table, problem: KeyProblem) -> Problem {
    let origin = |name: &str| table.get(name).map_or(Origin::Unwritten, |it| it.origin.clone());
    let says = match problem.other.as_deref().map(origin) {
        Some(Origin::Line(line)) => format!("{} in line {line}", problem.says),
        Some(Origin::Unwritten | Origin::Variable(_) | Origin::Flag(_)) | None => problem.says,
    };
    Problem { origin: origin(&problem.name), key: format!("keys.{}", problem.name), says }
}

fn texts(node: &Node) -> Option<Vec<String>> {
    match &node.value {
        Value::Text(text) => Some(vec![text.meant.clone()]),
        Value::List(list) => list.iter().map(text).collect(),
        Value::Integer(_)
        | Value::Float(_)
        | Value::Switch(_)
        | Value::Table(_)
        | Value::Broken => None,
    }
}

fn text(node: &Node) -> Option<String> {
    match &node.value {
        Value::Text(text) => Some(text.meant.clone()),
        Value::List(_)
        | Value::Integer(_)
        | Value::Float(_)
        | Value::Switch(_)
        | Value::Table(_)
        | Value::Broken => None,
    }
}
