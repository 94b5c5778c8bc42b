use serde::{Deserialize, Serialize};
use std::{fmt, sync::LazyLock};

/// Digits of a run's name: 48 bits in hex.
const DIGITS: usize = 12;

/// Tells one start of this program from all others.
///
/// It is part of the name of everything that a probe makes on a target, so that
/// what a killed process left behind is told from what a living one works with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunId(String);

/// The name of this process's run.
pub fn this_run() -> &'static RunId {
    static THIS: LazyLock<RunId> =
        LazyLock::new(|| RunId(format!("{:012x}", fastrand::u64(..1 << 48))));
    &THIS
}

impl RunId {
    /// Reads twelve lower-case hexadecimal digits, and nothing else.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = text.len() == DIGITS
            && text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
        fits.then(|| Self(text.into()))
    }

    /// The twelve digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for RunId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("twelve hexadecimal digits are wanted")
    }
}

impl From<RunId> for String {
    fn from(id: RunId) -> Self {
        id.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_run_is_called_is_read_as_its_name() {
        assert_eq!(RunId::parse(this_run().as_str()).as_ref(), Some(this_run()));
        for other in ["", "0123456789a", "0123456789abc", "0123456789aB", "../../etc/pa", "*"] {
            assert_eq!(RunId::parse(other), None, "{other}");
        }
    }
}
