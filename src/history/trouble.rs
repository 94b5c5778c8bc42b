use std::io;
use thiserror::Error;

/// Why nothing can be kept.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(super) enum Trouble {
    /// There is no room.
    #[error("the disk is full")]
    Full,
    /// Nobody may write there.
    #[error("nothing can be written there")]
    ReadOnly,
    /// This user may not.
    #[error("this user may not write there")]
    Denied,
    /// Another process holds it for too long.
    #[error("another process holds the file")]
    Busy,
    /// It is damaged, or no database at all.
    #[error("the file is damaged")]
    Damaged,
    /// It is a database of somebody else's.
    #[error("the file is not ours")]
    Foreign,
    /// A newer program wrote it.
    #[error("a newer version wrote the file")]
    Newer,
    /// It takes too long.
    #[error("the disk does not answer in time")]
    Slow,
    /// Anything else, in words without a value from outside.
    #[error("{0}")]
    Other(String),
}

impl Trouble {
    /// The word in the name of a file that is put aside for it; `None` if that would
    /// not help.
    pub(super) fn aside(&self) -> Option<&'static str> {
        match self {
            Self::Damaged => Some("damaged"),
            Self::Foreign => Some("foreign"),
            Self::Newer => Some("newer"),
            Self::Full
            | Self::ReadOnly
            | Self::Denied
            | Self::Busy
            | Self::Slow
            | Self::Other(_) => None,
        }
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        let usual = [
            (io::ErrorKind::StorageFull, Self::Full),
            (io::ErrorKind::QuotaExceeded, Self::Full),
            (io::ErrorKind::ReadOnlyFilesystem, Self::ReadOnly),
            (io::ErrorKind::PermissionDenied, Self::Denied),
        ];
        let usual = usual.into_iter().find(|(kind, _)| *kind == error.kind());
        usual.map_or_else(|| Self::Other(error.kind().to_string()), |(_, trouble)| trouble)
    }
}

impl From<sqlx::Error> for Trouble {
    fn from(error: sqlx::Error) -> Self {
        if let sqlx::Error::Io(error) = error {
            return error.into();
        }
        let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
        if let Some(code) = code.and_then(|code| code.parse::<u32>().ok()) {
            return of_code(code);
        }
        tracing::warn!(%error, "the history");
        Self::Other("the file cannot be used".into())
    }
}

/// What a result code of `SQLite` means to us; its low byte is the class.
fn of_code(code: u32) -> Trouble {
    match code & 0xff {
        5 | 6 => Trouble::Busy,
        8 => Trouble::ReadOnly,
        // 1: a table that we made is not there any more.
        1 | 11 | 26 => Trouble::Damaged,
        13 => Trouble::Full,
        14 | 23 => Trouble::Denied,
        class => Trouble::Other(format!("the disk fails, code {class} of SQLite")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_class_of_code_has_its_meaning() {
        let cases = [
            (5, Trouble::Busy),
            (261, Trouble::Busy),
            (1032, Trouble::ReadOnly),
            (11, Trouble::Damaged),
            (26, Trouble::Damaged),
            (13, Trouble::Full),
            (14, Trouble::Denied),
        ];
        for (code, trouble) in cases {
            assert_eq!(of_code(code), trouble, "{code}");
        }
        assert!(of_code(778).to_string().contains("code 10"));
        assert_eq!(Trouble::Damaged.aside(), Some("damaged"));
        assert_eq!(Trouble::Full.aside(), None, "putting it aside makes no room");
    }
}
