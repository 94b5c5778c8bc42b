//! The text format of Prometheus, as a strict reader takes it. Pure.
//!
//! It shares nothing with the writer, and refuses what a lenient one would
//! forgive: what it accepts, every scraper accepts.

use crate::probe::exposition::{Read, Refused, Series, is_name, sample};

/// Bytes of the longest export.
const LONGEST: usize = 1 << 20;

/// What was read.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Export {
    /// Names of the families, in order, with their types.
    pub(super) families: Vec<(String, String)>,
    pub(super) series: Vec<Series>,
}

/// The family whose lines are being read.
#[derive(Default)]
struct Open {
    name: String,
    kind: Option<String>,
    samples: usize,
}

/// Reads an export.
///
/// # Errors
///
/// The first line that is not as it must be.
pub(super) fn read(text: &str) -> Result<Export, Refused> {
    let refused = |line, says| Refused { line, says };
    if text.len() > LONGEST {
        return Err(refused(0, "longer than 1 MiB"));
    }
    if !text.ends_with('\n') {
        return Err(refused(text.lines().count(), "does not end with a line feed"));
    }
    let (mut export, mut open) = (Export::default(), Open::default());
    for (number, line) in (1..).zip(text[..text.len() - 1].split('\n')) {
        one(line, &mut export, &mut open).map_err(|says| refused(number, says))?;
    }
    close(&open).map_err(|says| refused(text.lines().count(), says))?;
    Ok(export)
}

fn one(line: &str, export: &mut Export, open: &mut Open) -> Read<()> {
    if let Some(help) = line.strip_prefix("# HELP ") {
        close(open)?;
        let (name, _) = help.split_once(' ').ok_or("a HELP without a text")?;
        return begin(name, export, open);
    }
    if let Some(kind) = line.strip_prefix("# TYPE ") {
        let (name, kind) = kind.split_once(' ').ok_or("a TYPE without a type")?;
        return typed(name, kind, export, open);
    }
    let series = sample(line)?;
    belongs(&series, open)?;
    open.samples += 1;
    let twin = |other: &Series| (&other.name, &other.labels) == (&series.name, &series.labels);
    if export.series.iter().any(twin) {
        return Err("the same series twice");
    }
    export.series.push(series);
    Ok(())
}

fn begin(name: &str, export: &Export, open: &mut Open) -> Read<()> {
    if !is_name(name) {
        return Err("an illegal name");
    }
    if export.families.iter().any(|(known, _)| known == name) {
        return Err("a second HELP or TYPE of a family");
    }
    *open = Open { name: name.into(), ..Open::default() };
    Ok(())
}

fn typed(name: &str, kind: &str, export: &mut Export, open: &mut Open) -> Read<()> {
    match (open.name == name, &open.kind) {
        (true, None) => {}
        (true, Some(_)) => return Err("a second HELP or TYPE of a family"),
        (false, _) => return Err("a TYPE without a HELP before it"),
    }
    match (kind, name.ends_with("_total")) {
        ("counter", false) => return Err("a counter whose name does not end in _total"),
        ("gauge" | "histogram", true) => return Err("_total on what is no counter"),
        ("counter" | "gauge" | "histogram", _) => {}
        _ => return Err("an unknown type"),
    }
    open.kind = Some(kind.into());
    export.families.push((name.into(), kind.into()));
    Ok(())
}

fn close(open: &Open) -> Read<()> {
    match (open.name.is_empty(), &open.kind, open.samples) {
        (true, ..) | (false, Some(_), 1..) => Ok(()),
        (false, None, _) => Err("a family without a TYPE"),
        (false, Some(_), 0) => Err("a family without samples"),
    }
}

/// Whether a sample may stand where it does.
fn belongs(series: &Series, open: &Open) -> Read<()> {
    let kind = open.kind.as_deref().ok_or("a sample before its TYPE")?;
    let suffix =
        series.name.strip_prefix(open.name.as_str()).ok_or("a sample of another family")?;
    match (kind, suffix) {
        ("histogram", "_bucket") if series.labels.contains_key("le") => {}
        ("histogram", "_bucket") => return Err("a bucket without a bound"),
        ("histogram", "_sum" | "_count") | ("counter" | "gauge", "") => {}
        _ => return Err("a sample of another family"),
    }
    let value = series.real();
    let counts = kind == "counter" || matches!(suffix, "_bucket" | "_count");
    if counts && !(value.is_finite() && value >= 0.0) {
        return Err("a counter that is no count");
    }
    Ok(())
}

