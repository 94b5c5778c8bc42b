//! The text format of Prometheus, as it is written. Pure.

use std::fmt::{self, Write as _};

/// What kind of numbers a family has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It only rises, until the instance starts anew.
    Counter,
    Gauge,
    /// How many took at most how long.
    Histogram,
}

/// Samples of one name.
#[derive(Clone, Debug)]
pub(super) struct Family {
    pub(super) name: &'static str,
    pub(super) help: &'static str,
    pub(super) kind: Kind,
    pub(super) samples: Vec<Sample>,
}

/// One number.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    /// What follows the name of the family: `_bucket`.
    pub(super) suffix: &'static str,
    pub(super) labels: Vec<(&'static str, String)>,
    pub(super) value: String,
}

impl Kind {
    /// As in a `TYPE` line.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

impl Family {
    /// A family of a single number without labels.
    pub(super) fn single(name: &'static str, help: &'static str, kind: Kind, value: u64) -> Self {
        Self { name, help, kind, samples: vec![Sample::of(&[], value)] }
    }
}

impl Sample {
    pub(super) fn of(labels: &[(&'static str, &str)], value: u64) -> Self {
        let labels = labels.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Self { suffix: "", labels, value: value.to_string() }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, help, kind, samples } = self;
        writeln!(f, "# HELP {name} {help}\n# TYPE {name} {}", kind.name())?;
        for Sample { suffix, labels, value } in samples {
            write!(f, "{name}{suffix}")?;
            for (at, (label, text)) in labels.iter().enumerate() {
                let before = if at == 0 { '{' } else { ',' };
                write!(f, "{before}{label}=\"{}\"", Escaped(text))?;
            }
            writeln!(f, "{} {value}", if labels.is_empty() { "" } else { "}" })?;
        }
        Ok(())
    }
}

/// The value of a label: any text, three characters of which need a backslash.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '\\' => f.write_str(r"\\")?,
                '"' => f.write_str("\\\"")?,
                '\n' => f.write_str(r"\n")?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}

/// All families, one after the other.
pub(super) fn render(families: &[Family]) -> String {
    families.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_written_line_by_line() {
        let help = "Operations, by how they ended.";
        let samples = vec![
            Sample::of(&[("outcome", "ok"), ("of", "a\"b\\c\nd")], 3),
            Sample { suffix: "_count", ..Sample::of(&[], 4) },
        ];
        let family = Family { name: "operations_total", help, kind: Kind::Counter, samples };
        assert_eq!(
            render(&[family]),
            "# HELP operations_total Operations, by how they ended.\n\
             # TYPE operations_total counter\n\
             operations_total{outcome=\"ok\",of=\"a\\\"b\\\\c\\nd\"} 3\n\
             operations_total_count 4\n"
        );
    }
}
