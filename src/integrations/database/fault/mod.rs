//! Trouble with a database, in words of ours.
//!
//! A driver's own text is never shown: it can hold a host, a role, a statement
//! or a URL. What it means is looked up by SQLSTATE or result code instead.

mod error_number;
mod result_code;
mod sqlstate;

use crate::{
    domain::{Cause, Evidence, Finding},
    probe::ProbeError,
    units,
};
use sqlx::{mysql::MySqlDatabaseError, sqlite::SqliteError};
use std::{io, time::Duration};

/// What kind of trouble it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing listens there, or nothing gets there.
    Unreachable,
    /// It was there and says nothing.
    Hung,
    /// Something else answers.
    Foreign,
    /// No agreement on encryption.
    Tls,
    /// The session's options are not taken: a pooler stands in between.
    Guards,
    /// The role may not come in.
    Credentials,
    /// It is starting up.
    Starting,
    /// It is shutting down.
    Stopping,
    /// No connection is left.
    Full,
    /// The database is not there.
    NoDatabase,
    /// The role may not ask this.
    NotPermitted,
    /// The server is older than what is asked of it.
    TooOld,
    /// The session ended.
    Lost,
    /// The statement was cancelled.
    Cancelled,
    /// Somebody holds a lock.
    Locked,
    /// The statement was refused, for what its code says.
    Statement,
    /// The file is not there.
    Missing,
    /// The file cannot be opened.
    CannotOpen,
    /// The file is something else.
    NotADatabase,
    /// The file is damaged.
    Corrupt,
    /// The file or its directory cannot be written to.
    ReadOnly,
    /// The disk is full or failing.
    Disk,
    /// A reader may not become a writer.
    Snapshot,
    /// The settings are unusable.
    Misconfigured,
    /// This host lacks what it takes.
    Local,
}

/// When it happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// While a session was being opened.
    Dial,
    /// Within a session.
    Statement,
}

/// Whose codes and options they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Dialect {
    /// SQLSTATE.
    #[default]
    Postgres,
    /// Result codes.
    Sqlite,
    /// Error numbers.
    MySql,
}

impl Dialect {
    /// What the server is called.
    fn server(self) -> &'static str {
        match self {
            Self::Postgres => "PostgreSQL",
            Self::Sqlite => "SQLite",
            Self::MySql => "MySQL",
        }
    }

    /// The options of the URL that say whom to trust, and how much TLS is wanted.
    fn tls_options(self) -> (&'static str, &'static str) {
        match self {
            Self::Postgres | Self::Sqlite => ("sslrootcert", "sslmode"),
            Self::MySql => ("ssl-ca", "ssl-mode"),
        }
    }
}

/// Whom the trouble is with.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Names {
    /// Whose codes and options they are.
    pub(super) dialect: Dialect,
    /// `host:port`, or a path.
    pub(super) peer: String,
    /// The role that asks.
    pub(super) role: String,
    /// The database that is asked.
    pub(super) database: String,
}

/// What a code means and what to do about it.
#[derive(Debug, PartialEq)]
struct Meaning {
    kind: Kind,
    says: String,
    remedy: String,
}

/// Trouble that kept a check from measuring.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fault {
    /// What kind of trouble it is.
    pub(super) kind: Kind,
    /// The SQLSTATE, result code or error number, where there is one.
    pub(super) code: String,
    /// Which of them it is.
    pub(super) dialect: Dialect,
    /// It in a clause.
    pub(super) says: String,
    /// What to do about it.
    pub(super) remedy: String,
    /// What was asked.
    pub(super) asked: String,
}

impl Fault {
    /// Trouble that needs no table.
    pub(super) fn new(kind: Kind, asked: &str, says: String, remedy: &str) -> Self {
        let dialect = Dialect::default();
        let (remedy, asked) = (remedy.into(), asked.into());
        Self { kind, code: String::new(), dialect, says, remedy, asked }
    }

    /// What error `number` of a MySQL server means, which came at `stage` from asking `asked`.
    pub(super) fn of_number(number: u16, stage: Stage, asked: &str, names: &Names) -> Self {
        let Meaning { kind, says, remedy } = error_number::meaning(number, stage, names);
        let (code, asked) = (number.to_string(), asked.into());
        Self { kind, code, dialect: Dialect::MySql, says, remedy, asked }
    }

    /// What it means that `host` has no address: one that does not exist is the user's
    /// matter, a resolver that does not answer is ours.
    pub(super) fn unresolved(error: &io::Error, host: &str) -> Self {
        let kind = match error.to_string() {
            text if text.contains("Temporary failure") => Kind::Local,
            _ => Kind::Unreachable,
        };
        let remedy = "correct the host in the url, or mend this host's resolver";
        Self::new(kind, &format!("resolve {host}"), format!("{host} does not resolve"), remedy)
    }

