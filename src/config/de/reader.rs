//! A tree as something that serde can read.

use super::super::tree::{Node, Table, Value};
use crate::secret::Secret;
use serde::{
    de::{
        self, DeserializeOwned, DeserializeSeed, Deserializer, Expected, IntoDeserializer as _,
        MapAccess, SeqAccess, Unexpected, Visitor,
    },
    forward_to_deserialize_any,
};
use std::{cell::RefCell, collections::btree_map, fmt, slice};

/// Reads `node`, and tells what it came across.
pub(super) fn attempt<T: DeserializeOwned>(node: &Node) -> (Result<T, Fault>, Notes) {
    let notes = RefCell::new(Notes::default());
    let result = T::deserialize(Reader { node, path: Vec::new(), notes: &notes });
    (result, notes.into_inner())
}

/// What the deserializer takes note of on its way.
#[derive(Default)]
pub(super) struct Notes {
    /// Every secret.
    pub(super) secrets: Vec<Secret>,
    /// Where a secret is.
    pub(super) secret_paths: Vec<Vec<String>>,
    /// Every table, and the keys that it may have.
    pub(super) tables: Vec<(Vec<String>, &'static [&'static str])>,
}

/// Why a value cannot be read, and where it is.
#[derive(Debug)]
pub(super) struct Fault {
    /// The keys that lead there; a place in a list is `#` and its number.
    pub(super) path: Vec<String>,
    /// What is wrong there.
    pub(super) what: What,
}

/// What can be wrong. There is room for what is accepted, and none for what was found.
#[derive(Debug)]
pub(super) enum What {
    /// No such key; these are.
    Unknown(&'static [&'static str]),
    /// A key that has to be there.
    Missing(&'static str),
    /// Something else is wanted.
    Expected(String),
    /// One of these is wanted.
    Choice(&'static [&'static str]),
    /// For a reason of its own; with what is accepted, once that is known.
    Unusable(Option<String>),
    /// It has been complained about before.
    Broken,
}

impl Fault {
    fn new(what: What) -> Self {
        Self { path: Vec::new(), what }
    }

    /// The same, seen from the table or list around it.
    fn within(mut self, step: &str) -> Self {
        self.path.insert(0, step.to_owned());
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a setting cannot be read")
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    /// The text is not kept: it may quote the value.
    fn custom<T: fmt::Display>(_why: T) -> Self {
        Self::new(What::Unusable(None))
    }

    fn invalid_type(_found: Unexpected<'_>, wanted: &dyn Expected) -> Self {
        Self::new(What::Expected(wanted.to_string()))
    }

    fn invalid_value(_found: Unexpected<'_>, wanted: &dyn Expected) -> Self {
        Self::new(What::Expected(wanted.to_string()))
    }

    fn invalid_length(_found: usize, wanted: &dyn Expected) -> Self {
        Self::new(What::Expected(wanted.to_string()))
    }

    fn unknown_variant(_found: &str, choices: &'static [&'static str]) -> Self {
        Self::new(What::Choice(choices))
    }

    fn unknown_field(field: &str, accepted: &'static [&'static str]) -> Self {
        Self::new(What::Unknown(accepted)).within(field)
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(What::Missing(field))
    }
}

/// One node, ready to be read.
struct Reader<'a> {
    node: &'a Node,
    path: Vec<String>,
    notes: &'a RefCell<Notes>,
}

impl<'a> Reader<'a> {
    fn below(&self, step: &str, node: &'a Node) -> Self {
        let path = self.path.iter().cloned().chain([step.to_owned()]).collect();
        Self { node, path, notes: self.notes }
    }
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.node.value {
            Value::Text(text) => visitor.visit_str(&text.meant),
            Value::Integer(number) => visitor.visit_i64(*number),
            Value::Float(number) => visitor.visit_f64(*number),
            Value::Switch(on) => visitor.visit_bool(*on),
            Value::List(list) => visitor.visit_seq(Items { of: &self, rest: list.iter(), at: 0 }),
            Value::Table(table) => visitor.visit_map(Entries::of(&self, table)),
            Value::Broken => Err(Fault::new(What::Broken)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        if name == Secret::NAME {
            let mut notes = self.notes.borrow_mut();
            notes.secret_paths.push(self.path.clone());
            notes.secrets.extend(self.node.as_text().map(|text| Secret::new(text.meant.as_str())));
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let table = match &self.node.value {
            Value::Table(table) => table,
            Value::Broken => return Err(Fault::new(What::Broken)),
            Value::Text(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Switch(_)
            | Value::List(_) => return Err(Fault::new(What::Expected("a map".into()))),
        };
        self.notes.borrow_mut().tables.push((self.path.clone(), fields));
        match table.keys().find(|key| !fields.contains(&key.as_str())) {
            Some(unknown) => Err(de::Error::unknown_field(unknown, fields)),
            None => self.deserialize_any(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match &self.node.value {
            Value::Text(text) => visitor.visit_enum(text.meant.as_str().into_deserializer()),
            Value::Broken => Err(Fault::new(What::Broken)),
            Value::Integer(_)
            | Value::Float(_)
            | Value::Switch(_)
            | Value::List(_)
            | Value::Table(_) => Err(Fault::new(What::Expected("a string".into()))),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}

/// The entries of a table.
struct Entries<'a> {
    of: &'a Reader<'a>,
    rest: btree_map::Iter<'a, String, Node>,
    value: Option<(&'a str, &'a Node)>,
}

impl<'a> Entries<'a> {
    fn of(of: &'a Reader<'a>, table: &'a Table) -> Self {
        Self { of, rest: table.iter(), value: None }
    }
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Fault> {
        let Some((key, node)) = self.rest.next() else { return Ok(None) };
        self.value = Some((key, node));
        let key: de::value::StrDeserializer<'_, Fault> = key.as_str().into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let Some((key, node)) = self.value.take() else {
            return Err(de::Error::custom("a value without its key"));
        };
        seed.deserialize(self.of.below(key, node)).map_err(|fault| fault.within(key))
    }
}

/// The items of a list.
struct Items<'a> {
    of: &'a Reader<'a>,
    rest: slice::Iter<'a, Node>,
    at: usize,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Fault> {
        let Some(node) = self.rest.next() else { return Ok(None) };
        let step = format!("#{}", self.at);
        self.at += 1;
        let read = seed.deserialize(self.of.below(&step, node));
        read.map(Some).map_err(|fault| fault.within(&step))
    }
}
