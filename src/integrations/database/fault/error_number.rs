use super::{Kind, Meaning, Names, Stage};

/// What MySQL and MariaDB mean by error `number`.
pub(super) fn meaning(number: u16, stage: Stage, names: &Names) -> Meaning {
    let Names { role, database, .. } = names;
    let (kind, says, remedy) = match number {
        1044 if stage == Stage::Dial => (
            Kind::Credentials,
            format!("{role} may not enter {database}"),
            format!("GRANT SELECT ON `{database}`.* TO the account, or name another database"),
        ),
        1045 | 1698 => (
            Kind::Credentials,
            format!("password refused for account {role}"),
            "correct account or password in the url".to_owned(),
        ),
        1049 => (
            Kind::NoDatabase,
            format!("database {database} does not exist"),
            "create it, or correct the database in the url".to_owned(),
        ),
        1820 | 1862 => (
            Kind::Credentials,
            format!("password of {role} has expired"),
            "ALTER USER … IDENTIFIED BY a new one, and correct the url".to_owned(),
        ),
        _ => plain(number),
    };
    Meaning { kind, says: format!("{says} ({number})"), remedy }
}

/// The numbers whose meaning depends on nothing else.
fn plain(number: u16) -> (Kind, String, String) {
    let (kind, says, remedy) = match number {
        1040 => (
            Kind::Full,
            "server full, no connection left",
            "close idle connections or raise max_connections",
        ),
        1203 | 1226 => (
            Kind::Full,
            "account has used up its connections",
            "close its idle connections, or ALTER USER … WITH MAX_USER_CONNECTIONS",
        ),
        1129 => (
            Kind::Credentials,
            "server bars this host after broken visits",
            "mariadb-admin flush-hosts, or TRUNCATE performance_schema.host_cache",
        ),
        1130 => (
            Kind::Credentials,
            "server lets nobody in from this host",
            "create the account for this host too: CREATE USER …@'this host'",
        ),
        3159 => {
            (Kind::Tls, "server takes sessions with TLS only", "add ?ssl-mode=REQUIRED to the url")
        }
        1053 => (Kind::Stopping, "server is shutting down", "start the server again"),
        1317 | 1969 | 3024 => (
            Kind::Cancelled,
            "statement took longer than it may",
            "look for load on the server, or raise the account's statement limit",
        ),
        1205 | 1213 => (
            Kind::Locked,
            "a lock was not released in time",
            "end the transaction that holds it: SELECT * FROM sys.innodb_lock_waits",
        ),
        1290 | 1792 | 1836 => (
            Kind::ReadOnly,
            "server takes no writes",
            "SET GLOBAL read_only = 0, unless it is a replica and meant to be read",
        ),
        1021 | 1114 => (Kind::Disk, "server's disk is full", "make room in the data directory"),
        1927 | 1152 | 1159 | 4031 => {
            (Kind::Lost, "server ended the session", "look into the server's log for who ended it")
        }
        1044 | 1142 | 1143 | 1227 | 1370 => (
            Kind::NotPermitted,
            "account may not ask this",
            "GRANT SELECT ON performance_schema.*, PROCESS ON *.* to the account",
        ),
        _ => (
            Kind::Statement,
            "server refused the statement",
            "look the number up: perror, or the manual's list of server errors",
        ),
    };
    (kind, says.to_owned(), remedy.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meant(number: u16, stage: Stage) -> Meaning {
        let names = Names { role: "app".into(), database: "shop".into(), ..Names::default() };
        meaning(number, stage, &names)
    }

    #[test]
    fn each_number_has_its_own_kind_and_is_said() {
        let cases = [
            (1040, Kind::Full, "server full, no connection left (1040)"),
            (1203, Kind::Full, "account has used up its connections (1203)"),
            (1044, Kind::Credentials, "app may not enter shop (1044)"),
            (1045, Kind::Credentials, "password refused for account app (1045)"),
            (1049, Kind::NoDatabase, "database shop does not exist (1049)"),
            (1053, Kind::Stopping, "server is shutting down (1053)"),
            (1129, Kind::Credentials, "server bars this host after broken visits"),
            (1130, Kind::Credentials, "server lets nobody in from this host (1130)"),
            (1862, Kind::Credentials, "password of app has expired (1862)"),
            (3159, Kind::Tls, "server takes sessions with TLS only (3159)"),
            (1969, Kind::Cancelled, "statement took longer than it may (1969)"),
            (1213, Kind::Locked, "a lock was not released in time (1213)"),
            (1290, Kind::ReadOnly, "server takes no writes (1290)"),
            (1114, Kind::Disk, "server's disk is full (1114)"),
            (4031, Kind::Lost, "server ended the session (4031)"),
            (1146, Kind::Statement, "server refused the statement (1146)"),
        ];
        for (number, kind, says) in cases {
            let meant = meant(number, Stage::Dial);
            assert_eq!(meant.kind, kind, "{number}");
            assert!(meant.says.starts_with(says), "{}", meant.says);
            assert!(meant.says.chars().count() <= 48 && !meant.remedy.is_empty(), "{number}");
        }
    }

    #[test]
    fn what_is_refused_within_a_session_is_no_matter_of_the_door() {
        for number in [1044, 1142, 1227] {
            assert_eq!(meant(number, Stage::Statement).kind, Kind::NotPermitted, "{number}");
        }
    }
}