    /// `peer` did not answer `asked` in time.
    pub(super) fn hung(asked: &str, waited: Duration, peer: &str) -> Self {
        let says = format!("{peer}: no answer within {}", units::span(waited));
        let remedy = "look for a stopped or overloaded server, or a firewall that drops packets";
        Self::new(Kind::Hung, asked, says, remedy)
    }

    /// What a failed system call means.
    pub(super) fn of_io(error: &io::Error, asked: &str, peer: &str) -> Self {
        // A library's error in it would print its own text; the kind says enough.
        let bare = if error.get_ref().is_some() { &io::Error::from(error.kind()) } else { error };
        let meant = ProbeError::of_io(bare, peer);
        let (kind, remedy) = match &meant {
            ProbeError::Local(_) => (Kind::Local, "free descriptors or memory on this host"),
            ProbeError::Protocol(_) => (Kind::Lost, "look into the server's log for a crash"),
            ProbeError::Misconfigured(_)
            | ProbeError::Unreachable(_)
            | ProbeError::Refused(_)
            | ProbeError::NotPermitted(_) => {
                (Kind::Unreachable, "start the server, or correct host and port in the url")
            }
        };
        let kind = if is_broken(error) { Kind::Lost } else { kind };
        Self::new(kind, asked, meant.to_string(), remedy)
    }

    /// What the driver's error means, which came at `stage` from asking `asked`.
    pub(super) fn of(error: &sqlx::Error, stage: Stage, asked: &str, names: &Names) -> Self {
        if let Some(refusal) = error.as_database_error() {
            if let Some(mysql) = refusal.try_downcast_ref::<MySqlDatabaseError>() {
                return Self::of_number(mysql.number(), stage, asked, names);
            }
            let code = refusal.code().unwrap_or_default().into_owned();
            let sqlite = refusal.try_downcast_ref::<SqliteError>().map(|_| code.parse());
            let dialect = if sqlite.is_some() { Dialect::Sqlite } else { Dialect::Postgres };
            let meaning = match sqlite {
                Some(number) => result_code::meaning(number.unwrap_or_default(), &names.peer),
                None => sqlstate::meaning(&code, refusal.message(), stage, names),
            };
            let Meaning { kind, says, remedy } = meaning;
            return Self { kind, code, dialect, says, remedy, asked: asked.into() };
        }
        if matches!(error, sqlx::Error::PoolTimedOut) {
            let says = format!("{}: no connection in time", names.peer);
            let remedy = "look for a stopped or overloaded server, or a firewall";
            return Self::new(Kind::Hung, asked, says, remedy);
        }
        let (ca, mode) = names.dialect.tls_options();
        if let sqlx::Error::Io(io) = error {
            if io.kind() == io::ErrorKind::InvalidData {
                let says = format!("certificate of {} is not accepted", names.peer);
                let remedy = format!("name its authority with {ca} in the url, or renew it");
                return Self::new(Kind::Tls, asked, says, &remedy);
            }
            if io.kind() != io::ErrorKind::NotFound {
                return Self::of_io(io, asked, &names.peer);
            }
            // The way there was walked before, so what is missing is a file of ours.
            let says = "a certificate named in the url is missing".to_owned();
            let remedy = format!("correct {ca} in the url");
            return Self::new(Kind::Misconfigured, asked, says, &remedy);
        }
        if matches!(error, sqlx::Error::Tls(_)) {
            let remedy = format!("correct {mode} or {ca} in the url, or the certificate");
            let says = format!("no TLS with {}", names.peer);
            return Self::new(Kind::Tls, asked, says, &remedy);
        }
        let (kind, says, remedy) = if matches!(error, sqlx::Error::Configuration(_)) {
            let says = "an option in the url is not understood".to_owned();
            (Kind::Misconfigured, says, "correct the options in the url")
        } else if matches!(error, sqlx::Error::WorkerCrashed) {
            let says = "the thread that works on the file ended".to_owned();
            (Kind::Local, says, "report this as a bug of tminus")
        } else {
            return Self::stranger(asked, &names.peer, names.dialect);
        };
        Self::new(kind, asked, says, remedy)
    }

    /// Whatever answers at `peer` does so in a way of its own.
    pub(super) fn foreign(asked: &str, peer: &str) -> Self {
        Self::stranger(asked, peer, Dialect::Postgres)
    }

    /// The same where another server was meant.
    pub(super) fn stranger(asked: &str, peer: &str, meant: Dialect) -> Self {
        let server = meant.server();
        let logins = match meant {
            Dialect::Postgres => {
                "; of logins, password, SCRAM, certificate and trust are understood"
            }
            Dialect::Sqlite | Dialect::MySql => "",
        };
        let remedy = format!("make sure that host and port are {server}'s{logins}");
        let says = format!("{peer} does not answer as {server}");
        Self::new(Kind::Foreign, asked, says, &remedy)
    }

