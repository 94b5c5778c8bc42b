//! A MariaDB server of our own: its own directory, port and user.

use crate::{
    database::PASSWORD,
    support::{Process, binary, free_port, wait_until},
};
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, MySqlConnection, Row as _,
    mysql::MySqlConnectOptions,
};
use std::{
    fs::{self, Permissions},
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _, chown},
        process::CommandExt as _,
    },
    path::Path,
    process::{Command, Stdio},
    sync::{Arc, Mutex, Weak},
    time::Duration,
};
use tempfile::TempDir;
use tokio::time::sleep;

/// Counts statements.
pub(crate) const COUNTING: &[&str] = &["performance-schema=ON", "long-query-time=0.1"];
/// As it comes: counts nothing.
pub(crate) const PLAIN: &[&str] = &[];
/// What the least account needs.
pub(crate) const LEAST: &str = "\
GRANT PROCESS, BINLOG MONITOR, SLAVE MONITOR ON *.* TO {}; \
GRANT SELECT ON performance_schema.* TO {}; GRANT CREATE TEMPORARY TABLES ON shop.* TO {}";

/// Made once, then copied, as long as a server of these tests runs.
static TEMPLATE: Mutex<Weak<TempDir>> = Mutex::new(Weak::new());
/// For the tests that only need a healthy server and an account of their own.
static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());

/// A running server. Shut down when dropped.
pub(crate) struct Server {
    process: Option<Process>,
    directory: TempDir,
    settings: Vec<String>,
    pub(crate) port: u16,
    _template: Arc<TempDir>,
}

impl Server {
    /// A server with `settings` and a database `shop`, or nothing where none is installed.
    pub(crate) fn start(settings: &[&str]) -> Option<Self> {
        let template = template()?;
        let directory = directory();
        let mut copy = Command::new("cp");
        copy.arg("-a").arg(template.path().join("data")).arg(directory.path().join("data"));
        assert!(as_server(&mut copy, directory.path()).status().unwrap().success());
        let settings = settings.iter().map(|setting| format!("--{setting}")).collect();
        let port = free_port();
        let mut server = Self { process: None, directory, settings, port, _template: template };
        server.restart();
        Some(server)
    }

    /// One that counts, for all tests that ask.
    pub(crate) fn shared() -> Option<Arc<Self>> {
        let mut shared = SHARED.lock().unwrap();
        if let Some(server) = shared.upgrade() {
            return Some(server);
        }
        let server = Arc::new(Self::start(COUNTING)?);
        *shared = Arc::downgrade(&server);
        Some(server)
    }

    /// Starts it and waits until it takes sessions.
    pub(crate) fn restart(&mut self) {
        let ready = "ready for connections";
        let before = self.log().matches(ready).count();
        let directory = self.directory.path();
        let mut command = Command::new(binary("mariadbd").unwrap());
        as_server(&mut command, directory)
            .arg("--no-defaults")
            .arg(format!("--datadir={}", directory.join("data").display()))
            .arg(format!("--socket={}", directory.join("socket").display()))
            .arg(format!("--pid-file={}", directory.join("pid").display()))
            .arg(format!("--log-error={}", directory.join("log.err").display()))
            .args([&*format!("--port={}", self.port), "--bind-address=127.0.0.1"])
            .arg(format!("--tmpdir={}", directory.display()))
            .args(["--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=8M"])
            .args(["--innodb-log-file-size=4M", "--skip-log-bin", "--skip-name-resolve"])
            .args(["--key-buffer-size=1M", "--feedback=OFF"])
            .args(&self.settings);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut process = Process(command.spawn().unwrap());
        wait_until("the server is ready", || {
            assert!(process.0.try_wait().unwrap().is_none(), "it ended: {}", self.log());
            self.log().matches(ready).count() > before
        });
        self.process = Some(process);
    }

