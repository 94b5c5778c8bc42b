use super::{Kind, Meaning};

/// What SQLite means by an extended result code about the file at `path`.
pub(super) fn meaning(code: i32, path: &str) -> Meaning {
    let (kind, says, remedy) = match code {
        517 => (
            Kind::Snapshot,
            "reader's snapshot is too old to write (BUSY_SNAPSHOT)",
            "begin such transactions with BEGIN IMMEDIATE; busy_timeout does not help".to_owned(),
        ),
        776 => (
            Kind::ReadOnly,
            "crashed writer left a hot journal (READONLY)",
            "start the application once, so that it rolls the journal back".to_owned(),
        ),
        _ => primary(code & 0xFF, path),
    };
    Meaning { kind, says: says.into(), remedy }
}

fn primary(code: i32, path: &str) -> (Kind, &'static str, String) {
    let (kind, says, remedy) = match code {
        5 | 6 => (
            Kind::Locked,
            "locked by a writer for over 500ms (BUSY)",
            "end the writer's transaction, or let readers pass: PRAGMA journal_mode = WAL",
        ),
        7 => (Kind::Local, "this host is out of memory (NOMEM)", "free memory on this host"),
        8 => (
            Kind::ReadOnly,
            "file may not be written to (READONLY)",
            "let the application write to the file and its directory",
        ),
        10 => (Kind::Disk, "disk fails to read it (IOERR)", "check the disk and its file system"),
        11 => {
            let remedy = format!("restore a backup, or save what is left: sqlite3 {path} .recover");
            return (Kind::Corrupt, "database file is corrupt (CORRUPT)", remedy);
        }
        13 => (Kind::Disk, "no room left to write (FULL)", "make room on the disk"),
        14 => (
            Kind::CannotOpen,
            "file cannot be opened (CANTOPEN)",
            "let this user read the file and enter its directory",
        ),
        26 => (
            Kind::NotADatabase,
            "file is no SQLite database (NOTADB)",
            "correct the path in the url; an encrypted file cannot be read",
        ),
        _ => (
            Kind::Statement,
            "SQLite refused the statement",
            "look the result code up at sqlite.org/rescode.html",
        ),
    };
    (kind, says, remedy.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_has_its_own_kind() {
        let cases = [
            (5, Kind::Locked),
            (261, Kind::Locked), // BUSY_RECOVERY
            (517, Kind::Snapshot),
            (6, Kind::Locked),
            (7, Kind::Local),
            (8, Kind::ReadOnly),
            (776, Kind::ReadOnly),
            (10, Kind::Disk),
            (11, Kind::Corrupt),
            (267, Kind::Corrupt), // CORRUPT_VTAB
            (13, Kind::Disk),
            (14, Kind::CannotOpen),
            (26, Kind::NotADatabase),
            (1, Kind::Statement),
        ];
        for (code, kind) in cases {
            let meant = meaning(code, "/srv/app.db");
            assert_eq!(meant.kind, kind, "{code}");
            assert!(!meant.remedy.is_empty(), "{code}");
        }
    }

    #[test]
    fn a_stale_snapshot_is_not_blamed_on_the_busy_timeout() {
        let remedy = meaning(517, "/srv/app.db").remedy;
        assert!(remedy.contains("BEGIN IMMEDIATE"), "{remedy}");
    }
}
