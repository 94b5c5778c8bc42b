//! The text format of Prometheus, line by line. Pure.
//!
//! [`sample`] is strict: what it accepts, every scraper accepts. [`page`] reads a page of
//! somebody else's as Prometheus does, which rejects all of it for one line.

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

/// What there is on a page.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// Samples on it.
    pub samples: usize,
    /// Those that were to be kept.
    pub kept: Vec<Series>,
}

/// Reads a page, of which it keeps what `keep` wants.
///
/// # Errors
///
/// The first line that Prometheus would refuse.
pub fn page(text: &str, keep: impl Fn(&Series) -> bool) -> Result<Page, Refused> {
    let mut page = Page::default();
    for (line, text) in (1..).zip(text.lines()) {
        let text = text.trim_ascii();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let series = scraped(text).map_err(|says| Refused { line, says })?;
        page.samples += 1;
        if keep(&series) {
            page.kept.push(series);
        }
    }
    Ok(page)
}

/// A sample as Prometheus takes it: with blanks between its parts, a comma after the last
/// label, and a time or an exemplar after the value.
fn scraped(line: &str) -> Read<Series> {
    let blank = |letter: char| letter == '{' || letter.is_ascii_whitespace();
    let end = line.find(blank).ok_or("a sample without a value")?;
    let (name, rest) = line.split_at(end);
    if !is_name(name) {
        return Err("an illegal name");
    }
    let (labels, rest) = match rest.trim_ascii_start().strip_prefix('{') {
        Some(rest) => loose_labels(rest)?,
        None => (BTreeMap::new(), rest),
    };
    let mut words = rest.split_ascii_whitespace();
    let value = words.next().ok_or("a sample without a value")?;
    if value.parse::<f64>().is_err() {
        return Err("a value that is no number");
    }
    match words.next() {
        None | Some("#") => {}
        Some(time) if time.parse::<f64>().is_ok() => {}
        Some(_) => return Err("a time that is no number"),
    }
    Ok(Series { name: name.into(), labels, value: value.into() })
}

/// The labels up to the closing brace, and what follows it.
fn loose_labels(mut rest: &str) -> Read<(BTreeMap<String, String>, &str)> {
    let mut labels = BTreeMap::new();
    loop {
        rest = rest.trim_ascii_start();
        if let Some(further) = rest.strip_prefix('}') {
            return Ok((labels, further));
        }
        let (name, after) = rest.split_once('=').ok_or("a label without a value")?;
        let name = name.trim_ascii_end();
        if !is_name(name) {
            return Err("an illegal label");
        }
        let after = after.trim_ascii_start().strip_prefix('"').ok_or("a label without a value")?;
        let (value, after) = quoted(after)?;
        if labels.insert(name.to_owned(), value).is_some() {
            return Err("the same label twice");
        }
        let after = after.trim_ascii_start();
        rest = match after.strip_prefix(',') {
            Some(further) => further,
            None if after.starts_with('}') => after,
            None => return Err("labels that do not end"),
        };
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Page, (usize, &'static str)> {
        page(text, |_| true).map_err(|refused| (refused.line, refused.says))
    }

    #[test]
    fn a_page_is_read_as_prometheus_reads_it() {
        let text = "# HELP a x\n\n a{pool=\"x\",} 1.0\nb {c = \"\\\"}\", d=\"\" }\t2 1700000000000\n\
            c_bucket{le=\"1\"} 3 # {trace_id=\"t\"} 0.5\r\nd{} NaN\ne +Inf\n# EOF\n";
        let page = read(text).unwrap();
        let told = page.kept.iter().map(|series| (&*series.name, &*series.value));
        let wanted = [("a", "1.0"), ("b", "2"), ("c_bucket", "3"), ("d", "NaN"), ("e", "+Inf")];
        assert_eq!(told.collect::<Vec<_>>(), wanted);
        assert_eq!((page.samples, &*page.kept[1].labels["c"]), (5, "\"}"));
        let kept = super::page(text, |series| series.name == "e").unwrap();
        assert_eq!((kept.samples, kept.kept.len()), (5, 1));
        assert_eq!(read("# only a comment\n"), Ok(Page::default()));
    }

    #[test]
    fn one_line_that_is_none_refuses_the_page() {
        let cases = [
            ("<!DOCTYPE html>", "an illegal name"),
            ("a", "a sample without a value"),
            ("a{b=\"c\"}", "a sample without a value"),
            ("1a 1", "an illegal name"),
            ("a one", "a value that is no number"),
            ("a 1 soon", "a time that is no number"),
            ("a{b} 1", "a label without a value"),
            ("a{b=c} 1", "a label without a value"),
            ("a{1b=\"c\"} 1", "an illegal label"),
            ("a{b=\"c\",b=\"d\"} 1", "the same label twice"),
            ("a{b=\"c} 1", "a label that does not end"),
            ("a{b=\"\\x\"} 1", "an unknown escape"),
            ("a{b=\"c\";d=\"e\"} 1", "labels that do not end"),
        ];
        for (line, says) in cases {
            assert_eq!(read(&format!("a 1\n{line}\nb 2\n")), Err((2, says)), "{line}");
        }
    }
}
