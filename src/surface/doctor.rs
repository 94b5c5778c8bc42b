//! What of this machine may trouble the console: each thing in a line, with what to do.

use crate::{
    domain::{KnownRun, Timestamp},
    units,
};
use serde::Serialize;
use std::{fmt::Write as _, time::Duration};

/// Columns and rows that the console wants, so that nothing is left out.
const SCREEN: [u16; 2] = [80, 24];
/// Descriptors that a console with a performance test takes at most, and then some.
const DESCRIPTORS: u64 = 1024;
/// Fewer than this, and connections fail.
const TOO_FEW: u64 = 256;
/// How far a clock may be behind what was seen.
const BEHIND: Duration = Duration::from_mins(1);

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// As it should be.
    Ok,
    /// It works, and something is to be known.
    Warn,
    /// Something does not work.
    Fail,
}

impl Level {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// How it is.
    pub level: Level,
    /// What.
    pub about: &'static str,
    /// What was seen.
    pub says: String,
    /// What to do.
    pub remedy: Option<String>,
}

impl Line {
    /// As it should be.
    pub fn ok(about: &'static str, says: impl Into<String>) -> Self {
        Self { level: Level::Ok, about, says: says.into(), remedy: None }
    }

    /// It works, and something is to be known.
    pub fn warn(about: &'static str, says: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { level: Level::Warn, about, says: says.into(), remedy: Some(remedy.into()) }
    }

    /// It does not work.
    pub fn fail(about: &'static str, says: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { level: Level::Fail, about, says: says.into(), remedy: Some(remedy.into()) }
    }
}

/// The terminal, as far as it can be asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Screen {
    /// Columns and rows, if there is one.
    pub size: Option<[u16; 2]>,
    /// What `TERM` says.
    pub term: Option<String>,
    /// Whether the locale is UTF-8, so that signs are drawn.
    pub unicode: bool,
    /// Whether colours are drawn.
    pub colors: bool,
}

/// Whether the console can be drawn there.
pub fn screen(it: &Screen) -> Vec<Line> {
    const ABOUT: &str = "terminal";
    let Some([columns, rows]) = it.size else {
        let remedy = "start it on one for the console; `tminus check` needs none";
        return vec![Line::warn(ABOUT, "the output is no terminal", remedy)];
    };
    let mut lines = Vec::new();
    let size = format!("{columns} columns, {rows} rows");
    lines.push(if columns < SCREEN[0] || rows < SCREEN[1] {
        let [wide, high] = SCREEN;
        Line::warn(ABOUT, size, format!("make it {wide} by {high}: with less, panes are left out"))
    } else {
        Line::ok(ABOUT, size)
    });
    match it.term.as_deref() {
        None | Some("" | "dumb") => {
            let remedy = "set TERM to what the terminal is, such as xterm-256color";
            lines.push(Line::fail(ABOUT, "TERM names no terminal that can be drawn on", remedy));
        }
        Some(term) => lines.push(Line::ok(ABOUT, format!("TERM is {term}"))),
    }
    lines.push(if it.unicode {
        Line::ok("locale", "UTF-8: signs are drawn")
    } else {
        Line::warn(
            "locale",
            "not UTF-8: only ASCII is drawn",
            "set LC_CTYPE=C.UTF-8, or --glyphs unicode",
        )
    });
    let colors = if it.colors { "the terminal's own sixteen" } else { "none, as was asked for" };
    lines.push(Line::ok("colours", colors));
    lines
}

/// Whether there are descriptors enough: those that we have, and those that a load test
/// may ask for. `None` is no limit.
pub fn descriptors([now, most]: [Option<u64>; 2]) -> Line {
    const ABOUT: &str = "descriptors";
    let [now, most] = [now, most].map(|limit| limit.unwrap_or(u64::MAX));
    let says = match most {
        u64::MAX => "no limit".to_owned(),
        most => format!("{now}, and {most} if a load test needs them"),
    };
    if now < TOO_FEW {
        Line::fail(ABOUT, says, format!("ulimit -n {DESCRIPTORS}, or more"))
    } else if most < DESCRIPTORS {
        Line::warn(ABOUT, says, format!("ulimit -Hn {DESCRIPTORS}, or more, for load tests"))
    } else {
        Line::ok(ABOUT, says)
    }
}

