//! The verdict as an exit code. Pure, and the same for every verb and format.

use crate::domain::Word;

/// It may go.
pub const GO: u8 = 0;
/// It may not go.
pub const NO_GO: u8 = 1;
/// The command line or the configuration is wrong: there is no verdict.
pub const UNUSABLE: u8 = 2;
/// Nobody knows yet.
pub const HOLD: u8 = 3;
/// Added to the number of the signal that ended it.
const BY_SIGNAL: u8 = 128;

/// The exit code of a verdict.
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

    #[test]
    fn each_verdict_has_its_own_code_and_none_is_that_of_a_usage_error() {
        let codes = [Word::Go, Word::NoGo, Word::Hold].map(exit_code);
        assert_eq!(codes, [0, 1, 3]);
        assert!(!codes.contains(&UNUSABLE), "clap ends with 2, and so do we");
        assert_eq!((interrupted(2), interrupted(15)), (130, 143));
    }
}
