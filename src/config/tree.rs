//! The file as a tree of values, each of which knows where it was written.

use super::{Origin, Problem};
use std::{collections::BTreeMap, iter::once, ops::Range};
use toml::de::{DeInteger, DeTable, DeValue, Error};

/// Syntax errors beyond this many come from a file that is not TOML at all.
const MOST_ERRORS: usize = 20;

/// The keys of a table, with their values.
pub(super) type Table = BTreeMap<String, Node>;

/// A value and where it came from.
#[derive(Clone)]
pub(super) struct Node {
    pub(super) origin: Origin,
    pub(super) value: Value,
}

/// What was written.
#[derive(Clone)]
pub(super) enum Value {
    Text(Text),
    Integer(i64),
    Float(f64),
    Switch(bool),
    List(Vec<Node>),
    Table(Table),
    /// It was there and is not usable, which has been said already.
    Broken,
}

/// A text as it stands in the file and as it is meant.
#[derive(Clone)]
pub(super) struct Text {
    /// With everything filled in.
    pub(super) meant: String,
    /// As written, where something was filled in.
    pub(super) written: Option<String>,
}

impl Node {
    /// A text that stands for itself.
    pub(super) fn text(origin: Origin, text: impl Into<String>) -> Self {
        Self { origin, value: Value::Text(Text { meant: text.into(), written: None }) }
    }

    /// An empty table.
    pub(super) fn table(origin: Origin) -> Self {
        Self { origin, value: Value::Table(Table::new()) }
    }

