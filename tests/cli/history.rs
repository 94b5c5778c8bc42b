//! What one run saw and the next one knows.

use super::*;
use sqlx::{ConnectOptions as _, sqlite::SqliteConnectOptions};

fn file(home: &Home) -> PathBuf {
    home.0.path().join(".local/state/tminus/history.db")
}

/// The one value that `sql` gives in the history of `home`.
fn asked<T>(file: &Path, sql: &'static str) -> T
where
    T: Send + Unpin + for<'r> sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut link = SqliteConnectOptions::new().filename(file).connect().await.unwrap();
        sqlx::query_scalar(sql).fetch_one(&mut link).await.unwrap()
    })
}

fn standing_seconds(home: &Home) -> f64 {
    let ran = home.run("check apis --format json");
    assert_eq!(ran.code, 1, "{}", ran.err);
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    json["blockers"][0]["standing_seconds"].as_f64().unwrap()
}

#[test]
fn a_blocker_is_as_old_as_when_it_was_first_seen() {
    let home = Home::new();
    let first = Instant::now();
    standing_seconds(&home);
    thread::sleep(Duration::from_millis(1100));
    let second = standing_seconds(&home);
    assert!((1.0..=first.elapsed().as_secs_f64()).contains(&second), "{second}");
    let runs: i64 = asked(&file(&home), "SELECT count(*) FROM run WHERE kind = 'check'");
    let word: String = asked(&file(&home), "SELECT word FROM run ORDER BY id DESC LIMIT 1");
    let outcome = "SELECT outcome FROM transition JOIN series ON series = series.id
        WHERE name = 'apis.openai_key' LIMIT 1";
    assert_eq!((runs, word.as_str()), (2, "NO-GO"));
    assert_eq!(asked::<String>(&file(&home), outcome), "fail");
}

#[test]
fn it_is_kept_where_and_whether_the_file_says_so() {
    let home = Home::with("[history]\noff = true");
    assert_eq!(home.run("check resilience").code, 0);
    assert!(!file(&home).exists());
    let home = Home::with("[history]\npath = \"kept/here.db\"");
    assert_eq!(home.run("check resilience").code, 0);
    let here = home.0.path().join("work/kept/here.db");
    assert!(!file(&home).exists() && here.exists());
    assert_eq!(fs::metadata(&here).unwrap().permissions().mode() & 0o077, 0);
}

#[test]
fn a_history_that_cannot_be_used_changes_no_verdict() {
    let home = Home::with("[history]\npath = \"/proc/tminus/history.db\"");
    let ran = home.run("check resilience");
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let log = fs::read_to_string(home.log()).unwrap();
    assert!(log.contains("the history is not kept: "), "{log}");
    let home = Home::new();
    fs::create_dir_all(file(&home).parent().unwrap()).unwrap();
    fs::write(file(&home), "not a database").unwrap();
    assert_eq!(home.run("check resilience").code, 0);
    let names = fs::read_dir(file(&home).parent().unwrap()).unwrap();
    let mut names = names.map(|it| it.unwrap().path());
    let aside = names.find(|it| it.to_string_lossy().contains(".damaged-")).unwrap();
    assert_eq!(fs::read_to_string(aside).unwrap(), "not a database");
    assert_eq!(asked::<i64>(&file(&home), "SELECT count(*) FROM run"), 1);
}

#[test]
fn a_kill_at_any_moment_leaves_a_file_that_is_whole() {
    let home = Home::with("[history]\nmax_size_mib = 4");
    for n in 0..10 {
        let mut child = home.spawn("check --wait 10m");
        // Spread over opening, the first batch and those after it.
        thread::sleep(Duration::from_millis(40 + n * n * 25));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert_eq!(home.run("check resilience").code, 0);
    let whole: String = asked(&file(&home), "PRAGMA integrity_check");
    let runs: i64 = asked(&file(&home), "SELECT count(*) FROM run");
    let points: i64 = asked(&file(&home), "SELECT count(*) FROM point");
    assert_eq!(whole, "ok");
    assert!((2..=11).contains(&runs) && points > 0, "{runs} runs, {points} points");
}
