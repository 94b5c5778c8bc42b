//! A history that several consoles share, in real PostgreSQL.

mod lost;
mod several;

use crate::{
    database::PASSWORD,
    postgres::cluster::{Cluster, scalar},
};
use sqlx::Connection as _;
use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};
use tempfile::TempDir;
use tminus::{
    clock,
    domain::{Event, Past, Snapshot, Topic},
    engine::{Command as Told, Handle},
    history::{Bounds, History, Keeping, Kind, Place, Writer},
    secret::Secret,
};
use tokio::{
    sync::{mpsc, watch},
    time::{sleep, timeout},
};

/// How long anything may take on a host that is busy.
const PATIENCE: Duration = Duration::from_mins(2);
const SESSIONS: &str =
    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tminus history'";

/// A database of its own, and a role that may do in it what `rights` says; its URL.
async fn database(cluster: &Cluster, name: &str, rights: &str) -> String {
    let url = cluster.role(name, &format!("CREATE DATABASE {name}")).await;
    cluster.sql_in(name, rights).await;
    format!("{}/{name}", url.rsplit_once('/').unwrap().0)
}

/// The rights that the documentation asks for.
fn minimum(name: &str) -> String {
    format!("CREATE SCHEMA tminus AUTHORIZATION {name}")
}

async fn number(cluster: &Cluster, database: &str, sql: &'static str) -> i64 {
    let mut admin = cluster.admin_in(database).await;
    let number = scalar(&mut admin, sql).await;
    admin.close().await.unwrap();
    number
}

/// Waits until a number in a database is what it should be.
async fn until(cluster: &Cluster, database: &str, sql: &'static str, is: impl Fn(i64) -> bool) {
    let waited = timeout(PATIENCE, async {
        while !is(number(cluster, database, sql).await) {
            sleep(Duration::from_millis(50)).await;
        }
    });
    assert!(waited.await.is_ok(), "never came to what it should be: {sql}");
}

/// A console without checks, of which the history is kept.
struct Console {
    publish: watch::Sender<Arc<Snapshot>>,
    commands: mpsc::Receiver<Told>,
    history: History,
    snapshot: Snapshot,
}

impl Console {
    fn start(url: &str, run: &str, mib: u64) -> Self {
        let (publish, snapshots) = watch::channel(Arc::new(Snapshot::default()));
        let (sender, commands) = mpsc::channel(32);
        let keeping = Keeping {
            place: Place::Shared(Secret::new(url)),
            bounds: Bounds { age: Duration::from_hours(400 * 24), bytes: mib << 20 },
            writer: Writer { run: run.into(), kind: Kind::Console, host: "here".into() },
            now: clock::now,
        };
        assert!(!format!("{keeping:?}").contains(PASSWORD), "{keeping:?}");
        let history = History::start(keeping, Handle::new(snapshots, sender), None);
        Self { publish, commands, history, snapshot: Snapshot::default() }
    }

    async fn told(&mut self) -> Told {
        timeout(PATIENCE, self.commands.recv()).await.unwrap().unwrap()
    }

    async fn recalled(&mut self) -> Past {
        let told = self.told().await;
        let Told::Recall(past) = told else { panic!("{told:?}") };
        *past
    }

    /// What is said on its screen.
    async fn says(&mut self) -> String {
        let told = self.told().await;
        let Told::Tell(notice) = told else { panic!("{told:?}") };
        assert_eq!(notice.topic, Topic::History);
        assert!(!notice.says.contains(PASSWORD), "{}", notice.says);
        notice.says
    }

    /// Something happens.
    fn event(&mut self) {
        let snapshot = &mut self.snapshot;
        snapshot.seq += 1;
        (snapshot.at, snapshot.wall) = (snapshot.at + Duration::from_millis(20), clock::now());
        let (at, wall) = (snapshot.at, snapshot.wall);
        let text = format!("event {}", snapshot.seq);
        snapshot.journal.push(Event { at, wall, check: None, mark: None, text });
        self.publish.send_replace(Arc::new(snapshot.clone()));
    }

    async fn events(&mut self, count: usize) {
        for _ in 0..count {
            self.event();
            sleep(Duration::from_millis(10)).await;
        }
    }

    async fn stop(self) {
        assert!(self.history.stop(PATIENCE).await);
    }
}

/// The program, with its history at `url`.
struct Home(TempDir);

impl Home {
    fn at(url: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("tminus.toml");
        fs::write(&file, format!("[history]\nurl = \"{url}\"\n")).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        Self(home)
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tminus"));
        command.env_clear().env("HOME", self.0.path()).current_dir(self.0.path());
        command.args(line.split_whitespace()).stdin(Stdio::null());
        command
    }

    /// Its exit code and what it printed, of which nothing is secret.
    fn run(&self, line: &str) -> (i32, String) {
        let output = self.command(line).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let (out, err) = (text(output.stdout), text(output.stderr));
        let log = self.0.path().join(".local/state/tminus/tminus.log");
        let log = fs::read_to_string(log).unwrap_or_default();
        assert!(![&out, &err, &log].into_iter().any(|it| it.contains(PASSWORD)), "{out}{err}{log}");
        (output.status.code().unwrap(), out + &err)
    }

    fn spawn(&self, line: &str) -> Child {
        let mut command = self.command(line);
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }
}