    /// Its keys, if it is a table.
    pub(super) fn as_table(&self) -> Option<&Table> {
        match &self.value {
            Value::Table(table) => Some(table),
            Value::Text(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Switch(_)
            | Value::List(_)
            | Value::Broken => None,
        }
    }

    /// Its text as it is meant, if it is one.
    pub(super) fn as_text(&self) -> Option<&Text> {
        if let Value::Text(text) = &self.value { Some(text) } else { None }
    }

    /// The node at `path` below this one; a step into a list is `#` and a position.
    pub(super) fn at_mut(&mut self, path: &[String]) -> Option<&mut Self> {
        let Some((step, rest)) = path.split_first() else { return Some(self) };
        let next = match &mut self.value {
            Value::Table(table) => table.get_mut(step),
            Value::List(list) => position(step).and_then(|at| list.get_mut(at)),
            Value::Text(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Switch(_)
            | Value::Broken => None,
        };
        next?.at_mut(rest)
    }

    /// Takes the node at `path` out; a place in a list stays, broken.
    pub(super) fn remove(&mut self, path: &[String]) {
        let Some((step, parents)) = path.split_last() else {
            self.value = Value::Broken;
            return;
        };
        let Some(parent) = self.at_mut(parents) else { return };
        match &mut parent.value {
            Value::Table(table) => drop(table.remove(step)),
            Value::List(list) => {
                if let Some(node) = position(step).and_then(|at| list.get_mut(at)) {
                    node.value = Value::Broken;
                }
            }
            Value::Text(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Switch(_)
            | Value::Broken => {}
        }
    }
}

/// The place in a list that a step of a path stands for.
fn position(step: &str) -> Option<usize> {
    step.strip_prefix('#')?.parse().ok()
}

/// Reads TOML. All of its syntax errors, or the tree.
pub(super) fn parse(text: &str) -> Result<Table, Vec<Problem>> {
    let (root, errors) = DeTable::parse_recoverable(text);
    let lines = Lines::of(text);
    if errors.is_empty() {
        return Ok(table(root.into_inner(), &lines));
    }
    let more = errors.len().saturating_sub(MOST_ERRORS);
    let mut problems: Vec<Problem> =
        errors.iter().take(MOST_ERRORS).map(|error| syntax(error, &lines)).collect();
    if more > 0 {
        let says = format!("{more} more syntax errors follow; is this a TOML file?");
        problems.push(Problem { origin: Origin::Unwritten, key: String::new(), says });
    }
    Err(problems)
}

/// The parser's own rendering quotes the line, which may hold a password: only
/// its message and the position are taken.
fn syntax(error: &Error, lines: &Lines) -> Problem {
    let line = error.span().map_or(1, |span| lines.at(&span));
    let says = format!("not TOML: {}", error.message());
    Problem { origin: Origin::Line(line), key: String::new(), says }
}

fn table(from: DeTable<'_>, lines: &Lines) -> Table {
    let entry = |(key, value): (toml::Spanned<_>, toml::Spanned<DeValue<'_>>)| {
        let origin = Origin::Line(lines.at(&key.span()));
        let key: std::borrow::Cow<'_, str> = key.into_inner();
        (key.into_owned(), node(value.into_inner(), origin, lines))
    };
    from.into_iter().map(entry).collect()
}

fn node(from: DeValue<'_>, origin: Origin, lines: &Lines) -> Node {
    let plain = |text: String| Value::Text(Text { meant: text, written: None });
    let value = match from {
        DeValue::String(text) => plain(text.into_owned()),
        DeValue::Integer(number) => integer(&number).map_or_else(
            // Larger than any setting: as a fraction it is refused by its type, with its line.
            || Value::Float(number.as_str().parse().unwrap_or(f64::INFINITY)),
            Value::Integer,
        ),
        DeValue::Float(number) => Value::Float(number.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(on) => Value::Switch(on),
        DeValue::Datetime(moment) => plain(moment.to_string()),
        DeValue::Array(list) => {
            let item = |item: toml::Spanned<DeValue<'_>>| {
                let origin = Origin::Line(lines.at(&item.span()));
                node(item.into_inner(), origin, lines)
            };
            Value::List(list.into_iter().map(item).collect())
        }
        DeValue::Table(inner) => Value::Table(table(inner, lines)),
    };
    Node { origin, value }
}

fn integer(number: &DeInteger<'_>) -> Option<i64> {
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

/// Where each line of a text begins.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        Self(once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect())
    }

    /// The line, counted from 1, on which `span` begins.
    fn at(&self, span: &Range<usize>) -> usize {
        self.0.partition_point(|begin| *begin <= span.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_knows_its_line() {
        let tree =
            parse("a = 1\n\n[b]\nc = [\n  2,\n  \"x\",\n]\n[[d]]\n[[d]]\ne.f = true").unwrap();
        let line = |node: &Node| node.origin.clone();
        assert_eq!(line(&tree["a"]), Origin::Line(1));
        let b = tree["b"].as_table().unwrap();
        assert_eq!(line(&b["c"]), Origin::Line(4));
        let Value::List(c) = &b["c"].value else { panic!("not a list") };
        assert_eq!(c.iter().map(line).collect::<Vec<_>>(), [Origin::Line(5), Origin::Line(6)]);
        let Value::List(d) = &tree["d"].value else { panic!("not a list") };
        assert_eq!(line(&d[1].as_table().unwrap()["e"]), Origin::Line(10));
    }

    #[test]
    fn all_syntax_errors_are_found_and_none_quotes_its_line() {
        let problems = parse("a = hunter2\nb = 1\nc = \"hunter2\n[d\n").err().unwrap();
        let lines: Vec<_> = problems.iter().map(|problem| problem.origin.clone()).collect();
        assert!(lines.contains(&Origin::Line(1)) && lines.contains(&Origin::Line(3)), "{lines:?}");
        for problem in &problems {
            assert!(!problem.says.contains("hunter2"), "{}", problem.says);
        }
    }

    #[test]
    fn what_is_not_toml_is_not_listed_line_by_line() {
        let problems = parse(&"%\n".repeat(500)).err().unwrap();
        assert_eq!(problems.len(), MOST_ERRORS + 1);
        assert!(problems[MOST_ERRORS].says.contains("481 more"), "{}", problems[MOST_ERRORS].says);
    }
}
