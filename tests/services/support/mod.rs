//! Finding, starting and stopping real servers, each on its own port and directory.

pub(crate) mod clock;
pub(crate) mod proxy;

use std::{
    env,
    fs::{self, Permissions},
    io::Write as _,
    net::{Ipv4Addr, TcpListener},
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// Where Debian puts servers that are not on everybody's PATH.
const FURTHER: &[&str] = &["/usr/sbin", "/usr/lib/postgresql/15/bin", "/usr/lib/postgresql/17/bin"];

/// A certificate for this machine that vouches for itself.
const CERTIFICATE: &str = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
    -subj /CN=nobody -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE \
    -keyout key.pem -out cert.pem";

/// A directory with `cert.pem`, which vouches for itself and this machine, and its `key.pem`.
pub(crate) fn certificate() -> Option<TempDir> {
    let openssl = binary("openssl")?;
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new(openssl);
    let made = command.current_dir(dir.path()).args(CERTIFICATE.split_whitespace()).output();
    let made = made.unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    Some(dir)
}

/// The path of a server's binary.
///
/// Without it the calling test cannot run: in CI that is a failure, elsewhere it
/// says so and the test returns.
pub(crate) fn binary(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let further = FURTHER.iter().map(PathBuf::from);
    let found =
        env::split_paths(&path).chain(further).map(|dir| dir.join(name)).find(|p| p.is_file());
    if found.is_none() {
        assert!(env::var_os("CI").is_none(), "{name} is not installed; tests/run installs it");
        eprintln!("SKIPPED: {name} is not installed, so this test proves nothing here");
    }
    found
}

/// The path of a binary of PostgreSQL 18, which `tests/run` puts beside the build.
pub(crate) fn newest(name: &str) -> Option<PathBuf> {
    let servers = concat!(env!("CARGO_MANIFEST_DIR"), "/target/servers/postgresql-18/native/bin");
    let path = PathBuf::from(servers).join(name);
    if path.is_file() {
        return Some(path);
    }
    assert!(env::var_os("CI").is_none(), "{} is missing; tests/run installs it", path.display());
    eprintln!("SKIPPED: PostgreSQL 18 is not installed, so this test proves nothing here");
    None
}

/// A loopback port that nobody listens on.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// A server of ours. Killed when dropped.
pub(crate) struct Process(pub(crate) Child);

impl Process {
    /// Starts `command` without its output.
    pub(crate) fn start(command: &mut Command) -> Self {
        Self(
            command
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap(),
        )
    }

    /// Sends it a signal by name: `STOP`, `CONT`, `KILL`.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.0.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself, or been killed by the test.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// A small file system of its own. Unmounted when dropped.
pub(crate) struct Mounted {
    /// Where it is.
    pub(crate) path: PathBuf,
    _directory: TempDir,
}

impl Mounted {
    /// One of `size`, or nothing where this user may not mount.
    pub(crate) fn new(size: &str) -> Option<Self> {
        let directory = tempfile::Builder::new().prefix("tminus-mnt-").tempdir().unwrap();
        fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).unwrap();
        let path = directory.path().join("small");
        fs::create_dir(&path).unwrap();
        let options = format!("size={size}");
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "tmpfs"])
            .arg(&path)
            .stderr(Stdio::null())
            .status();
        if mount.is_ok_and(|status| status.success()) {
            return Some(Self { path, _directory: directory });
        }
        eprintln!("SKIPPED: this user may not mount, so a full disk is not tried here");
        None
    }

    /// Leaves no room in it.
    pub(crate) fn fill(&self) {
        let mut filler = fs::File::create(self.path.join("filler")).unwrap();
        while filler.write_all(&[0; 4096]).is_ok() {}
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // Lazily: a server that still runs may have a file of it open.
        drop(Command::new("umount").arg("-l").arg(&self.path).status());
    }
}

/// Waits for a condition, and never for a fixed time.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut met: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !met() {
        assert!(Instant::now() < deadline, "never came: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}
