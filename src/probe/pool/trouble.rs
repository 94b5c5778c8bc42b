use crate::domain::PoolTrouble;
use sqlx::mysql::MySqlDatabaseError;

/// What the driver's error says about why there is no connection; nothing where
/// it only says that time is over.
pub(super) fn of(error: &sqlx::Error) -> Option<PoolTrouble> {
    if matches!(error, sqlx::Error::PoolTimedOut) {
        return None;
    }
    if let Some(refusal) = error.as_database_error() {
        let number =
            refusal.try_downcast_ref::<MySqlDatabaseError>().map(MySqlDatabaseError::number);
        let code = refusal.code().unwrap_or_default();
        return Some(meaning(&code, number));
    }
    let io = matches!(error, sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_));
    Some(if io { PoolTrouble::Network } else { PoolTrouble::Other })
}

/// What a SQLSTATE means, or a number of MySQL's where its SQLSTATE says too little.
fn meaning(code: &str, number: Option<u16>) -> PoolTrouble {
    match (code, number) {
        // Too many connections: in all, of this user, of this user in an hour.
        ("53300", _) | (_, Some(1040 | 1203 | 1226)) => PoolTrouble::ServerFull,
        ("57P03", _) | (_, Some(1053)) => PoolTrouble::Starting,
        (_, Some(1044 | 1045 | 1130 | 1698)) => PoolTrouble::Auth,
        (code, _) if code.starts_with("28") => PoolTrouble::Auth,
        (code, _) if code.starts_with("08") => PoolTrouble::Network,
        _ => PoolTrouble::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[test]
    fn each_code_has_its_trouble() {
        let cases = [
            ("53300", None, PoolTrouble::ServerFull),
            ("08004", Some(1040), PoolTrouble::ServerFull),
            ("42000", Some(1203), PoolTrouble::ServerFull),
            ("42000", Some(1226), PoolTrouble::ServerFull),
            ("57P03", None, PoolTrouble::Starting),
            ("08S01", Some(1053), PoolTrouble::Starting),
            ("28P01", None, PoolTrouble::Auth),
            ("28000", Some(1045), PoolTrouble::Auth),
            ("42000", Some(1044), PoolTrouble::Auth),
            ("HY000", Some(1130), PoolTrouble::Auth),
            ("08006", None, PoolTrouble::Network),
            ("3D000", None, PoolTrouble::Other),
            ("42000", Some(1049), PoolTrouble::Other),
        ];
        for (code, number, why) in cases {
            assert_eq!(meaning(code, number), why, "{code} {number:?}");
        }
    }

    #[test]
    fn only_a_timeout_says_nothing() {
        assert_eq!(of(&sqlx::Error::PoolTimedOut), None);
        let refused = sqlx::Error::Io(io::ErrorKind::ConnectionRefused.into());
        assert_eq!(of(&refused), Some(PoolTrouble::Network));
        assert_eq!(of(&sqlx::Error::PoolClosed), Some(PoolTrouble::Other));
    }
}
