//! What keeping a history costs: the size of a file with a year in it, the first frame and
//! a report beside such a file, and what writing takes of a processor.
//!
//! `cargo bench --bench history`. Wanted: a year under 200 MiB, with it the first frame
//! within 100 ms, a report among 10,000 runs within 1 s, and less than 0.2 % of a core for
//! writing. The year is filled in as rolling up would have left it, with a point of every
//! series at every step: more than any session comes to. SECONDS changes how long each
//! console runs that is measured.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark"
)]

#[expect(dead_code, reason = "nothing is pinned here, and there is no other program")]
mod side;

use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use side::{median, processor};
use sqlx::{Connection as _, Executor as _, SqliteConnection, sqlite::SqliteConnectOptions};
use std::{
    env, fs,
    io::{Read as _, Write as _},
    path::Path,
    process::Command,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

const BINARY: &str = env!("CARGO_BIN_EXE_tminus");
/// Each step in seconds, and for how many seconds back it is kept.
const STEPS: [(u64, u64); 4] = [(5, 7200), (60, 172_800), (600, 30 * 86_400), (3600, 365 * 86_400)];
const RUNS: u64 = 10_000;

fn main() {
    let (year, new, none) = (home(""), home(""), home("[history]\noff = true\n"));
    let looked = run(&year, &["check", "--format", "json"]);
    assert!(!looked.is_empty());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let file = year.path().join("tminus/history.db");
    let series = runtime.block_on(fill(&file));
    let size = fs::metadata(&file).unwrap().len() >> 20;
    println!("a year of {series} series and {RUNS} runs: {size} MiB (goal 200)");

    let times =
        |frames: &dyn Fn() -> Duration| median((0..9).map(|_| frames().as_secs_f64() * 1e3));
    let (with, without) = (times(&|| first_frame(&year)), times(&|| first_frame(&new)));
    println!("first frame: {with:.0} ms with it (goal 100), {without:.0} ms with a new file");

    let report = times(&|| {
        let began = Instant::now();
        let text = run(&year, &["report", "--from", "last", "--format", "html"]);
        assert!(text.contains("</html>"));
        began.elapsed()
    });
    println!("report of the last of {RUNS} runs: {report:.0} ms (goal 1000)");

    let seconds = env::var("SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(30);
    let share = |home: &TempDir| at_work(home, Duration::from_secs(seconds)) * 100.0;
    let rounds: Vec<(f64, f64)> = (0..3).map(|_| (share(&year), share(&none))).collect();
    let (kept, off) = (median(rounds.iter().map(|it| it.0)), median(rounds.iter().map(|it| it.1)));
    let costs = median(rounds.iter().map(|(kept, off)| kept - off));
    println!("a console: {kept:.2} % of a core, {off:.2} % without history");
    println!("writing: {costs:.2} % (goal 0.2)");
}

/// A place for a console of its own.
fn home(config: &str) -> TempDir {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("tminus.toml"), config).unwrap();
    home
}

/// Runs the program there; its standard output.
fn run(home: &TempDir, arguments: &[&str]) -> String {
    let mut command = Command::new(BINARY);
    command.env_clear().env("HOME", home.path()).env("XDG_STATE_HOME", home.path());
    let output = command.current_dir(home.path()).args(arguments).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// Fills the file with a year of what is in it, and says how many series there are.
async fn fill(file: &Path) -> i64 {
    let options = SqliteConnectOptions::new().filename(file);
    let mut link = SqliteConnection::connect_with(&options).await.unwrap();
    let now = jiff::Timestamp::now().as_millisecond();
    let mut newer = 0;
    for (step, back) in STEPS {
        let times = format!(
            "WITH RECURSIVE time(at) AS (SELECT {now} - {newer} - {step}000 \
             UNION ALL SELECT at - {step}000 FROM time WHERE at > {now} - {back}000) "
        );
        let sql = if step == STEPS[0].0 {
            format!(
                "{times} INSERT OR IGNORE INTO point SELECT id, at, 0, 0.0004 FROM series, time"
            )
        } else {
            let runs = step / STEPS[0].0;
            format!(
                "{times} INSERT INTO rollup SELECT {step}000, id, at - at % {step}000, {runs}, \
                 0, 0, 0, 0, {runs}, 0.00041, 0.00037, 0.0013 FROM series, time"
            )
        };
        link.execute(sqlx::AssertSqlSafe(sql)).await.unwrap();
        newer = back * 1000;
    }
    let runs = format!(
        "WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number LIMIT {RUNS}) \
         INSERT INTO run (name, kind, version, host, began, seen, word, rule, reason, score, coverage) \
         SELECT printf('%012x', n), 'check', '0.1.0', 'here', {now} - n * 3000000, \
         {now} - n * 3000000 + 5000, 'GO', 1, 'nothing stands in the way', 98, 100 FROM number"
    );
    link.execute(sqlx::AssertSqlSafe(runs)).await.unwrap();
    link.execute(
        "INSERT INTO evidence SELECT id, began, (SELECT snapshot FROM evidence) FROM run \
         WHERE id NOT IN (SELECT run FROM evidence) ORDER BY began DESC LIMIT 99",
    )
    .await
    .unwrap();
    link.execute(
        "INSERT INTO transition (run, at, series, outcome, summary) \
         SELECT 1, began, 1 + id % 40, 'fail', 'no answer within 250 ms' FROM run",
    )
    .await
    .unwrap();
    link.execute(
        "INSERT INTO event (run, at, series, mark, text) \
         SELECT 1, began, 1 + id % 40, 2, 'fails: no answer within 250 ms' FROM run",
    )
    .await
    .unwrap();
    let series = sqlx::query_scalar("SELECT count(*) FROM series").fetch_one(&mut link).await;
    link.execute("PRAGMA wal_checkpoint(TRUNCATE)").await.unwrap();
    link.close().await.unwrap();
    series.unwrap()
}

/// A console in a terminal of its own.
struct Console {
    child: Box<dyn portable_pty::Child + Send + Sync>,
    keys: Box<dyn std::io::Write + Send>,
    seen: mpsc::Receiver<Vec<u8>>,
}

impl Console {
    fn start(home: &TempDir) -> Self {
        let size = PtySize { rows: 40, cols: 120, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(BINARY);
        command.env_clear();
        command.env("TERM", "xterm-256color");
        command.env("LC_ALL", "C.UTF-8");
        command.env("HOME", home.path());
        command.env("XDG_STATE_HOME", home.path());
        command.cwd(home.path());
        let child = pair.slave.spawn_command(command).unwrap();
        let (mut output, keys) =
            (pair.master.try_clone_reader().unwrap(), pair.master.take_writer().unwrap());
        let (tell, seen) = mpsc::channel();
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(n @ 1..) = output.read(&mut bytes) {
                if tell.send(bytes[..n].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { child, keys, seen }
    }

    /// Reads until `word` is on the screen.
    fn shows(&self, word: &str) {
        let mut screen = vt100::Parser::new(40.try_into().unwrap(), 120.try_into().unwrap(), 0);
        while !screen.screen().contents().contains(word) {
            let bytes = self.seen.recv_timeout(Duration::from_secs(10)).unwrap();
            screen.process(&bytes);
        }
    }

    fn quit(mut self) {
        self.keys.write_all(b"q").unwrap();
        self.child.wait().unwrap();
    }
}

/// From the start to the frame that holds everything.
fn first_frame(home: &TempDir) -> Duration {
    let began = Instant::now();
    let console = Console::start(home);
    console.shows("Resilience");
    let took = began.elapsed();
    console.quit();
    took
}

/// The share of a core that a console takes, once its first runs are over.
fn at_work(home: &TempDir, length: Duration) -> f64 {
    let console = Console::start(home);
    thread::sleep(Duration::from_secs(10));
    let pid = console.child.process_id().unwrap().to_string();
    let before = processor(&pid, 14);
    thread::sleep(length);
    let took = processor(&pid, 14) - before;
    console.quit();
    took / 1e6 / length.as_secs_f64()
}