/// Whether the clock is where it was: `seen` is the latest moment that any run has noted.
pub fn clock(now: Timestamp, seen: Option<Timestamp>) -> Line {
    const ABOUT: &str = "clock";
    let at = units::rfc3339(now);
    match seen {
        Some(seen) if seen > now.after(BEHIND) => {
            let behind = u64::try_from(seen.0.saturating_sub(now.0)).unwrap_or(0);
            let behind = units::age(Duration::from_millis(behind));
            let says = format!("{at}, {behind} behind what was seen here before");
            Line::warn(ABOUT, says, "let NTP set it: ages and ends of acceptances follow it")
        }
        Some(_) | None => Line::ok(ABOUT, at),
    }
}

/// Whether killed runs may have left something on a target.
pub fn strays(dead: usize, living: usize) -> Line {
    const ABOUT: &str = "runs";
    match dead {
        0 => Line::ok(ABOUT, format!("{living} alive, none was killed")),
        1 => Line::warn(ABOUT, "1 was killed and may have left something", "tminus clean"),
        n => Line::warn(
            ABOUT,
            format!("{n} were killed and may have left something"),
            "tminus clean",
        ),
    }
}

/// The latest moment that any of `runs` has noted.
pub fn latest(runs: &[KnownRun]) -> Option<Timestamp> {
    runs.iter().map(|run| run.seen).max()
}

/// For people.
pub fn human(lines: &[Line]) -> String {
    let width = lines.iter().map(|line| line.about.len()).max().unwrap_or(0);
    let mut text = String::new();
    for Line { level, about, says, remedy } in lines {
        // Writing to a String cannot fail.
        let _infallible = writeln!(text, "{:<4}  {about:width$}  {says}", level.word());
        if let Some(remedy) = remedy {
            let _infallible = writeln!(text, "{:width$}do: {remedy}", "", width = width + 8);
        }
    }
    let count = |level: Level| lines.iter().filter(|line| line.level == level).count();
    let [ok, warn, fail] = [Level::Ok, Level::Warn, Level::Fail].map(count);
    let _infallible = writeln!(text, "{ok} ok, {warn} to know, {fail} to mend");
    text
}

/// For programs: one document.
pub fn json(lines: &[Line]) -> String {
    // Every key in it is a text, so it cannot fail.
    serde_json::to_string_pretty(lines).unwrap_or_default() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_795_400_000_000);

    #[test]
    fn descriptors_are_judged_at_both_sides_of_each_limit() {
        let level = |now, most| descriptors([now, most]).level;
        assert_eq!([255, 256].map(|now| level(Some(now), None)), [Level::Fail, Level::Ok]);
        let most = |most| level(Some(256), Some(most));
        assert_eq!([1023, 1024].map(most), [Level::Warn, Level::Ok]);
        assert_eq!(level(None, None), Level::Ok);
    }

    #[test]
    fn a_clock_that_went_back_is_told_from_one_that_is_late() {
        let at = |seconds: u64| clock(NOW, Some(NOW.after(Duration::from_secs(seconds)))).level;
        assert_eq!((at(60), at(61)), (Level::Ok, Level::Warn));
        assert_eq!(clock(NOW, None).level, Level::Ok);
        let says = clock(NOW, Some(NOW.after(Duration::from_hours(3)))).says;
        assert!(says.ends_with("3h00m behind what was seen here before"), "{says}");
    }

    #[test]
    fn a_screen_is_judged_by_its_size_its_kind_and_its_signs() {
        let whole = Screen {
            size: Some([80, 24]),
            term: Some("xterm".into()),
            unicode: true,
            colors: true,
        };
        assert!(screen(&whole).iter().all(|line| line.level == Level::Ok));
        let worst = |it: &Screen| screen(it).iter().map(|line| line.level).max().unwrap();
        assert_eq!(worst(&Screen { size: Some([79, 24]), ..whole.clone() }), Level::Warn);
        assert_eq!(worst(&Screen { size: Some([80, 23]), ..whole.clone() }), Level::Warn);
        assert_eq!(worst(&Screen { unicode: false, ..whole.clone() }), Level::Warn);
        assert_eq!(worst(&Screen { term: Some("dumb".into()), ..whole.clone() }), Level::Fail);
        assert_eq!(worst(&Screen { size: None, ..whole }), Level::Warn);
    }

    #[test]
    fn each_line_says_what_to_do_and_the_last_counts_them() {
        let lines = [
            Line::ok("clock", "it is late"),
            strays(2, 1),
            Line::fail("configuration", "it is wrong", "mend it"),
        ];
        insta::assert_snapshot!(human(&lines), @r"
        ok    clock          it is late
        warn  runs           2 were killed and may have left something
                             do: tminus clean
        fail  configuration  it is wrong
                             do: mend it
        1 ok, 1 to know, 1 to mend
        ");
        let read: serde_json::Value = serde_json::from_str(&json(&lines)).unwrap();
        assert_eq!(read[2]["level"], "fail");
    }
}
