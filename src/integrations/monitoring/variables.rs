//! Grafana's variables, put in before an expression is parsed.

use std::{collections::BTreeSet, time::Duration};

/// Stands for `$__rate_interval`: no one writes this by hand.
pub(super) const RATE_INTERVAL: Duration = Duration::from_secs(307);
const RATE_INTERVAL_TEXT: &str = "5m7s";
/// Stands for every other span.
const SPAN_TEXT: &str = "5m11s";
/// Stands for what a user picks, inside a matcher.
const PICKED: &str = ".+";

/// Replaces the variables in `expr`. `defined` are the dashboard's own.
///
/// The error names a variable that nobody defines.
pub(super) fn fill(expr: &str, defined: &BTreeSet<String>) -> Result<String, String> {
    let mut filled = String::with_capacity(expr.len());
    let mut place = Place::default();
    let mut rest = expr;
    while let Some(c) = rest.chars().next() {
        if let Some((name, after)) = variable(rest) {
            filled.push_str(value(name, place, defined)?);
            rest = after;
            continue;
        }
        place.pass(c);
        filled.push(c);
        rest = &rest[c.len_utf8()..];
    }
    Ok(filled)
}

/// Where in an expression we are.
#[derive(Clone, Copy, Default)]
struct Place {
    quote: Option<char>,
    in_range: bool,
}

impl Place {
    fn pass(&mut self, c: char) {
        match (self.quote, c) {
            (Some(quote), c) if c == quote => self.quote = None,
            (None, '"' | '\'' | '`') => self.quote = Some(c),
            (None, '[') => self.in_range = true,
            (None, ']') => self.in_range = false,
            (Some(_) | None, _) => {}
        }
    }
}

/// The variable at the start of `text`, and what follows it.
fn variable(text: &str) -> Option<(&str, &str)> {
    if let Some(inner) = text.strip_prefix("${") {
        let (inner, after) = inner.split_once('}')?;
        return Some((inner.split([':', '.']).next().unwrap_or(inner), after));
    }
    if let Some(inner) = text.strip_prefix("[[") {
        let (name, after) = inner.split_once("]]")?;
        return (name_length(name) == name.len() && !name.is_empty()).then_some((name, after));
    }
    let inner = text.strip_prefix('$')?;
    let length = name_length(inner);
    (length > 0).then(|| inner.split_at(length))
}

fn name_length(text: &str) -> usize {
    text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len())
}

fn value(name: &str, place: Place, defined: &BTreeSet<String>) -> Result<&'static str, String> {
    Ok(match name {
        "__rate_interval" => RATE_INTERVAL_TEXT,
        "__interval" | "__range" | "__auto" => SPAN_TEXT,
        "__interval_ms" | "__range_ms" => "311000",
        "__range_s" => "311",
        "__from" | "__to" => "1795400000000",
        own if !defined.contains(own) => {
            return Err(format!("uses ${own}, which the dashboard does not define"));
        }
        _ if place.quote.is_some() => PICKED,
        _ if place.in_range => SPAN_TEXT,
        _ => "1",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_becomes_what_fits_its_place() {
        let defined = BTreeSet::from(["i".to_owned(), "w".to_owned()]);
        let cases = [
            ("rate(x[$__rate_interval])", "rate(x[5m7s])"),
            ("rate(x[${__rate_interval}])", "rate(x[5m7s])"),
            ("rate(x[$w])", "rate(x[5m11s])"),
            ("x[$__interval:$__interval]", "x[5m11s:5m11s]"),
            (r#"x{a=~"$i",b="${i:regex}"}"#, r#"x{a=~".+",b=".+"}"#),
            (r#"x{a=~"[[i]]"}"#, r#"x{a=~".+"}"#),
            ("x * $w / $__range_s", "x * 1 / 311"),
            (r#"x{a="100$"}"#, r#"x{a="100$"}"#),
            ("rate(x[[[w]]])", "rate(x[5m11s])"),
        ];
        for (text, expected) in cases {
            assert_eq!(fill(text, &defined).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn an_unknown_variable_is_named() {
        let error = fill("x{a=\"$nobody\"}", &BTreeSet::new()).unwrap_err();
        assert_eq!(error, "uses $nobody, which the dashboard does not define");
    }
}
