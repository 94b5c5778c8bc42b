//! The embedded SQLite, and files in every state that one finds them in.

use crate::{
    database::{database, run, says},
    support::Mounted,
};
use sqlx::{Connection, Executor, SqliteConnection, sqlite::SqliteConnectOptions};
use std::{
    fs::{self, Permissions},
    os::unix::fs::{FileExt, PermissionsExt},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tminus::{
    domain::{FactValue, Finding, Mark, Outcome, Provenance},
    integrations::database::Database,
    probe::Integration,
};

/// A database file of its own.
struct File {
    directory: TempDir,
    path: PathBuf,
}

impl File {
    async fn new(journal: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("app.db");
        let file = Self { directory, path };
        let mut link = file.open(true).await;
        link.execute(sqlx::AssertSqlSafe(format!("PRAGMA journal_mode = {journal}")))
            .await
            .unwrap();
        link.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, text TEXT)").await.unwrap();
        link.execute("INSERT INTO orders (text) VALUES ('first')").await.unwrap();
        link.close().await.unwrap();
        file
    }

    async fn open(&self, create: bool) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(&self.path).create_if_missing(create);
        SqliteConnection::connect_with(&options).await.unwrap()
    }

    fn database(&self) -> Database {
        database(Some(&format!("sqlite://{}", self.path.display())))
    }

    /// Names and contents of everything in the directory.
    fn contents(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let entries = fs::read_dir(self.directory.path()).unwrap();
        let read = |path: PathBuf| (path.clone(), fs::read(path).unwrap());
        let mut contents: Vec<_> = entries.map(|entry| read(entry.unwrap().path())).collect();
        contents.sort();
        contents
    }

    fn overwrite(&self, at: u64, bytes: &[u8]) {
        let file = fs::OpenOptions::new().write(true).open(&self.path).unwrap();
        file.write_all_at(bytes, at).unwrap();
    }
}

fn fact<'a>(finding: &'a Finding, name: &str) -> &'a FactValue {
    &finding.evidence.facts.iter().find(|fact| fact.name == name).unwrap().value
}

#[tokio::test]
async fn nothing_configured_is_a_working_fallback() {
    let embedded = database(None);
    assert_eq!(embedded.target().provenance, Provenance::Embedded);
    for name in ["connect", "query", "pool", "transactions", "errors", "slow"] {
        let finding = run(&embedded, name).await;
        assert_eq!(finding.outcome, Outcome::Pass, "{name}: {finding:?}");
        assert!(finding.fallback, "{name} is flagged");
    }
    let connect = run(&embedded, "connect").await;
    assert_eq!(connect.summary, "no database configured, embedded SQLite");
    assert!(connect.remedy.unwrap().contains("set DATABASE_URL"));
    assert!(connect.latency.is_some());
}

#[tokio::test]
async fn a_file_passes_on_our_side_and_is_left_as_it_was() {
    for journal in ["DELETE", "WAL"] {
        let file = File::new(journal).await;
        let before = file.contents();
        let watched = file.database();
        assert_eq!(watched.target().provenance, Provenance::Configured);
        assert_eq!(watched.target().name, file.path.display().to_string());
        let connect = run(&watched, "connect").await;
        assert_eq!(connect.outcome, Outcome::Pass, "{connect:?}");
        assert!(connect.summary.starts_with("SQLite 3."), "{}", connect.summary);
        assert!(!connect.fallback);
        let pass = |text: &str| ("pass", text.to_owned());
        assert_eq!(says(&watched, "query").await, pass("20 of 20 counted, on our side only"));
        assert_eq!(says(&watched, "slow").await, pass("150ms noticed, 50ms not, limit 100ms"));
        let pool = pass("pool of 2 adds up, on our side only");
        assert_eq!(says(&watched, "pool").await, pool);
        assert_eq!(says(&watched, "errors").await, pass("1 of 1 error counted, on our side only"));
        let transactions = run(&watched, "transactions").await;
        assert_eq!(transactions.outcome, Outcome::Pass, "{transactions:?}");
        assert!(transactions.summary.starts_with("rollback undone, commit seen"));
        assert_eq!((transactions.receipt.written, transactions.receipt.left), (2, 0));
        drop(watched);
        assert_eq!(file.contents(), before, "{journal}: nothing is left behind");
    }
}

