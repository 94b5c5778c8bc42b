//! The JSON Schema of the file, for editors. Made of the example that ships, which has
//! every key with what it is for, and of what the settings themselves accept.

use super::trial::Trial;
use crate::domain::CheckId;
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, mem};

/// Every key, its purpose above it.
const EXAMPLE: &str = include_str!("../../assets/config.example.toml");
/// What stands before an example within a comment.
const WITHIN: &str = "#     ";
/// How a problem with a choice begins.
const CHOICES: &str = "is not one of ";
/// A text that something is filled into may turn out to be anything.
const FILLED_IN: &str = r"\$\{";

/// The schema, as a document of its own.
pub fn schema() -> String {
    let mut root = read(EXAMPLE).json(&mut Vec::new());
    let head = [
        ("$schema", "http://json-schema.org/draft-07/schema#"),
        ("title", "tminus.toml"),
        ("description", "What T-minus watches, and how. Made by `tminus config schema`."),
    ];
    if let Some(root) = root.as_object_mut() {
        root.extend(head.map(|(key, text)| (key.to_owned(), text.into())));
    }
    // Every key in it is a text, so it cannot fail.
    serde_json::to_string_pretty(&root).unwrap_or_default() + "\n"
}

/// A table or a value, as the example has it.
#[derive(Debug, Default)]
struct Shape {
    says: String,
    /// Whether there may be several of it.
    several: bool,
    /// What it may be, if it is no table.
    examples: Vec<toml::Value>,
    /// The keys that it has, if it is one.
    keys: BTreeMap<String, Shape>,
}

impl Shape {
    fn at(&mut self, path: &[String]) -> &mut Self {
        path.iter().fold(self, |shape, step| shape.keys.entry(step.clone()).or_default())
    }

    /// Takes in an example. What is said of a table that is known is about its new key.
    fn take(&mut self, value: toml::Value, says: String) {
        let mut says = Some(says).filter(|says| !says.is_empty());
        let is_new = self.examples.is_empty() && self.keys.is_empty();
        if is_new || !value.is_table() {
            self.says = says.take().unwrap_or_else(|| mem::take(&mut self.says));
        }
        let toml::Value::Table(table) = value else { return self.examples.push(value) };
        for (key, value) in table {
            let inner = self.keys.entry(key).or_default();
            let is_known = !inner.examples.is_empty();
            let says = if is_known { None } else { says.take() };
            inner.take(value, says.unwrap_or_default());
        }
    }

    fn json(&self, path: &mut Vec<String>) -> Value {
        let mut whole = if self.examples.is_empty() { self.table(path) } else { self.value(path) };
        if self.several {
            whole = json!({ "anyOf": [whole.clone(), { "type": "array", "items": whole }] });
        }
        if let Some(object) = whole.as_object_mut().filter(|_| !self.says.is_empty()) {
            object.insert("description".into(), self.says.clone().into());
        }
        whole
    }

    fn table(&self, path: &mut Vec<String>) -> Value {
        let mut properties = Map::new();
        let mut others = Value::Bool(false);
        for (key, shape) in &self.keys {
            path.push(key.clone());
            // A key with a dot in it is an example of many.
            if key.contains('.') {
                others = shape.json(path);
            } else {
                properties.insert(key.clone(), shape.json(path));
            }
            path.pop();
        }
        json!({ "type": "object", "properties": properties, "additionalProperties": others })
    }

    fn value(&self, path: &[String]) -> Value {
        let mut accepted: Vec<Value> = Vec::new();
        for example in &self.examples {
            let one = accepts(example, path);
            if !accepted.contains(&one) {
                accepted.push(one);
            }
        }
        match accepted.pop() {
            Some(only) if accepted.is_empty() => only,
            last => json!({ "anyOf": accepted.into_iter().chain(last).collect::<Vec<_>>() }),
        }
    }
}