    /// Whether a standing session may have ended since it was last used.
    pub(super) fn may_be_stale(&self) -> bool {
        self.kind == Kind::Lost
    }

    /// Whether the session can be used again.
    pub(super) fn keeps_session(&self) -> bool {
        matches!(
            self.kind,
            Kind::Statement | Kind::NotPermitted | Kind::TooOld | Kind::Cancelled | Kind::Locked
        )
    }

    /// As a conclusion.
    pub(super) fn finding(&self) -> Finding {
        let finding = match self.kind {
            Kind::Local => Finding::unknown(Cause::Local, &self.says),
            Kind::NotPermitted => Finding::unknown(Cause::NotPermitted, &self.says),
            Kind::TooOld => Finding::unknown(Cause::NoSamples, &self.says),
            Kind::Unreachable
            | Kind::Hung
            | Kind::Foreign
            | Kind::Tls
            | Kind::Guards
            | Kind::Credentials
            | Kind::Starting
            | Kind::Stopping
            | Kind::Full
            | Kind::NoDatabase
            | Kind::Lost
            | Kind::Cancelled
            | Kind::Locked
            | Kind::Statement
            | Kind::Missing
            | Kind::CannotOpen
            | Kind::NotADatabase
            | Kind::Corrupt
            | Kind::ReadOnly
            | Kind::Disk
            | Kind::Snapshot
            | Kind::Misconfigured => Finding::fail(&self.says),
        };
        let reply = match self.dialect {
            _ if self.code.is_empty() => self.says.clone(),
            Dialect::Postgres => format!("SQLSTATE {}", self.code),
            Dialect::Sqlite => format!("SQLite result code {}", self.code),
            Dialect::MySql => format!("error {}", self.code),
        };
        let evidence = Evidence::default().asked(&self.asked).wanted("an answer").reply(&reply);
        finding.evidence(evidence).remedy(&self.remedy)
    }
}

/// Whether an established connection went away.
fn is_broken(error: &io::Error) -> bool {
    use io::ErrorKind as E;
    matches!(
        error.kind(),
        E::ConnectionReset | E::ConnectionAborted | E::BrokenPipe | E::UnexpectedEof
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Outcome;

    fn of(error: &sqlx::Error) -> Fault {
        let (peer, role, database) = ("db:5432".into(), "app".into(), "shop".into());
        let names = Names { peer, role, database, ..Names::default() };
        Fault::of(error, Stage::Dial, "SELECT 1", &names)
    }

    fn io(kind: io::ErrorKind) -> Fault {
        of(&sqlx::Error::Io(io::Error::new(kind, "postgres://app:hunter2@db")))
    }

    #[test]
    fn each_kind_of_error_is_told_apart() {
        use io::ErrorKind as E;
        assert_eq!(io(E::ConnectionRefused).kind, Kind::Unreachable);
        assert_eq!(io(E::ConnectionReset).kind, Kind::Lost);
        assert_eq!(io(E::UnexpectedEof).kind, Kind::Lost);
        assert_eq!(io(E::NotFound).kind, Kind::Misconfigured);
        assert_eq!(io(E::InvalidData).kind, Kind::Tls);
        assert_eq!(of(&sqlx::Error::Tls("x".into())).kind, Kind::Tls);
        assert_eq!(of(&sqlx::Error::Protocol("x".into())).kind, Kind::Foreign);
        assert_eq!(of(&sqlx::Error::Configuration("x".into())).kind, Kind::Misconfigured);
        assert_eq!(of(&sqlx::Error::WorkerCrashed).kind, Kind::Local);
    }

    #[test]
    fn our_own_trouble_does_not_blame_the_database() {
        let full = of(&sqlx::Error::Io(io::Error::from_raw_os_error(24)));
        assert_eq!(full.finding().outcome, Outcome::Unknown(Cause::Local));
        assert_eq!(io(io::ErrorKind::ConnectionRefused).finding().outcome, Outcome::Fail);
    }

    #[test]
    fn a_drivers_own_words_never_come_through() {
        let secret = "postgres://app:hunter2@db";
        let wrapped = |kind| sqlx::Error::Io(io::Error::new(kind, secret));
        for error in [
            wrapped(io::ErrorKind::Other),
            wrapped(io::ErrorKind::InvalidData),
            wrapped(io::ErrorKind::AddrNotAvailable),
            sqlx::Error::Protocol(secret.into()),
            sqlx::Error::Configuration(secret.into()),
            sqlx::Error::Tls(secret.into()),
            sqlx::Error::InvalidArgument(secret.into()),
        ] {
            let finding = of(&error).finding();
            assert!(!format!("{finding:?}").contains("hunter2"), "{finding:?}");
            assert!(finding.remedy.is_some() && !finding.evidence.asked.is_empty());
        }
    }
}
