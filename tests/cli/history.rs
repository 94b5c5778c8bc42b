//! What one run saw and the next one knows.

use super::*;
use sqlx::{ConnectOptions as _, sqlite::SqliteConnectOptions};
use std::{env, io::BufRead as _, io::BufReader, sync::Arc};
use tminus::{
    clock,
    domain::{Event, Snapshot},
    engine::Handle,
    history::{Bounds, History, Keeping, Kind, Place, Writer},
};
use tokio::sync::{mpsc, watch};

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

/// The variable that makes of this test a writer: where it writes.
const BE_A_WRITER: &str = "TMINUS_TEST_WRITER";
/// Between two events of the writer: as closely is known what a kill has cost.
const BEAT: Duration = Duration::from_millis(20);

#[test]
#[ignore = "it is the writer that another test kills"]
fn be_a_writer() {
    let path = PathBuf::from(env::var_os(BE_A_WRITER).unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (publish, snapshots) = watch::channel(Arc::new(Snapshot::default()));
        let (commands, _kept) = mpsc::channel(32);
        let writer = Writer { run: "killed".into(), kind: Kind::Check, host: "here".into() };
        let bounds = Bounds { age: Duration::from_hours(24), bytes: 4 * 1024 * 1024 };
        let keeping = Keeping { place: Place::File(path), bounds, writer, now: clock::now };
        let history = History::start(keeping, Handle::new(snapshots, commands), None);
        history.recalled(Duration::from_secs(30)).await;
        let mut snapshot = Snapshot::default();
        eprintln!("begun");
        loop {
            tokio::time::sleep(BEAT).await;
            (snapshot.seq, snapshot.at, snapshot.wall) =
                (snapshot.seq + 1, snapshot.at + BEAT, clock::now());
            let text = format!("event {}", snapshot.seq);
            let (at, wall) = (snapshot.at, snapshot.wall);
            snapshot.journal.push(Event { at, wall, check: None, mark: None, text });
            publish.send_replace(Arc::new(snapshot.clone()));
        }
    });
}

/// Kills a writer at some moment; says how many milliseconds before that it wrote last.
fn killed(path: &Path) -> i64 {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "history::be_a_writer", "--ignored", "--nocapture"])
        .env(BE_A_WRITER, path)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(lines.map_while(Result::ok).any(|line| line.ends_with("begun")));
    thread::sleep(Duration::from_millis(1000 + fastrand::u64(0..1000)));
    let at = clock::now().0;
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(asked::<String>(path, "PRAGMA integrity_check"), "ok");
    at - asked::<i64>(path, "SELECT max(at) FROM event")
}

#[test]
fn a_kill_costs_a_second_at_most() {
    let home = tempfile::tempdir().unwrap();
    // Five kills of each of ten files, side by side: most of it is waiting.
    let file = |n: usize| home.path().join(format!("{n}.db"));
    let each = |n: usize| (0..5).map(|_| killed(&file(n))).collect::<Vec<i64>>();
    let mut lost: Vec<i64> = thread::scope(|scope| {
        let files: Vec<_> = (0..10)
            .map(|n| {
                scope.spawn({
                    let each = &each;
                    move || each(n)
                })
            })
            .collect();
        files.into_iter().flat_map(|file| file.join().unwrap()).collect()
    });
    lost.sort_unstable();
    let [median, most] = [lost[lost.len() / 2], lost[lost.len() - 1]];
    eprintln!("lost by {} kills: {median} ms in the middle, {most} ms at most", lost.len());
    assert!(median <= 1000, "{lost:?}");
    // Where the host has no time for the writer, nor has the disk: that is no loss of ours.
    assert!(most <= 3000, "{lost:?}");
}