/// The shape of everything in `example`.
fn read(example: &str) -> Shape {
    let mut root = Shape::default();
    let (mut path, mut within) = (Vec::new(), Vec::new());
    let mut says: Vec<&str> = Vec::new();
    for line in example.lines() {
        if let Some(inner) = line.strip_prefix(WITHIN) {
            if inner.starts_with('[') {
                within = header(inner, &mut root);
                root.at(&within).says = says.join(" ");
            } else {
                entry(inner, if within.is_empty() { &path } else { &within }, "", &mut root);
            }
        } else if let Some(comment) = line.strip_prefix("# ") {
            if !within.is_empty() && entry(comment, &within, "", &mut root)
                || within.is_empty() && entry(comment, &path, &says.join(" "), &mut root)
            {
                says.clear();
            } else {
                says.push(comment.trim());
            }
        } else if line.starts_with('[') {
            path = header(line, &mut root);
            within.clear();
            root.at(&path).says = mem::take(&mut says).join(" ");
        } else if let Some(key) = line.strip_prefix('#').filter(|it| it.starts_with(is_key)) {
            entry(key, &path, &mem::take(&mut says).join(" "), &mut root);
        } else if line.is_empty() {
            says.clear();
            within.clear();
        }
    }
    root
}

fn is_key(c: char) -> bool {
    c.is_ascii_lowercase()
}

/// The table that a header names, and whether it may be there several times.
fn header(line: &str, root: &mut Shape) -> Vec<String> {
    let mut path = Vec::new();
    let mut table = line.parse::<toml::Table>().unwrap_or_default();
    while let Some((key, value)) = table.into_iter().next() {
        path.push(key);
        root.at(&path).several |= value.is_array();
        table = value.as_table().cloned().unwrap_or_default();
    }
    path
}

/// Takes in `key = value`, if the line is one.
fn entry(line: &str, path: &[String], says: &str, root: &mut Shape) -> bool {
    let table = line.parse::<toml::Table>().ok();
    let Some((key, value)) = table.and_then(|it| it.into_iter().next()) else { return false };
    root.at(path).keys.entry(key).or_default().take(value, says.to_owned());
    true
}

/// What is accepted where the example has that.
fn accepts(example: &toml::Value, path: &[String]) -> Value {
    match example {
        // A key alone needs no list.
        toml::Value::Array(_) if path.first().is_some_and(|table| table == "keys") => {
            let key = json!({ "type": "string" });
            json!({ "anyOf": [key, { "type": "array", "items": key }] })
        }
        toml::Value::Array(_) => match words(path, "[\"?\"]") {
            Some(words) => json!({ "type": "array", "items": words }),
            None => json!({ "type": "array", "items": { "type": "string" } }),
        },
        toml::Value::String(_) | toml::Value::Datetime(_) => {
            words(path, "\"?\"").unwrap_or_else(|| json!({ "type": "string" }))
        }
        toml::Value::Integer(_) => match limits(path) {
            Some([least, most]) => json!({ "type": "integer", "minimum": least, "maximum": most }),
            None => json!({ "type": "integer", "minimum": 0 }),
        },
        toml::Value::Float(_) => json!({ "type": "number" }),
        toml::Value::Boolean(_) => json!({ "type": "boolean" }),
        toml::Value::Table(_) => json!({ "type": "object" }),
    }
}

/// The words that a setting accepts, if it accepts some words only.
fn words(path: &[String], wrong: &str) -> Option<Value> {
    let says = complaints(path, wrong);
    let listed = says.iter().find_map(|says| says.strip_prefix(CHOICES))?;
    let words: Vec<&str> = listed.split(", ").collect();
    Some(json!({ "anyOf": [{ "enum": words }, { "type": "string", "pattern": FILLED_IN }] }))
}

/// The least and the most that a number may be, as in `is -1; 1 to 3650 is accepted`.
fn limits(path: &[String]) -> Option<[u64; 2]> {
    let says = complaints(path, "-1");
    says.iter().find_map(|says| {
        let words: Vec<&str> = says.split_ascii_whitespace().collect();
        words.windows(3).find_map(|words| match words {
            [least, "to", most] => Some([least.parse().ok()?, most.parse().ok()?]),
            _ => None,
        })
    })
}

