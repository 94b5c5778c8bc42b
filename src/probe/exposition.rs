//! The text format of Prometheus, line by line, as a strict reader takes it. Pure.
//!
//! It refuses what a lenient one would forgive: what it accepts, every scraper accepts.

use std::{collections::BTreeMap, fmt};

/// One sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// What it is called.
    pub name: String,
    /// What tells it from others of that name.
    pub labels: BTreeMap<String, String>,
    /// As it was written.
    pub value: String,
}

/// What is wrong with an export, and in which line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Counted from one; 0 if it is the whole.
    pub line: usize,
    /// What is wrong there.
    pub says: &'static str,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.says)
    }
}

/// What a line is, or what is wrong with it.
pub type Read<T> = Result<T, &'static str>;

/// The samples of somebody else's export, without a word about what is odd there.
pub fn samples(text: &str) -> Vec<Series> {
    text.lines().filter_map(|line| sample(line.trim_end()).ok()).collect()
}

/// The sample in a line.
///
/// # Errors
///
/// What is wrong with it.
pub fn sample(line: &str) -> Read<Series> {
    let end = line.find(['{', ' ']).ok_or("a sample without a value")?;
    let (name, rest) = line.split_at(end);
    if !is_name(name) {
        return Err("an illegal name");
    }
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(rest) => labels(rest)?,
        None => (BTreeMap::new(), rest),
    };
    let value = rest.strip_prefix(' ').ok_or("no space before the value")?;
    if !is_number(value) {
        return Err("a value that is no number");
    }
    Ok(Series { name: name.into(), labels, value: value.into() })
}

/// The labels up to the closing brace, and what follows it.
fn labels(mut rest: &str) -> Read<(BTreeMap<String, String>, &str)> {
    let mut labels = BTreeMap::new();
    loop {
        let (name, after) = rest.split_once("=\"").ok_or("a label without a value")?;
        if !is_name(name) || name.contains(':') || name.starts_with("__") {
            return Err("an illegal label");
        }
        let (value, after) = quoted(after)?;
        if labels.insert(name.to_owned(), value).is_some() {
            return Err("the same label twice");
        }
        match after.split_at_checked(1) {
            Some((",", further)) => rest = further,
            Some(("}", further)) => return Ok((labels, further)),
            _ => return Err("labels that do not end"),
        }
    }
}

/// A value up to its closing quote, and what follows that.
fn quoted(text: &str) -> Read<(String, &str)> {
    let (mut value, mut characters) = (String::new(), text.chars());
    loop {
        let next = characters.next().ok_or("a label that does not end")?;
        match next {
            '"' => return Ok((value, characters.as_str())),
            '\\' => value.push(match characters.next() {
                Some('n') => '\n',
                Some(literal @ ('\\' | '"')) => literal,
                _ => return Err("an unknown escape"),
            }),
            other => value.push(other),
        }
    }
}

/// Whether a family may be called that.
pub fn is_name(name: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_' || byte == b':';
    let mut bytes = name.bytes();
    bytes.next().is_some_and(letter) && bytes.all(|byte| letter(byte) || byte.is_ascii_digit())
}

fn is_number(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_digit() || b"+-.eE".contains(&byte);
    matches!(text, "+Inf" | "-Inf" | "NaN")
        || text.bytes().all(plain) && text.parse::<f64>().is_ok()
}

impl Series {
    /// The value as a number.
    pub fn real(&self) -> f64 {
        self.value.parse().unwrap_or(f64::NAN)
    }

    /// The value as a whole number, if it is one.
    pub fn whole(&self) -> Option<u64> {
        self.value.parse().ok()
    }
}
