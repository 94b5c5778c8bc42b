//! The tables of the integrations. What may stand in them is up to each
//! integration's own settings; what is common to all of them is here.

use super::{
    Origin, Problem, Surroundings,
    de::{self, Read},
    own::origin,
    tree::{Node, Table, Value},
};
use crate::{domain::IntegrationId, integrations::Instance, probe::Complaint};
use serde::de::DeserializeOwned;

/// What is wrong with settings that can be read.
pub(super) type Complaints<S> = fn(&S) -> Vec<Complaint>;

/// Which table, and what its integrations are.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    /// Key of the table.
    pub(super) key: &'static str,
    /// First part of the ids.
    pub(super) kind: &'static str,
}

/// Every instance; where the file has none, one with nothing set.
pub(super) fn always<S: DeserializeOwned>(
    root: &Table,
    kind: Kind,
    complaints: Complaints<S>,
    into: &mut Read,
) -> Vec<Instance<S>> {
    let nodes = match nodes(root, kind.key) {
        none if none.is_empty() => vec![Node::table(Origin::Unwritten)],
        nodes => nodes,
    };
    several(nodes, kind, complaints, into)
}

/// Every instance in the file.
pub(super) fn some<S: DeserializeOwned>(
    root: &Table,
    kind: Kind,
    complaints: Complaints<S>,
    into: &mut Read,
) -> Vec<Instance<S>> {
    several(nodes(root, kind.key), kind, complaints, into)
}

/// The tables of `[key]` or `[[key]]`.
fn nodes(root: &Table, key: &str) -> Vec<Node> {
    match root.get(key) {
        None => Vec::new(),
        Some(Node { value: Value::List(list), .. }) => list.clone(),
        Some(single) => vec![single.clone()],
    }
}

fn several<S: DeserializeOwned>(
    nodes: Vec<Node>,
    kind: Kind,
    complaints: Complaints<S>,
    into: &mut Read,
) -> Vec<Instance<S>> {
    let alone = nodes.len() == 1 && kind.key == kind.kind;
    let mut instances: Vec<Instance<S>> = Vec::new();
    for node in nodes {
        let id = match id_of(kind.kind, &node, alone) {
            Ok(id) if instances.iter().any(|other| other.id == id) => {
                Err(format!("is called {id} like another one; each needs a name of its own"))
            }
            other => other,
        };
        let settings = read(kind, &node, complaints, into);
        let id = id.map_err(|says| {
            // Its settings may want the name too, and say so; once is enough.
            let origin = origin(&node, "name");
            into.problems.retain(|other| other.origin != origin || !is_about_a_name(other));
            into.problems.push(Problem { origin, key: kind.key.into(), says });
        });
        instances.extend(id.ok().zip(settings).map(|(id, settings)| Instance { id, settings }));
    }
    instances
}

/// A table that stands alone may go without a name; of several, each needs one.
fn id_of(kind: &str, node: &Node, alone: bool) -> Result<IntegrationId, String> {
    let name = node.as_table().and_then(|table| table.get("name"));
    let wanted = "a name of lower-case letters, digits, - and _ is accepted, 40 at most";
    match name.map(Node::as_text) {
        Some(Some(name)) if IS_NAMED.contains(&kind) => {
            let named = IntegrationId::named(kind, &name.meant);
            named.map_err(|_| format!("has an unusable name; {wanted}"))
        }
        Some(None) if IS_NAMED.contains(&kind) => Err(format!("has an unusable name; {wanted}")),
        _ if alone => IntegrationId::new(kind).map_err(|error| error.to_string()),
        _ if IS_NAMED.contains(&kind) => {
            Err(format!("has no name, and there may be several; {wanted}"))
        }
        _ => Err("is there several times; once is accepted".into()),
    }
}

fn is_about_a_name(problem: &Problem) -> bool {
    problem.key.rsplit('.').next() == Some("name") || problem.says.starts_with("has no name")
}

/// Kinds whose tables may be there several times. For others, a name means something else.
const IS_NAMED: &[&str] = &["redis", "database", "apis"];

fn read<S: DeserializeOwned>(
    Kind { key, kind }: Kind,
    node: &Node,
    complaints: Complaints<S>,
    into: &mut Read,
) -> Option<S> {
    let before = into.problems.len();
    let mut usable = node.clone();
    let Some(settings) = de::read::<S>(key, &mut usable, into) else {
        // So that its checks are known by name, should the file mention them.
        return de::read(key, &mut Node::table(Origin::Unwritten), &mut Read::default());
    };
    // A complaint about a default that took a bad value's place would mislead.
    let all_read = into.problems.len() == before;
    let is_meant = |complaint: &Complaint| all_read || is_there(&usable, &complaint.key);
    let is_said = |complaint: &Complaint| complaint.key == "name" && IS_NAMED.contains(&kind);
    let others = complaints(&settings).into_iter();
    let others = others.filter(|complaint| is_meant(complaint) && !is_said(complaint));
    into.problems.extend(others.map(|complaint| Problem {
        origin: origin(node, &complaint.key),
        key: format!("{key}.{}", complaint.key),
        says: complaint.says,
    }));
    Some(settings)
}

fn is_there(node: &Node, key: &str) -> bool {
    let mut steps = key.split('.');
    steps.try_fold(node, |node, step| node.as_table()?.get(step)).is_some()
}

/// Lets the first of the `variables` that is set stand for the key at `path`,
/// where the file says nothing about it.
///
/// Where there are several instances nobody knows which one is meant: none is.
pub(super) fn let_stand_for(
    root: &mut Table,
    path: &[&str],
    variables: &[&'static str],
    around: &dyn Surroundings,
) {
    let set = |name: &&'static str| {
        let value = around.variable(name).filter(|value| !value.is_empty())?;
        Some((*name, value))
    };
    if let Some((name, value)) = variables.iter().find_map(set) {
        insert(root, path, Node::text(Origin::Variable(name), value), Wins::File);
    }
}

/// Who wins where both say something.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wins {
    /// What is there already.
    File,
    /// What is put there now.
    New,
}

/// Puts `node` at `path`, making the tables on the way.
pub(super) fn insert(root: &mut Table, path: &[&str], node: Node, wins: Wins) {
    let Some((last, parents)) = path.split_last() else { return };
    let mut table = root;
    for step in parents {
        let origin = node.origin.clone();
        let next = table.entry((*step).to_owned()).or_insert_with(|| Node::table(origin));
        let Value::Table(inner) = &mut next.value else { return };
        table = inner;
    }
    if wins == Wins::New || !table.contains_key(*last) {
        table.insert((*last).to_owned(), node);
    }
}