/// What is said about a setting that has the value `wrong`, which it cannot have.
fn complaints(path: &[String], wrong: &str) -> Vec<String> {
    let Some((key, table)) = path.split_last() else { return Vec::new() };
    let table: Vec<String> = table.iter().map(|step| format!("{step:?}")).collect();
    let text = format!("[{}]\n{key} = {wrong}\n", table.join("."));
    let known = path.iter().filter_map(|step| CheckId::try_from(step.clone()).ok()).collect();
    let problems = Trial { text, around: None }.problems(known);
    problems.into_iter().map(|problem| problem.says).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::{Flags, TABLES, fake::Fake, load, locate},
        domain::Timestamp,
    };
    use std::{collections::BTreeSet, fs, path::Path};

    fn parsed() -> Value {
        serde_json::from_str(&schema()).unwrap()
    }

    #[test]
    fn what_is_published_is_what_is_printed() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/tminus.schema.json");
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&path, schema()).unwrap();
        }
        let published = fs::read_to_string(path).unwrap();
        let how = "UPDATE=1 cargo test --lib config::schema";
        assert!(published == schema(), "it is another one: {how}");
    }

    #[test]
    fn it_knows_types_words_limits_and_what_each_key_is_for() {
        let schema = parsed();
        let at = |pointer: &str| schema.pointer(pointer).unwrap_or_else(|| panic!("{pointer}"));
        let colors = at("/properties/console/properties/color/anyOf/0/enum");
        assert_eq!(colors, &json!(["auto", "always", "never"]));
        let redis = |key: &str| at(&format!("/properties/redis/anyOf/0/properties/{key}"));
        let roles = redis("roles")["items"]["anyOf"][0]["enum"].as_array().unwrap();
        assert!(roles.contains(&json!("lock")), "{roles:?}");
        assert_eq!(redis("writes")["type"], "boolean");
        assert_eq!(redis("sentinels")["type"], "array");
        assert_eq!(redis("announced")["additionalProperties"]["type"], "string");
        let expected = json!({
            "type": "integer", "minimum": 1, "maximum": 3650,
            "description": "What is older goes. 1 to 3650.",
        });
        assert_eq!(at("/properties/history/properties/max_age_days"), &expected);
        let check = "/properties/checks/additionalProperties/properties";
        assert_eq!(at(&format!("{check}/class/anyOf/0/enum")).as_array().unwrap().len(), 4);
        assert_eq!(at(&format!("{check}/weight/maximum")), 10);
        assert_eq!(at("/properties/accept/anyOf/1/type"), "array");
        let version = "/properties/app/properties/version/properties";
        let kinds = at(&format!("{version}/command/anyOf")).as_array().unwrap();
        let kinds: Vec<&Value> = kinds.iter().map(|kind| &kind["type"]).collect();
        assert_eq!(kinds, ["array", "string"]);
        assert_eq!(at(&format!("{version}/file/description")), "The first line of a file.");
        assert_eq!(at("/additionalProperties"), false);
    }

    /// Every table with its keys, from the schema.
    fn keys(schema: &Value, path: &str, into: &mut BTreeSet<String>) {
        let one = schema.pointer("/anyOf/0").filter(|one| one["type"] == "object");
        let schema = one.unwrap_or(schema);
        for (key, inner) in schema["properties"].as_object().into_iter().flatten() {
            let path = format!("{path}.{key}");
            keys(inner, &path, into);
            into.insert(path);
        }
    }

    #[test]
    fn every_key_that_the_file_may_have_is_in_it() {
        let mut written = BTreeSet::new();
        keys(&parsed(), "", &mut written);
        let tables: Vec<String> = TABLES
            .iter()
            .map(|table| match *table {
                "api" => "[api]\nname = 'a'\nprovider = 'openai'\n".to_owned(),
                "accept" | "checks" => String::new(),
                "app" => "[app]\nversion = { file = 'x' }\n".to_owned(),
                "apis" => "[apis.openai]\n[apis.google]\n[apis.letta]\n[apis.github]\n".to_owned(),
                other => format!("[{other}]\n"),
            })
            .collect();
        let around = Fake::default().directory("/x").file("/x/tminus.toml", &tables.concat());
        let located = locate(None, &around);
        let config = load(&located, &Flags::default(), &around, Timestamp(0), |_| Vec::new());
        let sheet = config.unwrap().sheet;
        let mut missing = Vec::new();
        for (table, accepted) in sheet.accepted() {
            let names = accepted.iter().map(|key| format!(".{table}.{key}"));
            missing.extend(names.filter(|name| !written.contains(name)));
        }
        assert!(written.len() > 60, "{written:?}");
        assert!(missing.is_empty(), "not in assets/config.example.toml: {missing:?}");
    }
}
