use crate::domain::plain;
use sqlx::postgres::PgDatabaseError;
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
    #[error("another process holds it")]
    Busy,
    /// It is damaged, or no database at all.
    #[error("the file is damaged")]
    Damaged,
    /// It is a database of somebody else's.
    #[error("it is not ours")]
    Foreign,
    /// A newer program wrote it.
    #[error("a newer version wrote it")]
    Newer,
    /// It takes too long.
    #[error("it does not answer in time")]
    Slow,
    /// Nobody may make our schema there.
    #[error("the role may not make the schema tminus, which is not there")]
    NoSchema,
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
            | Self::NoSchema
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
        if let Some(theirs) = error.as_database_error()
            && theirs.try_downcast_ref::<PgDatabaseError>().is_some()
        {
            return of_state(&theirs.code().unwrap_or_default());
        }
        let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
        if let Some(code) = code.and_then(|code| code.parse::<u32>().ok()) {
            return of_code(code);
        }
        // What a driver says of a server may name who asks.
        let says = if matches!(error, sqlx::Error::Tls(_)) {
            "no TLS could be agreed upon"
        } else if matches!(error, sqlx::Error::Protocol(_)) {
            "it does not answer as a database does"
        } else {
            "it cannot be used"
        };
        Self::Other(says.into())
    }
}

/// What a state of `PostgreSQL` means to us.
fn of_state(state: &str) -> Trouble {
    let says = |says: &str| Trouble::Other(says.into());
    match state {
        "42501" => Trouble::Denied,
        "25006" => Trouble::ReadOnly,
        "53100" => Trouble::Full,
        // A wait for our turn, a deadlock, two at once.
        "55P03" | "40P01" | "40001" => Trouble::Busy,
        "57014" => Trouble::Slow,
        "28P01" | "28000" => says("the server does not let this role in"),
        "3D000" => says("the server has no such database"),
        "53300" => says("the server has no connection left"),
        "57P03" => says("the server is starting or shutting down"),
        "42P01" | "42703" | "3F000" => says("its tables are not those of this version"),
        state if state.starts_with("57P") => says("the server has ended the session"),
        state => Trouble::Other(format!("the server refuses, state {}", plain(state, STATE))),
    }
}

/// Characters of a state.
const STATE: usize = 5;

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
        let states = [
            ("42501", Trouble::Denied),
            ("25006", Trouble::ReadOnly),
            ("55P03", Trouble::Busy),
            ("57014", Trouble::Slow),
        ];
        for (state, trouble) in states {
            assert_eq!(of_state(state), trouble, "{state}");
        }
        assert_eq!(of_state("57P01").to_string(), "the server has ended the session");
        assert_eq!(of_state("22021").to_string(), "the server refuses, state 22021");
        assert!(of_code(778).to_string().contains("code 10"));
        assert_eq!(Trouble::Damaged.aside(), Some("damaged"));
        assert_eq!(Trouble::Full.aside(), None, "putting it aside makes no room");
    }
}