#[tokio::test]
async fn a_write_ahead_file_in_use_is_read_beside_its_writer() {
    let file = File::new("WAL").await;
    let mut writer = file.open(false).await;
    writer.execute("INSERT INTO orders (text) VALUES ('second')").await.unwrap();
    let before = file.contents();
    assert_eq!(before.len(), 3, "-wal and -shm are there");
    let connect = run(&file.database(), "connect").await;
    assert_eq!(connect.outcome, Outcome::Pass, "{connect:?}");
    assert_eq!(*fact(&connect, "journal mode"), FactValue::from("wal"));
    let names = |contents: Vec<(PathBuf, Vec<u8>)>| {
        contents.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
    };
    assert_eq!(names(file.contents()), names(before));
    writer.execute("INSERT INTO orders (text) VALUES ('third')").await.unwrap();
    writer.close().await.unwrap();
    assert_eq!(file.contents().len(), 1, "the writer could clear up behind itself");
}

#[tokio::test]
async fn a_missing_file_fails_and_is_not_created() {
    let directory = tempfile::tempdir().unwrap();
    for url in ["sqlite://{}/none.db", "sqlite://{}/none.db?mode=rwc", "sqlite://{}/no/none.db"] {
        let url = url.replace("{}", &directory.path().display().to_string());
        let (outcome, summary) = says(&database(Some(&url)), "connect").await;
        assert_eq!(outcome, "fail");
        assert!(summary.ends_with("none.db does not exist"), "{summary}");
    }
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_locked_file_is_given_up_in_time() {
    let file = File::new("DELETE").await;
    let mut writer = file.open(false).await;
    writer.execute("BEGIN EXCLUSIVE").await.unwrap();
    let watched = file.database();
    let began = Instant::now();
    let finding = run(&watched, "connect").await;
    let took = began.elapsed();
    assert_eq!(finding.outcome, Outcome::Fail);
    assert_eq!(finding.summary, "locked by a writer for over 500ms (BUSY)");
    assert!(took >= Duration::from_millis(490) && took < Duration::from_secs(5), "{took:?}");
    writer.execute("COMMIT").await.unwrap();
    assert_eq!(run(&watched, "connect").await.outcome, Outcome::Pass);
}

#[tokio::test]
async fn a_writer_in_the_way_of_others_is_a_warning() {
    let file = File::new("WAL").await;
    let mut writer = file.open(false).await;
    writer.execute("BEGIN IMMEDIATE").await.unwrap();
    let finding = run(&file.database(), "transactions").await;
    assert_eq!(finding.outcome, Outcome::Warn, "{finding:?}");
    assert_eq!(finding.summary, "a writer holds the file for over 500ms");
    writer.execute("ROLLBACK").await.unwrap();
    assert_eq!(run(&file.database(), "transactions").await.outcome, Outcome::Pass);
    assert_eq!(run(&file.database(), "connect").await.outcome, Outcome::Pass);
}

#[tokio::test]
async fn a_file_that_is_only_read_is_not_written_beside() {
    let file = File::new("DELETE").await;
    let watched = database(Some(&format!("sqlite://{}?mode=ro", file.path.display())));
    let finding = run(&watched, "transactions").await;
    assert_eq!(finding.outcome.word(), "skipped", "{finding:?}");
    assert!(finding.remedy.unwrap().contains("writes = true"));
}

#[tokio::test]
async fn a_full_disk_fails_at_the_write_and_leaves_nothing() {
    let Some(small) = Mounted::new("256k") else { return };
    let path = small.path.join("app.db");
    let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    let mut link = SqliteConnection::connect_with(&options).await.unwrap();
    link.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY)").await.unwrap();
    link.close().await.unwrap();
    let watched = database(Some(&format!("sqlite://{}", path.display())));
    assert_eq!(run(&watched, "transactions").await.outcome, Outcome::Pass);
    small.fill();
    let finding = run(&watched, "transactions").await;
    assert_eq!(finding.outcome, Outcome::Fail, "{finding:?}");
    assert_eq!(finding.summary, "no room left to write (FULL)");
    assert!(finding.remedy.unwrap().starts_with("make room on the disk"));
    assert_eq!(fs::read_dir(&small.path).unwrap().count(), 2, "the database and the filler");
    let server = run(&watched, "server").await;
    assert_eq!(server.summary, "0 % of the disk left", "{server:?}");
}