    /// Shuts it down in an orderly way, sessions or not.
    pub(crate) fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.signal("TERM");
            wait_until("the server ends", || process.0.try_wait().unwrap().is_some());
        }
    }

    /// Ends it as a crash would.
    pub(crate) fn crash(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.0.kill().unwrap();
            process.0.wait().unwrap();
        }
    }

    /// Sends the server a signal.
    pub(crate) fn signal(&self, name: &str) {
        self.process.as_ref().unwrap().signal(name);
    }

    /// What it wrote to its log.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log.err")).unwrap_or_default()
    }

    /// Where its socket is.
    pub(crate) fn socket(&self) -> String {
        self.directory.path().join("socket").display().to_string()
    }

    /// An account with the password of these tests, with `grants` in which `{}` stands
    /// for its name, and its URL.
    pub(crate) async fn account(&self, name: &str, grants: &str) -> String {
        let account = format!("'{name}'@'127.0.0.1'");
        let create = format!(
            "CREATE USER {account} IDENTIFIED BY '{PASSWORD}'; GRANT SELECT ON shop.* TO {account}"
        );
        self.sql(&create).await;
        self.sql(&grants.replace("{}", &account)).await;
        format!("mysql://{name}:{PASSWORD}@127.0.0.1:{}/shop", self.port)
    }

    /// A session as anybody. A server lets go of a session some moments after its client
    /// has, so one that is full is asked again.
    pub(crate) async fn connect(&self, url: &str) -> MySqlConnection {
        let options: MySqlConnectOptions = url.parse().unwrap();
        let options = options.disable_statement_logging();
        for _ in 0..200 {
            match MySqlConnection::connect_with(&options).await {
                Ok(link) => return link,
                Err(error) => assert!(error.to_string().contains("1040"), "{error}"),
            }
            sleep(Duration::from_millis(20)).await;
        }
        panic!("the server stays full")
    }

    /// A session as the administrator, through the socket.
    pub(crate) async fn admin(&self) -> MySqlConnection {
        let options = MySqlConnectOptions::new().socket(self.socket()).username("root");
        let options = options.database("shop").disable_statement_logging();
        MySqlConnection::connect_with(&options).await.unwrap()
    }

    /// Runs statements as the administrator.
    pub(crate) async fn sql(&self, sql: &str) {
        let mut admin = self.admin().await;
        for statement in sql.split(';').map(str::trim).filter(|one| !one.is_empty()) {
            admin.execute(AssertSqlSafe(statement.to_owned())).await.unwrap();
        }
        admin.close().await.unwrap();
    }

    /// A number, asked as the administrator.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        let mut admin = self.admin().await;
        let row = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).fetch_one(&mut admin).await.unwrap();
        admin.close().await.unwrap();
        let column = row.len() - 1;
        row.try_get_unchecked::<String, _>(column).unwrap().parse().unwrap()
    }

    /// Waits until a number is zero.
    pub(crate) async fn until_zero(&self, sql: &str) {
        for _ in 0..200 {
            if self.number(sql).await == 0 {
                return;
            }
            sleep(Duration::from_millis(20)).await;
        }
        panic!("never came to nothing: {sql}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(process) = &self.process {
            process.signal("CONT");
            self.stop();
        }
    }
}

fn template() -> Option<Arc<TempDir>> {
    let install = binary("mariadb-install-db")?;
    binary("mariadbd")?;
    let mut template = TEMPLATE.lock().unwrap();
    if let Some(template) = template.upgrade() {
        return Some(template);
    }
    let made = directory();
    let data = made.path().join("data");
    let status = as_server(&mut Command::new(install), made.path())
        .args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"])
        .args(["--skip-name-resolve", "--innodb-log-file-size=4M"])
        .arg(format!("--datadir={}", data.display()))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    assert!(status.unwrap().success());
    fs::create_dir(data.join("shop")).unwrap();
    let owner = fs::metadata(&data).unwrap();
    chown(data.join("shop"), Some(owner.uid()), Some(owner.gid())).unwrap();
    let made = Arc::new(made);
    *template = Arc::downgrade(&made);
    Some(made)
}

/// A directory that the server's user can use, whoever runs the tests.
fn directory() -> TempDir {
    let directory = tempfile::Builder::new().prefix("tminus-my-").tempdir().unwrap();
    fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).unwrap();
    if let Some((user, group)) = server_user() {
        chown(directory.path(), Some(user), Some(group)).unwrap();
    }
    directory
}

/// MariaDB refuses to run as root, so root lends it the user that its package made.
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
    let line = passwd.lines().find(|line| line.starts_with("mysql:")).unwrap();
    let mut fields = line.split(':').skip(2).map(|field| field.parse().unwrap());
    Some((fields.next().unwrap(), fields.next().unwrap()))
}
