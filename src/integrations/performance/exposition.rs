//! What an app exports, read as Prometheus reads it: the text format 0.0.4.

use std::collections::{BTreeMap, BTreeSet};

/// What a scrape would find.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Exposition {
    /// The metrics: those that have samples, and those that are declared and have none yet.
    pub(super) names: BTreeSet<String>,
    /// Samples, over all metrics.
    pub(super) samples: usize,
}

/// The number of the first line that no scrape would take, from one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed(pub(super) usize);

/// Parts that the samples of one metric have in place of its name.
const PARTS: [&str; 4] = ["_bucket", "_sum", "_count", "_total"];

/// One sample, as it stands on its line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sample<'a> {
    pub(super) name: &'a str,
    /// With its braces; empty where there are none.
    pub(super) labels: &'a str,
    pub(super) value: f64,
}

impl Exposition {
    pub(super) fn read(text: &str) -> Result<Self, Malformed> {
        let (sampled, declared) = lines(text)?;
        let mut read = Self { names: BTreeSet::new(), samples: sampled.len() };
        // A type may be declared after its samples; it is looked up once all is read.
        let names = sampled.into_iter().map(|sample| metric(sample.name, &declared).to_owned());
        read.names.extend(names);
        read.names.extend(declared.into_keys().map(ToOwned::to_owned));
        Ok(read)
    }
}

/// Every sample, as strictly as a scrape takes them.
pub(super) fn samples(text: &str) -> Result<Vec<Sample<'_>>, Malformed> {
    lines(text).map(|(sampled, _)| sampled)
}

/// The samples, and the types that are declared by metric.
type Lines<'a> = (Vec<Sample<'a>>, BTreeMap<&'a str, &'a str>);

fn lines(text: &str) -> Result<Lines<'_>, Malformed> {
    let (mut sampled, mut declared) = (Vec::new(), BTreeMap::new());
    for (line, number) in text.lines().zip(1..) {
        let line = line.trim();
        if let Some(comment) = line.strip_prefix('#') {
            declare(comment, &mut declared).ok_or(Malformed(number))?;
        } else if !line.is_empty() {
            sampled.push(sample(line).ok_or(Malformed(number))?);
        }
    }
    Ok((sampled, declared))
}

/// Takes note of a `TYPE` or a `HELP`; other comments say nothing.
fn declare<'a>(comment: &'a str, into: &mut BTreeMap<&'a str, &'a str>) -> Option<()> {
    let mut words = comment.split_ascii_whitespace();
    match words.next() {
        Some("TYPE") => {
            let (name, kind) = (words.next().filter(|name| is_name(name))?, words.next()?);
            into.insert(name, kind);
        }
        Some("HELP") => {
            into.entry(words.next().filter(|name| is_name(name))?).or_insert("");
        }
        Some(_) | None => {}
    }
    Some(())
}

/// A sample: `name{label="text"} value timestamp`.
fn sample(line: &str) -> Option<Sample<'_>> {
    let end = line.find(|c: char| c == '{' || c.is_ascii_whitespace())?;
    let (name, rest) = line.split_at(end);
    let after = if rest.starts_with('{') { after_labels(rest)? } else { rest };
    let labels = rest.strip_suffix(after)?;
    let mut words = after.split_ascii_whitespace();
    let value = words.next()?.parse().ok()?;
    let stamped = words.next().is_none_or(|stamp| stamp == "#" || stamp.parse::<f64>().is_ok());
    (is_name(name) && stamped).then_some(Sample { name, labels, value })
}

/// What follows the closing brace, which a text in quotes does not end.
fn after_labels(text: &str) -> Option<&str> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '}' if !quoted => return text.get(at + 1..),
            _ => {}
        }
    }
    None
}

fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    !name.is_empty() && name.chars().all(fits) && !name.starts_with(|c: char| c.is_ascii_digit())
}

/// The metric that a sample is of: a bucket is of its histogram.
fn metric<'a>(name: &'a str, declared: &BTreeMap<&'a str, &'a str>) -> &'a str {
    let of = |part: &str| {
        let base = name.strip_suffix(part)?;
        let (base, kind) = declared.get_key_value(base)?;
        let fits = match part {
            "_bucket" => *kind == "histogram",
            "_total" => *kind == "counter",
            _ => matches!(*kind, "histogram" | "summary"),
        };
        fits.then_some(*base)
    };
    if declared.contains_key(name) { name } else { PARTS.into_iter().find_map(of).unwrap_or(name) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names(text: &str) -> Vec<String> {
        Exposition::read(text).unwrap().names.into_iter().collect()
    }

    #[test]
    fn the_example_of_the_format_is_read() {
        // After the example in Prometheus' description of its text format.
        let text = "# HELP http_requests_total The total number of HTTP requests.\n\
            # TYPE http_requests_total counter\n\
            http_requests_total{method=\"post\",code=\"200\"} 1027 1395066363000\n\
            # Escaping in label values:\n\
            msdos_file_access_time_seconds{path=\"C:\\\\DIR\\\\FILE.TXT\",error=\"no:\\n\\\"}\\\"\"} 1.458255915e9\n\n\
            metric_without_timestamp_and_labels 12.47\n\
            something_weird{problem=\"division by zero\"} +Inf -3982045\n\
            # TYPE http_request_duration_seconds histogram\n\
            http_request_duration_seconds_bucket{le=\"0.05\"} 24054\n\
            http_request_duration_seconds_sum 53423\n\
            http_request_duration_seconds_count 144320\n\
            # TYPE rpc_duration_seconds summary\n\
            rpc_duration_seconds{quantile=\"0.01\"} NaN\n\
            rpc_duration_seconds_sum 1.7560473e+07\n";
        let expected = [
            "http_request_duration_seconds",
            "http_requests_total",
            "metric_without_timestamp_and_labels",
            "msdos_file_access_time_seconds",
            "rpc_duration_seconds",
            "something_weird",
        ];
        assert_eq!(names(text), expected);
        assert_eq!(Exposition::read(text).unwrap().samples, 9);
    }

    #[test]
    fn a_part_is_only_one_where_its_metric_is_declared() {
        assert_eq!(names("queue_count 3\n"), ["queue_count"]);
        assert_eq!(names("# TYPE queue gauge\nqueue 1\nqueue_count 3\n"), ["queue", "queue_count"]);
        assert_eq!(names("orders_total 3\n# TYPE orders counter\n"), ["orders"]);
    }

    #[test]
    fn what_is_declared_and_has_not_happened_yet_is_there() {
        assert_eq!(names("# TYPE errors_total counter\n"), ["errors_total"]);
        assert_eq!(names("# HELP errors_total Errors.\n# EOF\n"), ["errors_total"]);
    }

    #[test]
    fn the_first_line_that_is_no_metric_is_named() {
        let cases = [
            ("<html>", 1),
            ("up 1\nup", 2),
            ("up 1\n\n1up 2", 3),
            ("up{job=\"a\" 1", 1),
            ("up one", 1),
            ("up 1 soon", 1),
            ("# TYPE", 1),
            ("{\"status\":\"ok\"}", 1),
        ];
        for (text, line) in cases {
            assert_eq!(Exposition::read(text), Err(Malformed(line)), "{text}");
        }
        assert_eq!(Exposition::read("").unwrap(), Exposition::default());
    }

    proptest! {
        #[test]
        fn no_text_brings_it_down(text in ".{0,200}") {
            let read = Exposition::read(&text);
            prop_assert!(read.is_err() || read.is_ok_and(|it| it.samples <= text.len()));
        }
    }
}
