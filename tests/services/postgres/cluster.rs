//! A PostgreSQL server of our own: its own directory, port and user.

use crate::{
    database::PASSWORD,
    support::{Process, binary, free_port, newest, wait_until},
};
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection, Row,
    postgres::PgConnectOptions,
};
use std::{
    fs::{self, File, Permissions},
    net::TcpStream,
    os::unix::{
        fs::{MetadataExt, PermissionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
    str::FromStr,
    sync::{Arc, Mutex, Weak},
    time::Duration,
};
use tempfile::TempDir;
use tokio::time::sleep;

/// Without the module.
pub(crate) const PLAIN: &[&str] = &[];
/// With the module.
pub(crate) const TRACKING: &[&str] = &["shared_preload_libraries=pg_stat_statements"];

/// Made by `initdb` once each, then copied, as long as a server of these tests runs.
static TEMPLATES: [Mutex<Weak<TempDir>>; 2] = [Mutex::new(Weak::new()), Mutex::new(Weak::new())];
/// For the tests that only need a healthy server and a role of their own.
static SHARED: [Mutex<Weak<Cluster>>; 2] = [Mutex::new(Weak::new()), Mutex::new(Weak::new())];

/// Which PostgreSQL.
#[derive(Clone, Copy)]
pub(crate) enum Edition {
    /// That of this machine.
    Installed,
    /// The newest release.
    Newest,
}

impl Edition {
    fn binary(self, name: &str) -> Option<PathBuf> {
        match self {
            Self::Installed => binary(name),
            Self::Newest => newest(name),
        }
    }

    /// A server with `settings`, or nothing where there is none to start.
    pub(crate) fn start(self, settings: &[&str]) -> Option<Cluster> {
        let template = template(self)?;
        let directory = directory();
        let copied = as_server(Command::new("cp").arg("-a"), directory.path())
            .arg(template.path().join("data"))
            .arg(directory.path().join("data"))
            .status();
        assert!(copied.unwrap().success());
        let settings = settings.iter().map(ToString::to_string).collect();
        let (edition, port, process) = (self, free_port(), None);
        let turn = tokio::sync::Mutex::new(());
        let mut cluster =
            Cluster { edition, process, directory, settings, port, turn, _template: template };
        cluster.restart();
        Some(cluster)
    }

    /// One with the module, created in the database `postgres`, for all tests that ask.
    pub(crate) fn shared(self) -> Option<Arc<Cluster>> {
        let mut shared = SHARED[self as usize].lock().unwrap();
        if let Some(cluster) = shared.upgrade() {
            return Some(cluster);
        }
        let cluster = Arc::new(self.start(TRACKING)?);
        let create = "CREATE EXTENSION pg_stat_statements";
        let psql = Command::new(binary("psql")?)
            .args(["-X", "-q", "-U", "admin", "-d", "postgres", "-c", create, "-p"])
            .arg(cluster.port.to_string())
            .arg("-h")
            .arg(cluster.directory.path())
            .status();
        assert!(psql.unwrap().success());
        *shared = Arc::downgrade(&cluster);
        Some(cluster)
    }
}

/// A running server. Shut down when dropped.
pub(crate) struct Cluster {
    edition: Edition,
    process: Option<Process>,
    directory: TempDir,
    settings: Vec<String>,
    pub(crate) port: u16,
    turn: tokio::sync::Mutex<()>,
    _template: Arc<TempDir>,
}

impl Cluster {
    /// Where its socket and its data are.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Stops it and starts it again with these settings too.
    pub(crate) fn restart_with(&mut self, settings: &[&str]) {
        self.stop();
        self.settings.extend(settings.iter().map(ToString::to_string));
        self.restart();
    }

    /// Starts it, and does not wait.
    pub(crate) fn spawn(&mut self) {
        let directory = self.directory.path();
        let log = File::options().create(true).append(true).open(directory.join("log")).unwrap();
        let mut command = Command::new(self.edition.binary("postgres").unwrap());
        as_server(&mut command, directory)
            .arg("-D")
            .arg(directory.join("data"))
            .args(["-p", &self.port.to_string(), "-k"])
            .arg(directory)
            .args(["-c", "fsync=off", "-c", "listen_addresses=127.0.0.1", "-c", "ssl=off"])
            .args(["-c", "shared_buffers=16MB", "-c", "lc_messages=C"]);
        for setting in &self.settings {
            command.args(["-c", setting]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        self.process = Some(Process(command.spawn().unwrap()));
    }

    /// Starts it and waits until it takes sessions.
    pub(crate) fn restart(&mut self) {
        self.spawn();
        wait_until("the server is ready", || self.is_ready());
        wait_until("the port is open", || TcpStream::connect(("127.0.0.1", self.port)).is_ok());
    }

    /// Whether the process that was started says so: its log may go elsewhere.
    fn is_ready(&self) -> bool {
        let pid = self.process.as_ref().unwrap().0.id().to_string();
        let file = self.directory.path().join("data/postmaster.pid");
        let text = fs::read_to_string(file).unwrap_or_default();
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        lines.first() == Some(&pid.as_str()) && matches!(lines.get(7), Some(&("ready" | "standby")))
    }

    /// Shuts it down in an orderly way, sessions or not.
    pub(crate) fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.signal("INT");
            wait_until("the server ends", || process.0.try_wait().unwrap().is_some());
        }
    }

    /// Ends it as a crash would: nobody is told, nothing is written.
    pub(crate) fn crash(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.signal("QUIT");
            wait_until("the server ends", || process.0.try_wait().unwrap().is_some());
        }
    }

    /// Sends the server itself a signal.
    pub(crate) fn signal(&self, name: &str) {
        self.process.as_ref().unwrap().signal(name);
    }

    /// What it wrote to its log.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }

    /// Writes a file into its data directory.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let data = self.directory.path().join("data");
        let owner = fs::metadata(&data).unwrap();
        fs::write(data.join(name), text).unwrap();
        // It takes no key that others may read.
        fs::set_permissions(data.join(name), Permissions::from_mode(0o600)).unwrap();
        chown(data.join(name), Some(owner.uid()), Some(owner.gid())).unwrap();
    }

    /// A role with the password of these tests, and its URL.
    pub(crate) async fn role(&self, name: &str, grant: &str) -> String {
        self.sql(&format!("CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}'; {grant}")).await;
        self.url(name, "postgres")
    }

    /// The same after a setting, which decides how the password is kept.
    pub(crate) async fn role_after(&self, name: &str, set: &str) -> String {
        self.sql(&format!("{set}; CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}'")).await;
        self.url(name, "postgres")
    }

    fn url(&self, role: &str, database: &str) -> String {
        format!("postgres://{role}:{PASSWORD}@127.0.0.1:{}/{database}", self.port)
    }

    /// A session as anybody.
    pub(crate) async fn connect(&self, url: &str) -> PgConnection {
        let options = PgConnectOptions::from_str(url).unwrap().disable_statement_logging();
        PgConnection::connect_with(&options).await.unwrap()
    }

    /// A session as the superuser.
    pub(crate) async fn admin(&self) -> PgConnection {
        self.connect(&self.url("admin", "postgres")).await
    }

    /// A session as the superuser in `database`.
    pub(crate) async fn admin_in(&self, database: &str) -> PgConnection {
        self.connect(&self.url("admin", database)).await
    }

    /// Runs statements as the superuser.
    pub(crate) async fn sql(&self, sql: &str) {
        self.sql_in("postgres", sql).await;
    }

    /// Runs statements as the superuser in `database`.
    ///
    /// One after the other: two of them may change the rights of one schema, which the
    /// server refuses to one.
    pub(crate) async fn sql_in(&self, database: &str, sql: &str) {
        let _turn = self.turn.lock().await;
        let mut admin = self.connect(&self.url("admin", database)).await;
        for statement in sql.split(';').map(str::trim).filter(|one| !one.is_empty()) {
            admin.execute(AssertSqlSafe(statement.to_owned())).await.unwrap();
        }
        admin.close().await.unwrap();
    }

    /// A number, asked as the superuser.
    pub(crate) async fn number(&self, sql: &'static str) -> i64 {
        let mut admin = self.admin().await;
        let number = scalar(&mut admin, sql).await;
        admin.close().await.unwrap();
        number
    }

    /// Waits until a number is zero.
    pub(crate) async fn until_zero(&self, sql: &'static str) {
        let mut admin = self.admin().await;
        for _ in 0..100 {
            if scalar(&mut admin, sql).await == 0 {
                return;
            }
            sleep(Duration::from_millis(20)).await;
        }
        panic!("never came to nothing: {sql}");
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(process) = &self.process {
            process.signal("CONT");
            self.stop();
        }
    }
}

