use super::super::trouble::Trouble;
use crate::probe::ProbeError;
use rustls::crypto::ring;
use std::fmt::{self, Write as _};

/// Proves whose something is: 128 random bits of the operating system's.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Token(String);

impl Token {
    /// A token that nobody else has.
    ///
    /// Made before anything is sent, so that a request whose answer was lost can
    /// be repeated as itself.
    ///
    /// # Errors
    ///
    /// This host has no randomness to give.
    pub(crate) fn new() -> Result<Self, Trouble> {
        let mut bits = [0; 16];
        ring::default_provider().secure_random.fill(&mut bits).map_err(|_| {
            Trouble::Reach(ProbeError::Local("this host has no random numbers to give".into()))
        })?;
        Ok(Self(bits.iter().fold(String::with_capacity(32), |mut hex, byte| {
            // Writing to a String cannot fail.
            let _infallible = write!(hex, "{byte:02x}");
            hex
        })))
    }

    /// As the last part of a key.
    pub(crate) fn to_id(&self) -> String {
        self.0.clone()
    }

    /// As bytes to send.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Token {
    /// Its first digits, which tell tokens apart and give none away.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}…", &self.0[..6])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_long_unique_and_does_not_show_itself() {
        let (one, other) = (Token::new().unwrap(), Token::new().unwrap());
        assert_eq!(one.as_bytes().len(), 32);
        assert_ne!(one, other);
        assert!(format!("{one:?}").chars().count() < 8);
    }
}