#[tokio::test]
async fn rows_that_point_nowhere_are_found() {
    let file = File::new("DELETE").await;
    let mut link = file.open(false).await;
    link.execute("PRAGMA foreign_keys = OFF").await.unwrap();
    let make = "CREATE TABLE lines (id INTEGER PRIMARY KEY, o INTEGER REFERENCES orders)";
    link.execute(make).await.unwrap();
    link.execute("INSERT INTO lines (o) VALUES (1), (77)").await.unwrap();
    link.close().await.unwrap();
    let finding = run(&file.database(), "server").await;
    let grid = finding.evidence.grid.unwrap();
    let row = grid.rows.iter().find(|row| row.cells[0] == "foreign keys").unwrap();
    assert_eq!((row.mark, row.cells[1].as_str()), (Mark::Warn, "1 violated"));
    assert_eq!(grid.rows.len(), 7);
}

#[tokio::test]
async fn damage_is_told_from_another_kind_of_file() {
    let corrupt = File::new("DELETE").await;
    corrupt.overwrite(100, &[0xAB; 64]);
    let (outcome, summary) = says(&corrupt.database(), "connect").await;
    assert_eq!((outcome, summary.as_str()), ("fail", "database file is corrupt (CORRUPT)"));

    let other = File::new("DELETE").await;
    other.overwrite(0, b"this is something else");
    let (outcome, summary) = says(&other.database(), "connect").await;
    assert_eq!(outcome, "fail");
    assert!(summary.ends_with("app.db is no SQLite database"), "{summary}");

    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", directory.path().display());
    let (outcome, summary) = says(&database(Some(&url)), "connect").await;
    assert_eq!(outcome, "fail");
    assert!(summary.ends_with("is not a file"), "{summary}");
}

#[tokio::test]
async fn a_sealed_file_warns_unless_it_is_meant_to_be() {
    let file = File::new("DELETE").await;
    fs::set_permissions(&file.path, Permissions::from_mode(0o444)).unwrap();
    let (outcome, summary) = says(&file.database(), "connect").await;
    assert_eq!((outcome, summary.as_str()), ("warn", "answers, but nobody may write the file"));
    let meant = database(Some(&format!("sqlite://{}?mode=ro", file.path.display())));
    assert_eq!(run(&meant, "connect").await.outcome, Outcome::Pass);
}

#[tokio::test]
async fn a_file_that_was_replaced_is_seen_as_it_is_now() {
    let file = File::new("DELETE").await;
    let watched = file.database();
    assert_eq!(run(&watched, "connect").await.outcome, Outcome::Pass);
    let aside = file.directory.path().join("new");
    fs::write(&aside, "not a database at all").unwrap();
    fs::rename(&aside, &file.path).unwrap();
    assert_eq!(run(&watched, "connect").await.outcome, Outcome::Fail);
    fs::remove_file(&file.path).unwrap();
    let (_, summary) = says(&watched, "connect").await;
    assert!(summary.ends_with("does not exist"), "{summary}");
    assert!(!Path::new(&file.path).exists());
}
