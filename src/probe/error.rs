use crate::domain::{Cause, Evidence, Finding};
use std::io;
use thiserror::Error;

/// Why a probe could not reach a conclusion of its own.
///
/// A limit that does not hold is a [`Finding`], never one of these. Each is a
/// clause without a secret: drivers' own messages are mapped, not pasted in.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ProbeError {
    /// The address, credentials or options are unusable as given.
    #[error("{0}")]
    Misconfigured(String),
    /// Nothing answered at the address.
    #[error("{0}")]
    Unreachable(String),
    /// Something answered and turned us away.
    #[error("{0}")]
    Refused(String),
    /// Something answered, but not in the way agreed upon.
    #[error("{0}")]
    Protocol(String),
    /// This host lacks what the probe needs. The target is not to blame.
    #[error("{0}")]
    Local(String),
    /// The credentials may not look. The target is not to blame.
    #[error("{0}")]
    NotPermitted(String),
}

impl ProbeError {
    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Misconfigured(_) => Some("correct the address or the options in tminus.toml"),
            Self::Unreachable(_) => Some("start the server, or correct host and port"),
            Self::Refused(_) => Some("correct the credentials or the server's limits"),
            Self::Protocol(_) => Some("make sure that the address is that of the service meant"),
            Self::Local(_) => Some("free descriptors or memory on this host, or mend its resolver"),
            Self::NotPermitted(_) => None,
        }
    }

    /// What `error` means when it came from connecting to, or talking with, `peer`.
    #[expect(clippy::wildcard_enum_match_arm, reason = "std adds kinds with every release")]
    pub fn of_io(error: &io::Error, peer: &str) -> Self {
        use io::ErrorKind as Kind;
        // Our own exhaustion: EMFILE, ENFILE, ENOMEM, EAGAIN of a failed spawn.
        if matches!(error.raw_os_error(), Some(12 | 23 | 24)) {
            return Self::Local(format!("this host is out of descriptors or memory: {error}"));
        }
        match error.kind() {
            Kind::ConnectionRefused => Self::Unreachable(format!("connection refused by {peer}")),
            Kind::NotFound => Self::Unreachable(format!("{peer} does not exist")),
            Kind::TimedOut => Self::Unreachable(format!("{peer} did not answer in time")),
            Kind::ConnectionReset | Kind::ConnectionAborted | Kind::BrokenPipe => {
                Self::Unreachable(format!("{peer} reset the connection"))
            }
            Kind::UnexpectedEof => Self::Protocol(format!("{peer} closed the connection")),
            Kind::HostUnreachable | Kind::NetworkUnreachable => {
                Self::Unreachable(format!("no route to {peer}"))
            }
            Kind::PermissionDenied => Self::Local(format!("this host may not connect to {peer}")),
            _ => Self::Unreachable(format!("{peer}: {error}")),
        }
    }
}

/// The one place where trouble becomes data.
impl From<ProbeError> for Finding {
    fn from(error: ProbeError) -> Self {
        let says = error.to_string();
        let finding = match error {
            ProbeError::Local(_) => Self::unknown(Cause::Local, &says),
            ProbeError::NotPermitted(_) => Self::unknown(Cause::NotPermitted, &says),
            ProbeError::Misconfigured(_)
            | ProbeError::Unreachable(_)
            | ProbeError::Refused(_)
            | ProbeError::Protocol(_) => Self::fail(&says),
        };
        let finding = finding.evidence(Evidence::default().reply(&says));
        match error.hint() {
            Some(hint) => finding.remedy(hint),
            None => finding,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Outcome;

    #[test]
    fn our_own_trouble_never_blames_the_target() {
        let full = ProbeError::of_io(&io::Error::from_raw_os_error(24), "db:5432");
        assert_eq!(Finding::from(full).outcome, Outcome::Unknown(Cause::Local));
        let refused = ProbeError::of_io(&io::ErrorKind::ConnectionRefused.into(), "db:5432");
        let finding = Finding::from(refused);
        assert_eq!(finding.outcome, Outcome::Fail);
        assert_eq!(finding.summary, "connection refused by db:5432");
        assert!(finding.remedy.is_some());
    }
}
