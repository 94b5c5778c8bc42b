//! `tminus perf db` beside `pgbench`, both as whole programs: the same statements,
//! prepared, in the same shares, by as many clients, on equal tables of the same server,
//! in turn.
//!
//! `cargo bench --bench db`; it wants `pgbench`, `initdb` and `postgres`. The goals are
//! 0.95 of pgbench's transactions a second at no more than 1.5 times its processor time
//! for each. Many short rounds: what else this machine does then weighs on both alike.
//! ROUNDS, SECONDS, CLIENTS and THREADS change what is run.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark"
)]

#[expect(dead_code, reason = "the clients here are not pinned")]
mod side;

use serde_json::Value;
use side::{median, output, waited_for};
use std::{
    env,
    fs::{self, Permissions},
    net::{Ipv4Addr, TcpListener, TcpStream},
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _, chown},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tminus::{
    integrations::database::{
        Settings,
        load::{Dial, LoadTable, Operation},
    },
    perf::db::Asked,
    secret::Secret,
};

/// What one run came to.
#[derive(Clone, Copy, Debug)]
struct Run {
    /// Transactions a second.
    rate: f64,
    /// Mean latency in milliseconds.
    mean: f64,
    /// Processor time of the client in µs a transaction.
    cpu: f64,
}

fn main() {
    let Some(server) = Server::start() else {
        println!("skipped: initdb, postgres and pgbench are wanted");
        return;
    };
    let asked = Asked {
        clients: number("CLIENTS", 50),
        threads: number("THREADS", 1),
        duration: Duration::from_secs(number::<u64>("SECONDS", 3)),
        ..Asked::default()
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(compare(&server, &asked, number("ROUNDS", 15)));
}

async fn compare(server: &Server, asked: &Asked, rounds: u32) {
    let url = Some(Secret::new(server.url()));
    let settings = Settings { url, ..Settings::default() };
    let dial = Dial::of(&settings).unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    while dial.open((Instant::now() + Duration::from_secs(5)).into()).await.is_err() {
        assert!(Instant::now() < deadline, "the server takes no session");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let (clients, threads) = (asked.clients, asked.threads);
    println!("{clients} clients, {threads} threads, {:?}: {:?}", asked.duration, asked.weights);
    println!(
        "round | tps pgbench tminus ratio | mean ms pgbench tminus | CPU µs pgbench tminus ratio"
    );
    let mut ratios = (Vec::new(), Vec::new(), Vec::new());
    for round in 1..=rounds {
        let (mut theirs, mut ours) = (None, None);
        // Who begins changes, as the speed of a shared machine does.
        for leg in 0..2 {
            if (round + leg) % 2 == 0 {
                theirs = Some(pgbench(server, &dial, asked).await);
            } else {
                ours = Some(tminus(server, asked));
            }
        }
        let (theirs, ours) = (theirs.unwrap(), ours.unwrap());
        let (rate, mean, cpu) =
            (ours.rate / theirs.rate, ours.mean / theirs.mean, ours.cpu / theirs.cpu);
        println!(
            "{round:>5} | {:>8.0} {:>8.0} {rate:.2} | {:>6.2} {:>6.2} {mean:.2} | {:>6.1} {:>6.1} {cpu:.2}",
            theirs.rate, ours.rate, theirs.mean, ours.mean, theirs.cpu, ours.cpu
        );
        ratios.0.push(rate);
        ratios.1.push(mean);
        ratios.2.push(cpu);
    }
    let (rate, mean, cpu) =
        (median(ratios.0.into_iter()), median(ratios.1.into_iter()), median(ratios.2.into_iter()));
    println!("median ratios: tps {rate:.2} (goal 0.95), mean {mean:.2}, CPU {cpu:.2} (goal 1.5)");
}

/// Our own test on a table of its own.
fn tminus(server: &Server, asked: &Asked) -> Run {
    let before = waited_for();
    let mut command = Command::new(env!("CARGO_BIN_EXE_tminus"));
    command.env_remove("TMINUS_CONFIG").env("DATABASE_URL", server.url());
    command.args(["perf", "db", "--format", "json", "--no-steps", "--warm-up", "100ms"]);
    command.args(["--duration", &format!("{}s", asked.duration.as_secs())]);
    command.args(["--clients", &asked.clients.to_string()]);
    command.args(["--threads", &asked.threads.to_string()]);
    let found: Value = serde_json::from_str(&output(&mut command)).unwrap();
    let total = &found["total"];
    assert_eq!(total["failed"], 0, "{found}");
    assert_eq!(found["receipt"]["left"], 0, "{found}");
    Run {
        rate: total["per_second"].as_f64().unwrap(),
        mean: total["latency"]["mean_seconds"].as_f64().unwrap() * 1000.0,
        cpu: (waited_for() - before) / total["succeeded"].as_f64().unwrap(),
    }
}

/// The same by pgbench, on a table like ours.
async fn pgbench(server: &Server, dial: &Dial, asked: &Asked) -> Run {
    let mut keeper = dial.keep((Instant::now() + Duration::from_secs(5)).into()).await.unwrap();
    let table = LoadTable::make(dial, &mut keeper, asked.rows).await.unwrap();
    let before = waited_for();
    let mut command = Command::new("pgbench");
    command.args(["-n", "-M", "prepared", "-U", "admin"]);
    command.args(["-h", "127.0.0.1", "-p", &server.port.to_string()]);
    command.args(["-c", &asked.clients.to_string(), "-j", &asked.threads.to_string()]);
    command.args(["-T", &asked.duration.as_secs().to_string()]);
    for (what, weight) in Operation::ALL.into_iter().zip(asked.weights) {
        let file = server.directory.path().join(what.word());
        fs::write(&file, script(what, table.name(), asked.rows)).unwrap();
        command.arg("-f").arg(format!("{}@{weight}", file.display()));
    }
    let says = output(command.arg("postgres"));
    let cpu = waited_for() - before;
    assert!(table.remove(dial, keeper).await);
    let figure = |name: &str| -> f64 {
        let line = says.lines().find(|line| line.starts_with(name)).unwrap_or(&says);
        line.split([' ', '=']).find_map(|word| word.parse().ok()).unwrap()
    };
    let done = figure("number of transactions actually processed");
    Run { rate: figure("tps = "), mean: figure("latency average = "), cpu: cpu / done }
}

fn script(what: Operation, table: &str, rows: u64) -> String {
    let row = format!("\\set id random(1, {rows})\n");
    let statement = match what {
        Operation::Select => format!("SELECT v FROM {table} WHERE id = :id;\n"),
        Operation::Insert => format!("INSERT INTO {table} (v) VALUES (:id);\n"),
        Operation::Update => format!("UPDATE {table} SET v = v + 1 WHERE id = :id;\n"),
        Operation::Delete => format!("DELETE FROM {table} WHERE id = :id;\n"),
    };
    row + &statement
}

fn number<T: std::str::FromStr>(name: &str, usual: T) -> T {
    env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// A PostgreSQL of our own. Killed when dropped.
struct Server {
    process: Child,
    directory: TempDir,
    port: u16,
}

impl Server {
    fn start() -> Option<Self> {
        let (initdb, postgres) = (binary("initdb")?, binary("postgres")?);
        binary("pgbench")?;
        let directory = tempfile::Builder::new().prefix("tminus-bench-").tempdir().unwrap();
        fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).unwrap();
        if let Some((user, group)) = owner() {
            chown(directory.path(), Some(user), Some(group)).unwrap();
        }
        let data = directory.path().join("data");
        let status = as_owner(&mut Command::new(initdb), directory.path())
            .arg("-D")
            .arg(&data)
            .args(["-U", "admin", "-A", "trust", "--no-sync", "--no-locale"])
            .stdout(Stdio::null())
            .status();
        assert!(status.unwrap().success());
        let port =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let process = as_owner(&mut Command::new(postgres), directory.path())
            .arg("-D")
            .arg(&data)
            .args(["-p", &port.to_string(), "-k"])
            .arg(directory.path())
            .args(["-c", "listen_addresses=127.0.0.1", "-c", "max_connections=200"])
            .args(["-c", "shared_buffers=256MB", "-c", "autovacuum=off"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self { process, directory, port };
        let deadline = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "the server never came up");
            thread::sleep(Duration::from_millis(50));
        }
        Some(server)
    }

    fn url(&self) -> String {
        format!("postgres://admin@127.0.0.1:{}/postgres?sslmode=disable", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // SIGINT ends its sessions and then itself, and leaves no shared memory.
        let pid = self.process.id().to_string();
        drop(Command::new("kill").args(["-INT", &pid]).status());
        drop(self.process.wait());
    }
}

fn binary(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let further = ["/usr/lib/postgresql/15/bin", "/usr/lib/postgresql/17/bin"];
    let places = env::split_paths(&path).chain(further.map(PathBuf::from));
    places.map(|place| place.join(name)).find(|path| path.is_file())
}

/// PostgreSQL refuses to run as root, so root lends it the user that its package made.
fn owner() -> Option<(u32, u32)> {
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        return None;
    }
    let passwd = fs::read_to_string("/etc/passwd").unwrap();
    let line = passwd.lines().find(|line| line.starts_with("postgres:"))?;
    let mut fields = line.split(':').skip(2).map(|field| field.parse().unwrap());
    Some((fields.next().unwrap(), fields.next().unwrap()))
}

fn as_owner<'a>(command: &'a mut Command, directory: &Path) -> &'a mut Command {
    if let Some((user, group)) = owner() {
        command.uid(user).gid(group);
    }
    command.current_dir(directory)
}