/// A number of one row.
pub(crate) async fn scalar(link: &mut PgConnection, sql: &'static str) -> i64 {
    let row = sqlx::raw_sql(sql).fetch_one(link).await.unwrap();
    row.try_get::<i64, _>(0).unwrap_or_else(|_| row.get::<i32, _>(0).into())
}

/// Sends any process a signal.
pub(crate) fn signal(pid: i64, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).status();
    assert!(sent.unwrap().success());
}

fn template(edition: Edition) -> Option<Arc<TempDir>> {
    let initdb = edition.binary("initdb")?;
    let mut template = TEMPLATES[edition as usize].lock().unwrap();
    if let Some(template) = template.upgrade() {
        return Some(template);
    }
    let made = directory();
    let password = made.path().join("password");
    fs::write(&password, PASSWORD).unwrap();
    let status = as_server(&mut Command::new(initdb), made.path())
        .arg("-D")
        .arg(made.path().join("data"))
        .args(["-U", "admin", "--auth-local=trust", "--auth-host=scram-sha-256"])
        .args(["--no-sync", "--wal-segsize=1", "--no-locale", "-E", "UTF8", "--pwfile"])
        .arg(password)
        .stdout(Stdio::null())
        .status();
    assert!(status.unwrap().success());
    let made = Arc::new(made);
    *template = Arc::downgrade(&made);
    Some(made)
}

/// A directory that the server's user can use, whoever runs the tests.
fn directory() -> TempDir {
    let directory = tempfile::Builder::new().prefix("tminus-pg-").tempdir().unwrap();
    fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).unwrap();
    if let Some((user, group)) = server_user() {
        chown(directory.path(), Some(user), Some(group)).unwrap();
    }
    directory
}

/// PostgreSQL refuses to run as root, so root lends it the user that its package made.
fn as_server<'a>(command: &'a mut Command, directory: &Path) -> &'a mut Command {
    if let Some((user, group)) = server_user() {
        command.uid(user).gid(group);
    }
    command.current_dir(directory)
}

fn server_user() -> Option<(u32, u32)> {
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        return None;
    }
    let passwd = fs::read_to_string("/etc/passwd").unwrap();
    let line = passwd.lines().find(|line| line.starts_with("postgres:")).unwrap();
    let mut fields = line.split(':').skip(2).map(|field| field.parse().unwrap());
    Some((fields.next().unwrap(), fields.next().unwrap()))
}
