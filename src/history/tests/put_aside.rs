use super::*;
use sqlx::{ConnectOptions as _, sqlite::SqliteConnectOptions};
use std::os::unix::fs::PermissionsExt as _;

/// The files in the folder of the history, without what belongs to the open one.
fn others(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path.parent().unwrap()).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let aside = |path: &PathBuf| path.to_string_lossy().contains("history.db.");
    paths.filter(aside).filter(|it| it.extension().is_some_and(|end| end != "lock")).collect()
}

#[tokio::test]
async fn a_new_file_is_ours_private_small_and_open_to_two() {
    let (_folder, path) = place();
    let (mut one, mut two) = (opened(&path).await, opened(&path).await);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    assert_eq!(word(&mut one, "PRAGMA journal_mode").await, "wal");
    assert_eq!(number(&mut one, "PRAGMA auto_vacuum").await, 2);
    write(&mut one, &[point("redis", NOW.0, None, Some(1.0))]).await.unwrap();
    write(&mut two, &[point("redis", NOW.0 + 1, None, Some(2.0))]).await.unwrap();
    assert_eq!(number(&mut one, "SELECT count(*) FROM point").await, 2);
    let runs = number(&mut one, "SELECT count(*) FROM run").await;
    assert_eq!(runs, 1, "one run, whatever it is connected by");
    drop((one, two));
    let mut again = opened(&path).await;
    assert!(again.aside.is_none() && others(&path).is_empty());
    assert_eq!(number(&mut again, "SELECT count(*) FROM series").await, 1);
}

/// Writes a database that is not ours, or no database, where the history is to be.
async fn spoil(path: &Path, how: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    match how {
        "text" => fs::write(path, "not a database at all\n".repeat(99)).unwrap(),
        "cut off" => {
            let mut whole = opened(path).await;
            let notes: Vec<Note> =
                (0..999).map(|n| point("redis.lock", n, Some(Mark::Pass), None)).collect();
            write(&mut whole, &notes).await.unwrap();
            let Link::File(link) = whole.link else { panic!("it is a file") };
            sqlx::Connection::close(link).await.unwrap();
            let length = fs::metadata(path).unwrap().len();
            fs::File::options().write(true).open(path).unwrap().set_len(length / 2).unwrap();
        }
        sql => {
            let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
            let mut link = options.connect().await.unwrap();
            let sql = sqlx::AssertSqlSafe(sql.to_owned());
            sqlx::raw_sql(sql).execute(&mut link).await.unwrap();
            sqlx::Connection::close(link).await.unwrap();
        }
    }
}

#[tokio::test]
async fn where_every_name_is_taken_nothing_loses_its_own() {
    let (_folder, path) = place();
    spoil(&path, "text").await;
    for n in 0..100 {
        let nth = if n == 0 { String::new() } else { format!("-{n}") };
        let taken = format!("{}.damaged-{}{nth}", path.display(), NOW.0 / 1000);
        fs::write(taken, n.to_string()).unwrap();
    }
    let Err(trouble) = file::open(&path, NOW).await else { panic!("it was opened") };
    assert!(matches!(trouble, Trouble::Other(_)), "{trouble:?}");
    let aside = format!("{}.damaged-{}", path.display(), NOW.0 / 1000);
    assert_eq!(fs::read_to_string(aside).unwrap(), "0");
    assert!(fs::read_to_string(&path).unwrap().starts_with("not a database"));
}

#[tokio::test]
async fn what_is_damaged_foreign_or_newer_is_put_aside_whole() {
    let newer = "CREATE TABLE t(a); PRAGMA application_id = 1414352467; PRAGMA user_version = 9";
    let cases = [
        ("text", Trouble::Damaged),
        ("cut off", Trouble::Damaged),
        ("CREATE TABLE accounts(a)", Trouble::Foreign),
        (newer, Trouble::Newer),
    ];
    for (how, expected) in cases {
        let (_folder, path) = place();
        spoil(&path, how).await;
        let before = fs::read(&path).unwrap();
        let mut new = opened(&path).await;
        let (why, aside) = new.aside.clone().unwrap();
        assert_eq!(why, expected, "{how}");
        assert_eq!(others(&path), std::slice::from_ref(&aside), "{how}");
        assert!(fs::read(&aside).unwrap() == before, "{how}: it has changed");
        write(&mut new, &[point("redis", NOW.0, None, Some(1.0))]).await.unwrap();
        assert_eq!(number(&mut new, "SELECT count(*) FROM point").await, 1);
    }
}

#[tokio::test]
async fn nothing_is_put_aside_from_under_another_process() {
    let (_folder, path) = place();
    let open = opened(&path).await;
    let mut link = SqliteConnectOptions::new().filename(&path).connect().await.unwrap();
    sqlx::raw_sql("PRAGMA user_version = 9").execute(&mut link).await.unwrap();
    let second = file::open(&path, NOW).await.err();
    assert_eq!(second, Some(Trouble::Busy));
    assert!(path.exists() && others(&path).is_empty());
    drop(open);
    assert!(file::open(&path, NOW).await.unwrap().aside.is_some());
}

#[tokio::test]
async fn a_second_one_of_the_same_second_gets_a_name_of_its_own() {
    let (_folder, path) = place();
    for n in 1..=3 {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "no").unwrap();
        drop(opened(&path).await);
        assert_eq!(others(&path).len(), n);
        for suffix in ["", "-wal", "-shm"] {
            let _gone = fs::remove_file(format!("{}{suffix}", path.display()));
        }
    }
}
