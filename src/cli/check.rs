use crate::{nearest::did_you_mean, surface::gate};
use clap::{Args, ValueEnum};
use std::{path::PathBuf, time::Duration};

/// One look.
#[derive(Clone, Debug, Default, Args)]
pub struct Check {
    /// What to look at: an integration (redis, redis/cache), a check (redis.lock)
    /// or a pattern (*.connect). Everything, if nothing is named.
    #[arg(value_name = "SELECTION")]
    pub selection: Vec<String>,
    /// Goes on looking until it is GO, but no longer than this: 30s, 5m, 1h.
    ///
    /// At least one whole look is taken, however short the time.
    #[arg(long, value_name = "TIME", value_parser = span)]
    pub wait: Option<Duration>,
    /// Counts only what is seen after the deploy, and says when that was: now, 10m ago,
    /// 2026-12-31T18:00:00Z, `deploy` for the last that was kept, its version, or the
    /// name of a baseline.
    ///
    /// It is HOLD until every blocker has run since, and the settle time is over.
    #[arg(long, value_name = "WHEN")]
    pub since: Option<String>,
    /// How long it is HOLD after a deploy, whatever the configuration says.
    #[arg(long, value_name = "TIME", value_parser = spell)]
    pub settle: Option<Duration>,
    /// How the result is written: human, json, junit, tap, markdown, github or nagios.
    ///
    /// FORMAT=PATH writes into a file; given several times, each is written, one of
    /// them to the standard output. Human is the default. No format changes the exit
    /// code. github prints annotations, and adds to the summary of the step.
    #[arg(long = "format", value_name = "FORMAT[=PATH]", value_parser = output)]
    pub formats: Vec<Output>,
    /// Ends with 4 when it is GO, and something is on the checklist or accepted.
    #[arg(long)]
    pub strict: bool,
    /// Is NO-GO under this score, whatever the configuration says.
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    pub min_score: Option<u8>,
    /// Tells what is new from what stood in the way when that baseline was taken.
    ///
    /// A major check that passed then and fails now is NO-GO.
    #[arg(long, value_name = "NAME")]
    pub baseline: Option<String>,
    /// Whose exit codes are used; those of nagios are 0 OK, 1 WARNING, 2 CRITICAL,
    /// 3 UNKNOWN and every error.
    #[arg(long, value_name = "WHOSE", default_value_t, value_enum, conflicts_with = "strict")]
    pub exit_style: ExitStyle,
}

impl Check {
    /// What is written and where, at least one of them.
    pub fn outputs(&self) -> Vec<Output> {
        if self.formats.is_empty() { vec![Output::default()] } else { self.formats.clone() }
    }

    /// How the verdict becomes an exit code.
    pub fn style(&self) -> gate::ExitStyle {
        match (self.exit_style, self.strict) {
            (ExitStyle::Nagios, _) => gate::ExitStyle::Nagios,
            (ExitStyle::Tminus, true) => gate::ExitStyle::Strict,
            (ExitStyle::Tminus, false) => gate::ExitStyle::Plain,
        }
    }
}

/// One way in which a result is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// How.
    pub format: Format,
    /// Into which file; to the standard output without one.
    pub path: Option<PathBuf>,
}

/// Whose exit codes are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ExitStyle {
    /// Those that every verb has.
    #[default]
    Tminus,
    /// Those of a monitoring plugin.
    Nagios,
}

/// How a result is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Text for people.
    #[default]
    Human,
    /// One JSON document.
    Json,
    /// JUnit XML for build servers.
    Junit,
    /// The Test Anything Protocol, version 14.
    Tap,
    /// Markdown for a pull request or a wiki.
    Markdown,
    /// Annotations and a summary for a step of GitHub Actions.
    Github,
    /// One line with figures for Nagios and its kin.
    Nagios,
}

/// Reads `junit` or `junit=path`.
fn output(text: &str) -> Result<Output, String> {
    let (format, path) = match text.split_once('=') {
        Some((_, "")) => return Err("a path is missing after =".into()),
        Some((format, path)) => (format, Some(PathBuf::from(path))),
        None => (text, None),
    };
    Format::from_str(format, true).map(|format| Output { format, path }).map_err(|_| {
        let known = Format::value_variants().iter().filter_map(ValueEnum::to_possible_value);
        let known: Vec<String> = known.map(|value| value.get_name().to_owned()).collect();
        let meant = did_you_mean(format, known.iter().map(String::as_str));
        format!("{} are accepted{meant}", known.join(", "))
    })
}

/// Reads a span of time, which may be none.
fn spell(text: &str) -> Result<Duration, String> {
    let parsed: Option<jiff::SignedDuration> = text.parse().ok();
    let span = parsed.and_then(|span| Duration::try_from(span).ok());
    span.ok_or_else(|| "write it as 0s, 30s or 5m".into())
}

/// Reads a span of time that is longer than none.
pub(super) fn span(text: &str) -> Result<Duration, String> {
    spell(text)
        .ok()
        .filter(|span| !span.is_zero())
        .ok_or_else(|| "write it as 30s, 5m or 1h".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_written_as_people_write_it() {
        assert_eq!(span("5m"), Ok(Duration::from_mins(5)));
        assert_eq!(span("1m 30s"), Ok(Duration::from_secs(90)));
        for bad in ["5", "", "-5m", "0s", "soon"] {
            assert!(span(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_format_may_name_a_file() {
        let junit =
            |path: Option<&str>| Output { format: Format::Junit, path: path.map(Into::into) };
        assert_eq!(output("junit"), Ok(junit(None)));
        assert_eq!(output("JUnit=out/a=b.xml"), Ok(junit(Some("out/a=b.xml"))));
        for bad in ["junt", "", "=x", "junit="] {
            assert!(output(bad).is_err(), "{bad:?}");
        }
        assert!(output("markdwn").unwrap_err().ends_with("did you mean markdown?"));
    }
}
