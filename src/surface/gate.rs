//! The verdict as an exit code. Pure, and the same for every verb and format.

use crate::domain::{Verdict, Word};

/// It may go.
pub const GO: u8 = 0;
/// It may not go.
pub const NO_GO: u8 = 1;
/// The command line or the configuration is wrong: there is no verdict.
pub const UNUSABLE: u8 = 2;
/// Nobody knows yet.
pub const HOLD: u8 = 3;
/// It may go and something is on the checklist, where that was asked for.
pub const WARNED: u8 = 4;
/// Added to the number of the signal that ended it.
const BY_SIGNAL: u8 = 128;

/// How a verdict stands, warnings told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// GO.
    Clear,
    /// GO, with entries on the checklist or blockers that somebody answers for.
    Warned,
    /// HOLD.
    Held,
    /// NO-GO.
    Stopped,
}

/// How a verdict becomes an exit code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExitStyle {
    /// 0 GO, 1 NO-GO, 3 HOLD.
    #[default]
    Plain,
    /// The same, and 4 for GO with warnings.
    Strict,
    /// As a monitoring plugin ends: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN, which
    /// is also every error.
    Nagios,
}

impl Standing {
    /// That of `verdict`.
    pub fn of(verdict: &Verdict) -> Self {
        match verdict.word {
            Word::Go if verdict.warnings > 0 || verdict.accepted > 0 => Self::Warned,
            Word::Go => Self::Clear,
            Word::Hold => Self::Held,
            Word::NoGo => Self::Stopped,
        }
    }
}

impl ExitStyle {
    /// The exit code of a verdict.
    pub fn code(self, verdict: &Verdict) -> u8 {
        match (self, Standing::of(verdict)) {
            (Self::Nagios, Standing::Warned) => 1,
            (Self::Nagios, Standing::Stopped) => 2,
            (Self::Nagios, Standing::Held) => 3,
            (Self::Strict, Standing::Warned) => WARNED,
            (Self::Plain | Self::Strict | Self::Nagios, _) => exit_code(verdict.word),
        }
    }

    /// The exit code where there is no verdict, which is otherwise `code`.
    pub fn without_verdict(self, code: u8) -> u8 {
        match self {
            Self::Plain | Self::Strict => code,
            Self::Nagios => 3,
        }
    }
}

/// The exit code of a verdict, warnings or not.
pub fn exit_code(word: Word) -> u8 {
    match word {
        Word::Go => GO,
        Word::NoGo => NO_GO,
        Word::Hold => HOLD,
    }
}

/// The exit code of a run that a signal ended: 130 for SIGINT, 143 for SIGTERM.
pub fn interrupted(signal: u8) -> u8 {
    BY_SIGNAL.saturating_add(signal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(word: Word, warnings: usize, accepted: usize) -> Verdict {
        Verdict { word, accepted, warnings, ..Verdict::default() }
    }

    #[test]
    fn each_style_has_its_numbers() {
        let verdicts = [
            verdict(Word::Go, 0, 0),
            verdict(Word::Go, 2, 0),
            verdict(Word::Go, 0, 1),
            verdict(Word::NoGo, 1, 0),
            verdict(Word::Hold, 1, 0),
        ];
        let codes = |style: ExitStyle| verdicts.each_ref().map(|verdict| style.code(verdict));
        assert_eq!(codes(ExitStyle::Plain), [0, 0, 0, 1, 3]);
        assert_eq!(codes(ExitStyle::Strict), [0, 4, 4, 1, 3]);
        assert_eq!(codes(ExitStyle::Nagios), [0, 1, 1, 2, 3]);
    }

    #[test]
    fn an_error_looks_like_no_verdict() {
        for style in [ExitStyle::Plain, ExitStyle::Strict] {
            assert_eq!(style.without_verdict(UNUSABLE), UNUSABLE, "clap ends with 2, and so do we");
        }
        assert_eq!(ExitStyle::Nagios.without_verdict(UNUSABLE), 3);
        assert_eq!((interrupted(2), interrupted(15)), (130, 143));
    }
}