impl Export {
    /// The samples called `name`.
    pub(super) fn called<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Series> {
        self.series.iter().filter(move |series| series.name == name)
    }

    /// Whole number of the only sample called `name`, if there is one.
    pub(super) fn whole(&self, name: &str) -> Option<u64> {
        let mut called = self.called(name);
        let only = called.next()?;
        if called.next().is_some() { None } else { only.whole() }
    }

    /// Whether the family is of this type.
    pub(super) fn is_a(&self, name: &str, kind: &str) -> bool {
        self.families.iter().any(|(known, is)| (known.as_str(), is.as_str()) == (name, kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "# HELP a_total All.\n# TYPE a_total counter\n";

    fn says(text: &str) -> Option<(usize, &'static str)> {
        read(text).err().map(|refused| (refused.line, refused.says))
    }

    #[test]
    fn what_is_right_is_read() {
        let text = format!("{HEAD}a_total{{by=\"x\\\"\\\\\\n\\u00e9\"}} 1\n");
        assert_eq!(says(&text), Some((3, "an unknown escape")));
        let text = format!("{HEAD}a_total{{by=\"x\\\"\\\\\\né\",of=\"\"}} 18446744073709551615\n");
        let export = read(&text).unwrap();
        assert_eq!(export.whole("a_total"), Some(u64::MAX));
        assert_eq!(export.series[0].labels["by"], "x\"\\\né");
        assert!(export.is_a("a_total", "counter") && !export.is_a("a_total", "gauge"));
    }

    #[test]
    fn every_sample_is_one_that_was_announced() {
        let cases = [
            ("a_total 1\n", 1, "a sample before its TYPE"),
            ("# HELP a_total All.\na_total 1\n", 2, "a sample before its TYPE"),
            ("# TYPE a_total counter\na_total 1\n", 1, "a TYPE without a HELP before it"),
            ("# HELP a_total All.\n", 1, "a family without a TYPE"),
            (HEAD, 2, "a family without samples"),
            (
                "# HELP a All.\n# TYPE a counter\na 1\n",
                2,
                "a counter whose name does not end in _total",
            ),
            (
                "# HELP a_total x\n# TYPE a_total gauge\na_total 1\n",
                2,
                "_total on what is no counter",
            ),
            ("# HELP a x\n# TYPE a summary\na 1\n", 2, "an unknown type"),
            ("# HELP a x\n# TYPE a gauge\nb 1\n", 3, "a sample of another family"),
            ("# HELP a x\n# TYPE a gauge\na_sum 1\n", 3, "a sample of another family"),
            ("# HELP a x\n# TYPE a gauge\na 1\na 2\n", 4, "the same series twice"),
            ("# HELP a x\n# TYPE a histogram\na_bucket 2\n", 3, "a bucket without a bound"),
            ("# HELP 1a x\n", 1, "an illegal name"),
            ("", 0, "does not end with a line feed"),
        ];
        for (text, line, expected) in cases {
            assert_eq!(says(text), Some((line, expected)), "{text}");
        }
        let again = format!("{HEAD}a_total 1\n{HEAD}a_total 1\n");
        assert_eq!(says(&again), Some((4, "a second HELP or TYPE of a family")));
    }

    #[test]
    fn every_sample_is_well_formed() {
        let cases = [
            ("a_total 1", Some("does not end with a line feed")),
            ("a_total 1\r\n", Some("a value that is no number")),
            ("a_total\n", Some("a sample without a value")),
            ("a_total one\n", Some("a value that is no number")),
            ("a_total  1\n", Some("a value that is no number")),
            ("a_total inf\n", Some("a value that is no number")),
            ("a_total NaN\n", Some("a counter that is no count")),
            ("a_total +Inf\n", Some("a counter that is no count")),
            ("a_total -1\n", Some("a counter that is no count")),
            ("a_total{b=\"x\",b=\"y\"} 1\n", Some("the same label twice")),
            ("a_total{__b=\"x\"} 1\n", Some("an illegal label")),
            ("a_total{b:c=\"x\"} 1\n", Some("an illegal label")),
            ("a_total{b=\"x} 1\n", Some("a label that does not end")),
            ("a_total{b=\"x\"; 1\n", Some("labels that do not end")),
            ("a_total{b=\"x\"}1\n", Some("no space before the value")),
            ("a_total{b} 1\n", Some("a label without a value")),
            ("\n", Some("a sample without a value")),
            ("a_total 1.5e3\n", None),
        ];
        for (line, expected) in cases {
            assert_eq!(says(&format!("{HEAD}{line}")).map(|(_, says)| says), expected, "{line:?}");
        }
    }
}
