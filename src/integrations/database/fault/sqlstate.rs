use super::{Kind, Meaning, Names, Stage};

/// What PostgreSQL means by `code`. Its `message` is only searched, never shown.
pub(super) fn meaning(code: &str, message: &str, stage: Stage, names: &Names) -> Meaning {
    let Names { peer, role, database, .. } = names;
    let (kind, says, remedy) = match code {
        "28P01" => (
            Kind::Credentials,
            format!("password refused for role {role}"),
            "correct the password in the url".to_owned(),
        ),
        "42501" if stage == Stage::Dial => (
            Kind::Credentials,
            format!("role {role} may not enter {database}"),
            format!("GRANT CONNECT ON DATABASE {database} TO {role}"),
        ),
        "42501" => (
            Kind::NotPermitted,
            format!("role {role} may not ask this"),
            format!("GRANT pg_read_all_stats TO {role}"),
        ),
        "53300" if message.contains("connections for role") => (
            Kind::Full,
            format!("role {role} has no connection left"),
            format!("close its idle connections, or ALTER ROLE {role} CONNECTION LIMIT more"),
        ),
        "53300" if message.contains("connections for database") => (
            Kind::Full,
            format!("{database} has no connection left"),
            format!("close idle ones, or ALTER DATABASE {database} CONNECTION LIMIT more"),
        ),
        "3D000" => (
            Kind::NoDatabase,
            format!("database {database} does not exist"),
            "create it, or correct the database in the url".to_owned(),
        ),
        "08P01" | "0A000" if stage == Stage::Dial => (
            Kind::Guards,
            format!("{peer} refuses the session"),
            "point the url at the server itself; the pooler's log says why".to_owned(),
        ),
        // The message is the only difference; a translated one is taken for the milder.
        "57P03" if message.contains("shutting down") => (
            Kind::Stopping,
            "server is shutting down".to_owned(),
            "start the server again".to_owned(),
        ),
        "42703" | "42883" if stage == Stage::Statement => (
            Kind::TooOld,
            format!("{peer} lacks what is read here"),
            "upgrade the server; 13 and older are no longer maintained".to_owned(),
        ),
        _ if code.starts_with("28") => (
            Kind::Credentials,
            format!("role {role} may not log in"),
            "create the role, or let it in with a line in pg_hba.conf".to_owned(),
        ),
        _ => plain(code),
    };
    Meaning { kind, says: format!("{says} ({code})"), remedy }
}

/// The codes whose meaning depends on nothing else.
fn plain(code: &str) -> (Kind, String, String) {
    let (kind, says, remedy) = match code {
        "53300" => (
            Kind::Full,
            "server full, no connection left",
            "close idle connections or raise max_connections; on 16 and later a role with \
             pg_use_reserved_connections still gets in",
        ),
        "53100" => (Kind::Disk, "server's disk is full", "make room in the data directory"),
        "57P03" => (
            Kind::Starting,
            "server is starting up",
            "wait until recovery ends; the server's log shows how far it is",
        ),
        "57P01" | "57P02" | "57P04" | "57P05" => {
            (Kind::Lost, "server ended the session", "look into the server's log for who ended it")
        }
        "57014" => (
            Kind::Cancelled,
            "statement was cancelled",
            "look for load on the server, or raise statement_timeout for this role",
        ),
        "55P03" => (
            Kind::Locked,
            "a lock was not released in time",
            "end the transaction that holds it: SELECT pg_blocking_pids(pid)",
        ),
        _ if code.starts_with("53") => (
            Kind::Statement,
            "server is out of resources",
            "give the server memory, or lower its load",
        ),
        _ => (
            Kind::Statement,
            "server refused the statement",
            "look the SQLSTATE up in the server's log",
        ),
    };
    (kind, says.to_owned(), remedy.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meant(code: &str, stage: Stage) -> Meaning {
        let (peer, role, database) = ("db:5432".into(), "app".into(), "shop".into());
        let names = Names { peer, role, database, ..Names::default() };
        meaning(code, "the database system is not yet accepting connections", stage, &names)
    }

    #[test]
    fn each_state_has_its_own_kind_and_says_its_code() {
        let cases = [
            ("28P01", Kind::Credentials, "password refused for role app (28P01)"),
            ("28000", Kind::Credentials, "role app may not log in (28000)"),
            ("42501", Kind::Credentials, "role app may not enter shop (42501)"),
            ("3D000", Kind::NoDatabase, "database shop does not exist (3D000)"),
            ("53300", Kind::Full, "server full, no connection left (53300)"),
            ("53100", Kind::Disk, "server's disk is full (53100)"),
            ("53200", Kind::Statement, "server is out of resources (53200)"),
            ("57P03", Kind::Starting, "server is starting up (57P03)"),
            ("57P01", Kind::Lost, "server ended the session (57P01)"),
            ("08P01", Kind::Guards, "db:5432 refuses the session (08P01)"),
            ("0A000", Kind::Guards, "db:5432 refuses the session (0A000)"),
            ("57014", Kind::Cancelled, "statement was cancelled (57014)"),
            ("55P03", Kind::Locked, "a lock was not released in time (55P03)"),
            ("42703", Kind::Statement, "server refused the statement (42703)"),
        ];
        for (code, kind, says) in cases {
            let meant = meant(code, Stage::Dial);
            assert_eq!((meant.kind, meant.says.as_str()), (kind, says));
            assert!(says.chars().count() <= 45, "{says}");
            assert!(!meant.remedy.is_empty(), "{code}");
        }
    }

    #[test]
    fn what_is_refused_within_a_session_is_no_matter_of_the_door() {
        assert_eq!(meant("42501", Stage::Statement).kind, Kind::NotPermitted);
        assert_eq!(meant("0A000", Stage::Statement).kind, Kind::Statement);
        assert_eq!(meant("42703", Stage::Statement).kind, Kind::TooOld);
    }

    #[test]
    fn a_full_server_is_told_from_a_full_role() {
        let names = Names { role: "app".into(), database: "shop".into(), ..Names::default() };
        let says = |message| meaning("53300", message, Stage::Dial, &names).says;
        assert_eq!(
            says("too many connections for role \"app\""),
            "role app has no connection left (53300)"
        );
        assert_eq!(
            says("too many connections for database \"shop\""),
            "shop has no connection left (53300)"
        );
        assert_eq!(
            says("sorry, too many clients already"),
            "server full, no connection left (53300)"
        );
        let reserved =
            "remaining connection slots are reserved for roles with the SUPERUSER attribute";
        assert_eq!(says(reserved), "server full, no connection left (53300)");
    }

    #[test]
    fn starting_and_stopping_share_a_code() {
        let names = Names::default();
        let stopping = meaning("57P03", "database system is shutting down", Stage::Dial, &names);
        assert_eq!(stopping.kind, Kind::Stopping);
    }
}
